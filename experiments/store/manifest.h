/* manifest.json and done of one cell folder. */
#ifndef VLB_STORE_MANIFEST_H
#define VLB_STORE_MANIFEST_H

#include "experiments/store/store.h"

/* Writes the digests of every result file in the folder, then `done`. */
vlb_code vlb_manifest_write(const char *folder, const vlb_store_facts *facts, vlb_error *err);
/* VLB_FAILED names the first thing that does not fit: manifest against done, then files against the manifest. *stripped: demonstrations or
 * weights (vlb_is_bulk_file) are missing, which is no failure. */
vlb_code vlb_manifest_check(const char *folder, bool deep, bool *stripped, vlb_error *err);
vlb_code vlb_manifest_class(const char *folder, vlb_class *class, vlb_error *err);

/* Result files are digested; log.txt, timing.json, markers, temporaries and the trainer's checkpoint are not. */
bool vlb_is_result_file(const char *name);
/* Large files that a store may be kept without: *.hdf5, model.safetensors. */
bool vlb_is_bulk_file(const char *name);

#endif
