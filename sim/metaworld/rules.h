/* How tasks start and end, as data (metaworld.md, table 4): inside sim/metaworld only. */
#ifndef VLB_SIM_METAWORLD_RULES_H
#define VLB_SIM_METAWORLD_RULES_H

#include "sim/metaworld/metaworld.h"

/* What a point is taken from. */
typedef enum {
  MW_CONST,       /* the offset alone */
  MW_T,           /* the goal */
  MW_R, MW_R3,    /* first, second half of the random vector */
  MW_R_XY, MW_R3_XY, /* their x and y alone */
  MW_R_Y,         /* y of the first half alone */
  MW_BODY, MW_SITE, MW_GEOM, /* the present position of a named thing */
  MW_KNOB,        /* the handle on the dial, by the angle of its joint */
  MW_SHELF        /* where the model now puts the site "goal" of the shelf, before the next forward */
} vlb_mw_from;

typedef struct {
  vlb_mw_from from;
  const char *name; /* MW_BODY, MW_SITE, MW_GEOM */
  double offset[3];
  bool kept_height; /* add the height kept by MW_KEEP_HEIGHT */
} vlb_mw_point;

typedef enum {
  MW_DONE,
  MW_KEEP_HEIGHT, /* of the point */
  MW_MOVE_BODY,   /* in the model; moves nothing before the next forward */
  MW_MOVE_SITE,   /* the same; sites are only seen, or read by the rules */
  MW_SET,         /* qpos[at .. at+count) = point (and no rotation, where count is 7), qvel[still[0] .. still[1]) = 0, forward */
  MW_SET_UNSEEN,  /* the same without forward */
  MW_FORWARD,
  MW_SIMULATE,    /* one control step with the controls that are set */
  MW_GOAL         /* T = point */
} vlb_mw_verb;

typedef struct {
  vlb_mw_verb verb;
  const char *name; /* MW_MOVE_BODY, MW_MOVE_SITE */
  int at, count, still[2];
  vlb_mw_point point;
} vlb_mw_op;

/* The rotation of an object in the observation: section 2's three conventions. */
typedef enum {
  MW_NO_QUAT,   /* zeros */
  MW_ONE_QUAT,  /* (1,0,0,0) */
  MW_WXYZ,      /* of a body */
  MW_XYZW_BODY, /* from the rotation matrix of a body, a geom, a site */
  MW_XYZW_GEOM,
  MW_XYZW_SITE
} vlb_mw_quat;

typedef struct {
  vlb_mw_point point;
  vlb_mw_quat quat;
  const char *quat_of;
} vlb_mw_object;

enum { MW_MAX_OPS = 6 };

typedef struct {
  vlb_mw_op reset[MW_MAX_OPS + 1]; /* after the hand is home */
  vlb_mw_object seen[2];           /* the second may be absent */
  /* success: |(obs[4:7] - T) * weight| <= within, or, where set, the function */
  double weight[3], within;
  bool (*reached)(vlb_mw_env *env, const double obs[VLB_MW_OBS]);
} vlb_mw_rule;

extern const vlb_mw_rule vlb_mw_rules[VLB_MW_TASKS];

/* Where a point is now. rand: NULL outside resets. */
void vlb_mw_where(vlb_mw_env *env, const vlb_mw_point *point, const double *rand, double out[3]);

/* Index of a named thing; where the model lacks it, 0 and env->missing. */
int vlb_mw_index(vlb_mw_env *env, mjtObj kind, const char *name);

#endif
