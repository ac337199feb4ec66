/* SPDX-License-Identifier: MIT */
/*
 * sites.c - listing the call sites that were used.
 *
 * What is given out is copied while the filter is held, so that a module which
 * is unloaded right afterwards takes nothing with it. A list that called back
 * would hold the filter for as long as its user likes.
 */
#include <lpk/sites.h>

#include "filter.h"
#include "lpk_atomic.h"
#include "message.h"
#include "port_fast.h"

static const struct lpk_site *
behind(const struct lpk_site *site)
{
	/* Relaxed: first:A has seen all of the list. */
	return (const struct lpk_site *)lpk_load_relaxed(&site->next);
}

static unsigned long
count_from(const struct lpk_site *site)
{
	unsigned long count = 0;

	for (; site != NULL; site = behind(site))
		count++;
	return count;
}

/* The end of a text that is too long, or its beginning. */
static void
copy(char *to, size_t size, const char *text, bool end)
{
	size_t length;

	if (text == NULL)
		text = "";
	length = lpk__fast_length(text, 4096);
	if (length >= size) {
		text += end ? length - (size - 1) : 0;
		length = size - 1;
	}
	__builtin_memcpy(to, text, length);
	to[length] = '\0';
}

static void
fill(struct lpk_site_info *info, const struct lpk_site *site)
{
	const char *format = site->flags & LPK_SITE_KERN ?
	    lpk__kern_skip(site->format) :
	    site->format;

	copy(info->format, sizeof(info->format), format, false);
	copy(info->file, sizeof(info->file), site->file, true);
	copy(info->function, sizeof(info->function), site->function, false);
	copy(info->subsystem, sizeof(info->subsystem), site->subsystem, false);
	info->line = site->line;
	info->level = (uint8_t)lpk__site_level(site);
	info->enabled = lpk__site_wanted(site);
}

int
lpk_sites_next(struct lpk_sites *sites, struct lpk_site_info *info)
{
	const struct lpk_site *site;
	unsigned long seq, count;

	if (sites == NULL || info == NULL)
		return -LPK_EINVAL;
	if (!lpk__filter_begin(&seq))
		return -LPK_EBUSY;
	site = lpk__sites_first();
	/*
	 * The place is counted from the end of the list, where nothing is
	 * added: sites that go make us stay, never skip.
	 */
	count = count_from(site);
	if (!sites->begun || sites->left > count)
		sites->left = count;
	sites->begun = true;
	for (; count > sites->left; count--)
		site = behind(site);
	if (site != NULL) {
		fill(info, site);
		sites->left--;
	}
	lpk__filter_end(seq);
	return site != NULL ? LPK_OK : -LPK_EAGAIN;
}
