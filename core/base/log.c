#include "core/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 };
static const double REDRAW_SECONDS = 0.1, LINE_SECONDS = 10.0;

typedef struct {
  bool open;
  char label[128], unit[32], note[256];
  int64_t first, done, total;
  double start, shown; /* seconds; when begun, when last shown */
} progress;

struct vlb_log {
  FILE *out, *tee;
  bool quiet, terminal, colour;
  pthread_mutex_t lock;
  progress now;
};

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

vlb_log *vlb_log_open(FILE *out, bool quiet) {
  vlb_log *log = calloc(1, sizeof *log);
  if (!log) return NULL;
  log->out = out;
  log->quiet = quiet;
  int fd = fileno(out);
  const char *kind = getenv("TERM");
  log->terminal = fd >= 0 && isatty(fd) && kind && strcmp(kind, "dumb") != 0; /* one that can erase a line */
  const char *no_colour = getenv("NO_COLOR");
  log->colour = log->terminal && !(no_colour && *no_colour);
  pthread_mutex_init(&log->lock, NULL);
  return log;
}

void vlb_log_close(vlb_log *log) {
  if (!log) return;
  vlb_progress_end(log);
  if (log->tee) fclose(log->tee);
  pthread_mutex_destroy(&log->lock);
  free(log);
}

bool vlb_log_tee(vlb_log *log, const char *path) {
  FILE *tee = path ? fopen(path, "a") : NULL;
  pthread_mutex_lock(&log->lock);
  if (log->tee) fclose(log->tee);
  log->tee = tee;
  pthread_mutex_unlock(&log->lock);
  return tee || !path;
}

/* --- the progress line --- */

/* "3m48s" */
static void duration_text(char *buf, size_t size, double s) {
  int64_t t = s < 0 ? 0 : (int64_t)(s + 0.5);
  int h = (int)(t / 3600), m = (int)(t / 60 % 60), r = (int)(t % 60);
  if (h) snprintf(buf, size, "%dh%02dm", h, m);
  else if (m) snprintf(buf, size, "%dm%02ds", m, r);
  else snprintf(buf, size, "%ds", r);
}

/* "12.3 steps/s"; slow work is counted by the minute or the hour so that the number stays readable */
static void rate_text(char *buf, size_t size, double per_second, const char *unit) {
  const char *per = "s";
  double rate = per_second;
  if (rate < 0.1) rate = per_second * 60, per = "min";
  if (rate < 0.1) rate = per_second * 3600, per = "h";
  snprintf(buf, size, "%.*f %s/%s", rate >= 100 ? 0 : rate >= 10 ? 1 : 2, rate, unit, per);
}

static void progress_text(const progress *p, double now, char *buf, size_t size) {
  double elapsed = now - p->start, rate = elapsed > 0 ? (double)(p->done - p->first) / elapsed : 0;
  char speed[64] = "", left[64] = "", time[32];
  if (rate > 0) {
    rate_text(speed, sizeof speed, rate, p->unit);
    bool running = p->done < p->total;
    duration_text(time, sizeof time, running ? (double)(p->total - p->done) / rate : elapsed);
    snprintf(left, sizeof left, ", %s%s", time, running ? " left" : "");
  }
  int percent = p->total > 0 ? (int)(100.0 * (double)p->done / (double)p->total) : 100;
  snprintf(buf, size, "%s  %lld/%lld %3d%% %s%s%s%s", p->label, (long long)p->done, (long long)p->total, percent,
           rate > 0 ? speed : p->unit, left, *p->note ? "  " : "", p->note);
}

static int columns(const vlb_log *log) {
  struct winsize w;
  return ioctl(fileno(log->out), TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1 : 79;
}

static void erase(vlb_log *log) {
  if (log->terminal && !log->quiet && log->now.open) fputs("\r\033[K", log->out);
}

/* On a terminal the line is overwritten in place, so it must not be wider than the window. */
static void draw(vlb_log *log, double now) {
  if (log->quiet || !log->now.open) return;
  char line[LINE_SIZE];
  progress_text(&log->now, now, line, sizeof line);
  if (log->terminal) fprintf(log->out, "\r%.*s\033[K", columns(log), line);
  else fprintf(log->out, "%s\n", line);
  fflush(log->out);
  log->now.shown = now;
}

void vlb_progress_begin(vlb_log *log, const char *label, int64_t done, int64_t total, const char *unit) {
  vlb_progress_end(log);
  pthread_mutex_lock(&log->lock);
  double now = seconds();
  log->now = (progress){.open = true, .first = done, .done = done, .total = total, .start = now, .shown = now};
  snprintf(log->now.label, sizeof log->now.label, "%s", label);
  snprintf(log->now.unit, sizeof log->now.unit, "%s", unit);
  if (log->terminal) draw(log, now);
  pthread_mutex_unlock(&log->lock);
}

void vlb_progress_set(vlb_log *log, int64_t done, const char *note_format, ...) {
  pthread_mutex_lock(&log->lock);
  if (log->now.open) {
    log->now.done = done;
    va_list args;
    va_start(args, note_format);
    if (note_format) vsnprintf(log->now.note, sizeof log->now.note, note_format, args);
    va_end(args);
    double now = seconds();
    if (now - log->now.shown >= (log->terminal ? REDRAW_SECONDS : LINE_SECONDS)) draw(log, now);
  }
  pthread_mutex_unlock(&log->lock);
}

void vlb_progress_end(vlb_log *log) {
  pthread_mutex_lock(&log->lock);
  if (log->now.open) {
    double now = seconds();
    char line[LINE_SIZE];
    progress_text(&log->now, now, line, sizeof line);
    draw(log, now);
    if (log->terminal && !log->quiet) fputc('\n', log->out);
    if (log->tee) fprintf(log->tee, "%s\n", line), fflush(log->tee);
    log->now.open = false;
  }
  pthread_mutex_unlock(&log->lock);
}

/* --- messages --- */

static void say(vlb_log *log, bool warning, const char *format, va_list args) {
  char text[LINE_SIZE];
  vsnprintf(text, sizeof text, format, args);
  const char *mark = warning ? "warning: " : "";
  pthread_mutex_lock(&log->lock);
  if (warning || !log->quiet) {
    erase(log);
    bool paint = warning && log->colour;
    fprintf(log->out, "%s%s%s%s\n", paint ? "\033[33m" : "", mark, paint ? "\033[0m" : "", text);
    fflush(log->out);
    if (log->terminal) draw(log, seconds());
  }
  if (log->tee) fprintf(log->tee, "%s%s\n", mark, text), fflush(log->tee);
  pthread_mutex_unlock(&log->lock);
}

void vlb_info(vlb_log *log, const char *format, ...) {
  va_list args;
  va_start(args, format);
  say(log, false, format, args);
  va_end(args);
}

void vlb_warn(vlb_log *log, const char *format, ...) {
  va_list args;
  va_start(args, format);
  say(log, true, format, args);
  va_end(args);
}
