#include "sim/world/mjcf.h"

#include <string.h>

#include "core/base/embed.h"

extern const vlb_embedded vlb_embedded_sim_assets[];

const char *vlb_mjcf_asset(const char *path) {
  for (const vlb_embedded *e = vlb_embedded_sim_assets; e->path; e++)
    if (!strcmp(e->path, path)) return (const char *)e->data;
  return NULL;
}

void vlb_mjcf_named(FILE *out, const char *text, size_t size, const char *name) {
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '@')
      fputs(name, out);
    else
      fputc(text[i], out);
  }
}

void vlb_mjcf_sections(FILE *out, const char *document, const char *name) {
  const char *begin = strchr(strstr(document, "<mujoco"), '>') + 1;
  vlb_mjcf_named(out, begin, (size_t)(strstr(begin, "</mujoco>") - begin), name);
}
