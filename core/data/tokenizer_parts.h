/* Private to core/data: what tokenizer_read.c fills and tokenizer.c uses. */
#ifndef VLB_DATA_TOKENIZER_PARTS_H
#define VLB_DATA_TOKENIZER_PARTS_H

#include <stdbool.h>

#include "core/data/bpe.h"
#include "core/data/pretokenize.h"
#include "core/data/tokenizer.h"

/* Matched in the text before anything else, as a whole. */
typedef struct {
  char *text;
  size_t size;
  int32_t id;
} vlb_added_token;

struct vlb_tokenizer {
  int32_t byte_ids[256]; /* id of the symbol of a byte; -1: not in the vocabulary */
  vlb_merges merges;
  vlb_pretokenizer *pieces;
  vlb_added_token *added;
  int added_count;
  bool added_starts[256]; /* some added token starts with this byte */
  int vocab;              /* rows that an embedding table needs: largest id + 1 */
  int pad;
  bool keep_start; /* of a prompt that is too long */
};

#endif
