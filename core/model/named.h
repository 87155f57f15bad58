/* Named intermediates of the model, under the names of the reference cases (specification section 20): what `vlabench verify` compares and
 * `vlabench infer --dump` writes. */
#ifndef VLB_MODEL_NAMED_H
#define VLB_MODEL_NAMED_H

#include "core/model/build.h"

typedef struct {
  char name[192];
  int ndim;
  int64_t dims[8];
  size_t count;
  float *data;
} vlb_named_tensor;

/* A growing list; zero is an empty one. Once something did not fit into memory `failed` is set and nothing more is added. */
typedef struct {
  vlb_named_tensor *tensors;
  int count, room;
  bool failed;
} vlb_named;
void vlb_named_free(vlb_named *list);

/* A new tensor of zeros, NULL after a failure. */
float *vlb_named_add(vlb_named *list, int ndim, const int64_t *dims, const char *format, ...) __attribute__((format(printf, 4, 5)));
void vlb_named_copy(vlb_named *list, const vlb_graph *g, vlb_t t, const char *name); /* of three axes; nothing for VLB_NONE */
const vlb_named_tensor *vlb_named_find(const vlb_named *list, const char *name);    /* NULL: none */

/* out.imageV and out.image_tokensV of every view: [B,3,S,S], [B,n,D]. */
void vlb_named_images(vlb_named *list, const vlb_build *b, const vlb_batch *batch);
/* The segments of a prefix stream put back together: [B,P,D]. */
void vlb_named_stream(vlb_named *list, const vlb_build *b, const vlb_t *segments, const char *name);
/* out.prefix_pad, out.prefix_att, out.suffix_att, out.att2d, out.position_ids. */
void vlb_named_layout(vlb_named *list, const vlb_layout *layout);

/* Marks what is named in a built graph, before it is planned: it then stays readable. */
void vlb_named_keep(vlb_build *b);

/* Where a policy that keeps them (vlb_inference_options) has the named intermediates of its last run. */
const vlb_build *vlb_policy_prefix_build(const vlb_policy *policy);
const vlb_build *vlb_policy_step_build(const vlb_policy *policy);
const vlb_layout *vlb_policy_layout(const vlb_policy *policy);

#endif
