#include "experiments/store/clock_csv.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

/* One list makes header, rows and reader. */
#define CLOCK_INTS(X)                                                                                                                      \
  X(completions, completions)                                                                                                              \
  X(ticks, clock.robot.ticks) X(executed, clock.robot.executed) X(waited, clock.robot.waited) X(idle, clock.robot.idle)                    \
  X(starvations, clock.robot.starvations) X(looks, clock.robot.looks) X(sent, clock.robot.sent) X(filtered, clock.robot.filtered)          \
  X(chunks, clock.robot.chunks) X(late, clock.robot.late) X(lost, clock.robot.lost) X(age_max, clock.robot.age_max)                        \
  X(accepted, clock.server.accepted) X(predicted, clock.server.predicted) X(similar, clock.server.similar)                                 \
  X(replaced, clock.server.replaced) X(inferences, clock.inferences)
#define CLOCK_REALS(X) X(seconds, clock.seconds) X(busy, clock.busy)

enum { MAX_COLUMNS = 32 };

static void write_header(FILE *out) {
  fputs("task,episode", out);
#define NAME(name, member) fputs("," #name, out);
  CLOCK_INTS(NAME) CLOCK_REALS(NAME)
#undef NAME
  fputs(",age_sum\n", out);
}

static void write_row(const vlb_episode_result *r, FILE *out) {
  fprintf(out, "%d,%d", r->task, r->episode);
#define INT(name, member) fprintf(out, ",%d", r->member);
  CLOCK_INTS(INT)
#undef INT
#define REAL(name, member) fprintf(out, ",%.9f", r->member);
  CLOCK_REALS(REAL)
#undef REAL
  fprintf(out, ",%lld\n", (long long)r->clock.robot.age_sum);
}

static bool read_row(const char *line, vlb_episode_result *r) {
  double x[MAX_COLUMNS];
  int n = 0, at = 2;
  for (char *end; n < MAX_COLUMNS; line = end + 1) {
    x[n] = strtod(line, &end);
    if (end == line) return false;
    n++;
    if (*end != ',') break;
  }
#define COUNT(name, member) +1
  if (n != 3 CLOCK_INTS(COUNT) CLOCK_REALS(COUNT)) return false;
#undef COUNT
  if ((int)x[0] != r->task || (int)x[1] != r->episode) return false;
#define INT(name, member) r->member = (int)x[at++];
  CLOCK_INTS(INT)
#undef INT
#define REAL(name, member) r->member = x[at++];
  CLOCK_REALS(REAL)
#undef REAL
  r->clock.robot.age_sum = (int64_t)x[at];
  return true;
}

static const char queue_header[] = "task,episode,tick,queue,acted,sent,must_go,accepted,arrived\n";

static vlb_code write_traces(const char *folder, const vlb_episode_result *rows, int n, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/queue.csv", folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  fputs(queue_header, w.out);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < rows[i].trace_size; k++) {
      const vlb_timeline_tick *t = &rows[i].trace[k];
      fprintf(w.out, "%d,%d,%d,%d,%d,%d,%d,%d,%d\n", rows[i].task, rows[i].episode, t->tick, t->queue, t->acted, t->sent, t->must_go, t->accepted,
              t->arrived);
    }
  return vlb_writer_commit(&w, err);
}

vlb_code vlb_clock_csv_write(const char *folder, const vlb_episode_result *rows, int n, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  bool traced = false;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/clock.csv", folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  write_header(w.out);
  for (int i = 0; i < n; i++) {
    write_row(&rows[i], w.out);
    traced |= rows[i].trace_size > 0;
  }
  VLB_TRY(vlb_writer_commit(&w, err));
  return traced ? write_traces(folder, rows, n, err) : VLB_OK;
}

vlb_code vlb_clock_csv_read(const char *folder, vlb_episode_result *rows, int n, bool *known, vlb_error *err) {
  char path[1024], *text;
  size_t size;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/clock.csv", folder));
  *known = vlb_file_exists(path);
  if (!*known) return VLB_OK;
  VLB_TRY(vlb_file_read(path, &text, &size, err));
  vlb_code code = VLB_OK;
  const char *line = strchr(text, '\n');
  for (int i = 0; !code && i < n; i++) {
    if (!line || !read_row(line + 1, &rows[i])) code = vlb_fail(err, VLB_FAILED, "%s:%d: not a row of this cell's episodes", path, i + 2);
    if (!code) line = strchr(line + 1, '\n');
  }
  free(text);
  return code;
}

/* A row of queue.csv; false: it is none. */
static bool read_tick(const char *line, int *task, int *episode, vlb_timeline_tick *t) {
  int acted, sent, must_go, accepted, arrived;
  if (sscanf(line, "%d,%d,%d,%d,%d,%d,%d,%d,%d", task, episode, &t->tick, &t->queue, &acted, &sent, &must_go, &accepted, &arrived) != 9) return false;
  t->acted = acted, t->sent = sent, t->must_go = must_go, t->accepted = accepted, t->arrived = arrived;
  return true;
}

vlb_code vlb_queue_csv_read(const char *folder, int task, int episode, vlb_timeline_tick **ticks, int *n, vlb_error *err) {
  char path[1024], *text;
  size_t size;
  *ticks = NULL;
  *n = 0;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/queue.csv", folder));
  if (!vlb_file_exists(path)) return VLB_OK;
  VLB_TRY(vlb_file_read(path, &text, &size, err));
  *ticks = malloc((size / 16 + 1) * sizeof **ticks); /* no row is shorter than 16 */
  for (const char *line = *ticks ? strchr(text, '\n') : NULL; line && line[1]; line = strchr(line + 1, '\n')) {
    vlb_timeline_tick t;
    int a, b;
    if (read_tick(line + 1, &a, &b, &t) && a == task && b == episode) (*ticks)[(*n)++] = t;
  }
  free(text);
  return *ticks ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
}
