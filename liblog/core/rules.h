/* SPDX-License-Identifier: MIT */
/*
 * rules.h - what a filter is made of: levels for subsystems, as LPK_LOG and
 * lpk_filter_set() write them.
 */
#ifndef LPK_CORE_RULES_H
#define LPK_CORE_RULES_H

#include <lpk/printk.h>

#include "lpk_atomic.h"

#include "words.h"

/* Bytes of a subsystem's name in a rule, with its NUL. */
#define LPK__RULE_NAME 32

/* "NAME=LEVEL" or "PREFIX*=LEVEL". */
struct lpk__rule {
	unsigned long name[LPK__RULE_NAME / sizeof(unsigned long)];
	unsigned long level; /* levels below it are on; 0: none */
};

/* May be read while they are written: the owner has a sequence for that. */
struct lpk__rules {
	unsigned long rules;
	unsigned long others; /* level + 1; 0: the default */
	struct lpk__rule rule[LPK_FILTER_RULES];
};

/* Rules on their way in. */
struct lpk__draft {
	unsigned long rules;
	unsigned long others;
	struct {
		char name[LPK__RULE_NAME];
		unsigned long level;
	} rule[LPK_FILTER_RULES];
};

/**
 * lpk__rules_parse() - Read words.
 * @bad_at: receives where the first word not understood begins; may be NULL
 *
 * Context:  any.
 * Return:   LPK_OK; -LPK_EINVAL; -LPK_ENOSPC for too many or too long.
 */
int lpk__rules_parse(
    struct lpk__draft *draft, const char *words, size_t *bad_at);

/** lpk__rules_write() - Make a draft the rules. One writer at a time. */
void lpk__rules_write(struct lpk__rules *rules, const struct lpk__draft *draft);

/**
 * lpk__rules_level() - Levels below which number are on, for a subsystem?
 * @otherwise: the answer when no rule says
 *
 * Context:  any; the answer may be nonsense while they are written.
 */
unsigned long lpk__rules_level(const struct lpk__rules *rules,
    const char *subsystem, unsigned long otherwise);

/** lpk__level_word() - A level's number plus one; 0: "off"; -1: no level. */
int lpk__level_word(const char *word, size_t length);

#endif /* LPK_CORE_RULES_H */
