#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Keys and texts of the user go into messages; a line break in them must not make two lines. */
static void keep_one_line(char *message) {
  for (; *message; message++)
    if ((unsigned char)*message < 32 || *message == 127) *message = ' ';
}

vlb_code vlb_fail(vlb_error *err, vlb_code code, const char *format, ...) {
  if (!err) return code;
  err->code = code;
  va_list args;
  va_start(args, format);
  vsnprintf(err->message, sizeof err->message, format, args);
  va_end(args);
  keep_one_line(err->message);
  return code;
}

vlb_code vlb_fail_at(vlb_error *err, const char *place, ...) {
  if (!err) return VLB_FAILED;
  char old[sizeof err->message], where[512];
  memcpy(old, err->message, sizeof old);
  va_list args;
  va_start(args, place);
  vsnprintf(where, sizeof where, place, args);
  va_end(args);
  int n = snprintf(err->message, sizeof err->message, "%s: %s", where, old);
  /* a message too long is cut, never dropped */
  if (n >= (int)sizeof err->message) memcpy(err->message + sizeof err->message - 4, "...", 4);
  keep_one_line(err->message);
  return err->code;
}
