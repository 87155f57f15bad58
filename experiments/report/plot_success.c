#include <math.h>

#include "core/base/file.h"
#include "experiments/report/notes.h"
#include "experiments/report/plot.h"

/* a column of text; a quote would end it */
static void label(const char *text, FILE *out) {
  fputc('"', out);
  for (; *text; text++)
    if (*text != '"') fputc(*text, out);
  fputc('"', out);
}


static int arms_drawn(const vlb_evidence *e) { return e->ablation->arm_count + (e->has_floor && e->floor.known); }

static vlb_code write_arms(const vlb_evidence *e, const char *folder, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/success.dat", folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  fputs("# x label percent lo95 hi95 paper k n; nan: no data\n", w.out);
  for (int i = 0; i < arms_drawn(e); i++) {
    const vlb_arm_evidence *arm = i < e->ablation->arm_count ? &e->arms[i] : &e->floor;
    fprintf(w.out, "%d ", i + 1);
    label(arm->label, w.out);
    if (arm->known)
      fprintf(w.out, " %.3f %.3f %.3f", vlb_rate_percent(arm), 100 * arm->interval.lo, 100 * arm->interval.hi);
    else
      fputs(" nan nan nan", w.out);
    if (isnan(arm->paper))
      fputs(" nan", w.out);
    else
      fprintf(w.out, " %g", arm->paper);
    fprintf(w.out, " %d %d\n", arm->successes, arm->n);
  }
  return vlb_writer_commit(&w, err);
}

/* A dot per task; dots of equal height lie side by side. */
static vlb_code write_tasks(const vlb_evidence *e, const char *folder, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/tasks.dat", folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  fputs("# x percent, one row per task\n", w.out);
  for (int i = 0; i < arms_drawn(e); i++) {
    const vlb_arm_evidence *arm = i < e->ablation->arm_count ? &e->arms[i] : &e->floor;
    if (!arm->known) continue;
    int at[101] = {0};
    for (int t = 0; t < arm->tasks; t++) {
      int n, k = vlb_task_successes(arm, t, &n);
      double percent = n ? 100.0 * k / n : 0;
      int *same = &at[(int)(percent + 0.5)];
      fprintf(w.out, "%.3f %.3f\n", i + 1 - 0.16 - 0.035 * (*same)++, percent);
    }
    fputs("\n", w.out);
  }
  if (!arms_drawn(e)) fputs("nan nan\n", w.out);
  return vlb_writer_commit(&w, err);
}

static const char body[] =
    "set style line 1 lc rgb '#1b6ca8' lw 3 pt 7 ps 1.5\n"
    "set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 1.6\n"
    "set style line 3 lc rgb '#9db4c0' pt 7 ps 0.55\n"
    "set border 3 lc rgb '#555555'\n"
    "set tics nomirror out scale 0.6\n"
    "set ytics 20 format '%g %%'\n"
    "set grid ytics lc rgb '#e4e4e4' lt 1\n"
    "set yrange [-3:112]\n"
    "set ylabel 'episodes that succeed' offset 0.5,0\n"
    "set key outside bottom center horizontal Left reverse samplen 1.2\n"
    "set bmargin 6.5\n"
    "set tmargin 4.5\n"
    "set bars 1.2\n";

static void write_body(const vlb_evidence *e, FILE *out) {
  char scale[96];
  fprintf(out, "set label 1 '");
  vlb_plot_text(e->ablation->title, out);
  fprintf(out, "' at graph 0, screen 0.95 left font ',15'\nset label 2 '%s%s; 95 %% Wilson intervals",
          vlb_scale_text(e->ablation, scale, sizeof scale), e->ablation->quick ? ", quick preset" : "");
  fprintf(out, "%s' at graph 0, screen 0.89 left tc rgb '#555555'\n", e->ablation->paper_table[0] ? "; paper: published scale" : "");
  fputs(body, out);
  fprintf(out, "set xrange [0.5:%d.5]\n", arms_drawn(e));
  fputs("plot 'tasks.dat' using 1:2 with points ls 3 title 'one task', \\\n"
        "  'success.dat' using 1:3:4:5:xtic(sprintf(\"%s\\n%d/%d\", strcol(2), $7, $8)) with yerrorbars ls 1 title 'this program', \\\n"
        "  '' using 1:($5+4):(sprintf('%.1f %%', $3)) with labels tc rgb '#1b6ca8' notitle",
        out);
  if (e->ablation->paper_table[0]) {
    fputs(", \\\n  '' using ($1+0.16):6 with points ls 2 title '", out);
    fprintf(out, "paper, %s'", e->ablation->paper_column);
  }
  fputc('\n', out);
}

static vlb_code write_script(const vlb_evidence *e, const char *folder, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/success.gp", folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  vlb_plot_begin("success", "success.dat and tasks.dat", w.out);
  for (int png = 0; png < 2; png++) {
    vlb_plot_terminal("success", png, 360 + 150 * arms_drawn(e), 520, w.out);
    write_body(e, w.out);
  }
  fputs("unset output\n", w.out);
  return vlb_writer_commit(&w, err);
}

vlb_code vlb_plot_success(const vlb_evidence *e, const char *folder, vlb_error *err) {
  VLB_TRY(write_arms(e, folder, err));
  VLB_TRY(write_tasks(e, folder, err));
  VLB_TRY(write_script(e, folder, err));
  return vlb_gnuplot(folder, "success", err);
}
