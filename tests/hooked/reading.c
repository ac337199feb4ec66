/* SPDX-License-Identifier: MIT */
/*
 * reading.c - readers that are interrupted at each of their atomic operations
 * by a handler that logs, up to several laps of the ring; and readers in a
 * handler that interrupts a writer at each of its operations.
 */
#include <stdio.h>
#include <string.h>

#include <lpk/hosted.h>
#include <lpk/port.h>

#include "core/ring.h"
#include "lib_book.h"
#include "lib_hook.h"

static unsigned char memory[LPK_REGION_BYTES(512, 4) + LPK_CACHE_LINE];
static struct lpk_log ring;
static struct book book;
static struct book_reader reader, inner[3];
static uint32_t burst; /* records of a handler */
static uint32_t places, runs;
static uint64_t all_lost, all_late;

static void
log_burst(int level)
{
	uint32_t i;

	for (i = 0; i < burst; i++)
		book_log(&book, (char)('A' + level));
}

static void
begin_ring(
    uint32_t block_bytes, uint32_t blocks, uint32_t lanes, uint32_t filled)
{
	uint32_t i;

	runs++;
	book_ring(&ring, block_bytes, blocks, lanes, memory, sizeof(memory));
	book_start(&book, &ring);
	for (i = 0; i < filled; i++) {
		lpk_thread_set_lane(i);
		book_log(&book, 'f');
	}
	lpk_thread_set_lane(0);
}

/* What is there at the end is read in order, and the accounts close. */
static void
finish(struct book_reader *of)
{
	uint32_t i;

	for (i = 0; i < 3; i++)
		book_log(&book, 'z');
	book_settle(of);
	book_close(of, 0);
	all_lost += of->lost;
	all_late += of->late;
}

static void
drain_all(void)
{
	book_drain(&reader);
}

static void
seek_next(void)
{
	book_check(lpk_reader_seek(&reader.reader, LPK_SEEK_NEXT, 0) == LPK_OK);
	reader.next_seq = reader.reader.seq;
	reader.newest = 0;
}

static void
open_oldest(void)
{
	book_open(&reader, &book, 0, LPK_SEEK_OLDEST);
}

static void
open_clear(void)
{
	book_open(&reader, &book, 0, LPK_SEEK_CLEAR);
}

static void
clear_log(void)
{
	lpk_log_clear(&ring);
}

static void
read_stats(void)
{
	struct lpk_log_stats stats;

	lpk_log_stats(&ring, &stats);
	book_check(stats.dropped == 0);
}

/* A reader at work, lapped at every place. */
static void
lap_reader(const char *name, void (*body)(void), uint32_t lanes)
{
	static const uint32_t bursts[] = {1, 2, 3, 5, 9, 14, 40};
	struct hook_plan plan = {
	    {HOOK_NEVER, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};
	uint32_t filled, b, before = places;

	hook_signal(log_burst);
	for (b = 0; b < sizeof(bursts) / sizeof(bursts[0]); b++) {
		burst = bursts[b];
		for (filled = 0; filled <= 9; filled += 3) {
			plan.at[0] = 0;
			do {
				book_at("%s, place %u, %u before, %u in it",
				    name, plan.at[0], filled, burst);
				begin_ring(256, 4, lanes, filled);
				book_open(&reader, &book, 0, LPK_SEEK_OLDEST);
				hook_begin(&plan);
				body();
				hook_end();
				finish(&reader);
				plan.at[0]++;
				places += hook_hit(0);
			} while (hook_hit(0));
		}
	}
	printf("%-28s %5u places\n", name, places - before);
}

/* In the handler: two readers, one since before, one that starts here. */
static void
read_inside(int level)
{
	(void)level;
	book_drain(&reader);
	if (burst != 0) {
		/* What the writer left unfinished is passed over. */
		log_burst(level);
		book_settle(&reader);
	}
	book_open(&inner[0], &book, 1, LPK_SEEK_NEXT);
	book_open(&inner[1], &book, 2, LPK_SEEK_OLDEST);
	book_drain(&inner[0]);
	book_drain(&inner[1]);
	book_check(inner[0].read == 0);
}

/* All that was begun after a reader was opened at the end reaches it. */
static void
check_since_open(const struct book_reader *of)
{
	uint32_t i;

	for (i = 0; i < book.calls; i++) {
		if (book.call[i].begin > of->opened &&
		    !book.call[i].read[of->number])
			book_fail("call %u came after the reader was opened "
				  "at the end, and was not read",
			    i);
	}
}

static void
read_in_handler(const char *name)
{
	struct hook_plan plan = {
	    {HOOK_NEVER, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};
	uint32_t filled, before = places, i;

	hook_signal(read_inside);
	for (filled = 0; filled <= 16; filled++) {
		plan.at[0] = 0;
		do {
			book_at("%s, place %u, %u before", name, plan.at[0],
			    filled);
			begin_ring(512, 2, 1, filled);
			book_open(&reader, &book, 0, LPK_SEEK_OLDEST);
			hook_begin(&plan);
			book_log(&book, 'A');
			hook_end();
			if (hook_hit(0)) {
				for (i = 0; i < 24; i++) {
					book_log(&book, 'y');
					book_settle(&inner[0]);
					book_settle(&reader);
				}
				finish(&inner[0]);
				check_since_open(&inner[0]);
				book_settle(&inner[1]);
				book_close(&inner[1], 0);
			}
			finish(&reader);
			plan.at[0]++;
			places += hook_hit(0);
		} while (hook_hit(0));
	}
	printf("%-28s %5u places\n", name, places - before);
}

/* The mark of a clear, set while others log: what comes after is found. */
static void
clear_interrupted(void)
{
	struct hook_plan plan = {
	    {HOOK_NEVER, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};
	uint32_t before = places, first, i;

	hook_signal(log_burst);
	burst = 2;
	do {
		plan.at[0] = plan.at[0] == HOOK_NEVER ? 0 : plan.at[0] + 1;
		book_at("clear, place %u", plan.at[0]);
		begin_ring(512, 4, 1, 4);
		book_open(&reader, &book, 0, LPK_SEEK_OLDEST);
		hook_begin(&plan);
		clear_log();
		hook_end();
		first = book.calls;
		finish(&reader);
		places += hook_hit(0);
		book_open(&inner[2], &book, 3, LPK_SEEK_CLEAR);
		book_drain(&inner[2]);
		for (i = 0; i < book.calls; i++) {
			if (i < 4 ? book.call[i].read[3] :
				    i >= first && !book.call[i].read[3])
				book_fail("call %u and the clear", i);
		}
	} while (hook_hit(0));
	printf("%-28s %5u places\n", "clear", places - before);
}

int
main(void)
{
	uint32_t lanes;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (lanes = 1; lanes <= 2; lanes++) {
		lap_reader("reader lapped", drain_all, lanes);
		lap_reader("open at the oldest, lapped", open_oldest, lanes);
		lap_reader("open after a clear, lapped", open_clear, lanes);
		lap_reader("seek to the end, lapped", seek_next, lanes);
		lap_reader("accounts, lapped", read_stats, lanes);
	}
	clear_interrupted();
	burst = 0;
	read_in_handler("reader in a handler");
	burst = 1;
	read_in_handler("handler passes over a record");
	printf("%u places, %u runs, %llu lost, %llu late\n", places, runs,
	    (unsigned long long)all_lost, (unsigned long long)all_late);
	book_check(all_lost != 0 && all_late != 0);
	return 0;
}
