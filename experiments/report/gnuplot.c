#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "experiments/report/notes.h"
#include "experiments/report/pareto.h"
#include "experiments/report/plot.h"

const char *const vlb_plot_colours[8] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"};

static void terminal(const vlb_plot *p, bool png, FILE *out) {
  if (png)
    fprintf(out, "\nreset\nset terminal pngcairo size %d,%d font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2\n", 2 * p->width, 2 * p->height);
  else
    fprintf(out, "\nset terminal svg size %d,%d font 'DejaVu Sans,13' background 'white'\n", p->width, p->height);
  /* labels are taken as they are: no subscripts, no markup */
  fprintf(out, "set termoption noenhanced\nset output '%s.%s'.suffix\n", p->name, png ? "png" : "svg");
  fputs("set border 3 lc rgb '#555555'\nset tics nomirror out scale 0.6\n", out);
}

void vlb_plot_text(const char *text, FILE *out) {
  for (; *text; text++) fputs(*text == '\'' ? "''" : (char[]){*text, 0}, out);
}

void vlb_plot_heading(const vlb_evidence *e, const char *what, const char *more, FILE *out) {
  char scale[96];
  fputs("set label 1 '", out);
  vlb_plot_text(e->ablation->title, out);
  vlb_plot_text(what, out);
  fputs("' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'\nset label 2 '", out);
  vlb_plot_text(vlb_scale_text(e->ablation, scale, sizeof scale), out);
  fputs(vlb_preset_text(e->ablation), out);
  vlb_plot_text(more, out);
  fputs("' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'\n", out);
}

/* Pictures are drawn under a temporary suffix and then published, so that a killed run leaves no half picture. */
static vlb_code run_gnuplot(const char *folder, const char *name, const char *suffix, vlb_error *err) {
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

static vlb_code write_data(const vlb_plot *p, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s.dat", p->folder, p->name));
  VLB_TRY(vlb_writer_open(&w, path, err));
  p->data(p->self, w.out);
  return vlb_writer_commit(&w, err);
}

static vlb_code write_script(const vlb_plot *p, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s.gp", p->folder, p->name));
  VLB_TRY(vlb_writer_open(&w, path, err));
  fprintf(w.out, "# gnuplot %s.gp   draws %s.svg and %s.png from %s.dat\nif (!exists('suffix')) suffix = ''\n", p->name, p->name, p->name, p->name);
  for (int png = 0; png < 2; png++) {
    terminal(p, png, w.out);
    p->script(p->self, w.out);
  }
  fputs("unset output\n", w.out);
  return vlb_writer_commit(&w, err);
}

vlb_code vlb_plot_draw(const vlb_plot *p, vlb_error *err) {
  char suffix[64];
  snprintf(suffix, sizeof suffix, ".tmp.%ld", (long)getpid());
  VLB_TRY(write_data(p, err));
  VLB_TRY(write_script(p, err));
  if (system("command -v gnuplot >/dev/null 2>&1") != 0)
    return vlb_fail(err, VLB_INCOMPLETE, "gnuplot is not installed (Debian: gnuplot-nox): no plots, tables are complete");
  VLB_TRY(run_gnuplot(p->folder, p->name, suffix, err));
  VLB_TRY(publish(p->folder, p->name, "svg", suffix, err));
  return publish(p->folder, p->name, "png", suffix, err);
}

static const char *const titles[][2] = {{"success", "Success per arm"},         {"forest", "Differences between arms"},
                                        {"curve", "Success against the setting"}, {"pareto", "Success against cost"}, {"tasks", "Success per task"},
                                        {"loss", "Training loss"},             {"time", "Time of an episode"},
                                        {"queue", "Actions in the queue"},     {"sweep", "Waiting, age and load"}};

const char *vlb_plot_title(const char *name) {
  for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
    if (!strcmp(titles[i][0], name)) return titles[i][1];
  return name;
}

vlb_code vlb_plots(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, const char *drawn[VLB_MAX_PLOTS], vlb_error *err) {
  bool made[6] = {false};
  int n = 0;
  vlb_code code = vlb_plot_success(e, folder, &made[0], err);
  if (!code) code = vlb_plot_forest(e, folder, &made[1], err);
  if (!code) code = vlb_plot_curve(e, plan, root, folder, &made[2], err);
  if (!code) code = vlb_plot_pareto(e, plan, root, folder, &made[3], err);
  if (!code) code = vlb_plot_tasks(e, folder, &made[4], err);
  if (!code) code = vlb_plot_loss(e, plan, root, folder, &made[5], err);
  for (int i = 0; i < 6; i++)
    if (made[i]) drawn[n++] = titles[i][0];
  drawn[n] = NULL;
  return code;
}
