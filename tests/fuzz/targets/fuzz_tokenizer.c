/* Any bytes as a tokenizer.json, and what follows the first zero byte as a text for it; a text without a tokenizer goes to ours. */
#include "target.h"

#include "core/data/tokenizer.h"

static void encode(const vlb_tokenizer *tok, const char *text, size_t size) {
  vlb_error err = {VLB_OK, ""};
  int32_t *ids = NULL, prompt[16];
  uint8_t mask[16];
  int count = 0;
  vlb_code code = vlb_tokenizer_encode(tok, text, size, &ids, &count, &err);
  check_end(code, &err);
  for (int i = 0; !code && i < count; i++)
    if (ids[i] < 0 || ids[i] >= vlb_tokenizer_vocab(tok)) abort();
  free(ids);
  char *line = malloc(size + 1);
  if (!line) abort();
  memcpy(line, text, size);
  line[size] = 0;
  check_end(vlb_tokenizer_prompt(tok, line, 16, prompt, mask, &err), &err);
  free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static vlb_tokenizer *ours;
  vlb_error err = {VLB_OK, ""};
  vlb_tokenizer *tok;
  if (!ours && vlb_tokenizer_micro(&ours, &err)) abort();
  const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
  size_t head = zero ? (size_t)(zero - data) : size, skip = zero ? 1 : 0;
  const char *text = (const char *)data + head + skip;
  size_t rest = size - head - skip;
  if (zero && !head) {
    encode(ours, text, rest);
    return 0;
  }
  char *json = malloc(head + 1); /* of exactly that size, so that reading beyond it is seen */
  if (!json) abort();
  if (head) memcpy(json, data, head);
  vlb_code code = vlb_tokenizer_parse(json, head, "tokenizer.json", &tok, &err);
  free(json);
  check_end(code, &err);
  if (code) return 0;
  encode(tok, text, rest);
  vlb_tokenizer_free(tok);
  return 0;
}
