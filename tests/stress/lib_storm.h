/* SPDX-License-Identifier: MIT */
/*
 * lib_storm.h - what the storms share: a check that ends the program, a
 * duration, random numbers, and a reader's thread that keeps account.
 */
#ifndef TESTS_STRESS_LIB_STORM_H
#define TESTS_STRESS_LIB_STORM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <lpk/console.h>
#include <lpk/log.h>
#include <lpk/reader.h>

/* From any thread. */
#define CHECK(condition, ...)                                                  \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__,     \
			    #condition);                                       \
			fprintf(stderr, __VA_ARGS__);                          \
			fputc('\n', stderr);                                   \
			_Exit(EXIT_FAILURE);                                   \
		}                                                              \
	} while (0)

/* Called with each record; aborts by CHECK() if it is not right. */
struct storm_reader;
typedef void storm_judge(struct storm_reader *reader,
    const struct lpk_record *record, const char *text);

/* One reader with its thread and its accounts. */
struct storm_reader {
	struct lpk_log *log;
	storm_judge *judge;
	void *data;          /* the judge's */
	enum lpk_seek where; /* it starts at */
	unsigned int nap_us; /* after each round, to fall behind */
	unsigned long *stop; /* set: read to the end, and return */
	uint64_t start;      /* seq of the first record that it may get */
	uint64_t read;
	uint64_t lost;
	uint64_t late;
	unsigned long text[(LPK_TEXT_MAX + 8) / sizeof(long)];
	struct lpk_reader reader;
};

/* Seconds that a storm lasts, for each of @parts; LPK_STORM_SECONDS in all. */
double storm_seconds(double seconds, unsigned int parts);

/* LPK_SEED or a constant; printed. */
uint64_t storm_seed(void);
uint32_t storm_random(uint64_t *state);

/* A log in fresh memory; storm_free() its region. */
void storm_log(
    struct lpk_log *log, uint32_t block_bytes, uint32_t blocks, uint32_t lanes);
void storm_free(struct lpk_log *log);

/* Pin the calling thread to the CPU of that number, modulo what there is. */
void storm_pin(unsigned int number);

/* The reader's thread; @reader is a struct storm_reader. */
void storm_open(struct storm_reader *reader);
void *storm_read(void *reader);

/* calls = stored + dropped, and stored = start + read + lost. */
void storm_close_accounts(const struct lpk_log *log, uint64_t calls,
    struct storm_reader *const *readers, unsigned int count);

#endif /* TESTS_STRESS_LIB_STORM_H */
