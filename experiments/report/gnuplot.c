#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/file.h"
#include "experiments/report/plot.h"

void vlb_plot_begin(const char *name, const char *data, FILE *out) {
  fprintf(out, "# gnuplot %s.gp   draws %s.svg and %s.png from %s\nif (!exists('suffix')) suffix = ''\n", name, name, name, data);
}

void vlb_plot_terminal(const char *name, int png, int width, int height, FILE *out) {
  if (png)
    fprintf(out, "\nreset\nset terminal pngcairo size %d,%d font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2\n", 2 * width, 2 * height);
  else
    fprintf(out, "\nset terminal svg size %d,%d font 'DejaVu Sans,13' background 'white'\n", width, height);
  /* labels are taken as they are: no subscripts, no markup */
  fprintf(out, "set termoption noenhanced\nset output '%s.%s'.suffix\n", name, png ? "png" : "svg");
}

void vlb_plot_text(const char *text, FILE *out) {
  for (; *text; text++) fputs(*text == '\'' ? "''" : (char[]){*text, 0}, out);
}

/* Pictures are drawn under a temporary suffix and then published, so that a killed run leaves no half picture. */
static vlb_code draw(const char *folder, const char *name, const char *suffix, vlb_error *err) {
  void (*before)(int) = signal(SIGPIPE, SIG_IGN); /* a gnuplot that dies early is an error, not our end */
  FILE *pipe = popen("gnuplot >/dev/null 2>&1", "w");
  int status = -1;
  if (pipe) {
    fputs("cd '", pipe);
    vlb_plot_text(folder, pipe);
    fprintf(pipe, "'\nsuffix = '%s'\nload '%s.gp'\n", suffix, name);
    status = pclose(pipe);
  }
  signal(SIGPIPE, before);
  return status == 0 ? VLB_OK : vlb_fail(err, VLB_FAILED, "%s: 'gnuplot %s.gp' failed; run it in that folder to see why", folder, name);
}

static vlb_code publish(const char *folder, const char *name, const char *extension, const char *suffix, vlb_error *err) {
  char path[1024], temp[1100];
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s.%s", folder, name, extension));
  VLB_TRY(vlb_path(temp, sizeof temp, err, "%s%s", path, suffix));
  return vlb_publish(temp, path, err);
}

vlb_code vlb_gnuplot(const char *folder, const char *name, vlb_error *err) {
  char suffix[64];
  snprintf(suffix, sizeof suffix, ".tmp.%ld", (long)getpid());
  if (system("command -v gnuplot >/dev/null 2>&1") != 0)
    return vlb_fail(err, VLB_INCOMPLETE, "gnuplot is not installed (Debian: gnuplot-nox): no plots, tables are complete");
  VLB_TRY(draw(folder, name, suffix, err));
  VLB_TRY(publish(folder, name, "svg", suffix, err));
  return publish(folder, name, "png", suffix, err);
}
