/* The SO-100's kinematics in closed form. The arm is a plane that the pan joint turns: shoulder, elbow and wrist flex move in
 * it, the wrist roll turns the gripper about its own long axis. Lengths: sim/world/robots/so100.xml. */
#ifndef VLB_SIM_SO_ARM_H
#define VLB_SIM_SO_ARM_H

#include "sim/control/joint.h"

/* Pose of the gripper: the point on its roll axis between the finger tips, where the jaws take hold. Metres from the pan axis
 * at the height of the desk, radians. */
typedef struct {
  double x, y, z;
  double pitch; /* of the fingers, downwards from the horizon: pi/2 points at the desk */
  double roll;  /* wrist roll joint */
} vlb_so_pose;

void vlb_so_forward(const double joints[5], vlb_so_pose *pose);

/* Elbow up. A point out of reach with that pitch, or that bends the wrist too far, is taken with the steepest one that does; one further away than the
 * stretched arm, in its direction. Joints are clipped to their ranges. Returns the pitch taken. */
double vlb_so_inverse(const vlb_so_pose *pose, double joints[5]);

/* Distance between the jaws where they take hold (m) for a jaw angle (rad), and back. */
double vlb_so_gap(double jaw);
double vlb_so_jaw(double gap);

/* Where the middle between the jaws is: m from the roll axis towards the moving jaw. */
double vlb_so_middle(double jaw);

#endif
