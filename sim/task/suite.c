/* Suites: which files they consist of. What stands in a file is layout.c's business. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/embed.h"
#include "core/base/fields.h"
#include "core/base/file.h"
#include "sim/task/layout.h"

extern const vlb_embedded vlb_embedded_sim_assets[];

const char *const vlb_suite_names[] = {"spatial", "object", "goal", "long", "so100", "so100_pick", "so100_community", "so101", "so101_ood", NULL};

static const char suites_folder[] = "sim/task/suites/";

/* A file of the suite; text NULL: read it from the disk. */
typedef struct {
  char path[512];
  const char *text;
} source;

typedef struct {
  source suite, tasks[VLB_MAX_TASKS];
  int has_suite, task_count;
} sources;

/* Files come sorted: the order of the tasks is that of their names. */
static vlb_code add_source(sources *all, const char *path, const char *text, vlb_error *err) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  size_t n = strlen(name);
  if (n < 5 || strcmp(name + n - 5, ".toml")) return VLB_OK;
  source *s = &all->suite;
  if (!strcmp(name, "suite.toml"))
    all->has_suite = 1;
  else if (all->task_count == VLB_MAX_TASKS)
    return vlb_fail(err, VLB_USAGE, "%s: more than %d tasks in one suite", path, VLB_MAX_TASKS);
  else
    s = &all->tasks[all->task_count++];
  if ((size_t)snprintf(s->path, sizeof s->path, "%s", path) >= sizeof s->path)
    return vlb_fail(err, VLB_USAGE, "%s: path too long", path);
  s->text = text;
  return VLB_OK;
}

static vlb_code embedded_sources(const char *suite, sources *all, vlb_error *err) {
  char folder[128];
  snprintf(folder, sizeof folder, "%s%s/", suites_folder, suite);
  for (const vlb_embedded *e = vlb_embedded_sim_assets; e->path; e++)
    if (!strncmp(e->path, folder, strlen(folder))) VLB_TRY(add_source(all, e->path, (const char *)e->data, err));
  return VLB_OK;
}

static vlb_code folder_sources(const char *folder, sources *all, vlb_error *err) {
  vlb_file_list list;
  VLB_TRY(vlb_folder_list(folder, ".toml", &list, err));
  vlb_code code = VLB_OK;
  for (int i = 0; i < list.count && !code; i++) code = add_source(all, list.path[i], NULL, err);
  vlb_list_free(&list);
  return code;
}

static vlb_code find_sources(const char *name, sources *all, vlb_error *err) {
  struct stat st;
  int n = 0;
  for (; vlb_suite_names[n]; n++)
    if (!strcmp(name, vlb_suite_names[n])) return embedded_sources(name, all, err);
  if (!stat(name, &st) && S_ISDIR(st.st_mode)) return folder_sources(name, all, err);
  const char *near = vlb_suggest(name, vlb_suite_names, n);
  return vlb_fail(err, VLB_USAGE, "suite \"%s\": neither an embedded suite (%s) nor a folder%s%s%s", name, vlb_suite_names[0],
                  near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* Parses a file and notes its digest. */
static vlb_code open_source(const source *s, FILE *texts, vlb_toml **root, vlb_error *err) {
  char hash[VLB_HASH_SIZE], *read = NULL;
  size_t size = s->text ? strlen(s->text) : 0;
  VLB_TRY(s->text ? vlb_toml_parse(s->text, s->path, root, err) : vlb_toml_read(s->path, root, err));
  if (!s->text) VLB_TRY(vlb_file_read(s->path, &read, &size, err));
  vlb_hash(read ? read : s->text, size, hash);
  free(read);
  const char *slash = strrchr(s->path, '/');
  fprintf(texts, "%s %s\n", slash ? slash + 1 : s->path, hash);
  return VLB_OK;
}

/* Equal names would be equal files. */
static vlb_code check_name(const vlb_toml *toml, const vlb_suite *suite, const vlb_task *task, vlb_error *err) {
  for (int i = 0; i < suite->task_count; i++)
    if (!strcmp(suite->tasks[i].name, task->name)) return vlb_toml_fail(toml, err, "instruction: task %d of this suite has the same", i);
  return VLB_OK;
}

/* A score that nobody counts would look like one that nobody earned. */
static vlb_code check_score(const vlb_toml *toml, const vlb_suite *suite, const vlb_task *task, vlb_error *err) {
  if (!task->score_count || suite->embodiment != &vlb_panda) return VLB_OK;
  return vlb_toml_fail(vlb_toml_get(toml, "score"), err, "score: partial credit is counted for so100 and so101, not for panda");
}

static vlb_code read_tasks(const sources *all, FILE *texts, vlb_suite *suite, vlb_error *err) {
  vlb_layout *common = calloc(1, sizeof *common), *own = calloc(1, sizeof *own);
  vlb_toml *suite_toml = NULL;
  vlb_code code = common && own ? VLB_OK : vlb_fail(err, VLB_FAILED, "no memory for a suite");
  if (!code) strcpy(common->arena, "tabletop");
  if (!code) code = open_source(&all->suite, texts, &suite_toml, err);
  if (!code) code = vlb_layout_read_suite(suite_toml, common, suite, err);
  for (int i = 0; i < all->task_count && !code; i++) {
    vlb_toml *task_toml = NULL;
    *own = *common;
    code = open_source(&all->tasks[i], texts, &task_toml, err);
    if (!code) code = vlb_layout_read_task(task_toml, own, &suite->tasks[i], err);
    if (!code) code = check_name(task_toml, suite, &suite->tasks[i], err);
    if (!code) code = check_score(task_toml, suite, &suite->tasks[i], err);
    vlb_toml_free(task_toml);
    if (!code) suite->task_count++;
  }
  vlb_toml_free(suite_toml);
  free(common);
  free(own);
  return code;
}

static vlb_code load(const char *name, sources *all, vlb_suite *suite, vlb_error *err) {
  VLB_TRY(find_sources(name, all, err));
  if (!all->has_suite) return vlb_fail(err, VLB_USAGE, "%s: no suite.toml in this suite's folder", name);
  if (!all->task_count) return vlb_fail(err, VLB_USAGE, "%s: no task file beside suite.toml", name);
  const char *slash = strrchr(name, '/');
  snprintf(suite->name, sizeof suite->name, "%s", slash && slash[1] ? slash + 1 : name);
  suite->tasks = calloc((size_t)all->task_count, sizeof *suite->tasks);
  size_t size;
  FILE *texts = suite->tasks ? open_memstream(&suite->texts, &size) : NULL;
  if (!texts) return vlb_fail(err, VLB_FAILED, "no memory for a suite");
  vlb_code code = read_tasks(all, texts, suite, err);
  fclose(texts);
  return code;
}

vlb_code vlb_suite_load(const char *name_or_folder, vlb_suite **suite, vlb_error *err) {
  sources *all = calloc(1, sizeof *all);
  vlb_suite *s = calloc(1, sizeof *s);
  vlb_code code = all && s ? load(name_or_folder, all, s, err) : vlb_fail(err, VLB_FAILED, "no memory for a suite");
  free(all);
  if (code)
    vlb_suite_free(s);
  else
    *suite = s;
  return code;
}

void vlb_suite_free(vlb_suite *suite) {
  if (!suite) return;
  free(suite->tasks);
  free(suite->texts);
  free(suite->own);
  free(suite);
}

vlb_code vlb_task_digest(const vlb_suite *suite, char hash[VLB_HASH_SIZE], vlb_error *err) {
  char *text = NULL, scene[VLB_HASH_SIZE];
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) return vlb_fail(err, VLB_FAILED, "no memory for a digest");
  vlb_code code = VLB_OK;
  fputs(suite->texts, out);
  for (int t = 0; t < suite->task_count && !code; t++) {
    const vlb_scene_spec spec = vlb_task_scene(suite, t);
    double workspace[3];
    char *xml;
    code = vlb_scene_compose(&spec, &xml, workspace, err);
    if (code) break;
    vlb_hash(xml, strlen(xml), scene);
    fprintf(out, "scene %d %s\n", t, scene);
    free(xml);
  }
  fclose(out);
  if (!code) vlb_hash(text, size, hash);
  free(text);
  return code;
}
