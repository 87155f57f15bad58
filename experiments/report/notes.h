/* The lines that go under every table: scale, design, methods, and what the numbers do not say. */
#ifndef VLB_REPORT_NOTES_H
#define VLB_REPORT_NOTES_H

#include "experiments/report/evidence.h"

/* Calls line(self, text) for each note. */
void vlb_notes(const vlb_evidence *e, void (*line)(void *self, const char *text), void *self);

/* "micro scale, freezing = nothing" into buf. Returns buf. */
const char *vlb_scale_text(const vlb_ablation *a, char *buf, size_t size);

/* "", ", quick preset" */
const char *vlb_preset_text(const vlb_ablation *a);

#endif
