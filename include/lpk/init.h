/* SPDX-License-Identifier: MIT */
/*
 * init.h - put the default log where it outlives the process.
 *
 * | operation | context | excludes                                           |
 * |-----------|---------|----------------------------------------------------|
 * | lpk_init  | init    | any other thread of the process                    |
 */
#ifndef LPK_INIT_H
#define LPK_INIT_H

#include <lpk/base.h>

LPK_BEGIN_DECLS

/* options->flags */
/* No page of the region is ever paged out, where RLIMIT_MEMLOCK lets it. */
#define LPK_INIT_LOCKED 0x1u
#define LPK_INIT_NODUMP 0x2u /* the region is left out of core files */
#define LPK_INIT_NO_PANIC                                                      \
	0x4u /* crashes are not handled: no lpk_panic_install() */
/* Crashes are handled with LPK_PANIC_SANDBOX: there are strict threads. */
#define LPK_INIT_SANDBOX 0x8u

/* What lpk_init() is asked for; LPK_OPTIONS_INIT has the defaults. */
struct lpk_options {
	size_t size_bytes; /* of this structure, for programs yet to come */
	/*
	 * Where the region lies, as in the first word of LPK_REGION:
	 *   "memfd"     memory with a descriptor of its own; or NULL
	 *   "shm:NAME"  /dev/shm/lpk-UID/NAME, in a folder of this user
	 *   "/a/path"   a file; with a slash in it, absolute or not
	 *   "off"       where it is: memory that ends with the process
	 */
	const char *region;
	unsigned int keep;  /* earlier sessions of a named region; 1 to 99 */
	unsigned int flags; /* LPK_INIT_* */
	/*
	 * Durable mode, for a file on a disk: what is stored is written to the
	 * disk by a thread, and then survives a loss of power, too.
	 */
	unsigned int sync_ms; /* so long after it was stored; 0: not by time */
	/* Records of this level or a more important one at once; -1: none. */
	int sync_level;
};
#define LPK_OPTIONS_INIT                                                       \
	{                                                                      \
		sizeof(struct lpk_options), NULL, 8, 0, 0, -1                  \
	}

/**
 * lpk_init() - Put the default log into memory that outlives the process.
 * @options: what is wanted; NULL: the defaults
 *
 * Crashes are handled from then on, with the defaults of lpk_panic_install(),
 * unless that was called before or @options->flags say otherwise.
 *
 * Records that were stored before stay where they are in the log. `lpk dmesg`
 * reads the region while the process runs and, where it has a name or is in a
 * core file, after any death. The variable LPK_REGION takes the place of
 * @options->region; where it is set, a program gets its region before main().
 *
 * With @options->sync_ms or @options->sync_level a thread writes a region in a
 * file to its disk. A record is there sync_ms after it was stored, and as long
 * as the disk takes for two writes; a record of sync_level some milliseconds
 * after, and as long as that. No caller of printk waits for it, and neither
 * does a panic; what is younger when the power goes may be missing, or be bytes
 * of earlier records. At exit all is written once more, in two seconds at most.
 * While nothing is stored the thread sleeps. In LPK_REGION these are words
 * behind the name: "/a/path,sync=100,sync_level=err"; where it has none, those
 * of @options count, if the region it asks for is on a disk.
 *
 * A named region is made anew, readable by its owner alone, in a folder that
 * nobody else may write to. The one of the session before is renamed NAME.1,
 * an earlier NAME.1 becomes NAME.2, and so on; beyond @options->keep the
 * oldest is removed. A name that a living process uses is refused.
 *
 * A child of fork(2) starts a session of its own, in a region that has no name;
 * it may call lpk_init() again. It has none of its parent's records, and opens
 * its readers afresh.
 *
 * Context:  init; no other thread may exist, but those of lpk's own consoles.
 * Return:   LPK_OK; -LPK_EBUSY when there are other threads, the log has a
 *           region already that LPK_REGION did not ask for, or a living
 *           process uses the name; -LPK_EINVAL for a name that makes no sense,
 *           belongs to something else, or lies in a folder that others may
 *           write to, and for durable mode without a disk; -LPK_ENOMEM when
 *           there can be no thread for that, but a region; -LPK_ENOSPC when the file system is full; -LPK_ENOSYS
 *           where the system lacks what is needed; -LPK_EIO. On error the log
 *           is as it was.
 */
LPK_API int lpk_init(const struct lpk_options *options);

LPK_END_DECLS

#endif /* LPK_INIT_H */
