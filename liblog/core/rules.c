/* SPDX-License-Identifier: MIT */
/*
 * rules.c - "NAME=LEVEL" words: read, kept, and asked.
 */
#include "rules.h"

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
int
lpk__level_word(const char *word, size_t length)
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
parse_word(struct lpk__draft *draft, const char *word, size_t length)
{
	size_t equals = 0;
	int level;

	while (equals < length && word[equals] != '=')
		equals++;
	if (equals == length) {
		level = lpk__level_word(word, length);
		if (level < 0)
			return -LPK_EINVAL;
		draft->others = (unsigned long)level + 1;
		return LPK_OK;
	}
	level = lpk__level_word(word + equals + 1, length - equals - 1);
	if (level < 0 || !name_good(word, equals))
		return -LPK_EINVAL;
	if (equals >= LPK__RULE_NAME || draft->rules == LPK_FILTER_RULES)
		return -LPK_ENOSPC;
	__builtin_memcpy(draft->rule[draft->rules].name, word, equals);
	draft->rule[draft->rules].name[equals] = '\0';
	draft->rule[draft->rules].level = (unsigned long)level;
	draft->rules++;
	return LPK_OK;
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

int
lpk__rules_parse(struct lpk__draft *draft, const char *words, size_t *bad_at)
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

void
lpk__rules_write(struct lpk__rules *rules, const struct lpk__draft *draft)
{
	unsigned long i;

	/* Relaxed throughout: the owner of the rules orders around it. */
	for (i = 0; i < draft->rules; i++) {
		lpk__words_write(rules->rule[i].name, draft->rule[i].name,
		    sizeof(draft->rule[i].name));
		lpk_store_relaxed(&rules->rule[i].level, draft->rule[i].level);
	}
	lpk_store_relaxed(&rules->rules, draft->rules);
	lpk_store_relaxed(&rules->others, draft->others);
}

unsigned long
lpk__rules_level(const struct lpk__rules *rules, const char *subsystem,
    unsigned long otherwise)
{
	/* Relaxed throughout: whoever asks checks a sequence around it. */
	unsigned long count = lpk_load_relaxed(&rules->rules);
	unsigned long others = lpk_load_relaxed(&rules->others);
	char name[LPK__RULE_NAME];
	unsigned long i;

	if (count > LPK_FILTER_RULES)
		count = LPK_FILTER_RULES;
	for (i = 0; subsystem != NULL && i < count; i++) {
		lpk__words_read(name, rules->rule[i].name, sizeof(name));
		name[sizeof(name) - 1] = '\0';
		if (name_matches(name, subsystem))
			return lpk_load_relaxed(&rules->rule[i].level);
	}
	return others == 0 ? otherwise : others - 1;
}
