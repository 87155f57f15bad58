#include "core/train/caption_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/data/image.h"
#include "core/data/tokenizer.h"

_Static_assert(sizeof(vlb_caption_token) == 12, "no bytes between the members of a hashed struct");

enum { HELD_OUT_OF = 20, MAX_LINES = 256 }; /* of so many episodes the last is held out */

/* ---- reading ---- */

typedef struct {
  vlb_caption_data *data;
  const vlb_tokenizer *tokenizer;
} reader;

static vlb_code no_memory(vlb_error *err) { return vlb_fail(err, VLB_FAILED, "not enough memory for captions"); }

/* room for one more of `size` bytes */
static vlb_code reserve(void **array, int64_t count, int64_t *room, size_t size, vlb_error *err) {
  if (count < *room) return VLB_OK;
  int64_t wanted = 2 * *room + 4096;
  void *grown = realloc(*array, (size_t)wanted * size);
  if (!grown) return no_memory(err);
  *array = grown;
  *room = wanted;
  return VLB_OK;
}

static vlb_code add_token(vlb_caption_data *d, int64_t *count, vlb_caption_token token, vlb_error *err) {
  VLB_TRY(reserve((void **)&d->tokens, *count, &d->token_room, sizeof *d->tokens, err));
  d->tokens[(*count)++] = token;
  return VLB_OK;
}

static vlb_code add_words(reader *r, const char *text, size_t size, int said, int64_t *count, vlb_error *err) {
  int32_t *ids;
  int n;
  if (!size) return VLB_OK;
  VLB_TRY(vlb_tokenizer_encode(r->tokenizer, text, size, &ids, &n, err));
  vlb_code code = VLB_OK;
  for (int i = 0; i < n && !code; i++) code = add_token(r->data, count, (vlb_caption_token){-1, (int16_t)ids[i], (int16_t)ids[i], (int16_t)said, 0}, err);
  free(ids);
  return code;
}

/* "{12.34}" or "{}", the slot-th of its line */
static vlb_caption_token coordinate(const vlb_caption_data *d, const char *text, int slot) {
  int16_t seen = (int16_t)(d->base + VLB_PLACE_SAID + slot % VLB_PLACE_SLOTS);
  if (text[1] == '}') return (vlb_caption_token){-1, (int16_t)(d->base + VLB_PLACE_NONE), seen, 1, 0};
  double place = fmin(fmax(strtod(text + 1, NULL), 0), VLB_PLACES - 1);
  return (vlb_caption_token){(float)place, (int16_t)(d->base + (int)lround(place)), seen, 1, 0};
}

/* An answer: words and coordinates in turn; then the end of the line. */
static vlb_code add_answer(reader *r, const char *text, const char *end, int64_t *count, vlb_error *err) {
  int slot = 0;
  while (text < end) {
    const char *brace = memchr(text, '{', (size_t)(end - text)), *close = brace ? memchr(brace, '}', (size_t)(end - brace)) : NULL;
    const char *words = close ? brace : end;
    VLB_TRY(add_words(r, text, (size_t)(words - text), 1, count, err));
    if (close) VLB_TRY(add_token(r->data, count, coordinate(r->data, brace, slot++), err));
    text = close ? close + 1 : end;
  }
  return add_token(r->data, count, (vlb_caption_token){-1, (int16_t)r->data->newline, (int16_t)r->data->newline, 1, 0}, err);
}

static vlb_code add_frame(reader *r, const char *text, const char *end, int64_t *lines, int64_t *tokens, vlb_error *err) {
  vlb_caption_data *d = r->data;
  for (; text < end;) {
    const char *stop = memchr(text, '\n', (size_t)(end - text)), *tab = memchr(text, '\t', (size_t)(stop - text));
    if (!tab) return vlb_fail(err, VLB_FAILED, "a caption without an answer: \"%.40s\"", text);
    VLB_TRY(reserve((void **)&d->token_of, *lines + 1, &d->line_room, sizeof *d->token_of, err));
    d->token_of[(*lines)++] = *tokens;
    VLB_TRY(add_words(r, text, (size_t)(tab - text), 0, tokens, err));
    VLB_TRY(add_answer(r, tab + 1, stop, tokens, err));
    d->token_of[*lines] = *tokens;
    text = stop + 1;
  }
  return VLB_OK;
}

static vlb_code add_file(reader *r, const vlb_captions *s, int64_t *lines, int64_t *tokens, uint8_t **held, vlb_error *err) {
  vlb_caption_data *d = r->data;
  if (d->frames && (s->cameras != d->cameras || s->size != d->size)) return vlb_fail(err, VLB_FAILED, "pictures of another size or number than before");
  d->cameras = s->cameras;
  d->size = s->size;
  size_t bytes = (size_t)s->cameras * (size_t)s->size * (size_t)s->size * 3, frames = (size_t)(d->frames + s->frames);
  uint8_t *pixels = realloc(d->pixels, frames * bytes);
  if (pixels) d->pixels = pixels;
  int64_t *line_of = realloc(d->line_of, (frames + 1) * sizeof *line_of);
  if (line_of) d->line_of = line_of;
  uint8_t *marks = realloc(*held, frames);
  if (marks) *held = marks;
  if (!pixels || !line_of || !marks) return no_memory(err);
  memcpy(d->pixels + (size_t)d->frames * bytes, s->pixels, (size_t)s->frames * bytes);
  for (int64_t i = 0; i < s->frames; i++) {
    d->line_of[d->frames] = *lines;
    (*held)[d->frames++] = s->episode[i] % HELD_OUT_OF == HELD_OUT_OF - 1;
    VLB_TRY(add_frame(r, s->text + s->at[i], s->text + s->at[i + 1], lines, tokens, err));
    d->line_of[d->frames] = *lines;
  }
  return VLB_OK;
}

static vlb_code read_files(reader *r, const vlb_file_list *files, const vlb_context *ctx, uint8_t **held, vlb_error *err) {
  int64_t lines = 0, tokens = 0;
  vlb_code code = VLB_OK;
  vlb_progress_begin(ctx->log, "load scenes", 0, files->count, "files");
  for (int i = 0; i < files->count && !code; i++) {
    vlb_captions s = {0};
    code = vlb_check_stop(ctx, err);
    if (!code) code = vlb_captions_read(files->path[i], &s, err);
    if (!code && add_file(r, &s, &lines, &tokens, held, err)) code = vlb_fail_at(err, "%s", files->path[i]);
    vlb_captions_close(&s);
    vlb_progress_set(ctx->log, i + 1, NULL);
  }
  vlb_progress_end(ctx->log);
  return code;
}

/* training frames first */
static vlb_code sort_frames(vlb_caption_data *d, const uint8_t *held, vlb_error *err) {
  int64_t next = 0;
  d->order = malloc((size_t)d->frames * sizeof *d->order);
  if (!d->order) return no_memory(err);
  for (uint8_t pass = 0; pass < 2; pass++)
    for (int64_t i = 0; i < d->frames; i++)
      if (held[i] == pass) d->order[next++] = (uint32_t)i, d->held += pass;
  return VLB_OK;
}

static vlb_code load(const char *folder, vlb_caption_data *d, const vlb_tokenizer *tokenizer, const vlb_context *ctx, vlb_error *err) {
  vlb_file_list files;
  uint8_t *held = NULL;
  int32_t *newline;
  int n;
  VLB_TRY(vlb_tokenizer_encode(tokenizer, "\n", 1, &newline, &n, err));
  d->newline = newline[0];
  free(newline);
  VLB_TRY(vlb_folder_list(folder, ".captions", &files, err));
  reader r = {d, tokenizer};
  vlb_code code = read_files(&r, &files, ctx, &held, err);
  vlb_list_free(&files);
  if (!code && !d->frames) code = vlb_fail(err, VLB_USAGE, "%s: no scenes in this folder", folder);
  if (!code) code = sort_frames(d, held, err);
  free(held);
  return code;
}

vlb_code vlb_caption_data_load(const char *folder, const vlb_model_config *model, const vlb_context *ctx, vlb_caption_data **out, vlb_error *err) {
  vlb_tokenizer *tokenizer;
  *out = NULL;
  VLB_TRY(vlb_tokenizer_micro(&tokenizer, err));
  vlb_caption_data *d = calloc(1, sizeof *d);
  vlb_code code = d ? VLB_OK : no_memory(err);
  if (!code) d->base = vlb_tokenizer_vocab(tokenizer);
  if (!code && model->vocab_size < d->base + VLB_PLACE_TOKENS)
    code = vlb_fail(err, VLB_USAGE, "model.vocab_size is %lld; the tokenizer and %d coordinate tokens need %d", (long long)model->vocab_size,
                    (int)VLB_PLACE_TOKENS, d->base + VLB_PLACE_TOKENS);
  if (!code) code = load(folder, d, tokenizer, ctx, err);
  if (!code && d->cameras != model->cameras)
    code = vlb_fail(err, VLB_USAGE, "model.cameras = %lld, but the scenes have %d pictures", (long long)model->cameras, d->cameras);
  vlb_tokenizer_free(tokenizer);
  if (code) vlb_caption_data_free(d);
  else *out = d;
  return code;
}

void vlb_caption_data_free(vlb_caption_data *d) {
  if (!d) return;
  free(d->pixels), free(d->line_of), free(d->token_of), free(d->tokens), free(d->order), free(d);
}

int64_t vlb_caption_data_frames(const vlb_caption_data *d, bool held_out) { return held_out ? d->held : d->frames - d->held; }

/* ---- samples ---- */

vlb_code vlb_caption_samples_open(vlb_caption_samples *b, const vlb_model_config *m, const vlb_pretrain_config *config, int n, vlb_error *err) {
  *b = (vlb_caption_samples){.model = m, .config = config, .n = n};
  size_t count = (size_t)n, answers = (size_t)config->answers, length = (size_t)m->tokenizer_max_length;
  b->images = calloc((size_t)m->cameras * count * 3 * (size_t)(m->image_size * m->image_size), sizeof *b->images);
  b->tokens = calloc(count * length, sizeof *b->tokens);
  b->token_mask = calloc(count * length, 1);
  b->answers = calloc(count * answers, sizeof *b->answers);
  b->targets = calloc(count * answers * VLB_CAPTION_TARGETS, sizeof *b->targets);
  b->weights = calloc(count * answers * VLB_CAPTION_TARGETS, sizeof *b->weights);
  if (b->images && b->tokens && b->token_mask && b->answers && b->targets && b->weights) return VLB_OK;
  vlb_caption_samples_close(b);
  return no_memory(err);
}

void vlb_caption_samples_close(vlb_caption_samples *b) {
  free(b->images), free(b->tokens), free(b->token_mask), free(b->answers), free(b->targets), free(b->weights);
  *b = (vlb_caption_samples){0};
}

vlb_caption_batch vlb_caption_samples_batch(const vlb_caption_samples *b) {
  return (vlb_caption_batch){b->images, b->tokens, b->token_mask, b->answers, b->targets, b->weights};
}

/* The lines of a sample: the first is the question of the prompt, the others follow in the text. */
typedef struct {
  int64_t line[MAX_LINES];
  int count;
} choice;

static void choose(const vlb_caption_data *d, const vlb_pretrain_config *c, int64_t frame, uint64_t seed, int64_t step, int64_t sample, bool instruct,
                   choice *out) {
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_CAPTION, (uint32_t)step, (uint32_t)sample);
  uint32_t others[MAX_LINES];
  int64_t first = d->line_of[frame], lines = d->line_of[frame + 1] - first;
  uint32_t n = (uint32_t)(lines - 1 < MAX_LINES - 1 ? lines - 1 : MAX_LINES - 1);
  bool by_instruction = vlb_rng_uniform(&rng) < c->instructions || instruct || !n;
  if (n) vlb_rng_permutation(&rng, others, n);
  out->count = 0;
  if (by_instruction) out->line[out->count++] = first;
  for (uint32_t i = 0; i < n; i++) out->line[out->count++] = first + 1 + others[i];
}

/* The text behind the prompt: the first line's answer, then whole lines, cut at `room` tokens. Returns how many. */
static int text_of(const vlb_caption_data *d, const choice *lines, int room, vlb_caption_token *out) {
  int n = 0;
  for (int i = 0; i < lines->count; i++)
    for (int64_t t = d->token_of[lines->line[i]]; t < d->token_of[lines->line[i] + 1]; t++) {
      if (i == 0 && !d->tokens[t].said) continue;
      if (n == room) return n;
      out[n++] = d->tokens[t];
    }
  return n;
}

int vlb_caption_count(const vlb_caption_data *d, const vlb_pretrain_config *c, int64_t frame, uint64_t seed, int64_t step, int64_t sample) {
  choice lines;
  vlb_caption_token text[4096];
  choose(d, c, frame, seed, step, sample, false, &lines);
  int n = text_of(d, &lines, (int)c->answers, text), count = 0;
  for (int i = 0; i < n; i++) count += text[i].said;
  return count;
}

/* the prompt, as a policy's: words, newline, padding; of one that is too long the end */
static void fill_prompt(vlb_caption_samples *b, int at, const vlb_caption_data *d, int64_t line) {
  int length = (int)b->model->tokenizer_max_length, n = 0;
  int32_t *tokens = b->tokens + at * length;
  uint8_t *mask = b->token_mask + at * length;
  int64_t first = d->token_of[line], words = 0;
  while (first + words < d->token_of[line + 1] && !d->tokens[first + words].said) words++;
  if (words > length - 1) first += words - (length - 1), words = length - 1;
  for (int64_t i = 0; i < words; i++) tokens[n++] = d->tokens[first + i].id;
  tokens[n++] = d->newline;
  for (int i = 0; i < length; i++) mask[i] = i < n;
  for (; n < length; n++) tokens[n] = 3; /* <|pad|> */
}

/* What comes next: a word, or a bell of bins around a place. */
static void fill_target(const vlb_caption_samples *b, const vlb_caption_data *d, const vlb_caption_token *t, int32_t *ids, float *weights) {
  double sum = 0, bell[VLB_CAPTION_TARGETS];
  for (int k = 0; k < VLB_CAPTION_TARGETS; k++) ids[k] = t->id, weights[k] = k == 0 && t->said;
  if (t->place < 0 || !t->said) return;
  for (int k = 0; k < VLB_CAPTION_TARGETS; k++) {
    int bin = t->id - d->base + k - VLB_CAPTION_TARGETS / 2;
    double away = (bin - (double)t->place) / b->config->spread;
    bell[k] = bin < 0 || bin >= VLB_PLACES ? 0 : exp(-0.5 * away * away);
    ids[k] = d->base + (bell[k] > 0 ? bin : 0);
    sum += bell[k];
  }
  for (int k = 0; k < VLB_CAPTION_TARGETS; k++) weights[k] = (float)(bell[k] / sum);
}

static void fill_pictures(vlb_caption_samples *b, int at, const vlb_caption_data *d, int64_t frame) {
  size_t stored = 3 * (size_t)d->size * (size_t)d->size, view = 3 * (size_t)(b->model->image_size * b->model->image_size);
  for (int v = 0; v < d->cameras; v++)
    vlb_image_prepare_u8(d->pixels + (size_t)(frame * d->cameras + v) * stored, d->size, d->size, b->images + (size_t)(v * b->n + at) * view,
                         (int)b->model->image_size);
}

void vlb_caption_samples_fill(vlb_caption_samples *b, int at, const vlb_caption_data *d, int64_t frame, uint64_t seed, int64_t step, int64_t sample,
                              bool instruct) {
  choice lines;
  vlb_caption_token text[4096];
  int answers = (int)b->config->answers;
  int32_t *in = b->answers + at * answers, *ids = b->targets + at * answers * VLB_CAPTION_TARGETS;
  float *weights = b->weights + at * answers * VLB_CAPTION_TARGETS;
  choose(d, b->config, frame, seed, step, sample, instruct, &lines);
  int n = text_of(d, &lines, answers, text);
  fill_pictures(b, at, d, frame);
  fill_prompt(b, at, d, lines.line[0]);
  memset(ids, 0, (size_t)(answers * VLB_CAPTION_TARGETS) * sizeof *ids);
  memset(weights, 0, (size_t)(answers * VLB_CAPTION_TARGETS) * sizeof *weights);
  for (int i = 0; i < answers; i++) in[i] = i == 0 || i > n ? 0 : text[i - 1].seen; /* <|endoftext|> begins */
  for (int i = 0; i < n; i++) fill_target(b, d, &text[i], ids + i * VLB_CAPTION_TARGETS, weights + i * VLB_CAPTION_TARGETS);
}
