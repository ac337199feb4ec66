/* SPDX-License-Identifier: MIT */
/*
 * filter.h - limits of the filter, and the states of a call site that only the
 * library knows.
 */
#ifndef LPK_CORE_FILTER_H
#define LPK_CORE_FILTER_H

#include <lpk/printk.h>

#define LPK__FILTER_RULES 32
#define LPK__FILTER_NAME 32

/* On the list of sites, and to be decided again. */
#define LPK__SITE_LISTED 2ul

#endif /* LPK_CORE_FILTER_H */
