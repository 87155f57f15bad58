/* Inference with packed weights, folded layers and threads: the same actions as the graph as written, the same bits for any number of threads; bfloat16
 * and int8 stay near. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/tensor/backend.h"
#include "tests/core/model/sample.h"

static size_t chunk(const vlb_model *m) { return (size_t)(m->config.chunk_size * m->config.max_action_dim); }

/* actions of n samples from a policy planned for `room` */
static float *act(const vlb_model *m, const sample_batch *b, int room, const vlb_inference_options *o) {
  vlb_policy *p;
  vlb_error err = {0};
  float *actions = malloc((size_t)b->size * chunk(m) * sizeof *actions);
  assert_non_null(actions);
  if (vlb_policy_create_for(m, room, o, &p, &err)) fail_msg("%s", err.message);
  for (int run = 0; run < 2; run++) /* what is steady within an observation must not survive it */
    if (vlb_policy_run(p, b->size, &b->batch, actions, &err)) fail_msg("%s", err.message);
  vlb_policy_free(p);
  return actions;
}

static const char *const kinds[] = {
    "", "attention=self", "attention=cross", "state=suffix", "attention=self state=suffix action_mask=bidirectional", "objective=l1",
    "attention=cross num_expert_layers=2", "add_image_special_tokens=true empty_cameras=1", "prefix_length=30", "cameras=1 chunk_size=1",
    "text_heads=3 text_kv_heads=1 head_dim=8 vision_heads=1", "text_hidden=80 expert_width=0.9 text_mlp=200 vision_mlp=70"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void test_packed_is_unpacked(void **state) {
  (void)state;
  double worst = 0;
  for (int i = 0; i < KINDS; i++) {
    vlb_model *m = model_of(kinds[i]);
    sample_batch b = batch_of(&m->config, 3, 40, true);
    float *plain = act(m, &b, 3, NULL), *packed = act(m, &b, 3, &(vlb_inference_options){.threads = 1});
    double d = distance(plain, packed, 3 * chunk(m));
    if (!(d <= 2e-5)) fail_msg("%s: actions off by %.3g", kinds[i], d);
    worst = fmax(worst, d);
    free(plain), free(packed);
    batch_free(&b);
    vlb_model_free(m);
  }
  print_message("actions within %.2g of the graph as written\n", worst);
}

static vlb_inference_options options_of(const vlb_model *m, vlb_precision precision, int threads) {
  vlb_inference_options o = {.threads = threads, .precision = precision};
  if (precision == VLB_INT8) {
    o.range_count = 200;
    o.ranges = calloc(200, sizeof *o.ranges);
    for (int i = 0; i < 200; i++) o.ranges[i] = 4.0f;
  }
  (void)m;
  return o;
}

/* any number of threads, any place and company in the batch: the same bits, at every precision */
static void test_same_bits(void **state) {
  (void)state;
  for (vlb_precision precision = VLB_FLOAT32; precision <= VLB_INT8; precision++) {
    if (vlb_precision_check(precision, NULL)) continue;
    vlb_model *m = model_of("");
    sample_batch b = batch_of(&m->config, 3, 41, true);
    vlb_inference_options o = options_of(m, precision, 1);
    float *one = act(m, &b, 3, &o);
    for (int threads = 2; threads <= 3; threads++) {
      o.threads = threads;
      float *more = act(m, &b, 3, &o);
      assert_memory_equal(one, more, 3 * chunk(m) * sizeof *one);
      free(more);
    }
    float *elsewhere = act(m, &b, 5, &o);
    assert_memory_equal(one, elsewhere, 3 * chunk(m) * sizeof *one);
    free(one), free(elsewhere), free(o.ranges);
    batch_free(&b);
    vlb_model_free(m);
  }
}

/* rounding of weights and inputs moves the actions, and not far; int8 with ranges that were found moves them less than with ranges that are too wide */
static void test_low_precision_is_near(void **state) {
  (void)state;
  static const double bound[] = {[VLB_BFLOAT16] = 0.03, [VLB_INT8] = 0.1};
  vlb_model *m = model_of("");
  sample_batch b = batch_of(&m->config, 2, 42, true);
  float *exact = act(m, &b, 2, &(vlb_inference_options){.threads = 1}), ranges[200] = {0};
  if (!vlb_precision_check(VLB_INT8, NULL)) {
    free(act(m, &b, 2, &(vlb_inference_options){.threads = 2, .precision = VLB_INT8, .ranges = ranges, .range_count = 200, .calibrate = true}));
    assert_true(ranges[0] > 0);
  }
  for (vlb_precision p = VLB_BFLOAT16; p <= VLB_INT8; p++) {
    if (vlb_precision_check(p, NULL)) continue;
    float *low = act(m, &b, 2, &(vlb_inference_options){.threads = 1, .precision = p, .ranges = ranges, .range_count = 200});
    double d = distance(exact, low, 2 * chunk(m));
    print_message("precision %d: actions off by %.3g\n", (int)p, d);
    if (!(d > 0 && d <= bound[p])) fail_msg("precision %d: actions off by %.3g", (int)p, d);
    free(low);
  }
  free(exact);
  batch_free(&b);
  vlb_model_free(m);
}

static void test_refusals(void **state) {
  (void)state;
  vlb_model *m = model_of("");
  vlb_policy *p;
  vlb_error err = {0};
  float ranges[1] = {1};
  assert_int_equal(vlb_policy_create_for(m, 1, &(vlb_inference_options){.threads = 1, .precision = VLB_INT8}, &p, &err), vlb_precision_check(VLB_INT8, NULL) ? VLB_USAGE : VLB_FAILED);
  if (!vlb_precision_check(VLB_INT8, NULL)) {
    assert_int_equal(vlb_policy_create_for(m, 1, &(vlb_inference_options){.threads = 1, .precision = VLB_INT8, .ranges = ranges, .range_count = 1}, &p, &err), VLB_FAILED);
    assert_non_null(strstr(err.message, "calibrate"));
  }
  assert_null(p);
  vlb_model_free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_packed_is_unpacked), cmocka_unit_test(test_same_bits), cmocka_unit_test(test_low_precision_is_near),
                                     cmocka_unit_test(test_refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
