/* The VLM as a language model that tells what it sees: the loss of captions, and what it would say. */
#ifndef VLB_MODEL_CAPTIONER_H
#define VLB_MODEL_CAPTIONER_H

#include "core/model/model.h"

enum { VLB_CAPTION_TARGETS = 7, VLB_MAX_DEPTHS = 32 }; /* targets of a row: one word, or a place's bin with three on each side */

typedef struct {
  int answers;         /* A, rows of an answer */
  int depth_every;     /* answers are read off before every so many layers, too; 0: at the end only */
  double depth_weight; /* what such a loss counts beside the end's */
} vlb_captioner_spec;

/* Borrowed, read only. */
typedef struct {
  const float *images;       /* [V,B,3,S,S] in [-1,1] */
  const int32_t *tokens;     /* [B,L] the question, padded on the right */
  const uint8_t *token_mask; /* [B,L] */
  const int32_t *answers;    /* [B,A] */
  const int32_t *targets;    /* [B,A,VLB_CAPTION_TARGETS] what comes next */
  const float *weights;      /* [B,A,VLB_CAPTION_TARGETS] all zero where it does not count */
} vlb_caption_batch;

/* For exactly `batch` samples; single-threaded, borrows the model. */
typedef struct vlb_captioner vlb_captioner;
vlb_code vlb_captioner_create(const vlb_model *model, const vlb_captioner_spec *spec, int batch, bool trains, vlb_captioner **out, vlb_error *err);
void vlb_captioner_free(vlb_captioner *c);
/* loss: sum of the end's and the depths' cross-entropies times scale. gradient [gradient_count] of that; NULL: loss only. */
void vlb_captioner_run(vlb_captioner *c, const vlb_caption_batch *batch, double scale, double *loss, float *gradient);
/* After a run: the logits [B,A,vocabulary] read off at the d-th depth, the last one being the end. */
int vlb_captioner_depths(const vlb_captioner *c);
int vlb_captioner_depth(const vlb_captioner *c, int d); /* in layers */
const float *vlb_captioner_logits(const vlb_captioner *c, int d);
/* After a run that does not train: keys (what 0) or values (1) of layer `layer`'s context rows, [B,rows,K*d]. */
const float *vlb_captioner_kv(const vlb_captioner *c, int layer, int what);
double vlb_captioner_flops(const vlb_captioner *c);

#endif
