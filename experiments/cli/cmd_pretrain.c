#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/data/safetensors.h"
#include "experiments/cli/commands.h"
#include "experiments/plan/estimate.h"
#include "experiments/plan/recipe.h"
#include "experiments/store/class.h"

enum { MOST_MEASURED = 2000 };

/* What a run leaves: FOLDER/scenes, FOLDER/stage-1, ..., then model.safetensors (bfloat16), manifest.json, loss.csv. */

static vlb_code stage_folder(const char *folder, int stage, char out[1024], vlb_error *err) {
  return vlb_path(out, 1024, err, "%s/stage-%d", folder, stage + 1);
}

static vlb_code stage_weights(const char *folder, int stage, char out[1024], vlb_error *err) {
  return vlb_path(out, 1024, err, "%s/stage-%d/model.safetensors", folder, stage + 1);
}

/* The VLM that a stage starts from: random, or the stage before, grown. */
static vlb_code begin_stage(const vlb_recipe *r, const char *folder, int stage, vlb_model **out, vlb_error *err) {
  vlb_model_config config = vlb_recipe_model(r, stage);
  char path[1024];
  VLB_TRY(vlb_model_create_vlm(&config, out, err));
  if (!stage) {
    vlb_model_init(*out, (uint64_t)r->stages[0].train.seed);
    return VLB_OK;
  }
  vlb_model *before;
  config = vlb_recipe_model(r, stage - 1);
  VLB_TRY(vlb_model_create_vlm(&config, &before, err));
  vlb_code code = stage_weights(folder, stage - 1, path, err);
  if (!code) code = vlb_model_load(before, path, err);
  if (!code) vlb_pretrain_grow(before, *out, (uint64_t)r->stages[stage].train.seed);
  vlb_model_free(before);
  return code;
}

static vlb_code run_stage(const vlb_recipe *r, const vlb_caption_data *data, const char *folder, int stage, const vlb_context *ctx, vlb_error *err) {
  char path[1024], label[64];
  vlb_model *vlm = NULL;
  VLB_TRY(stage_weights(folder, stage, path, err));
  if (vlb_file_exists(path)) return VLB_OK;
  VLB_TRY(stage_folder(folder, stage, path, err));
  snprintf(label, sizeof label, "pretrain, stage %d", stage + 1);
  vlb_code code = begin_stage(r, folder, stage, &vlm, err);
  if (!code) code = vlb_pretrain(vlm, &r->pretrain, &r->stages[stage].train, data, label, path, ctx, err);
  vlb_model_free(vlm);
  return code;
}

static json_t *number(double x, double unit) { return isnan(x) ? json_null() : json_real(round(x / unit) * unit); }

static json_t *sight_json(const vlb_sight *s, int count) {
  json_t *list = json_array();
  for (int i = 0; i < count; i++)
    json_array_append_new(list, json_pack("{s:i, s:o, s:o, s:[o,o], s:o, s:o, s:I}", "layers", s[i].layers, "loss", number(s[i].loss, 1e-4), "word_hits",
                                          number(s[i].word_hits, 1e-4), "pixels", number(s[i].pixels[0], 1e-3), number(s[i].pixels[1], 1e-3), "metres",
                                          number(s[i].metres, 1e-5), "to_metres", number(s[i].to_metres, 1e-5), "samples", (json_int_t)s[i].samples));
  return list;
}

static void print_sight(const vlb_sight *s, int count) {
  printf("held-out scenes: %lld\n\n", (long long)s[0].samples);
  printf("layers  nats/token  words right  pixels, agentview  pixels, wrist  metres to what is moved  metres to where it goes\n");
  for (int i = 0; i < count; i++)
    printf("%6d  %10.4f  %10.1f%%  %17.2f  %13.2f  %23.4f  %23.4f\n", s[i].layers, s[i].loss, 100 * s[i].word_hits, s[i].pixels[0], s[i].pixels[1],
           s[i].metres, s[i].to_metres);
}

static void print(const vlb_sight *s, int count, bool json) {
  if (!json) {
    print_sight(s, count);
    return;
  }
  json_t *list = sight_json(s, count);
  json_dumpf(list, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
  putchar('\n');
  json_decref(list);
}

/* FOLDER/manifest.json: what it is, what it was made from, how well it sees, on what class of machine. */
static vlb_code write_manifest(const vlb_recipe *r, const vlb_caption_data *data, const char *folder, const char *weights, const vlb_sight *rows, int count,
                               vlb_error *err) {
  char path[1024], hash[VLB_HASH_SIZE];
  vlb_class class;
  json_t *where = json_object(), *stages = json_array();
  vlb_class_here(&class);
  for (const vlb_class_field *f = vlb_class_fields; f->name; f++) json_object_set_new(where, f->name, json_string(vlb_class_text(f, &class)));
  for (int s = 0; s < r->stage_count; s++)
    json_array_append_new(stages, json_pack("{s:I,s:I}", "text_layers", (json_int_t)r->stages[s].text_layers, "samples",
                                            (json_int_t)(r->stages[s].train.steps * r->stages[s].train.batch_size)));
  vlb_code code = vlb_hash_file(weights, hash, err);
  json_t *root = json_pack("{s:s,s:s,s:s,s:I,s:I,s:o,s:o,s:o}", "title", r->title, "vlabench", VLB_VERSION, "sha256", hash, "scenes",
                           (json_int_t)vlb_caption_data_frames(data, false), "held_out", (json_int_t)vlb_caption_data_frames(data, true), "stages", stages,
                           "sight", sight_json(rows, count), "class", where);
  char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) : NULL;
  if (!code && !text) code = vlb_fail(err, VLB_FAILED, "out of memory");
  if (!code) code = vlb_path(path, sizeof path, err, "%s/manifest.json", folder);
  if (!code) code = vlb_file_write(path, text, strlen(text), err);
  free(text);
  json_decref(root);
  return code;
}

/* bfloat16 first, so that what is measured is what ships */
static vlb_code publish(const vlb_recipe *r, const vlb_caption_data *data, const char *folder, bool json, const vlb_context *ctx, vlb_error *err) {
  char from[1024], to[1024];
  int last = r->stage_count - 1, count = 0;
  vlb_model_config config = vlb_recipe_model(r, last);
  vlb_model *vlm;
  vlb_sight rows[VLB_MAX_DEPTHS];
  VLB_TRY(stage_weights(folder, last, from, err));
  VLB_TRY(vlb_path(to, sizeof to, err, "%s/model.safetensors", folder));
  VLB_TRY(vlb_model_create_vlm(&config, &vlm, err));
  vlb_code code = vlb_model_load(vlm, from, err);
  if (!code) code = vlb_pretrain_publish(vlm, to, err);
  if (!code) code = vlb_pretrain_measure(vlm, &r->pretrain, data, MOST_MEASURED, ctx, rows, &count, err);
  if (!code) code = write_manifest(r, data, folder, to, rows, count, err);
  if (!code) print(rows, count, json);
  vlb_model_free(vlm);
  return code;
}

/* how many text layers a file has */
static vlb_code count_layers(const char *path, int64_t *layers, vlb_error *err) {
  vlb_safetensors *file;
  char name[160];
  VLB_TRY(vlb_safetensors_open(path, &file, err));
  for (*layers = 0;; ++*layers) {
    snprintf(name, sizeof name, "model.vlm_with_expert.vlm.model.text_model.layers.%lld.input_layernorm.weight", (long long)*layers);
    if (!vlb_safetensors_find(file, name)) break;
  }
  vlb_safetensors_close(file);
  return *layers ? VLB_OK : vlb_fail(err, VLB_USAGE, "%s: no VLM of ours", path);
}

static vlb_code measure(const vlb_recipe *r, const vlb_caption_data *data, const char *folder, bool json, const vlb_context *ctx, vlb_error *err) {
  char path[1024];
  vlb_model_config config = vlb_recipe_model(r, r->stage_count - 1);
  vlb_model *vlm;
  vlb_sight rows[VLB_MAX_DEPTHS];
  int count = 0;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.safetensors", folder));
  VLB_TRY(count_layers(path, &config.text_layers, err));
  VLB_TRY(vlb_model_create_vlm(&config, &vlm, err));
  vlb_code code = vlb_model_load(vlm, path, err);
  if (!code) code = vlb_pretrain_measure(vlm, &r->pretrain, data, MOST_MEASURED, ctx, rows, &count, err);
  if (!code) print(rows, count, json);
  vlb_model_free(vlm);
  return code;
}

/* measured: the folder of a VLM to look at instead of training one */
static vlb_code work(const vlb_recipe *r, const char *scenes, const char *folder, const char *measured, bool json, const vlb_context *ctx, vlb_error *err) {
  vlb_caption_data *data;
  VLB_TRY(vlb_caption_data_load(scenes, &r->model, ctx, &data, err));
  vlb_info(ctx->log, "%lld scenes to learn from, %lld held out", (long long)vlb_caption_data_frames(data, false), (long long)vlb_caption_data_frames(data, true));
  vlb_code code = measured ? measure(r, data, measured, json, ctx, err) : VLB_OK;
  for (int s = 0; !measured && s < r->stage_count && !code; s++) code = run_stage(r, data, folder, s, ctx, err);
  if (!measured && !code) code = publish(r, data, folder, json, ctx, err);
  vlb_caption_data_free(data);
  return code;
}

/* Operations of a sample of a stage, forward and backward. */
static vlb_code stage_cost(const vlb_recipe *r, int stage, double *flops, double *parameters, vlb_error *err) {
  vlb_model_config config = vlb_recipe_model(r, stage);
  vlb_captioner_spec spec = {(int)r->pretrain.answers, (int)r->pretrain.depth_every, r->pretrain.depth_weight};
  vlb_captioner *captioner;
  vlb_model *vlm;
  VLB_TRY(vlb_model_create_vlm(&config, &vlm, err));
  vlb_code code = vlb_captioner_create(vlm, &spec, 1, true, &captioner, err);
  if (!code) *flops = vlb_captioner_flops(captioner);
  *parameters = (double)vlm->gradient_count;
  if (!code) vlb_captioner_free(captioner);
  vlb_model_free(vlm);
  return code;
}

/* Seconds per episode of scenes and operations per second and thread: typical ones of a Xeon (Sapphire Rapids). */
static const double episode_seconds = 0.35, thread_rate = 100e9;

static vlb_code describe(const vlb_recipe *r, int threads, vlb_error *err) {
  char about[64];
  double total = 0;
  printf("%s\n\nscenes   %s: %lld episodes of each task, a frame every %lld steps\n", r->title, r->captions.suites.s, (long long)r->captions.episodes_per_task,
         (long long)r->captions.every);
  for (int s = 0; s < r->stage_count; s++) {
    double flops, parameters, samples = (double)(r->stages[s].train.steps * r->stages[s].train.batch_size);
    VLB_TRY(stage_cost(r, s, &flops, &parameters, err));
    printf("stage %d  %lld layer%s, %.2f million parameters, %.0f samples of %.2f GFLOP: %s\n", s + 1, (long long)r->stages[s].text_layers, r->stages[s].text_layers == 1 ? "" : "s", 1e-6 * parameters,
           samples, 1e-9 * flops, vlb_about(samples * flops / thread_rate / threads, about, sizeof about));
    total += samples * flops / thread_rate / threads;
  }
  printf("training: about %s on %d thread%s of this kind of machine; scenes about %.1f s per episode and thread\n", vlb_about(total, about, sizeof about), threads,
         threads == 1 ? "" : "s", episode_seconds);
  return VLB_OK;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  vlb_recipe recipe;
  char scenes[1024];
  const char *name = vlb_arg_at(args, 0), *out = vlb_arg_text(args, "out", "vlm"), *given = vlb_arg_text(args, "scenes", NULL), *assignment;
  VLB_TRY(vlb_recipe_read(name ? name : "micro", &recipe, err));
  for (int i = 0; (assignment = vlb_arg_each(args, "set", i)); i++) VLB_TRY(vlb_recipe_set(&recipe, assignment, err));
  if (vlb_arg_on(args, "dry-run")) return describe(&recipe, ctx->threads, err);
  VLB_TRY(given ? vlb_path(scenes, sizeof scenes, err, "%s", given) : vlb_path(scenes, sizeof scenes, err, "%s/scenes", out));
  VLB_TRY(vlb_folder_make(out, err));
  vlb_folder_clean(out);
  if (!given) VLB_TRY(vlb_captions_record(&recipe.captions, scenes, ctx, err));
  if (vlb_arg_on(args, "only-scenes")) return VLB_OK;
  return work(&recipe, scenes, out, vlb_arg_text(args, "measure", NULL), vlb_arg_on(args, "json"), ctx, err);
}

static const vlb_option options[] = {{'o', "out", "FOLDER", "where everything goes (default ./vlm); an unfinished run there is continued"},
                                     {0, "scenes", "FOLDER", "take the scenes from here instead of recording them"},
                                     {0, "only-scenes", NULL, "record the scenes and stop"},
                                     {0, "measure", "FOLDER", "only tell how well the VLM of this folder sees scenes that were held out"},
                                     {0, "set", "S.KEY=V", "change one setting; may be repeated"},
                                     VLB_OPTION_DRY,
                                     VLB_OPTION_JSON,
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_pretrain = {
    "pretrain", "a vision-language model from captions of our own scenes", "[RECIPE]",
    "  vlabench pretrain -o vlm                     rebuilds the shipped micro VLM\n"
    "  vlabench pretrain micro_small -o small       rebuilds the smaller one\n"
    "  vlabench pretrain my.toml --set captions.every=4 -j2\n"
    "  vlabench pretrain -n                         what would be done\n",
    options, 0, 1, run, vlb_recipe_help};
