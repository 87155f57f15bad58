/* How well a pretrained VLM sees scenes that it was not trained on: its answers to the instruction, read off at every depth. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/base/timing.h"
#include "core/train/caption_data.h"

enum { BATCH = 8, PLACE_TOKENS = 7, ERRORS = 4 }; /* u, v of two cameras, offset; errors: pixels of two cameras, metres, metres to */

typedef struct {
  double loss;
  int64_t tokens, words, hits;
} tally;

typedef struct {
  vlb_captioner *captioner;
  vlb_caption_samples samples;
} worker;

typedef struct {
  const vlb_model *vlm;
  const vlb_pretrain_config *config;
  const vlb_caption_data *data;
  const vlb_context *ctx;
  int64_t first, count, stride; /* frames: order[first + i * stride] */
  int depths;
  worker *workers;
  tally *tallies; /* [batches,depths] */
  double *errors; /* [depths,ERRORS,count] NAN where there is nothing to measure */
} measure;

/* the mean of the bins' positions under the model's odds */
static double expected_place(const float *logits, int base) {
  double top = -1e30, sum = 0, mean = 0;
  for (int i = 0; i < VLB_PLACES; i++) top = fmax(top, (double)logits[base + i]);
  for (int i = 0; i < VLB_PLACES; i++) {
    double p = exp((double)logits[base + i] - top);
    sum += p;
    mean += p * i;
  }
  return mean / sum;
}

static void count_row(const float *logits, int64_t vocab, const int32_t *ids, const float *weights, int base, tally *t) {
  double top = -1e30, sum = 0, weight = 0, hit = 0;
  int64_t best = 0;
  for (int k = 0; k < VLB_CAPTION_TARGETS; k++) weight += (double)weights[k];
  if (weight == 0) return;
  for (int64_t i = 0; i < vocab; i++)
    if ((double)logits[i] > top) top = (double)logits[i], best = i;
  for (int64_t i = 0; i < vocab; i++) sum += exp((double)logits[i] - top);
  for (int k = 0; k < VLB_CAPTION_TARGETS; k++) hit += (double)weights[k] * (top + log(sum) - (double)logits[ids[k]]);
  t->loss += hit;
  t->tokens++;
  if (ids[0] >= base && ids[0] < base + VLB_PLACES) return;
  t->words++;
  t->hits += best == ids[0];
}

/* A place of seven coordinates from answer row `row` on: distances into errors (stride between kinds); NAN where it is not shown. */
static void place_errors(const measure *m, const float *logits, int64_t vocab, const vlb_caption_token *truth, double *pixels, double *metres) {
  double square = 0;
  for (int c = 0; c < 2; c++) {
    const vlb_caption_token *t = truth + 2 * c;
    pixels[c] = NAN;
    if (t[0].place < 0 || t[1].place < 0) continue;
    double du = expected_place(logits + 2 * c * vocab, m->data->base) - (double)t[0].place;
    double dv = expected_place(logits + (2 * c + 1) * vocab, m->data->base) - (double)t[1].place;
    pixels[c] = hypot(du, dv) * (double)m->data->size / VLB_PLACES;
  }
  for (int i = 4; i < PLACE_TOKENS; i++) {
    double d = vlb_offset_of_place(expected_place(logits + i * vocab, m->data->base)) - vlb_offset_of_place((double)truth[i].place);
    square += d * d;
  }
  *metres = sqrt(square);
}

/* The answer to the instruction is two places, unless everything is done. */
static void measure_sample(measure *m, int64_t sample, int at, const worker *w) {
  const vlb_caption_data *d = m->data;
  int64_t frame = d->order[m->first + sample * m->stride], vocab = m->vlm->config.vocab_size, answers = m->config->answers;
  int64_t line = d->line_of[frame], token = d->token_of[line];
  while (token < d->token_of[line + 1] && !d->tokens[token].said) token++;
  bool places = d->token_of[line + 1] - token == 2 * PLACE_TOKENS + 1 && d->cameras == 2;
  for (int depth = 0; depth < m->depths; depth++) {
    const float *logits = vlb_captioner_logits(w->captioner, depth) + at * answers * vocab;
    double *e = m->errors + (int64_t)depth * ERRORS * m->count + sample, pixels[2];
    tally *t = &m->tallies[(sample / BATCH) * m->depths + depth];
    for (int k = 0; k < ERRORS; k++) e[k * m->count] = NAN;
    for (int64_t r = 0; r < answers; r++)
      count_row(logits + r * vocab, vocab, w->samples.targets + (at * answers + r) * VLB_CAPTION_TARGETS,
                w->samples.weights + (at * answers + r) * VLB_CAPTION_TARGETS, d->base, t);
    if (!places) continue;
    place_errors(m, logits, vocab, d->tokens + token, pixels, &e[2 * m->count]);
    e[0] = pixels[0];
    e[m->count] = pixels[1];
    place_errors(m, logits + PLACE_TOKENS * vocab, vocab, d->tokens + token + PLACE_TOKENS, pixels, &e[3 * m->count]);
  }
}

static vlb_code measure_batch(void *self, int index, int worker_index, vlb_error *err) {
  measure *m = self;
  worker *w = &m->workers[worker_index];
  double loss;
  VLB_TRY(vlb_check_stop(m->ctx, err));
  for (int i = 0; i < BATCH; i++) {
    int64_t sample = (int64_t)index * BATCH + i;
    int64_t frame = m->data->order[m->first + (sample < m->count ? sample : m->count - 1) * m->stride];
    vlb_caption_samples_fill(&w->samples, i, m->data, frame, 0, 0, sample, true);
  }
  vlb_caption_batch batch = vlb_caption_samples_batch(&w->samples);
  vlb_captioner_run(w->captioner, &batch, 1, &loss, NULL);
  for (int i = 0; i < BATCH && (int64_t)index * BATCH + i < m->count; i++) measure_sample(m, (int64_t)index * BATCH + i, i, w);
  return VLB_OK;
}

/* median of what is not NAN; NAN for nothing. Sorts in place. */
static double median(double *x, int64_t n) {
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i++)
    if (!isnan(x[i])) x[kept++] = x[i];
  return kept ? vlb_median(x, (int)kept) : NAN;
}

static void sum_up(measure *m, vlb_sight *rows) {
  int64_t batches = (m->count + BATCH - 1) / BATCH;
  for (int d = 0; d < m->depths; d++) {
    tally all = {0};
    double *e = m->errors + (int64_t)d * ERRORS * m->count;
    for (int64_t b = 0; b < batches; b++) {
      const tally *t = &m->tallies[b * m->depths + d];
      all.loss += t->loss, all.tokens += t->tokens, all.words += t->words, all.hits += t->hits;
    }
    rows[d] = (vlb_sight){.layers = vlb_captioner_depth(m->workers[0].captioner, d),
                          .loss = all.loss / fmax(1, (double)all.tokens),
                          .word_hits = (double)all.hits / fmax(1, (double)all.words),
                          .pixels = {median(e, m->count), median(e + m->count, m->count)},
                          .metres = median(e + 2 * m->count, m->count),
                          .to_metres = median(e + 3 * m->count, m->count),
                          .samples = m->count};
  }
}

static vlb_code open_measure(measure *m, vlb_error *err) {
  vlb_captioner_spec spec = {(int)m->config->answers, (int)m->config->depth_every, m->config->depth_weight};
  m->workers = calloc((size_t)m->ctx->threads, sizeof *m->workers);
  if (!m->workers) return vlb_fail(err, VLB_FAILED, "out of memory");
  for (int i = 0; i < m->ctx->threads; i++) {
    VLB_TRY(vlb_captioner_create(m->vlm, &spec, BATCH, false, &m->workers[i].captioner, err));
    VLB_TRY(vlb_caption_samples_open(&m->workers[i].samples, &m->vlm->config, m->config, BATCH, err));
  }
  m->depths = vlb_captioner_depths(m->workers[0].captioner);
  size_t batches = (size_t)((m->count + BATCH - 1) / BATCH);
  m->tallies = calloc(batches * (size_t)m->depths, sizeof *m->tallies);
  m->errors = calloc((size_t)m->depths * ERRORS * (size_t)m->count, sizeof *m->errors);
  return m->tallies && m->errors ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
}

vlb_code vlb_pretrain_measure(const vlb_model *vlm, const vlb_pretrain_config *config, const vlb_caption_data *data, int64_t most,
                              const vlb_context *ctx, vlb_sight *rows, int *count, vlb_error *err) {
  measure m = {.vlm = vlm, .config = config, .data = data, .ctx = ctx, .first = data->frames - data->held};
  if (!data->held) return vlb_fail(err, VLB_USAGE, "no scenes were held out; episodes_per_task must be at least 20");
  m.count = most < data->held ? most : data->held;
  m.stride = data->held / m.count;
  vlb_code code = open_measure(&m, err);
  if (!code) code = vlb_parallel(ctx->threads, (int)((m.count + BATCH - 1) / BATCH), measure_batch, &m, err);
  if (!code) {
    sum_up(&m, rows);
    *count = m.depths;
  }
  for (int i = 0; m.workers && i < ctx->threads; i++) {
    vlb_captioner_free(m.workers[i].captioner);
    vlb_caption_samples_close(&m.workers[i].samples);
  }
  free(m.workers), free(m.tallies), free(m.errors);
  return code;
}
