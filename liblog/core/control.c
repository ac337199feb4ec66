/* SPDX-License-Identifier: MIT */
/*
 * control.c - switching single call sites on and off, in the syntax of the
 * kernel's dynamic debug (Documentation/admin-guide/dynamic-debug-howto.rst).
 *
 * The rules come after the filter's. They are kept in a table of words, which
 * any context reads when a site decides; whoever changes it holds the filter,
 * and what was decided meanwhile is decided again.
 */
#include <lpk/sites.h>

#include "filter.h"
#include "port_fast.h"
#include "words.h"

enum field { FILE_NAME, FUNCTION, SUBSYSTEM, FORMAT, FIELDS };

struct rule {
	char pattern[FIELDS][LPK_CONTROL_PATTERN];
	unsigned long first; /* line */
	unsigned long last;
	unsigned long given; /* a bit a field, that of FIELDS: lines */
	unsigned long on;
};

static struct {
	unsigned long used;
	unsigned long rules[LPK_CONTROL_QUERIES]
			   [sizeof(struct rule) / sizeof(unsigned long)];
} control;

_Static_assert(sizeof(struct rule) % sizeof(unsigned long) == 0,
    "a rule is a whole number of words");

static bool
pattern_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = text;

	/* Only the last star is tried again: the earliest match of the ones
	 * before it is as good as any. */
	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* The path, or what follows one of its slashes. */
static bool
path_matches(const char *pattern, const char *path)
{
	if (pattern_matches(pattern, path))
		return true;
	for (; *path != '\0'; path++) {
		if (*path == '/' && pattern_matches(pattern, path + 1))
			return true;
	}
	return false;
}

static bool
begins_with(const char *text, const char *part)
{
	for (; *part != '\0'; part++, text++) {
		if (*part != *text)
			return false;
	}
	return true;
}

static bool
format_matches(const char *part, const char *format)
{
	if (*part == '^')
		return begins_with(format, part + 1);
	do {
		if (begins_with(format, part))
			return true;
	} while (*format++ != '\0');
	return false;
}

static const char *
text_of(const char *text)
{
	return text != NULL ? text : "";
}

static bool
rule_matches(const struct rule *rule, const struct lpk_site *site)
{
	unsigned long given = rule->given;

	if ((given & 1ul << FIELDS) != 0 &&
	    (site->line < rule->first || site->line > rule->last))
		return false;
	if ((given & 1ul << SUBSYSTEM) != 0 &&
	    !pattern_matches(
		rule->pattern[SUBSYSTEM], text_of(site->subsystem)))
		return false;
	if ((given & 1ul << FUNCTION) != 0 &&
	    !pattern_matches(rule->pattern[FUNCTION], text_of(site->function)))
		return false;
	if ((given & 1ul << FILE_NAME) != 0 &&
	    !path_matches(rule->pattern[FILE_NAME], text_of(site->file)))
		return false;
	return (given & 1ul << FORMAT) == 0 ||
	    format_matches(rule->pattern[FORMAT], text_of(site->format));
}

/* A copy, proper whatever the words are just now. */
static void
rule_load(struct rule *rule, unsigned long at)
{
	int i;

	/* Relaxed: decide:B looks whether they changed meanwhile. */
	lpk__words_read(rule, control.rules[at], sizeof(*rule));
	for (i = 0; i < FIELDS; i++)
		rule->pattern[i][LPK_CONTROL_PATTERN - 1] = '\0';
}

static unsigned long
rules_used(void)
{
	unsigned long used = lpk_load_relaxed(&control.used);

	return used < LPK_CONTROL_QUERIES ? used : LPK_CONTROL_QUERIES;
}

static bool
decide(const struct lpk_site *site, bool on)
{
	unsigned long at = rules_used();
	struct rule rule;

	while (at-- != 0) {
		rule_load(&rule, at);
		if (rule_matches(&rule, site))
			return rule.on != 0;
	}
	return on;
}

/* Where a query is being read. */
struct scan {
	const char *text;
	size_t at;     /* behind the last word */
	size_t word;   /* where it begins */
	size_t length; /* of it */
};

static bool
is_end(char c)
{
	return c == '\0' || c == ';' || c == '\n';
}

/* The next word of the query; LPK_OK with no length at its end. */
static int
scan_word(struct scan *scan)
{
	const char *text = scan->text;
	char quote = '\0';

	while (text[scan->at] == ' ' || text[scan->at] == '\t')
		scan->at++;
	if (text[scan->at] == '#') {
		while (text[scan->at] != '\0' && text[scan->at] != '\n')
			scan->at++;
	}
	if (text[scan->at] == '"' || text[scan->at] == '\'')
		quote = text[scan->at++];
	scan->word = scan->at;
	while (quote != '\0' ? text[scan->at] != quote :
			       !is_end(text[scan->at]) &&
		    text[scan->at] != ' ' && text[scan->at] != '\t') {
		if (text[scan->at] == '\0')
			return -LPK_EINVAL;
		scan->at++;
	}
	scan->length = scan->at - scan->word;
	if (quote != '\0') {
		scan->at++;
		return scan->length != 0 ? LPK_OK : -LPK_EINVAL;
	}
	return LPK_OK;
}

static bool
is_word(const struct scan *scan, const char *word)
{
	return begins_with(scan->text + scan->word, word) &&
	    lpk__fast_length(word, LPK_CONTROL_PATTERN) == scan->length;
}

/* A number, if there is one; false when it is too large. */
static bool
scan_number(const char *text, size_t *at, size_t end, unsigned long *number)
{
	unsigned long value = 0;
	size_t begin = *at;

	for (; *at < end && text[*at] >= '0' && text[*at] <= '9'; ++*at) {
		if (value > UINT32_MAX / 10 - 1)
			return false;
		value = value * 10 + (unsigned long)(text[*at] - '0');
	}
	if (*at != begin)
		*number = value;
	return true;
}

static int
scan_lines(const struct scan *scan, struct rule *rule)
{
	size_t at = scan->word, end = scan->word + scan->length;

	rule->first = 0;
	rule->last = UINT32_MAX;
	if (!scan_number(scan->text, &at, end, &rule->first))
		return -LPK_EINVAL;
	if (at == end)
		rule->last = rule->first;
	else if (scan->text[at++] != '-' ||
	    !scan_number(scan->text, &at, end, &rule->last))
		return -LPK_EINVAL;
	return at == end && scan->length != 0 && !is_word(scan, "-") &&
		rule->first <= rule->last ?
	    LPK_OK :
	    -LPK_EINVAL;
}

/* A keyword's number, FIELDS for "line", negative for none. */
static int
keyword(const struct scan *scan)
{
	static const char *const names[] = {
	    "file", "func", "subsys", "format", "line"};
	int i;

	for (i = 0; i <= FIELDS; i++) {
		if (is_word(scan, names[i]))
			return i;
	}
	return -1;
}

static int
scan_value(struct scan *scan, struct rule *rule, int field)
{
	int result = scan_word(scan);

	if (result != LPK_OK || scan->length == 0)
		return -LPK_EINVAL;
	if (field == FIELDS)
		return scan_lines(scan, rule);
	if (scan->length >= LPK_CONTROL_PATTERN)
		return -LPK_ENOSPC;
	__builtin_memcpy(
	    rule->pattern[field], scan->text + scan->word, scan->length);
	return LPK_OK;
}

/* What one query is. */
enum query { QUERY_EMPTY, QUERY_RULE, QUERY_RESET };

static bool
scan_flags(const struct scan *scan, struct rule *rule)
{
	rule->on = is_word(scan, "+p") || is_word(scan, "=p");
	return rule->on != 0 || is_word(scan, "-p") || is_word(scan, "=_");
}

/* One query, to its ';'. */
static int
scan_query(struct scan *scan, struct rule *rule, enum query *query)
{
	int result, field;

	__builtin_memset(rule, 0, sizeof(*rule));
	*query = QUERY_EMPTY;
	for (;;) {
		result = scan_word(scan);
		if (result != LPK_OK)
			return result;
		if (scan->length == 0)
			break;
		if (*query != QUERY_EMPTY)
			return -LPK_EINVAL;
		field = keyword(scan);
		if (scan_flags(scan, rule)) {
			*query = QUERY_RULE;
		} else if (is_word(scan, "reset") && rule->given == 0) {
			*query = QUERY_RESET;
		} else if (field < 0 || (rule->given & 1ul << field) != 0) {
			return -LPK_EINVAL;
		} else {
			rule->given |= 1ul << field;
			result = scan_value(scan, rule, field);
			if (result != LPK_OK)
				return result;
		}
	}
	return *query == QUERY_EMPTY && rule->given != 0 ? -LPK_EINVAL : LPK_OK;
}

static bool
same_conditions(const struct rule *one, const struct rule *other)
{
	return one->given == other->given && one->first == other->first &&
	    one->last == other->last &&
	    __builtin_memcmp(
		one->pattern, other->pattern, sizeof(one->pattern)) == 0;
}

/* The rule with the same conditions, or the number of them. */
static unsigned long
find(const struct rule *rule)
{
	unsigned long used = rules_used(), at;
	struct rule other;

	for (at = 0; at < used; at++) {
		rule_load(&other, at);
		if (same_conditions(rule, &other))
			break;
	}
	return at;
}

static void
add(const struct rule *rule)
{
	unsigned long used = rules_used(), at = find(rule);
	struct rule other;

	if (rule->given == 0) {
		used = 0;
	} else if (at < used) {
		/* The others close up, so that the newest is the last. */
		for (; at + 1 < used; at++) {
			rule_load(&other, at + 1);
			lpk__words_write(
			    control.rules[at], &other, sizeof(other));
		}
		used--;
	}
	/* Relaxed: set:A and set:B are around it. */
	lpk__words_write(control.rules[used], rule, sizeof(*rule));
	lpk_store_relaxed(&control.used, used + 1);
}

/* All of the queries: looked at, and then done. */
static int
run(struct scan *scan, bool really)
{
	unsigned long used = rules_used();
	bool kept = true;
	enum query query;
	struct rule rule;
	int result;

	for (scan->at = 0;; scan->at++) {
		result = scan_query(scan, &rule, &query);
		if (result != LPK_OK)
			return result;
		if (query == QUERY_RESET && really)
			lpk_store_relaxed(&control.used, 0);
		else if (query == QUERY_RULE && really)
			add(&rule);
		if (query == QUERY_RESET ||
		    (query == QUERY_RULE && rule.given == 0)) {
			used = 0;
			kept = false;
		}
		if (query == QUERY_RULE &&
		    !(kept && find(&rule) < rules_used()) &&
		    used++ == LPK_CONTROL_QUERIES && !really)
			return -LPK_ENOSPC;
		if (scan->text[scan->at] == '\0')
			return LPK_OK;
	}
}

int
lpk_control(const char *query, size_t *bad_at)
{
	struct scan scan = {.text = query};
	unsigned long seq;
	int result;

	if (query == NULL)
		return -LPK_EINVAL;
	if (!lpk__filter_begin(&seq))
		return -LPK_EBUSY;
	result = run(&scan, false);
	if (result != LPK_OK) {
		if (bad_at != NULL)
			*bad_at = scan.word;
		lpk__filter_end(seq);
		return result;
	}
	(void)run(&scan, true);
	lpk__filter_control(decide);
	lpk__filter_renew();
	lpk__filter_end(seq + 2);
	return LPK_OK;
}
