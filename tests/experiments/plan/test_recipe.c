/* Recipes of the VLMs: the shipped ones can be read, agree with what ships and with the base of the ablations; bad ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/base/embed.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/train/vlm.h"
#include "experiments/plan/ablation.h"
#include "experiments/plan/recipe.h"

extern const vlb_embedded vlb_embedded_vlms[];

/* name of the embedded "core/train/vlm/NAME/model.safetensors" */
static void name_of(const vlb_embedded *e, char *name, size_t size) {
  const char *start = e->path + strlen("core/train/vlm/");
  snprintf(name, size, "%.*s", (int)strcspn(start, "/"), start);
}

/* The manifest's digest is the file's, its figures are there, and all together are small enough to ship. */
static void test_shipped(void **state) {
  (void)state;
  const char *root = getenv("VLB_TEST_ROOT");
  size_t total = 0;
  int count = 0;
  if (!root) skip();
  for (const vlb_embedded *e = vlb_embedded_vlms; e->path; e++, count++) {
    char name[64], path[1024], hash[VLB_HASH_SIZE];
    json_error_t why;
    vlb_recipe r;
    vlb_error err;
    name_of(e, name, sizeof name);
    if (vlb_recipe_read(name, &r, &err)) fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s/core/train/vlm/%s/manifest.json", root, name);
    json_t *m = json_load_file(path, 0, &why);
    if (!m) fail_msg("%s: %s", path, why.text);
    vlb_hash(e->data, e->size, hash);
    assert_string_equal(hash, json_string_value(json_object_get(m, "sha256")));
    const json_t *stages = json_object_get(m, "stages"), *sight = json_object_get(m, "sight");
    assert_int_equal(json_array_size(stages), r.stage_count);
    for (int s = 0; s < r.stage_count; s++)
      assert_int_equal(json_integer_value(json_object_get(json_array_get(stages, (size_t)s), "samples")), r.stages[s].train.steps * r.stages[s].train.batch_size);
    assert_true(json_array_size(sight) > 0);
    json_decref(m);
    total += e->size;
  }
  assert_true(count > 0 && total <= 25000000);
}

/* A policy of the recipe's shapes begins with the shipped tensors, at any number of layers. */
static void test_policy_begins_with_it(void **state) {
  (void)state;
  for (const vlb_embedded *e = vlb_embedded_vlms; e->path; e++) {
    char name[64];
    vlb_recipe r;
    vlb_error err;
    vlb_model *m;
    name_of(e, name, sizeof name);
    assert_int_equal(vlb_recipe_read(name, &r, &err), VLB_OK);
    vlb_model_config c = vlb_recipe_model(&r, r.stage_count - 1);
    vlb_train_config t = r.train;
    snprintf(t.vlm.s, sizeof t.vlm.s, "%s", name);
    for (int layers = 8; layers <= c.text_layers; layers += 8) {
      c.num_vlm_layers = layers;
      if (vlb_train_begin(&c, &t, &m, &err)) fail_msg("%s: %s", name, err.message);
      vlb_model_free(m);
    }
  }
}

static void refused(const char *text, const char *why) {
  vlb_recipe r;
  vlb_error err;
  assert_int_equal(vlb_file_write("bad.toml", text, strlen(text), &err), VLB_OK);
  assert_int_equal(vlb_recipe_read("bad.toml", &r, &err), VLB_USAGE);
  if (!strstr(err.message, why)) fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void test_bad_recipes(void **state) {
  (void)state;
  vlb_recipe r;
  vlb_error err;
  refused("title = \"x\"\n", "no [[stage]]");
  refused("[captions]\nepisodes = 3\n[[stage]]\nsteps = 1\n", "bad.toml:2: unknown key \"episodes\"");
  refused("[[stage]]\ntext_layers = 4\nsteps = 1\n\n[[stage]]\ntext_layers = 3\n", "fewer text_layers");
  refused("[[stage]]\ntext_layers = 0\n", "text_layers must be");
  refused("[[stage]]\nstepz = 3\n", "bad.toml:2");
  refused("stages = 3\n", "'stages' is not known here");
  refused("[train]\nbatch_size = 9\n[[stage]]\nsteps = 3\n", "batch_size 9 is not a multiple");
  assert_int_equal(vlb_recipe_read("macro", &r, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "micro"));
}

static void test_settings(void **state) {
  (void)state;
  vlb_recipe r;
  vlb_error err;
  assert_int_equal(vlb_recipe_read("micro", &r, &err), VLB_OK);
  assert_int_equal(vlb_recipe_set(&r, "train.steps=7", &err), VLB_OK);
  for (int s = 0; s < r.stage_count; s++) assert_int_equal(r.stages[s].train.steps, 7);
  assert_int_equal(vlb_recipe_set(&r, "captions.every=9", &err), VLB_OK);
  assert_int_equal(r.captions.every, 9);
  assert_int_equal(vlb_recipe_set(&r, "arms.every=9", &err), VLB_USAGE);
  assert_int_equal(vlb_recipe_set(&r, "captions", &err), VLB_USAGE);
  assert_int_equal(vlb_recipe_model(&r, 0).text_layers, r.stages[0].text_layers);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped), cmocka_unit_test(test_policy_begins_with_it), cmocka_unit_test(test_bad_recipes),
                                     cmocka_unit_test(test_settings)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
