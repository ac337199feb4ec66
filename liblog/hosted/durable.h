/* SPDX-License-Identifier: MIT */
/*
 * durable.h - the region's file on its disk: what is to survive a loss of
 * power, too.
 */
#ifndef LPK_HOSTED_DURABLE_H
#define LPK_HOSTED_DURABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Longer would be a mistake. */
#define LPK__SYNC_MS_MAX 3600000u

/* What is asked for. */
struct lpk__durable_wish {
	unsigned int sync_ms; /* 0: not by time */
	int sync_level;       /* -1: not by level */
};

static inline bool
lpk__durable_wanted(const struct lpk__durable_wish *wish)
{
	return wish->sync_ms != 0 || wish->sync_level >= 0;
}

/**
 * lpk__init_word() - Read a word of LPK_REGION, behind a comma.
 *
 * Context:  any.
 * Return:   false when it makes no sense; @wish is as it was.
 */
bool lpk__init_word(
    const char *word, size_t length, struct lpk__durable_wish *wish);

/**
 * lpk__durable_begin() - Keep the disk up to date from now on.
 *
 * To be called once the region is in a file; a second call does nothing.
 *
 * Context:  init.
 * Return:   LPK_OK; -LPK_ENOMEM when there can be no thread.
 */
int lpk__durable_begin(const struct lpk__durable_wish *wish);

/**
 * lpk__durable_end() - Write what is there, and stop; at the end of the process.
 *
 * Context:  thread; may block for two seconds.
 */
void lpk__durable_end(void);

/** lpk__durable_forked() - Nothing of it. Context: the child of a fork. */
void lpk__durable_forked(void);

#endif /* LPK_HOSTED_DURABLE_H */
