/* SPDX-License-Identifier: MIT */
/*
 * record.h - a record as it lies in a block. With its commit word, which takes 4
 * bytes, a text record has 24 bytes of metadata and a deferred one 20, on every
 * machine.
 *
 *   bytes  0- 7  time, counter reading taken before the reservation
 *          8-11  caller
 *
 * A text record goes on:
 *
 *         12-15  meta: payload bytes (16 bits), level (3), facility (5),
 *                flags (8; the highest is not set)
 *         16-19  site, 0: none
 *         20-    the text without a NUL; with LPK_RECORD_KV, two bytes that hold
 *                the length of the text, the text, and "KEY=value" strings that
 *                end in a NUL each
 *
 * A deferred record:
 *
 *         12-15  site (31 bits), and the highest bit is set
 *         16-    8 bytes for each argument: a value, or for text and for the
 *                bytes of a %p extension their number (LPK__BYTES_NULL for a
 *                null pointer); then these bytes, each argument's filled up to 8
 *
 * Its level, flags and number of arguments are those of its site, in the
 * dictionary.
 */
#ifndef LPK_CORE_RECORD_H
#define LPK_CORE_RECORD_H

#include <lpk/reader.h>

#include "words.h"

#define LPK__RECORD_HEAD 20

/* In place of meta: a record whose text is rendered by its reader. */
#define LPK__DEFERRED UINT32_C(0x80000000)
#define LPK__DEFERRED_HEAD 16
#define LPK__BYTES_NULL UINT64_MAX

/* The first words of a record: its head and the beginning of its payload. */
struct lpk__head_words {
	uint64_t time;
	uint32_t caller;
	uint32_t meta; /* or LPK__DEFERRED and the site */
	/* Of a text record: */
	uint32_t site;
	char payload[4];
};

static inline uint32_t
lpk__meta(uint32_t bytes, uint32_t level, uint32_t facility, uint32_t flags)
{
	return bytes | level << 16 | facility << 19 | flags << 24;
}

static inline uint32_t
lpk__meta_bytes(uint32_t meta)
{
	return meta & 0xffff;
}

static inline uint32_t
lpk__meta_level(uint32_t meta)
{
	return meta >> 16 & 7;
}

static inline uint32_t
lpk__meta_facility(uint32_t meta)
{
	return meta >> 19 & 31;
}

static inline uint32_t
lpk__meta_flags(uint32_t meta)
{
	return meta >> 24;
}

/* The whole payload, of a record whose first words were read. */
static inline void
lpk__payload_read(char *to, const struct lpk__head_words *head,
    const unsigned long *words, uint32_t bytes)
{
	__builtin_memcpy(to, head->payload, bytes < 4 ? bytes : 4);
	if (bytes > 4)
		lpk__words_read(
		    to + 4, words + sizeof(*head) / sizeof(*words), bytes - 4);
}

static inline uint32_t
lpk__record_units(uint32_t payload_bytes)
{
	return (LPK__RECORD_HEAD + payload_bytes + 7) / 8;
}

#endif /* LPK_CORE_RECORD_H */
