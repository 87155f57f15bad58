/* Two arms against each other. */
#ifndef VLB_REPORT_COMPARE_H
#define VLB_REPORT_COMPARE_H

#include "experiments/report/evidence.h"

/* Fills c for the arms a and b, without p_holm. Arms that hold the same episodes are compared pair by pair, others as independent samples; those that
 * have no column in common are not compared: known = false. */
void vlb_compare(const vlb_columns *columns, const vlb_arm_evidence *a, const vlb_arm_evidence *b, vlb_contrast_evidence *c);

/* The declared contrasts: comparison, Holm, verdicts, and the arms' letters. */
void vlb_compare_all(vlb_evidence *e);

/* "interleaved better", "not separable", "no data" */
const char *vlb_verdict(const vlb_contrast_evidence *c, char *buf, size_t size);

#endif
