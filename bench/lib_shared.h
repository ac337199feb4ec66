/* SPDX-License-Identifier: MIT */
/*
 * lib_shared.h - the memory that compare.c and a program of peers/ share.
 */
#ifndef BENCH_LIB_SHARED_H
#define BENCH_LIB_SHARED_H

#include "lib_bench.h"
#include "peers/lib_peer.h"

#define BENCH_SHARED_FD 3
#define BENCH_PEER_PRODUCERS 64
#define BENCH_PEER_BURST 20

struct peer_result {
	uint32_t done;
	char why_not[256];
	char about[160];
	struct bench_hist singles; /* ticks of a call */
	struct bench_hist bursts;  /* ticks of 20 */
	struct bench_usage usage;  /* of the producers, while they measured */
	uint64_t calls;
	uint64_t kept;
	uint64_t ns;      /* from the first call until flush returned */
	uint64_t cpu_ns;  /* of the process and of its receiver, then */
	uint64_t wakeups; /* while nothing was done, of both */
	uint64_t file_bytes;
};

struct bench_shared {
	struct bench_clock clock;
	struct peer_job job;
	struct peer_result result;
};

#endif /* BENCH_LIB_SHARED_H */
