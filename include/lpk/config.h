/* SPDX-License-Identifier: MIT */
/*
 * config.h - limits fixed when the library is compiled. Library and callers
 * must agree on them; each may be given on the command line (-DLPK_X=n) or,
 * for a port, in the file that LPK_CONFIG_FILE names.
 */
#ifndef LPK_CONFIG_H
#define LPK_CONFIG_H

#ifdef LPK_CONFIG_FILE
#include LPK_CONFIG_FILE
#endif

/*
 * Longest text of one record in bytes. A longer one is cut and marked. The
 * caller's stack holds a buffer of this size while a text is rendered, so
 * firmware wants 128 or less.
 */
#ifndef LPK_TEXT_MAX
#define LPK_TEXT_MAX 1024
#endif

/* Most blocks of one log; a reader holds a word for each. */
#ifndef LPK_BLOCKS_MAX
#define LPK_BLOCKS_MAX 256
#endif

/* Most lanes of one log. */
#ifndef LPK_LANES_MAX
#define LPK_LANES_MAX 16
#endif

/*
 * Most bytes of a log's dictionary of call sites; a site takes some 100. When
 * it is full, calls of further sites are stored as text.
 */
#ifndef LPK_DICT_BYTES_MAX
#define LPK_DICT_BYTES_MAX 65536
#endif

/* Most words of a filter (lpk_filter_set()); each takes 36 to 40 bytes. */
#ifndef LPK_FILTER_RULES
#define LPK_FILTER_RULES 32
#endif

/* Threads whose names a log remembers at once. */
#ifndef LPK_NAMES_MAX
#define LPK_NAMES_MAX 64
#endif

/* Words that different contexts write are kept this far apart (bytes). */
#ifndef LPK_CACHE_LINE
#define LPK_CACHE_LINE 64
#endif

/* Blocks that one reader merges by time at once. */
#ifndef LPK_STREAMS_MAX
#define LPK_STREAMS_MAX 32
#endif

/* Unfinished records that one reader remembers, to deliver them late. */
#ifndef LPK_LATE_MAX
#define LPK_LATE_MAX 32
#endif

/* How long an unfinished record holds back the ones behind it (ns). */
#ifndef LPK_GRACE_NS
#define LPK_GRACE_NS 10000000
#endif

/* Consoles that can be registered at once. */
#ifndef LPK_CONSOLES_MAX
#define LPK_CONSOLES_MAX 16
#endif

/*
 * A caller of printk that prints direct prints no more records than this, its
 * own and other people's, on a console, ...
 */
#ifndef LPK_DIRECT_BUDGET
#define LPK_DIRECT_BUDGET 64
#endif

/* ... and waits no longer than this for its device (ns). */
#ifndef LPK_DIRECT_NS
#define LPK_DIRECT_NS 100000000
#endif

/* Calls less important than this are compiled out, their strings too. */
#ifndef LPK_MIN_LEVEL
#define LPK_MIN_LEVEL 7
#endif

#endif /* LPK_CONFIG_H */
