/* SPDX-License-Identifier: MIT */
/*
 * console.c - the thread of a console: read, render, write, sleep.
 *
 * After the last record the thread looks again every LINGER_STEP_NS for
 * LINGER_NS before it sleeps for good: a program that logs in bursts then pays
 * for no wake-up, and an idle one has none at all.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lpk/console.h>
#include <lpk/format.h>

#include "core/reader.h"
#include "core/ring.h"
#include "lpk_atomic.h"
#include "sleep.h"

#define LINES_BYTES 65536
/* A record may have a newline in every other byte, each with a prefix. */
#define RECORD_LINES_BYTES (LPK_TEXT_MAX * 32)
#define LINGER_STEP_NS 1000000
#define LINGER_NS 20000000
/* After so many records, shown or not, flushes are answered and losses told. */
#define ROUND_RECORDS 4096

struct lpk__console_thread {
	struct lpk_console *console;
	pthread_t thread;
	struct lpk_log *log;
	struct lpk_reader reader;
	unsigned long stop;
	unsigned long writing; /* in the driver */
	bool ended;     /* under the lock: the thread does nothing more */
	bool abandoned; /* under the lock: the thread frees this itself */
	unsigned long dropped;   /* by the log, as last reported */
	unsigned long counts[4]; /* of lpk_console_stats, in its order */
	bool line_open;
	uint32_t line_caller;
	size_t records; /* in the lines that are not written yet */
	size_t bytes;   /* of these lines */
	char lines[LINES_BYTES + RECORD_LINES_BYTES];
	char text[LPK_TEXT_MAX + 2];

	/* Flushing: asked for by others, answered by the thread. */
	pthread_mutex_t lock;
	pthread_cond_t reached;
	unsigned long asked; /* read by the thread without the lock */
	unsigned long answered;
	unsigned long marked; /* what the mark below was set for */
	struct lpk__mark mark;
};

enum { PRINTED, SUPPRESSED, LOST, REFUSED };

/* How long a stopped console may still be in its driver. */
#define STOP_NS 100000000

/* Relaxed: one thread writes the counts, others read a recent value. */
static void
count(struct lpk__console_thread *self, int which, unsigned long add)
{
	lpk_store_relaxed(
	    &self->counts[which], lpk_load_relaxed(&self->counts[which]) + add);
}

uint64_t
lpk_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Was the console stopped, and given up, while it was in its driver? */
static bool
abandoned(struct lpk__console_thread *self)
{
	bool result;

	/* Relaxed: only set once the thread was told to stop. */
	if (lpk_load_relaxed(&self->stop) == 0)
		return false;
	pthread_mutex_lock(&self->lock);
	result = self->abandoned;
	pthread_mutex_unlock(&self->lock);
	return result;
}

static void
release(struct lpk__console_thread *self)
{
	pthread_cond_destroy(&self->reached);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

static void
write_lines(struct lpk__console_thread *self)
{
	int result = LPK_OK;

	if (abandoned(self))
		result = -LPK_EIO;
	else if (self->bytes != 0) {
		/* Relaxed: only a reason to wait no longer. */
		lpk_store_relaxed(&self->writing, 1);
		result = self->console->driver->write(
		    self->console, self->lines, self->bytes);
		lpk_store_relaxed(&self->writing, 0);
	}
	count(self, result == LPK_OK ? PRINTED : REFUSED, self->records);
	self->bytes = 0;
	self->records = 0;
}

/* There is always room for one record more. */
static void
put(struct lpk__console_thread *self, const char *text, size_t bytes)
{
	memcpy(self->lines + self->bytes, text, bytes);
	self->bytes += bytes;
}

static void
end_open_line(struct lpk__console_thread *self)
{
	if (self->line_open)
		put(self, "\n", 1);
	self->line_open = false;
}

static void
put_dropped_notice(struct lpk__console_thread *self, uint64_t dropped)
{
	char text[64];
	int length;

	/* In that format the gap in the numbers says it. */
	if (self->console->style == LPK_STYLE_KMSG)
		return;
	length = lpk_snprintf(text, sizeof(text),
	    "** %llu printk messages dropped **\n",
	    (unsigned long long)dropped);
	end_open_line(self);
	put(self, text, (size_t)length);
}

static const char *
colour_of(unsigned int level)
{
	static const char *const colours[] = {"\033[1;37;41m", "\033[1;31m",
	    "\033[1;31m", "\033[31m", "\033[33m", "\033[1m", "", "\033[2m"};

	return colours[level & 7];
}

/*
 * A line left open gets its newline when something else is printed; what
 * continues it goes on behind it, without a prefix.
 */
static void
put_record(struct lpk__console_thread *self, const struct lpk_record *record)
{
	const char *colour =
	    self->console->colours ? colour_of(record->level) : "";
	/* A line of /dev/kmsg is a whole record; nothing goes on with it. */
	uint32_t flags =
	    self->console->style == LPK_STYLE_KMSG ? 0 : record->flags;
	char *lines = self->lines;
	size_t prefix = 0, length;

	if ((flags & LPK_RECORD_CONT) == 0 ||
	    record->caller != self->line_caller || !self->line_open)
		end_open_line(self);
	put(self, colour, strlen(colour));
	length = lpk_record_print(record, self->text, self->console->style,
	    lines + self->bytes, RECORD_LINES_BYTES);
	if (self->line_open) {
		/* Behind an open line: drop the prefix, it ends at "] ". */
		while (prefix + 1 < length &&
		    (lines[self->bytes + prefix] != ']' ||
			lines[self->bytes + prefix + 1] != ' '))
			prefix++;
		prefix = prefix + 2 <= length ? prefix + 2 : 0;
		memmove(lines + self->bytes, lines + self->bytes + prefix,
		    length - prefix);
		length -= prefix;
	}
	self->bytes += length - 1;
	if (colour[0] != '\0')
		put(self, "\033[0m", 4);
	self->line_open = (flags & LPK_RECORD_OPEN) != 0;
	self->line_caller = record->caller;
	if (!self->line_open)
		put(self, "\n", 1);
}

static bool
shown(const struct lpk_console *console, const struct lpk_record *record)
{
	return console->quiet_below == 0 ||
	    record->level < console->quiet_below;
}

/* Report what was lost since the last record that was shown, in one line. */
static void
tell_lost(struct lpk__console_thread *self, uint64_t *lost)
{
	if (*lost == 0)
		return;
	put_dropped_notice(self, *lost);
	count(self, LOST, (unsigned long)*lost);
	*lost = 0;
}

/* Print what there is; false when there was nothing. */
static bool
print_some(struct lpk__console_thread *self)
{
	unsigned long dropped =
	    lpk_load_relaxed(&lpk__head(self->log)->dropped);
	struct lpk_record record;
	uint32_t records = 0;
	uint64_t lost = 0;
	bool some = false;

	if (dropped != self->dropped) {
		put_dropped_notice(self, dropped - self->dropped);
		self->dropped = dropped;
		some = true;
	}
	while (self->bytes < LINES_BYTES && records++ < ROUND_RECORDS) {
		int result = lpk_reader_next(
		    &self->reader, &record, self->text, sizeof(self->text));

		if (result == -LPK_EPIPE) {
			lost += self->reader.lost;
		} else if (result != LPK_OK) {
			break;
		} else if (shown(self->console, &record)) {
			tell_lost(self, &lost);
			put_record(self, &record);
			self->records++;
		} else {
			count(self, SUPPRESSED, 1);
		}
		some = true;
	}
	tell_lost(self, &lost);
	if (self->bytes != 0)
		write_lines(self);
	return some;
}

/* Tell those who wait for a flush, if what they asked for is written. */
static void
answer_flush(struct lpk__console_thread *self)
{
	unsigned long asked = lpk_load_acquire(&self->asked);

	if (asked != self->marked) {
		lpk__mark_set(&self->mark, self->log);
		self->marked = asked;
	}
	/* Relaxed: only this thread writes it. */
	if (self->marked == lpk_load_relaxed(&self->answered) ||
	    !lpk__mark_reached(&self->mark, &self->reader))
		return;
	if (self->line_open) {
		end_open_line(self);
		write_lines(self);
	}
	pthread_mutex_lock(&self->lock);
	lpk_store_relaxed(&self->answered, self->marked);
	pthread_cond_broadcast(&self->reached);
	pthread_mutex_unlock(&self->lock);
}

static void
nap(void)
{
	struct timespec step = {.tv_nsec = LINGER_STEP_NS};

	nanosleep(&step, NULL);
}

static void
print_until_stopped(struct lpk__console_thread *self)
{
	uint64_t idle_since = 0;

	for (;;) {
		/* Before the looks below: what changes after them wakes us. */
		unsigned long ticket = lpk__sleep_ticket(self->log);
		unsigned long stop = lpk_load_acquire(&self->stop);

		if (print_some(self)) {
			idle_since = 0;
			answer_flush(self);
			/* Under a storm there is always some. */
			if (stop == 0)
				continue;
			return;
		}
		answer_flush(self);
		if (stop != 0)
			return;
		if (idle_since == 0)
			idle_since = lpk_now_ns();
		if (lpk_now_ns() - idle_since < LINGER_NS)
			nap();
		else
			lpk__sleep_once(&self->reader, ticket, UINT64_MAX);
	}
}

static void *
console_main(void *argument)
{
	struct lpk__console_thread *self = argument;
	bool mine;

	print_until_stopped(self);
	pthread_mutex_lock(&self->lock);
	self->ended = true;
	mine = self->abandoned;
	pthread_cond_broadcast(&self->reached);
	pthread_mutex_unlock(&self->lock);
	if (mine)
		release(self);
	return NULL;
}

static int
make_thread(struct lpk__console_thread *self)
{
	pthread_condattr_t clock;
	sigset_t all, before;
	int failed;

	pthread_mutex_init(&self->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&self->reached, &clock);
	pthread_condattr_destroy(&clock);
	/*
	 * No handler of the program runs on our thread; faults are not
	 * blocked, or the kernel would kill without a word.
	 */
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGSYS);
	sigdelset(&all, SIGABRT);
	sigdelset(&all, SIGTRAP);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&self->thread, NULL, console_main, self);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed ? -LPK_ENOMEM : LPK_OK;
}

int
lpk_console_start(struct lpk_console *console)
{
	struct lpk__console_thread *self;
	int result;

	if (console == NULL || console->driver == NULL ||
	    console->driver->write == NULL || console->style > LPK_STYLE_KMSG)
		return -LPK_EINVAL;
	if (console->thread != NULL)
		return -LPK_EBUSY;
	self = calloc(1, sizeof(*self));
	if (self == NULL)
		return -LPK_ENOMEM;
	self->console = console;
	self->log = console->log != NULL ? console->log : lpk_default_log();
	result = lpk_reader_open(&self->reader, self->log, console->start);
	if (result == LPK_OK)
		result = make_thread(self);
	if (result == LPK_OK)
		console->thread = self;
	else
		free(self);
	return result;
}

static struct timespec
deadline_of(uint64_t deadline_ns)
{
	return (struct timespec){
	    .tv_sec = (time_t)(deadline_ns / 1000000000),
	    .tv_nsec = (long)(deadline_ns % 1000000000),
	};
}

/* With the lock held. */
static int
wait_for_thread(struct lpk__console_thread *self, uint64_t deadline_ns)
{
	struct timespec until = deadline_of(deadline_ns);

	if (deadline_ns == UINT64_MAX)
		return pthread_cond_wait(&self->reached, &self->lock);
	return pthread_cond_timedwait(&self->reached, &self->lock, &until);
}

int
lpk_console_flush(struct lpk_console *console, uint64_t deadline_ns)
{
	struct lpk__console_thread *self;
	unsigned long wanted;
	int failed = 0;
	bool reached;

	if (console == NULL || console->thread == NULL)
		return -LPK_EINVAL;
	self = console->thread;
	pthread_mutex_lock(&self->lock);
	/* Relaxed: written under the lock only. */
	wanted = lpk_load_relaxed(&self->asked) + 1;
	lpk_store_release(&self->asked, wanted);
	lpk__sleep_end(self->log);
	while ((long)(lpk_load_relaxed(&self->answered) - wanted) < 0 &&
	    failed != ETIMEDOUT)
		failed = wait_for_thread(self, deadline_ns);
	reached = (long)(lpk_load_relaxed(&self->answered) - wanted) >= 0;
	pthread_mutex_unlock(&self->lock);
	return reached ? LPK_OK : -LPK_ETIMEDOUT;
}

int
lpk_console_stop(struct lpk_console *console, uint64_t deadline_ns)
{
	struct lpk__console_thread *self;
	int result = lpk_console_flush(console, deadline_ns), failed = 0;
	uint64_t give_up = lpk_now_ns() + STOP_NS;
	bool ended;

	if (result == -LPK_EINVAL)
		return result;
	self = console->thread;
	if (deadline_ns > give_up)
		give_up = deadline_ns;
	lpk_store_release(&self->stop, 1);
	lpk__sleep_end(self->log);
	pthread_mutex_lock(&self->lock);
	/* A thread that is only slow to run is waited for. */
	while (!self->ended &&
	    (failed != ETIMEDOUT || lpk_load_relaxed(&self->writing) == 0)) {
		if (failed == ETIMEDOUT)
			give_up = lpk_now_ns() + STOP_NS;
		failed = wait_for_thread(self, give_up);
	}
	ended = self->ended;
	self->abandoned = !ended;
	lpk_console_stats(console, &console->last);
	console->thread = NULL;
	if (!ended)
		pthread_detach(self->thread);
	pthread_mutex_unlock(&self->lock);
	if (!ended)
		return -LPK_EBUSY;
	pthread_join(self->thread, NULL);
	release(self);
	return result;
}

void
lpk_console_stats(
    const struct lpk_console *console, struct lpk_console_stats *stats)
{
	struct lpk__console_thread *self;

	if (console == NULL || stats == NULL)
		return;
	self = console->thread;
	if (self == NULL) {
		*stats = console->last;
		return;
	}
	stats->printed = lpk_load_relaxed(&self->counts[PRINTED]);
	stats->suppressed = lpk_load_relaxed(&self->counts[SUPPRESSED]);
	stats->lost = lpk_load_relaxed(&self->counts[LOST]);
	stats->refused = lpk_load_relaxed(&self->counts[REFUSED]);
}
