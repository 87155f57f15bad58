/* A SmolVLA variant: configuration, named parameters, and the two things done with it: the training objective
 * (loss and gradients of a shard) and the policy (actions for observations). */
#ifndef VLB_MODEL_MODEL_H
#define VLB_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/context.h"
#include "core/data/shards.h"
#include "core/model/config.h"
#include "core/model/guidance.h"
#include "core/tensor/graph.h"

typedef enum { VLB_INIT_NORMAL, VLB_INIT_ONE, VLB_INIT_ZERO, VLB_INIT_UNIFORM } vlb_init_kind;

/* One tensor of the model. Names are LeRobot's state-dict keys. */
typedef struct {
  char name[128];
  int ndim;
  int64_t dims[4];
  size_t size;      /* elements */
  size_t offset;    /* of its first element in vlb_model.weights; the gradient vector follows the same offsets */
  const float *data; /* its values: weights + offset, or in a mapped file */
  bool trainable;
  vlb_init_kind init; /* UNIFORM: +-1/sqrt(fan_in), torch's Linear */
  double fan_in;
} vlb_param;

typedef struct {
  vlb_model_config config;
  vlb_model_shape shape;
  vlb_param *params;
  int param_count;
  float *weights;        /* all parameters but those used where they are mapped, one 64-byte aligned vector, each tensor 64-byte aligned
                            (gaps are zero); NULL when all are mapped */
  size_t weight_count;
  size_t gradient_count; /* trainable tensors come first: the gradient vector matches weights[0 .. gradient_count) */
  vlb_shards *mapped;    /* the files behind `data` of a mapped model, else NULL; owned */
  float *converted;      /* of a mapped model: tensors that its files hold in another type; owned */
  bool *gone;            /* of a mapped model, [param_count]: its converted values were let go; owned */
} vlb_model;

/* A model with all weights zero. Errors: VLB_USAGE from vlb_model_shape_of. Caller frees. */
vlb_code vlb_model_create(const vlb_model_config *config, vlb_model **model, vlb_error *err);
/* Its vision-language model alone, all of it trainable: what pretraining works on. Tensors have the same names. */
vlb_code vlb_model_create_vlm(const vlb_model_config *config, vlb_model **model, vlb_error *err);
void vlb_model_free(vlb_model *model);

/* A model that only serves inference: float32 tensors are used where the files are mapped, so that nothing is copied and only what is read takes
 * memory; others are converted. Takes shards over, also on failure. Missing tensors are all named on `log` (NULL: in silence) and counted in
 * the error; tensors of the file that the model does not have are noted, but for lm_head and the statistics of old files. */
vlb_code vlb_model_map(const vlb_model_config *config, vlb_shards *shards, const char *folder, vlb_log *log, vlb_model **model, vlb_error *err);

/* A model that trains: random initial weights of `seed`, replaced by the tensors of shards (NULL: none; taken over, also on failure). Frozen float32
 * tensors are used where they are mapped, others are copied. vlm_only: only the VLM's tensors, under LeRobot's names or those of a stand-alone VLM,
 * are taken; of its text layers those that the configuration keeps (the first, or every second), renumbered. label names the source in errors
 * (VLB_FAILED): missing tensors, another shape. */
vlb_code vlb_model_begin(const vlb_model_config *config, uint64_t seed, vlb_shards *shards, bool vlm_only, const char *label, vlb_model **model,
                         vlb_error *err);
bool vlb_param_is_vlm(const vlb_param *param); /* of the vision tower, the connector or the text model */

/* Random initial weights (specification 17.4; the VLM part as its own training would start). Pure function of seed. */
void vlb_model_init(vlb_model *model, uint64_t seed);

/* Index of a parameter by name, -1 when there is none. */
int vlb_model_find(const vlb_model *model, const char *name);

/* model.safetensors: every tensor by name. Load names all missing tensors and the first shape that differs at once;
 * unknown tensors are ignored. Save is atomic and F32. */
vlb_code vlb_model_load(vlb_model *model, const char *path, vlb_error *err);
vlb_code vlb_model_save(const vlb_model *model, const char *path, vlb_error *err);

/* A batch of B samples, already normalised and preprocessed. Borrowed, read only. */
typedef struct {
  const float *images;       /* [V,B,3,S,S] in [-1,1], section 7 */
  const uint8_t *image_mask; /* [V,B] 1 = a real view; NULL = all real */
  const int32_t *tokens;     /* [B,L], L = tokenizer_max_length, padded on the right */
  const uint8_t *token_mask; /* [B,L] 1 = a real token */
  const float *state;        /* [B,max_state_dim], zero padded */
  const float *actions;      /* [B,T,max_action_dim], zero padded (training) */
  const uint8_t *action_pad; /* [B,T] 1 = beyond the episode's end (training) */
  const int32_t *chunk_rows; /* [B,T] places of these actions in their chunk; NULL: 0..T-1. Others only where attention is cross */
  const float *noise;        /* [B,T,max_action_dim] */
  const float *time;         /* [B] in [0.001,1] (training) */
  const vlb_guidance *guidance; /* [B] of a flow's inference; NULL: none */
  const float *image_tokens; /* [C,B,n,D] instead of images, where an objective takes VLB_PREFIX_TOKENS */
  const float *kv;           /* [layers,2,B,R,W] instead of images, where it takes VLB_PREFIX_KV (core/model/prefix.h) */
} vlb_batch;

/* What a training objective is given of pictures and language. The last two need a frozen VLM and change no bit of the result. */
typedef enum { VLB_PREFIX_IMAGES, VLB_PREFIX_TOKENS, VLB_PREFIX_KV } vlb_prefix_source;

/* The training objective for shards of exactly `batch` samples: plans once, runs without allocating. Single-threaded:
 * one objective per worker thread, all sharing the model's weights. Borrowed model must outlive it. */
typedef struct vlb_objective vlb_objective;
vlb_code vlb_objective_create(const vlb_model *model, int batch, vlb_objective **objective, vlb_error *err);
/* bf16: keys and values of a frozen VLM's context are rounded to bfloat16 before the expert sees them, whatever the source. */
vlb_code vlb_objective_create_from(const vlb_model *model, int batch, vlb_prefix_source source, bool bf16, vlb_objective **objective,
                                   vlb_error *err);
void vlb_objective_free(vlb_objective *objective);
/* loss: sum over the shard of the elementwise loss times scale, in double. gradient: [gradient_count], overwritten with
 * the gradient of that. scale: vlb_loss_scale of the whole batch. gradient NULL: loss only. */
vlb_code vlb_objective_run(vlb_objective *objective, const vlb_batch *batch, double scale, double *loss, float *gradient,
                           vlb_error *err);
/* Which entries count, and by what their sum is divided (specification sections 15 and 25). CURRENT: steps within the episode and the robot's own dimensions,
 * divided by their number. 2025, as all published checkpoints of that year were trained: every step and all max_action_dim dimensions. SPRING_2026 (between
 * 12 March and 23 April): the entries of CURRENT, divided by the number of all entries. */
typedef enum { VLB_LOSS_CURRENT, VLB_LOSS_2025, VLB_LOSS_SPRING_2026 } vlb_loss_kind;
void vlb_objective_set_loss(vlb_objective *objective, vlb_loss_kind kind); /* CURRENT where it is not called */
/* `scale` of a batch of `samples` with `valid` steps within their episodes. */
double vlb_loss_scale(const vlb_model_config *config, vlb_loss_kind kind, int64_t samples, int64_t valid);
/* Useful floating-point operations of one run (matrix products only, forward and backward; what is skipped is not counted). */
double vlb_objective_flops(const vlb_objective *objective);
/* For profiles: the graph with gradients first, then what computes a frozen VLM's part. Owned by the objective; returns how many. */
int vlb_objective_graphs(vlb_objective *objective, vlb_graph *graphs[3]);

/* Lets go of the memory behind a tensor of a mapped model. Where it is used as the file has it, it is read again when it is used; converted values are
 * gone until vlb_model_restore makes them again. */
void vlb_model_release(const vlb_model *model, const float *data);
vlb_code vlb_model_restore(const vlb_model *model, const float *data, vlb_error *err);

/* How a policy is computed. */
typedef struct {
  int threads;             /* >= 1; never changes a result */
  vlb_precision precision; /* of the weights and inputs of most layers (core/model/build.c:at_most) */
  /* int8: the largest magnitudes of those layers' inputs (vlb_calibrate); borrowed while the policy lives. */
  float *ranges;
  int range_count;
  bool calibrate; /* compute in float32 and raise ranges instead */
  bool keep;      /* intermediates stay readable after a run (core/model/dump.h); more memory, the same numbers */
} vlb_inference_options;
/* Whether this processor can: VLB_USAGE with the reason for int8 without the instructions (VNNI). */
vlb_code vlb_precision_check(vlb_precision precision, vlb_error *err);

/* Inference for up to `batch` observations at once. The result for an observation does not depend on the others in
 * the batch nor on its place (tested), so episodes may be grouped freely. One per worker thread.
 * options NULL: the graph as written, single-threaded, in float32. Else packed weights (the mapped originals are released), folded layers and threads of
 * its own: faster, the same bits for any number of threads, and other bits than with NULL by rounding. */
typedef struct vlb_policy vlb_policy;
vlb_code vlb_policy_create(const vlb_model *model, int batch, vlb_policy **policy, vlb_error *err); /* options NULL */
vlb_code vlb_policy_create_for(const vlb_model *model, int batch, const vlb_inference_options *options, vlb_policy **policy, vlb_error *err);
void vlb_policy_free(vlb_policy *policy);
/* batch->images/image_mask/tokens/token_mask/state/noise for n <= batch observations, laid out for n. actions: [n,T,max_action_dim] normalised. */
vlb_code vlb_policy_run(vlb_policy *policy, int n, const vlb_batch *batch, float *actions, vlb_error *err);
/* Calls watch(self, step, x, v) before each Euler step is taken, with the actions [B,T,max_action_dim] and the model's velocity there, before any guidance. */
typedef void (*vlb_flow_watch)(void *self, int step, const float *x, const float *v);
void vlb_policy_watch(vlb_policy *policy, vlb_flow_watch watch, void *self);
/* For measurements: the graph that runs once per observation and the one that runs at every step; owned by the policy. */
vlb_graph *vlb_policy_prefix_graph(vlb_policy *policy);
vlb_graph *vlb_policy_step_graph(vlb_policy *policy);
const double *vlb_policy_step_seconds(const vlb_policy *policy); /* [num_steps] of the last run, by the clock */
int vlb_policy_range_count(const vlb_policy *policy); /* layers whose inputs int8 needs the ranges of */

#endif
