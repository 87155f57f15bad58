/* What is true of a scene, in words and coordinate tokens (core/data/captions.h): the captions that a vision-language model is
 * pretrained on. The simulator knows where everything is, so they cost nothing. */
#ifndef VLB_SIM_FACTS_H
#define VLB_SIM_FACTS_H

#include <stdio.h>

#include "core/base/rng.h"
#include "sim/task/world.h"

/* Writes the lines of the world as it stands, the expert's episode having begun (vlb_family.expert_start). First the instruction
 * with what must be moved and where to: seven coordinates each (u, v in both pictures; offset from the hand along the world's
 * axes). Then the hand, things, parts on joints, relations, what is absent. rng: which of many relations are told. */
void vlb_facts_write(const vlb_world *w, vlb_rng *rng, FILE *out);

/* A thing's name in words: "akita_black_bowl_1" -> "black bowl". */
void vlb_thing_words(const char *name, char *words, size_t size);

/* Where a camera shows a point, as fractions from the left and the top of the picture that the policy sees. 0: outside of it. */
int vlb_point_in_view(const vlb_world *w, int camera, const double point[3], double *u, double *v);

#endif
