/* What a frozen VLM makes of the training frames, computed once and kept on disk: keys and values of every layer, or image tokens alone. It
 * changes no result: what is read back is what would be computed, bit by bit.
 *
 * One file per task (core/train/cache_file.h), named by the digest of everything that decides its content: the VLM's weights, pictures,
 * instruction, preparation, precision, this code and the machine's class. So runs share what they have in common, whatever their expert,
 * attention, objective, chunk or seeds, and arms that keep the first N layers read the first N layers of a file that has them all. A network of
 * every second layer computes other activations (only its first layer has the same input), so it has files of its own; its image tokens are shared. */
#ifndef VLB_TRAIN_PREFIX_CACHE_H
#define VLB_TRAIN_PREFIX_CACHE_H

#include "core/train/sampler.h"

typedef struct vlb_prefix_cache vlb_prefix_cache;

/* Chooses what to keep in `folder` for the frames that the run will visit, says so, and makes what is missing or damaged. config: prefix_cache is the
 * most that is kept; what does not fit into prefix_cache_gb or onto the disk becomes the next smaller form (keys and values of all layers of the VLM,
 * of the model's layers, image tokens, nothing). *cache is NULL when nothing is kept: a VLM that is trained, folder NULL, or no room.
 * Errors: VLB_FAILED for a disk that fails, VLB_INTERRUPTED; what was made by then is kept. */
vlb_code vlb_prefix_cache_open(const vlb_model *model, const vlb_train_config *config, const vlb_dataset *data, const char *folder,
                               const vlb_context *ctx, vlb_prefix_cache **cache, vlb_error *err);
void vlb_prefix_cache_close(vlb_prefix_cache *cache);

vlb_prefix_source vlb_prefix_cache_source(const vlb_prefix_cache *cache); /* of NULL: VLB_PREFIX_IMAGES */
/* Into place `at` of samples that were opened for this source. Safe from several threads. */
void vlb_prefix_cache_read(vlb_prefix_cache *cache, int64_t frame, vlb_samples *samples, int at);

#endif
