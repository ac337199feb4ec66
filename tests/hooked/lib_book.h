/* SPDX-License-Identifier: MIT */
/*
 * lib_book.h - a book of the calls that a test made, and of what its readers
 * were given: every text is known, so that a torn, doubled or invented record
 * shows, and so does a record out of order.
 *
 * Any failure prints what the test was at, and ends the process with 1.
 */
#ifndef TESTS_HOOKED_LIB_BOOK_H
#define TESTS_HOOKED_LIB_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <lpk/printk.h>
#include <lpk/reader.h>

#define BOOK_CALLS 8192
#define BOOK_READERS 4
#define BOOK_OPEN UINT32_MAX /* the call has not returned */

struct book_call {
	uint32_t begin; /* in steps of the book's clock */
	uint32_t end;
	char context;
	bool read[BOOK_READERS];
};

struct book {
	struct lpk_log *log;
	uint32_t calls;
	uint32_t clock;
	uint32_t filtered; /* of the calls, switched off */
	uint32_t extra;    /* records that the library adds */
	struct lpk_log_stats start;
	struct lpk_site sites[2]; /* of the calls, fresh with each book */
	struct book_call call[BOOK_CALLS];
};

/* A reader whose every record is compared with the book. */
struct book_reader {
	struct lpk_reader reader;
	struct book *book;
	int number;
	uint64_t next_seq;
	uint32_t opened; /* on the book's clock */
	uint32_t newest; /* the latest begin among the records read */
	uint32_t read;
	uint32_t late; /* of these, flagged LPK_RECORD_LATE */
	unsigned long lost;
	uint32_t reports; /* "N messages suppressed" read */
	unsigned long reported;
};

/** book_at() - Say what the test is at; failures print it. */
void book_at(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** book_fail() - Print what is wrong and where, and exit. */
_Noreturn void book_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#define book_check(condition)                                                  \
	((condition) ? (void)0 : book_fail("line %d: %s", __LINE__, #condition))

/** book_seed() - LPK_SEED from the environment, or a fixed one; printed. */
uint64_t book_seed(void);

/** book_random() - A number below a bound. */
uint32_t book_random(uint64_t *seed, uint32_t below);

/** book_ring() - Make a fresh log, small, its counters next to overflow. */
void book_ring(struct lpk_log *log, uint32_t block_bytes, uint32_t blocks,
    uint32_t lanes, void *memory, size_t size_bytes);

/** book_start() - An empty book about a log; its accounts start here. */
void book_start(struct book *book, struct lpk_log *log);

/** book_log() - Log a text that nobody else logs; returns its number. */
uint32_t book_log(struct book *book, char context);

/** book_write() - The call itself, of one that is in the book. */
void book_write(struct book *book, uint32_t number);

/** book_begin() - Enter a call into the book that the test makes itself. */
uint32_t book_begin(struct book *book, char context);

/** book_finish() - That call has returned. */
void book_finish(struct book *book, uint32_t number);

/** book_text() - The text of a call; returns its length. */
int book_text(
    const struct book *book, uint32_t number, char *text, size_t size_bytes);

/** book_open() - Open a reader; its number is below BOOK_READERS. */
void book_open(struct book_reader *reader, struct book *book, int number,
    enum lpk_seek where);

/** book_drain() - Read until there is nothing; returns how many records. */
uint32_t book_drain(struct book_reader *reader);

/** book_settle() - Read on until all unfinished records are passed over. */
void book_settle(struct book_reader *reader);

/**
 * book_close() - The accounts must close.
 * @pending: records that were reserved and are not finished
 */
void book_close(const struct book_reader *reader, uint32_t pending);

/** book_dropped() - Calls dropped since the start of the book. */
unsigned long book_dropped(const struct book *book);

/* A record reserved by the test itself, finished when it likes. */
struct book_hold {
	uint32_t number;
	uint64_t time;
	unsigned long *words;
	uint32_t *commit;
	uint32_t value;
};

/** book_hold() - Reserve; false when the log had no room. */
bool book_hold(struct book *book, struct book_hold *hold, char context);

/** book_unhold() - Write the record and commit it. */
void book_unhold(struct book *book, const struct book_hold *hold);

#endif /* TESTS_HOOKED_LIB_BOOK_H */
