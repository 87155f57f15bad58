/* What a frozen VLM makes of pictures and language, apart from everything that is trained: image tokens, then keys and values of every layer.
 * They depend on the observation alone, so they can be computed once per training frame and kept (core/train/prefix_cache.h). Training computes
 * them by these two objects even when nothing is kept: a sample's numbers do not depend on its company, so both ways give the same bits.
 *
 * C cameras present, V = C + empty ones, n tokens per view, R context rows (all views and language), W = K d numbers per row. */
#ifndef VLB_MODEL_PREFIX_H
#define VLB_MODEL_PREFIX_H

#include "core/model/model.h"

/* Sizes in floats, of one sample. */
size_t vlb_prefix_token_count(const vlb_model *model); /* C n D: image tokens */
size_t vlb_prefix_row_count(const vlb_model *model);   /* R */
size_t vlb_prefix_layer_count(const vlb_model *model); /* 2 R W: keys and values of one layer */

/* real[R] = 1 where a row is real: views that are present, special tokens, words by token_mask[L]. Other rows are seen by nobody. Returns how many. */
int vlb_prefix_real_rows(const vlb_model *model, const uint8_t *token_mask, uint8_t *real);

/* Vision tower and connector for exactly `batch` observations. images [C,B,3,S,S] -> tokens [C,B,n,D]. Single-threaded. */
typedef struct vlb_vision vlb_vision;
vlb_code vlb_vision_create(const vlb_model *model, int batch, vlb_vision **vision, vlb_error *err);
void vlb_vision_free(vlb_vision *vision);
void vlb_vision_run(vlb_vision *vision, const float *images, float *tokens);
double vlb_vision_flops(const vlb_vision *vision);
vlb_graph *vlb_vision_graph(vlb_vision *vision); /* for profiles */

/* The text layers on the context rows of exactly `batch` observations. bf16: keys and values are rounded to bfloat16 (to nearest, ties to even). */
typedef struct vlb_prefix vlb_prefix;
vlb_code vlb_prefix_create(const vlb_model *model, int batch, bool bf16, vlb_prefix **prefix, vlb_error *err);
void vlb_prefix_free(vlb_prefix *prefix);
/* tokens [C,B,n,D], batch: token ids and mask. kv: [layers,2,B,R,W], keys after rotation, then values; rows that are not real are zeros. */
void vlb_prefix_run(vlb_prefix *prefix, const float *tokens, const vlb_batch *batch, float *kv);
double vlb_prefix_flops(const vlb_prefix *prefix);
vlb_graph *vlb_prefix_graph(vlb_prefix *prefix);

#endif
