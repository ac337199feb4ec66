/* SPDX-License-Identifier: MIT */
/*
 * overload.c - ten times what the console can take, with rings of 16 KiB to
 * 16 MiB: what is lost, whether the console is told of all of it, and whether
 * the newest records are there.
 */
#include <stdlib.h>
#include <string.h>

#include <lpk/hosted.h>
#include <lpk/printk.h>

#include "lib_check.h"
#include "lib_load.h"

#define PACE 100000
#define PRODUCERS 2

/* A call site belongs to one log: each ring has its own. */
#define RING(name, block_bytes, blocks)                                        \
	LPK_LOG_DEFINE(ring_##name, block_bytes, blocks, 2);                   \
	static void log_##name(                                                \
	    unsigned int source, unsigned int number, uint64_t ticks)          \
	{                                                                      \
		lpk_printk_to(&ring_##name, LPK_INFO, BENCH_LINE,              \
		    BENCH_LINE_ARGS(source, number, ticks));                   \
	}

RING(16k, 2048, 8)
RING(32k, 2048, 16)
RING(64k, 4096, 16)
RING(128k, 8192, 16)
RING(256k, 16384, 16)
RING(512k, 32768, 16)
RING(1m, 65536, 16)
RING(2m, 65536, 32)
RING(4m, 65536, 64)
RING(8m, 65536, 128)
RING(16m, 65536, 256)

struct ring {
	const char *name;
	struct lpk_log *log;
	void (*call)(unsigned int source, unsigned int number, uint64_t ticks);
	bool quick;
	struct bench_load_result made;
	struct bench_hist visible;
	struct lpk_console_stats stats;
	uint64_t lines, told, torn, dropped, tail, drain_ms;
	bool ends_there; /* the very last line */
	bool agree;
	char remark[200];
	char tags[400];
};

static struct ring rings[] = {
    {.name = "16 KiB", .log = &ring_16k, .call = log_16k, .quick = true},
    {.name = "32 KiB", .log = &ring_32k, .call = log_32k},
    {.name = "64 KiB", .log = &ring_64k, .call = log_64k},
    {.name = "128 KiB", .log = &ring_128k, .call = log_128k},
    {.name = "256 KiB", .log = &ring_256k, .call = log_256k, .quick = true},
    {.name = "512 KiB", .log = &ring_512k, .call = log_512k},
    {.name = "1 MiB", .log = &ring_1m, .call = log_1m},
    {.name = "2 MiB", .log = &ring_2m, .call = log_2m},
    {.name = "4 MiB", .log = &ring_4m, .call = log_4m},
    {.name = "8 MiB", .log = &ring_8m, .call = log_8m},
    {.name = "16 MiB", .log = &ring_16m, .call = log_16m, .quick = true},
};

#define RINGS (sizeof(rings) / sizeof(rings[0]))

static size_t
ring_bytes(const struct ring *ring)
{
	return (size_t)ring->log->geometry.block_bytes *
	    ring->log->geometry.blocks;
}

static void
account(struct ring *ring, const struct bench_tally *tally)
{
	unsigned int i;

	ring->visible = tally->visible;
	ring->lines = tally->lines;
	ring->told = tally->told;
	ring->torn = tally->torn;
	for (i = 0; i < PRODUCERS; i++) {
		bool there = tally->sources[i].next == ring->made.numbers[i];

		/* In a small ring who ended first may be overwritten. */
		if (there)
			ring->tail += tally->sources[i].tail;
		if (i == ring->made.last)
			ring->ends_there = there;
	}
	ring->agree = ring->torn == 0 &&
	    ring->lines + ring->told == ring->made.calls &&
	    ring->told == ring->stats.lost + ring->dropped;
	if (!ring->agree || !ring->ends_there)
		bench_note("* %s: accounts do not agree, or the newest is "
			   "missing: %s",
		    ring->name, tally->torn_line);
}

static void
run(struct ring *ring, unsigned long calls)
{
	static struct bench_check_console check;
	struct bench_load load = {
	    .call = ring->call,
	    .producers = PRODUCERS,
	    .rate = 10.0 * PACE,
	    .most = calls / PRODUCERS,
	};
	struct lpk_log_stats before, after;
	unsigned int i;

	bench_progress("a ring of %s", ring->name);
	bench_speed_probe();
	/* The whole of it has been used before. */
	for (i = 0; i < ring_bytes(ring) / 32; i++)
		ring->call(BENCH_SOURCES - 1, i, 0);
	bench_load_prepare(&load);
	check.pace = PACE;
	bench_check_start(&check, "slow", ring->log);
	lpk_log_stats(ring->log, &before);
	bench_load_run(&ring->made);
	if (lpk_console_flush(&check.console, UINT64_MAX) != LPK_OK)
		bench_die("lpk_console_flush");
	ring->drain_ms = (bench_now_ns() - ring->made.ended_ns) / 1000000;
	lpk_log_stats(ring->log, &after);
	ring->dropped = after.dropped - before.dropped;
	bench_check_stop(&check, &ring->stats);
	account(ring, &check.tally);
}

static void
report(struct ring *ring)
{
	double calls = (double)ring->made.calls;
	double seconds =
	    (double)(ring->made.ended_ns - ring->made.began_ns) / 1e9;
	double missing = calls - (double)ring->lines;
	struct bench_figure figure = {
	    .group = "Ten times what the console takes",
	    .name = ring->name,
	    .kind = "a call",
	    .hist = &ring->made.call,
	    .per = 1,
	    .cpus = "all",
	    .remark = ring->remark,
	    .tags = ring->tags,
	    .curve = true,
	    .calls = ring->made.calls,
	    .lost = ring->stats.lost,
	    .dropped = ring->dropped,
	    .usage = ring->made.usage,
	};

	snprintf(ring->remark, sizeof(ring->remark),
	    "%.1f %% missing, %.0f told, %s; newest %.0f in a row%s; drained "
	    "in %.2f s",
	    100 * missing / calls, (double)ring->told,
	    ring->agree ? "the same" : "*NOT THE SAME", (double)ring->tail,
	    ring->ends_there ? "" : " *WITHOUT THE LAST",
	    (double)ring->drain_ms / 1000);
	snprintf(ring->tags, sizeof(ring->tags),
	    "\"scenario\": \"overload\", \"what\": \"call\", \"ring\": %zu, "
	    "\"offered\": %u, \"made\": %.0f, \"pace\": %u, \"missing\": %.0f, "
	    "\"missing_percent\": %.4f, \"told\": %.0f, \"torn\": %.0f, "
	    "\"tail\": %.0f, \"drain_s\": %.3f, \"agree\": %s",
	    ring_bytes(ring), 10 * PACE, calls / seconds, PACE, missing,
	    100 * missing / calls, (double)ring->told, (double)ring->torn,
	    (double)ring->tail, (double)ring->drain_ms / 1000,
	    ring->agree && ring->ends_there ? "true" : "false");
	bench_add(&figure);
	figure.kind = "until visible";
	figure.hist = &ring->visible;
	figure.remark = NULL;
	figure.tags = NULL;
	figure.curve = false;
	memset(&figure.usage, 0, sizeof(figure.usage));
	bench_add(&figure);
}

int
main(void)
{
	unsigned long calls;
	size_t i;

	bench_init("overload");
	calls = bench_count(400000, 60000);
	lpk_thread_set_lane(0);
	for (i = 0; i < RINGS; i++) {
		if (bench_options.quick && !rings[i].quick)
			continue;
		run(&rings[i], calls);
		report(&rings[i]);
	}
	bench_note("%lu lines by %d producers, %d a second in all; the console "
		   "takes %d a second",
	    calls, PRODUCERS, 10 * PACE, PACE);
	bench_note("missing: lines that were logged and did not come out; "
		   "told: by \"** N printk messages dropped **\"; the two must "
		   "be the same");
	bench_note("newest in a row: how many of the last lines came out "
		   "without a gap, over both producers");
	bench_note("warm-up: each ring has gone round; each producer makes %d "
		   "calls before the console is there",
	    BENCH_LOAD_WARM_UP);
	return bench_report();
}
