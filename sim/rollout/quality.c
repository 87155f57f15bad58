#include "sim/rollout/quality.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

static int ascending(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

vlb_code vlb_quality_measure(const vlb_episode *episodes, int n, int tried, vlb_quality *out, vlb_error *err) {
  int *lengths = malloc((size_t)n * sizeof *lengths);
  if (!lengths) return vlb_fail(err, VLB_FAILED, "no memory for %d lengths", n);
  for (int i = 0; i < n; i++) lengths[i] = episodes[i].frames;
  qsort(lengths, (size_t)n, sizeof *lengths, ascending);
  *out = (vlb_quality){tried, n, lengths[0], lengths[(n - 1) / 2], lengths[n - 1]};
  free(lengths);
  return VLB_OK;
}

vlb_code vlb_quality_write(const char *folder, const vlb_suite *suite, const vlb_quality *rows, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/quality.csv", folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  fputs("task,tried,succeeded,length_min,length_median,length_max\n", w.out);
  for (int t = 0; t < suite->task_count; t++)
    if (rows[t].tried)
      fprintf(w.out, "%s,%d,%d,%d,%d,%d\n", suite->tasks[t].name, rows[t].tried, rows[t].succeeded, rows[t].length_min,
              rows[t].length_median, rows[t].length_max);
  return vlb_writer_commit(&w, err);
}

static void read_row(const char *line, const vlb_suite *suite, vlb_quality *rows) {
  const char *comma = strchr(line, ',');
  vlb_quality q;
  if (!comma || sscanf(comma, ",%d,%d,%d,%d,%d", &q.tried, &q.succeeded, &q.length_min, &q.length_median, &q.length_max) != 5) return;
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
