#include "core/data/embodiment.h"

#include <math.h>
#include <string.h>

#include "core/base/fields.h"

const vlb_embodiment vlb_panda = {"panda", 8, 7, 2, 20, {"agentview", "eye_in_hand"}, VLB_VIEW_ROTATED};
const vlb_embodiment vlb_sawyer = {"sawyer", 4, 4, 1, 80, {"corner2"}, VLB_VIEW_MIRRORED};
const vlb_embodiment vlb_so100 = {"so100", 6, 6, 2, 30, {"top", "wrist"}, VLB_VIEW_UPRIGHT};
const vlb_embodiment vlb_so101 = {"so101", 6, 6, 2, 30, {"top", "side"}, VLB_VIEW_UPRIGHT};

static const vlb_embodiment *const all[] = {&vlb_panda, &vlb_sawyer, &vlb_so100, &vlb_so101};
enum { COUNT = (int)(sizeof all / sizeof *all) };

vlb_code vlb_embodiment_find(const char *name, const vlb_embodiment **out, vlb_error *err) {
  const char *names[COUNT];
  for (int i = 0; i < COUNT; i++) {
    names[i] = all[i]->name;
    if (strcmp(name, all[i]->name)) continue;
    *out = all[i];
    return VLB_OK;
  }
  const char *near = vlb_suggest(name, names, COUNT);
  return near ? vlb_fail(err, VLB_USAGE, "unknown robot \"%s\"; did you mean \"%s\"?", name, near)
              : vlb_fail(err, VLB_USAGE, "unknown robot \"%s\"; there are panda, sawyer, so100 and so101", name);
}

void vlb_axis_angle(const double quat[4], double out[3]) {
  double w = fmin(fmax(quat[3], -1), 1), angle = 2 * acos(w), sine = sqrt(1 - w * w);
  for (int i = 0; i < 3; i++) out[i] = sine > 0 ? quat[i] / sine * angle : 0;
}
