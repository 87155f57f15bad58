/* Pieces of MJCF that are compiled into the program, and how they join. */
#ifndef VLB_SIM_MJCF_H
#define VLB_SIM_MJCF_H

#include <stddef.h>
#include <stdio.h>

/* The text of an embedded file, by its path from the repository's root; NULL when there is none. */
const char *vlb_mjcf_asset(const char *path);

/* Writes size bytes of text with every '@' replaced by name. */
void vlb_mjcf_named(FILE *out, const char *text, size_t size, const char *name);

/* The sections between <mujoco ...> and </mujoco>, with every '@' replaced: MJCF lets every section occur again, so documents
 * join by lines. */
void vlb_mjcf_sections(FILE *out, const char *document, const char *name);

#endif
