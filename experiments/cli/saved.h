/* What inference at a given precision does not compute, and what it stores. */
#ifndef VLB_CLI_SAVED_H
#define VLB_CLI_SAVED_H

#include "core/model/model.h"

/* Operations that the definition names and that need not be computed for a chunk (specification 12.4): the last VLM layer beyond its keys and values, and the
 * cross layers' keys and values and the time's half of the action MLP at every step but once. */
double vlb_saved_operations(const vlb_model *m);

/* Bytes of a weight that is packed at that precision. */
double vlb_stored_bytes(const vlb_param *p, vlb_precision precision);

#endif
