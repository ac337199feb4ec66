/* SPDX-License-Identifier: MIT */
/*
 * record.h - a record as it lies in a block. With its commit word it has 24
 * bytes of metadata on every machine.
 *
 *   bytes  0- 7  time, counter reading taken after the reservation
 *          8-11  caller
 *         12-15  meta: payload bytes (16 bits), level (3), facility (5),
 *                flags (8)
 *         16-19  site, 0: none
 *         20-    payload
 *
 * The payload of a text record is the text without a NUL; with
 * LPK_RECORD_KV, two bytes that hold the length of the text, the text, and
 * "KEY=value" strings that end in a NUL each.
 */
#ifndef LPK_CORE_RECORD_H
#define LPK_CORE_RECORD_H

#include <lpk/reader.h>

#include "words.h"

#define LPK__RECORD_HEAD 20

struct lpk__header {
	uint64_t time;
	uint32_t caller;
	uint32_t meta;
	uint32_t site;
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

/*
 * The payload begins in the middle of a word on 64-bit machines, behind the
 * site; both are 4 bytes there.
 */
static inline void
lpk__payload_read(char *to, const unsigned long *words, uint32_t bytes)
{
	char first[8];

	words += 16 / sizeof(*words);
	lpk__words_read(first, words, sizeof(first));
	__builtin_memcpy(to, first + 4, bytes < 4 ? bytes : 4);
	if (bytes > 4)
		lpk__words_read(to + 4, words + 8 / sizeof(*words), bytes - 4);
}

static inline void
lpk__payload_write(
    unsigned long *words, uint32_t site, const char *from, uint32_t bytes)
{
	char first[8] = {0};

	words += 16 / sizeof(*words);
	__builtin_memcpy(first, &site, 4);
	__builtin_memcpy(first + 4, from, bytes < 4 ? bytes : 4);
	lpk__words_write(words, first, sizeof(first));
	if (bytes > 4)
		lpk__words_write(
		    words + 8 / sizeof(*words), from + 4, bytes - 4);
}

static inline uint32_t
lpk__record_units(uint32_t payload_bytes)
{
	return (LPK__RECORD_HEAD + payload_bytes + 7) / 8;
}

#endif /* LPK_CORE_RECORD_H */
