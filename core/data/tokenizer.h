/* Byte-level BPE from a Hugging Face tokenizer.json (specification section 6). */
#ifndef VLB_DATA_TOKENIZER_H
#define VLB_DATA_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct vlb_tokenizer vlb_tokenizer;

/* From a tokenizer.json. */
vlb_code vlb_tokenizer_open(const char *path, vlb_tokenizer **tok, vlb_error *err);
/* From a file's text; `name` is for messages. */
vlb_code vlb_tokenizer_parse(const char *json, size_t size, const char *name, vlb_tokenizer **tok, vlb_error *err);
/* The embedded micro tokenizer (core/data/tokenizer.json): vocabulary of 512. */
vlb_code vlb_tokenizer_micro(vlb_tokenizer **tok, vlb_error *err);
vlb_code vlb_tokenizer_micro_text(const char **json, size_t *size, vlb_error *err); /* that file itself, never freed */
void vlb_tokenizer_free(vlb_tokenizer *tok);
int vlb_tokenizer_vocab(const vlb_tokenizer *tok);
int vlb_tokenizer_pad(const vlb_tokenizer *tok);
int vlb_tokenizer_added(const vlb_tokenizer *tok, const char *text); /* id of an added token, -1: none */
/* Which end of a prompt that is too long is kept: the last tokens (SmolVLM2, the default) or the first ones. */
void vlb_tokenizer_keep_start(vlb_tokenizer *tok, bool start);

/* All ids of text (no truncation). ids: malloc'd, caller frees. */
vlb_code vlb_tokenizer_encode(const vlb_tokenizer *tok, const char *text, size_t size, int32_t **ids, int *count, vlb_error *err);

/* The policy's prompt: appends "\n" unless present, truncates to max_length (on the left unless vlb_tokenizer_keep_start), pads on the right.
 * ids: [max_length], mask: [max_length] 1 = real. */
vlb_code vlb_tokenizer_prompt(const vlb_tokenizer *tok, const char *text, int max_length, int32_t *ids, uint8_t *mask, vlb_error *err);

#endif
