/* SPDX-License-Identifier: MIT */
/*
 * stuck.c - three consoles on one log, and one of them does not return from
 * its write for ten seconds: what the callers see of it, and what the other
 * two, a pipe with a reader and one in memory.
 */
#include <stdlib.h>
#include <string.h>

#include <lpk/consoles.h>
#include <lpk/hosted.h>
#include <lpk/printk.h>

#include "lib_check.h"
#include "lib_load.h"
#include "lib_sink.h"

#define MS UINT64_C(1000000)
#define PRODUCERS 2
#define RATE 10000

/* As the default log. */
LPK_LOG_DEFINE(ring, 65536, 32, 2);

enum { PIPE, MEMORY, STUCK, CONSOLES };

static const char *const console_names[CONSOLES] = {
    "a pipe", "in memory", "the one that hangs"};
static const char *const tag_names[CONSOLES] = {"pipe", "memory", "stuck"};

struct phase {
	const char *name;
	const char *tag;
	uint64_t hang_ns;
	struct bench_load_result made;
	struct bench_hist visible[CONSOLES];
	struct lpk_console_stats stats[CONSOLES];
	uint64_t lines[CONSOLES], told[CONSOLES], torn[CONSOLES];
	uint64_t dropped;
	char remarks[CONSOLES][160];
	char tags[CONSOLES + 1][300];
};

static struct phase phases[] = {
    {.name = "all three work", .tag = "works"},
    {.name = "one hangs", .tag = "hangs"},
};

static struct bench_reader *reader;

static void
log_line(unsigned int source, unsigned int number, uint64_t ticks)
{
	lpk_printk_to(&ring, LPK_INFO, BENCH_LINE,
	    BENCH_LINE_ARGS(source, number, ticks));
}

static void
account(struct phase *phase, int which, const struct bench_tally *tally)
{
	const struct lpk_console_stats *stats = &phase->stats[which];
	bool agree;

	phase->visible[which] = tally->visible;
	phase->lines[which] = tally->lines;
	phase->told[which] = tally->told;
	phase->torn[which] = tally->torn;
	agree = tally->torn == 0 &&
	    tally->lines + tally->told == phase->made.calls &&
	    tally->told == stats->lost + phase->dropped;
	if (!agree)
		bench_note("* %s, %s: accounts do not agree, or torn: %s",
		    phase->name, console_names[which], tally->torn_line);
	snprintf(phase->remarks[which], sizeof(phase->remarks[which]),
	    "%.0f lines missing, %.0f told, %s",
	    (double)(phase->made.calls - tally->lines), (double)tally->told,
	    agree ? "the same" : "*NOT THE SAME");
	snprintf(phase->tags[which], sizeof(phase->tags[which]),
	    "\"scenario\": \"stuck\", \"what\": \"visible\", "
	    "\"phase\": \"%s\", \"console\": \"%s\", \"missing\": %.0f, "
	    "\"told\": %.0f, \"agree\": %s",
	    phase->tag, tag_names[which],
	    (double)(phase->made.calls - tally->lines), (double)tally->told,
	    agree ? "true" : "false");
}

static struct lpk_console *
start_pipe(struct bench_sink *sink)
{
	static struct lpk_console console;

	if (lpk_fd_console(&console, sink->fd) != LPK_OK)
		bench_die("lpk_fd_console");
	console.log = &ring;
	console.start = LPK_SEEK_NEXT;
	bench_pin(bench_cpus() - 1);
	if (lpk_console_register(&console) != LPK_OK)
		bench_die("lpk_console_register");
	bench_pin(0);
	return &console;
}

static void
run(struct phase *phase, uint64_t ns)
{
	static struct bench_check_console memory, stuck;
	struct bench_load load = {
	    .call = log_line, .producers = PRODUCERS, .rate = RATE, .ns = ns};
	struct lpk_log_stats before, after;
	struct lpk_console *pipe;
	struct bench_sink sink;
	const struct bench_tally *tally;

	bench_progress("%s", phase->name);
	bench_speed_probe();
	bench_sink_open(&sink, reader, BENCH_PIPE, 0);
	bench_load_prepare(&load);
	stuck.hang_from_ns = 0;
	stuck.hang_to_ns = 0;
	if (phase->hang_ns != 0) {
		stuck.hang_from_ns = bench_now_ns() + 100 * MS;
		stuck.hang_to_ns = stuck.hang_from_ns + phase->hang_ns;
	}
	pipe = start_pipe(&sink);
	bench_check_start(&memory, "memory", &ring);
	bench_check_start(&stuck, "stuck", &ring);
	lpk_log_stats(&ring, &before);
	bench_load_run(&phase->made);
	if (lpk_flush(UINT64_MAX, NULL) != LPK_OK)
		bench_die("lpk_flush");
	lpk_log_stats(&ring, &after);
	phase->dropped = after.dropped - before.dropped;
	lpk_console_stats(pipe, &phase->stats[PIPE]);
	tally = bench_sink_end(&sink, phase->stats[PIPE].printed);
	bench_check_stop(&memory, &phase->stats[MEMORY]);
	bench_check_stop(&stuck, &phase->stats[STUCK]);
	account(phase, PIPE, tally);
	account(phase, MEMORY, &memory.tally);
	account(phase, STUCK, &stuck.tally);
	lpk_console_unregister(pipe, UINT64_MAX);
	bench_sink_close(&sink);
}

static void
report_calls(struct phase *phase)
{
	struct bench_figure figure = {
	    .group = "1. The callers",
	    .name = "two producers, 10000 lines/s in all",
	    .kind = phase->name,
	    .hist = &phase->made.call,
	    .per = 1,
	    .cpus = "all",
	    .tags = phase->tags[CONSOLES],
	    .curve = true,
	    .calls = phase->made.calls,
	    .dropped = phase->dropped,
	    .usage = phase->made.usage,
	};

	snprintf(phase->tags[CONSOLES], sizeof(phase->tags[CONSOLES]),
	    "\"scenario\": \"stuck\", \"what\": \"call\", \"phase\": \"%s\"",
	    phase->tag);
	bench_add(&figure);
}

static void
report_console(struct phase *phase, int which)
{
	struct bench_figure figure = {
	    .group = "2. Until a line is visible",
	    .name = console_names[which],
	    .kind = phase->name,
	    .hist = &phase->visible[which],
	    .per = 1,
	    .cpus = "all",
	    .remark = phase->remarks[which],
	    .tags = phase->tags[which],
	    .curve = true,
	    .calls = phase->made.calls,
	    .lost = phase->stats[which].lost,
	    .dropped = phase->dropped,
	};

	bench_add(&figure);
}

int
main(void)
{
	uint64_t hang_ns;
	int i;

	reader = bench_reader_start();
	bench_init("stuck");
	hang_ns = bench_count(10000, 1000) * MS;
	phases[1].hang_ns = hang_ns;
	lpk_thread_set_lane(0);
	for (i = 0; i < 100000; i++)
		log_line(BENCH_SOURCES - 1, (unsigned int)i, 0);
	run(&phases[0], bench_count(4000, 500) * MS);
	run(&phases[1], hang_ns + 300 * MS);
	for (i = 0; i < 2; i++)
		report_calls(&phases[i]);
	for (i = 0; i < CONSOLES; i++) {
		report_console(&phases[0], i);
		report_console(&phases[1], i);
	}
	bench_note("a console's write does not return for %.1f s; the ring is "
		   "2 MiB, as the default log, and is lapped meanwhile",
	    (double)hang_ns / 1e9);
	bench_note(
	    "missing: lines that were logged and did not come out there; "
	    "told: by \"** N printk messages dropped **\"; the two must "
	    "be the same");
	bench_note("warm-up: the ring has gone round; each producer makes %d "
		   "calls before the consoles are there; console threads and "
		   "reader are on the last CPU",
	    BENCH_LOAD_WARM_UP);
	return bench_report();
}
