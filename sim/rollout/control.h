/* Settings of what the robot does while the policy thinks: controllers, delays, periods (specification sections 18 and 21; Algorithm 1 of the paper).
 * Keys of the section [eval]. */
#ifndef VLB_SIM_CONTROL_H
#define VLB_SIM_CONTROL_H

#include "core/base/fields.h"

enum { VLB_CONTROL_SYNC, VLB_CONTROL_PAPER, VLB_CONTROL_LEROBOT, VLB_CONTROL_RTC };
enum { VLB_AGGREGATE_WEIGHTED, VLB_AGGREGATE_LATEST, VLB_AGGREGATE_AVERAGE, VLB_AGGREGATE_CONSERVATIVE };
enum { VLB_ALIGN_OBSERVED, VLB_ALIGN_ARRIVAL };
enum { VLB_LATENCY_FIXED, VLB_LATENCY_LOGNORMAL, VLB_LATENCY_GAMMA, VLB_LATENCY_MEASURED, VLB_LATENCY_REPLAYED /* not a setting: vlb_latency.measured in turn */ };

#define VLB_CONTROL_FIELDS(X)                                                                                                               \
  X(ENUM, control, "sync", 0, 0, "sync paper lerobot rtc",                                                                                  \
    "while the policy thinks the robot waits (sync), or asked early enough to go on: Algorithm 1, LeRobot's client and server, real-time chunking") \
  X(REAL, threshold, "0.5", 0, 1, NULL, "g: a new chunk is asked for when the queue is below (lerobot, rtc: not above) this share of n_action_steps") \
  X(ENUM, aggregate, "weighted_average", 0, 0, "weighted_average latest_only average conservative",                                         \
    "paper, lerobot: an action that both chunks have; old and new weigh 0.3 0.7, 0 1, 0.5 0.5, 0.7 0.3")                                    \
  X(REAL, similarity, "0", 0, 1e6, NULL,                                                                                                    \
    "paper, lerobot: an observation whose state is nearer than this to the last one used is dropped; LeRobot's 1 degree is 0.0174533 rad; 0 drops none") \
  X(ENUM, align, "observed", 0, 0, "observed arrival", "paper: a chunk's first action belongs to the tick it was observed for, or to the one it arrives at") \
  X(INT, control_every, "1", 1, 1000, NULL, "control steps of the simulator per control tick of the robot")                                 \
  X(REAL, camera_period, "0", 0, 60, NULL, "seconds between pictures of the cameras; 0: a fresh one at every look")                         \
  X(ENUM, latency_model, "fixed", 0, 0, "fixed lognormal gamma measured", "distribution of the time of an inference")                       \
  X(REAL, latency, "0", 0, 600, NULL, "seconds of an inference (mean); measured: 0 takes the times as they are, else scales them to this mean") \
  X(REAL, latency_spread, "0.2", 0.001, 10, NULL, "lognormal, gamma: standard deviation by mean")                                           \
  X(TEXT, latency_file, "", 0, 0, NULL, "measured: JSON with the list chunk_seconds, as 'vlabench bench infer --json' writes it")            \
  X(REAL, uplink, "0", 0, 60, NULL, "seconds from robot to policy")                                                                         \
  X(REAL, downlink, "0", 0, 60, NULL, "seconds from policy to robot")                                                                       \
  X(ENUM, rtc_schedule, "linear", 0, 0, "linear exp ones zeros", "rtc: how the guidance fades over the horizon")                            \
  X(INT, rtc_horizon, "10", 1, 1024, NULL, "rtc: actions of the previous chunk that guide the new one")                                     \
  X(REAL, rtc_guidance, "10", 0, 1e6, NULL, "rtc: largest weight of the guidance")                                                          \
  X(REAL, fixed_time, "0", 0, 3600, NULL, "virtual seconds that every episode lasts, the task starting anew after each success; 0: until success") \
  X(REAL, put_back, "0", 0, 60, NULL, "with fixed_time: virtual seconds from a success until things are at a new start")                    \
  X(INT, trace_episodes, "0", 0, 1000, NULL, "episodes per task whose queue is written down tick by tick (queue.csv of the cell)")
typedef struct {
  VLB_CONTROL_FIELDS(VLB_FIELD_MEMBER)
} vlb_control_config;
extern const vlb_field vlb_control_fields[];
#define VLB_CONTROL_FIELD_ONE(...) +1
enum { VLB_CONTROL_FIELD_COUNT = 0 VLB_CONTROL_FIELDS(VLB_CONTROL_FIELD_ONE) };

/* Combinations that cannot run, and files that are not there. VLB_USAGE names the key. */
vlb_code vlb_control_check(const vlb_control_config *config, vlb_error *err);

/* Keys that these settings do not use go back to their defaults, so that two ways to write the same run are the same. */
void vlb_control_resolve(vlb_control_config *config);

/* Whether an episode runs as it does without a clock: the robot waits, the policy takes no time. A zeroed configuration is plain too. */
bool vlb_control_is_plain(const vlb_control_config *config);

#endif
