/* SPDX-License-Identifier: MIT */
/*
 * terminal.h - colours and the pager, by the usual rules.
 */
#ifndef LPK_TOOLS_TERMINAL_H
#define LPK_TOOLS_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

enum colour_when { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* "auto", "always", "never"; NULL is "auto". */
bool colour_parse(const char *text, enum colour_when *when);

/*
 * An option beats NO_COLOR, which beats CLICOLOR_FORCE and FORCE_COLOR, which
 * beat what standard output is.
 */
bool colour_wanted(enum colour_when when);

/* Standard output through PAGER or less(1); NULL: none is wanted or to be had. */
FILE *pager_open(void);
/* Wait until its user has seen enough. */
void pager_close(FILE *stream);

#endif /* LPK_TOOLS_TERMINAL_H */
