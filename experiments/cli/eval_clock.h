/* What vlabench eval says about virtual time. */
#ifndef VLB_CLI_EVAL_CLOCK_H
#define VLB_CLI_EVAL_CLOCK_H

#include <jansson.h>

#include "experiments/plan/settings.h"

/* Sums over the episodes, for people on stdout, and as a new JSON object. */
void vlb_eval_clock_print(const vlb_suite *suite, const vlb_episode_result *rows, int n);
json_t *vlb_eval_clock_json(const vlb_suite *suite, const vlb_episode_result *rows, int n);

#endif
