#include "experiments/report/notes.h"

#include <stdarg.h>
#include <string.h>

const char *vlb_scale_text(const vlb_ablation *a, char *buf, size_t size) {
  char freeze[32];
  vlb_field_text(vlb_field_named(vlb_model_fields, "freeze"), &a->arms[0].settings.model, freeze, sizeof freeze);
  snprintf(buf, size, "%.40s scale, freezing = %s", a->scale[0] ? a->scale : "unnamed", freeze);
  return buf;
}

const char *vlb_preset_text(const vlb_ablation *a) {
  static const char *const texts[] = {[VLB_PRESET_DEFAULT] = "", [VLB_PRESET_QUICK] = ", quick preset", [VLB_PRESET_TEST] = ", test preset"};
  return texts[a->preset];
}

typedef struct {
  void (*line)(void *self, const char *text);
  void *self;
} sink;

__attribute__((format(printf, 2, 3))) static void say(const sink *s, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  s->line(s->self, text);
}

static void say_design(const sink *s, const vlb_evidence *e) {
  const vlb_settings *first = &e->ablation->arms[0].settings;
  const vlb_arm_evidence *known = NULL;
  for (int i = 0; i < e->ablation->arm_count && !known; i++)
    if (e->arms[i].known) known = &e->arms[i];
  if (known)
    say(s, "Suite%s %s, %d tasks x %d episodes per arm%s (seed %lld). All arms share initial states and sampling noise.", known->suites > 1 ? "s" : "",
        first->eval.suite.s, known->tasks, known->n / known->tasks / known->seeds, known->seeds > 1 ? " and training" : "", (long long)first->eval.seed);
  for (int i = 1; i < e->ablation->arm_count; i++) {
    const vlb_settings *other = &e->ablation->arms[i].settings;
    if (!memcmp(&other->train, &first->train, sizeof first->train) && !memcmp(&other->demos, &first->demos, sizeof first->demos)) continue;
    say(s, "Demonstrations or training settings differ between arms (cell.toml of each).");
    return;
  }
  char seeds[160];
  if (first->train.seeds > 1)
    snprintf(seeds, sizeof seeds, "%lld training seeds (from %lld); episodes of all of them are counted together", (long long)first->train.seeds,
             (long long)first->train.seed);
  else
    snprintf(seeds, sizeof seeds, "one training seed (%lld)", (long long)first->train.seed);
  say(s, "Trained on %lld scripted demonstrations per task, %lld steps of %lld samples, %s.", (long long)first->demos.per_task,
      (long long)first->train.steps, (long long)first->train.batch_size, seeds);
}

/* Training seeds are a factor of their own: said where it is estimated, and where it is not. */
static void say_trainings(const sink *s, const vlb_evidence *e) {
  if (!vlb_trainings_estimated(e)) {
    say(s, "Training variance is NOT estimated: that takes %d training seeds or more. Intervals and p values speak about these networks, not about "
           "what another training would give.",
        VLB_LEAST_SEEDS);
    return;
  }
  say(s, "sd of trainings: standard deviation of the networks' success rates, in points. Other intervals and p values speak about these networks; "
         "'over trainings' is Student's interval of the difference over training seeds.");
  for (int i = 0; i < e->ablation->arm_count; i++) {
    const vlb_training *t = &e->arms[i].training;
    if (t->estimated)
      say(s, "Arm '%s', %d trainings: variance components of a success (0 or 1): trainings %.4f, initial states %.4f, rest %.4f; mean over trainings "
             "%.1f %% (%.1f to %.1f).",
          e->arms[i].label, t->seeds, t->between_trainings, t->between_episodes, t->rest, 100 * t->mean.estimate, 100 * t->mean.interval.lo,
          100 * t->mean.interval.hi);
  }
}

static void say_means(const sink *s, const vlb_evidence *e) {
  const vlb_columns *c = &e->columns;
  if (c->count < 2)
    say(s, "Success: mean over tasks with equal weights, with its 95 %% %s interval. A simulator or policy error is not a success.",
        vlb_rate_method_name(e->method));
  else
    say(s, "Avg: mean of the %d %s, each with weight 1/%d; its 95 %% interval is combined from the %s intervals of the %s (MOVER). A simulator or "
           "policy error is not a success.",
        c->count, c->kind, c->count, vlb_rate_method_name(e->method), c->kind);
  if (vlb_unequal_weights(e)) say(s, "over tasks: the same successes with equal weight for every task.");
  if (c->credit) say(s, "score %%: mean score of the %s with partial credit; success is the whole goal. The paper's numbers of such tasks are scores.", c->kind);
}

static void say_methods(const sink *s, const vlb_evidence *e) {
  int independent = 0;
  say_means(s, e);
  for (int i = 0; i < e->ablation->contrast_count; i++) independent += e->contrasts[i].known && !e->contrasts[i].paired;
  if (e->ablation->contrast_count)
    say(s, "Contrasts were declared before the run. p: exact McNemar test on shared episodes%s, two-sided; Holm-adjusted over the %d contrasts; "
           "intervals of differences: Tango's%s, 95 %%, not adjusted. Separable: adjusted p < 0.05.",
        e->columns.count > 1 ? ", stratified" : "", e->ablation->contrast_count, e->columns.count > 1 ? ", combined over the columns (MOVER)" : "");
  if (independent)
    say(s, "%d contrasts are between arms that do not share their episodes: Boschloo's exact test and Newcombe's interval instead.", independent);
  if (e->letters) say(s, "Arms that share a letter in column 'group' are not separable.");
}

static void say_troubles(const sink *s, const vlb_evidence *e) {
  for (int i = 0; i < e->ablation->arm_count; i++) {
    const vlb_arm_evidence *arm = &e->arms[i];
    if (!arm->known) say(s, "INCOMPLETE: arm '%s' has no result (%s).", arm->label, arm->why);
    if (arm->errors) say(s, "Arm '%s': %d of %d episodes ended in a simulator or policy error.", arm->label, arm->errors, arm->n);
  }
  if (e->mixed) say(s, "MIXED: the cells were made under different %s (%s); they are not comparable bit for bit.", e->mixed->name, e->mixed->doc);
}

void vlb_notes(const vlb_evidence *e, void (*line)(void *self, const char *text), void *self) {
  char scale[96];
  const sink s = {line, self};
  const vlb_ablation *a = e->ablation;
  say(&s, "Scale: %s%s.%s%s", vlb_scale_text(a, scale, sizeof scale), vlb_preset_text(a), a->note[0] ? " " : "", a->note);
  say_design(&s, e);
  say_methods(&s, e);
  say_trainings(&s, e);
  if (a->paper_table[0])
    say(&s, "(paper): %s%s%s (arXiv 2506.01844; known from: %s). Published scale, frozen pretrained VLM, another simulator: compare the order of the "
            "rows, not their height.",
        e->paper_title, e->columns.count < 2 ? ", column " : "", e->columns.count < 2 ? a->paper_column : "", e->paper_confidence);
  say_troubles(&s, e);
}
