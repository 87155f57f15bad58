#include "experiments/store/episodes_csv.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

static const char header[] = "task,name,episode,seed,outcome,score,steps,replans,state_hash\n";

vlb_code vlb_episodes_csv_write(const char *path, const vlb_suite *suite, int64_t seed, const vlb_episode_result *rows, int n, vlb_error *err) {
  vlb_writer w;
  VLB_TRY(vlb_writer_open(&w, path, err));
  fputs(header, w.out);
  for (int i = 0; i < n; i++)
    fprintf(w.out, "%d,%s,%d,%lld,%s,%g,%d,%d,%s\n", rows[i].task, suite->tasks[rows[i].task].name, rows[i].episode, (long long)seed,
            vlb_outcome_name(rows[i].outcome), rows[i].score, rows[i].steps, rows[i].replans, rows[i].state_hash);
  return vlb_writer_commit(&w, err);
}

static bool parse_outcome(const char *text, vlb_outcome *outcome) {
  for (int o = VLB_EPISODE_SUCCESS; o <= VLB_EPISODE_NOT_RUN; o++)
    if (!strcmp(text, vlb_outcome_name((vlb_outcome)o))) {
      *outcome = (vlb_outcome)o;
      return true;
    }
  return false;
}

static bool parse_row(const char *line, vlb_episode_result *row) {
  char name[128], outcome[32], hash[32];
  long long seed;
  *row = (vlb_episode_result){0};
  int fields = sscanf(line, "%d,%127[^,],%d,%lld,%31[^,],%lf,%d,%d,%31[0-9a-f]", &row->task, name, &row->episode, &seed, outcome,
                      &row->score, &row->steps, &row->replans, hash);
  /* an episode that could not run has no final state */
  if (fields < 8 || !parse_outcome(outcome, &row->outcome)) return false;
  if (fields == 9) snprintf(row->state_hash, sizeof row->state_hash, "%.16s", hash);
  return true;
}

vlb_code vlb_episodes_csv_read(const char *path, vlb_episode_result **rows, int *n, int *tasks, vlb_error *err) {
  char *text;
  size_t size;
  VLB_TRY(vlb_file_read(path, &text, &size, err));
  int lines = 0;
  for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
  *rows = malloc((size_t)(lines + 1) * sizeof **rows);
  *n = *tasks = 0;
  vlb_code code = *rows ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
  if (!code && strncmp(text, header, strlen(header))) code = vlb_fail(err, VLB_FAILED, "%s:1: not a table of episodes", path);
  char *line = text + (code ? 0 : strlen(header));
  while (!code && *line) {
    char *end = strchr(line, '\n');
    if (!end || !parse_row(line, &(*rows)[*n])) {
      code = vlb_fail(err, VLB_FAILED, "%s:%d: not a row of episodes", path, *n + 2);
      break;
    }
    if ((*rows)[*n].task >= *tasks) *tasks = (*rows)[*n].task + 1;
    ++*n;
    line = end + 1;
  }
  free(text);
  if (code) {
    free(*rows);
    *rows = NULL;
  }
  return code;
}
