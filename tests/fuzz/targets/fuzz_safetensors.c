/* Any bytes as a safetensors file: all that the reader vouches for is read. */
#include "target.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/data/safetensors.h"
#include "core/data/statistics.h"

static void read_entry(const vlb_safetensors *file, const vlb_st_entry *e) {
  float *real = malloc((e->count + 1) * sizeof *real);
  int64_t *whole = malloc((e->count + 1) * sizeof *whole);
  if (!real || !whole || vlb_safetensors_find(file, e->name) != e) abort();
  vlb_st_to_float(e, real);
  vlb_st_to_int(e, whole);
  free(real);
  free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  vlb_error err = {VLB_OK, ""};
  vlb_safetensors *file;
  vlb_stats state, action;
  int fd = memfd_create("input", 0);
  if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size)) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  vlb_code code = vlb_safetensors_open(path, &file, &err);
  check_end(code, &err);
  for (int i = 0; !code && i < vlb_safetensors_count(file); i++) read_entry(file, vlb_safetensors_at(file, i));
  if (!code) vlb_safetensors_close(file);
  check_end(vlb_stats_load(path, &state, &action, &err), &err);
  close(fd);
  return 0;
}
