/* Which configurations are possible, what the impossible ones are told, and the numbers that follow from the rest. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "tests/core/model/sample.h"

static void test_impossible(void **state) {
  (void)state;
  static const struct {
    const char *changes, *message;
  } cases[] = {
      {"num_vlm_layers=5", "num_vlm_layers = 5, but the VLM has 4 layers"},
      {"num_vlm_layers=3 skip_every_second=true", "num_vlm_layers = 3, but the VLM has 2 layers after skip_every_second"},
      {"num_expert_layers=3 attention=cross", "num_expert_layers = 3 does not divide the 4 VLM layers kept"},
      {"num_expert_layers=8 attention=cross", "num_expert_layers = 8 does not divide the 4 VLM layers kept"},
      {"num_expert_layers=2 num_vlm_layers=3 attention=cross", "num_expert_layers = 2 does not divide the 3 VLM layers kept"},
      {"num_expert_layers=2 attention=self",
       "num_expert_layers = 2 with 4 VLM layers needs attention = cross: self-attention layers join both streams, so each needs an expert "
       "layer of its own"},
      {"num_expert_layers=2",
       "num_expert_layers = 2 with 4 VLM layers needs attention = cross: self-attention layers join both streams, so each needs an expert "
       "layer of its own"},
      {"expert_width=0.6", "expert_width = 0.6 of text_hidden = 16 gives an expert of width 9; it must be even and at least 4"},
      {"expert_width=0.125", "expert_width = 0.125 of text_hidden = 16 gives an expert of width 2; it must be even and at least 4"},
      {"text_kv_heads=3", "text_kv_heads = 3 does not divide text_heads = 4"},
      {"head_dim=5", "head_dim = 5 is odd; rotary embedding pairs its halves"},
      {"vision_heads=5", "vision_heads = 5 does not divide vision_hidden = 12"},
      {"patch_size=17", "patch_size = 17 is more than image_size = 16"},
      {"scale_factor=3", "scale_factor = 3 does not divide the 4 patches per side"},
      {"action_dim=5", "action_dim = 5 is more than max_action_dim = 4"},
      {"min_period=4 max_period=4", "max_period = 4 must be more than min_period = 4"},
      {"add_image_special_tokens=true fake_image_token=16", "fake_image_token and global_image_token must be below vocab_size = 16"},
      {"add_image_special_tokens=true global_image_token=99", "fake_image_token and global_image_token must be below vocab_size = 16"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_model_config c = config_of(cases[i].changes);
    vlb_model_shape s;
    vlb_error err = {0};
    assert_int_equal(vlb_model_shape_of(&c, &s, &err), VLB_USAGE);
    assert_string_equal(err.message, cases[i].message);
    vlb_model *m = (vlb_model *)&c;
    assert_int_equal(vlb_model_create(&c, &m, &err), VLB_USAGE); /* and no model is made of it */
    assert_null(m);
  }
  vlb_model_config c = config_of("");
  c.n_action_steps = 6; /* the fixture would put this right */
  vlb_model_shape s;
  vlb_error err = {0};
  assert_int_equal(vlb_model_shape_of(&c, &s, &err), VLB_USAGE);
  assert_string_equal(err.message, "n_action_steps = 6 is more than chunk_size = 5");
}

/* special tokens that are not used may have any id */
static void test_possible(void **state) {
  (void)state;
  static const char *const cases[] = {"fake_image_token=99", "num_expert_layers=4", "num_expert_layers=4 attention=self", "num_expert_layers=1 attention=cross",
                                      "num_vlm_layers=2 skip_every_second=true", "vision_layers=0", "prefix_length=-1"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_model_config c = config_of(cases[i]);
    vlb_model_shape s;
    vlb_error err = {0};
    if (vlb_model_shape_of(&c, &s, &err)) fail_msg("%s: %s", cases[i], err.message);
  }
}

/* specification section 3: the expert's MLP for every width it lists */
static void test_expert_sizes(void **state) {
  (void)state;
  static const int sizes[][2] = {{144, 512}, {240, 768}, {288, 768}, {432, 1280}, {480, 1280}, {512, 1536}, {576, 1536},
                                 {720, 2048}, {960, 2560}, {1024, 2816}, {1536, 4096}, {2048, 5632}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    vlb_model_config c = config_of("expert_width=1");
    c.text_hidden = sizes[i][0];
    vlb_model_shape s;
    assert_int_equal(vlb_model_shape_of(&c, &s, NULL), VLB_OK);
    assert_int_equal(s.expert_hidden, sizes[i][0]);
    assert_int_equal(s.expert_mlp, sizes[i][1]);
  }
  /* 0.75 and 0.5 of the 500M model's 960 */
  vlb_model_config c = config_of("text_hidden=960 expert_width=0.75 text_heads=15 text_kv_heads=5 head_dim=64");
  vlb_model_shape s;
  assert_int_equal(vlb_model_shape_of(&c, &s, NULL), VLB_OK);
  assert_true(s.expert_hidden == 720 && s.expert_mlp == 2048 && s.q_width == 960 && s.kv_width == 320);
}

static void test_counts(void **state) {
  (void)state;
  static const struct {
    const char *changes;
    int vlm, expert, views, tokens;
  } cases[] = {
      {"", 4, 4, 2, 4},
      {"num_vlm_layers=3", 3, 3, 2, 4},
      {"skip_every_second=true", 2, 2, 2, 4},
      {"skip_every_second=true text_layers=5", 3, 3, 2, 4},
      {"skip_every_second=true text_layers=32 num_vlm_layers=16", 16, 16, 2, 4},
      {"attention=cross num_expert_layers=2", 4, 2, 2, 4},
      {"cameras=3 empty_cameras=1 image_size=32", 4, 4, 4, 16},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_model_config c = config_of(cases[i].changes);
    vlb_model_shape s;
    assert_int_equal(vlb_model_shape_of(&c, &s, NULL), VLB_OK);
    assert_int_equal(s.vlm_layers, cases[i].vlm);
    assert_int_equal(s.expert_layers, cases[i].expert);
    assert_int_equal(s.views, cases[i].views);
    assert_int_equal(s.tokens_per_view, cases[i].tokens);
  }
}

/* section 12.2 */
static void test_layer_kinds(void **state) {
  (void)state;
  static const struct {
    const char *changes, *kinds; /* s self, c cross */
  } cases[] = {
      {"", "scscscsc"}, {"self_attn_every=3", "sccsccsc"}, {"self_attn_every=1", "ssssssss"}, {"attention=cross", "cccccccc"},
      {"attention=self self_attn_every=3", "ssssssss"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_model_config c = config_of(cases[i].changes);
    for (int l = 0; l < 8; l++) assert_int_equal(vlb_layer_is_self(&c, l), cases[i].kinds[l] == 's');
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_impossible), cmocka_unit_test(test_possible), cmocka_unit_test(test_expert_sizes), cmocka_unit_test(test_counts),
      cmocka_unit_test(test_layer_kinds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
