#include "experiments/report/notes.h"

#include <stdarg.h>
#include <string.h>

const char *vlb_scale_text(const vlb_ablation *a, char *buf, size_t size) {
  char freeze[32];
  vlb_field_text(vlb_field_named(vlb_model_fields, "freeze"), &a->arms[0].settings.model, freeze, sizeof freeze);
  snprintf(buf, size, "%.40s scale, freezing = %s", a->scale[0] ? a->scale : "unnamed", freeze);
  return buf;
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
    say(s, "Demonstrations or training settings differ between arms (cell.toml of each); training variance is not estimated.");
    return;
  }
  char seeds[160];
  if (first->train.seeds > 1)
    snprintf(seeds, sizeof seeds, "%lld training seeds (from %lld); episodes of all of them are counted together", (long long)first->train.seeds,
             (long long)first->train.seed);
  else
    snprintf(seeds, sizeof seeds, "one training seed (%lld): training variance is not estimated", (long long)first->train.seed);
  say(s, "Trained on %lld scripted demonstrations per task, %lld steps of %lld samples, %s.", (long long)first->demos.per_task,
      (long long)first->train.steps, (long long)first->train.batch_size, seeds);
}

static void say_methods(const sink *s, const vlb_evidence *e) {
  bool several = false;
  for (int i = 0; i < e->ablation->arm_count; i++) several |= e->arms[i].suites > 1;
  say(s, "Success: mean over %s with equal weights; interval: 95 %% Wilson%s. A simulator or policy error is not a success.",
      several ? "suites" : "tasks", several ? " of the pooled episodes" : "");
  if (e->ablation->contrast_count)
    say(s, "Contrasts were declared before the run. p: exact McNemar test on shared episodes, two-sided; Holm-adjusted over the %d contrasts; "
           "intervals of differences: Tango's, 95 %%, not adjusted. Separable: adjusted p < 0.05.",
        e->ablation->contrast_count);
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
  say(&s, "Scale: %s%s.%s%s", vlb_scale_text(a, scale, sizeof scale), a->quick ? ", quick preset" : "", a->note[0] ? " " : "", a->note);
  say_design(&s, e);
  say_methods(&s, e);
  if (a->paper_table[0])
    say(&s, "Paper: %s, column %s (arXiv 2506.01844; known from: %s). Published scale, frozen pretrained VLM, another simulator: compare the "
            "order of the rows, not their height.",
        e->paper_title, a->paper_column, e->paper_confidence);
  say_troubles(&s, e);
}
