/* SPDX-License-Identifier: MIT */
/*
 * output_data.h - records for other programs.
 */
#ifndef LPK_TOOLS_OUTPUT_DATA_H
#define LPK_TOOLS_OUTPUT_DATA_H

#include "output.h"

void output_json(struct output *output, const struct entry *entry);
void output_export(struct output *output, const struct entry *entry);

/* A string of JSON with its quotes; what is not UTF-8 becomes U+FFFD. */
void json_string(FILE *stream, const char *text, size_t bytes);

#endif /* LPK_TOOLS_OUTPUT_DATA_H */
