/* A policy that is ready to act: model, tokenizer, normalisation, names of its cameras. There are two readers of it, this one for LeRobot's
 * checkpoint directories (specification section 4) and experiments/plan/model_folder.h for folders of our own training. */
#ifndef VLB_MODEL_PRETRAINED_H
#define VLB_MODEL_PRETRAINED_H

#include "core/base/log.h"
#include "core/data/processors.h"
#include "core/data/tokenizer.h"
#include "core/model/lerobot.h"
#include "core/model/model.h"

typedef struct {
  vlb_model *model;         /* owned */
  vlb_tokenizer *tokenizer; /* owned */
  vlb_stats state, action;  /* as the policy's inputs and outputs are normalised */
  char cameras[VLB_LEROBOT_CAMERAS][VLB_LEROBOT_NAME]; /* of the pictures that every observation brings, in order: config.cameras of them */
} vlb_pretrained;

/* What a checkpoint directory says, before its weights are used. */
typedef struct {
  vlb_lerobot_config config;
  vlb_processors processors;
  vlb_shards *shards;         /* owned until the weights are used */
  char tokenizer[1024];       /* its tokenizer.json; "": none found */
} vlb_checkpoint_folder;

/* Opens DIR: config.json, weights (mapped, not read), processors, where the tokenizer lies. Announcements on log (may be NULL).
 * Errors: those of vlb_lerobot_config_read, vlb_shards_open and vlb_processors_read. */
vlb_code vlb_checkpoint_folder_open(const char *dir, vlb_log *log, vlb_checkpoint_folder *out, vlb_error *err);
void vlb_checkpoint_folder_close(vlb_checkpoint_folder *f);

/* Narrows config.cameras to the n named ones, in the policy's order (section 7: absent cameras are left out, the first empty_cameras of them are
 * black and masked). Names are feature keys, their last parts, or what rename_map maps to one. index[i]: place of name i among the cameras.
 * Errors (VLB_USAGE): an unknown name (lists the cameras), one given twice, none. */
vlb_code vlb_checkpoint_folder_cameras(vlb_checkpoint_folder *f, const char *const *names, int n, int *index, vlb_error *err);

/* Its tokenizer, or another tokenizer.json, and what that says of the model's special tokens. Caller frees. */
vlb_code vlb_checkpoint_folder_tokenizer(vlb_checkpoint_folder *f, const char *tokenizer, vlb_tokenizer **out, vlb_error *err);

/* The policy of an opened folder; takes its shards over. tokenizer: another tokenizer.json, or NULL. Caller: vlb_pretrained_free. */
vlb_code vlb_pretrained_load(vlb_checkpoint_folder *f, const char *dir, const char *tokenizer, vlb_log *log, vlb_pretrained *out, vlb_error *err);
void vlb_pretrained_free(vlb_pretrained *p);

#endif
