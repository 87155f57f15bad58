/* The embedded Meta-World-style models, composed as sim/metaworld/models/README.md says. */
#ifndef VLB_TESTS_METAWORLD_STYLE_COMPOSE_H
#define VLB_TESTS_METAWORLD_STYLE_COMPOSE_H

/* Name of the i-th model ("reach_v3"), valid until the next call; NULL after the last. */
const char *style_model(int i);

/* The model's MJCF; NULL where there is none of this name. Caller: free. */
char *style_xml(const char *model);

#endif
