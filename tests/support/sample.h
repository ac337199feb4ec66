/* SPDX-License-Identifier: MIT */
/*
 * sample.h - random formats with random values, for the tests that compare two
 * ways to the same text.
 */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLE_SLOTS 4
#define SAMPLE_FORMAT_SIZE 160

typedef int (*sample_format_fn)(char *, size_t, const char *, ...);

/* How an argument is passed. */
enum sample_kind {
	SLOT_INT,
	SLOT_LLONG,
	SLOT_DOUBLE,
	SLOT_POINTER,
	SLOT_KINDS
};

struct sample_slot {
	enum sample_kind kind;
	int i;
	long long ll;
	double d;
	const void *p;
	bool is_text; /* p is the address of a text */
};

struct sample {
	char fmt[SAMPLE_FORMAT_SIZE];
	size_t fmt_len;
	struct sample_slot slots[SAMPLE_SLOTS];
	int count;
};

/* What the random numbers go on from. */
extern uint64_t sample_seed;

uint64_t sample_random(void);
int sample_below(int limit);

/* A format and its arguments. */
void sample_make(struct sample *s);

/* One call of a function like snprintf(). */
int sample_format(
    sample_format_fn fn, char *buf, size_t size, const struct sample *s);

/* For the message of a failure, to stderr. */
void sample_print(const struct sample *s);

#endif /* TESTS_SAMPLE_H */
