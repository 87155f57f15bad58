/* The rows of a sample: what is in the prefix and suffix, who may attend to whom, at which positions
 * (specification sections 9 to 11). Host arithmetic, once per batch. */
#ifndef VLB_MODEL_LAYOUT_H
#define VLB_MODEL_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/model/model.h"

/* Counts of rows, fixed by the configuration. */
typedef struct {
  int per_view; /* image tokens, plus 3 special ones when they are on */
  int language; /* tokenizer_max_length */
  int context;  /* views * per_view + language: rows that see neither state nor actions */
  int state;    /* 1 with the state in the prefix, else 0 */
  int tail;     /* padding up to prefix_length */
  int prefix;   /* context + state + tail */
  int suffix;   /* chunk, plus 1 with the state in the suffix */
  int total;
} vlb_row_counts;
vlb_row_counts vlb_rows_count(const vlb_model_config *config, const vlb_model_shape *shape);

/* pad[context] of one sample. views: 1 where a camera's picture is real, one every `stride` bytes; NULL: all are. */
void vlb_context_pad(const vlb_model *model, const uint8_t *views, int stride, const uint8_t *token_mask, uint8_t *pad);

/* Per batch; arrays owned. */
typedef struct {
  vlb_row_counts rows;
  int batch;
  uint8_t *pad;        /* [B,total] 1 = a real row */
  uint8_t *block;      /* [total] 1 starts a new attention block */
  uint8_t *allowed;    /* [B,total,total] 1 = query may attend to key */
  int32_t *positions;  /* [B,total] */
} vlb_layout;

vlb_code vlb_layout_create(const vlb_model *model, int batch, vlb_layout *layout, vlb_error *err);
void vlb_layout_free(vlb_layout *layout);
/* Fills pad, allowed and positions from the masks of `batch` samples. */
void vlb_layout_fill(vlb_layout *layout, const vlb_model *model, const vlb_batch *batch);

/* emb [E]: sines then cosines of t over periods from min_period to max_period, in double (section 10). */
void vlb_time_embedding(const vlb_model_config *config, int width, float t, float *emb);

#endif
