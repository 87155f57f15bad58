/* Pieces of the self-contained pages: nothing on them is fetched from anywhere, and they follow the reader's light or dark setting. */
#ifndef VLB_REPORT_HTML_H
#define VLB_REPORT_HTML_H

#include <stdio.h>

#include "core/base/status.h"

/* Head, style and <h1>; style: rules of this page on top of the common ones. Closed by vlb_html_end. */
void vlb_html_begin(const char *title, const char *style, FILE *out);
void vlb_html_end(FILE *out);

void vlb_html_text(const char *text, FILE *out);

/* Caller frees text. */
vlb_code vlb_html_base64(const void *data, size_t size, char **text, vlb_error *err);
/* data:MIME;base64,... of a file, for the inside of src="". */
vlb_code vlb_html_file(const char *mime, const char *path, FILE *out, vlb_error *err);

#endif
