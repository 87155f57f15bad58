/* The claims: the paper's own numbers judged as by hand, ours from synthetic stores, verdicts that follow the rule. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "experiments/report/claims_table.h"
#include "study.h"

static vlb_claims claims;

static void open_claims(void) {
  vlb_error err = {VLB_OK, ""};
  if (vlb_claims_open(&claims, &err)) fail_msg("%s", err.message);
}

static void add(const vlb_evidence *e, const study *s) {
  vlb_error err = {VLB_OK, ""};
  if (vlb_claims_add(&claims, e, &s->plan, "store", &err)) fail_msg("%s", err.message);
}

static const vlb_claim *find(const char *id) {
  for (int i = 0; i < claims.count; i++)
    if (!strcmp(claims.claim[i].id, id)) return &claims.claim[i];
  fail_msg("no claim %s", id);
  return NULL;
}

static void near(double value, double want, double tolerance) {
  if (!(fabs(value - want) <= tolerance)) fail_msg("%.6f, expected %.6f", value, want);
}

/* Table 6: 342 and 316 of 400 (85.5 and 79.0 %): Boschloo's p is that of tests/experiments/stats; three claims of the table, so Holm doubles the second
 * smallest p. Table 5: partial credit, so only the difference is known. Figure 5b: Welch by scipy's ttest_ind_from_stats. */
static void papers_own_numbers(void **state) {
  (void)state;
  open_claims();
  vlb_claims_judge(&claims);
  const vlb_claim *c = find("interleaved-beats-cross");
  near(c->paper.effect.estimate, 6.5, 1e-9);
  near(c->paper.p, 0.0177905780, 5e-8);
  near(c->paper.p_holm, 2 * c->paper.p, 1e-12);
  assert_int_equal(c->paper.verdict, VLB_CLAIM_REPRODUCED);
  assert_string_equal(vlb_claim_verdict_name(c, &c->paper), "supported");
  assert_string_equal(vlb_claim_verdict_name(c, &c->ours), "not run");
  assert_int_equal(find("state-prefix-better-self")->paper.verdict, VLB_CLAIM_CONTRADICTED);
  assert_int_equal(find("more-layers-better")->paper.verdict, VLB_CLAIM_NOT_SEPARABLE);
  assert_int_equal(find("ten-steps-suffice")->paper.verdict, VLB_CLAIM_REPRODUCED);
  c = find("pretraining-helps");
  assert_int_equal(c->paper.verdict, VLB_CLAIM_UNKNOWN);
  near(c->paper.effect.estimate, 78.3 - 51.7, 1e-9);
  c = find("async-faster");
  near(c->paper.p, 0.003662320990442857, 1e-9);
  assert_int_equal(c->paper.verdict, VLB_CLAIM_REPRODUCED);
  assert_string_equal(c->unit, "s");
  /* Meta-World's average is the mean of unequal groups: 68.24 - 57.3 */
  near(find("metaworld-size-large")->paper.effect.estimate, 68.24 - 57.325, 0.1);
}

static double attention_rate(int arm, int suite, int seed) {
  static const double rates[] = {0.3, 0.8, 0.85, 0.7};
  (void)suite, (void)seed;
  return arm < 0 ? 0 : rates[arm];
}

static double only_two(int arm, int suite, int seed) { return arm == 1 || arm == 2 ? attention_rate(arm, suite, seed) : NAN; }

/* cross is far below both others: one claim reproduced, one contradicted, one open; the contrasts of the file's own report agree */
static void ours(void **state) {
  (void)state;
  study s = study_open("attention", study_attention, VLB_PRESET_QUICK);
  assert_int_equal(system("rm -rf store"), 0);
  study_simulate(&s, "store", attention_rate);
  vlb_evidence *e = study_gather(&s, "store");
  open_claims();
  add(e, &s);
  vlb_claims_judge(&claims);
  assert_int_equal(find("interleaved-beats-cross")->ours.verdict, VLB_CLAIM_REPRODUCED);
  assert_int_equal(find("interleaved-beats-self")->ours.verdict, VLB_CLAIM_NOT_SEPARABLE);
  assert_int_equal(find("cross-beats-self")->ours.verdict, VLB_CLAIM_CONTRADICTED);
  assert_int_equal(find("flow-beats-l1")->ours.verdict, VLB_CLAIM_NOT_RUN);
  for (int i = 0; i < 3; i++) {
    static const char *const ids[] = {"interleaved-beats-cross", "interleaved-beats-self", "cross-beats-self"};
    near(find(ids[i])->ours.p, e->contrasts[i].p, 1e-12);
    near(find(ids[i])->ours.p_holm, e->contrasts[i].p_holm, 1e-12);
    near(find(ids[i])->ours.effect.estimate, 100 * e->contrasts[i].difference.estimate, 1e-9);
    assert_string_equal(find(ids[i])->ours.from, "attention-quick");
  }
  study_drop(e);
  study_close(&s);
}

/* what there is of a table is judged; what is missing is "not run" */
static void whatever_exists(void **state) {
  (void)state;
  study s = study_open("attention", study_attention, VLB_PRESET_QUICK);
  assert_int_equal(system("rm -rf store"), 0);
  study_simulate(&s, "store", only_two);
  vlb_evidence *e = study_gather(&s, "store");
  open_claims();
  add(e, &s);
  vlb_claims_judge(&claims);
  assert_int_equal(find("interleaved-beats-cross")->ours.verdict, VLB_CLAIM_NOT_RUN);
  assert_int_equal(find("interleaved-beats-self")->ours.verdict, VLB_CLAIM_NOT_SEPARABLE);
  study_drop(e);
  study_close(&s);
}

static double only_16_and_32(int arm, int suite, int seed) { return arm == 1 || arm == 3 ? attention_rate(arm, suite, seed) : NAN; }

/* a quick result is not put in the place of a full one, and a full one takes the place of a quick one */
static void full_before_quick(void **state) {
  (void)state;
  study quick = study_open("layers", study_layers, VLB_PRESET_QUICK), full = study_open("layers", study_layers, VLB_PRESET_DEFAULT);
  assert_int_equal(system("rm -rf store"), 0);
  study_simulate(&quick, "store", only_16_and_32);
  study_simulate(&full, "store", only_16_and_32);
  vlb_evidence *q = study_gather(&quick, "store"), *f = study_gather(&full, "store");
  for (int order = 0; order < 2; order++) {
    open_claims();
    add(order ? q : f, order ? &quick : &full);
    add(order ? f : q, order ? &full : &quick);
    assert_string_equal(find("half-the-layers-suffice")->ours.from, "layers");
  }
  study_drop(q);
  study_drop(f);
  study_close(&quick);
  study_close(&full);
}

static void every_way_to_write(void **state) {
  (void)state;
  void (*const writers[])(const vlb_claims *c, FILE *out) = {vlb_claims_markdown, vlb_claims_latex, vlb_claims_html, vlb_claims_csv};
  open_claims();
  vlb_claims_judge(&claims);
  for (int i = 0; i < 4; i++) {
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    writers[i](&claims, out);
    fclose(out);
    assert_non_null(strstr(text, "Flow matching beats regression"));
    assert_non_null(strstr(text, "cannot be told"));
    free(text);
  }
  json_t *list = vlb_claims_json(&claims);
  assert_int_equal(json_array_size(list), claims.count);
  json_decref(list);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(papers_own_numbers), cmocka_unit_test(ours), cmocka_unit_test(whatever_exists),
                                     cmocka_unit_test(full_before_quick), cmocka_unit_test(every_way_to_write)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
