#include "experiments/report/html.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "core/base/file.h"

static const char common[] =
    ":root{color-scheme:light dark;--ink:#1d2125;--soft:#59626b;--page:#f6f5f2;--card:#fff;--line:#d9d6cf;--good:#1c6b3c;--bad:#a3341f}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8e6e1;--soft:#a5acb3;--page:#16181b;--card:#202327;--line:#363b41;--good:#7cc99a;--bad:#f0947e}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:1500px;padding:1.2rem;background:var(--page);color:var(--ink);font:16px/1.45 system-ui,sans-serif}\n"
    "h1{margin:0 0 .3rem;font-size:1.6rem}h2{margin:2.2rem 0 .2rem;font-size:1.25rem}p{margin:.2rem 0;color:var(--soft)}\n"
    "nav{display:flex;flex-wrap:wrap;gap:.4rem;margin:1rem 0}\n"
    "nav a{padding:.35rem .7rem;border:1px solid var(--line);border-radius:1rem;color:inherit;text-decoration:none;background:var(--card)}\n"
    "footer{margin-top:2.5rem;padding-top:.8rem;border-top:1px solid var(--line);font-size:.86rem;color:var(--soft)}\n"
    ".good{color:var(--good)}.bad{color:var(--bad)}\n";

void vlb_html_begin(const char *title, const char *style, FILE *out) {
  fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
        out);
  vlb_html_text(title, out);
  fprintf(out, "</title>\n<style>\n%s%s</style>\n</head>\n<body>\n<h1>", common, style);
  vlb_html_text(title, out);
  fputs("</h1>\n", out);
}

void vlb_html_end(FILE *out) { fputs("</body>\n</html>\n", out); }

void vlb_html_text(const char *text, FILE *out) {
  for (; *text; text++) {
    const char *entity = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : *text == '"' ? "&quot;" : NULL;
    if (entity)
      fputs(entity, out);
    else
      fputc(*text, out);
  }
}

vlb_code vlb_html_base64(const void *data, size_t size, char **text, vlb_error *err) {
  *text = malloc(4 * (size / 3 + 1) + 1);
  if (!*text) return vlb_fail(err, VLB_FAILED, "no memory for a picture");
  EVP_EncodeBlock((unsigned char *)*text, data, (int)size);
  return VLB_OK;
}

vlb_code vlb_html_file(const char *mime, const char *path, FILE *out, vlb_error *err) {
  char *data, *text;
  size_t size;
  VLB_TRY(vlb_file_read(path, &data, &size, err));
  vlb_code code = vlb_html_base64(data, size, &text, err);
  free(data);
  if (code) return code;
  fprintf(out, "data:%s;base64,%s", mime, text);
  free(text);
  return VLB_OK;
}
