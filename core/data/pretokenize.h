/* Cutting text into the pieces that byte-pair merges may not cross, and GPT-2's names of the bytes (specification 6).
 * Private to core/data: the tokenizer and its trainer share it. */
#ifndef VLB_DATA_PRETOKENIZE_H
#define VLB_DATA_PRETOKENIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"

typedef struct vlb_pretokenizer vlb_pretokenizer;

/* digits: every Unicode digit is a piece of its own before the GPT-2 pattern cuts the rest. Caller frees. */
vlb_code vlb_pretokenizer_make(bool digits, vlb_pretokenizer **out, vlb_error *err);
void vlb_pretokenizer_free(vlb_pretokenizer *p);

/* Calls piece() for each piece in order; all pieces together are the text. Safe to call from several threads.
 * Errors: VLB_USAGE when the text is not UTF-8; what piece() returns. */
typedef vlb_code (*vlb_piece)(void *self, const char *text, size_t size, vlb_error *err);
vlb_code vlb_pretokenize(const vlb_pretokenizer *p, const char *text, size_t size, vlb_piece piece, void *self, vlb_error *err);

/* GPT-2's printable stand-in of a byte, UTF-8 with a closing zero. */
void vlb_byte_symbol(unsigned char byte, char out[3]);

#endif
