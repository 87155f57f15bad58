/* Small data and models for the trainer's tests. */
#ifndef VLB_TEST_TRAIN_FIXTURE_H
#define VLB_TEST_TRAIN_FIXTURE_H

#include "core/data/episodes.h"
#include "core/train/dataset.h"

/* A model small enough for a step per millisecond: 16-pixel views, 2 layers, chunks of 4. */
vlb_model_config tiny_model(void);

/* An episode whose every number follows from (seed, frame): actions vary from frame to frame, pixels are noise. */
void make_episode(vlb_episode *e, int frames, int image_size, uint32_t seed);
/* Action j of frame k of that episode. */
double episode_action(uint32_t seed, int k, int j);

/* Writes one task file with `episodes` episodes of 5, 6, 7, ... frames. */
void write_task(const char *path, const char *instruction, bool observed_before, int episodes, int image_size, uint32_t seed);

/* Two task files in the present folder, loaded for the model. */
vlb_dataset *small_dataset(const vlb_model_config *model, const vlb_context *ctx);

/* FOLDER/NAME in static memory */
const char *file_in(const char *folder, const char *name);
bool exists_in(const char *folder, const char *name);
/* Two finished runs left the same bytes, the second no checkpoint. */
void same_run(const char *a, const char *b);

#endif
