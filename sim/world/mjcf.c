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
  for (const char *at; (at = memchr(text, '@', size)); text = at + 1) {
    fwrite(text, 1, (size_t)(at - text), out);
    fputs(name, out);
    size -= (size_t)(at + 1 - text);
  }
  fwrite(text, 1, size, out);
}

void vlb_mjcf_sections(FILE *out, const char *document, const char *name) {
  const char *begin = strchr(strstr(document, "<mujoco"), '>') + 1;
  vlb_mjcf_named(out, begin, (size_t)(strstr(begin, "</mujoco>") - begin), name);
}
