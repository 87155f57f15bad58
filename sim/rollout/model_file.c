#include "sim/rollout/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

/* --- folders --- */

/* The value of `assets: PATH` in LIBERO's config.yaml, which is flat; empty when there is none. */
static void read_config(char *out, size_t size) {
  char path[1024], line[2048], value[1024];
  const char *folder = getenv("LIBERO_CONFIG_PATH"), *home = getenv("HOME");
  *out = 0;
  if (folder ? vlb_path(path, sizeof path, NULL, "%s/config.yaml", folder) : vlb_path(path, sizeof path, NULL, "%s/.libero/config.yaml", home ? home : ""))
    return;
  FILE *in = fopen(path, "r");
  while (in && fgets(line, sizeof line, in))
    if (sscanf(line, "assets: %*[\"']%1023[^\"'\n]", value) == 1 || sscanf(line, "assets: %1023[^\"'#\n]", value) == 1) {
      size_t n = strlen(value);
      while (n && strchr(" \t\r", value[n - 1])) value[--n] = 0;
      snprintf(out, size, "%s", value);
    }
  if (in) fclose(in);
}

/* Absolute, because MuJoCo would look for a relative one beside the model's own meshes. */
static vlb_code resolve(const char *folder, const char *source, char out[1024], vlb_error *err) {
  char *found = realpath(folder, NULL);
  if (!found) return vlb_fail(err, VLB_USAGE, "%s: no such folder: %s", source, folder);
  vlb_code code = vlb_path(out, 1024, err, "%s", found);
  free(found);
  return code;
}

static vlb_code choose(const char *given, const char *option, const char *variable, char out[1024], vlb_error *err) {
  const char *set = getenv(variable);
  *out = 0;
  if (given) return resolve(given, option, out, err);
  return set && *set ? resolve(set, variable, out, err) : VLB_OK;
}

vlb_code vlb_asset_folders_find(const char *robosuite, const char *libero, vlb_asset_folders *out, vlb_error *err) {
  char configured[1024];
  VLB_TRY(choose(robosuite, "--robosuite-assets", "VLABENCH_ROBOSUITE_ASSETS", out->robosuite, err));
  VLB_TRY(choose(libero, "--libero-assets", "VLABENCH_LIBERO_ASSETS", out->libero, err));
  if (*out->libero) return VLB_OK;
  read_config(configured, sizeof configured);
  return *configured ? resolve(configured, "LIBERO's config.yaml", out->libero, err) : VLB_OK;
}

/* --- paths --- */

typedef struct {
  const char *marker, *whose, *option, *variable;
  const char *folder;
} place;

static vlb_code put_path(FILE *out, const char *path, const vlb_asset_folders *folders, vlb_error *err) {
  const place places[] = {
      {"/robosuite/models/assets/", "robosuite 1.4's models/assets", "--robosuite-assets", "VLABENCH_ROBOSUITE_ASSETS", folders->robosuite},
      {"/chiliocosm/assets/", "LIBERO's assets", "--libero-assets", "VLABENCH_LIBERO_ASSETS", folders->libero},
      {"/libero/assets/", "LIBERO's assets", "--libero-assets", "VLABENCH_LIBERO_ASSETS", folders->libero}};
  char here[2048];
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    const char *found = strstr(path, places[i].marker), *rest = found ? found + strlen(places[i].marker) : NULL;
    if (!found) continue;
    if (!*places[i].folder)
      return vlb_fail(err, VLB_FAILED, "the model needs %s of %s, which are not here; name their folder with %s DIR or %s", rest, places[i].whose,
                      places[i].option, places[i].variable);
    VLB_TRY(vlb_path(here, sizeof here, err, "%s/%s", places[i].folder, rest));
    if (!vlb_file_exists(here))
      return vlb_fail(err, VLB_FAILED, "%s is missing; %s must name %s", here, places[i].option, places[i].whose);
    fputs(here, out);
    return VLB_OK;
  }
  fputs(path, out);
  return VLB_OK;
}

/* Copies the text; what stands between the quotes of each file="..." goes through put_path. */
static vlb_code copy_text(FILE *out, const char *xml, const vlb_asset_folders *folders, vlb_error *err) {
  static const char key[] = "file=";
  char path[2048];
  for (const char *at; (at = strstr(xml, key));) {
    const char *open = at + sizeof key - 1, *close = *open == '"' || *open == '\'' ? strchr(open + 1, *open) : NULL;
    if (!close) return vlb_fail(err, VLB_FAILED, "the model's text is damaged: a file name without quotes");
    VLB_TRY(vlb_path(path, sizeof path, err, "%.*s", (int)(close - open - 1), open + 1));
    fwrite(xml, 1, (size_t)(open + 1 - xml), out);
    VLB_TRY(put_path(out, path, folders, err));
    xml = close;
  }
  fputs(xml, out);
  return VLB_OK;
}

vlb_code vlb_model_file_rewrite(const char *xml, const vlb_asset_folders *folders, char **out, vlb_error *err) {
  size_t size = 0;
  *out = NULL;
  FILE *text = open_memstream(out, &size);
  if (!text) return vlb_fail(err, VLB_FAILED, "no memory for a model's text");
  vlb_code code = copy_text(text, xml, folders, err);
  if (fclose(text) && !code) code = vlb_fail(err, VLB_FAILED, "no memory for a model's text");
  if (!code) return VLB_OK;
  free(*out);
  *out = NULL;
  return code;
}
