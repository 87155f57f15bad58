#include "core/data/pretokenize.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

/* Unicode's White_Space, spelt out: the \s of the reference's engine and that of PCRE2 differ in one character. */
#define SPACE "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
static const char gpt2_pattern[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" SPACE "\\p{L}\\p{N}]+|[" SPACE "]+(?![^" SPACE "])|[" SPACE "]+";
static const char digit_pattern[] = "\\p{N}|[^\\p{N}]+";

struct vlb_pretokenizer {
  pcre2_code *digits; /* NULL: not cut at digits */
  pcre2_code *words;
};

static pcre2_code *compile(const char *pattern) {
  int code;
  size_t at;
  return pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &at, NULL);
}

vlb_code vlb_pretokenizer_make(bool digits, vlb_pretokenizer **out, vlb_error *err) {
  *out = NULL;
  vlb_pretokenizer *p = calloc(1, sizeof *p);
  if (p) {
    p->words = compile(gpt2_pattern);
    p->digits = digits ? compile(digit_pattern) : NULL;
    if (p->words && (p->digits || !digits)) {
      *out = p;
      return VLB_OK;
    }
  }
  vlb_pretokenizer_free(p);
  return vlb_fail(err, VLB_FAILED, "tokenizer: PCRE2 cannot compile the patterns; it needs Unicode support");
}

void vlb_pretokenizer_free(vlb_pretokenizer *p) {
  if (!p) return;
  pcre2_code_free(p->digits);
  pcre2_code_free(p->words);
  free(p);
}

/* Calls piece() for every match of `code`. Every character starts a match of both patterns, so nothing is lost. */
static vlb_code each_match(const pcre2_code *code, const char *text, size_t size, vlb_piece piece, void *self, vlb_error *err) {
  pcre2_match_data *match = pcre2_match_data_create(1, NULL);
  if (!match) return vlb_fail(err, VLB_FAILED, "tokenizer: out of memory");
  vlb_code result = VLB_OK;
  for (size_t at = 0; !result && at < size;) {
    /* checked by the caller once: checking again at every match would make long texts quadratic */
    int found = pcre2_match(code, (PCRE2_SPTR)text, size, at, PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, match, NULL);
    size_t end = found > 0 ? pcre2_get_ovector_pointer(match)[1] : 0;
    if (found <= 0 || end <= at) {
      result = vlb_fail(err, VLB_FAILED, "tokenizer: PCRE2 failed with code %d", found);
    } else {
      result = piece(self, text + at, end - at, err);
      at = end;
    }
  }
  pcre2_match_data_free(match);
  return result;
}

/* The second pattern is applied inside each piece of the first. */
typedef struct {
  const vlb_pretokenizer *p;
  vlb_piece piece;
  void *self;
} inner;

static vlb_code cut_words(void *self, const char *text, size_t size, vlb_error *err) {
  const inner *in = self;
  return each_match(in->p->words, text, size, in->piece, in->self, err);
}

/* Length of the character at s by its first byte, if the whole is well-formed UTF-8; else 0. */
static size_t utf8_length(const unsigned char *s, size_t left) {
  if (s[0] < 0x80) return 1;
  size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (s[0] < 0xc2 || s[0] > 0xf4 || left < n) return 0;
  for (size_t i = 1; i < n; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
  bool surrogate = s[0] == 0xed && s[1] >= 0xa0, beyond = s[0] == 0xf4 && s[1] >= 0x90;
  return overlong || surrogate || beyond ? 0 : n;
}

static vlb_code check_utf8(const char *text, size_t size, vlb_error *err) {
  const unsigned char *s = (const unsigned char *)text;
  for (size_t at = 0, n; at < size; at += n)
    if (!(n = utf8_length(s + at, size - at))) return vlb_fail(err, VLB_USAGE, "the text is not UTF-8 at byte %zu", at + 1);
  return VLB_OK;
}

vlb_code vlb_pretokenize(const vlb_pretokenizer *p, const char *text, size_t size, vlb_piece piece, void *self, vlb_error *err) {
  VLB_TRY(check_utf8(text, size, err));
  inner in = {p, piece, self};
  if (!p->digits) return cut_words(&in, text, size, err);
  return each_match(p->digits, text, size, cut_words, &in, err);
}

void vlb_byte_symbol(unsigned char byte, char out[3]) {
  bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  unsigned code = byte;
  if (!printable) { /* the others take the code points from 256 on, in order */
    code = byte <= 32 ? 256u + byte : byte < 0xa1 ? 256u + 33 + (byte - 127u) : 256u + 33 + 34;
  }
  if (code < 128) {
    out[0] = (char)code;
    out[1] = 0;
  } else {
    out[0] = (char)(0xc0 | code >> 6);
    out[1] = (char)(0x80 | (code & 63));
    out[2] = 0;
  }
}
