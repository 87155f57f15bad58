#include "tests/sim/metaworld_style/compose.h"

#include <stdio.h>
#include <string.h>

#include "core/base/embed.h"

extern const vlb_embedded vlb_embedded_sim_assets[];

#define MODELS "sim/metaworld/models/"

static const char *text_of(const char *path) {
  for (const vlb_embedded *e = vlb_embedded_sim_assets; e->path; e++)
    if (!strcmp(e->path, path)) return (const char *)e->data;
  return NULL;
}

const char *style_model(int i) {
  static char name[64];
  static const char prefix[] = MODELS "sawyer_";
  const size_t skip = sizeof prefix - 1;
  for (const vlb_embedded *e = vlb_embedded_sim_assets; e->path; e++) {
    if (strncmp(e->path, prefix, skip) || i-- > 0) continue;
    snprintf(name, sizeof name, "%.*s", (int)(strlen(e->path) - skip - strlen(".xml")), e->path + skip);
    return name;
  }
  return NULL;
}

static void write_sections(FILE *out, const char *document) {
  const char *begin = strchr(strstr(document, "<mujoco"), '>') + 1;
  fwrite(begin, 1, (size_t)(strstr(begin, "</mujoco>") - begin), out);
}

char *style_xml(const char *model) {
  char path[128], *xml = NULL;
  size_t size = 0;
  snprintf(path, sizeof path, MODELS "sawyer_%s.xml", model);
  const char *base = text_of(MODELS "base.xml"), *objects = text_of(path);
  if (!base || !objects) return NULL;
  FILE *out = open_memstream(&xml, &size);
  fprintf(out, "<mujoco model=\"%s\">\n", model);
  write_sections(out, base);
  write_sections(out, objects);
  fputs("</mujoco>\n", out);
  fclose(out);
  return xml;
}
