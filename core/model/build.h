/* The model written as a graph, once; training, inference and verification assemble the same pieces.
 *
 * Rows of the VLM stream are kept in segments: context (images and language), state, tail (padding). The context depends
 * on nothing trainable when the VLM is frozen, so reverse builds gradients for the state's single row only (section 16). */
#ifndef VLB_MODEL_BUILD_H
#define VLB_MODEL_BUILD_H

#include "core/model/layout.h"
#include "core/model/model.h"
#include "core/tensor/graph.h"

/* Stages of the graphs, for measurements. */
#define VLB_STAGE_VISION "vision"
#define VLB_STAGE_CONNECTOR "connector"
#define VLB_STAGE_PREFILL "prefill"
#define VLB_STAGE_FLOW "flow step"

enum { SEGMENT_CONTEXT, SEGMENT_STATE, SEGMENT_TAIL, SEGMENTS, VLB_MAX_LAYERS = 256 };

/* Keys and values of one VLM layer, or what an expert cross layer makes of them. */
typedef struct {
  vlb_t k[SEGMENTS], v[SEGMENTS];
} vlb_kv;

typedef struct {
  vlb_graph *g;
  const vlb_model *model;
  vlb_row_counts rows;
  int batch;
  /* Verification follows the reference to the letter: the tail exists, and invalid rows attend uniformly to prefix and suffix. */
  bool literal;
  /* Inference: the state's row runs with the context's instead of by itself, for which every weight would be read again. */
  bool joined;
  vlb_precision precision; /* inference: of the layers that are stored in less than float32 */
  vlb_t *weights; /* one tensor per parameter, made on first use; owned */

  /* inputs; VLB_NONE where the graph does not need them */
  vlb_t images, tokens, special, state, noisy, time;
  vlb_t answers; /* [B,A] ids of a caption, which then stand where the state would */
  vlb_t position[SEGMENTS], position_suffix, position_chunk; /* absolute; chunk: restarting at 0 */
  vlb_t mask_prefix[SEGMENTS], mask_joint[SEGMENTS], mask_cross, mask_suffix;
  vlb_t angles[SEGMENTS], angles_suffix, angles_chunk;

  /* what was built */
  vlb_t image_tokens, context, suffix, velocity, final_prefix[SEGMENTS], final_suffix;
  vlb_kv kv[VLB_MAX_LAYERS];
  vlb_kv kv_given[VLB_MAX_LAYERS]; /* inputs of vlb_build_given_context; kv holds what cross layers make of them */
  vlb_t stream[VLB_MAX_LAYERS + 1][SEGMENTS], expert[VLB_MAX_LAYERS + 1]; /* residual streams before each layer */
} vlb_build;

int vlb_segment_rows(const vlb_build *b, int segment); /* 0: it does not exist */

vlb_code vlb_build_begin(vlb_build *b, const vlb_model *model, int batch, bool literal, vlb_error *err);
void vlb_build_end(vlb_build *b); /* frees what build owns; the graph stays the caller's */

/* The context alone, for a frozen VLM (core/model/prefix.h): images of the present cameras -> image_tokens [C*B,n,D]; and image tokens
 * (an input, [V*B,n,D]) with language -> kv of every layer. */
void vlb_build_vision(vlb_build *b);
void vlb_build_context(vlb_build *b);
/* The context's kv of every layer become inputs [B,R,W]; vlb_build_prefix then adds the state only. */
void vlb_build_given_context(vlb_build *b);
/* Images, language and state -> kv of every layer. Skips what nobody reads (the last layer's attention and MLP). */
void vlb_build_prefix(vlb_build *b);
/* The expert's own keys and values of cross layers, which depend on neither actions nor time; replaces kv of those layers. */
void vlb_build_cross_kv(vlb_build *b);
/* Noisy actions and time -> suffix -> expert layers -> velocity [B,T,max_action_dim]. */
void vlb_build_suffix(vlb_build *b);
/* The VLM alone: images and language, then `answers` rows of text, each of which sees what comes before it; all layers to the end. */
void vlb_build_captions(vlb_build *b, int answers);
/* What the answers' rows say comes next, read off the stream before layer `depth`: [B,A,vocabulary]. */
vlb_t vlb_build_logits(vlb_build *b, int depth);
/* Prefix and suffix layer by layer, as the reference does, keeping every residual stream. */
void vlb_build_literal(vlb_build *b);

/* Host arrays behind the inputs of one built graph. */
typedef struct {
  vlb_layout layout;
  float *mask_prefix[SEGMENTS], *mask_joint[SEGMENTS], *mask_cross, *mask_suffix, *tail;
  int32_t *position[SEGMENTS], *position_suffix, *position_chunk, *special;
  float *images; /* only with empty cameras: [views,B,3,S,S] */
  void *blocks[20]; /* all of the above, to be freed */
  int block_count;
} vlb_inputs;
/* Allocates and binds what does not change. The build may be ended afterwards; b's handles must stay. */
vlb_code vlb_inputs_create(vlb_inputs *in, const vlb_build *b, vlb_error *err);
void vlb_inputs_free(vlb_inputs *in);
/* Fills masks and positions and binds images, tokens and state of a batch of exactly b->batch samples. */
void vlb_inputs_fill(vlb_inputs *in, const vlb_build *b, const vlb_batch *batch);

bool vlb_layer_is_self(const vlb_model_config *config, int expert_layer);

#endif
