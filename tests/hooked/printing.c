/* SPDX-License-Identifier: MIT */
/*
 * printing.c - the owner of a console that prints, interrupted before and after
 * each of its atomic operations: by an emergency that takes the console where
 * it may, by a panic that takes it anywhere, by the end of its thread. Whatever
 * was in the middle is printed again, whole, and said to be; nothing is missing
 * and the accounts close.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lpk/console.h>
#include <lpk/hosted.h>
#include <lpk/port.h>

#include "core/printer.h"
#include "core/ring.h"
#include "lib_book.h"
#include "lib_hook.h"

#define ROOM 200
#define LATER UINT64_MAX
#define REPLAY "** replaying previous printk message **"

enum by { NOBODY, EMERGENCY, PANIC, LAST, END, LOOKER, KINDS };

static const char *const names[KINDS] = {
    "nobody", "an emergency", "a panic", "its panic", "its end", "who looks"};

static unsigned char memory[LPK_REGION_BYTES(512, 4) + LPK_CACHE_LINE];
static struct lpk_log ring;
static struct lpk_console console;
static struct lpk_console_driver driver;
static struct lpk__printer printer;
static char lines[ROOM + LPK__RECORD_LINES], text[LPK__TEXT_ROOM];
static char panic_lines[LPK__RECORD_LINES], panic_text[LPK__TEXT_ROOM];

static char out[65536];
static size_t out_bytes;
static size_t takes;
static unsigned int calls, calls_behind;
static unsigned int zaps, locked;
static bool in_device;

static enum by kind;
static uint32_t records;
static jmp_buf ends;
static bool got_it;       /* the handler did */
static size_t out_behind; /* what the device had after it */
static uint32_t runs, replays, taken;

/* Puts its bytes out one half at a time, and may be taken over in between. */
static int
device_write(struct lpk_console *self, struct lpk_batch *batch)
{
	size_t count = batch->size_bytes < takes ? batch->size_bytes : takes;
	size_t half = count / 2;

	(void)self;
	book_check(!in_device || kind == PANIC || kind == LAST || kind == END);
	book_check(out_bytes + count < sizeof(out));
	calls++;
	in_device = true;
	memcpy(out + out_bytes, batch->bytes, half);
	out_bytes += half;
	in_device = false;
	if (!lpk_console_exit_unsafe(batch) || !lpk_console_enter_unsafe(batch))
		return (int)half;
	in_device = true;
	memcpy(out + out_bytes, batch->bytes + half, count - half);
	out_bytes += count - half;
	in_device = false;
	return (int)count;
}

static void
device_lock(struct lpk_console *self)
{
	(void)self;
	locked++;
}

static void
device_unlock(struct lpk_console *self)
{
	(void)self;
	/* Not one that was zapped, if there was time to notice. */
	book_check(locked != 0 || kind == PANIC);
	locked -= locked != 0;
}

static void
device_zap(struct lpk_console *self)
{
	(void)self;
	zaps++;
	locked = 0;
}

static const struct lpk_console_driver device = {.name = "device",
    .write = device_write,
    .write_on_panic = device_write,
    .lock = device_lock,
    .unlock = device_unlock,
    .zap_locks = device_zap};

static void
log_some(uint32_t count)
{
	for (; count != 0; count--) {
		/* Every fifth is not shown. */
		lpk_write(&ring, records % 5 == 3 ? LPK_DEBUG : LPK_INFO,
		    "r%03u.", records);
		records++;
	}
}

static enum lpk__step
steps(struct lpk__hold *hold, enum lpk__how how)
{
	enum lpk__step step = LPK__SOME;

	if (!lpk__printer_begin(&printer, hold))
		return LPK__NOTHING;
	while (step == LPK__SOME)
		step = lpk__printer_step(&printer, hold, how, LATER);
	if (step != LPK__TAKEN)
		lpk__printer_end(&printer, hold);
	return step;
}

static enum lpk__step
print(enum lpk__prio prio, enum lpk__how how)
{
	struct lpk__hold hold = {0};

	if (lpk__owner_wait(
		&printer.owner, &hold, prio, lpk_port_caller(), 0) != LPK__GOT)
		return LPK__TAKEN;
	return steps(&hold, how);
}

static void
look(void)
{
	static struct lpk_reader reader;
	struct lpk__mark mark;
	struct got {
		struct lpk_record record;
		char text[LPK_TEXT_MAX + 1];
	} got;
	int result;

	book_check(lpk_reader_open(&reader, &ring, LPK_SEEK_OLDEST) == LPK_OK);
	book_check(lpk__position_restore(&printer.positions, &reader, NULL));
	book_check(reader.seq == lpk__position_seq(&printer.positions));
	lpk__mark_set(&mark, &ring);
	/* It is a place between two records, and the next one is that. */
	do {
		result = lpk_reader_next(
		    &reader, &got.record, got.text, sizeof(got.text));
	} while (result == -LPK_EPIPE);
	book_check(lpk__position_reached(&printer.positions, &mark, &ring) ==
	    (result == -LPK_EAGAIN));
	if (result == LPK_OK)
		book_check(strtoul(got.text + 1, NULL, 10) ==
		    (unsigned long)(got.record.seq - printer.first_seq));
	got_it = true;
}

static void
handler(int level)
{
	enum lpk__step step;

	(void)level;
	got_it = false;
	switch (kind) {
	case EMERGENCY:
		step = print(LPK__PRIO_EMERGENCY, LPK__BY_CALLER);
		got_it = step == LPK__NOTHING;
		break;
	case PANIC:
	case LAST:
		step = lpk__printer_panic(&printer, panic_text,
		    lpk_port_caller(), true, UINT64_MAX, LATER);
		book_check(step == LPK__NOTHING);
		got_it = true;
		/* Of this very thread: what is below never runs again. */
		if (kind == LAST)
			longjmp(ends, 2);
		break;
	case LOOKER:
		look();
		break;
	default:
		longjmp(ends, 1);
	}
	taken += got_it;
	out_behind = out_bytes;
	calls_behind = calls;
}

static void
begin(uint32_t lapped)
{
	book_ring(&ring, 512, 4, 1, memory, sizeof(memory));
	memset(&printer, 0, sizeof(printer));
	driver = device;
	console = (struct lpk_console){.driver = &driver};
	printer.console = &console;
	printer.log = &ring;
	printer.feed.lines = lines;
	printer.panic.lines = panic_lines;
	printer.feed.text = text;
	printer.feed.room = ROOM;
	printer.quiet_below = LPK_DEBUG;
	out_bytes = 0;
	zaps = 0;
	locked = 0;
	in_device = false;
	got_it = false;
	records = 0;
	log_some(1);
	book_check(lpk__printer_open(&printer) == LPK_OK);
	printer.enabled = 1;
	log_some(lapped);
}

/*
 * Each line whole and in order; what comes a second time is announced. Lines
 * that were interrupted end at the notice.
 */
static void
check_lines(bool whole)
{
	char *at = out, *end;
	uint64_t lost;
	unsigned long number, next = 0;
	bool replay = false;

	out[out_bytes] = '\0';
	for (; *at != '\0'; at = end + 1) {
		end = strchr(at, '\n');
		book_check(end != NULL);
		if (strncmp(end + 1, REPLAY, strlen(REPLAY)) == 0) {
			end = strchr(end + 1, '\n');
			book_check(end != NULL);
			replays++;
			replay = true;
			continue;
		}
		if (sscanf(at, "** %lu printk messages dropped **", &number) ==
		    1) {
			lost = number;
			next += lost;
			continue;
		}
		book_check(*at == '[');
		at = strstr(at, "] r");
		book_check(at != NULL && at < end && end - at == 7);
		number = strtoul(at + 3, NULL, 10);
		while (next % 5 == 3)
			next++;
		if (replay && number < next)
			next = number;
		replay = false;
		if (number != next)
			book_fail("%lu and not %lu", number, next);
		next++;
	}
	while (next % 5 == 3)
		next++;
	if (whole)
		book_check(next >= records);
}

static void
check_accounts(void)
{
	const unsigned long *counts = printer.counts;
	unsigned long all =
	    counts[LPK__PRINTED] + counts[LPK__SUPPRESSED] + counts[LPK__LOST];

	/* In words of the machine: counters start next to their overflow. */
	if (all != records ||
	    (unsigned long)(lpk__printer_stored(&printer) -
		printer.first_seq) != records)
		book_fail("%u stored, %lu printed, %lu suppressed, %lu lost",
		    records, counts[LPK__PRINTED], counts[LPK__SUPPRESSED],
		    counts[LPK__LOST]);
}

/* Own it, and print; false when nothing interrupted it. */
static bool
run(uint32_t place, uint32_t lapped)
{
	struct hook_plan plan = {{place, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};
	static struct lpk__hold hold;
	static enum lpk__step step;
	volatile int ended;

	runs++;
	hold = (struct lpk__hold){0};
	step = LPK__TAKEN;
	begin(lapped);
	book_check(lpk__owner_try(&printer.owner, &hold, LPK__PRIO_NORMAL,
		       lpk_port_caller()) == LPK__GOT);
	ended = setjmp(ends);
	if (ended == 0) {
		hook_begin(&plan);
		step = steps(&hold, LPK__BY_WRITE);
	}
	hook_end();
	if (ended == 1) {
		lpk__owner_seize(
		    &printer.owner, &hold, LPK__PRIO_NORMAL, lpk_port_caller());
		step = steps(&hold, LPK__BY_WRITE);
		book_check(step == LPK__NOTHING);
		book_check(zaps == hold.forced);
	} else if (kind == PANIC && got_it) {
		/* The loser is told at its next check, not in the middle. */
		book_check(step == LPK__TAKEN || step == LPK__NOTHING);
		book_check(calls - calls_behind <= 1);
		out_bytes = out_behind;
	} else if (ended == 2) {
		book_check(got_it);
	} else if (kind == EMERGENCY && got_it) {
		book_check(step == LPK__TAKEN || step == LPK__NOTHING);
		book_check(zaps == 0);
	} else {
		book_check(step == LPK__NOTHING);
	}
	if (kind != PANIC && kind != LAST) {
		log_some(3);
		book_check(
		    print(LPK__PRIO_NORMAL, LPK__BY_WRITE) == LPK__NOTHING);
		book_check(locked == 0);
	}
	check_lines(true);
	/* A loser that still runs may count what it was about to. */
	if (kind != PANIC)
		check_accounts();
	return ended != 0 || hook_hit(0);
}

int
main(void)
{
	static const uint32_t laps[] = {0, 7, 90};
	static const size_t sizes[] = {SIZE_MAX, 9, 64};
	uint32_t place, before;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	hook_signal(handler);
	lpk_thread_set_lane(0);
	for (kind = NOBODY; kind < KINDS; kind++) {
		replays = 0;
		taken = 0;
		before = runs;
		for (i = 0; i < 9; i++) {
			takes = sizes[i % 3];
			place = kind == NOBODY ? HOOK_NEVER : 0;
			do {
				book_at("by %s, %u records, %zu bytes, place "
					"%d",
				    names[kind], laps[i / 3], takes,
				    (int)place);
			} while (run(place, laps[i / 3]) && place++ < 100000);
		}
		printf("%-16s %6u runs, %6u got it, %6u replays\n", names[kind],
		    runs - before, taken, replays);
		book_check(
		    (replays != 0) == (kind != NOBODY && kind != LOOKER));
	}
	return 0;
}
