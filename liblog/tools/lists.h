/* SPDX-License-Identifier: MIT */
/*
 * lists.h - names of levels and facilities, as syslog(3) and dmesg(1) have them.
 */
#ifndef LPK_TOOLS_LISTS_H
#define LPK_TOOLS_LISTS_H

#include <stdbool.h>
#include <stdint.h>

/* NULL where there is no such number. */
const char *level_name(unsigned int level);
const char *facility_name(unsigned int facility);

/*
 * Comma lists, as bits. Levels also as "err+" (err and worse) and "+err" (err
 * and less important). False when a word is not known.
 */
bool levels_parse(const char *text, uint32_t *bits);
bool facilities_parse(const char *text, uint32_t *bits);

#endif /* LPK_TOOLS_LISTS_H */
