/* How fast the simulator is: steps beside bare MuJoCo, pictures, episodes of the scripted expert. Times are for people, never
 * part of a result. */
#ifndef VLB_SIM_BENCH_H
#define VLB_SIM_BENCH_H

#include "core/base/context.h"
#include "sim/task/world.h"

typedef struct {
  int steps;           /* control steps measured */
  int substeps;        /* physics steps in one */
  double ours, bare;   /* processor seconds of a control step (control, physics, predicates, observation without pictures), and of as many
                          plain mj_step from the same state: medians */
  double overhead;     /* median over the steps of ours/bare - 1; the two take turns at going first */
} vlb_bench_steps;

/* The expert's episodes of a task, until about `seconds` have passed. */
vlb_code vlb_bench_steps_of(const vlb_suite *suite, const vlb_scene *scene, int task, double seconds, vlb_bench_steps *out, vlb_error *err);

typedef struct {
  int frames;
  double open, frame, cpu; /* seconds: opening a renderer; one picture (median); its processor time (median) */
} vlb_bench_frames;

/* Pictures of one camera along the expert's first episode, until about `seconds` have passed. */
vlb_code vlb_bench_frames_of(const vlb_suite *suite, const vlb_scene *scene, int task, int camera, int size, int shadows, double seconds,
                             vlb_bench_frames *out, vlb_error *err);

typedef struct {
  int episodes, succeeded;
  double rate; /* episodes per second of all threads together */
} vlb_bench_episodes;

/* `per_task` episodes of the expert at each task, on ctx->threads threads; size: of the pictures looked at before every
 * action, 0 for none. */
vlb_code vlb_bench_expert(const vlb_suite *suite, vlb_scene *const *scenes, int per_task, int size, const vlb_context *ctx,
                          vlb_bench_episodes *out, vlb_error *err);

#endif
