/* Any bytes of a peer, as an observation for a server, as a reply and as metadata for a client. */
#include "target.h"

#include "experiments/wire/protocol.h"

static void as_observation(const vlb_item *root) {
  static const vlb_wire_shape shape = {.cameras = 2, .camera = {"observation.images.top", "wrist"}, .state_dim = 8, .chunk = 5, .action_dim = 7};
  const vlb_noise_key key = {0};
  vlb_error err = {VLB_OK, ""};
  vlb_wire_observation *o = malloc(sizeof *o);
  if (!o) return;
  vlb_code code = vlb_wire_read_observation(&shape, root, &key, o, &err);
  check_end(code, &err);
  /* what was accepted can be read to its last byte */
  for (int v = 0; !code && v < 2; v++) {
    const vlb_picture *p = &o->pictures[v];
    volatile uint8_t last = p->rgb[(size_t)p->height * (size_t)p->width * 3 - 1];
    (void)last;
  }
  free(o);
}

static void as_reply(const vlb_item *root) {
  float actions[5 * 7];
  double ms;
  vlb_error err = {VLB_OK, ""};
  check_end(vlb_wire_read_actions(root, 5, 7, actions, &ms, &err), &err);
}

static void as_metadata(const vlb_item *root) {
  json_t *json = vlb_item_json(root);
  char *text = json_dumps(json, JSON_ENCODE_ANY);
  free(text);
  json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  vlb_message *m;
  vlb_error err = {VLB_OK, ""};
  vlb_code code = vlb_message_open(data, size, &m, &err);
  check_end(code, &err);
  if (code) return 0;
  as_observation(vlb_message_root(m));
  as_reply(vlb_message_root(m));
  as_metadata(vlb_message_root(m));
  vlb_message_free(m);
  return 0;
}
