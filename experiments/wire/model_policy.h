/* A trained model behind a server: what it takes and gives, what it tells clients, and one policy per worker. */
#ifndef VLB_WIRE_MODEL_POLICY_H
#define VLB_WIRE_MODEL_POLICY_H

#include <jansson.h>

#include "core/base/context.h"
#include "experiments/wire/jobs.h"

/* Names and widths of a model's observations and chunks. */
vlb_wire_shape vlb_wire_shape_of(const vlb_pretrained *model);

/* What a client is told first. robot: NULL when it is not known. weights: digest of the file, or "". Caller: json_decref. */
json_t *vlb_wire_describe(const vlb_pretrained *model, const vlb_embodiment *robot, const char *folder, const char *weights);

/* One policy per worker over one model, which must outlive them. options: as in vlb_runner_create_for. Caller frees. */
typedef struct vlb_model_policies vlb_model_policies;
vlb_code vlb_model_policies_create(const vlb_pretrained *model, int workers, int batch, const vlb_inference_options *options,
                                   vlb_model_policies **policies, vlb_error *err);
void vlb_model_policies_free(vlb_model_policies *policies);
const vlb_wire_policy *vlb_model_policies_all(const vlb_model_policies *policies); /* [workers] */

#endif
