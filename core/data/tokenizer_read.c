/* tokenizer.json -> tokenizer. A file that asks for something this program does not do is refused, never approximated. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/tokenizer_parts.h"

enum { MAX_ID = 1 << 24 };

/* What is being read, for messages. */
typedef struct {
  vlb_tokenizer *tok;
  const char *name;
  json_t *root, *model, *vocab; /* borrowed from root */
} source;

static vlb_code bad(const source *s, vlb_error *err, const char *what) {
  return vlb_fail(err, VLB_FAILED, "%s: %s", s->name, what);
}

static bool is_type(const json_t *node, const char *type) {
  const char *name = json_string_value(json_object_get(node, "type"));
  return name && !strcmp(name, type);
}

static bool absent(const json_t *node) { return !node || json_is_null(node); }

static bool empty_text(const json_t *node) { return absent(node) || (json_is_string(node) && !json_string_length(node)); }

/* --- the steps around the model --- */

static vlb_code check_byte_level(const source *s, const json_t *step, vlb_error *err) {
  if (!is_type(step, "ByteLevel")) return bad(s, err, "pre_tokenizer is not Digits and ByteLevel; only GPT-2 style files are supported");
  const json_t *regex = json_object_get(step, "use_regex"); /* older files lack it and mean true */
  if (json_is_true(json_object_get(step, "add_prefix_space")) || json_is_false(regex))
    return bad(s, err, "pre_tokenizer ByteLevel with add_prefix_space or without use_regex is not supported");
  return VLB_OK;
}

static vlb_code read_pretokenizer(source *s, vlb_error *err) {
  const json_t *step = json_object_get(s->root, "pre_tokenizer");
  bool digits = false;
  if (is_type(step, "Sequence")) {
    const json_t *list = json_object_get(step, "pretokenizers");
    const json_t *first = json_array_get(list, 0);
    digits = is_type(first, "Digits");
    if (json_array_size(list) != (digits ? 2u : 1u)) return bad(s, err, "pre_tokenizer is not the sequence Digits, ByteLevel");
    if (digits && !json_is_true(json_object_get(first, "individual_digits")))
      return bad(s, err, "pre_tokenizer Digits without individual_digits is not supported");
    step = json_array_get(list, digits);
  }
  VLB_TRY(check_byte_level(s, step, err));
  return vlb_pretokenizer_make(digits, &s->tok->pieces, err);
}

/* whether a post-processor leaves the ids of one text alone; transformers 5 writes a template that consists of the text only */
static bool adds_nothing(const json_t *post) {
  if (absent(post) || is_type(post, "ByteLevel")) return true;
  const json_t *parts = json_object_get(post, "single");
  return is_type(post, "TemplateProcessing") && json_array_size(parts) == 1 && json_object_get(json_array_get(parts, 0), "Sequence");
}

static vlb_code check_steps(const source *s, vlb_error *err) {
  if (!absent(json_object_get(s->root, "normalizer"))) return bad(s, err, "a normalizer is not supported");
  if (!adds_nothing(json_object_get(s->root, "post_processor"))) return bad(s, err, "a post_processor that adds tokens is not supported");
  return VLB_OK;
}

/* --- the model --- */

static vlb_code check_model(const source *s, vlb_error *err) {
  const json_t *m = s->model;
  const json_t *type = json_object_get(m, "type"); /* files of old versions leave it out */
  if (!json_is_object(m) || !json_is_object(s->vocab)) return bad(s, err, "no model with a vocabulary; it is not a tokenizer.json");
  if (!absent(type) && !is_type(m, "BPE")) return bad(s, err, "the model is not BPE");
  if (!absent(json_object_get(m, "dropout")) || json_is_true(json_object_get(m, "byte_fallback")) ||
      json_is_true(json_object_get(m, "ignore_merges")))
    return bad(s, err, "BPE with dropout, byte_fallback or ignore_merges is not supported");
  if (!empty_text(json_object_get(m, "continuing_subword_prefix")) || !empty_text(json_object_get(m, "end_of_word_suffix")))
    return bad(s, err, "BPE with a subword prefix or a word suffix is not supported");
  return VLB_OK;
}

/* Checks an id and makes the vocabulary large enough. */
static vlb_code take_id(const source *s, const json_t *value, int32_t *id, vlb_error *err) {
  json_int_t n = json_integer_value(value);
  if (!json_is_integer(value) || n < 0 || n >= MAX_ID) return bad(s, err, "a token id is not a number from 0 to 16777215");
  *id = (int32_t)n;
  if (*id >= s->tok->vocab) s->tok->vocab = *id + 1;
  return VLB_OK;
}

static int32_t find_id(const source *s, const char *symbol) {
  const json_t *id = json_object_get(s->vocab, symbol);
  return id ? (int32_t)json_integer_value(id) : -1;
}

static vlb_code read_vocab(source *s, vlb_error *err) {
  const char *symbol;
  json_t *value;
  json_object_foreach(s->vocab, symbol, value) {
    int32_t id;
    VLB_TRY(take_id(s, value, &id, err));
  }
  const char *unknown = json_string_value(json_object_get(s->model, "unk_token"));
  for (int byte = 0; byte < 256; byte++) {
    char name[3];
    vlb_byte_symbol((unsigned char)byte, name);
    s->tok->byte_ids[byte] = find_id(s, name);
    if (s->tok->byte_ids[byte] < 0 && unknown) s->tok->byte_ids[byte] = find_id(s, unknown);
  }
  return VLB_OK;
}

/* The two halves of a merge: ["a", "b"], or "a b" in older files. `buf` holds the split text; the caller frees it. */
static bool merge_halves(const json_t *merge, const char **a, const char **b, char **buf) {
  *buf = NULL;
  if (json_array_size(merge) == 2) {
    *a = json_string_value(json_array_get(merge, 0));
    *b = json_string_value(json_array_get(merge, 1));
    return *a && *b;
  }
  *buf = json_is_string(merge) ? strdup(json_string_value(merge)) : NULL;
  char *blank = *buf ? strchr(*buf, ' ') : NULL;
  if (!blank || strchr(blank + 1, ' ')) return false;
  *blank = 0;
  *a = *buf;
  *b = blank + 1;
  return true;
}

static int32_t find_joined(const source *s, const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  char *both = malloc(n + m + 1);
  if (!both) return -1;
  memcpy(both, a, n);
  memcpy(both + n, b, m + 1);
  int32_t id = find_id(s, both);
  free(both);
  return id;
}

static vlb_code read_merge(const source *s, const json_t *merge, int rank, vlb_error *err) {
  const char *a = NULL, *b = NULL;
  char *buf;
  int32_t left = -1, right = -1, merged = -1;
  if (merge_halves(merge, &a, &b, &buf)) {
    left = find_id(s, a);
    right = find_id(s, b);
    merged = find_joined(s, a, b);
  }
  free(buf);
  if (left < 0 || right < 0 || merged < 0)
    return vlb_fail(err, VLB_FAILED, "%s: merge %d is not a pair of symbols of the vocabulary", s->name, rank);
  vlb_merges_add(&s->tok->merges, left, right, rank, merged);
  return VLB_OK;
}

static vlb_code read_merges(source *s, vlb_error *err) {
  const json_t *list = json_object_get(s->model, "merges");
  if (!json_is_array(list) || json_array_size(list) > MAX_ID) return bad(s, err, "the model has no list of merges");
  int n = (int)json_array_size(list);
  if (!vlb_merges_make(&s->tok->merges, (size_t)n)) return bad(s, err, "out of memory");
  for (int rank = 0; rank < n; rank++) VLB_TRY(read_merge(s, json_array_get(list, (size_t)rank), rank, err));
  return VLB_OK;
}

/* --- added tokens and padding --- */

static vlb_code read_added(source *s, const json_t *node, vlb_error *err) {
  vlb_added_token *a = &s->tok->added[s->tok->added_count];
  const char *text = json_string_value(json_object_get(node, "content"));
  if (!text || !*text) return bad(s, err, "an added token has no content");
  if (json_is_true(json_object_get(node, "lstrip")) || json_is_true(json_object_get(node, "rstrip")) ||
      json_is_true(json_object_get(node, "single_word")))
    return vlb_fail(err, VLB_FAILED, "%s: added token \"%.100s\": lstrip, rstrip and single_word are not supported", s->name, text);
  VLB_TRY(take_id(s, json_object_get(node, "id"), &a->id, err));
  a->text = strdup(text);
  if (!a->text) return bad(s, err, "out of memory");
  a->size = strlen(text);
  s->tok->added_starts[(unsigned char)*text] = true;
  s->tok->added_count++;
  return VLB_OK;
}

static vlb_code read_all_added(source *s, vlb_error *err) {
  const json_t *list = json_object_get(s->root, "added_tokens");
  size_t n = json_array_size(list);
  s->tok->added = calloc(n + 1, sizeof *s->tok->added);
  if (!s->tok->added) return bad(s, err, "out of memory");
  for (size_t i = 0; i < n; i++) VLB_TRY(read_added(s, json_array_get(list, i), err));
  return VLB_OK;
}

/* The file may say how to pad; SmolVLM2's does not, and pads with <|im_end|>. */
static vlb_code read_pad(source *s, vlb_error *err) {
  const json_t *id = json_object_get(json_object_get(s->root, "padding"), "pad_id");
  if (id) {
    json_int_t n = json_integer_value(id);
    if (!json_is_integer(id) || n < 0 || n >= s->tok->vocab) return bad(s, err, "padding.pad_id is not in the vocabulary");
    s->tok->pad = (int)n;
    return VLB_OK;
  }
  for (int i = 0; i < s->tok->added_count; i++)
    if (!strcmp(s->tok->added[i].text, "<|im_end|>")) {
      s->tok->pad = s->tok->added[i].id;
      return VLB_OK;
    }
  return bad(s, err, "no padding token: neither padding.pad_id nor an added token <|im_end|>");
}

static vlb_code read_all(source *s, vlb_error *err) {
  s->model = json_object_get(s->root, "model");
  s->vocab = json_object_get(s->model, "vocab");
  VLB_TRY(check_model(s, err));
  VLB_TRY(check_steps(s, err));
  VLB_TRY(read_pretokenizer(s, err));
  VLB_TRY(read_vocab(s, err));
  VLB_TRY(read_merges(s, err));
  VLB_TRY(read_all_added(s, err));
  return read_pad(s, err);
}

vlb_code vlb_tokenizer_parse(const char *json, size_t size, const char *name, vlb_tokenizer **tok, vlb_error *err) {
  *tok = NULL;
  source s = {.name = name};
  json_error_t why;
  s.root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &why);
  if (!s.root) return vlb_fail(err, VLB_FAILED, "%s:%d: not JSON: %s", name, why.line, why.text);
  s.tok = calloc(1, sizeof *s.tok);
  vlb_code code = s.tok ? read_all(&s, err) : bad(&s, err, "out of memory");
  json_decref(s.root);
  if (code) vlb_tokenizer_free(s.tok);
  else *tok = s.tok;
  return code;
}
