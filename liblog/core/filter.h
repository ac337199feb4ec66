/* SPDX-License-Identifier: MIT */
/*
 * filter.h - the filter as the rest of the library sees it, and the states of a
 * call site that only the library knows.
 */
#ifndef LPK_CORE_FILTER_H
#define LPK_CORE_FILTER_H

#include <lpk/printk.h>

/* On the list of sites, and to be decided again. */
#define LPK__SITE_LISTED 2ul

/*
 * A second opinion on whether a site is on, given the first. Any context; its
 * words may be changing, and its answer is then not kept.
 */
typedef bool lpk__control_fn(const struct lpk_site *site, bool on);

/**
 * lpk__filter_begin() - Hold the filter and the list of sites.
 * @seq: receives what lpk__filter_end() wants
 *
 * Nobody else changes the filter or walks the list then. Sites are still
 * enlisted at its head. Soon over: calls decide anew each time meanwhile.
 *
 * Context:  thread.
 * Return:   false when somebody else holds it.
 */
bool lpk__filter_begin(unsigned long *seq);

/** lpk__filter_renew() - Every site is to decide again; held. */
void lpk__filter_renew(void);

/**
 * lpk__filter_end() - Hold it no more.
 * @seq: as received when no rule was changed; 2 more when one was
 */
void lpk__filter_end(unsigned long seq);

/** lpk__filter_control() - Ask this one too, from now on; held. */
void lpk__filter_control(lpk__control_fn *control);

/**
 * lpk__sites_first() - The site that was used for the first time last; held.
 *
 * The others follow by their next, read with relaxed loads.
 */
const struct lpk_site *lpk__sites_first(void);

/** lpk__site_wanted() - Do the rules want a site's records? */
bool lpk__site_wanted(const struct lpk_site *site);

/**
 * lpk__sites_forget() - Take the sites in a range of memory off the list.
 * @in_any_case: do not care who holds the filter
 *
 * Context:  thread; no call in that range runs, or begins later.
 * Return:   false when somebody else holds the filter; nothing was done then.
 */
bool lpk__sites_forget(uintptr_t begin, uintptr_t end, bool in_any_case);

#endif /* LPK_CORE_FILTER_H */
