/* The tokenizer against ids of the Hugging Face `tokenizers` package 0.23.3 (tests/data/tokenizer: a small vocabulary trained there,
 * merges in both notations, some bytes missing), and the micro tokenizer against its corpus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/data/tokenizer.h"
#include "core/data/tokenizer_train.h"

static vlb_tokenizer *open_tiny(void) {
  char *json;
  size_t size;
  vlb_error err;
  vlb_tokenizer *tok;
  assert_int_equal(vlb_file_read(VLB_TEST_DATA "/tokenizer/tiny.json", &json, &size, &err), VLB_OK);
  if (vlb_tokenizer_parse(json, size, "tiny.json", &tok, &err)) fail_msg("%s", err.message);
  free(json);
  return tok;
}

static vlb_tokenizer *open_micro(void) {
  vlb_tokenizer *tok;
  vlb_error err;
  if (vlb_tokenizer_micro(&tok, &err)) fail_msg("%s", err.message);
  return tok;
}

static int count_ids(const vlb_tokenizer *tok, const char *text, int32_t *first) {
  int32_t *ids;
  int count;
  vlb_error err;
  assert_int_equal(vlb_tokenizer_encode(tok, text, strlen(text), &ids, &count, &err), VLB_OK);
  for (int i = 0; first && i < count && i < 64; i++) first[i] = ids[i];
  free(ids);
  return count;
}

static void test_reference_ids(void **state) {
  (void)state;
  vlb_tokenizer *tok = open_tiny();
  assert_int_equal(vlb_tokenizer_vocab(tok), 706);
  assert_int_equal(vlb_tokenizer_pad(tok), 2); /* <|im_end|>: the file does not say */
  json_t *cases = json_load_file(VLB_TEST_DATA "/tokenizer/cases.json", 0, NULL);
  assert_true(json_array_size(cases) > 20);
  for (size_t c = 0; c < json_array_size(cases); c++) {
    const json_t *text = json_object_get(json_array_get(cases, c), "text"), *expected = json_object_get(json_array_get(cases, c), "ids");
    int32_t *ids;
    int count;
    vlb_error err;
    assert_int_equal(vlb_tokenizer_encode(tok, json_string_value(text), json_string_length(text), &ids, &count, &err), VLB_OK);
    if ((size_t)count != json_array_size(expected)) fail_msg("%d ids instead of %zu: %s", count, json_array_size(expected), json_string_value(text));
    for (int i = 0; i < count; i++)
      if (ids[i] != json_integer_value(json_array_get(expected, (size_t)i))) fail_msg("id %d differs: %s", i, json_string_value(text));
    free(ids);
  }
  json_decref(cases);
  vlb_tokenizer_free(tok);
}

static void test_micro_is_rebuilt(void **state) {
  (void)state;
  const char *root = getenv("VLB_TEST_ROOT");
  if (!root) skip();
  char path[1024], *corpus, *file, *json;
  size_t corpus_size, size;
  vlb_error err;
  snprintf(path, sizeof path, "%s/core/data/tokenizer_corpus.txt", root);
  assert_int_equal(vlb_file_read(path, &corpus, &corpus_size, &err), VLB_OK);
  snprintf(path, sizeof path, "%s/core/data/tokenizer.json", root);
  assert_int_equal(vlb_file_read(path, &file, &size, &err), VLB_OK);
  if (vlb_tokenizer_train(corpus, corpus_size, 512, &json, &err)) fail_msg("%s", err.message);
  assert_int_equal(strlen(json), size);
  assert_memory_equal(json, file, size);
  free(corpus);
  free(file);
  free(json);
}

static void test_micro(void **state) {
  (void)state;
  vlb_tokenizer *tok = open_micro();
  assert_int_equal(vlb_tokenizer_vocab(tok), 512);
  assert_int_equal(vlb_tokenizer_pad(tok), 3);
  int32_t ids[64];
  assert_int_equal(count_ids(tok, "<|endoftext|><fake_token_around_image><global-img><|pad|>", ids), 4);
  for (int i = 0; i < 4; i++) assert_int_equal(ids[i], i);
  for (int byte = 1; byte < 128; byte++) { /* every byte is its own symbol */
    const char text[2] = {(char)byte, 0};
    assert_int_equal(count_ids(tok, text, ids), 1);
    assert_int_equal(ids[0], 4 + byte);
  }
  assert_true(count_ids(tok, "pick up the black bowl between the plate and the ramekin and place it on the plate\n", NULL) <= 18);
  assert_true(count_ids(tok, "pick up the black bowl next to the cookie box and place it on the plate\n", NULL) <= 18);
  assert_int_equal(count_ids(tok, "12 34", ids), 5); /* digits stay single, and so does the blank before them */
  vlb_tokenizer_free(tok);
}

static void test_prompt(void **state) {
  (void)state;
  vlb_tokenizer *tok = open_micro();
  vlb_error err;
  int32_t ids[48], all[64], cut[6];
  uint8_t mask[48], cut_mask[6];
  assert_int_equal(vlb_tokenizer_prompt(tok, "open the drawer", 48, ids, mask, &err), VLB_OK);
  int n = count_ids(tok, "open the drawer\n", all);
  for (int i = 0; i < 48; i++) {
    assert_int_equal(mask[i], i < n);
    assert_int_equal(ids[i], i < n ? all[i] : 3);
  }
  assert_int_equal(ids[n - 1], 4 + '\n');
  int32_t again[48];
  assert_int_equal(vlb_tokenizer_prompt(tok, "open the drawer\n", 48, again, mask, &err), VLB_OK); /* one newline is enough */
  assert_memory_equal(again, ids, sizeof ids);
  n = count_ids(tok, "pick up the black bowl on the plate\n", all);
  assert_true(n > 6);
  assert_int_equal(vlb_tokenizer_prompt(tok, "pick up the black bowl on the plate", 6, cut, cut_mask, &err), VLB_OK);
  assert_memory_equal(cut, all + n - 6, sizeof cut); /* the end survives */
  assert_int_equal(vlb_tokenizer_prompt(tok, "", 6, cut, cut_mask, &err), VLB_OK);
  assert_int_equal(cut_mask[0] + cut_mask[1], 1);
  assert_int_equal(vlb_tokenizer_prompt(tok, "bad \xc3(", 6, cut, cut_mask, &err), VLB_USAGE);
  assert_string_equal(err.message, "the text is not UTF-8 at byte 5");
  vlb_tokenizer_free(tok);
}

/* A million letters in one piece: quadratic merging would take hours. */
static void test_long_piece(void **state) {
  (void)state;
  vlb_tokenizer *tok = open_micro();
  enum { N = 1000000 };
  char *text = malloc(N + 1);
  assert_non_null(text);
  static const char pattern[] = "bowlplatethe";
  for (int i = 0; i < N; i++) text[i] = pattern[i % 12];
  text[N] = 0;
  int whole = count_ids(tok, text, NULL);
  assert_true(whole > N / 12 && whole < N);
  text[12000] = 0;
  int part = count_ids(tok, text, NULL);
  assert_true(labs(12000L * whole - (long)N * part) < 12000L * N / 100); /* the pattern repeats, and so do its ids */
  free(text);
  vlb_tokenizer_free(tok);
}

static void refuse(const char *json, const char *message) {
  vlb_tokenizer *tok;
  vlb_error err;
  assert_int_equal(vlb_tokenizer_parse(json, strlen(json), "t.json", &tok, &err), VLB_FAILED);
  assert_null(tok);
  if (strncmp(err.message, message, strlen(message))) fail_msg("%s\n%s\n%s", json, err.message, message);
}

#define LEVEL "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"
#define MODEL(more) "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2}," more "\"merges\":[\"a b\"]}"
static void test_refusals(void **state) {
  (void)state;
  refuse("{", "t.json:1: not JSON: ");
  refuse("[]", "t.json: no model with a vocabulary");
  refuse("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}}}", "t.json: the model is not BPE");
  refuse("{" MODEL("\"byte_fallback\":true,") "," LEVEL "}", "t.json: BPE with dropout, byte_fallback");
  refuse("{" MODEL("\"end_of_word_suffix\":\"</w>\",") "," LEVEL "}", "t.json: BPE with a subword prefix");
  refuse("{" MODEL("") ",\"normalizer\":{\"type\":\"NFC\"}," LEVEL "}", "t.json: a normalizer is not supported");
  refuse("{" MODEL("") ",\"post_processor\":{\"type\":\"TemplateProcessing\"}," LEVEL "}", "t.json: a post_processor");
  refuse("{" MODEL("") "}", "t.json: pre_tokenizer is not Digits and ByteLevel");
  refuse("{" MODEL("") ",\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true}}", "t.json: pre_tokenizer ByteLevel with");
  refuse("{" MODEL("") "," LEVEL "}", "t.json: no padding token");
  refuse("{" MODEL("") "," LEVEL ",\"padding\":{\"pad_id\":3}}", "t.json: padding.pad_id is not in the vocabulary");
  refuse("{" MODEL("") "," LEVEL ",\"added_tokens\":[{\"id\":3}]}", "t.json: an added token has no content");
  refuse("{" MODEL("") "," LEVEL ",\"added_tokens\":[{\"id\":3,\"content\":\"<x>\",\"lstrip\":true}]}", "t.json: added token \"<x>\": lstrip");
  refuse("{\"model\":{\"vocab\":{\"a\":-1},\"merges\":[]}," LEVEL "}", "t.json: a token id is not a number");
  refuse("{\"model\":{\"vocab\":{\"a\":0}}," LEVEL "}", "t.json: the model has no list of merges");
  refuse("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[\"a a\"]}," LEVEL "}", "t.json: merge 0 is not a pair");
  refuse("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[7]}," LEVEL "}", "t.json: merge 0 is not a pair");
  vlb_tokenizer *tok;
  vlb_error err;
  static const char good[] = "{" MODEL("") "," LEVEL ",\"padding\":{\"pad_id\":1}}";
  assert_int_equal(vlb_tokenizer_parse(good, strlen(good), "t.json", &tok, &err), VLB_OK);
  int32_t ids[64];
  assert_int_equal(count_ids(tok, "abcaab", ids), 3); /* c is not in the vocabulary: dropped, and "aab" is a, ab */
  assert_int_equal(ids[0], 2);
  vlb_tokenizer_free(tok);
}

static void test_training(void **state) {
  (void)state;
  vlb_error err;
  char *json;
  /* "ab" occurs three times, then "abc" twice; the comment counts nothing */
  static const char corpus[] = "# zzzzzzzzzz\nabc\nabc\nab\n";
  assert_int_equal(vlb_tokenizer_train(corpus, strlen(corpus), 262, &json, &err), VLB_OK);
  assert_non_null(strstr(json, "\"ab\": 260"));
  assert_non_null(strstr(json, "\"abc\": 261"));
  assert_non_null(strstr(json, "\"a b\",\n   \"ab c\"\n"));
  free(json);
  assert_int_equal(vlb_tokenizer_train(corpus, strlen(corpus), 263, &json, &err), VLB_USAGE);
  assert_string_equal(err.message, "the corpus has pairs for 262 tokens only, 263 were wanted; add sentences");
  assert_null(json);
  assert_int_equal(vlb_tokenizer_train(corpus, strlen(corpus), 260, &json, &err), VLB_USAGE);
  assert_int_equal(vlb_tokenizer_train("\xff\n", 2, 300, &json, &err), VLB_USAGE);
  assert_int_equal(vlb_tokenizer_train("", 0, 300, &json, &err), VLB_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reference_ids), cmocka_unit_test(test_micro_is_rebuilt), cmocka_unit_test(test_micro),
      cmocka_unit_test(test_prompt),        cmocka_unit_test(test_long_piece),       cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_training),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
