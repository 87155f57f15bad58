/* Makes the micro tokenizer: byte-level BPE trained on a corpus of robot instructions (specification 6). */
#ifndef VLB_DATA_TOKENIZER_TRAIN_H
#define VLB_DATA_TOKENIZER_TRAIN_H

#include <stddef.h>

#include "core/base/status.h"

/* Trains on the lines of `corpus` (lines that start with '#' are comments) and gives a Hugging Face tokenizer.json, malloc'd with
 * a closing zero; the caller frees it. Ids: <|endoftext|> 0, <fake_token_around_image> 1, <global-img> 2, <|pad|> 3, the
 * 256 bytes, then one merge per row up to `vocab` rows. Always the most frequent pair, of equals the one with the smallest ids:
 * the result depends on the corpus alone. Errors: VLB_USAGE when vocab is not 261..2048, or the corpus has too few pairs that repeat or is not UTF-8. */
vlb_code vlb_tokenizer_train(const char *corpus, size_t size, int vocab, char **json, vlb_error *err);

#endif
