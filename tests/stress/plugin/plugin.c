/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - a module with call sites, which tests/stress/dlclose.c loads and
 * unloads. Its destructor logs too: at the last moment, from a new site.
 */
#include "plugin.h"

#define LPK_SUBSYSTEM "plugin"
#include <lpk/printk.h>

static struct lpk_log *ring;

#define SITE(n, log, number)                                                   \
	lpk_printk_to(log, LPK_ERR, "plugin %d site %d, %s", number, n, "text")
#define SITES_4(n, log, number)                                                \
	SITE(n, log, number);                                                  \
	SITE((n) + 1, log, number);                                            \
	SITE((n) + 2, log, number);                                            \
	SITE((n) + 3, log, number)

PLUGIN_API void
plugin_log(struct lpk_log *log, int number)
{
	ring = log;
	SITES_4(0, log, number);
	SITES_4(4, log, number);
	SITES_4(8, log, number);
	SITES_4(12, log, number);
	/* Off, and so on the list as well. */
	lpk_printk_to(log, LPK_DEBUG, "plugin debug");
}

__attribute__((destructor)) static void
plugin_end(void)
{
	lpk_printk_to(ring, LPK_ERR, "plugin goes");
}
