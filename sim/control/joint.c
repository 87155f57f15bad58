#include "sim/control/joint.h"

#include <math.h>

#include "sim/world/engine.h"

typedef struct {
  const mjModel *model;
  mjData *data;
  int substeps;
} step_job;

static vlb_code step(void *self, vlb_error *err) {
  step_job *job = self;
  double start = job->data->time; /* MuJoCo resets the time when it gives up */
  for (int i = 0; i < job->substeps; i++) {
    mj_step(job->model, job->data);
    const char *what = vlb_engine_trouble(job->data);
    if (what) return vlb_fail(err, VLB_FAILED, "simulator instability in the control step at %.2f s: %s", start, what);
  }
  mj_forward(job->model, job->data); /* what is seen and judged belongs to the pose that was reached */
  return VLB_OK;
}

vlb_code vlb_joint_step(const vlb_scene *scene, const mjModel *m, mjData *d, const double targets[VLB_SO_JOINTS], vlb_error *err) {
  step_job job = {m, d, (int)lround(1 / (scene->embodiment->rate * m->opt.timestep))};
  for (int i = 0; i < VLB_SO_JOINTS; i++) {
    const mjtNum *range = m->actuator_ctrlrange + 2 * i;
    if (!isfinite(targets[i])) return vlb_fail(err, VLB_FAILED, "action %d is not a finite number", i);
    d->ctrl[i] = fmin(fmax(targets[i], range[0]), range[1]);
  }
  return vlb_engine_guard(step, &job, err);
}

void vlb_joint_state(const mjData *data, float state[VLB_SO_JOINTS]) {
  for (int i = 0; i < VLB_SO_JOINTS; i++) state[i] = (float)data->qpos[i];
}
