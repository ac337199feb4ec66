/* SPDX-License-Identifier: MIT */
/*
 * lib_sink.h - what lines go to, with a reader in a process of its own: it
 * takes them as a user would, at the pace of the device, and tallies them.
 */
#ifndef BENCH_LIB_SINK_H
#define BENCH_LIB_SINK_H

#include "lib_tally.h"

enum bench_sink_kind {
	BENCH_FILE,     /* in the folder for results; the reader follows it */
	BENCH_PIPE,     /* the reader takes what comes */
	BENCH_TERMINAL, /* a pseudo-terminal, likewise */
	BENCH_SERIAL    /* a pseudo-terminal; the reader is as slow as a line */
};

struct bench_reader;

struct bench_sink {
	struct bench_reader *reader;
	enum bench_sink_kind kind;
	int fd;         /* to write to */
	char path[512]; /* of the file or the terminal */
};

/**
 * bench_reader_start() - Start a process that reads.
 *
 * First of all in main(): what is touched before is copied when it is written
 * to again.
 */
struct bench_reader *bench_reader_start(void);

/**
 * bench_sink_open() - Make a sink, and have it read.
 * @baud: of a serial line: ten bits a byte
 */
void bench_sink_open(struct bench_sink *sink, struct bench_reader *reader,
    enum bench_sink_kind kind, unsigned int baud);

/** bench_sink_hang() - Read nothing from @from_ns to @to_ns, on the clock. */
void bench_sink_hang(
    const struct bench_sink *sink, uint64_t from_ns, uint64_t to_ns);

/** bench_sink_taken() - Bytes that the reader has taken since it was opened. */
uint64_t bench_sink_taken(const struct bench_sink *sink);

/**
 * bench_sink_end() - Wait until the reader has @lines lines, or it is quiet;
 * 0: stop at once.
 * Return: the tally; valid until the reader's next sink is opened.
 */
const struct bench_tally *bench_sink_end(
    struct bench_sink *sink, uint64_t lines);

/** bench_sink_close() - After bench_sink_end(): let go of it. */
void bench_sink_close(struct bench_sink *sink);

#endif /* BENCH_LIB_SINK_H */
