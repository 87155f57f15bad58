#include "core/data/tokenizer_train.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/pretokenize.h"

static const char *const special[] = {"<|endoftext|>", "<fake_token_around_image>", "<global-img>", "<|pad|>"};
enum { SPECIALS = 4, PAD = 3, FIRST_MERGE = SPECIALS + 256, MAX_VOCAB = 2048 };

/* A piece of the corpus and how often it occurs. */
typedef struct {
  const char *text;
  size_t size;
  int64_t count;
  int *ids; /* its symbols so far */
  int length;
} word;

typedef struct {
  word *words;
  size_t count, capacity;
} word_list;

typedef struct {
  int left, right;
} pair;

/* --- the words of the corpus --- */

static vlb_code add_word(void *self, const char *text, size_t size, vlb_error *err) {
  word_list *list = self;
  if (list->count == list->capacity) {
    size_t capacity = 2 * list->capacity + 1024;
    word *grown = realloc(list->words, capacity * sizeof *grown);
    if (!grown) return vlb_fail(err, VLB_FAILED, "tokenizer training: out of memory");
    list->words = grown;
    list->capacity = capacity;
  }
  list->words[list->count++] = (word){.text = text, .size = size, .count = 1};
  return VLB_OK;
}

static int by_text(const void *a, const void *b) {
  const word *x = a, *y = b;
  int order = memcmp(x->text, y->text, x->size < y->size ? x->size : y->size);
  return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* Equal words become one with a count, so that a merge costs as much as the vocabulary of the corpus, not its length. */
static vlb_code unite(word_list *list, vlb_error *err) {
  size_t kept = 0;
  if (list->count) qsort(list->words, list->count, sizeof *list->words, by_text);
  for (size_t i = 0; i < list->count; i++) {
    if (kept && !by_text(&list->words[kept - 1], &list->words[i])) list->words[kept - 1].count++;
    else list->words[kept++] = list->words[i];
  }
  list->count = kept;
  for (size_t i = 0; i < kept; i++) {
    word *w = &list->words[i];
    w->ids = malloc(w->size * sizeof *w->ids);
    if (!w->ids) return vlb_fail(err, VLB_FAILED, "tokenizer training: out of memory");
    for (size_t k = 0; k < w->size; k++) w->ids[k] = SPECIALS + (unsigned char)w->text[k];
    w->length = (int)w->size;
  }
  return VLB_OK;
}

/* A line keeps its newline: prompts end with one. */
static vlb_code read_corpus(const char *corpus, size_t size, word_list *list, vlb_error *err) {
  vlb_pretokenizer *pieces;
  VLB_TRY(vlb_pretokenizer_make(true, &pieces, err));
  vlb_code code = VLB_OK;
  for (size_t at = 0; !code && at < size;) {
    const char *end = memchr(corpus + at, '\n', size - at);
    size_t length = end ? (size_t)(end + 1 - (corpus + at)) : size - at;
    if (corpus[at] != '#') code = vlb_pretokenize(pieces, corpus + at, length, add_word, list, err);
    at += length;
  }
  vlb_pretokenizer_free(pieces);
  return code ? code : unite(list, err);
}

/* --- merges --- */

/* The most frequent pair; count is 0 when there is none. `counts` is [vocab,vocab]. */
static pair most_frequent(const word_list *list, int64_t *counts, int vocab, int64_t *count) {
  memset(counts, 0, (size_t)vocab * (size_t)vocab * sizeof *counts);
  for (size_t i = 0; i < list->count; i++)
    for (int k = 0; k + 1 < list->words[i].length; k++)
      counts[list->words[i].ids[k] * vocab + list->words[i].ids[k + 1]] += list->words[i].count;
  pair best = {0, 0};
  *count = 0;
  for (int left = 0; left < vocab; left++)
    for (int right = 0; right < vocab; right++)
      if (counts[left * vocab + right] > *count) {
        *count = counts[left * vocab + right];
        best = (pair){left, right};
      }
  return best;
}

static void merge_word(word *w, pair p, int id) {
  int kept = 0;
  for (int k = 0; k < w->length; k++) {
    bool here = k + 1 < w->length && w->ids[k] == p.left && w->ids[k + 1] == p.right;
    w->ids[kept++] = here ? id : w->ids[k];
    k += here;
  }
  w->length = kept;
}

static vlb_code find_merges(word_list *list, int vocab, pair *merges, vlb_error *err) {
  int64_t *counts = malloc((size_t)vocab * (size_t)vocab * sizeof *counts);
  if (!counts) return vlb_fail(err, VLB_FAILED, "tokenizer training: out of memory");
  vlb_code code = VLB_OK;
  for (int id = FIRST_MERGE; !code && id < vocab; id++) {
    int64_t count;
    pair p = most_frequent(list, counts, vocab, &count);
    if (count < 2) {
      code = vlb_fail(err, VLB_USAGE, "the corpus has pairs for %d tokens only, %d were wanted; add sentences", id, vocab);
      break;
    }
    merges[id - FIRST_MERGE] = p;
    for (size_t i = 0; i < list->count; i++) merge_word(&list->words[i], p, id);
  }
  free(counts);
  return code;
}

/* --- tokenizer.json --- */

/* Names of all rows; a merge's name is that of its halves, which come earlier. Returns false without memory. */
static bool name_symbols(const pair *merges, int vocab, char **names) {
  for (int id = SPECIALS; id < FIRST_MERGE; id++) {
    if (!(names[id] = malloc(3))) return false;
    vlb_byte_symbol((unsigned char)(id - SPECIALS), names[id]);
  }
  for (int id = FIRST_MERGE; id < vocab; id++) {
    const char *a = names[merges[id - FIRST_MERGE].left], *b = names[merges[id - FIRST_MERGE].right];
    if (!(names[id] = malloc(strlen(a) + strlen(b) + 1))) return false;
    strcpy(names[id], a);
    strcat(names[id], b);
  }
  return true;
}

static json_t *model_json(const pair *merges, int vocab, char *const *names) {
  json_t *symbols = json_object(), *list = json_array();
  for (int id = 0; id < vocab; id++) json_object_set_new(symbols, id < SPECIALS ? special[id] : names[id], json_integer(id));
  for (int i = 0; i < vocab - FIRST_MERGE; i++)
    json_array_append_new(list, json_sprintf("%s %s", names[merges[i].left], names[merges[i].right]));
  return json_pack("{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:o, s:o}", "type", "BPE", "dropout", "unk_token",
                   "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0, "byte_fallback", 0, "ignore_merges", 0, "vocab",
                   symbols, "merges", list);
}

static json_t *added_json(void) {
  json_t *list = json_array();
  for (int id = 0; id < SPECIALS; id++)
    json_array_append_new(list, json_pack("{s:i, s:s, s:b, s:b, s:b, s:b, s:b}", "id", id, "content", special[id], "single_word", 0,
                                          "lstrip", 0, "rstrip", 0, "normalized", 0, "special", 1));
  return list;
}

static json_t *byte_level_json(bool prefix_space) {
  return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", prefix_space, "trim_offsets", 1, "use_regex", 1);
}

static char *tokenizer_json(const pair *merges, int vocab, char *const *names) {
  json_t *padding = json_pack("{s:s, s:s, s:n, s:i, s:i, s:s}", "strategy", "BatchLongest", "direction", "Right",
                              "pad_to_multiple_of", "pad_id", PAD, "pad_type_id", 0, "pad_token", special[PAD]);
  json_t *cut = json_pack("{s:s, s:[{s:s, s:b}, o]}", "type", "Sequence", "pretokenizers", "type", "Digits", "individual_digits", 1,
                          byte_level_json(false));
  json_t *root = json_pack("{s:s, s:n, s:o, s:o, s:n, s:o, s:n, s:o, s:o}", "version", "1.0", "truncation", "padding", padding,
                           "added_tokens", added_json(), "normalizer", "pre_tokenizer", cut, "post_processor", "decoder",
                           byte_level_json(true), "model", model_json(merges, vocab, names));
  char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
  json_decref(root);
  return text;
}

static char *write_json(const pair *merges, int vocab) {
  char **names = calloc((size_t)vocab, sizeof *names);
  if (!names) return NULL;
  char *text = name_symbols(merges, vocab, names) ? tokenizer_json(merges, vocab, names) : NULL;
  for (int id = 0; id < vocab; id++) free(names[id]);
  free(names);
  return text;
}

vlb_code vlb_tokenizer_train(const char *corpus, size_t size, int vocab, char **json, vlb_error *err) {
  *json = NULL;
  if (vocab <= FIRST_MERGE || vocab > MAX_VOCAB)
    return vlb_fail(err, VLB_USAGE, "a vocabulary of %d rows is not between %d and %d", vocab, FIRST_MERGE + 1, MAX_VOCAB);
  word_list list = {0};
  pair *merges = calloc((size_t)(vocab - FIRST_MERGE), sizeof *merges);
  vlb_code code = merges ? read_corpus(corpus, size, &list, err) : vlb_fail(err, VLB_FAILED, "tokenizer training: out of memory");
  if (!code) code = find_merges(&list, vocab, merges, err);
  if (!code && !(*json = write_json(merges, vocab))) code = vlb_fail(err, VLB_FAILED, "tokenizer training: out of memory");
  for (size_t i = 0; i < list.count; i++) free(list.words[i].ids);
  free(list.words);
  free(merges);
  return code;
}
