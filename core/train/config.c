#include "core/train/train.h"

#define ROW(kind, name, ...) VLB_FIELD_ROW(vlb_train_config, kind, name, __VA_ARGS__)
const vlb_field vlb_train_fields[] = {VLB_TRAIN_FIELDS(ROW){.name = NULL}};
#undef ROW

vlb_code vlb_train_config_check(const vlb_train_config *c, vlb_error *err) {
  if (c->batch_size % c->shards)
    return vlb_fail(err, VLB_USAGE, "batch_size %lld is not a multiple of shards %lld: every shard holds the same number of samples",
                    (long long)c->batch_size, (long long)c->shards);
  if (!(c->lr > 0)) return vlb_fail(err, VLB_USAGE, "lr is %g: nothing would be learnt; give a rate above 0", c->lr);
  /* 1 - beta^k divides the moments */
  if (!(c->beta1 < 1)) return vlb_fail(err, VLB_USAGE, "beta1 is %g: it must be below 1", c->beta1);
  if (!(c->beta2 < 1)) return vlb_fail(err, VLB_USAGE, "beta2 is %g: it must be below 1", c->beta2);
  if (!(c->eps > 0)) return vlb_fail(err, VLB_USAGE, "eps is %g: a weight without gradient would become 0/0; it must be above 0", c->eps);
  return VLB_OK;
}

vlb_code vlb_train_seen_model(const vlb_train_config *config, const vlb_model_config *model, vlb_model_config *seen, vlb_error *err) {
  *seen = *model;
  if (!config->chunk_rows || config->chunk_rows >= model->chunk_size) return VLB_OK;
  if (model->attention != VLB_ATTENTION_CROSS)
    return vlb_fail(err, VLB_USAGE, "train.chunk_rows = %lld: the actions of a chunk see each other in self-attention layers; it needs attention = \"cross\", or train.chunk_rows = 0",
                    (long long)config->chunk_rows);
  seen->chunk_size = config->chunk_rows;
  if (seen->n_action_steps > seen->chunk_size) seen->n_action_steps = seen->chunk_size;
  return VLB_OK;
}
