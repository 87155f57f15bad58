/* Renderers that outlive a job. */
#include <stdlib.h>

#include "sim/render/render.h"

struct vlb_kept_renderer {
  const vlb_scene *scene;
  vlb_renderer *renderer; /* NULL: none yet */
};

vlb_code vlb_renderers_make(vlb_renderers *all, int workers, int size, int shadows, vlb_error *err) {
  *all = (vlb_renderers){calloc((size_t)workers, sizeof(struct vlb_kept_renderer)), workers, size, shadows};
  return all->kept ? VLB_OK : vlb_fail(err, VLB_FAILED, "no memory for %d renderers", workers);
}

vlb_code vlb_renderers_take(vlb_renderers *all, int worker, const vlb_scene *scene, vlb_renderer **r, vlb_error *err) {
  struct vlb_kept_renderer *k = &all->kept[worker];
  if (!k->renderer || k->scene != scene) {
    vlb_renderer_close(k->renderer);
    *k = (struct vlb_kept_renderer){scene, NULL};
    VLB_TRY(vlb_renderer_open(scene, all->size, all->shadows, &k->renderer, err));
  }
  *r = k->renderer;
  return VLB_OK;
}

void vlb_renderers_give(vlb_renderers *all, int worker) {
  if (all->kept && all->kept[worker].renderer) vlb_renderer_rest(all->kept[worker].renderer);
}

void vlb_renderers_free(vlb_renderers *all) {
  for (int i = 0; all->kept && i < all->workers; i++) vlb_renderer_close(all->kept[i].renderer);
  free(all->kept);
  *all = (vlb_renderers){.kept = NULL};
}
