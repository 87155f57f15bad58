/* Private to core/model: what the files of a written checkpoint directory share. */
#ifndef VLB_MODEL_LEROBOT_PARTS_H
#define VLB_MODEL_LEROBOT_PARTS_H

#include "core/model/lerobot_write.h"
#include "core/model/pretrained.h"

/* A directory that is being written. */
typedef struct {
  const vlb_lerobot_output *out;
  const char *dir;
  const vlb_checkpoint_folder *base; /* NULL: a new policy */
  const vlb_shards *vlm_shards;      /* of a stand-alone VLM; NULL: none */
  vlb_processors processors;         /* of the written policy */
  const char *vlm;                   /* vlm_model_name */
} vlb_lerobot_writing;

/* config.json as an object (caller: json_decref), and the files of the folder vlm that belong to the micro scale. */
json_t *vlb_lerobot_config_json(const vlb_lerobot_writing *w);
vlb_code vlb_lerobot_write_micro_vlm(const vlb_model_config *c, const vlb_model_shape *s, const char *folder, vlb_error *err);

/* transformers wants a processor beside a VLM's configuration, also where it is asked for the tokenizer only: the least of one, where there is none. */
vlb_code vlb_lerobot_complete_vlm(const vlb_model_shape *s, const char *folder, vlb_error *err);

#endif
