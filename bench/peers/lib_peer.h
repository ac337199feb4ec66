/* SPDX-License-Identifier: MIT */
/*
 * lib_peer.h - what a program of this folder has: one logger, or several ways
 * to use it, behind the same calls. compare.c starts it anew for each
 * measurement, and says by a piece of shared memory what to do.
 *
 * Also for C++.
 */
#ifndef BENCH_PEERS_LIB_PEER_H
#define BENCH_PEERS_LIB_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib_ticks.h"

#ifdef __cplusplus
extern "C" {
#endif

enum peer_message {
	PEER_NUMBERS, /* "Logging int: 1, int64: 3, double: 0.5" */
	PEER_STRING,  /* "Logging int: 1, int64: 3, string: Lorem ipsum..." */
	PEER_LINE,    /* "Iteration: 1 int: 2 double: 0.5" */
	PEER_MESSAGES
};

#define PEER_NUMBERS_PRINTF "Logging int: %d, int64: %lld, double: %f"
#define PEER_STRING_PRINTF "Logging int: %d, int64: %lld, string: %s"
#define PEER_LINE_PRINTF "Iteration: %d int: %d double: %f"

/* More than 40 bytes, made beforehand; call i takes peer_strings[i % 64]. */
#define PEER_STRINGS 64
extern char peer_strings[PEER_STRINGS][48];

/* What is wanted; written by compare.c. */
struct peer_job {
	char peer[32];
	char folder[384]; /* for its files, which compare.c removes */
	char syslog[384]; /* where the receiver of syslog(3) writes to; "" */
	int receiver;     /* process that works for it, 0: none */
	uint32_t message; /* enum peer_message */
	uint32_t producers;
	uint64_t bursts;   /* of 20 calls, of each producer; 0: throughput */
	uint64_t every;    /* after so many bursts one whose calls are timed */
	uint64_t lines;    /* throughput: of all producers together */
	uint64_t limit_ns; /* stop making lines then */
	uint64_t idle_ns;  /* look how often it wakes up when nothing is done */
};

/* A logger, as its users are told to use it when it has to be fast. */
struct peer {
	const char *name;
	const char *about;
	/*
	 * Open files in @job->folder, start threads: on the last CPU, as this
	 * thread. Returns why it cannot be, or NULL.
	 */
	const char *(*begin)(const struct peer_job *job);
	/* In each producer, before its first call; NULL: nothing to do. */
	void (*thread)(unsigned int index);
	/* Make calls number @from and on. */
	void (*loop[PEER_MESSAGES])(unsigned long from, unsigned long count);
	/* The same, and read the clock before each and after the last. */
	void (*stamp[PEER_MESSAGES])(
	    uint64_t *stamps, unsigned long from, unsigned long count);
	/*
	 * In throughput, each 256 calls: hold the producers while more than
	 * the logger can take is under way. NULL: its calls wait by themselves.
	 */
	void (*pace)(uint64_t made);
	/* Until all @made records are where they go. */
	void (*flush)(uint64_t made);
	/* Returns how many records of @made are there. */
	uint64_t (*end)(uint64_t made);
};

/* Ends with NULL. */
extern const struct peer *const peers[];

/** peer_count() - How many records a text file has, from @offset on. */
uint64_t peer_count(const char *path, uint64_t offset);
/** peer_path() - A file in the folder of the job. */
const char *peer_path(const char *name);
/** peer_nap() - Sleep. */
void peer_nap(uint64_t ns);

/**
 * PEER_CALL() - Define name_loop() and name_stamp() around a statement.
 *
 * The statement may use i, the number of the call, and integer, wide, real and
 * text, which differ in each call.
 */
#define PEER_CALL(name, ...)                                                   \
	static inline void name##_once(                                        \
	    int integer, int64_t wide, double real, const char *text)          \
	{                                                                      \
		(void)integer;                                                 \
		(void)wide;                                                    \
		(void)real;                                                    \
		(void)text;                                                    \
		__VA_ARGS__;                                                   \
		bench_keep();                                                  \
	}                                                                      \
	static void name##_loop(unsigned long from, unsigned long count)       \
	{                                                                      \
		unsigned long i;                                               \
                                                                               \
		for (i = from; i < from + count; i++)                          \
			name##_once((int)i, (int64_t)i * 3, (double)i / 2,     \
			    peer_strings[i % PEER_STRINGS]);                   \
	}                                                                      \
	static void name##_stamp(                                              \
	    uint64_t *stamps, unsigned long from, unsigned long count)         \
	{                                                                      \
		unsigned long i;                                               \
                                                                               \
		for (i = from; i < from + count; i++) {                        \
			*stamps++ = bench_ticks();                             \
			name##_once((int)i, (int64_t)i * 3, (double)i / 2,     \
			    peer_strings[i % PEER_STRINGS]);                   \
		}                                                              \
		*stamps = bench_ticks();                                       \
	}

#define PEER_LOOPS(name)                                                       \
	{                                                                      \
		name##_numbers_loop, name##_string_loop, name##_line_loop      \
	}
#define PEER_STAMPS(name)                                                      \
	{                                                                      \
		name##_numbers_stamp, name##_string_stamp, name##_line_stamp   \
	}

#ifdef __cplusplus
}
#endif

#endif /* BENCH_PEERS_LIB_PEER_H */
