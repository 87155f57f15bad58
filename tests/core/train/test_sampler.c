/* Which frames a step trains on, and what is in its batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/image.h"
#include "core/train/sampler.h"
#include "fixture.h"

static vlb_context ctx;

static vlb_train_config settings(int64_t batch) {
  vlb_train_config c;
  vlb_fields_default(vlb_train_fields, &c);
  c.batch_size = batch;
  c.shards = 1;
  return c;
}

static void test_every_epoch_is_a_permutation(void **state) {
  (void)state;
  enum { FRAMES = 10, BATCH = 4, STEPS = 15 }; /* 60 samples: 6 epochs, batches across their borders */
  vlb_dataset data = {.frames = FRAMES};
  vlb_train_config c = settings(BATCH);
  vlb_sampler s, jump;
  vlb_error err;
  int64_t order[STEPS * BATCH], again[BATCH];
  assert_int_equal(vlb_sampler_open(&s, &data, &c, &err), VLB_OK);
  for (int k = 0; k < STEPS; k++) vlb_sampler_step(&s, k, order + k * BATCH);
  bool differ = false;
  for (int e = 0; e < STEPS * BATCH / FRAMES; e++) {
    int seen[FRAMES] = {0};
    for (int i = 0; i < FRAMES; i++) {
      seen[order[e * FRAMES + i]]++;
      differ = differ || order[e * FRAMES + i] != order[i];
    }
    for (int i = 0; i < FRAMES; i++) assert_int_equal(seen[i], 1);
  }
  assert_true(differ);
  /* a run that starts in the middle sees the same frames */
  assert_int_equal(vlb_sampler_open(&jump, &data, &c, &err), VLB_OK);
  for (int k = STEPS - 1; k >= 0; k--) {
    vlb_sampler_step(&jump, k, again);
    assert_memory_equal(again, order + k * BATCH, sizeof again);
  }
  vlb_sampler_close(&s);
  vlb_sampler_close(&jump);
}

static void test_batch_larger_than_the_data(void **state) {
  (void)state;
  vlb_dataset data = {.frames = 3};
  vlb_train_config c = settings(8);
  vlb_sampler s;
  vlb_error err;
  int64_t frames[8], seen[3] = {0};
  assert_int_equal(vlb_sampler_open(&s, &data, &c, &err), VLB_OK);
  vlb_sampler_step(&s, 0, frames);
  for (int i = 0; i < 6; i++) seen[frames[i]]++;
  for (int i = 0; i < 3; i++) assert_int_equal(seen[i], 2);
  vlb_sampler_close(&s);
}

static void test_targets_stop_at_the_episode(void **state) {
  (void)state;
  vlb_model_config c = tiny_model();
  vlb_dataset *d = small_dataset(&c, &ctx); /* episodes of 5, 6 and 5 frames; chunks of 4 */
  vlb_samples b;
  vlb_error err;
  assert_int_equal(vlb_samples_open(&b, &(vlb_model){.config = c}, c.chunk_size, 2, VLB_PREFIX_IMAGES, &err), VLB_OK);
  vlb_samples_fill(&b, 0, d, 0, 1, 0, 0); /* a whole chunk lies within */
  vlb_samples_fill(&b, 1, d, 9, 1, 0, 1); /* frames 9 and 10 remain of the second episode */
  assert_int_equal(vlb_valid_steps(d, 0, 4), 4);
  assert_int_equal(vlb_valid_steps(d, 9, 4), 2);
  const uint8_t pad[] = {0, 0, 0, 0, 0, 0, 1, 1};
  assert_memory_equal(b.action_pad, pad, sizeof pad);
  const int64_t source[] = {0, 1, 2, 3, 9, 10, 10, 10};
  for (int i = 0; i < 8; i++) {
    assert_memory_equal(b.actions + i * 8, d->actions + source[i] * 7, 7 * sizeof(float));
    assert_true(b.actions[i * 8 + 7] == 0);
  }
  assert_memory_equal(b.state + 8, d->states + 9 * 8, 8 * sizeof(float));
  vlb_samples_close(&b);
  vlb_dataset_free(d);
}

static void test_noise_does_not_depend_on_the_place(void **state) {
  (void)state;
  vlb_model_config c = tiny_model();
  vlb_dataset *d = small_dataset(&c, &ctx);
  vlb_samples b;
  vlb_error err;
  assert_int_equal(vlb_samples_open(&b, &(vlb_model){.config = c}, c.chunk_size, 3, VLB_PREFIX_IMAGES, &err), VLB_OK);
  vlb_samples_fill(&b, 0, d, 1, 7, 5, 3);
  vlb_samples_fill(&b, 1, d, 2, 7, 5, 4);
  vlb_samples_fill(&b, 2, d, 2, 7, 5, 3);
  assert_memory_equal(b.noise, b.noise + 2 * 32, 32 * sizeof(float));
  assert_true(b.time[0] == b.time[2]);
  assert_memory_not_equal(b.noise, b.noise + 32, 32 * sizeof(float));
  assert_true(b.time[0] != b.time[1]);
  vlb_samples_close(&b);
  vlb_dataset_free(d);
}

/* Ascending, all of them where all are wanted, and otherwise each as often as the others. */
static void test_rows_of_a_chunk(void **state) {
  (void)state;
  enum { CHUNK = 7, DRAWS = 7000 };
  for (int rows = 1; rows <= CHUNK; rows++) {
    int32_t out[CHUNK];
    int seen[CHUNK] = {0};
    for (int i = 0; i < DRAWS; i++) {
      vlb_sample_rows(3, i, i % 5, CHUNK, rows, out);
      for (int k = 0; k < rows; k++) {
        assert_true(out[k] < CHUNK && out[k] > (k ? out[k - 1] : -1));
        seen[out[k]]++;
      }
    }
    double p = (double)rows / CHUNK, spread = sqrt(DRAWS * p * (1 - p));
    for (int k = 0; k < CHUNK; k++) assert_true(fabs(seen[k] - DRAWS * p) <= 4.5 * spread);
  }
}

static void test_targets_of_some_rows(void **state) {
  (void)state;
  vlb_model_config c = tiny_model(), seen;
  vlb_train_config t = settings(2);
  vlb_dataset *d = small_dataset(&c, &ctx); /* episodes of 5, 6 and 5 frames; chunks of 4 */
  vlb_samples b;
  vlb_error err;
  c.attention = VLB_ATTENTION_CROSS;
  t.chunk_rows = 2;
  assert_int_equal(vlb_train_seen_model(&t, &c, &seen, &err), VLB_OK);
  assert_int_equal(vlb_samples_open(&b, &(vlb_model){.config = seen}, c.chunk_size, 1, VLB_PREFIX_IMAGES, &err), VLB_OK);
  for (int step = 0; step < 20; step++) {
    vlb_samples_fill(&b, 0, d, 9, 1, step, 0); /* frames 9 and 10 remain of the second episode */
    const int32_t *rows = vlb_samples_batch(&b).chunk_rows;
    for (int k = 0; k < 2; k++) {
      assert_memory_equal(b.actions + k * 8, d->actions + (rows[k] ? 10 : 9) * 7, 7 * sizeof(float));
      assert_int_equal(b.action_pad[k], rows[k] > 1);
    }
  }
  vlb_samples_close(&b);
  vlb_dataset_free(d);
}

static void test_when_rows_are_drawn(void **state) {
  (void)state;
  vlb_model_config c = tiny_model(), seen;
  vlb_train_config t = settings(2);
  vlb_error err;
  t.chunk_rows = 3;
  c.attention = VLB_ATTENTION_INTERLEAVED;
  assert_int_equal(vlb_train_seen_model(&t, &c, &seen, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "chunk_rows = 3: the actions of a chunk see each other in self-attention layers"));
  c.attention = VLB_ATTENTION_CROSS;
  assert_int_equal(vlb_train_seen_model(&t, &c, &seen, &err), VLB_OK);
  assert_int_equal(seen.chunk_size, 3);
  for (t.chunk_rows = 0; t.chunk_rows < 9; t.chunk_rows += 4) { /* all of them */
    assert_int_equal(vlb_train_seen_model(&t, &c, &seen, &err), VLB_OK);
    assert_int_equal(seen.chunk_size, 4);
  }
}

/* t = 0.001 + 0.999 Beta(1.5, 1): mean 0.6004, deviation 0.2617 */
static void test_time(void **state) {
  (void)state;
  enum { DRAWS = 20000 };
  vlb_model_config c = tiny_model();
  vlb_dataset *d = small_dataset(&c, &ctx);
  vlb_samples b;
  vlb_error err;
  double sum = 0, below = 0;
  assert_int_equal(vlb_samples_open(&b, &(vlb_model){.config = c}, c.chunk_size, 1, VLB_PREFIX_IMAGES, &err), VLB_OK);
  for (int i = 0; i < DRAWS; i++) {
    vlb_samples_fill(&b, 0, d, 0, 1, i, 0);
    assert_true(b.time[0] >= 0.001f && b.time[0] <= 1);
    sum += (double)b.time[0], below += b.time[0] < 0.25f;
  }
  assert_true(fabs(sum / DRAWS - 0.6004) < 5 * 0.2617 / sqrt(DRAWS));
  double p = pow(0.249 / 0.999, 1.5);
  assert_true(fabs(below / DRAWS - p) < 5 * sqrt(p * (1 - p) / DRAWS));
  vlb_samples_close(&b);
  vlb_dataset_free(d);
}

static int by_value(const void *a, const void *b) {
  const float *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* g1 / (g1 + g2) with g1 = U^(2/3), g2 = U': with r = x / (1 - x) its distribution function is r^1.5 / 2.5 up to r = 1, 1 - 0.6 / r above */
static void test_time_of_2025(void **state) {
  (void)state;
  enum { DRAWS = 20000 };
  float *t = malloc(DRAWS * sizeof *t);
  double apart = 0;
  for (uint32_t i = 0; i < DRAWS; i++) {
    vlb_rng rng = vlb_rng_make(3, VLB_RNG_TIME, i, 0);
    t[i] = vlb_sample_time(VLB_TIME_RATIO, &rng);
    assert_true(t[i] >= 0.001f && t[i] <= 1);
  }
  qsort(t, DRAWS, sizeof *t, by_value);
  for (int i = 0; i < DRAWS; i++) {
    double x = ((double)t[i] - 0.001) / 0.999, r = x / (1 - x);
    double p = r <= 1 ? pow(r, 1.5) / 2.5 : 1 - 0.6 / r;
    apart = fmax(apart, fmax(fabs(p - i / (double)DRAWS), fabs(p - (i + 1) / (double)DRAWS)));
  }
  assert_true(apart < 1.95 / sqrt(DRAWS)); /* Kolmogorov: 0.1 % */
  free(t);
}

/* Training must see exactly what the policy sees: also when the recorded pictures have another size than the model's. */
static void check_images(int stored) {
  vlb_model_config c = tiny_model();
  vlb_error err;
  vlb_dataset *d;
  vlb_samples b;
  const char *file = "images_demo.hdf5";
  write_task(file, "x", true, 1, stored, 3);
  assert_int_equal(vlb_dataset_load(&c, &file, 1, &ctx, &d, &err), VLB_OK);
  assert_int_equal(vlb_samples_open(&b, &(vlb_model){.config = c}, c.chunk_size, 2, VLB_PREFIX_IMAGES, &err), VLB_OK);
  vlb_samples_fill(&b, 1, d, 2, 1, 0, 0);
  vlb_episode e;
  make_episode(&e, 5, stored, 3);
  enum { VIEW = 3 * 16 * 16 };
  float expected[VIEW], planes[24 * 24 * 3];
  uint8_t turned[24 * 24 * 3];
  for (int v = 0; v < 2; v++) {
    vlb_image_view(e.image[v] + 2 * stored * stored * 3, stored, VLB_VIEW_ROTATED, turned);
    vlb_image_prepare_u8(turned, stored, stored, expected, 16);
    assert_memory_equal(b.images + (v * 2 + 1) * VIEW, expected, sizeof expected);
    for (int i = 0; i < stored * stored; i++)
      for (int channel = 0; channel < 3; channel++) planes[channel * stored * stored + i] = (float)turned[3 * i + channel] / 255.0f;
    vlb_image_prepare(planes, stored, stored, expected, 16);
    assert_memory_equal(b.images + (v * 2 + 1) * VIEW, expected, sizeof expected);
  }
  vlb_episode_free(&e);
  vlb_samples_close(&b);
  vlb_dataset_free(d);
}

static void test_images(void **state) {
  (void)state;
  check_images(16);
  check_images(24);
}

int main(void) {
  ctx = (vlb_context){.log = vlb_log_open(stderr, true), .threads = 1};
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_epoch_is_a_permutation),
      cmocka_unit_test(test_batch_larger_than_the_data),
      cmocka_unit_test(test_targets_stop_at_the_episode),
      cmocka_unit_test(test_noise_does_not_depend_on_the_place),
      cmocka_unit_test(test_rows_of_a_chunk), cmocka_unit_test(test_targets_of_some_rows), cmocka_unit_test(test_when_rows_are_drawn), cmocka_unit_test(test_time), cmocka_unit_test(test_time_of_2025),
      cmocka_unit_test(test_images),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vlb_log_close(ctx.log);
  return failed;
}
