/* MessagePack with NumPy arrays: what openpi's own packer wrote (scripts/reference/openpi_messages.py), byte for byte; limits; odd input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/wire/protocol.h"

static vlb_message *message;
static char *bytes;
static size_t size;

static const vlb_item *read_golden(const char *name) {
  char path[512];
  vlb_error err = {VLB_OK, ""};
  assert_int_equal(vlb_path(path, sizeof path, &err, "%s/wire/%s.msgpack", VLB_TEST_DATA, name), VLB_OK);
  assert_int_equal(vlb_file_read(path, &bytes, &size, &err), VLB_OK);
  if (vlb_message_open(bytes, size, &message, &err)) fail_msg("%s: %s", name, err.message);
  return vlb_message_root(message);
}

static int forget(void **state) {
  (void)state;
  vlb_message_free(message);
  free(bytes);
  message = NULL, bytes = NULL;
  return 0;
}

static const vlb_wire_shape libero = {.cameras = 2, .camera = {"observation.images.agentview", "observation.images.eye_in_hand"}, .state_dim = 8, .chunk = 5, .action_dim = 2};

static void assert_key(const vlb_noise_key *got, uint64_t seed, uint32_t task, uint32_t episode, uint32_t replan) {
  assert_true(got->seed == seed && got->task == task && got->episode == episode && got->replan == replan);
}

static void reads_what_openpi_sends(void **state) {
  (void)state;
  vlb_wire_observation *o = calloc(1, sizeof *o);
  vlb_error err = {VLB_OK, ""};
  const vlb_noise_key key = {.seed = 7, .replan = 3};
  assert_non_null(o);
  assert_int_equal(vlb_wire_read_observation(&libero, read_golden("observation"), &key, o, &err), VLB_OK);
  assert_int_equal(o->pictures[0].height, 4);
  assert_int_equal(o->pictures[0].width, 6);
  for (int i = 0; i < 72; i++) {
    assert_int_equal(o->pictures[0].rgb[i], i);
    assert_int_equal(o->pictures[1].rgb[i], 255 - i);
  }
  const float wanted[8] = {0.5F, -1.25F, 3, 0, 1e-3F, -0.1F, 0.04F, -0.04F};
  assert_memory_equal(o->state, wanted, sizeof wanted);
  assert_string_equal(o->prompt, "pick up the black bowl");
  assert_key(&o->key, 7, 0, 0, 3);
  free(o);
}

static void replies_as_openpi_does(void **state) {
  (void)state;
  float actions[10], got[10];
  double infer_ms;
  vlb_error err = {VLB_OK, ""};
  for (int i = 0; i < 10; i++) actions[i] = (float)i / 4;
  const vlb_item *root = read_golden("reply");
  vlb_packer *p = vlb_packer_open(16);
  vlb_wire_write_actions(p, &libero, actions, 12.5, 20.25);
  assert_true(vlb_packer_ok(p));
  assert_int_equal(vlb_packer_size(p), size);
  assert_memory_equal(vlb_packer_data(p), bytes, size);
  vlb_packer_free(p);
  assert_int_equal(vlb_wire_read_actions(root, 5, 2, got, &infer_ms, &err), VLB_OK);
  assert_memory_equal(got, actions, sizeof got);
  assert_true(infer_ms == 12.5);
  assert_int_equal(vlb_wire_read_actions(root, 6, 2, got, &infer_ms, &err), VLB_FAILED);
  assert_string_equal(err.message, "a chunk of 5 actions where 6 are to be executed; lower n_action_steps");
  assert_int_equal(vlb_wire_read_actions(root, 5, 7, got, &infer_ms, &err), VLB_FAILED);
  assert_string_equal(err.message, "actions of 2 numbers; the robot takes 7");
}

/* our client's observation is the one that openpi's packer writes, but for the width of the state's numbers */
static void observes_as_openpi_does(void **state) {
  (void)state;
  static const vlb_embodiment robot = {.name = "r", .state_dim = 8, .action_dim = 2, .cameras = 2};
  uint8_t picture[2][4 * 4 * 3];
  for (int i = 0; i < 48; i++) picture[0][i] = (uint8_t)i, picture[1][i] = (uint8_t)(200 - i);
  vlb_observation o = {.embodiment = &robot, .image = {picture[0], picture[1]}, .size = 4, .state = {1, 2, 3}, .instruction = "go", .task = 4, .episode = 5, .replan = 6};
  vlb_packer *p = vlb_packer_open(0);
  vlb_error err = {VLB_OK, ""};
  for (int keyed = 0; keyed < 2; keyed++) {
    vlb_wire_observation *back = calloc(1, sizeof *back);
    const vlb_noise_key none = {0};
    vlb_wire_write_observation(p, &o, 99, keyed);
    assert_int_equal(vlb_message_open(vlb_packer_data(p), vlb_packer_size(p), &message, &err), VLB_OK);
    assert_int_equal(vlb_item_count(vlb_message_root(message)), keyed ? 8 : 4);
    assert_int_equal(vlb_wire_read_observation(&libero, vlb_message_root(message), &none, back, &err), VLB_OK);
    assert_memory_equal(back->pictures[1].rgb, picture[1], 48);
    assert_memory_equal(back->state, o.state, 8 * sizeof(float));
    assert_string_equal(back->prompt, "go");
    if (keyed) assert_key(&back->key, 99, 4, 5, 6);
    else assert_key(&back->key, 0, 0, 0, 0);
    free(back);
    forget(NULL);
  }
  vlb_packer_free(p);
}

static void reads_every_kind(void **state) {
  (void)state;
  const vlb_item *root = read_golden("kinds");
  vlb_array a;
  vlb_error err = {VLB_OK, ""};
  double real;
  int64_t whole, shape[2];
  float numbers[8];
  assert_int_equal(vlb_item_array(vlb_item_get(root, "big_endian"), &a, &err), VLB_OK);
  assert_true(a.swapped && vlb_array_real(&a, 0) == 1.5 && vlb_array_real(&a, 1) == -2);
  assert_int_equal(vlb_item_array(vlb_item_get(root, "flags"), &a, &err), VLB_OK);
  assert_true(a.kind == 'b' && vlb_array_real(&a, 0) == 1 && vlb_array_real(&a, 1) == 0);
  assert_int_equal(vlb_item_array(vlb_item_get(root, "half_precision"), &a, &err), VLB_FAILED);
  assert_string_equal(err.message, "arrays of dtype \"<f2\" are not read; there are bool, u1 to u8, i1 to i8, f4 and f8");
  assert_true(vlb_item_real(vlb_item_get(root, "scalar"), &real) && real == 2.5);
  assert_true(vlb_item_int(vlb_item_get(root, "whole_scalar"), &whole) && whole == -7);
  assert_int_equal(vlb_item_array(vlb_item_get(root, "short"), &a, &err), VLB_OK);
  assert_true(vlb_array_real(&a, 0) == -3 && vlb_array_real(&a, 1) == 300);
  assert_int_equal(vlb_item_array(vlb_item_get(root, "empty"), &a, &err), VLB_OK);
  assert_true(a.count == 0 && a.ndim == 2);
  assert_int_equal(vlb_item_numbers(vlb_item_get(root, "rows"), numbers, 8, shape, &err), VLB_OK);
  assert_true(shape[0] == 2 && shape[1] == 2 && numbers[2] == 3);
  assert_int_equal(vlb_item_numbers(vlb_item_get(root, "rows"), numbers, 3, shape, &err), VLB_FAILED);
  assert_int_equal(vlb_item_numbers(vlb_item_get(root, "numbers"), numbers, 8, shape, &err), VLB_FAILED);
  assert_string_equal(err.message, "value 5 of a list is not a number");
  json_t *json = vlb_item_json(root);
  char *text = json_dumps(json, JSON_COMPACT);
  assert_non_null(strstr(text, "\"numbers\":[1,-200,70000,2.5,1099511627776,null,true]"));
  assert_non_null(strstr(text, "\"short\":{\"dtype\":\"<i2\",\"shape\":[2]}"));
  assert_non_null(strstr(text, "\"bytes\":\"(2 bytes)\""));
  free(text);
  json_decref(json);
}

/* ---- limits ---- */

static void refused(const char *data, size_t n, const char *why) {
  vlb_error err = {VLB_OK, ""};
  vlb_code code = vlb_message_open(data, n, &message, &err);
  if (code != VLB_FAILED) fail_msg("accepted where '%s' was expected", why);
  assert_null(message);
  if (!strstr(err.message, why)) fail_msg("'%s' where '%s' was expected", err.message, why);
}

static void promises_are_not_believed(void **state) {
  (void)state;
  refused("", 0, "cut off at byte 0");
  refused("\xdd\xff\xff\xff\xff", 5, "cut off");             /* a list of 4 billion values */
  refused("\xdf\xff\xff\xff\xff", 5, "cut off");             /* a map of as many */
  refused("\xc6\xff\xff\xff\xff", 5, "cut off");             /* bytes */
  refused("\xc9\xff\xff\xff\xff\x01", 6, "cut off");         /* ext */
  refused("\xdb\x00\x00", 3, "cut off");                     /* a head without its length */
  refused("\xc1", 1, "of no MessagePack type");
  refused("\x01\x02", 2, "follow the end");
  char deep[64];
  memset(deep, (char)0x91, sizeof deep);
  refused(deep, sizeof deep, "nested deeper than 16");
  char *wide = malloc(VLB_MESSAGE_ITEMS + 8);
  memset(wide, 0, VLB_MESSAGE_ITEMS + 8);
  wide[0] = (char)0xdd, wide[2] = 1, wide[4] = 3; /* 65539 zeros */
  refused(wide, VLB_MESSAGE_ITEMS + 8, "more than 65536 values");
  free(wide);
}

/* every length of every head, so that no width in the tables is wrong */
static void heads_have_their_lengths(void **state) {
  (void)state;
  for (int type = 0; type < 256; type++) {
    char data[600] = {0};
    vlb_error err = {VLB_OK, ""};
    data[0] = (char)type;
    size_t fits = 0;
    for (size_t n = 1; n < sizeof data && !fits; n++)
      if (!vlb_message_open(data, n, &message, &err)) fits = n;
    forget(NULL);
    if (type == 0xc1) {
      assert_int_equal(fits, 0);
      continue;
    }
    /* what msgpack-c itself says about the same bytes: one less is too little, and vlb_message_open agrees only if it does too */
    assert_true(fits > 0);
    if (fits > 1) assert_int_equal(vlb_message_open(data, fits - 1, &message, &err), VLB_FAILED);
  }
}

/* ---- observations that are wrong ---- */

static void complaint(void (*fill)(vlb_packer *p), const char *why) {
  vlb_packer *p = vlb_packer_open(0);
  vlb_wire_observation *o = calloc(1, sizeof *o);
  vlb_error err = {VLB_OK, ""};
  const vlb_noise_key none = {0};
  fill(p);
  assert_int_equal(vlb_message_open(vlb_packer_data(p), vlb_packer_size(p), &message, &err), VLB_OK);
  assert_int_equal(vlb_wire_read_observation(&libero, vlb_message_root(message), &none, o, &err), VLB_USAGE);
  assert_int_equal(err.code, VLB_USAGE);
  assert_string_equal(err.message, why);
  forget(NULL);
  free(o);
  vlb_packer_free(p);
}

static const uint8_t grey[2 * 2 * 3];
static void pictures(vlb_packer *p, int pairs) {
  vlb_pack_map(p, pairs);
  vlb_pack_text(p, "observation.images.agentview");
  vlb_pack_pixels(p, 2, 2, grey);
  vlb_pack_text(p, "observation/wrist_image");
  vlb_pack_pixels(p, 2, 2, grey);
}
static void number(vlb_packer *p) { vlb_pack_int(p, 3); }
static void no_wrist(vlb_packer *p) { vlb_pack_map(p, 1), vlb_pack_text(p, "observation/image"), vlb_pack_pixels(p, 2, 2, grey); }
static void no_state(vlb_packer *p) { pictures(p, 2); }
static void short_state(vlb_packer *p) { pictures(p, 3), vlb_pack_text(p, "observation.state"), vlb_pack_floats(p, 1, (const int64_t[]){2}, (const float[]){1, 2}); }
static void nan_state(vlb_packer *p) {
  pictures(p, 3), vlb_pack_text(p, "state"), vlb_pack_list(p, 8);
  for (int i = 0; i < 8; i++) vlb_pack_real(p, i == 5 ? (double)NAN : 0);
}
static void whole(vlb_packer *p, int pairs) { pictures(p, pairs), vlb_pack_text(p, "observation/state"), vlb_pack_floats(p, 1, (const int64_t[]){8}, (const float[8]){0}); }
static void no_prompt(vlb_packer *p) { whole(p, 3); }
static void number_prompt(vlb_packer *p) { whole(p, 4), vlb_pack_text(p, "task"), vlb_pack_int(p, 1); }
static void big_task(vlb_packer *p) { whole(p, 5), vlb_pack_text(p, "prompt"), vlb_pack_text(p, "x"), vlb_pack_text(p, "vlabench/task"), vlb_pack_int(p, 256); }
static void float_picture(vlb_packer *p) { vlb_pack_map(p, 1), vlb_pack_text(p, "observation/image"), vlb_pack_floats(p, 3, (const int64_t[]){1, 1, 3}, (const float[]){0, 0, 0}); }
static void text_picture(vlb_packer *p) { vlb_pack_map(p, 1), vlb_pack_text(p, "observation/image"), vlb_pack_text(p, "x"); }

static void says_what_is_wrong(void **state) {
  (void)state;
  complaint(number, "an observation is a map of names to values");
  complaint(no_wrist, "no picture of camera 1: neither observation.images.eye_in_hand nor observation/wrist_image; the observation has observation/image");
  complaint(no_state, "no state: the observation has neither observation/state nor observation.state but observation.images.agentview, observation/wrist_image");
  complaint(short_state, "observation.state: 2 numbers; the policy takes 8");
  complaint(nan_state, "state: number 5 is not finite");
  complaint(no_prompt, "no instruction: the observation has neither prompt nor task but observation.images.agentview, observation/wrist_image, observation/state");
  complaint(number_prompt, "task: not text");
  complaint(big_task, "vlabench/task: a whole number from 0 to 255 is taken");
  complaint(float_picture, "observation/image: a picture is uint8 [height,width,3]");
  complaint(text_picture, "observation/image: not an array");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(reads_what_openpi_sends, forget),  cmocka_unit_test_teardown(replies_as_openpi_does, forget),
      cmocka_unit_test_teardown(observes_as_openpi_does, forget),  cmocka_unit_test_teardown(reads_every_kind, forget),
      cmocka_unit_test_teardown(promises_are_not_believed, forget), cmocka_unit_test_teardown(heads_have_their_lengths, forget),
      cmocka_unit_test_teardown(says_what_is_wrong, forget),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
