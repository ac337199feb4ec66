/* SPDX-License-Identifier: MIT */
/*
 * sites.h - the places in the source that log: which there are, and switching
 * single ones on and off while the program runs.
 *
 * | operation      | context | excludes                                    |
 * |----------------|---------|---------------------------------------------|
 * | lpk_control    | thread  | -                                           |
 * | lpk_sites_next | thread  | use of the same struct lpk_sites            |
 */
#ifndef LPK_SITES_H
#define LPK_SITES_H

#include <lpk/base.h>

LPK_BEGIN_DECLS

/* Queries that are kept, and bytes of one pattern. */
#ifndef LPK_CONTROL_QUERIES
#define LPK_CONTROL_QUERIES 32
#endif
#ifndef LPK_CONTROL_PATTERN
#define LPK_CONTROL_PATTERN 64
#endif

/**
 * lpk_control() - Switch single call sites on and off, from now on.
 * @query:  queries, with ';' or a newline between two of them
 * @bad_at: on error receives the offset of the word that is wrong; or NULL
 *
 * The syntax is that of the kernel's dynamic debug: pairs of a keyword and a
 * value that must all match, then what to do.
 *
 *	file net.c line 10-20 +p
 *	func link_* -p; subsys disk* +p
 *	format "link up" =p
 *
 * file     pattern of the path, of its last parts, or of its name
 * func     pattern of the function
 * subsys   pattern of LPK_SUBSYSTEM; what has none has the name ""
 * line     10, 10-20, 10-, -20
 * format   a part of the format as written; "^up" only at its beginning
 *
 * In patterns '*' is any text and '?' any byte. A value in quotes, " or ', may
 * hold blanks, ';' and '#'. +p and =p switch on, -p and =_ off. What begins
 * with '#' is a comment. The word "reset" alone forgets all queries.
 *
 * Queries are kept and apply to sites that are used for the first time later,
 * too. They come after lpk_filter_set(), and the last one that matches
 * decides. One with the same conditions as an earlier one takes its place, and
 * one without conditions takes the place of all.
 *
 * Context:  thread. Calls that run meanwhile see the old queries or the new.
 * Return:   LPK_OK; -LPK_EINVAL for an unknown or missing word; -LPK_ENOSPC
 *           for more than LPK_CONTROL_QUERIES in all, or a value of
 *           LPK_CONTROL_PATTERN bytes or more; -LPK_EBUSY when another thread
 *           is changing or listing; nothing was changed then.
 */
LPK_API int lpk_control(const char *query, size_t *bad_at);

/* A place in the source that logs. Strings that are too long are cut. */
struct lpk_site_info {
	char format[256];
	char file[128]; /* its end, when it is longer */
	char function[64];
	char subsystem[32]; /* "": none */
	uint32_t line;
	uint8_t level; /* enum lpk_level */
	bool enabled;
};

/* Where a list of the sites has come to; LPK_SITES_INIT is its beginning. */
struct lpk_sites {
	unsigned long left;
	bool begun;
};
#define LPK_SITES_INIT                                                         \
	{                                                                      \
		0, false                                                       \
	}

/**
 * lpk_sites_next() - The next call site of this process that was used.
 * @sites: initialised with LPK_SITES_INIT
 * @info:  filled in on LPK_OK
 *
 * Sites that are used for the first time meanwhile are left out. When a module
 * is unloaded meanwhile, some may come twice. A call that was never reached is
 * not known.
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_EAGAIN when there is none left; -LPK_EBUSY when
 *           another thread is changing the filter: try again; -LPK_EINVAL.
 */
LPK_API int lpk_sites_next(struct lpk_sites *sites, struct lpk_site_info *info);

LPK_END_DECLS

#endif /* LPK_SITES_H */
