/* SPDX-License-Identifier: MIT */
/*
 * printer.c - what the owner of a console does with it.
 *
 * Nothing here waits, and nothing is allocated: the same code runs in the
 * console's thread, in a signal handler that prints direct, and in a panic.
 */
#include "printer.h"

#include <lpk/format.h>
#include <lpk/port.h>

#include "lpk_atomic.h"

#include "lines.h"
#include "ring.h"

/* After so many records, shown or not, the position is published. */
#define ROUND_RECORDS 4096
/* lpk_port_pause() for a friendly handover in a panic: some 10 ms. */
#define HANDOVER_ROUNDS 200

/* Relaxed: the owner alone writes the accounts; others read a recent value. */
static void
count(struct lpk__printer *printer, enum lpk__count which, uint64_t add)
{
	lpk_store_relaxed(&printer->counts[which],
	    lpk_load_relaxed(&printer->counts[which]) + (unsigned long)add);
}

static bool
single(const struct lpk__printer *printer)
{
	return (printer->console->driver->flags & LPK_DRIVER_SINGLE) != 0;
}

/* Levels below which number does the console's filter let through? */
static unsigned long
level_wanted(const struct lpk__printer *printer, const char *subsystem)
{
	/*
	 * LMM(wanted:A)
	 * Pairs with rules:B.
	 */
	unsigned long seq = lpk_load_acquire(&printer->rules_seq);
	unsigned long level =
	    lpk__rules_level(&printer->rules, subsystem, LPK_DEBUG + 1);

	/*
	 * LMM(wanted:B)
	 * The rules before the second look. Pairs with rules:A.
	 */
	lpk_fence_acquire();
	if ((seq & 1) != 0 || lpk_load_relaxed(&printer->rules_seq) != seq)
		return LPK_DEBUG + 1;
	return level;
}

static bool
shown(const struct lpk__printer *printer, const struct lpk_record *record)
{
	/* Relaxed: any recent value will do. */
	unsigned long quiet = lpk_load_relaxed(&printer->quiet_below);

	return (quiet == 0 || record->level < quiet) &&
	    record->level < level_wanted(printer, record->subsystem);
}

int
lpk__printer_set_rules(
    struct lpk__printer *printer, const char *words, size_t *bad_at)
{
	unsigned long seq = lpk_load_relaxed(&printer->rules_seq);
	struct lpk__draft draft;
	int result = lpk__rules_parse(&draft, words, bad_at);

	if (result != LPK_OK)
		return result;
	if ((seq & 1) != 0 ||
	    !lpk_cas_acquire(&printer->rules_seq, seq, seq + 1))
		return -LPK_EBUSY;
	/*
	 * LMM(rules:A)
	 * The odd mark before the first rule. Pairs with wanted:B.
	 */
	lpk_fence_release();
	lpk__rules_write(&printer->rules, &draft);
	/*
	 * LMM(rules:B)
	 * The rules before the even mark. Pairs with wanted:A.
	 */
	lpk_store_release(&printer->rules_seq, seq + 2);
	return LPK_OK;
}

/* Say what the log could not store, if that is news. */
static bool
tell_dropped(struct lpk__printer *printer, struct lpk__feed *feed)
{
	/* Relaxed: a count. */
	unsigned long dropped =
	    lpk_load_relaxed(&lpk__head(printer->log)->dropped);

	/* In a panic others go on, and find no room: that is told once. */
	if (dropped == feed->dropped ||
	    (feed == &printer->panic && !printer->panic_ends))
		return false;
	lpk__lines_dropped(printer->console, feed, dropped - feed->dropped);
	feed->dropped = dropped;
	return true;
}

static void
tell_lost(struct lpk__printer *printer, struct lpk__feed *feed)
{
	if (feed->untold != 0)
		lpk__lines_dropped(printer->console, feed, feed->untold);
	feed->untold = 0;
}

/*
 * Read and render, one record or what a write takes; false when there was
 * nothing to read.
 */
static bool
fill(struct lpk__printer *printer, struct lpk__feed *feed, bool one)
{
	bool some = tell_dropped(printer, feed);
	struct lpk_record record;
	uint32_t rounds = 0;
	int result;

	while (rounds++ < ROUND_RECORDS && feed->bytes < feed->room &&
	    !(one && feed->bytes != 0)) {
		result = lpk_reader_next(
		    &feed->reader, &record, feed->text, LPK__TEXT_ROOM);
		if (result == -LPK_EPIPE) {
			feed->lost += feed->reader.lost;
			feed->untold += feed->reader.lost;
			if (one)
				tell_lost(printer, feed);
		} else if (result != LPK_OK) {
			break;
		} else if (shown(printer, &record)) {
			tell_lost(printer, feed);
			lpk__lines_record(printer->console, feed, &record);
			if (record.level < feed->level)
				feed->level = record.level;
			feed->records++;
		} else {
			feed->hidden++;
		}
		some = true;
	}
	tell_lost(printer, feed);
	return some;
}

static void
empty(struct lpk__feed *feed)
{
	feed->bytes = 0;
	feed->sent = 0;
	feed->records = 0;
	feed->hidden = 0;
	feed->lost = 0;
	feed->level = LPK_DEBUG;
}

/* Is the device in the middle of it? A panic asks while we may be. */
static void
set_torn(struct lpk__printer *printer, const struct lpk__feed *feed, bool torn)
{
	/* Relaxed: install:A and let_go:A, or nobody can be sure. */
	if (feed == &printer->feed)
		lpk_store_relaxed(&printer->torn, torn);
}

static void
publish(struct lpk__printer *printer, const struct lpk__feed *feed)
{
	struct lpk__told told = {
	    .dropped = feed->dropped,
	    .open = feed->line_open ? feed->caller : 0,
	};
	int i;

	for (i = 0; i < LPK__COUNTS; i++)
		told.counts[i] = lpk_load_relaxed(&printer->counts[i]);
	lpk__position_publish(&printer->positions, &feed->reader, &told);
}

/* The accounts, too: what was counted and not published is not settled. */
static bool
restore(struct lpk__printer *printer, struct lpk__feed *feed)
{
	struct lpk__told told;
	int i;

	if (!lpk__position_restore(&printer->positions, &feed->reader, &told))
		return false;
	for (i = 0; i < LPK__COUNTS; i++) {
		if (i != LPK__REPLAYED)
			lpk_store_relaxed(&printer->counts[i], told.counts[i]);
	}
	feed->dropped = told.dropped;
	feed->line_open = told.open != 0;
	feed->caller = told.open;
	return true;
}

/* The device has what was read, or will not have it: it is accounted for. */
static void
settle(struct lpk__printer *printer, struct lpk__feed *feed, enum lpk__how how,
    bool refused)
{
	uint32_t records = feed->records;

	count(printer, LPK__SUPPRESSED, feed->hidden);
	count(printer, LPK__LOST, feed->lost + (refused ? records : 0));
	if (refused) {
		count(printer, LPK__REFUSED, records);
	} else {
		count(printer, LPK__PRINTED, records);
		count(printer, LPK__BYTES, feed->bytes);
		if (how != LPK__BY_WRITE)
			count(printer, LPK__DIRECT, records);
	}
	empty(feed);
	/* The thread that a panic took it from may be publishing this moment.*/
	if (how != LPK__BY_PANIC)
		publish(printer, feed);
	/* Behind it: what is printed twice is said to be. */
	set_torn(printer, feed, false);
}

/* What unlock() wants. */
static unsigned long
lock(struct lpk__printer *printer)
{
	const struct lpk_console_driver *driver = printer->console->driver;
	/* Relaxed: if it changes, the console is not ours any more. */
	unsigned long zaps = lpk_load_relaxed(&printer->zaps);

	if (driver->lock != NULL)
		driver->lock(printer->console);
	return zaps;
}

/* After a zap the lock is another one. */
static void
unlock(struct lpk__printer *printer, unsigned long zaps)
{
	const struct lpk_console_driver *driver = printer->console->driver;

	if (driver->unlock != NULL && lpk_load_relaxed(&printer->zaps) == zaps)
		driver->unlock(printer->console);
}

/* 0, too, when the console was lost before the driver had its turn. */
static int
call_driver(struct lpk__printer *printer, const struct lpk__feed *feed,
    struct lpk_batch *batch, enum lpk__how how)
{
	struct lpk_console *console = printer->console;
	const struct lpk_console_driver *driver = console->driver;
	unsigned long zaps;
	int result = 0;

	if (how != LPK__BY_WRITE || driver->write == NULL) {
		if (!lpk__owner_can_proceed(batch->hold))
			return 0;
		set_torn(printer, feed, true);
		return driver->write_on_panic(console, batch);
	}
	zaps = lock(printer);
	if (lpk__owner_can_proceed(batch->hold)) {
		set_torn(printer, feed, true);
		result = driver->write(console, batch);
	}
	unlock(printer, zaps);
	return result;
}

void
lpk__printer_reopen(struct lpk__printer *printer, struct lpk__hold *hold)
{
	struct lpk_console *console = printer->console;
	unsigned long zaps;

	if (console->driver->reopen == NULL)
		return;
	zaps = lock(printer);
	if (lpk__owner_can_proceed(hold))
		console->driver->reopen(console);
	unlock(printer, zaps);
}

static enum lpk__step
send(struct lpk__printer *printer, struct lpk__feed *feed,
    struct lpk__hold *hold, enum lpk__how how, uint64_t deadline_ns)
{
	size_t left = feed->bytes - feed->sent;
	struct lpk_batch batch = {
	    .bytes = feed->lines + feed->sent,
	    .size_bytes = left,
	    .records = feed->records,
	    .level = feed->level,
	    .rest = feed->sent != 0,
	    .deadline_ns = deadline_ns,
	    .hold = hold,
	};
	int result;

	result = call_driver(printer, feed, &batch, how);
	/* A driver may have come back while the console was up for grabs. */
	if (!lpk__owner_regain(hold))
		return LPK__TAKEN;
	if (batch.error != 0)
		lpk_store_relaxed(&printer->error, (unsigned long)batch.error);
	if (result > 0)
		feed->sent += (size_t)result < left ? (size_t)result : left;
	if (result == -LPK_EIO || feed->sent == feed->bytes) {
		settle(printer, feed, how, result == -LPK_EIO);
		return LPK__SOME;
	}
	set_torn(printer, feed, feed->sent != 0);
	return result > 0 ? LPK__SOME : LPK__STUCK;
}

static enum lpk__step
step(struct lpk__printer *printer, struct lpk__feed *feed,
    struct lpk__hold *hold, enum lpk__how how, uint64_t deadline_ns)
{
	bool some;

	if (feed->sent == feed->bytes) {
		some = fill(
		    printer, feed, single(printer) || how != LPK__BY_WRITE);
		if (feed->bytes == 0) {
			if (some)
				settle(printer, feed, how, false);
			return some ? LPK__SOME : LPK__NOTHING;
		}
	}
	return send(printer, feed, hold, how, deadline_ns);
}

enum lpk__step
lpk__printer_step(struct lpk__printer *printer, struct lpk__hold *hold,
    enum lpk__how how, uint64_t deadline_ns)
{
	return step(printer, &printer->feed, hold, how, deadline_ns);
}

enum lpk__step
lpk__printer_end_line(struct lpk__printer *printer, struct lpk__hold *hold,
    enum lpk__how how, uint64_t deadline_ns)
{
	struct lpk__feed *feed = &printer->feed;

	if (feed->sent == feed->bytes) {
		if (!feed->line_open)
			return LPK__NOTHING;
		lpk__lines_end(feed);
	}
	return send(printer, feed, hold, how, deadline_ns);
}

int
lpk__printer_open(struct lpk__printer *printer)
{
	const struct lpk_console *console = printer->console;
	struct lpk__feed *feed = &printer->feed;
	bool by_seq = console->start == LPK_SEEK_SEQ;
	int result = lpk_reader_open(&feed->reader, printer->log,
	    by_seq ? LPK_SEEK_OLDEST : console->start);

	if (result != LPK_OK)
		return result;
	if (by_seq)
		lpk_reader_seek(
		    &feed->reader, LPK_SEEK_SEQ, console->start_seq);
	empty(feed);
	feed->line_open = false;
	feed->untold = 0;
	feed->dropped = console->start == LPK_SEEK_NEXT ?
	    lpk_load_relaxed(&lpk__head(printer->log)->dropped) :
	    0;
	printer->first_seq = feed->reader.seq - feed->reader.lost_new;
	printer->panicked = false;
	printer->panic_ends = false;
	__builtin_memset(printer->counts, 0, sizeof(printer->counts));
	publish(printer, feed);
	/* Relaxed: install:A and let_go:A are around every use. */
	lpk_store_relaxed(&printer->clean, 1);
	lpk_store_relaxed(&printer->torn, 0);
	lpk_store_relaxed(&printer->error, 0);
	return LPK_OK;
}

/* Begin again behind the last record that is known to be on the device. */
static void
begin_anew(struct lpk__printer *printer, struct lpk__feed *feed)
{
	empty(feed);
	feed->untold = 0;
	if (lpk_load_relaxed(&printer->torn) == 0)
		return;
	lpk__lines_replay(printer->console, feed);
	count(printer, LPK__REPLAYED, 1);
}

/* To be asked by the owner: whoever disables it waits until he let go. */
static bool
enabled(const struct lpk__printer *printer)
{
	/*
	 * LMM(enabled:A)
	 * Pairs with register:A: the printer is as it was made.
	 */
	return lpk_load_acquire(&printer->enabled) != 0;
}

bool
lpk__printer_begin(struct lpk__printer *printer, struct lpk__hold *hold)
{
	struct lpk__feed *feed = &printer->feed;

	if (!enabled(printer)) {
		lpk__owner_release(hold);
		return false;
	}
	if (hold->forced)
		lpk__printer_zap(printer);
	if (lpk_load_relaxed(&printer->clean) == 0 && restore(printer, feed))
		begin_anew(printer, feed);
	lpk_store_relaxed(&printer->clean, 0);
	return true;
}

void
lpk__printer_end(struct lpk__printer *printer, struct lpk__hold *hold)
{
	lpk_store_relaxed(&printer->clean, 1);
	lpk__owner_release(hold);
}

void
lpk__printer_zap(struct lpk__printer *printer)
{
	const struct lpk_console_driver *driver = printer->console->driver;

	/* Relaxed: one zaps at a time. */
	lpk_store_relaxed(&printer->zaps, lpk_load_relaxed(&printer->zaps) + 1);
	if (driver->zap_locks != NULL)
		driver->zap_locks(printer->console);
}

uint64_t
lpk__printer_stored(const struct lpk__printer *printer)
{
	const struct lpk_log *log = printer->log;
	uint64_t stored = 0;
	uint32_t i;

	/* Relaxed: counts, exact when nobody is writing. */
	for (i = 0; i < log->geometry.blocks; i++) {
		struct lpk__block *block = lpk__block(log, i);

		stored += lpk_load_relaxed(&block->past) +
		    lpk__ring_stored(log, block);
	}
	return stored;
}

/* There is no time for all of it: go on with the newest. */
static void
skip(struct lpk__printer *printer, struct lpk__feed *feed, uint64_t most)
{
	uint64_t stored = lpk__printer_stored(printer), skipped = 0;
	struct lpk_record record;
	int result = LPK_OK;

	if (stored - feed->reader.seq <= most)
		return;
	while (result != -LPK_EAGAIN && stored - feed->reader.seq > most) {
		result = lpk_reader_next(
		    &feed->reader, &record, feed->text, LPK__TEXT_ROOM);
		skipped += result == LPK_OK ? 1 : 0;
		skipped += result == -LPK_EPIPE ? feed->reader.lost : 0;
	}
	feed->lost += skipped;
	lpk__lines_skipped(printer->console, feed, skipped);
}

/* The first time: where the normal ones stopped, out of our own memory. */
static bool
panic_begin(struct lpk__printer *printer, char *text, uint64_t most)
{
	struct lpk__feed *feed = &printer->panic;

	feed->text = text;
	feed->room = 1;
	if (printer->panicked)
		return true;
	if (lpk_reader_open(&feed->reader, printer->log, LPK_SEEK_OLDEST) !=
		LPK_OK ||
	    !restore(printer, feed))
		return false;
	feed->reader.eager = true;
	begin_anew(printer, feed);
	skip(printer, feed, most);
	printer->panicked = true;
	return true;
}

static uint64_t
now_ns(void)
{
	struct lpk_clock_pair now;

	lpk_port_clock_pair(&now);
	return now.monotonic_ns;
}

static bool
panic_get(struct lpk__printer *printer, struct lpk__hold *hold, uint32_t caller,
    bool force)
{
	enum lpk__got got = lpk__owner_wait(
	    &printer->owner, hold, LPK__PRIO_PANIC, caller, HANDOVER_ROUNDS);

	if (got == LPK__GOT)
		return true;
	/* This thread's own frame below cannot run before we are done. */
	if (got == LPK__BUSY && !force)
		return false;
	lpk__owner_seize(&printer->owner, hold, LPK__PRIO_PANIC, caller);
	return true;
}

enum lpk__step
lpk__printer_panic(struct lpk__printer *printer, char *text, uint32_t caller,
    bool force, uint64_t most, uint64_t deadline_ns)
{
	struct lpk__hold hold = {0};
	enum lpk__step result = LPK__SOME;

	if (!panic_get(printer, &hold, caller, force))
		return LPK__TAKEN;
	if (!enabled(printer)) {
		lpk__owner_release(&hold);
		return LPK__NOTHING;
	}
	if (hold.forced)
		lpk__printer_zap(printer);
	if (!panic_begin(printer, text, most)) {
		lpk__owner_release(&hold);
		return LPK__TAKEN;
	}
	while (result == LPK__SOME && now_ns() < deadline_ns)
		result = step(printer, &printer->panic, &hold, LPK__BY_PANIC,
		    deadline_ns);
	/* Not unclean for the thread: it never prints again. */
	lpk__owner_release(&hold);
	return result;
}

/*
 * An owner that the panic forced out may be publishing this moment, if it has
 * not run since; the worst of it are lines that are missing, or there twice.
 */
void
lpk__printer_panic_undo(struct lpk__printer *printer, uint32_t caller)
{
	struct lpk__feed *feed = &printer->panic;
	struct lpk__hold hold = {0};

	if (!printer->panicked || !panic_get(printer, &hold, caller, true))
		return;
	/* What the device has a part of is printed again, whole, from before.*/
	if (feed->bytes == 0 && enabled(printer))
		publish(printer, feed);
	lpk_store_relaxed(&printer->torn, feed->bytes != 0);
	lpk_store_relaxed(&printer->clean, 0);
	empty(feed);
	printer->panicked = false;
	printer->panic_ends = false;
	lpk__owner_release(&hold);
}
