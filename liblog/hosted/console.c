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

struct lpk__console_thread {
	struct lpk_console *console;
	pthread_t thread;
	struct lpk_log *log;
	struct lpk_reader reader;
	unsigned long stop;
	unsigned long dropped;  /* by the log, as last reported */
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

/* Relaxed: one thread writes the counts, others read a recent value. */
static void
count(struct lpk__console_thread *self, int which, unsigned long add)
{
	lpk_store_relaxed(&self->counts[which],
	    lpk_load_relaxed(&self->counts[which]) + add);
}

uint64_t
lpk_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void
write_lines(struct lpk__console_thread *self)
{
	int result = LPK_OK;

	if (self->bytes != 0)
		result = self->console->driver->write(
		    self->console, self->lines, self->bytes);
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
	int length = lpk_snprintf(text, sizeof(text),
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
	char *lines = self->lines;
	size_t prefix = 0, length;

	if ((record->flags & LPK_RECORD_CONT) == 0 ||
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
	self->line_open = (record->flags & LPK_RECORD_OPEN) != 0;
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

/* Print what there is; false when there was nothing. */
static bool
print_some(struct lpk__console_thread *self)
{
	unsigned long dropped =
	    lpk_load_relaxed(&lpk__head(self->log)->dropped);
	struct lpk_record record;
	bool some = false;

	if (dropped != self->dropped) {
		put_dropped_notice(self, dropped - self->dropped);
		self->dropped = dropped;
		some = true;
	}
	while (self->bytes < LINES_BYTES) {
		int result = lpk_reader_next(
		    &self->reader, &record, self->text, sizeof(self->text));

		if (result == -LPK_EPIPE) {
			put_dropped_notice(self, self->reader.lost);
			count(self, LOST, (unsigned long)self->reader.lost);
		} else if (result != LPK_OK) {
			break;
		} else if (shown(self->console, &record)) {
			put_record(self, &record);
			self->records++;
		} else {
			count(self, SUPPRESSED, 1);
		}
		some = true;
	}
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

static void *
console_main(void *argument)
{
	struct lpk__console_thread *self = argument;
	uint64_t idle_since = 0;

	for (;;) {
		/* Before the looks below: what changes after them wakes us. */
		unsigned long ticket = lpk__sleep_ticket(self->log);
		unsigned long stop = lpk_load_acquire(&self->stop);

		if (print_some(self)) {
			idle_since = 0;
			answer_flush(self);
			continue;
		}
		answer_flush(self);
		if (stop != 0)
			return NULL;
		if (idle_since == 0)
			idle_since = lpk_now_ns();
		if (lpk_now_ns() - idle_since < LINGER_NS)
			nap();
		else
			lpk__sleep_once(&self->reader, ticket, UINT64_MAX);
	}
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
	    console->driver->write == NULL ||
	    console->style > LPK_STYLE_KMSG)
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

int
lpk_console_flush(struct lpk_console *console, uint64_t deadline_ns)
{
	struct lpk__console_thread *self;
	struct timespec until = {
	    .tv_sec = (time_t)(deadline_ns / 1000000000),
	    .tv_nsec = (long)(deadline_ns % 1000000000),
	};
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
		failed = deadline_ns == UINT64_MAX ?
		    pthread_cond_wait(&self->reached, &self->lock) :
		    pthread_cond_timedwait(
			&self->reached, &self->lock, &until);
	reached = (long)(lpk_load_relaxed(&self->answered) - wanted) >= 0;
	pthread_mutex_unlock(&self->lock);
	return reached ? LPK_OK : -LPK_ETIMEDOUT;
}

int
lpk_console_stop(struct lpk_console *console, uint64_t deadline_ns)
{
	struct lpk__console_thread *self;
	int result = lpk_console_flush(console, deadline_ns);

	if (result == -LPK_EINVAL)
		return result;
	self = console->thread;
	lpk_store_release(&self->stop, 1);
	lpk__sleep_end(self->log);
	pthread_join(self->thread, NULL);
	pthread_cond_destroy(&self->reached);
	pthread_mutex_destroy(&self->lock);
	console->thread = NULL;
	free(self);
	return result;
}

void
lpk_console_stats(
    const struct lpk_console *console, struct lpk_console_stats *stats)
{
	struct lpk__console_thread *self = console->thread;

	*stats = (struct lpk_console_stats){0};
	if (self == NULL)
		return;
	stats->printed = lpk_load_relaxed(&self->counts[PRINTED]);
	stats->suppressed = lpk_load_relaxed(&self->counts[SUPPRESSED]);
	stats->lost = lpk_load_relaxed(&self->counts[LOST]);
	stats->refused = lpk_load_relaxed(&self->counts[REFUSED]);
}
