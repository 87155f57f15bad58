/* Whole reports from synthetic stores: every file, the same bytes again, and nothing hidden by what is missing. */
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
#include "experiments/report/results.h"
#include "study.h"

static double attention_rate(int arm, int suite, int seed) {
  static const double rates[] = {0.85, 0.6, 0.88};
  (void)suite, (void)seed;
  return arm < 0 ? 0 : rates[arm];
}

static double layers_rate(int arm, int suite, int seed) {
  static const double rates[] = {0.55, 0.66, 0.71, 0.74};
  return rates[arm] - 0.1 * suite + 0.05 * (seed - 1);
}

static vlb_code report(const study *s, const char *root) {
  vlb_error err = {VLB_OK, ""};
  vlb_log *log = vlb_log_open(stderr, true);
  vlb_context ctx = {.log = log, .threads = 1};
  vlb_code code = vlb_report(s->ablation, &s->plan, root, &(vlb_report_options){.silent = true}, &ctx, &err);
  if (code && code != VLB_INCOMPLETE) fail_msg("%s", err.message);
  vlb_log_close(log);
  return code;
}

static void run(const char *command) {
  if (system(command) != 0) fail_msg("%s", command);
}

static void needs_gnuplot(void) {
  if (system("command -v gnuplot >/dev/null") != 0) skip();
}

static void same_bytes_again(void **state) {
  (void)state;
  needs_gnuplot();
  study attention = study_open("attention", study_attention, VLB_PRESET_QUICK), layers = study_open("layers", study_layers, VLB_PRESET_DEFAULT);
  run("rm -rf store 'an other'");
  study_simulate(&attention, "store", attention_rate);
  study_simulate(&layers, "store", layers_rate);
  assert_int_equal(report(&attention, "store"), VLB_OK);
  assert_int_equal(report(&layers, "store"), VLB_OK);
  run("for f in table.md table.tex table.csv columns.csv contrasts.csv tasks.csv success.svg success.png forest.svg tasks.png curve.svg loss.svg; do "
      "test -s store/layers/$f || { echo no $f; exit 1; }; done; test ! -e store/attention-quick/curve.svg");
  run("mkdir 'an other' && cp -r store/cells 'an other' && cp -r store first");
  assert_int_equal(report(&attention, "an other"), VLB_OK);
  assert_int_equal(report(&layers, "an other"), VLB_OK);
  assert_int_equal(report(&layers, "store"), VLB_OK);
  run("diff -r store 'an other' && diff -r store first");
  study_close(&attention);
  study_close(&layers);
}

/* the page, the claims, the paper's input and the manifest, of two ablations at once */
static void all_together(void **state) {
  (void)state;
  needs_gnuplot();
  study attention = study_open("attention", study_attention, VLB_PRESET_QUICK);
  run("rm -rf store");
  study_simulate(&attention, "store", attention_rate);
  study_close(&attention);
  static const char *const files[] = {"attention.toml"};
  vlb_error err = {VLB_OK, ""};
  vlb_log *log = vlb_log_open(stderr, true);
  vlb_context ctx = {.log = log, .threads = 1};
  vlb_survey survey = {.files = files, .count = 1, .root = "store"};
  for (int i = 0; i < 2; i++) {
    if (vlb_results(&survey, true, &ctx, &err)) fail_msg("%s", err.message);
    run(i ? "diff -r store once" : "rm -rf once && cp -r store once");
  }
  run("cd store && test -s index.html && test -s claims.md && test -s claims.csv && test -s claims.tex && test -s manifest.json && "
      "grep -q '\\\\input{.resultsdir/attention-quick/table.tex}' results.tex && grep -q 'image/svg+xml' index.html && "
      "grep -q '\"preset\": \"quick\"' manifest.json");
  survey.root = "elsewhere";
  assert_int_equal(vlb_results(&survey, true, &ctx, &err), VLB_INCOMPLETE);
  assert_non_null(strstr(err.message, "no ablation has a result there"));
  run("mkdir -p elsewhere/cells/eval-000000000000");
  assert_int_equal(vlb_results(&survey, true, &ctx, &err), VLB_INCOMPLETE);
  assert_non_null(strstr(err.message, "none of the 1 cells there belongs to these ablations"));
  vlb_log_close(log);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(same_bytes_again), cmocka_unit_test(all_together)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
