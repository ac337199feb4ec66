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

/* One word of a filter; 32 bytes of name, compared before the '*'. */
struct rule {
	unsigned long name[LPK__FILTER_NAME / sizeof(unsigned long)];
	unsigned long level; /* LPK__FILTER_OFF: none */
};

static struct {
	unsigned long seq; /* odd while being set */
	unsigned long rules;
	unsigned long others; /* level + 1; 0: the default */
	struct rule rule[LPK_FILTER_RULES];
	unsigned long sites;   /* struct lpk_site *, those that were used */
	unsigned long control; /* lpk__control_fn *, once there is one */
} filter;

/* A filter on its way in. */
struct draft {
	unsigned long rules;
	unsigned long others;
	struct {
		char name[LPK__FILTER_NAME];
		unsigned long level;
	} rule[LPK_FILTER_RULES];
};

static bool
same_word(const char *word, size_t length, const char *name)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (word[i] != name[i])
			return false;
	}
	return name[length] == '\0';
}

/* The number of a level word plus one, 0 for "off", negative for no level. */
static int
level_word(const char *word, size_t length)
{
	static const char *const names[] = {"off", "emerg", "alert", "crit",
	    "err", "warn", "notice", "info", "debug", "error", "warning",
	    "emergency", "critical"};
	static const signed char levels[] = {
	    0, 1, 2, 3, 4, 5, 6, 7, 8, 4, 5, 1, 3};
	size_t i;

	for (i = 0; i < sizeof(levels); i++) {
		if (same_word(word, length, names[i]))
			return levels[i];
	}
	if (length == 1 && word[0] >= '0' && word[0] <= '7')
		return word[0] - '0' + 1;
	return -1;
}

/* May the bytes name a subsystem? A '*' only at the end. */
static bool
name_good(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c == '=' || c == ';' || c == 0x7f ||
		    (c == '*' && i + 1 != length))
			return false;
	}
	return length != 0;
}

static int
parse_word(struct draft *draft, const char *word, size_t length)
{
	size_t equals = 0;
	int level;

	while (equals < length && word[equals] != '=')
		equals++;
	if (equals == length) {
		level = level_word(word, length);
		if (level < 0)
			return -LPK_EINVAL;
		draft->others = (unsigned long)level + 1;
		return LPK_OK;
	}
	level = level_word(word + equals + 1, length - equals - 1);
	if (level < 0 || !name_good(word, equals))
		return -LPK_EINVAL;
	if (equals >= LPK__FILTER_NAME || draft->rules == LPK_FILTER_RULES)
		return -LPK_ENOSPC;
	__builtin_memcpy(draft->rule[draft->rules].name, word, equals);
	draft->rule[draft->rules].name[equals] = '\0';
	draft->rule[draft->rules].level = (unsigned long)level;
	draft->rules++;
	return LPK_OK;
}

static int
parse(struct draft *draft, const char *words, size_t *bad_at)
{
	size_t begin = 0, end, length;
	int result;

	__builtin_memset(draft, 0, sizeof(*draft));
	for (;; begin = end + 1) {
		while (words[begin] == ' ' || words[begin] == '\t')
			begin++;
		for (end = begin; words[end] != '\0' && words[end] != ',';)
			end++;
		length = end - begin;
		while (length != 0 &&
		    (words[begin + length - 1] == ' ' ||
			words[begin + length - 1] == '\t'))
			length--;
		if (length != 0) {
			result = parse_word(draft, words + begin, length);
			if (result != LPK_OK) {
				if (bad_at != NULL)
					*bad_at = begin;
				return result;
			}
		}
		if (words[end] == '\0')
			return LPK_OK;
	}
}

static bool
name_matches(const char *pattern, const char *subsystem)
{
	for (; *pattern != '\0'; pattern++, subsystem++) {
		if (*pattern == '*')
			return true;
		if (*pattern != *subsystem)
			return false;
	}
	return *subsystem == '\0';
}

/* Levels below this number are on, for a subsystem. */
static unsigned long
threshold(const char *subsystem)
{
	/* Relaxed throughout: decide() checks the sequence around it. */
	unsigned long rules = lpk_load_relaxed(&filter.rules);
	unsigned long others = lpk_load_relaxed(&filter.others);
	char name[LPK__FILTER_NAME];
	unsigned long i;

	if (rules > LPK_FILTER_RULES)
		rules = LPK_FILTER_RULES;
	for (i = 0; subsystem != NULL && i < rules; i++) {
		lpk__words_read(name, filter.rule[i].name, sizeof(name));
		name[sizeof(name) - 1] = '\0';
		if (name_matches(name, subsystem))
			return lpk_load_relaxed(&filter.rule[i].level);
	}
	return others == 0 ? LPK_INFO + 1 : others - 1;
}

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
	bool on = lpk__site_level(site) < threshold(site->subsystem);
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

static void
publish(const struct draft *draft)
{
	unsigned long i;

	/* Relaxed throughout: set:A and set:B are around it. */
	for (i = 0; i < draft->rules; i++) {
		lpk__words_write(filter.rule[i].name, draft->rule[i].name,
		    sizeof(draft->rule[i].name));
		lpk_store_relaxed(&filter.rule[i].level, draft->rule[i].level);
	}
	lpk_store_relaxed(&filter.rules, draft->rules);
	lpk_store_relaxed(&filter.others, draft->others);
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
	struct draft draft;
	unsigned long seq;
	int result;

	if (words == NULL)
		return -LPK_EINVAL;
	result = parse(&draft, words, bad_at);
	if (result != LPK_OK)
		return result;
	if (!lpk__filter_begin(&seq))
		return -LPK_EBUSY;
	publish(&draft);
	lpk__filter_renew();
	lpk__filter_end(seq + 2);
	return LPK_OK;
}
