/* SPDX-License-Identifier: MIT */
/*
 * string.c - the four functions that the core, and the compiler, expect. Your
 * C library has them, if there is one.
 */
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

void *
memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	return memmove(to, from, bytes);
}

void *
memmove(void *to, const void *from, size_t bytes)
{
	const volatile unsigned char *source = from;
	volatile unsigned char *target = to;
	size_t i;

	if (target <= source) {
		for (i = 0; i < bytes; i++)
			target[i] = source[i];
	} else {
		while (bytes-- != 0)
			target[bytes] = source[bytes];
	}
	return to;
}

void *
memset(void *to, int value, size_t bytes)
{
	volatile unsigned char *target = to;

	while (bytes-- != 0)
		*target++ = (unsigned char)value;
	return to;
}

int
memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *left = a, *right = b;

	for (; bytes != 0; bytes--, left++, right++) {
		if (*left != *right)
			return *left - *right;
	}
	return 0;
}
