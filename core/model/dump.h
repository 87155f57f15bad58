/* Everything that a policy computes for one observation, as a safetensors file under the names of the reference cases (specification section 20):
 *
 *   in.observation.state, in.observation.language.tokens, .attention_mask, in.noise     what the model is given
 *   out.imageV, out.image_tokensV, out.prefix_embs, out.prefix_pad, out.prefix_att, out.suffix_att, out.att2d, out.position_ids
 *   out.layerI.prefix          the prefix before VLM layer I (the last layer's output is never needed, nor computed)
 *   out.layerI.keys, .values   of the prefix, as the expert attends to them: rotated, and in cross layers after its own projection
 *   out.sample.*               of every Euler step, first axis: time, time_emb, x, v, suffix_embs, layerI.suffix (before expert layer I + 1), final_suffix
 *   out.sample.actions_padded, out.actions      the result: normalised, and in the robot's units
 */
#ifndef VLB_MODEL_DUMP_H
#define VLB_MODEL_DUMP_H

#include "core/model/runner.h"

typedef struct vlb_dump vlb_dump;

/* Before the run of a runner for one observation that keeps what it computes (vlb_inference_options). Caller: vlb_dump_free, before the runner's end. */
vlb_code vlb_dump_begin(vlb_runner *r, vlb_dump **dump, vlb_error *err);
/* After it. actions: [T,action_dim], what the run gave. */
vlb_code vlb_dump_write(vlb_dump *dump, const float *actions, const char *path, vlb_error *err);
void vlb_dump_free(vlb_dump *dump);

#endif
