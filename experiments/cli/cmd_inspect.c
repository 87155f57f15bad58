/* vlabench inspect: what a LeRobot checkpoint is, costs, and silently assumes. */
#include <jansson.h>
#include <string.h>

#include "core/model/pretrained.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/saved.h"

enum { MAX_STAGES = 8, PARTS = 6, DTYPES = VLB_BOOL + 1 };

/* Parts of a model by the beginnings of its tensors' names; what no other row claims is a projection. */
static const struct {
  const char *name, *prefix;
} parts[PARTS] = {{"vision tower", "model.vlm_with_expert.vlm.model.vision_model."},
                  {"connector", "model.vlm_with_expert.vlm.model.connector."},
                  {"word embeddings", "model.vlm_with_expert.vlm.model.text_model.embed_tokens."},
                  {"text layers", "model.vlm_with_expert.vlm.model.text_model."},
                  {"expert", "model.vlm_with_expert.lm_expert."},
                  {"projections", "model."}};

/* Numbers of a model. */
typedef struct {
  int64_t parameters, trained;
  int64_t part[PARTS], part_trained[PARTS];
  int tensors[DTYPES]; /* of the files, by type */
  double file_bytes, weight_bytes; /* as stored, and as float32 */
  double plan_bytes;               /* activations */
  double low_bytes[2];             /* weights in bfloat16, int8 */
  vlb_stage_row stages[MAX_STAGES];
  int stage_count;
  double naive; /* extra operations of a chunk when nothing is saved */
} costs;

static void count_param(const vlb_param *p, costs *out) {
  int k = 0;
  int64_t size = (int64_t)p->size, trained = p->trainable ? size : 0;
  while (k + 1 < PARTS && strncmp(p->name, parts[k].prefix, strlen(parts[k].prefix))) k++;
  out->part[k] += size, out->part_trained[k] += trained;
  out->parameters += size, out->trained += trained;
  for (int precision = VLB_BFLOAT16; precision <= VLB_INT8; precision++) out->low_bytes[precision - 1] += vlb_stored_bytes(p, (vlb_precision)precision);
}

static vlb_code count(const vlb_model *m, const vlb_shards *shards, costs *out, vlb_error *err) {
  memset(out, 0, sizeof *out);
  for (int i = 0; i < vlb_shards_count(shards); i++) {
    const vlb_st_entry *e = vlb_shards_at(shards, i);
    out->file_bytes += (double)(e->count * vlb_dtype_size(e->dtype));
    out->tensors[e->dtype]++;
  }
  for (int i = 0; i < m->param_count; i++) count_param(&m->params[i], out);
  out->weight_bytes = 4.0 * (double)out->parameters;
  vlb_policy *p;
  VLB_TRY(vlb_policy_create(m, 1, &p, err));
  vlb_graph *prefix = vlb_policy_prefix_graph(p), *step = vlb_policy_step_graph(p);
  out->stage_count = vlb_graph_stage_rows(prefix, out->stages, MAX_STAGES - 1);
  out->stage_count += vlb_graph_stage_rows(step, out->stages + out->stage_count, 1);
  out->plan_bytes = (double)(vlb_graph_bytes(prefix) + vlb_graph_bytes(step));
  out->naive = vlb_saved_operations(m);
  vlb_policy_free(p);
  return VLB_OK;
}

static double chunk_flops(const vlb_model *m, const costs *k) {
  double sum = 0;
  for (int i = 0; i < k->stage_count; i++)
    sum += k->stages[i].flops * (strcmp(k->stages[i].stage, "flow step") ? 1 : (double)m->config.num_steps);
  return sum;
}

/* ---- people ---- */

static void print_architecture(const vlb_checkpoint_folder *f, const vlb_model *m) {
  const vlb_model_config *c = &m->config;
  const vlb_model_shape *s = &m->shape;
  static const char *const kinds[] = {"cross-attention", "joint self-attention", "interleaved"};
  printf("VLM            %s: %d of %lld layers, width %lld, %lld heads, %lld key heads of %lld\n", f->config.vlm, s->vlm_layers,
         (long long)c->text_layers, (long long)c->text_hidden, (long long)c->text_heads, (long long)c->text_kv_heads, (long long)c->head_dim);
  printf("vision tower   %lld layers, width %lld, pictures of %lld x %lld pixels -> %d tokens\n", (long long)c->vision_layers,
         (long long)c->vision_hidden, (long long)c->image_size, (long long)c->image_size, s->tokens_per_view);
  printf("expert         %d layers, width %d, MLP %d, %s", s->expert_layers, s->expert_hidden, s->expert_mlp, kinds[c->attention]);
  if (c->attention == VLB_ATTENTION_INTERLEAVED) printf(" (self every %lld layers)", (long long)c->self_attn_every);
  printf("\nactions        chunks of %lld, %lld numbers each (padded to %lld), %lld steps of the flow\n", (long long)c->chunk_size,
         (long long)c->action_dim, (long long)c->max_action_dim, (long long)c->num_steps);
}

static void print_costs(const vlb_model *m, const costs *k) {
  printf("parameters     %lld, of which %lld are trained when fine-tuned as configured\n", (long long)k->parameters, (long long)k->trained);
  for (int i = 0; i < PARTS; i++)
    printf("  %-15s %11lld  %s\n", parts[i].name, (long long)k->part[i], !k->part_trained[i] ? "frozen" : k->part_trained[i] == k->part[i] ? "trained" : "trained in part");
  printf("memory         %.1f MB in the files (", k->file_bytes / (1 << 20));
  for (int i = 0, seen = 0; i < DTYPES; i++)
    if (k->tensors[i]) printf("%s%d tensors %s", seen++ ? ", " : "", k->tensors[i], vlb_dtype_name((vlb_dtype)i));
  printf("), %.1f MB as float32, %.1f MB for one observation\n", k->weight_bytes / (1 << 20), k->plan_bytes / (1 << 20));
  printf("               packed weights take %.1f MB as bfloat16, %.1f MB as int8 (--precision)\n", k->low_bytes[0] / (1 << 20), k->low_bytes[1] / (1 << 20));
  printf("operations     ");
  for (int i = 0; i < k->stage_count; i++) {
    bool flow = !strcmp(k->stages[i].stage, "flow step");
    printf("%s %.2f", k->stages[i].stage, 1e-9 * k->stages[i].flops);
    if (flow) printf(" x %lld", (long long)m->config.num_steps);
    printf("%s", i + 1 < k->stage_count ? ", " : "");
  }
  double sum = chunk_flops(m, k);
  printf("\n               %.2f GFLOP for a chunk; %.2f without the exact savings\n", 1e-9 * sum, 1e-9 * (sum + k->naive));
}

static void print_cameras(const vlb_checkpoint_folder *f) {
  const vlb_lerobot_config *c = &f->config;
  for (int i = 0; i < c->camera_count; i++) {
    printf("  camera %-2d       %s", i + 1, c->cameras[i]);
    if (c->camera_size[i][0]) printf(" (trained on %d x %d)", c->camera_size[i][1], c->camera_size[i][0]);
    putchar('\n');
  }
  if (c->camera_count > 1) puts("                  in this order; one that is absent lets the later ones move up");
}

static void print_settings(const vlb_checkpoint_folder *f, const vlb_model *m) {
  const vlb_model_config *c = &m->config;
  const vlb_processors *p = &f->processors;
  puts("\nwhat changes results at evaluation");
  printf("  n_action_steps  %lld of %lld predicted actions are executed before the next look", (long long)c->n_action_steps, (long long)c->chunk_size);
  puts(c->n_action_steps > 1 ? " (the paper's LIBERO results use 1)" : "");
  printf("  num_steps       %lld steps from noise to actions; the noise decides too (--seed)\n", (long long)c->num_steps);
  print_cameras(f);
  if (c->empty_cameras) printf("  empty cameras   %lld of the absent ones become black and masked views\n", (long long)c->empty_cameras);
  for (int i = 0; i < p->renames; i++) printf("  renamed         %s -> %s\n", p->from[i], p->to[i]);
  printf(f->config.resize ? "  pictures        resized to %lld pixels keeping their aspect ratio, padded with black on the left and top\n"
                          : "  pictures        not resized: they must come with %lld pixels a side\n",
         (long long)c->image_size);
  printf("  state           normalisation: %s\n", vlb_norm_name(p->state.norm));
  printf("  actions         normalisation: %s; statistics %s\n", vlb_norm_name(p->action.norm), p->source);
  printf("  instruction     at most %lld tokens, tokenizer %s\n", (long long)c->tokenizer_max_length, f->tokenizer[0] ? f->tokenizer : "not found");
  printf("  precision       float32 unless --precision says otherwise%s\n", f->config.bfloat16 ? "; LeRobot itself runs this checkpoint in bfloat16, so its actions differ somewhat" : ", as in LeRobot");
  puts(strstr(p->source, "v0.4") ? "  loss            a checkpoint of this age was trained with what is now train.loss = 2025: padded steps and dimensions counted"
                                 : "  loss            not noted in a checkpoint; those of 2025 were trained with train.loss = 2025, later ones with current");
}

/* ---- programs ---- */

static json_t *camera_list(const vlb_checkpoint_folder *f) {
  json_t *list = json_array();
  for (int i = 0; i < f->config.camera_count; i++) json_array_append_new(list, json_string(f->config.cameras[i]));
  return list;
}

static json_t *part_list(const costs *k) {
  json_t *list = json_object();
  for (int i = 0; i < PARTS; i++)
    json_object_set_new(list, parts[i].name, json_pack("{s:I, s:I}", "parameters", (json_int_t)k->part[i], "trained", (json_int_t)k->part_trained[i]));
  return list;
}

static void print_json(const vlb_checkpoint_folder *f, const vlb_model *m, const costs *k) {
  json_t *stages = json_object();
  for (int i = 0; i < k->stage_count; i++) json_object_set_new(stages, k->stages[i].stage, json_real(1e-9 * k->stages[i].flops));
  double sum = chunk_flops(m, k);
  json_t *out = json_pack("{s:s,s:I,s:I,s:f,s:f,s:f,s:f,s:f,s:o,s:f,s:f,s:I,s:I,s:I,s:o,s:s,s:s}", "vlm", f->config.vlm, "parameters", (json_int_t)k->parameters,
                          "trained", (json_int_t)k->trained, "file_bytes", k->file_bytes, "float32_bytes", k->weight_bytes, "bfloat16_bytes", k->low_bytes[0], "int8_bytes", k->low_bytes[1], "plan_bytes", k->plan_bytes,
                          "gflop", stages, "gflop_chunk", 1e-9 * sum, "gflop_chunk_naive", 1e-9 * (sum + k->naive), "chunk_size",
                          (json_int_t)m->config.chunk_size, "n_action_steps", (json_int_t)m->config.n_action_steps, "num_steps",
                          (json_int_t)m->config.num_steps, "cameras", camera_list(f), "state_normalisation", vlb_norm_name(f->processors.state.norm),
                          "action_normalisation", vlb_norm_name(f->processors.action.norm));
  json_object_set_new(out, "parts", part_list(k));
  json_object_set_new(out, "image_size", json_integer(m->config.image_size));
  json_object_set_new(out, "resize", json_boolean(f->config.resize));
  json_object_set_new(out, "empty_cameras", json_integer(m->config.empty_cameras));
  json_object_set_new(out, "tokenizer_max_length", json_integer(m->config.tokenizer_max_length));
  json_object_set_new(out, "statistics", json_string(f->processors.source));
  json_object_set_new(out, "lerobot_runs_in_bfloat16", json_boolean(f->config.bfloat16));
  json_dumpf(out, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
  putchar('\n');
  json_decref(out);
}

static vlb_code inspect(vlb_checkpoint_folder *f, const char *dir, bool json, vlb_log *log, vlb_error *err) {
  vlb_shards *shards = f->shards;
  vlb_model *m;
  costs k;
  f->shards = NULL;
  VLB_TRY(vlb_model_map(&f->config.model, shards, dir, log, &m, err)); /* owns the shards from here */
  vlb_code code = count(m, shards, &k, err);
  if (!code && json) {
    print_json(f, m, &k);
  } else if (!code) {
    print_architecture(f, m);
    print_costs(m, &k);
    print_settings(f, m);
  }
  vlb_model_free(m);
  return code;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  vlb_checkpoint_folder f;
  VLB_TRY(vlb_checkpoint_folder_open(vlb_arg_at(args, 0), ctx->log, &f, err));
  vlb_code code = inspect(&f, vlb_arg_at(args, 0), vlb_arg_on(args, "json"), ctx->log, err);
  vlb_checkpoint_folder_close(&f);
  return code;
}

static const vlb_option options[] = {VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_inspect = {
    .name = "inspect",
    .summary = "a LeRobot checkpoint: sizes, costs, and the settings that change results",
    .usage = "DIR",
    .examples = "  vlabench inspect smolvla_base          # a folder with config.json and model.safetensors\n"
                "  vlabench inspect smolvla_base --json\n",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run};
