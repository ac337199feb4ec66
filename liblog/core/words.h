/* SPDX-License-Identifier: MIT */
/*
 * words.h - bulk copies into and out of memory that other contexts may be
 * writing or reading at the same moment.
 *
 * Such memory is never read plainly (it would be a data race, undefined in
 * C11): it is copied a word at a time by relaxed atomics, and the copy is
 * believed only after a check. Both ends are word aligned in the ring; the
 * private side may have any alignment.
 */
#ifndef LPK_CORE_WORDS_H
#define LPK_CORE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "lpk_atomic.h"

/* The compiler turns a constant-size copy of one word into one move. */
#define LPK__WORD_COPY(to, from) __builtin_memcpy((to), (from), sizeof(long))

/* Where in a word the byte is that lies so far behind its first one. */
static inline unsigned int
lpk__byte_shift(unsigned int byte)
{
	return (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ?
		       byte :
		       (unsigned int)sizeof(long) - 1 - byte) *
	    8;
}

/*
 * Bytes that do not fill a word, and zeros behind them, as one: put together in
 * a register, because a copy of so few is a call, and loading the word that was
 * stored in pieces waits for them.
 */
static inline unsigned long
lpk__word_part(const unsigned char *from, size_t bytes)
{
	unsigned long word = 0;
	unsigned int i;

	for (i = 0; i < bytes; i++)
		word |= (unsigned long)from[i] << lpk__byte_shift(i);
	return word;
}

/* A whole number of words; the tail of the last one is filled with zeros. */
static inline void
lpk__words_write(unsigned long *to, const void *from, size_t bytes)
{
	const unsigned char *source = from, *end = source + bytes;
	const size_t rest = bytes % sizeof(unsigned long);
	const unsigned int bits = 8 * (unsigned int)(sizeof(*to) - rest);
	unsigned long word;

	for (; (size_t)(end - source) >= sizeof(word); source += sizeof(word)) {
		LPK__WORD_COPY(&word, source);
		lpk_store_relaxed(to, word);
		to++;
	}
	if (rest == 0)
		return;
	if (bytes < sizeof(word)) {
		word = lpk__word_part(source, bytes);
	} else {
		/* With bytes that were written already, which go out again. */
		LPK__WORD_COPY(&word, end - sizeof(word));
		word = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ?
		    word >> bits :
		    word << bits;
	}
	lpk_store_relaxed(to, word);
}

static inline void
lpk__words_read(void *to, const unsigned long *from, size_t bytes)
{
	unsigned char *target = to;
	unsigned long word;

	for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
		word = lpk_load_relaxed(from);
		LPK__WORD_COPY(target, &word);
		target += sizeof(word);
		from++;
	}
	if (bytes != 0) {
		word = lpk_load_relaxed(from);
		__builtin_memcpy(target, &word, bytes);
	}
}

static inline void
lpk__write64(unsigned long *words, uint64_t value)
{
	lpk__words_write(words, &value, sizeof(value));
}

/*
 * Two values of 32 bits that lie side by side, as one: put together in a
 * register, because a machine that loads a word right after storing its halves
 * waits for both stores.
 */
static inline uint64_t
lpk__pair(uint32_t first, uint32_t second)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return (uint64_t)first << 32 | second;
#else
	return (uint64_t)second << 32 | first;
#endif
}

static inline uint64_t
lpk__read64(const unsigned long *words)
{
	uint64_t value;

	lpk__words_read(&value, words, sizeof(value));
	return value;
}

#endif /* LPK_CORE_WORDS_H */
