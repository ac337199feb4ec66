/* SPDX-License-Identifier: MIT */
/*
 * module.c - a shared object with call sites is unloaded: they go with it, and
 * so they must be off the list that a new filter walks. Its records stay: what
 * they say about their sites is in the log.
 */
#include <lpk/printk.h>

#include <link.h>
#include <stdint.h>
#include <time.h>

#include "core/filter.h"

struct range {
	uintptr_t anchor;
	uintptr_t begin; /* both 0: not found */
	uintptr_t end;
};

static int
find_module(struct dl_phdr_info *info, size_t size, void *cookie)
{
	uintptr_t begin = UINTPTR_MAX, end = 0, from;
	struct range *range = cookie;
	bool holds = false;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type != PT_LOAD)
			continue;
		from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		holds =
		    holds || range->anchor - from < info->dlpi_phdr[i].p_memsz;
		if (from < begin)
			begin = from;
		if (from + info->dlpi_phdr[i].p_memsz > end)
			end = from + info->dlpi_phdr[i].p_memsz;
	}
	if (!holds)
		return 0;
	range->begin = begin;
	range->end = end;
	return 1;
}

/*
 * Who holds the filter does so for microseconds, or is not there any more: a
 * fork() left that thread behind. So after a second the list is ours.
 */
void
lpk__module_gone(const void *anchor)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct range range = {.anchor = (uintptr_t)anchor};
	int tries;

	if (dl_iterate_phdr(find_module, &range) == 0)
		return;
	for (tries = 0; tries < 1000; tries++) {
		if (lpk__sites_forget(range.begin, range.end, false))
			return;
		nanosleep(&pause, NULL);
	}
	(void)lpk__sites_forget(range.begin, range.end, true);
}
