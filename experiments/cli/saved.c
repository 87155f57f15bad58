#include "experiments/cli/saved.h"

#include <string.h>

#include "core/model/build.h"

double vlb_saved_operations(const vlb_model *m) {
  const vlb_model_config *c = &m->config;
  const vlb_model_shape *s = &m->shape;
  double p = s->views * s->tokens_per_view + (double)c->tokenizer_max_length + 1, d = (double)c->text_hidden, q = s->q_width, kv = s->kv_width;
  double last = 2 * p * d * q * 2 + 2 * 2 * p * p * q + 3 * 2 * p * d * (double)c->text_mlp, cross = 0;
  for (int i = 0; i < s->expert_layers; i++)
    if (!vlb_layer_is_self(c, i)) cross += 2 * 2 * p * kv * kv;
  double e = s->expert_hidden, time = 2 * ((double)c->chunk_size - 1) * e * e;
  return last + (double)(c->num_steps - 1) * cross + (double)c->num_steps * time;
}

double vlb_stored_bytes(const vlb_param *p, vlb_precision precision) {
  double size = (double)p->size;
  bool matrix = p->ndim > 1 && !strstr(p->name, "embed_tokens") && !strstr(p->name, "position_embedding") && strstr(p->name, "vlm_with_expert");
  bool vlm = strstr(p->name, "text_model.layers") || strstr(p->name, "encoder.layers");
  if (!matrix || precision == VLB_FLOAT32) return 4 * size;
  return precision == VLB_INT8 && vlm ? size : 2 * size;
}
