#include "sim/rollout/quality.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

static int ascending(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void write_lengths(const int *sorted, int n, FILE *out) {
  fprintf(out, "%d,%d,%d,%d", n, sorted[0], sorted[(n - 1) / 2], sorted[n - 1]);
}

/* sign +1: the highest; -1: the lowest. */
static void write_extremes(const vlb_episode *episodes, int n, int sign, FILE *out) {
  int dim = episodes[0].embodiment->action_dim;
  for (int a = 0; a < dim; a++) {
    double most = sign * episodes[0].actions[a];
    for (int i = 0; i < n; i++)
      for (int k = 0; k < episodes[i].frames; k++) most = fmax(most, sign * episodes[i].actions[k * dim + a]);
    fprintf(out, "%c%.2f", a ? ' ' : ',', sign * most + 0.0);
  }
}

/* Share of ten equal parts of the coordinate's range that hold a start; negative: all starts agree. */
static double coverage(const double *starts, int n, int width, int coordinate) {
  enum { PARTS = 10 };
  static const double differs = 0.002;
  double low = starts[coordinate], high = low;
  int taken[PARTS] = {0}, count = 0;
  for (int i = 1; i < n; i++) {
    low = fmin(low, starts[i * width + coordinate]);
    high = fmax(high, starts[i * width + coordinate]);
  }
  if (high - low < differs) return -1;
  for (int i = 0; i < n; i++) {
    int part = (int)(PARTS * (starts[i * width + coordinate] - low) / (high - low));
    taken[part < PARTS ? part : PARTS - 1] = 1;
  }
  for (int p = 0; p < PARTS; p++) count += taken[p];
  return (double)count / PARTS;
}

static void write_starts(const double *starts, int n, int width, FILE *out) {
  int numbers = 0;
  double sum = 0;
  for (int c = 0; c < width; c++) {
    double share = coverage(starts, n, width, c);
    if (share < 0) continue;
    numbers++;
    sum += share;
  }
  fprintf(out, ",%d,%.2f", numbers, numbers ? sum / numbers : 0.0);
}

vlb_code vlb_quality_measure(const vlb_episode *episodes, int n, const double *starts, int width, int tried, vlb_quality *out, vlb_error *err) {
  int *lengths = malloc((size_t)n * sizeof *lengths);
  *out = (vlb_quality){.tried = tried};
  FILE *text = lengths ? fmemopen(out->text, sizeof out->text, "w") : NULL;
  if (!text) {
    free(lengths);
    return vlb_fail(err, VLB_FAILED, "no memory for %d lengths", n);
  }
  for (int i = 0; i < n; i++) lengths[i] = episodes[i].frames;
  qsort(lengths, (size_t)n, sizeof *lengths, ascending);
  write_lengths(lengths, n, text);
  write_extremes(episodes, n, -1, text);
  write_extremes(episodes, n, 1, text);
  write_starts(starts, n, width, text);
  fclose(text);
  free(lengths);
  return VLB_OK;
}

vlb_code vlb_quality_write(const char *folder, const vlb_suite *suite, const vlb_quality *rows, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/quality.csv", folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  fputs("task,tried,succeeded,length_min,length_median,length_max,action_low,action_high,start_numbers,start_coverage\n", w.out);
  for (int t = 0; t < suite->task_count; t++)
    if (rows[t].tried) fprintf(w.out, "%s,%d,%s\n", suite->tasks[t].name, rows[t].tried, rows[t].text);
  return vlb_writer_commit(&w, err);
}

static void read_row(const char *line, const vlb_suite *suite, vlb_quality *rows) {
  const char *comma = strchr(line, ',');
  vlb_quality q;
  if (!comma || sscanf(comma, ",%d,%639[^\n]", &q.tried, q.text) != 2) return;
  size_t n = (size_t)(comma - line);
  for (int t = 0; t < suite->task_count; t++)
    if (strlen(suite->tasks[t].name) == n && !strncmp(suite->tasks[t].name, line, n)) rows[t] = q;
}

vlb_code vlb_quality_read(const char *folder, const vlb_suite *suite, vlb_quality *rows, vlb_error *err) {
  char path[1024], *text, *rest = NULL;
  size_t size;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/quality.csv", folder));
  if (!vlb_file_exists(path)) return VLB_OK;
  VLB_TRY(vlb_file_read(path, &text, &size, err));
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) read_row(line, suite, rows);
  free(text);
  return VLB_OK;
}
