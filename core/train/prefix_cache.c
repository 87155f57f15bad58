#include "core/train/prefix_cache.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/pool.h"
#include "core/tensor/backend.h"
#include "core/train/cache_file.h"
#include "core/train/prefix_fill.h"
#include "core/train/vlm.h"

/* Raised by hand when a change of the code changes what is kept. */
enum { CACHE_VERSION = 1 };

/* ---- what the run needs ---- */

static vlb_code no_memory(vlb_error *err) { return vlb_fail(err, VLB_FAILED, "out of memory for the prefix cache"); }

/* frames of a task lie together */
static vlb_code find_tasks(vlb_prefix_cache *c, vlb_error *err) {
  const vlb_dataset *d = c->data;
  size_t rows = vlb_prefix_row_count(c->model);
  c->task = calloc((size_t)d->tasks + 1, sizeof *c->task);
  c->real = calloc((size_t)d->tasks * rows + 1, 1);
  c->visited = calloc((size_t)d->frames, 1);
  if (!c->task || !c->real || !c->visited) return no_memory(err);
  for (int64_t i = 0; i < d->frames; i++) {
    vlb_cached_task *t = &c->task[d->task[i]];
    if (!t->frames++) t->first = i;
  }
  for (int k = 0; k < d->tasks; k++) {
    c->task[k].file = (vlb_cache_file){.data = -1, .marks = -1};
    c->task[k].real = c->real + (size_t)k * rows;
    c->task[k].rows = vlb_prefix_real_rows(c->model, d->token_mask + k * d->prompt_length, c->real + (size_t)k * rows);
  }
  return VLB_OK;
}

/* Few steps visit few frames; the others are not made. */
static vlb_code find_visited(vlb_prefix_cache *c, const vlb_train_config *config, vlb_error *err) {
  vlb_sampler s;
  int64_t frames = c->data->frames, *batch;
  if (config->steps >= frames / config->batch_size + 1) {
    memset(c->visited, 1, (size_t)frames);
  } else {
    batch = malloc((size_t)config->batch_size * sizeof *batch);
    vlb_code code = batch ? vlb_sampler_open(&s, c->data, config, err) : no_memory(err);
    for (int64_t step = 0; !code && step < config->steps; step++) {
      vlb_sampler_step(&s, step, batch);
      for (int64_t i = 0; i < config->batch_size; i++) c->visited[batch[i]] = 1;
    }
    if (batch && !code) vlb_sampler_close(&s);
    free(batch);
    VLB_TRY(code);
  }
  for (int64_t i = 0; i < frames; i++) c->task[c->data->task[i]].visited += c->visited[i];
  return VLB_OK;
}

/* ---- names ---- */

/* the weights that decide: of the whole VLM, or of its vision tower and connector */
static void write_weights(FILE *out, const vlb_model *m, vlb_prefix_source source) {
  char hash[VLB_HASH_SIZE];
  for (int i = 0; i < m->param_count; i++) {
    const vlb_param *p = &m->params[i];
    if (!vlb_param_is_vlm(p) || (source == VLB_PREFIX_TOKENS && strstr(p->name, ".text_model."))) continue;
    vlb_hash(p->data, p->size * sizeof *p->data, hash);
    fprintf(out, "%s %s\n", p->name, hash);
  }
}

/* everything but pictures and instruction */
static vlb_code write_common(vlb_prefix_cache *c, const vlb_model *m, char **text, vlb_error *err) {
  size_t size;
  FILE *out = open_memstream(text, &size);
  if (!out) return no_memory(err);
  const vlb_model_config *g = &m->config;
  fprintf(out, "vlabench prefix cache %d, oneDNN %s on %s, march %s\n", CACHE_VERSION, vlb_backend_version(), vlb_backend_isa(), VLB_MARCH);
  fprintf(out, "vision heads %lld, eps %a, image %lld, patch %lld, shuffle %lld, cameras %lld\n", (long long)g->vision_heads, g->vision_eps,
          (long long)g->image_size, (long long)g->patch_size, (long long)g->scale_factor, (long long)g->cameras);
  if (c->source == VLB_PREFIX_KV)
    fprintf(out, "bf16 %d, layers %d, heads %lld %lld %lld, eps %a, empty %lld, special %d %lld %lld\n", c->bf16, m->shape.vlm_layers,
            (long long)g->text_heads, (long long)g->text_kv_heads, (long long)g->head_dim, g->rms_eps, (long long)g->empty_cameras,
            g->add_image_special_tokens, (long long)g->fake_image_token, (long long)g->global_image_token);
  write_weights(out, m, c->source);
  return fclose(out) ? no_memory(err) : VLB_OK;
}

typedef struct {
  vlb_prefix_cache *cache;
  const char *common, *folder;
} naming;

static size_t part_bytes(const vlb_prefix_cache *c, const vlb_cached_task *t) {
  if (c->source == VLB_PREFIX_TOKENS) return vlb_prefix_token_count(c->model) * sizeof(float);
  return 2 * (size_t)t->rows * (size_t)c->model->shape.kv_width * vlb_cached_number(c);
}

static vlb_code open_task(void *self, int k, int worker, vlb_error *err) {
  (void)worker;
  naming *n = self;
  vlb_prefix_cache *c = n->cache;
  const vlb_dataset *d = c->data;
  vlb_cached_task *t = &c->task[k];
  char pictures[VLB_HASH_SIZE], words[VLB_HASH_SIZE], name[VLB_HASH_SIZE], path[1024], *text = NULL;
  size_t picture = (size_t)d->cameras * (size_t)d->size * (size_t)d->size * 3, length = (size_t)d->prompt_length, size;
  if (!t->visited) return VLB_OK;
  vlb_hash(d->pixels + (size_t)t->first * picture, (size_t)t->frames * picture, pictures);
  FILE *out = open_memstream(&text, &size);
  if (!out) return no_memory(err);
  fprintf(out, "%sframes %lld of %d, pictures %s\n", n->common, (long long)t->frames, d->size, pictures);
  if (c->source == VLB_PREFIX_KV) {
    vlb_hash(d->tokens + (size_t)k * length, length * sizeof *d->tokens, words);
    fprintf(out, "rows %d, words %s", t->rows, words);
    vlb_hash(d->token_mask + (size_t)k * length, length, words);
    fprintf(out, " %s\n", words);
  }
  fclose(out);
  vlb_hash(text, size, name);
  free(text);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s-%.24s", n->folder, c->source == VLB_PREFIX_KV ? "kv" : "vision", name));
  return vlb_cache_file_open(&t->file, path, t->frames, (size_t)c->depth, part_bytes(c, t), err);
}

static void close_tasks(vlb_prefix_cache *c) {
  for (int k = 0; c->task && k < c->data->tasks; k++) vlb_cache_file_close(&c->task[k].file);
}

/* ---- the choice ---- */

static double needed(const vlb_prefix_cache *c) {
  double bytes = 0;
  for (int k = 0; k < c->data->tasks; k++)
    bytes += (double)c->task[k].visited * (double)c->depth * ((double)part_bytes(c, &c->task[k]) + sizeof(uint64_t));
  return bytes;
}

static const char *what(const vlb_prefix_cache *c, char *buf, size_t size) {
  if (c->source == VLB_PREFIX_TOKENS)
    snprintf(buf, size, "image tokens");
  else
    snprintf(buf, size, "keys and values of %d layers%s", c->depth, c->bf16 ? " in bfloat16" : "");
  return buf;
}

/* Whether the files, now open, fit beside others' in the folder and onto the disk; unused files of other runs make room. Says why not. */
static bool make_room(vlb_prefix_cache *c, const char *folder, double limit) {
  struct statvfs disk;
  double mine = 0, wanted = needed(c);
  char name[64];
  for (int k = 0; k < c->data->tasks; k++)
    if (c->task[k].visited) mine += (double)vlb_cache_file_disk(&c->task[k].file);
  double others = (double)vlb_cache_folder_disk(folder) - mine, rest = limit - (mine > wanted ? mine : wanted);
  if (others > rest) others = (double)vlb_cache_folder_shrink(folder, (int64_t)(mine + (rest > 0 ? rest : 0))) - mine;
  if (others > rest) {
    vlb_info(c->ctx->log, "prefix cache: %s of %lld frames take %.2f GB, but runs that go on hold %.2f of the %.2f GB of prefix_cache_gb",
             what(c, name, sizeof name), (long long)c->visits, 1e-9 * wanted, 1e-9 * others, 1e-9 * limit);
    return false;
  }
  double free_bytes = statvfs(folder, &disk) ? 1e300 : (double)disk.f_bavail * (double)disk.f_frsize;
  if (wanted - mine <= free_bytes) return true;
  vlb_info(c->ctx->log, "prefix cache: %s of %lld frames need %.2f GB more, but %s has %.2f GB free", what(c, name, sizeof name), (long long)c->visits,
           1e-9 * (wanted - mine), folder, 1e-9 * free_bytes);
  return false;
}

/* Opens the files of one form, made by the VLM of `filler`. *fits tells whether there is room. */
static vlb_code try_form(vlb_prefix_cache *c, const vlb_model *filler, const char *folder, double limit, bool *fits, vlb_error *err) {
  char name[64], *common = NULL;
  *fits = needed(c) <= limit;
  if (!*fits) {
    vlb_info(c->ctx->log, "prefix cache: %s of %lld frames would take %.2f GB, more than prefix_cache_gb = %g", what(c, name, sizeof name),
             (long long)c->visits, 1e-9 * needed(c), 1e-9 * limit);
    return VLB_OK;
  }
  VLB_TRY(vlb_folder_make(folder, err));
  vlb_code code = write_common(c, filler, &common, err);
  naming n = {.cache = c, .common = common, .folder = folder};
  if (!code) code = vlb_parallel(c->ctx->threads, c->data->tasks, open_task, &n, err);
  free(common);
  if (!code) *fits = make_room(c, folder, limit);
  if (code || !*fits) close_tasks(c);
  return code;
}

/* The VLM with all its layers, where the model keeps fewer and it can be had: random ones cannot, their numbers depend on the model. */
static vlb_code whole_vlm(const vlb_model *model, const vlb_train_config *config, vlb_model **whole, vlb_error *err) {
  vlb_model_config m = model->config;
  vlb_model_shape shape;
  *whole = NULL;
  m.num_vlm_layers = 0, m.num_expert_layers = 1, m.attention = VLB_ATTENTION_CROSS; /* the expert is not used */
  if (!config->vlm.s[0] || vlb_model_shape_of(&m, &shape, NULL) || shape.vlm_layers == model->shape.vlm_layers) return VLB_OK;
  return vlb_train_begin(&m, config, whole, err);
}

/* the largest form that fits, and the model that makes it; depth 0: none does */
static vlb_code choose(vlb_prefix_cache *c, const vlb_train_config *config, const vlb_model *whole, const char *folder, const vlb_model **filler, vlb_error *err) {
  const struct {
    vlb_prefix_source source;
    const vlb_model *filler;
  } forms[] = {{VLB_PREFIX_KV, whole}, {VLB_PREFIX_KV, c->model}, {VLB_PREFIX_TOKENS, c->model}};
  bool fits = false;
  char name[64];
  for (int i = config->prefix_cache == VLB_CACHE_KV ? 0 : 2; i < 3 && !fits; i++) {
    if (!forms[i].filler) continue;
    *filler = forms[i].filler;
    c->source = forms[i].source;
    c->depth = c->source == VLB_PREFIX_KV ? (*filler)->shape.vlm_layers : 1;
    c->used = c->source == VLB_PREFIX_KV ? c->model->shape.vlm_layers : 1;
    VLB_TRY(try_form(c, *filler, folder, 1e9 * config->prefix_cache_gb, &fits, err));
  }
  if (fits)
    vlb_info(c->ctx->log, "prefix cache: %s of %lld frames, %.2f GB in %s", what(c, name, sizeof name), (long long)c->visits, 1e-9 * needed(c), folder);
  else
    vlb_info(c->ctx->log, "prefix cache: none; the VLM runs at every step");
  if (!fits) c->depth = 0;
  return VLB_OK;
}

/* ---- life ---- */

static vlb_code open_cache(vlb_prefix_cache *c, const vlb_train_config *config, const char *folder, vlb_error *err) {
  const vlb_model *filler = NULL;
  vlb_model *whole = NULL;
  VLB_TRY(find_tasks(c, err));
  VLB_TRY(find_visited(c, config, err));
  for (int k = 0; k < c->data->tasks; k++) c->visits += c->task[k].visited;
  if (config->prefix_cache == VLB_CACHE_KV) VLB_TRY(whole_vlm(c->model, config, &whole, err));
  vlb_code code = choose(c, config, whole, folder, &filler, err);
  if (!code && c->depth) code = vlb_prefix_fill(c, filler, err);
  vlb_model_free(whole);
  return code;
}

vlb_code vlb_prefix_cache_open(const vlb_model *model, const vlb_train_config *config, const vlb_dataset *data, const char *folder,
                               const vlb_context *ctx, vlb_prefix_cache **out, vlb_error *err) {
  *out = NULL;
  if (model->config.freeze != VLB_FREEZE_VLM || config->prefix_cache == VLB_CACHE_NONE || !folder) return VLB_OK;
  vlb_prefix_cache *c = calloc(1, sizeof *c);
  if (!c) return no_memory(err);
  c->model = model;
  c->data = data;
  c->ctx = ctx;
  c->bf16 = config->prefix_precision == VLB_PRECISION_BFLOAT16;
  c->most_touched = (size_t)(1e9 * config->prefix_cache_memory_gb);
  vlb_code code = open_cache(c, config, folder, err);
  if (code || !c->depth)
    vlb_prefix_cache_close(c);
  else
    *out = c;
  return code;
}

void vlb_prefix_cache_close(vlb_prefix_cache *c) {
  if (!c) return;
  close_tasks(c);
  free(c->task), free(c->real), free(c->visited), free(c);
}

vlb_prefix_source vlb_prefix_cache_source(const vlb_prefix_cache *c) { return c ? c->source : VLB_PREFIX_IMAGES; }

/* ---- reading ---- */

/* The map's pages count as this process's memory; past the bound they are let go and read again, from the system's cache if it still has them. */
static void count_touched(vlb_prefix_cache *c, size_t bytes) {
  if (atomic_fetch_add(&c->touched, bytes) + bytes <= c->most_touched) return;
  atomic_store(&c->touched, 0);
  for (int k = 0; k < c->data->tasks; k++)
    if (c->task[k].visited) vlb_cache_file_drop(&c->task[k].file);
}

/* the real rows of one tensor into [R,W]; the others are zeros */
static const char *spread(const vlb_prefix_cache *c, const vlb_cached_task *t, const char *from, float *to) {
  size_t width = (size_t)c->model->shape.kv_width, rows = vlb_prefix_row_count(c->model), size = width * vlb_cached_number(c);
  for (size_t r = 0; r < rows; r++, to += width) {
    if (!t->real[r]) {
      memset(to, 0, width * sizeof *to);
      continue;
    }
    if (c->bf16)
      for (size_t i = 0; i < width; i++) {
        uint16_t upper;
        memcpy(&upper, from + i * sizeof upper, sizeof upper);
        uint32_t bits = (uint32_t)upper << 16;
        memcpy(to + i, &bits, sizeof bits);
      }
    else
      memcpy(to, from, size);
    from += size;
  }
  return from;
}

void vlb_prefix_cache_read(vlb_prefix_cache *c, int64_t frame, vlb_samples *b, int at) {
  const vlb_cached_task *t = &c->task[c->data->task[frame]];
  const char *from = vlb_cache_file_at(&t->file, frame - t->first);
  size_t n = (size_t)b->n, place = (size_t)at;
  if (c->source == VLB_PREFIX_TOKENS) {
    size_t view = vlb_prefix_token_count(c->model) / (size_t)c->model->config.cameras;
    for (size_t v = 0; v < (size_t)c->model->config.cameras; v++)
      memcpy(b->image_tokens + (v * n + place) * view, from + v * view * sizeof(float), view * sizeof(float));
  } else {
    size_t one = vlb_prefix_layer_count(c->model) / 2;
    for (size_t i = 0; i < 2 * (size_t)c->used; i++) from = spread(c, t, from, b->kv + (i * n + place) * one);
  }
  count_touched(c, (size_t)c->used * t->file.part_bytes);
}
