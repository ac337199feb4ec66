/* SPDX-License-Identifier: MIT */
/*
 * region.h - the memory of the default log, and what is put in its place so
 * that it outlives the process.
 */
#ifndef LPK_HOSTED_REGION_H
#define LPK_HOSTED_REGION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/ring.h"

/* Not every C library knows the later ones. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* A file that is to become a region; see region_file.c. */
struct lpk__region_file {
	int fd;
	int folder;
	char name[200];    /* in the folder */
	char scratch[224]; /* its name until it is whole */
	bool durable;      /* its name is to survive a loss of power */
};

/* Beside LPK_INIT_*: the file is written to its disk before it has its name. */
#define LPK__INIT_DURABLE 0x80000000u

/**
 * lpk__region_begin() - Move the default log into other memory.
 * @where: as struct lpk_options has it; NULL: "memfd"
 * @keep:  earlier sessions
 * @flags: LPK_INIT_*, LPK__INIT_DURABLE
 *
 * Context:  init.
 * Return:   as lpk_init().
 */
int lpk__region_begin(const char *where, unsigned int keep, unsigned int flags);

/** lpk__region_on_disk() - Is it in a file that a disk has? Context: init. */
bool lpk__region_on_disk(void);

/** lpk__init_from_environment() - What LPK_REGION says. Context: init. */
void lpk__init_from_environment(void);

/** lpk__region_there() - Is the default log in other memory? */
bool lpk__region_there(void);

/**
 * lpk__region_fd() - The descriptor of the region, -1: none.
 *
 * A program that closes what it did not open may have closed it.
 */
int lpk__region_fd(void);

/**
 * lpk__region_state() - Say in the region how the process ended.
 * @state:  LPK__STATE_*
 *
 * Context:  any.
 */
void lpk__region_state(
    unsigned long state, unsigned long signal_number, unsigned long caller);

/**
 * lpk__region_file_make() - A file of some bytes, locked, not yet named.
 * @where: "shm:NAME", or a path
 *
 * Context:  init.
 * Return:   LPK_OK and @file->fd; or an error of lpk_init().
 */
int lpk__region_file_make(
    struct lpk__region_file *file, const char *where, size_t bytes);

/**
 * lpk__region_file_publish() - Give it its name; earlier ones are kept.
 * @keep: so many
 *
 * Return: LPK_OK; or an error, and the file is gone.
 */
int lpk__region_file_publish(struct lpk__region_file *file, unsigned int keep);

/**
 * lpk__region_see_to_forks() - A child has a region of its own, if we have one.
 *
 * To be called before whoever uses the log in the child asks pthread_atfork(),
 * because its handlers run in that order there.
 *
 * Context:  thread.
 */
void lpk__region_see_to_forks(void);

/**
 * lpk__region_file_on_disk() - Does what is written to it survive a power loss?
 */
bool lpk__region_file_on_disk(const struct lpk__region_file *file);

/** lpk__region_file_drop() - Do away with it. */
void lpk__region_file_drop(struct lpk__region_file *file);

/**
 * lpk__session_describe() - Who we are, for the head of a region.
 * @session: cleared before, or that of the process which we are a fork of
 * @threads: receives how many this process has, 0: not known; or NULL
 *
 * Context:  init, or the child of a fork.
 */
void lpk__session_describe(struct lpk__session *session, unsigned int *threads);

/** lpk__region_error() - The error of this library for an errno. */
int lpk__region_error(int number);

#endif /* LPK_HOSTED_REGION_H */
