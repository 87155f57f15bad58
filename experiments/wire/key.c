#include "experiments/wire/key.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

vlb_code vlb_key_read(const char *path, char key[VLB_KEY_SIZE], vlb_error *err) {
  char *text;
  size_t size;
  key[0] = 0;
  if (!path) return VLB_OK;
  VLB_TRY(vlb_file_read(path, &text, &size, err));
  size_t n = strcspn(text, "\r\n");
  vlb_code code = VLB_OK;
  if (!n || n >= VLB_KEY_SIZE) code = vlb_fail(err, VLB_USAGE, "%s: its first line is the key, 1 to %d characters", path, VLB_KEY_SIZE - 1);
  for (size_t i = 0; !code && i < n; i++)
    if (text[i] <= ' ' || text[i] > '~') code = vlb_fail(err, VLB_USAGE, "%s: a key is printable ASCII without blanks", path);
  if (!code) memcpy(key, text, n), key[n] = 0;
  free(text);
  return code;
}
