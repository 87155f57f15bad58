#include "core/data/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/file.h"
#include "core/data/bpe.h"
#include "core/data/pretokenize.h"
#include "core/data/tokenizer_parts.h"

void vlb_tokenizer_free(vlb_tokenizer *tok) {
  if (!tok) return;
  for (int i = 0; i < tok->added_count; i++) free(tok->added[i].text);
  free(tok->added);
  vlb_merges_free(&tok->merges);
  vlb_pretokenizer_free(tok->pieces);
  free(tok);
}

int vlb_tokenizer_vocab(const vlb_tokenizer *tok) { return tok->vocab; }
int vlb_tokenizer_pad(const vlb_tokenizer *tok) { return tok->pad; }
void vlb_tokenizer_keep_start(vlb_tokenizer *tok, bool start) { tok->keep_start = start; }

int vlb_tokenizer_added(const vlb_tokenizer *tok, const char *text) {
  for (int i = 0; i < tok->added_count; i++)
    if (!strcmp(tok->added[i].text, text)) return tok->added[i].id;
  return -1;
}

vlb_code vlb_tokenizer_open(const char *path, vlb_tokenizer **tok, vlb_error *err) {
  char *text;
  size_t size;
  *tok = NULL;
  VLB_TRY(vlb_file_read(path, &text, &size, err));
  vlb_code code = vlb_tokenizer_parse(text, size, path, tok, err);
  free(text);
  return code;
}

extern const vlb_embedded vlb_embedded_data_assets[];

vlb_code vlb_tokenizer_micro_text(const char **json, size_t *size, vlb_error *err) {
  for (const vlb_embedded *e = vlb_embedded_data_assets; e->path; e++) {
    if (strcmp(e->path, "core/data/tokenizer.json")) continue;
    *json = (const char *)e->data;
    *size = e->size;
    return VLB_OK;
  }
  return vlb_fail(err, VLB_FAILED, "core/data/tokenizer.json is not embedded in this program");
}

vlb_code vlb_tokenizer_micro(vlb_tokenizer **tok, vlb_error *err) {
  const char *text = NULL;
  size_t size = 0;
  *tok = NULL;
  VLB_TRY(vlb_tokenizer_micro_text(&text, &size, err));
  return vlb_tokenizer_parse(text, size, "core/data/tokenizer.json", tok, err);
}

/* --- encoding --- */

typedef struct {
  const vlb_tokenizer *tok;
  int32_t *ids;
  size_t count, capacity;
} id_list;

static vlb_code reserve(id_list *list, size_t more, vlb_error *err) {
  if (list->count + more <= list->capacity) return VLB_OK;
  size_t capacity = 2 * (list->count + more) + 16;
  int32_t *grown = realloc(list->ids, capacity * sizeof *grown);
  if (!grown) return vlb_fail(err, VLB_FAILED, "tokenizer: out of memory");
  list->ids = grown;
  list->capacity = capacity;
  return VLB_OK;
}

static vlb_code encode_piece(void *self, const char *text, size_t size, vlb_error *err) {
  id_list *list = self;
  VLB_TRY(reserve(list, size, err));
  int32_t *ids = list->ids + list->count;
  long n = 0;
  for (size_t i = 0; i < size; i++) {
    int32_t id = list->tok->byte_ids[(unsigned char)text[i]];
    if (id >= 0) ids[n++] = id; /* a byte that the vocabulary lacks is dropped */
  }
  n = vlb_merge_piece(&list->tok->merges, ids, n);
  if (n < 0) return vlb_fail(err, VLB_FAILED, "tokenizer: out of memory");
  list->count += (size_t)n;
  return VLB_OK;
}

/* The longest added token at the start of text, or NULL. */
static const vlb_added_token *added_at(const vlb_tokenizer *tok, const char *text, size_t size) {
  if (!tok->added_starts[(unsigned char)*text]) return NULL;
  const vlb_added_token *best = NULL;
  for (int i = 0; i < tok->added_count; i++) {
    const vlb_added_token *a = &tok->added[i];
    bool here = a->size <= size && !memcmp(a->text, text, a->size);
    if (here && (!best || a->size > best->size)) best = a;
  }
  return best;
}

static vlb_code encode_all(id_list *list, const char *text, size_t size, vlb_error *err) {
  size_t start = 0;
  for (size_t at = 0; at < size;) {
    const vlb_added_token *a = added_at(list->tok, text + at, size - at);
    if (!a) {
      at++;
      continue;
    }
    VLB_TRY(vlb_pretokenize(list->tok->pieces, text + start, at - start, encode_piece, list, err));
    VLB_TRY(reserve(list, 1, err));
    list->ids[list->count++] = a->id;
    start = at += a->size;
  }
  return vlb_pretokenize(list->tok->pieces, text + start, size - start, encode_piece, list, err);
}

vlb_code vlb_tokenizer_encode(const vlb_tokenizer *tok, const char *text, size_t size, int32_t **ids, int *count, vlb_error *err) {
  enum { MAX_BYTES = 1 << 28 }; /* a count fits an int */
  *ids = NULL;
  *count = 0;
  if (size > MAX_BYTES) return vlb_fail(err, VLB_USAGE, "a text of %zu bytes is longer than %d", size, MAX_BYTES);
  id_list list = {.tok = tok};
  vlb_code code = reserve(&list, 1, err);
  if (!code) code = encode_all(&list, text, size, err);
  if (code) {
    free(list.ids);
    return code;
  }
  *ids = list.ids;
  *count = (int)list.count;
  return VLB_OK;
}

vlb_code vlb_tokenizer_prompt(const vlb_tokenizer *tok, const char *text, int max_length, int32_t *ids, uint8_t *mask, vlb_error *err) {
  size_t size = strlen(text);
  char *line = malloc(size + 2);
  if (!line) return vlb_fail(err, VLB_FAILED, "tokenizer: out of memory");
  memcpy(line, text, size + 1);
  if (!size || text[size - 1] != '\n') memcpy(line + size++, "\n", 2);
  int32_t *all = NULL;
  int count = 0;
  vlb_code code = vlb_tokenizer_encode(tok, line, size, &all, &count, err);
  free(line);
  if (code) return code;
  int kept = count < max_length ? count : max_length;
  int first = tok->keep_start ? 0 : count - kept; /* the end of a long prompt has the newline that the policy was trained with */
  for (int i = 0; i < max_length; i++) {
    mask[i] = i < kept;
    ids[i] = mask[i] ? all[first + i] : tok->pad;
  }
  free(all);
  return VLB_OK;
}
