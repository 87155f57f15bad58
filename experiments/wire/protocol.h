/* What client and server say to each other (experiments/wire/README.md): observations, chunks of actions, and what a policy is like. Pure:
 * bytes in, values out. */
#ifndef VLB_WIRE_PROTOCOL_H
#define VLB_WIRE_PROTOCOL_H

#include "core/model/runner.h"
#include "experiments/wire/message.h"
#include "sim/rollout/policy.h"

enum { VLB_WIRE_PROMPT = 4096, VLB_WIRE_SIDE = 8192, VLB_WIRE_CAMERA = VLB_LEROBOT_NAME };

/* What a policy takes and gives. */
typedef struct {
  int cameras;
  char camera[VLB_LEROBOT_CAMERAS][VLB_WIRE_CAMERA]; /* names, with or without "observation.images." */
  int state_dim, chunk, action_dim;
} vlb_wire_shape;

/* Where the noise of a prediction comes from (README, "Noise"): equal keys, equal actions. */
typedef struct {
  uint64_t seed;
  uint32_t task, episode, replan;
} vlb_noise_key;

/* One observation as read. The pictures point into the message. */
typedef struct {
  vlb_picture pictures[VLB_LEROBOT_CAMERAS];
  float state[VLB_STATS_MAX];
  char prompt[VLB_WIRE_PROMPT];
  vlb_noise_key key;
} vlb_wire_observation;

/* Reads the map of an observation. key: what an observation without vlabench/... keys gets. Errors (VLB_USAGE) name the key, what was wanted,
 * and, where nothing fits, what there is. */
vlb_code vlb_wire_read_observation(const vlb_wire_shape *shape, const vlb_item *root, const vlb_noise_key *key, vlb_wire_observation *out,
                                   vlb_error *err);

/* Writes one as openpi's LIBERO policies read it: observation/image, observation/wrist_image, observation/state, prompt; keyed: and vlabench/seed,
 * task, episode and replan, which only our server knows. */
void vlb_wire_write_observation(vlb_packer *packer, const vlb_observation *o, uint64_t seed, bool keyed);

/* {"actions": float32 [chunk,action_dim], "server_timing": {"infer_ms", "prev_total_ms"}}; previous_ms < 0: left out, as openpi's server does in
 * its first reply. */
void vlb_wire_write_actions(vlb_packer *packer, const vlb_wire_shape *shape, const float *actions, double infer_ms, double previous_ms);

/* The first `rows` actions of a reply. actions: [rows,columns]. infer_ms: as the server says, else NAN. Errors (VLB_FAILED): no actions, fewer rows,
 * another width. */
vlb_code vlb_wire_read_actions(const vlb_item *root, int rows, int columns, float *actions, double *infer_ms, vlb_error *err);

#endif
