#include "experiments/wire/protocol.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a key may be called ---- */

static const char *const state_keys[] = {"observation/state", "observation.state", "state", NULL};
static const char *const prompt_keys[] = {"prompt", "task", NULL};
static const char *const libero_pictures[] = {"observation/image", "observation/wrist_image"}; /* openpi's LIBERO policies */

/* "observation.images.wrist" -> "wrist" */
static const char *last_part(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot ? dot + 1 : name;
}

/* The i-th name under which camera v may come, NULL at the end. */
static const char *picture_key(const vlb_wire_shape *s, int v, int i, char *buf, size_t size) {
  const char *part = last_part(s->camera[v]);
  switch (i) {
    case 0: return snprintf(buf, size, "observation.images.%s", part), buf;
    case 1: return snprintf(buf, size, "observation/images/%s", part), buf;
    case 2: return snprintf(buf, size, "observation/%s", part), buf;
    case 3: return snprintf(buf, size, "%s", s->camera[v]), buf;
    case 4: return v < 2 ? libero_pictures[v] : NULL;
    default: return NULL;
  }
}

/* The keys of a map for a message, as many as fit. */
static const char *list_keys(const vlb_item *root, char *buf, size_t size) {
  size_t used = 0;
  buf[0] = 0;
  for (int i = 0; i < vlb_item_count(root) && used + 2 < size; i++) {
    const char *key;
    size_t length;
    if (!vlb_item_text(vlb_item_key(root, i), &key, &length)) continue;
    int n = snprintf(buf + used, size - used, "%s%.*s", used ? ", " : "", length < 64 ? (int)length : 64, key);
    used += n > 0 ? (size_t)n : 0;
  }
  /* keys are a peer's: what would break a line of the log does not get into it */
  for (char *c = buf; *c; c++)
    if ((unsigned char)*c < ' ') *c = '?';
  return *buf ? buf : "none";
}

static const vlb_item *find(const vlb_item *root, const char *const *keys, const char **name) {
  for (; *keys; keys++) {
    const vlb_item *item = vlb_item_get(root, *keys);
    if (item) return *name = *keys, item;
  }
  return NULL;
}

/* ---- reading an observation ---- */

/* what is wrong with a value is the client's doing */
static vlb_code blame(const char *key, vlb_error *err) {
  vlb_fail_at(err, "%s", key);
  if (err) err->code = VLB_USAGE;
  return VLB_USAGE;
}

static vlb_code read_picture(const vlb_wire_shape *s, int v, const vlb_item *root, vlb_picture *out, vlb_error *err) {
  char buf[VLB_WIRE_CAMERA + 32], keys[400];
  const vlb_item *item = NULL;
  const char *key = NULL;
  for (int i = 0; !item && (key = picture_key(s, v, i, buf, sizeof buf)); i++) item = vlb_item_get(root, key);
  if (!item)
    return vlb_fail(err, VLB_USAGE, "no picture of camera %d: neither observation.images.%s nor %s; the observation has %s", v, last_part(s->camera[v]),
                    v < 2 ? libero_pictures[v] : "another name of it", list_keys(root, keys, sizeof keys));
  vlb_array a;
  if (vlb_item_array(item, &a, err)) return blame(key, err);
  const int64_t *shape = a.shape + (a.ndim == 4 && a.shape[0] == 1);
  if (a.kind != 'u' || a.size != 1 || a.ndim - (int)(shape - a.shape) != 3 || shape[2] != 3)
    return vlb_fail(err, VLB_USAGE, "%s: a picture is uint8 [height,width,3]", key);
  if (shape[0] < 1 || shape[1] < 1 || shape[0] > VLB_WIRE_SIDE || shape[1] > VLB_WIRE_SIDE)
    return vlb_fail(err, VLB_USAGE, "%s: %" PRId64 " x %" PRId64 " pixels; 1 to %d a side are taken", key, shape[1], shape[0], VLB_WIRE_SIDE);
  *out = (vlb_picture){a.data, (int)shape[0], (int)shape[1]};
  return VLB_OK;
}

static vlb_code read_state(const vlb_wire_shape *s, const vlb_item *root, float *state, vlb_error *err) {
  char keys[400];
  const char *key;
  int64_t shape[2];
  const vlb_item *item = find(root, state_keys, &key);
  if (!item)
    return vlb_fail(err, VLB_USAGE, "no state: the observation has neither observation/state nor observation.state but %s", list_keys(root, keys, sizeof keys));
  if (vlb_item_numbers(item, state, VLB_STATS_MAX, shape, err)) return blame(key, err);
  if (shape[0] != 1 || shape[1] != s->state_dim)
    return vlb_fail(err, VLB_USAGE, "%s: %" PRId64 " numbers; the policy takes %d", key, shape[0] * shape[1], s->state_dim);
  for (int i = 0; i < s->state_dim; i++)
    if (!isfinite(state[i])) return vlb_fail(err, VLB_USAGE, "%s: number %d is not finite", key, i);
  return VLB_OK;
}

static vlb_code read_prompt(const vlb_item *root, char prompt[VLB_WIRE_PROMPT], vlb_error *err) {
  char keys[400];
  const char *key, *text;
  size_t size;
  const vlb_item *item = find(root, prompt_keys, &key);
  if (!item) return vlb_fail(err, VLB_USAGE, "no instruction: the observation has neither prompt nor task but %s", list_keys(root, keys, sizeof keys));
  if (!vlb_item_text(item, &text, &size)) return vlb_fail(err, VLB_USAGE, "%s: not text", key);
  if (size >= VLB_WIRE_PROMPT) return vlb_fail(err, VLB_USAGE, "%s: %zu bytes; at most %d are taken", key, size, VLB_WIRE_PROMPT - 1);
  if (memchr(text, 0, size)) return vlb_fail(err, VLB_USAGE, "%s: holds a zero byte", key);
  memcpy(prompt, text, size);
  prompt[size] = 0;
  return VLB_OK;
}

static vlb_code read_index(const vlb_item *root, const char *key, int64_t most, int64_t *value, vlb_error *err) {
  const vlb_item *item = vlb_item_get(root, key);
  if (!item) return VLB_OK;
  if (vlb_item_int(item, value) && *value >= 0 && *value <= most) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "%s: a whole number from 0 to %" PRId64 " is taken", key, most);
}

/* the widths of the stream that sampling noise is drawn from */
static vlb_code read_key(const vlb_item *root, vlb_noise_key *key, vlb_error *err) {
  int64_t seed = (int64_t)key->seed, task = key->task, episode = key->episode, replan = key->replan;
  VLB_TRY(read_index(root, "vlabench/seed", INT64_MAX, &seed, err));
  VLB_TRY(read_index(root, "vlabench/task", 0xff, &task, err));
  VLB_TRY(read_index(root, "vlabench/episode", 0xffff, &episode, err));
  VLB_TRY(read_index(root, "vlabench/replan", 0xffffffff, &replan, err));
  *key = (vlb_noise_key){(uint64_t)seed, (uint32_t)task, (uint32_t)episode, (uint32_t)replan};
  return VLB_OK;
}

vlb_code vlb_wire_read_observation(const vlb_wire_shape *s, const vlb_item *root, const vlb_noise_key *key, vlb_wire_observation *out,
                                   vlb_error *err) {
  if (!vlb_item_is_map(root) || vlb_item_is_array(root)) return vlb_fail(err, VLB_USAGE, "an observation is a map of names to values");
  for (int v = 0; v < s->cameras; v++) VLB_TRY(read_picture(s, v, root, &out->pictures[v], err));
  VLB_TRY(read_state(s, root, out->state, err));
  VLB_TRY(read_prompt(root, out->prompt, err));
  out->key = *key;
  return read_key(root, &out->key, err);
}

/* ---- writing an observation ---- */

void vlb_wire_write_observation(vlb_packer *p, const vlb_observation *o, uint64_t seed, bool keyed) {
  int cameras = o->size ? o->embodiment->cameras : 0;
  const int64_t width = o->embodiment->state_dim;
  vlb_packer_clear(p);
  vlb_pack_map(p, cameras + 2 + (keyed ? 4 : 0));
  for (int v = 0; v < cameras; v++) {
    vlb_pack_text(p, libero_pictures[v]);
    vlb_pack_pixels(p, o->size, o->size, o->image[v]);
  }
  vlb_pack_text(p, state_keys[0]);
  vlb_pack_floats(p, 1, &width, o->state);
  vlb_pack_text(p, prompt_keys[0]);
  vlb_pack_text(p, o->instruction);
  if (!keyed) return;
  vlb_pack_text(p, "vlabench/seed");
  vlb_pack_int(p, (int64_t)seed);
  vlb_pack_text(p, "vlabench/task");
  vlb_pack_int(p, o->task);
  vlb_pack_text(p, "vlabench/episode");
  vlb_pack_int(p, o->episode);
  vlb_pack_text(p, "vlabench/replan");
  vlb_pack_int(p, o->replan);
}

/* ---- actions ---- */

void vlb_wire_write_actions(vlb_packer *p, const vlb_wire_shape *s, const float *actions, double infer_ms, double previous_ms) {
  const int64_t shape[2] = {s->chunk, s->action_dim};
  vlb_packer_clear(p);
  vlb_pack_map(p, 2);
  vlb_pack_text(p, "actions");
  vlb_pack_floats(p, 2, shape, actions);
  vlb_pack_text(p, "server_timing");
  vlb_pack_map(p, previous_ms < 0 ? 1 : 2);
  vlb_pack_text(p, "infer_ms");
  vlb_pack_real(p, infer_ms);
  if (previous_ms < 0) return;
  vlb_pack_text(p, "prev_total_ms");
  vlb_pack_real(p, previous_ms);
}

enum { MOST_ACTIONS = 1 << 16 }; /* numbers of a chunk */

static vlb_code check_chunk(const int64_t shape[2], int rows, int columns, vlb_error *err) {
  if (shape[1] != columns) return vlb_fail(err, VLB_FAILED, "actions of %" PRId64 " numbers; the robot takes %d", shape[1], columns);
  if (shape[0] >= rows) return VLB_OK;
  return vlb_fail(err, VLB_FAILED, "a chunk of %" PRId64 " actions where %d are to be executed; lower n_action_steps", shape[0], rows);
}

vlb_code vlb_wire_read_actions(const vlb_item *root, int rows, int columns, float *actions, double *infer_ms, vlb_error *err) {
  char keys[400];
  int64_t shape[2];
  const vlb_item *item = vlb_item_get(root, "actions");
  if (!item) return vlb_fail(err, VLB_FAILED, "the reply has no actions but %s", list_keys(root, keys, sizeof keys));
  float *numbers = malloc(MOST_ACTIONS * sizeof *numbers);
  if (!numbers) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_item_numbers(item, numbers, MOST_ACTIONS, shape, err) ? vlb_fail_at(err, "actions") : check_chunk(shape, rows, columns, err);
  if (!code) memcpy(actions, numbers, (size_t)rows * (size_t)columns * sizeof *actions);
  free(numbers);
  if (!vlb_item_real(vlb_item_get(vlb_item_get(root, "server_timing"), "infer_ms"), infer_ms)) *infer_ms = NAN;
  return code;
}
