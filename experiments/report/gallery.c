#include "experiments/report/gallery.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/pool.h"
#include "core/data/image.h"
#include "experiments/report/html.h"
#include "sim/render/render.h"
#include "sim/world/version.h"

typedef struct {
  const vlb_suite *suite;
  int task;
  vlb_exhibit exhibit;
  char *png[2]; /* start and end, base64 */
} card;

typedef struct {
  const vlb_gallery_settings *settings;
  const vlb_context *ctx;
  card *cards;
  pthread_mutex_t lock; /* progress */
  int done;
} gallery;

/* --- pictures --- */

static vlb_code encode(const uint8_t *rgb, int size, char **text, vlb_error *err) {
  char *png = NULL;
  size_t bytes = 0;
  FILE *out = open_memstream(&png, &bytes);
  if (!out) return vlb_fail(err, VLB_FAILED, "no memory for a picture");
  vlb_code code = vlb_png_encode(out, rgb, size, size, err);
  if (fclose(out) && !code) code = vlb_fail(err, VLB_FAILED, "no memory for a picture");
  if (!code) code = vlb_html_base64(png, bytes, text, err);
  free(png);
  return code;
}

static vlb_code make_card(void *self, int index, int worker, vlb_error *err) {
  gallery *g = self;
  card *c = &g->cards[index];
  (void)worker;
  VLB_TRY(vlb_check_stop(g->ctx, err));
  if (vlb_exhibit_make(c->suite, c->task, g->settings, &c->exhibit, err)) return vlb_fail_at(err, "%s/%d", c->suite->name, c->task);
  for (int i = 0; i < 2; i++)
    VLB_TRY(encode(c->exhibit.rgb + (size_t)(i * 3) * (size_t)g->settings->size * (size_t)g->settings->size, g->settings->size, &c->png[i], err));
  pthread_mutex_lock(&g->lock);
  vlb_progress_set(g->ctx->log, ++g->done, "%s/%d", c->suite->name, c->task);
  pthread_mutex_unlock(&g->lock);
  return VLB_OK;
}

/* --- the page --- */

static const char style[] =
    ".tasks{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:.9rem;margin-top:.8rem}\n"
    "figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:.5rem;overflow:hidden}\n"
    "figure div{display:grid;grid-template-columns:1fr 1fr;gap:3px}img{display:block;width:100%;height:auto}\n"
    "figcaption{padding:.55rem .7rem .65rem}figcaption p{font-size:.86rem}\n";

static void put_success(FILE *out, const vlb_exhibit *e) {
  if (!e->tried) {
    fputs("<span class=\"bad\">no expert</span>", out);
    return;
  }
  fprintf(out, "<span class=\"%s\">expert %d/%d</span>", e->succeeded == e->tried ? "good" : "bad", e->succeeded, e->tried);
}

static void put_card(FILE *out, const card *c, int size) {
  const vlb_task *task = &c->suite->tasks[c->task];
  const vlb_exhibit *e = &c->exhibit;
  fputs("<figure>\n<div>", out);
  for (int i = 0; i < 2; i++) {
    fprintf(out, "<img width=\"%d\" height=\"%d\" alt=\"%s: ", size, size, i ? "End" : "Start");
    vlb_html_text(task->instruction, out);
    fprintf(out, "\" src=\"data:image/png;base64,%s\">", c->png[i]);
  }
  fputs("</div>\n<figcaption>", out);
  vlb_html_text(task->instruction, out);
  fputs("\n<p>", out);
  vlb_html_text(c->suite->name, out);
  fprintf(out, "/%d", c->task);
  if (*task->group) fprintf(out, " &middot; %s", task->group);
  fputs(" &middot; ", out);
  put_success(out, e);
  if (e->tried) fprintf(out, " &middot; %d steps", e->steps);
  fputs("</p>\n", out);
  if (*e->why) {
    fputs("<p class=\"bad\">", out);
    vlb_html_text(e->why, out);
    fputs("</p>\n", out);
  }
  fputs("</figcaption></figure>\n", out);
}

static void put_suite(FILE *out, int index, const card *cards, const vlb_gallery_settings *s) {
  const vlb_suite *suite = cards[0].suite;
  int tried = 0, succeeded = 0;
  for (int t = 0; t < suite->task_count; t++) {
    tried += cards[t].exhibit.tried;
    succeeded += cards[t].exhibit.succeeded;
  }
  fprintf(out, "<section>\n<h2 id=\"s%d\">", index);
  vlb_html_text(suite->name, out);
  fprintf(out, "</h2>\n<p>%d task%s &middot; robot %s &middot; at most %d control steps, %d per second &middot; expert %d/%d</p>\n",
          suite->task_count, suite->task_count == 1 ? "" : "s", suite->embodiment->name, suite->max_steps, suite->embodiment->rate, succeeded, tried);
  fputs("<div class=\"tasks\">\n", out);
  for (int t = 0; t < suite->task_count; t++) put_card(out, &cards[t], s->size);
  fputs("</div>\n</section>\n", out);
}

static void put_page(FILE *out, vlb_suite *const *suites, int n, const gallery *g, const char *renderer) {
  const vlb_gallery_settings *s = g->settings;
  const card *at = g->cards;
  vlb_html_begin("vlabench: tasks", style, out);
  fputs("<p>Each task as it begins (left) and as the scripted expert leaves it (right).</p>\n<nav>", out);
  for (int i = 0; i < n; i++) {
    fprintf(out, "<a href=\"#s%d\">", i);
    vlb_html_text(suites[i]->name, out);
    fputs("</a>", out);
  }
  fputs("</nav>\n", out);
  for (int i = 0; i < n; i++) {
    put_suite(out, i, at, s);
    at += suites[i]->task_count;
  }
  fprintf(out, "<footer>Episodes 0 to %d, seed %llu. MuJoCo %s; drawn by ", s->episodes - 1, (unsigned long long)s->seed, vlb_mujoco_version());
  vlb_html_text(renderer, out);
  fputs(".</footer>\n", out);
  vlb_html_end(out);
}

static vlb_code write_page(const char *path, vlb_suite *const *suites, int n, const gallery *g, vlb_error *err) {
  char renderer[256];
  vlb_writer w;
  VLB_TRY(vlb_renderer_name(renderer, sizeof renderer, err));
  VLB_TRY(vlb_writer_open(&w, path, err));
  put_page(w.out, suites, n, g, renderer);
  return vlb_writer_commit(&w, err);
}

vlb_code vlb_gallery_write(const char *path, vlb_suite *const *suites, int n, const vlb_gallery_settings *s, const vlb_context *ctx,
                           vlb_error *err) {
  int total = 0, at = 0;
  for (int i = 0; i < n; i++) total += suites[i]->task_count;
  gallery g = {.settings = s, .ctx = ctx, .cards = calloc((size_t)total, sizeof(card))};
  if (!g.cards) return vlb_fail(err, VLB_FAILED, "no memory for %d tasks", total);
  for (int i = 0; i < n; i++)
    for (int t = 0; t < suites[i]->task_count; t++) g.cards[at++] = (card){.suite = suites[i], .task = t};
  pthread_mutex_init(&g.lock, NULL);
  vlb_progress_begin(ctx->log, "gallery", 0, total, "tasks");
  vlb_code code = vlb_parallel(ctx->threads, total, make_card, &g, err);
  vlb_progress_end(ctx->log);
  pthread_mutex_destroy(&g.lock);
  if (!code) code = write_page(path, suites, n, &g, err);
  for (int i = 0; i < total; i++) {
    vlb_exhibit_free(&g.cards[i].exhibit);
    for (int k = 0; k < 2; k++) free(g.cards[i].png[k]);
  }
  free(g.cards);
  return code;
}
