#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/rng.h"

vlb_model_config tiny_model(void) {
  vlb_model_config c;
  vlb_fields_default(vlb_model_fields, &c);
  c.text_layers = 2, c.text_hidden = 16, c.text_mlp = 24, c.text_heads = 2, c.text_kv_heads = 1, c.head_dim = 8;
  c.vision_layers = 1, c.vision_hidden = 16, c.vision_mlp = 24, c.vision_heads = 2;
  c.image_size = 16, c.patch_size = 8, c.scale_factor = 2;
  c.chunk_size = 4, c.n_action_steps = 4, c.max_state_dim = 8, c.max_action_dim = 8, c.tokenizer_max_length = 12;
  c.freeze = VLB_FREEZE_NOTHING;
  return c;
}

double episode_action(uint32_t seed, int k, int j) {
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_TEST, (uint32_t)k, (uint32_t)j);
  return vlb_rng_range(&rng, -1, 1);
}

static void fill(double *x, int n, vlb_rng *rng) {
  for (int i = 0; i < n; i++) x[i] = vlb_rng_range(rng, -2, 2);
}

void make_episode(vlb_episode *e, int frames, int image_size, uint32_t seed) {
  vlb_error err;
  assert_int_equal(vlb_episode_alloc(e, &vlb_panda, frames, 3, image_size, &err), VLB_OK);
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_TEST, 1000, 0);
  fill(e->state, 8 * frames, &rng);
  for (int k = 0; k < frames; k++)
    for (int j = 0; j < 7; j++) e->actions[7 * k + j] = episode_action(seed, k, j);
  for (int i = 0; i < frames * image_size * image_size * 3; i++) {
    e->image[0][i] = (uint8_t)vlb_rng_below(&rng, 256);
    e->image[1][i] = (uint8_t)vlb_rng_below(&rng, 256);
  }
  e->rewards[frames - 1] = e->dones[frames - 1] = 1;
}

void write_task(const char *path, const char *instruction, bool observed_before, int episodes, int image_size, uint32_t seed) {
  vlb_error err = {0};
  vlb_task_info info = {.observed_before = observed_before};
  snprintf(info.instruction, sizeof info.instruction, "%s", instruction);
  vlb_episode *e = calloc((size_t)episodes, sizeof *e);
  assert_non_null(e);
  for (int i = 0; i < episodes; i++) make_episode(&e[i], 5 + i, image_size, seed + (uint32_t)i);
  if (vlb_episodes_write(path, &info, e, episodes, &err)) fail_msg("%s", err.message);
  for (int i = 0; i < episodes; i++) vlb_episode_free(&e[i]);
  free(e);
}

vlb_dataset *small_dataset(const vlb_model_config *model, const vlb_context *ctx) {
  vlb_error err = {0};
  vlb_dataset *data;
  const char *files[] = {"a_demo.hdf5", "b_demo.hdf5"};
  write_task(files[0], "pick up the bowl", true, 2, 16, 10);
  write_task(files[1], "open the drawer", true, 1, 16, 20);
  if (vlb_dataset_load(model, files, 2, ctx, &data, &err)) fail_msg("%s", err.message);
  return data;
}

const char *file_in(const char *folder, const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

bool exists_in(const char *folder, const char *name) { return vlb_file_exists(file_in(folder, name)); }

static void same_file(const char *a, const char *b, const char *name) {
  char *x, *y;
  size_t n, m;
  vlb_error err;
  assert_int_equal(vlb_file_read(file_in(a, name), &x, &n, &err), VLB_OK);
  assert_int_equal(vlb_file_read(file_in(b, name), &y, &m, &err), VLB_OK);
  assert_int_equal(n, m);
  if (memcmp(x, y, n)) fail_msg("%s differs between %s and %s", name, a, b);
  free(x), free(y);
}

void same_run(const char *a, const char *b) {
  same_file(a, b, "model.safetensors");
  same_file(a, b, "statistics.safetensors");
  same_file(a, b, "loss.csv");
  assert_false(exists_in(b, "checkpoint.safetensors"));
}
