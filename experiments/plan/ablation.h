/* An ablation file: a question asked as arms (variants) and contrasts declared before the run. Format: ablations/README.md. */
#ifndef VLB_PLAN_ABLATION_H
#define VLB_PLAN_ABLATION_H

#include "experiments/plan/settings.h"

enum { VLB_MAX_ARMS = 64, VLB_MAX_CONTRASTS = 64, VLB_MAX_SOURCES = 8 };

/* Which sections [preset.NAME.*] apply. The test preset checks that a file runs at all, in seconds. */
typedef enum { VLB_PRESET_DEFAULT, VLB_PRESET_QUICK, VLB_PRESET_TEST } vlb_preset;
extern const char *const vlb_preset_names[]; /* "default", "quick", "test"; closed by NULL */

typedef struct {
  char name[48], label[96];
  char paper_row[96]; /* first column of the paper's row; empty: the paper has none */
  int init; /* source whose trained weights its training starts from, -1: none */
  vlb_settings settings;
} vlb_arm;

typedef struct {
  int a, b; /* arms; the difference reported is a - b */
} vlb_contrast;

typedef struct {
  char name[64];                          /* the file's name without folder and ".toml" */
  char title[256], scale[64], note[512];  /* scale and note go under every table */
  char paper_table[64], paper_column[64]; /* in paper/published.toml; empty: no paper row */
  vlb_preset preset;
  bool quick; /* preset is VLB_PRESET_QUICK */
  bool latency; /* every arm's prediction is timed and its operations counted, for the Pareto plot */
  int floor; /* arm whose untrained weights are rolled out too, -1: none */
  vlb_arm arms[VLB_MAX_ARMS];
  int arm_count;
  vlb_arm sources[VLB_MAX_SOURCES]; /* trained for arms to start from; never rolled out */
  int source_count;
  vlb_contrast contrasts[VLB_MAX_CONTRASTS];
  int contrast_count;
} vlb_ablation;

/* "", "-quick", "-test": what tells the results of the presets apart. */
const char *vlb_preset_suffix(const vlb_ablation *ablation);

/* Reads a file, or an embedded one ("attention" or "ablations/attention.toml") when there is no such file. Arms are complete and
 * checked. Errors (VLB_USAGE): file:line, key, did-you-mean; an impossible combination names its arm. Caller frees (one block). */
vlb_code vlb_ablation_read(const char *path, vlb_preset preset, vlb_ablation **ablation, vlb_error *err);

/* The same of a text that extends some file; name is what its file would be called. */
vlb_code vlb_ablation_parse(const char *text, const char *name, vlb_preset preset, vlb_ablation **ablation, vlb_error *err);

/* The settings alone, of an arm (by name) or of the file's common part (arm NULL; the file may be a base file). */
vlb_code vlb_settings_read(const char *path, const char *arm, vlb_preset preset, vlb_settings *settings, vlb_error *err);

#endif
