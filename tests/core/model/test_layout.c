/* Rows, masks and positions written out for small cases (specification 9 to 11, 19.1, 19.3), and the time embedding (10). */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/core/model/sample.h"

/* Every row as a digit (pad, block), every position in letters (a = -1, b = 0, ...), who sees whom as rows of x and . */
typedef struct {
  const char *changes, *pad, *block, *positions;
  const char *allowed[16];
} layout_case;

/* one image token per view, two words, two actions; view 0 masked for sample 0 when `masked`, the last word of sample 0 padded */
static const char tiny[] = "image_size=8 patch_size=4 scale_factor=2 tokenizer_max_length=2 chunk_size=2 cameras=2";

static void check(const layout_case *c, bool masked) {
  char changes[512];
  snprintf(changes, sizeof changes, "%s %s", tiny, c->changes);
  vlb_model *m = model_of(changes);
  sample_batch b = batch_of(&m->config, 2, 1, false);
  if (masked) b.image_mask[0] = 0, b.token_mask[1] = 0;
  vlb_layout l;
  assert_int_equal(vlb_layout_create(m, 2, &l, NULL), VLB_OK);
  vlb_layout_fill(&l, m, &b.batch);
  int n = l.rows.total;
  assert_int_equal(n, (int)strlen(c->pad));
  for (int q = 0; q < n; q++) {
    assert_int_equal(l.pad[q], c->pad[q] - '0');
    assert_int_equal(l.block[q], c->block[q] - '0');
    assert_int_equal(l.positions[q], c->positions[q] - 'b');
    for (int k = 0; k < n; k++)
      if (l.allowed[q * n + k] != (c->allowed[q][k] == 'x')) fail_msg("%s: query %d, key %d", c->changes, q, k);
  }
  vlb_layout_free(&l);
  batch_free(&b);
  vlb_model_free(m);
}

static void test_plain(void **state) {
  (void)state;
  /* view, view, word, word, state, action, action */
  check(&(layout_case){"", "1111111", "0000111", "bcdefgh",
                       {"xxxx...", "xxxx...", "xxxx...", "xxxx...", "xxxxx..", "xxxxxx.", "xxxxxxx"}}, false);
  check(&(layout_case){"action_mask=bidirectional", "1111111", "0000110", "bcdefgh",
                       {"xxxx...", "xxxx...", "xxxx...", "xxxx...", "xxxxx..", "xxxxxxx", "xxxxxxx"}}, false);
  check(&(layout_case){"state=suffix", "1111111", "0000111", "bcdefgh",
                       {"xxxx...", "xxxx...", "xxxx...", "xxxx...", "xxxxx..", "xxxxxx.", "xxxxxxx"}}, false);
  check(&(layout_case){"state=suffix action_mask=bidirectional", "1111111", "0000110", "bcdefgh",
                       {"xxxx...", "xxxx...", "xxxx...", "xxxx...", "xxxxx..", "xxxxxxx", "xxxxxxx"}}, false);
}

/* leading rows that are not there have position -1, later ones repeat the one before; their rows and columns are empty */
static void test_masked(void **state) {
  (void)state;
  check(&(layout_case){"", "0110111", "0000111", "abccdef",
                       {".......", ".xx....", ".xx....", ".......", ".xx.x..", ".xx.xx.", ".xx.xxx"}}, true);
  /* an empty view, then two rows of padding after the state, which share its block */
  check(&(layout_case){"empty_cameras=1 prefix_length=8", "0101010011", "0000010011", "abbccddde" "f",
                       {"..........", ".x.x......", "..........", ".x.x......", "..........", ".x.x.x....", "..........", "..........",
                        ".x.x.x..x.", ".x.x.x..xx"}}, true);
}

/* fake, global, view, fake: the special tokens are there even where the view is not */
static void test_special(void **state) {
  (void)state;
  check(&(layout_case){"add_image_special_tokens=true cameras=1", "110110111", "000000111", "bccdeefgh",
                       {"xx.xx....", "xx.xx....", ".........", "xx.xx....", "xx.xx....", ".........", "xx.xx.x..", "xx.xx.xx.", "xx.xx.xxx"}}, true);
}

static void test_counts(void **state) {
  (void)state;
  static const struct {
    const char *changes;
    int prefix, suffix;
  } cases[] = {
      /* lengths that section 9 lists: 64 tokens per view */
      {"cameras=3 tokenizer_max_length=48", 241, 50},
      {"cameras=2 tokenizer_max_length=48", 177, 50},
      {"cameras=2 tokenizer_max_length=16", 145, 50},
      {"cameras=2 tokenizer_max_length=16 state=suffix", 144, 51},
      {"cameras=2 tokenizer_max_length=16 add_image_special_tokens=true", 151, 50},
      {"cameras=1 tokenizer_max_length=16 empty_cameras=1 prefix_length=144", 145, 50},
      {"cameras=2 tokenizer_max_length=16 prefix_length=200", 200, 50},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char changes[512];
    snprintf(changes, sizeof changes, "image_size=512 patch_size=16 scale_factor=4 chunk_size=50 %s", cases[i].changes);
    vlb_model_config c = config_of(changes);
    vlb_model_shape s;
    assert_int_equal(vlb_model_shape_of(&c, &s, NULL), VLB_OK);
    vlb_row_counts r = vlb_rows_count(&c, &s);
    assert_int_equal(r.prefix, cases[i].prefix);
    assert_int_equal(r.suffix, cases[i].suffix);
    assert_int_equal(r.total, r.prefix + r.suffix);
  }
}

/* the check values of section 10 for E = 720 */
static void test_time_embedding(void **state) {
  (void)state;
  vlb_model_config c = config_of("");
  float e[720];
  vlb_time_embedding(&c, 720, 0.5f, e);
  assert_true(fabs((double)e[0] + 8.0e-14) < 1e-13);
  assert_true(fabs((double)e[1] + 0.674336414) < 1e-7);
  assert_true(fabs((double)e[100] - 0.999998064) < 1e-7);
  assert_true(fabs((double)e[359] - 0.707106781) < 1e-7);
  assert_true(fabs((double)e[361] + 0.738424268) < 1e-7);
  /* 0.001 is not a float: the first sine of 1570.8 t is 1 - 3e-10, the others move by what t was rounded */
  vlb_time_embedding(&c, 720, 0.001f, e);
  static const struct {
    int at;
    double value;
  } wanted[] = {{0, 1}, {1, 0.999551958}, {100, 0.227327384}, {359, 0.001570796}};
  for (int i = 0; i < 4; i++) assert_true(fabs((double)e[wanted[i].at] - wanted[i].value) < 1e-6);
  for (int i = 0; i < 360; i++) assert_true(fabsf(e[i] * e[i] + e[360 + i] * e[360 + i] - 1) < 1e-6f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_plain), cmocka_unit_test(test_masked), cmocka_unit_test(test_special), cmocka_unit_test(test_counts),
      cmocka_unit_test(test_time_embedding),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
