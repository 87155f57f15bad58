/* The first byte chooses a file of a small checkpoint directory, the rest is its content: configuration, processors, index, and all that is then read. */
#include "target.h"

#include <unistd.h>

#include "core/base/file.h"
#include "core/model/fresh.h"
#include "core/model/pretrained.h"

#define TINY VLB_TEST_DATA "/lerobot/tiny"

static const char *const names[] = {"config.json",
                                    "vlm/config.json",
                                    "policy_preprocessor.json",
                                    "policy_postprocessor.json",
                                    "vlm/tokenizer_config.json",
                                    "model.safetensors.index.json",
                                    "policy_preprocessor_step_5_normalizer_processor.safetensors"};
enum { FILES = sizeof names / sizeof *names, CONFIG = 0, VLM = 1, INDEX = 5 };
static char folder[64] = "/tmp/fuzz_checkpoint.XXXXXX";

static void put(const char *name, const void *data, size_t size) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *out = fopen(path, "wb");
  if (!out || (size && fwrite(data, 1, size, out) != size) || fclose(out)) abort();
}

static void restore(const char *name) {
  char path[1024], *data;
  size_t size;
  snprintf(path, sizeof path, TINY "/%s", name);
  if (vlb_file_read(path, &data, &size, NULL)) abort();
  put(name, data, size);
  free(data);
}

static void clear_up(void) { vlb_folder_remove(folder, NULL); }

static void set_up(void) {
  char path[256];
  if (!mkdtemp(folder)) abort();
  atexit(clear_up);
  snprintf(path, sizeof path, "%s/vlm", folder);
  if (vlb_folder_make(path, NULL)) abort();
  for (int i = 0; i < FILES; i++)
    if (i != INDEX) restore(names[i]);
  put("model.safetensors", "\2\0\0\0\0\0\0\0{}", 10); /* no tensors: what a model asks for is then listed, and its absence said */
  restore("policy_postprocessor_step_0_unnormalizer_processor.safetensors");
  restore("vlm/tokenizer.json");
}

static void open_all(int which) {
  vlb_error err = {VLB_OK, ""};
  vlb_checkpoint_folder f;
  vlb_model *m;
  vlb_model_config c;
  vlb_code code = vlb_checkpoint_folder_open(folder, NULL, &f, &err);
  check_end(code, &err);
  if (!code) {
    if (which == CONFIG || which == VLM) {
      vlb_code mapped = vlb_model_map(&f.config.model, f.shards, folder, NULL, &m, &err);
      check_end(mapped, &err);
      if (!mapped) vlb_model_free(m);
      f.shards = NULL;
    }
    vlb_checkpoint_folder_close(&f);
  }
  if (which != VLM) return;
  char path[256];
  snprintf(path, sizeof path, "%s/vlm", folder);
  check_end(vlb_fresh_config(path, &c, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int ready;
  char single[256], hidden[256];
  if (!size) return 0;
  if (!ready++) set_up();
  int which = data[0] % FILES;
  snprintf(single, sizeof single, "%s/model.safetensors", folder);
  snprintf(hidden, sizeof hidden, "%s/part.safetensors", folder);
  put(names[which], data + 1, size - 1);
  if (which == INDEX && rename(single, hidden)) abort();
  open_all(which);
  if (which == INDEX && rename(hidden, single)) abort();
  if (which != INDEX) restore(names[which]);
  return 0;
}
