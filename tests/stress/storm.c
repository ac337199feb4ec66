/* SPDX-License-Identifier: MIT */
/*
 * Sixty-four threads on whatever CPUs there are, each interrupted by a timer
 * of 10 kHz whose handler logs as well, into a small ring and into a large
 * one, while readers of every pace look on. Each record says who wrote it, its
 * number and its length, so that a torn, doubled or reordered one shows; at
 * the end the accounts close exactly.
 *
 * LPK_STORM_SECONDS=600 for a real one.
 */
#include "lib_storm.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lpk/hosted.h>
#include <lpk/port.h>
#include <lpk/printk.h>

#include "lpk_atomic.h"

#define THREADS 64
#define READERS 3
#define MOST_FILL 80

enum { FROM_THREAD, FROM_HANDLER, CONTEXTS };

/* What one thread, and the handler in it, have done so far. */
struct writer {
	unsigned int number;
	unsigned long calls[CONTEXTS];
	uint32_t caller;
	timer_t timer;
	pthread_t thread;
};

static struct writer writers[THREADS];
static struct lpk_log storm;
static unsigned long stop_writers, stop_readers;
static unsigned int nap_us; /* of a writer, now and then; 0: never */
static __thread struct writer *self __attribute__((tls_model("initial-exec")));

/* Who, context, number, fill; then the fill. Raw arguments, or a text. */
static void
log_one(struct writer *writer, int context)
{
	unsigned long call = lpk_load_relaxed(&writer->calls[context]);
	unsigned int count =
	    (unsigned int)(call * 7 + writer->number) % MOST_FILL;
	char fill[MOST_FILL + 1];

	lpk_store_relaxed(&writer->calls[context], call + 1);
	memset(fill, 'a' + (int)((call + writer->number) % 26), count);
	fill[count] = '\0';
	if (call & 1)
		lpk_write(&storm, LPK_INFO, "%u %d %lu %u %s", writer->number,
		    context, call, count, fill);
	else
		lpk_printk_to(&storm, LPK_INFO, "%u %d %lu %u %s",
		    writer->number, context, call, count, fill);
}

static void
on_timer(int signal)
{
	int saved = errno;

	(void)signal;
	if (self == NULL)
		return;
	lpk_handler_enter();
	errno = 4711;
	log_one(self, FROM_HANDLER);
	CHECK(errno == 4711, "errno is now %d", errno);
	lpk_handler_exit();
	errno = saved;
}

/* A timer whose signal goes to the calling thread alone. */
static void
start_timer(struct writer *writer)
{
	struct itimerspec often = {
	    .it_interval = {.tv_nsec = 100000},
	    .it_value = {.tv_nsec = 100000 + (long)writer->number * 1000},
	};
	struct sigevent event = {
	    .sigev_notify = SIGEV_THREAD_ID,
	    .sigev_signo = SIGUSR1,
	};

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &writer->timer) == 0,
	    "no timer: %s", strerror(errno));
	timer_settime(writer->timer, 0, &often, NULL);
}

static void *
write_storm(void *argument)
{
	struct writer *writer = argument;

	writer->caller = (uint32_t)syscall(SYS_gettid);
	self = writer;
	start_timer(writer);
	while (lpk_load_relaxed(&stop_writers) == 0) {
		log_one(writer, FROM_THREAD);
		if (nap_us != 0 && writer->calls[FROM_THREAD] % 16 == 0)
			usleep(nap_us);
	}
	timer_delete(writer->timer);
	/* A signal that is on its way comes now, or finds nobody. */
	sched_yield();
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self = NULL;
	return NULL;
}

/* Per reader and context: the number that must be passed. */
struct seen {
	unsigned long next[THREADS][CONTEXTS];
};

static void
judge(struct storm_reader *reader, const struct lpk_record *record,
    const char *text)
{
	unsigned int number, context, count, i;
	struct seen *seen = reader->data;
	unsigned long call;
	char letter;
	int at = -1;

	CHECK(strlen(text) == record->text_bytes, "\"%s\" has %u bytes", text,
	    record->text_bytes);
	CHECK(sscanf(text, "%u %u %lu %u %n", &number, &context, &call, &count,
		  &at) == 4 &&
		at > 0 && number < THREADS && context < CONTEXTS,
	    "torn: \"%s\"", text);
	CHECK(count == (call * 7 + number) % MOST_FILL, "torn: \"%s\"", text);
	CHECK(record->text_bytes == (unsigned int)at + count, "torn: \"%s\"",
	    text);
	letter = (char)('a' + (int)((call + number) % 26));
	for (i = 0; i < count; i++)
		CHECK(
		    text[(unsigned int)at + i] == letter, "torn: \"%s\"", text);
	CHECK(record->caller ==
		(writers[number].caller |
		    (context == FROM_HANDLER ? LPK_CALLER_HANDLER : 0)),
	    "caller %#x of \"%s\"", record->caller, text);
	CHECK(call >= seen->next[number][context],
	    "doubled or out of order: \"%s\" after %lu%s", text,
	    seen->next[number][context] - 1,
	    record->flags & LPK_RECORD_LATE ? ", late" : "");
	seen->next[number][context] = call + 1;
}

static void
run(uint32_t block_bytes, uint32_t blocks, uint32_t lanes, double seconds)
{
	static struct storm_reader readers[READERS];
	static struct seen seen[READERS];
	struct storm_reader *list[READERS];
	struct timespec span = {
	    (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	pthread_t thread[READERS];
	uint64_t calls = 0;
	unsigned int i;

	storm_log(&storm, block_bytes, blocks, lanes);
	memset(writers, 0, sizeof(writers));
	memset(seen, 0, sizeof(seen));
	stop_writers = stop_readers = 0;
	for (i = 0; i < READERS; i++) {
		list[i] = &readers[i];
		readers[i].log = &storm;
		readers[i].judge = judge;
		readers[i].data = &seen[i];
		readers[i].stop = &stop_readers;
		readers[i].nap_us = i == 1 ? 20000 : 0;
		readers[i].where = i == 2 ? LPK_SEEK_NEXT : LPK_SEEK_OLDEST;
	}
	for (i = 0; i < THREADS; i++) {
		writers[i].number = i;
		pthread_create(
		    &writers[i].thread, NULL, write_storm, &writers[i]);
		/* The last reader is attached in the middle of it. */
		if (i >= THREADS - READERS) {
			unsigned int r = i - (THREADS - READERS);

			storm_open(&readers[r]);
			pthread_create(
			    &thread[r], NULL, storm_read, &readers[r]);
		}
	}
	nanosleep(&span, NULL);
	lpk_store_release(&stop_writers, 1);
	for (i = 0; i < THREADS; i++) {
		pthread_join(writers[i].thread, NULL);
		calls += writers[i].calls[FROM_THREAD] +
		    writers[i].calls[FROM_HANDLER];
	}
	lpk_store_release(&stop_readers, 1);
	for (i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	storm_close_accounts(&storm, calls, list, READERS);
	storm_free(&storm);
}

int
main(void)
{
	struct sigaction action = {.sa_handler = on_timer};
	double seconds = storm_seconds(5, 4);
	unsigned long handled = 0;
	unsigned int i;

	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, NULL);
	run(512, 16, 2, seconds);
	run(4096, 256, 16, seconds);
	/* Slowly enough for readers that keep up. */
	nap_us = 20000;
	run(1024, 8, 1, seconds);
	run(sizeof(long) >= 8 ? 65536 : 16384, 64, 2, seconds);
	for (i = 0; i < THREADS; i++)
		handled += writers[i].calls[FROM_HANDLER];
	CHECK(handled != 0, "no signal came");
	return 0;
}
