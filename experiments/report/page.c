#include "experiments/report/page.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/report/claims_table.h"
#include "experiments/report/clock.h"
#include "experiments/report/html.h"
#include "experiments/report/notes.h"
#include "experiments/report/report.h"
#include "experiments/report/table.h"

/* Two memory streams that grow with every ablation. */
struct vlb_page {
  FILE *links, *sections;
  char *link_text, *section_text;
  size_t link_size, section_size;
};

vlb_code vlb_page_open(vlb_page **page, vlb_error *err) {
  vlb_page *p = calloc(1, sizeof *p);
  if (p) p->links = open_memstream(&p->link_text, &p->link_size);
  if (p && p->links) p->sections = open_memstream(&p->section_text, &p->section_size);
  *page = p;
  if (p && p->links && p->sections) return VLB_OK;
  vlb_page_close(p);
  *page = NULL;
  return vlb_fail(err, VLB_FAILED, "out of memory");
}

void vlb_page_close(vlb_page *page) {
  if (!page) return;
  if (page->links) fclose(page->links);
  if (page->sections) fclose(page->sections);
  free(page->link_text);
  free(page->section_text);
  free(page);
}

static const char style[] =
    ".scroll{overflow-x:auto;margin:.8rem 0;background:var(--card);border:1px solid var(--line);border-radius:.5rem}\n"
    "table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;width:100%}\n"
    "th,td{padding:.32rem .7rem;text-align:left;white-space:nowrap;border-top:1px solid var(--line)}\n"
    "thead th{border-top:0;color:var(--soft);font-weight:600}tbody th{font-weight:600}.r{text-align:right}\n"
    ".claims tbody th{white-space:normal;min-width:14rem;font-weight:400}\n"
    "figure{margin:0;padding:.6rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem;overflow-x:auto}\n"
    "figcaption{color:var(--soft);font-size:.86rem}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,34rem),1fr));gap:.9rem;margin:.9rem 0;align-items:start}\n"
    "figure img{display:block;max-width:100%;height:auto}.wide{grid-column:1/-1}\n"
    "@media(prefers-color-scheme:dark){figure img{filter:invert(.9) hue-rotate(180deg)}}\n"
    "@media(max-width:640px){body{padding:.7rem}figure img{max-width:none;width:44rem}}\n"
    "details{margin:.5rem 0;color:var(--soft);font-size:.88rem}summary{cursor:pointer}code{font-size:.9em}\n";

/* Names the section: "attention-quick". */
static void put_name(const vlb_ablation *a, FILE *out) { fprintf(out, "%s%s", a->name, vlb_preset_suffix(a)); }

static vlb_code put_plot(const vlb_evidence *e, const char *folder, const char *name, FILE *out, vlb_error *err) {
  char path[1100];
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s.svg", folder, name));
  fprintf(out, "<figure%s><img alt=\"", strcmp(name, "success") ? "" : " class=\"wide\"");
  vlb_html_text(vlb_plot_title(name), out);
  fputs(": ", out);
  vlb_html_text(e->ablation->title, out);
  fputs("\" src=\"", out);
  VLB_TRY(vlb_html_file("image/svg+xml", path, out, err));
  fputs("\"><figcaption>", out);
  vlb_html_text(vlb_plot_title(name), out);
  fputs("</figcaption></figure>\n", out);
  return VLB_OK;
}

/* Which cells the numbers come from: each can be looked up in cells/ and made again. */
static void put_cells(const vlb_plan *plan, FILE *out) {
  fputs("<details><summary>Cells behind these numbers</summary>\n<div class=\"scroll\"><table><thead><tr><th>cell</th><th>what</th></tr></thead><tbody>\n", out);
  for (int i = 0; i < plan->count; i++) {
    fprintf(out, "<tr><th scope=\"row\"><code>%s</code></th><td>", plan->cells[i].name);
    vlb_html_text(plan->cells[i].label, out);
    fputs("</td></tr>\n", out);
  }
  fputs("</tbody></table></div>\n</details>\n", out);
}

static const vlb_class *class_of(const vlb_evidence *e) {
  for (int i = 0; i < e->ablation->arm_count; i++)
    if (e->arms[i].known) return &e->arms[i].parts[0].class[0];
  return NULL;
}

static void put_class(const vlb_evidence *e, FILE *out) {
  const vlb_class *class = class_of(e);
  if (!class) return;
  fprintf(out, "<details><summary>Reproducibility class%s</summary>\n<div class=\"scroll\"><table><tbody>\n",
          e->mixed ? " (MIXED: not all cells were made in this one)" : "");
  for (const vlb_class_field *f = vlb_class_fields; f->name; f++) {
    fprintf(out, "<tr><th scope=\"row\">%s</th><td>", f->name);
    vlb_html_text(vlb_class_text(f, (vlb_class *)(uintptr_t)class), out);
    fputs("</td><td>", out);
    vlb_html_text(f->doc, out);
    fputs("</td></tr>\n", out);
  }
  fputs("</tbody></table></div>\n</details>\n", out);
}

static vlb_code put_clocks(const vlb_evidence *e, const vlb_plan *plan, const char *root, FILE *out, vlb_error *err) {
  vlb_clocks *c = malloc(sizeof *c);
  if (!c) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_clocks_gather(e, plan, root, c, err);
  if (!code) {
    if (c->any) vlb_clock_html(c, out);
    vlb_clocks_free(c);
  }
  free(c);
  return code;
}

vlb_code vlb_page_add(vlb_page *page, const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *const *plots, vlb_error *err) {
  const vlb_ablation *a = e->ablation;
  FILE *out = page->sections;
  char scale[96], folder[1024];
  VLB_TRY(vlb_report_folder(a, root, folder, err));
  fputs("<a href=\"#", page->links);
  put_name(a, page->links);
  fputs("\">", page->links);
  put_name(a, page->links);
  fputs("</a>\n", page->links);
  fputs("<section>\n<h2 id=\"", out);
  put_name(a, out);
  fputs("\">", out);
  vlb_html_text(a->title, out);
  fputs("</h2>\n<p>", out);
  put_name(a, out);
  fputs(": ", out);
  vlb_html_text(vlb_scale_text(a, scale, sizeof scale), out);
  fprintf(out, "%s</p>\n", vlb_preset_text(a));
  vlb_table_html(e, out);
  VLB_TRY(put_clocks(e, plan, root, out, err));
  fputs("<div class=\"plots\">\n", out);
  for (int i = 0; plots[i]; i++) VLB_TRY(put_plot(e, folder, plots[i], out, err));
  fputs("</div>\n", out);
  put_cells(plan, out);
  put_class(e, out);
  fputs("</section>\n", out);
  return VLB_OK;
}

vlb_code vlb_page_write(const vlb_page *page, const vlb_claims *claims, const char *path, vlb_error *err) {
  vlb_writer w;
  if (fflush(page->links) || fflush(page->sections)) return vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
  VLB_TRY(vlb_writer_open(&w, path, err));
  vlb_html_begin("vlabench: results", style, w.out);
  fprintf(w.out, "<p>SmolVLA's ablations, trained and rolled out again: each number with its uncertainty, each table from stored episodes.</p>\n"
                 "<nav><a href=\"#claims\">claims</a>\n%s</nav>\n"
                 "<section class=\"claims\">\n<h2 id=\"claims\">What the paper claims</h2>\n<p>By the paper's own numbers, and by ours.</p>\n",
          page->link_text);
  vlb_claims_html(claims, w.out);
  fprintf(w.out, "</section>\n%s<footer>vlabench " VLB_VERSION "; written by <code>vlabench report</code> from stored cells alone. manifest.json lists "
                 "the cells with their digests.</footer>\n",
          page->section_text);
  vlb_html_end(w.out);
  return vlb_writer_commit(&w, err);
}
