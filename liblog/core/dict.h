/* SPDX-License-Identifier: MIT */
/*
 * dict.h - the dictionary of a log: what its records say about the place they
 * come from. It lies in the region, so that another program, or a core file's
 * reader, finds all it needs there; nothing in it points into the program.
 *
 * Append-only. An entry is entered by the first call of a site, in whatever
 * context that is; two contexts that meet there enter it twice, and one of the
 * two is used.
 */
#ifndef LPK_CORE_DICT_H
#define LPK_CORE_DICT_H

#include <lpk/printk.h>

#include "ring.h"

/*
 * An entry as it lies in the dictionary, at a multiple of 8 bytes. Behind it
 * are the format and the other strings, each with a NUL.
 */
struct lpk__entry {
	uint32_t bytes;  /* of the entry; a multiple of 8; set first */
	uint32_t commit; /* LPK__ENTRY_MARK when the entry is complete */
	uint32_t line;
	uint8_t level;
	uint8_t flags;        /* of the site */
	uint16_t strings[4];  /* prefix, subsystem, file, function: offsets */
	uint8_t record_flags; /* of its deferred records */
	uint8_t count;        /* arguments of a deferred record */
};

#define LPK__ENTRY_MARK 0x7964616fu
/* The caller's stack holds one: less where records are small too. */
#define LPK__ENTRY_BYTES_MAX (LPK_TEXT_MAX >= 512 ? 1024 : 320)

/* The strings of an entry, checked; "" where there is none. */
struct lpk__place {
	const char *format;
	const char *prefix;
	const char *subsystem;
	const char *file;
	const char *function;
	const char *end; /* of the entry; NULL: not known */
	uint32_t line;
	uint8_t level;
	uint8_t flags;
	uint8_t record_flags;
	uint8_t count;
};

/**
 * lpk__dict_enter() - Describe a site in the dictionary of a log.
 * @count: arguments of its calls, 0 where they are not known
 *
 * Context:  any.
 * Progress: wait-free.
 * Return:   its number, 0 when there is no room.
 */
uint32_t lpk__dict_enter(
    struct lpk_log *log, const struct lpk_site *site, uint32_t count);

/**
 * lpk__dict_find() - Look up a number that a record holds.
 * @dict:  the dictionary's first byte; none of its bytes is trusted
 * @bytes: its size
 *
 * Context:  any.
 * Return:   false when there is no such entry.
 */
bool lpk__dict_find(struct lpk__place *place, const unsigned char *dict,
    size_t bytes, uint32_t number);

static inline const unsigned char *
lpk__dict(const struct lpk_log *log)
{
	return log->region + LPK_HEAD_BYTES;
}

#endif /* LPK_CORE_DICT_H */
