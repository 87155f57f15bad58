/* Small models and batches of every kind for the model's tests. */
#ifndef VLB_TEST_MODEL_SAMPLE_H
#define VLB_TEST_MODEL_SAMPLE_H

#include "core/model/build.h"
#include "core/model/model.h"

/* The tests' base configuration with "key=value key=value ..." put over it: 2 cameras of 16 pixels, D = 16, 4 layers. */
vlb_model_config config_of(const char *changes);

/* A model of that configuration with weights of a size at which every part matters: N(0, 1/fan_in), norms near 1, biases near 0. A parameter's
 * values depend on its name alone, so that models of different configurations share what they have in common. */
vlb_model *model_of(const char *changes);
void random_weights(vlb_model *model);

/* A random batch; numbers of a sample depend on (seed + its index) alone. With `ragged`, some views are masked, prompts are padded to
 * different lengths and actions run beyond the end of the episode. */
typedef struct {
  vlb_batch batch;
  int size;
  double scale; /* 1 / valid numbers */
  float *images, *state, *actions, *noise, *time;
  uint8_t *image_mask, *token_mask, *action_pad;
  int32_t *tokens;
} sample_batch;
sample_batch batch_of(const vlb_model_config *config, int size, uint32_t seed, bool ragged);
void batch_free(sample_batch *b);

/* The model as the reference computes it: prefix and suffix together, every row, full masks. Results are allocated; any may be NULL. */
void literal_run(const vlb_model *model, const sample_batch *b, float **velocity, double *loss, float **gradient);

/* Loss and gradient of the training objective (gradient allocated; may be NULL). */
double objective_run(const vlb_model *model, const sample_batch *b, float **gradient);

/* Largest difference in units of the largest magnitude of `wanted`. */
double distance(const float *wanted, const float *got, size_t count);

#endif
