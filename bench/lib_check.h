/* SPDX-License-Identifier: MIT */
/*
 * lib_check.h - a console in this process that tallies what it is given: at
 * full speed, at a given pace, or after a nap in the middle of a write.
 */
#ifndef BENCH_LIB_CHECK_H
#define BENCH_LIB_CHECK_H

#include <lpk/console.h>

#include "lib_tally.h"

struct bench_check_console {
	struct lpk_console console;
	struct bench_tally tally;
	double pace; /* lines a second; 0: as fast as it can */
	/* A write that begins in this time does not return before its end. */
	uint64_t hang_from_ns, hang_to_ns;
};

/** bench_check_start() - Register it on the last CPU, from the next record. */
void bench_check_start(
    struct bench_check_console *check, const char *name, struct lpk_log *log);

/** bench_check_stop() - Unregister it. */
void bench_check_stop(
    struct bench_check_console *check, struct lpk_console_stats *stats);

#endif /* BENCH_LIB_CHECK_H */
