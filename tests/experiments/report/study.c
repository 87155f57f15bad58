#include "study.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/file.h"
#include "core/base/rng.h"
#include "experiments/store/episodes_csv.h"
#include "experiments/store/store.h"
#include "sim/rollout/suites.h"

#define MICRO                                                                                                                                   \
  "scale = \"micro\"\nnote = \"Nothing here is a result.\"\n[model]\nfreeze = \"nothing\"\ntext_layers = 32\ntext_hidden = 32\ntext_mlp = 64\n" \
  "text_heads = 2\ntext_kv_heads = 1\nhead_dim = 16\nvision_layers = 1\nvision_hidden = 32\nvision_mlp = 64\nvision_heads = 2\nchunk_size = 10\n" \
  "n_action_steps = 5\nmax_state_dim = 8\nmax_action_dim = 8\ntokenizer_max_length = 20\n[preset.quick.eval]\nepisodes_per_task = 5\n"

#define ARM(name, label, row, key) "[[arm]]\nname = \"" name "\"\nlabel = \"" label "\"\npaper_row = \"" row "\"\n" key "\n"
#define CONTRAST(a, b) "[[contrast]]\na = \"" a "\"\nb = \"" b "\"\n"

const char study_attention[] =
    "title = \"How the action expert attends to the VLM\"\npaper_table = \"table6_attention\"\npaper_column = \"Spatial\"\nfloor = \"interleaved\"\n"
    MICRO ARM("cross", "Cross-attention", "CA", "model.attention = \"cross\"") ARM("self", "Self-attention", "SA", "model.attention = \"self\"")
    ARM("interleaved", "Interleaved", "CA+SA interleaved (ours)", "model.attention = \"interleaved\"") CONTRAST("interleaved", "cross")
    CONTRAST("interleaved", "self") CONTRAST("cross", "self");

const char study_layers[] =
    "title = \"How many layers of the VLM are kept\"\npaper_table = \"table8_vlm_layers\"\npaper_column = \"Avg\"\n" MICRO
    "[demos]\nsuite = \"libero\"\n[eval]\nsuite = \"libero\"\nepisodes_per_task = 10\n[train]\nseeds = 3\n"
    ARM("n8", "8 layers", "8", "model.num_vlm_layers = 8") ARM("n16", "16 layers", "16", "model.num_vlm_layers = 16")
    ARM("n24", "24 layers", "24", "model.num_vlm_layers = 24") ARM("n32", "32 layers", "32", "model.num_vlm_layers = 32") CONTRAST("n32", "n8")
    CONTRAST("n16", "n32") CONTRAST("n16", "n8") CONTRAST("n24", "n16");

#define SAWYER "\nmodel.cameras = 1\nmodel.action_dim = 4"

const char study_groups[] =
    "title = \"Groups of tasks\"\n" MICRO "[demos]\nsuite = \"metaworld_style\"\n[eval]\nsuite = \"metaworld_style\"\nepisodes_per_task = 10\n"
    ARM("short", "8 layers", "", "model.num_vlm_layers = 8" SAWYER) ARM("long", "32 layers", "", "model.num_vlm_layers = 32" SAWYER)
    CONTRAST("long", "short");

study study_open(const char *name, const char *text, vlb_preset preset) {
  study s = {0};
  vlb_error err = {VLB_OK, ""};
  char path[256];
  snprintf(path, sizeof path, "%s.toml", name);
  if (vlb_file_write(path, text, strlen(text), &err) || vlb_ablation_read(path, preset, &s.ablation, &err) || vlb_plan_make(s.ablation, &s.plan, &err))
    fail_msg("%s", err.message);
  return s;
}

void study_close(study *s) {
  vlb_plan_free(&s->plan);
  free(s->ablation);
}

/* A cell being filled. */
typedef struct {
  vlb_log *log;
  vlb_store_cell open;
} filling;

static filling begin(const char *root, const vlb_cell *cell) {
  filling f = {.log = vlb_log_open(stderr, true)};
  vlb_context ctx = {.log = f.log, .threads = 1};
  vlb_error err = {VLB_OK, ""};
  bool done;
  if (vlb_store_begin(&f.open, root, cell->name, cell->text, &ctx, &done, &err)) fail_msg("%s", err.message);
  assert_false(done);
  return f;
}

static void finish(filling *f, const vlb_cell *cell, const char *isa) {
  vlb_class class = {.mujoco = "0"};
  vlb_error err = {VLB_OK, ""};
  snprintf(class.isa, sizeof class.isa, "%s", isa);
  vlb_store_facts facts = {.name = cell->name, .hash = cell->hash, .kind = vlb_cell_kind_name(cell->kind), .class = &class, .work = 1, .threads = 1};
  if (vlb_store_finish(&f->open, &facts, &err)) fail_msg("%s", err.message);
  vlb_log_close(f->log);
}

void study_store(const char *root, const vlb_cell *cell, const vlb_episode_result *rows, int n, const char *isa) {
  vlb_error err = {VLB_OK, ""};
  vlb_suite *suite;
  char csv[1200];
  filling f = begin(root, cell);
  assert_int_equal(vlb_suite_open(cell->settings.eval.suite.s, &suite, &err), VLB_OK);
  snprintf(csv, sizeof csv, "%s/episodes.csv", f.open.folder);
  assert_int_equal(vlb_episodes_csv_write(csv, suite, cell->settings.eval.seed, rows, n, &err), VLB_OK);
  vlb_suite_free(suite);
  finish(&f, cell, isa);
}

void study_store_training(const char *root, const vlb_cell *cell, double last_loss) {
  char path[1200], text[64 * 1024];
  int n = snprintf(text, sizeof text, "step,loss\n");
  vlb_error err = {VLB_OK, ""};
  filling f = begin(root, cell);
  for (int i = 0; i < 400; i++) {
    double step = (double)(i + 1) * (double)cell->settings.train.steps / 400;
    n += snprintf(text + n, sizeof text - (size_t)n, "%.0f,%.6f\n", step, last_loss + exp(-i / 60.0) + 0.02 * sin(i * last_loss * 50));
  }
  snprintf(path, sizeof path, "%s/loss.csv", f.open.folder);
  assert_int_equal(vlb_file_write(path, text, (size_t)n, &err), VLB_OK);
  finish(&f, cell, "x");
}

static void simulate_cell(const char *root, const vlb_cell *cell, int tasks, double rate, uint32_t arm, uint32_t part, uint32_t suite) {
  int each = (int)cell->settings.eval.episodes_per_task, n = tasks * each;
  vlb_episode_result *rows = calloc((size_t)n, sizeof *rows);
  for (int i = 0; i < n; i++) {
    vlb_rng common = vlb_rng_make(1, VLB_RNG_TEST, suite, (uint32_t)i), own = vlb_rng_make(2, VLB_RNG_TEST, arm * 64 + part, (uint32_t)i);
    double task_rate = fmin(1, fmax(0, rate + 0.25 * sin((double)(i / each) * 1.7 + suite)));
    double luck = vlb_rng_uniform(&own) < 0.5 ? vlb_rng_uniform(&common) : vlb_rng_uniform(&own);
    bool success = luck < task_rate;
    rows[i] = (vlb_episode_result){.task = i / each, .episode = i % each, .outcome = success ? VLB_EPISODE_SUCCESS : VLB_EPISODE_TIMEOUT,
                                   .score = success, .steps = success ? 60 + i % 90 : 280, .replans = 10, .state_hash = "0123456789abcdef"};
  }
  study_store(root, cell, rows, n, "x");
  free(rows);
}

static bool stored(const char *root, const vlb_cell *cell) { return vlb_store_state(root, cell->name, false, NULL) == VLB_STORED_DONE; }

void study_simulate(const study *s, const char *root, double (*rate)(int arm, int suite, int seed)) {
  vlb_columns columns;
  vlb_error err = {VLB_OK, ""};
  if (vlb_columns_of(s->ablation, &columns, &err)) fail_msg("%s", err.message);
  for (int a = 0; a <= s->ablation->arm_count; a++) {
    const vlb_arm_evals *evals = a < s->ablation->arm_count ? &s->plan.arms[a] : &s->plan.floor;
    for (int k = 0; k < evals->count; k++) {
      const vlb_arm_eval *eval = &evals->eval[k];
      const vlb_cell *cell = &s->plan.cells[eval->cell], *train = &s->plan.cells[cell->parents[0]];
      double chance = rate(a < s->ablation->arm_count ? a : -1, eval->suite, eval->seed);
      if (isnan(chance)) continue;
      if (!stored(root, train)) study_store_training(root, train, 0.1 + 0.02 * a);
      if (!stored(root, cell))
        simulate_cell(root, cell, vlb_columns_suite(&columns, eval->name)->tasks, chance, (uint32_t)(a + 1), (uint32_t)k, (uint32_t)eval->suite);
    }
  }
}

vlb_evidence *study_gather(const study *s, const char *root) {
  vlb_error err = {VLB_OK, ""};
  vlb_evidence *e = malloc(sizeof *e);
  if (vlb_evidence_gather(s->ablation, &s->plan, root, VLB_WILSON, e, &err)) fail_msg("%s", err.message);
  return e;
}

void study_drop(vlb_evidence *e) {
  vlb_evidence_free(e);
  free(e);
}
