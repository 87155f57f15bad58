/* Small synthetic stores: ablations written out here, their cells filled without training anything. */
#ifndef VLB_TESTS_REPORT_STUDY_H
#define VLB_TESTS_REPORT_STUDY_H

#include "experiments/report/evidence.h"

typedef struct {
  vlb_ablation *ablation;
  vlb_plan plan;
} study;

/* Texts of ablation files: the attention table on one suite; the number of layers on LIBERO's four; two arms on
 * Meta-World's groups. */
extern const char study_attention[], study_layers[], study_groups[];

study study_open(const char *name, const char *text, vlb_preset preset); /* writes name.toml here */
void study_close(study *s);

/* Stores an eval cell with these episodes; isa becomes its reproducibility class. */
void study_store(const char *root, const vlb_cell *cell, const vlb_episode_result *rows, int n, const char *isa);

/* Stores a training cell with a loss.csv. */
void study_store_training(const char *root, const vlb_cell *cell, double last_loss);

/* Every cell of the study: success with chance rate(arm, suite, seed), half of an episode's luck shared by all arms, from counter-based streams.
 * Arms whose rate is NAN are left out. */
void study_simulate(const study *s, const char *root, double (*rate)(int arm, int suite, int seed));

vlb_evidence *study_gather(const study *s, const char *root); /* study_drop */
void study_drop(vlb_evidence *e);

#endif
