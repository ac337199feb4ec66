/* SPDX-License-Identifier: MIT */
/*
 * watch.h - the parts of `lpk watch`.
 */
#ifndef LPK_TOOLS_WATCH_H
#define LPK_TOOLS_WATCH_H

#include "image.h"

/* Regions that are held, so that they outlive their processes. */
#define HELD_MAX 64
struct held {
	struct source source[HELD_MAX];
	unsigned int count;
	pid_t main;    /* the process that is watched */
	int listening; /* where others hand over theirs; -1: nobody does */
	char name[64]; /* of that socket */
};

/* Listen; @held->name is for the environment. False: not to be had. */
bool held_listen(struct held *held);

/* Take what is offered. */
void held_take(struct held *held);

/* That of the process that is watched: the last one; NULL: none yet. */
const struct source *held_main(const struct held *held);

/*
 * Print to standard error what no console has printed; and no less than the
 * last @least records. Returns false when the image cannot be read.
 */
bool watch_tail(const struct source *source, uint64_t least, bool dead);

/*
 * What is left of the processes that are dead. @save: a file, or NULL. Returns
 * false when something could not be read or saved.
 */
bool watch_last_words(const struct held *held, const char *save);

/* A number that changes when the process stores or prints a record. */
bool watch_pulse(const struct source *source, uint64_t *pulse);

/* Is it stopped, or traced? Then it is no wonder that it is silent. */
bool watch_excused(pid_t pid);

/* What each thread of a process waits for, as far as we may see. */
void watch_threads(pid_t pid);

#endif /* LPK_TOOLS_WATCH_H */
