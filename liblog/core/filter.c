/* SPDX-License-Identifier: MIT */
/*
 * filter.c - which call sites are switched on: by level and subsystem.
 *
 * A site keeps the decision in its own state word, so that a call that is off
 * costs one load and one branch. A new filter puts all the sites that were
 * ever used back to undecided. They are on a list that grows at its head, from
 * any context; whoever walks it, or takes sites off it, holds the filter: the
 * sequence is odd meanwhile, and sites decide for one call only.
 */
#include "filter.h"

#include "message.h"
#include "ring.h"
#include "rules.h"

static struct {
	unsigned long seq; /* odd while being set */
	struct lpk__rules rules;
	unsigned long sites;   /* struct lpk_site *, those that were used */
	unsigned long control; /* lpk__control_fn *, once there is one */
} filter;

/*
 * The link of a site. Relaxed: published by enlist:B, and after that changed
 * and read by whoever holds the filter.
 */
static struct lpk_site *
next_get(const struct lpk_site *site)
{
	return (struct lpk_site *)lpk_load_relaxed(&site->next);
}

static void
next_set(struct lpk_site *site, const struct lpk_site *next)
{
	lpk_store_relaxed(&site->next, (unsigned long)next);
}

/* Put a site on the list; its state word says whether it is there already. */
static void
enlist(struct lpk_site *site)
{
	unsigned long first;

	do {
		/*
		 * LMM(enlist:A)
		 * Pairs with enlist:B: the list behind the first site is
		 * there.
		 */
		first = lpk_load_acquire(&filter.sites);
		next_set(site, (struct lpk_site *)first);
		/*
		 * LMM(enlist:B)
		 * The link before the site is on the list. Pairs with
		 * enlist:A, walk:A, first:A and forget:A. Each failure means that another
		 * context enlisted a site.
		 */
		lpk_fence_release();
	} while (!lpk_cas_relaxed(&filter.sites, first, (unsigned long)site));
}

bool
lpk__site_wanted(const struct lpk_site *site)
{
	bool on = lpk__site_level(site) <
	    lpk__rules_level(&filter.rules, site->subsystem, LPK_INFO + 1);
	/* Relaxed: a function, there from the start; its rules are as ours. */
	unsigned long control = lpk_load_relaxed(&filter.control);

	return control == 0 ? on : ((lpk__control_fn *)control)(site, on);
}

bool
lpk__site_decide(struct lpk_site *site)
{
	/*
	 * LMM(decide:A)
	 * Pairs with set:B.
	 */
	unsigned long seq = lpk_load_acquire(&filter.seq);
	unsigned long state = lpk_load_relaxed(&site->state);
	bool on = lpk__site_wanted(site);

	/*
	 * LMM(decide:B)
	 * The rules before the second look. Pairs with set:A.
	 */
	lpk_fence_acquire();
	/* The filter is being changed: decide for this call only. */
	if ((seq & 1) != 0 || lpk_load_relaxed(&filter.seq) != seq)
		return on;
	/* Only one context moves the site out of "new", and enlists it. */
	if (state == LPK_SITE_NEW &&
	    lpk_cas_relaxed(&site->state, LPK_SITE_NEW, LPK__SITE_LISTED))
		enlist(site);
	lpk_store_relaxed(&site->state, on ? LPK_SITE_ON : LPK_SITE_OFF);
	/*
	 * LMM(decide:C)
	 * The decision before a last look at the filter. Pairs with set:C:
	 * either the new filter's walk finds our decision, or we find the odd
	 * mark, or the new filter.
	 */
	lpk_fence_full();
	if (lpk_load_relaxed(&filter.seq) != seq)
		lpk_store_relaxed(&site->state, LPK__SITE_LISTED);
	return on;
}

/* Every site that was ever used decides again at its next call. */
static void
undecide_all(void)
{
	/*
	 * LMM(walk:A)
	 * Pairs with enlist:B: the links of what is on the list are there.
	 */
	struct lpk_site *site =
	    (struct lpk_site *)lpk_load_acquire(&filter.sites);

	for (; site != NULL; site = next_get(site))
		lpk_store_relaxed(&site->state, LPK__SITE_LISTED);
}

bool
lpk__filter_begin(unsigned long *seq)
{
	/* Relaxed: the acquire of the exchange is what orders. */
	*seq = lpk_load_relaxed(&filter.seq);
	/*
	 * LMM(set:D)
	 * The list and the rules as whoever was here before left them. Pairs
	 * with set:B.
	 */
	if ((*seq & 1) != 0 || !lpk_cas_acquire(&filter.seq, *seq, *seq + 1))
		return false;
	/*
	 * LMM(set:A)
	 * The odd mark before the first rule. Pairs with decide:B.
	 */
	lpk_fence_release();
	return true;
}

void
lpk__filter_renew(void)
{
	/*
	 * LMM(set:C)
	 * The odd mark before the walk. Pairs with decide:C.
	 */
	lpk_fence_full();
	undecide_all();
}

void
lpk__filter_end(unsigned long seq)
{
	/*
	 * LMM(set:B)
	 * The rules, and the links of the list, before the even mark. Pairs
	 * with decide:A and set:D.
	 */
	lpk_store_release(&filter.seq, seq);
}

void
lpk__filter_control(lpk__control_fn *control)
{
	lpk_store_relaxed(&filter.control, (unsigned long)control);
}

const struct lpk_site *
lpk__sites_first(void)
{
	/*
	 * LMM(first:A)
	 * Pairs with enlist:B: the links of what is on the list are there.
	 */
	return (const struct lpk_site *)lpk_load_acquire(&filter.sites);
}

/* One pass; false when a new site at the head came between. */
static bool
forget_pass(uintptr_t begin, uintptr_t end)
{
	/*
	 * LMM(forget:A)
	 * Pairs with enlist:B: the links of what is on the list are there.
	 */
	struct lpk_site *site =
	    (struct lpk_site *)lpk_load_acquire(&filter.sites);
	struct lpk_site *before = NULL, *behind;

	for (; site != NULL; site = behind) {
		behind = next_get(site);
		if ((uintptr_t)site < begin || (uintptr_t)site >= end)
			before = site;
		else if (before != NULL)
			next_set(before, behind);
		else if (!lpk_cas_relaxed(&filter.sites, (unsigned long)site,
			     (unsigned long)behind))
			return false;
	}
	return true;
}

/*
 * Who else touches the list meanwhile: enlist() alone, at its head; all who
 * walk it hold the filter. enlist() never looks into the site that it finds at
 * the head, it only compares its address: so that site may go at any moment.
 * When it has gone, the exchange of enlist() fails; when it has gone and the
 * same address is at the head again, a module was loaded there again, and the
 * link is right. The links behind the head are written by nobody else.
 *
 * Relaxed: exchanges of the head are one chain of read-modify-writes, so what
 * enlist:B published stays published whoever exchanged the head last; set:B
 * and set:D hand the other links on.
 */
bool
lpk__sites_forget(uintptr_t begin, uintptr_t end, bool in_any_case)
{
	unsigned long seq;
	bool held = lpk__filter_begin(&seq);

	if (!held && !in_any_case)
		return false;
	/* Each failure means that another context enlisted a site. */
	while (!forget_pass(begin, end)) {
	}
	if (held)
		lpk__filter_end(seq);
	return true;
}

int
lpk_filter_set(const char *words, size_t *bad_at)
{
	struct lpk__draft draft;
	unsigned long seq;
	int result;

	if (words == NULL)
		return -LPK_EINVAL;
	result = lpk__rules_parse(&draft, words, bad_at);
	if (result != LPK_OK)
		return result;
	if (!lpk__filter_begin(&seq))
		return -LPK_EBUSY;
	lpk__rules_write(&filter.rules, &draft);
	lpk__filter_renew();
	lpk__filter_end(seq + 2);
	return LPK_OK;
}
