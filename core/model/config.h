/* Every switch of a SmolVLA variant. Names follow LeRobot's config.json where it has the field. */
#ifndef VLB_MODEL_CONFIG_H
#define VLB_MODEL_CONFIG_H

#include "core/base/fields.h"
#include "core/data/embodiment.h"

enum { VLB_ATTENTION_CROSS, VLB_ATTENTION_SELF, VLB_ATTENTION_INTERLEAVED };
enum { VLB_MASK_CAUSAL, VLB_MASK_BIDIRECTIONAL };
enum { VLB_STATE_PREFIX, VLB_STATE_SUFFIX, VLB_STATE_SUFFIX_SEEN };
enum { VLB_OBJECTIVE_FLOW, VLB_OBJECTIVE_L1 };
enum { VLB_FREEZE_VLM, VLB_FREEZE_VISION, VLB_FREEZE_NOTHING };

#define VLB_MODEL_FIELDS(X)                                                                                        \
  X(INT, num_vlm_layers, "0", 0, 256, NULL, "VLM layers kept, counted after skipping; 0 keeps all")                \
  X(BOOL, skip_every_second, "false", 0, 1, NULL, "keep VLM layers 0, 2, 4, ... only")                             \
  X(INT, num_expert_layers, "0", 0, 256, NULL, "expert layers; 0 means as many as VLM layers")                     \
  X(REAL, expert_width, "0.75", 0.01, 4, NULL, "expert width relative to the VLM's hidden size")                   \
  X(ENUM, attention, "interleaved", 0, 0, "cross self interleaved", "how the expert attends to the VLM")           \
  X(INT, self_attn_every, "2", 1, 256, NULL, "interleaved: every n-th layer, from layer 0, is self-attention")     \
  X(ENUM, action_mask, "causal", 0, 0, "causal bidirectional", "what action tokens see of each other in self layers") \
  X(ENUM, state, "prefix", 0, 0, "prefix suffix suffix_seen", "where the state token enters; seen: cross layers show it too") \
  X(ENUM, objective, "flow", 0, 0, "flow l1", "flow matching or L1 regression (x_t = 0, t = 1)")                   \
  X(ENUM, freeze, "vlm", 0, 0, "vlm vision nothing", "what is not trained")                                        \
  X(BOOL, train_state_proj, "true", 0, 1, NULL, "train the state projection")                                      \
  X(INT, chunk_size, "50", 1, 1024, NULL, "actions predicted at once (T)")                                         \
  X(INT, n_action_steps, "50", 1, 1024, NULL, "actions executed before a new prediction; at most chunk_size")      \
  X(INT, num_steps, "10", 1, 1000, NULL, "Euler steps of the flow at inference")                                   \
  X(INT, max_state_dim, "32", 1, 1024, NULL, "state is zero-padded to this")                                       \
  X(INT, max_action_dim, "32", 1, 1024, NULL, "actions are zero-padded to this")                                   \
  X(INT, action_dim, "7", 1, 1024, NULL, "real action dimensions; the loss counts these")                          \
  X(INT, cameras, "2", 1, 16, NULL, "image views present in an observation")                                       \
  X(INT, empty_cameras, "0", 0, 16, NULL, "masked all-black views appended after the present ones")                \
  X(INT, tokenizer_max_length, "48", 1, 4096, NULL, "language tokens; a longer instruction keeps its end")         \
  X(INT, prefix_length, "0", -1, 1048576, NULL, "pad the prefix to this length; at most the real length: no effect") \
  X(BOOL, add_image_special_tokens, "false", 0, 1, NULL, "wrap each view in its special tokens")                   \
  X(REAL, min_period, "0.004", 1e-9, 1e9, NULL, "shortest period of the time embedding")                           \
  X(REAL, max_period, "4.0", 1e-9, 1e9, NULL, "longest period of the time embedding")                              \
  X(INT, text_hidden, "96", 2, 65536, NULL, "VLM hidden size D")                                                   \
  X(INT, text_mlp, "256", 1, 1048576, NULL, "VLM MLP size")                                                        \
  X(INT, text_layers, "32", 1, 1024, NULL, "layers of the VLM before any are dropped")                             \
  X(INT, text_heads, "6", 1, 1024, NULL, "query heads H")                                                          \
  X(INT, text_kv_heads, "2", 1, 1024, NULL, "key/value heads K; divides H")                                        \
  X(INT, head_dim, "16", 2, 1024, NULL, "head size d, even")                                                       \
  X(REAL, initializer_range, "0.02", 0, 1, NULL, "standard deviation of fresh transformer weights")                \
  X(REAL, rms_eps, "1e-5", 0, 1, NULL, "RMSNorm epsilon")                                                          \
  X(INT, vocab_size, "512", 1, 16777216, NULL, "rows of the embedding table")                                      \
  X(INT, vision_hidden, "96", 1, 65536, NULL, "vision tower hidden size")                                          \
  X(INT, vision_mlp, "256", 1, 1048576, NULL, "vision tower MLP size")                                             \
  X(INT, vision_layers, "4", 0, 1024, NULL, "vision tower layers")                                                 \
  X(INT, vision_heads, "3", 1, 1024, NULL, "vision tower heads; divides vision_hidden")                            \
  X(REAL, vision_eps, "1e-6", 0, 1, NULL, "LayerNorm epsilon of the vision tower")                                 \
  X(INT, image_size, "64", 1, 8192, NULL, "square input of the vision tower, pixels")                              \
  X(INT, patch_size, "8", 1, 1024, NULL, "patch side, pixels; a rest of image_size is not seen")                                 \
  X(INT, scale_factor, "2", 1, 64, NULL, "pixel shuffle; divides the patches per side")                            \
  X(INT, fake_image_token, "1", 0, 16777216, NULL, "id of <fake_token_around_image>")                              \
  X(INT, global_image_token, "2", 0, 16777216, NULL, "id of <global-img>")

typedef struct {
  VLB_MODEL_FIELDS(VLB_FIELD_MEMBER)
} vlb_model_config;

extern const vlb_field vlb_model_fields[];

/* Numbers that follow from the switches (specification sections 3, 9, 12.2). */
typedef struct {
  int vlm_layers, expert_layers; /* kept; expert layer j sits at VLM layer j * (vlm_layers / expert_layers) */
  int expert_hidden, expert_mlp; /* E and its MLP */
  int q_width, kv_width;         /* H*d, K*d */
  int patches, tokens_per_view;  /* of one view */
  int views;                     /* cameras + empty_cameras */
} vlb_model_shape;

/* Checks every combination and derives the shape. VLB_USAGE names the two keys that clash and why. */
vlb_code vlb_model_shape_of(const vlb_model_config *config, vlb_model_shape *shape, vlb_error *err);

/* For a rollout in which the rest of a chunk is never looked at: rows of the suffix that only look across do not see each other, so with attention = cross
 * those of actions beyond n_action_steps need not be computed. The actions that remain are the same up to rounding. */
void vlb_model_leave_out_unexecuted(vlb_model_config *config);

/* Whether the model takes what the robot shows and gives what it takes. VLB_USAGE names the first key that does not fit and its value. */
vlb_code vlb_model_fits(const vlb_model_config *config, const vlb_embodiment *robot, vlb_error *err);

#endif
