/* The model as a policy of the simulator: what an observation becomes, and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/rng.h"
#include "experiments/plan/policy_adapter.h"

enum { SIZE = 32, CHUNK = 6, PIXELS = SIZE * SIZE * 3 };

typedef struct {
  vlb_policy_source source;
  uint8_t image[3][PIXELS];
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  vlb_model_config c;
  vlb_error err = {VLB_OK, ""};
  static const char *const small[][2] = {{"text_layers", "2"},   {"text_hidden", "32"},   {"text_mlp", "64"},     {"text_heads", "2"},
                                         {"text_kv_heads", "1"}, {"vision_hidden", "32"}, {"vision_mlp", "64"},   {"vision_layers", "1"},
                                         {"vision_heads", "2"},  {"image_size", "32"},    {"chunk_size", "6"},    {"n_action_steps", "3"},
                                         {"num_steps", "4"},     {"max_state_dim", "9"},  {"max_action_dim", "8"}, {"tokenizer_max_length", "16"}};
  vlb_fields_default(vlb_model_fields, &c);
  for (size_t i = 0; i < sizeof small / sizeof *small; i++)
    if (vlb_fields_set(vlb_model_fields, &c, small[i][0], small[i][1], &err)) fail_msg("%s", err.message);
  if (vlb_model_create(&c, &f->source.trained.model, &err) || vlb_tokenizer_micro(&f->source.trained.tokenizer, &err)) fail_msg("%s", err.message);
  vlb_model_init(f->source.trained.model, 3);
  f->source.embodiment = &vlb_panda;
  f->source.seed = 5;
  f->source.trained.state.dim = VLB_MAX_STATE;
  f->source.trained.action.dim = VLB_MAX_ACTION;
  for (int k = 0; k < VLB_MAX_STATE; k++) f->source.trained.state.std[k] = 1;
  for (int k = 0; k < VLB_MAX_ACTION; k++) f->source.trained.action.std[k] = 1;
  vlb_rng rng = vlb_rng_make(1, VLB_RNG_TEST, 0, 0);
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < PIXELS; k++) f->image[i][k] = (uint8_t)vlb_rng_below(&rng, 256);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  vlb_pretrained_free(&f->source.trained);
  free(f);
  return 0;
}

static vlb_observation observation(const fixture *f, int i) {
  vlb_observation o = {.image = {f->image[i], f->image[(i + 1) % 3]}, .size = SIZE, .instruction = i ? "pick up the bowl" : "open the drawer",
                       .task = i, .episode = 2, .replan = i};
  for (int k = 0; k < VLB_MAX_STATE; k++) o.state[k] = (float)(0.1 * k - 0.2 * i);
  return o;
}

static void act(const vlb_policy_source *source, int batch, int n, const vlb_observation *o, float *actions) {
  vlb_policy_adapter *a;
  vlb_error err = {VLB_OK, ""};
  if (vlb_policy_adapter_create(source, batch, &a, &err)) fail_msg("%s", err.message);
  vlb_policy_callback c = vlb_policy_adapter_callback(a);
  assert_int_equal(c.chunk, source->trained.model->config.chunk_size);
  assert_int_equal(c.n_action_steps, 3);
  if (c.infer(c.self, n, o, actions, &err)) fail_msg("%s", err.message);
  vlb_policy_adapter_free(a);
}

enum { ACTIONS = CHUNK * VLB_MAX_ACTION };

/* the actions of an observation are the same bits alone, in company, and in a larger batch */
static void company_does_not_matter(void **state) {
  const fixture *f = *state;
  vlb_observation o[3] = {observation(f, 0), observation(f, 1), observation(f, 2)};
  float together[3 * ACTIONS], alone[ACTIONS];
  act(&f->source, 4, 3, o, together);
  for (int i = 0; i < 3; i++) {
    act(&f->source, 1, 1, &o[i], alone);
    assert_memory_equal(alone, together + i * ACTIONS, sizeof alone);
  }
}

/* everything in an observation, and the seed, has an effect */
static void everything_counts(void **state) {
  const fixture *f = *state;
  vlb_observation base = observation(f, 1);
  float before[ACTIONS], after[ACTIONS];
  act(&f->source, 1, 1, &base, before);
  for (int what = 0; what < 8; what++) {
    vlb_observation o = base;
    vlb_policy_source source = f->source;
    if (what == 0) o.image[0] = f->image[0];
    if (what == 1) o.image[1] = f->image[0];
    if (what == 2) o.state[7] += 1;
    if (what == 3) o.instruction = "close the drawer";
    if (what == 4) o.task++;
    if (what == 5) o.episode++;
    if (what == 6) o.replan++;
    if (what == 7) source.seed++;
    act(&source, 1, 1, &o, after);
    if (!memcmp(before, after, sizeof after)) fail_msg("change %d has no effect", what);
  }
}

/* actions leave in the robot's units, the state enters normalised */
static void units(void **state) {
  const fixture *f = *state;
  vlb_observation o = observation(f, 1);
  float plain[ACTIONS], scaled[ACTIONS], want[VLB_MAX_ACTION];
  vlb_policy_source source = f->source;
  act(&source, 1, 1, &o, plain);
  for (int k = 0; k < VLB_MAX_ACTION; k++) {
    source.trained.action.mean[k] = (float)k;
    source.trained.action.std[k] = 0.5f;
  }
  for (int k = 0; k < VLB_MAX_STATE; k++) {
    source.trained.state.mean[k] = 1;
    o.state[k] += 1;
  }
  act(&source, 1, 1, &o, scaled);
  for (int t = 0; t < CHUNK; t++) {
    vlb_unnormalize(&source.trained.action, plain + t * VLB_MAX_ACTION, want);
    for (int k = 0; k < VLB_MAX_ACTION; k++) assert_float_equal(scaled[t * VLB_MAX_ACTION + k], want[k], 1e-4);
  }
}

/* where rows of actions do not see each other, those that are not executed may be left out: the others stay as they are */
static void unexecuted_actions_are_not_missed(void **state) {
  const fixture *f = *state;
  static const struct {
    int64_t attention, state, objective, rows;
  } kinds[] = {{VLB_ATTENTION_CROSS, VLB_STATE_PREFIX, VLB_OBJECTIVE_FLOW, 3}, {VLB_ATTENTION_CROSS, VLB_STATE_SUFFIX, VLB_OBJECTIVE_FLOW, 3},
               {VLB_ATTENTION_CROSS, VLB_STATE_SUFFIX_SEEN, VLB_OBJECTIVE_FLOW, 3}, {VLB_ATTENTION_CROSS, VLB_STATE_PREFIX, VLB_OBJECTIVE_L1, 3},
               {VLB_ATTENTION_INTERLEAVED, VLB_STATE_PREFIX, VLB_OBJECTIVE_FLOW, CHUNK}, {VLB_ATTENTION_SELF, VLB_STATE_PREFIX, VLB_OBJECTIVE_FLOW, CHUNK}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    vlb_policy_source source = f->source;
    vlb_model_config c = source.trained.model->config;
    vlb_observation o = observation(f, 1);
    vlb_error err = {VLB_OK, ""};
    float whole[ACTIONS], left[ACTIONS];
    c.attention = kinds[i].attention, c.state = kinds[i].state, c.objective = kinds[i].objective;
    if (vlb_model_create(&c, &source.trained.model, &err)) fail_msg("%s", err.message);
    vlb_model_init(source.trained.model, 3);
    act(&source, 1, 1, &o, whole);
    vlb_model_leave_out_unexecuted(&source.trained.model->config);
    assert_int_equal(source.trained.model->config.chunk_size, kinds[i].rows);
    act(&source, 1, 1, &o, left);
    for (int64_t k = 0; k < kinds[i].rows * VLB_MAX_ACTION; k++) assert_float_equal(left[k], whole[k], 1e-5);
    vlb_model_free(source.trained.model);
  }
}

static void misfits_are_told(void **state) {
  const fixture *f = *state;
  vlb_policy_adapter *a;
  vlb_error err = {VLB_OK, ""};
  vlb_policy_source source = f->source;
  source.trained.state.dim = 7;
  assert_int_equal(vlb_policy_adapter_create(&source, 1, &a, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "7 state"));
  assert_null(a);
  source = f->source;
  source.embodiment = &vlb_so100;
  assert_int_equal(vlb_policy_adapter_create(&source, 1, &a, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "trained on 8 state and 7 action numbers, the robot so100 has 6 and 6"));
  source.trained.state.dim = source.trained.action.dim = 6;
  assert_int_equal(vlb_policy_adapter_create(&source, 1, &a, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "model.action_dim = 7, but the robot so100 takes 6"));
  assert_null(a);
}

/* a robot with other widths: rows of actions are as long as it needs */
static void another_robot(void **state) {
  const fixture *f = *state;
  vlb_error err = {VLB_OK, ""};
  vlb_model_config c = f->source.trained.model->config;
  vlb_policy_source source = f->source;
  vlb_model *model;
  c.action_dim = 4;
  c.cameras = 1;
  if (vlb_model_create(&c, &model, &err)) fail_msg("%s", err.message);
  vlb_model_init(model, 3);
  source.trained.model = model;
  source.embodiment = &vlb_sawyer;
  source.trained.state.dim = source.trained.action.dim = 4;
  for (int k = 0; k < 4; k++) source.trained.action.std[k] = 0, source.trained.action.mean[k] = (float)k; /* so that every number's place shows */
  vlb_observation o[2] = {observation(f, 0), observation(f, 1)};
  float actions[2 * CHUNK * 4 + 1];
  actions[2 * CHUNK * 4] = -7;
  act(&source, 2, 2, o, actions);
  for (int i = 0; i < 2 * CHUNK * 4; i++) assert_true(actions[i] == (float)(i % 4));
  assert_true(actions[2 * CHUNK * 4] == -7);
  vlb_model_free(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(company_does_not_matter), cmocka_unit_test(everything_counts), cmocka_unit_test(units),
                                     cmocka_unit_test(unexecuted_actions_are_not_missed), cmocka_unit_test(misfits_are_told), cmocka_unit_test(another_robot)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
