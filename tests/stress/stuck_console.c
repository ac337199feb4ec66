/* SPDX-License-Identifier: MIT */
/*
 * Consoles that are blocked for ever beside healthy ones: a full pipe whose
 * reader has stopped, and a driver that does not return. The healthy ones
 * deliver every record, callers go on, a flush comes back at its deadline and
 * names the laggard, and the one that hangs can be pulled out.
 *
 * LPK_STORM_SECONDS=60 for a longer one.
 */
#include "lib_storm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lpk/port.h>
#include <lpk/printk.h>

#include "lpk_atomic.h"

#define LOGGERS 2
#define PATIENCE_NS UINT64_C(60000000000)

/* A device in memory that checks what it gets: every number of every logger. */
struct memory {
	unsigned long next[LOGGERS];
	unsigned long records;
};

static struct lpk_log storm;
static struct memory memories[2];
static unsigned long stop, hang, called, left, logged[LOGGERS];

static int
memory_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct memory *memory = console->device;
	const char *at = batch->bytes, *end = at + batch->size_bytes;
	unsigned int logger;
	unsigned long number;

	for (; at < end;
	     at = (char *)memchr(at, '\n', (size_t)(end - at)) + 1) {
		if (sscanf(strchr(at, ']') + 2, "logger %u: %lu\n", &logger,
			&number) != 2)
			continue;
		CHECK(logger < LOGGERS && number == memory->next[logger],
		    "%s: %u: %lu after %lu", console->name, logger, number,
		    memory->next[logger] - 1);
		memory->next[logger]++;
	}
	lpk_fetch_add_relaxed(&memory->records, batch->records);
	return (int)batch->size_bytes;
}

/* To a pipe that does not block: as drivers do that wait for their device. */
static int
pipe_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct pollfd waits = {.fd = (int)console->number, .events = POLLOUT};
	ssize_t count;

	for (;;) {
		uint64_t now = lpk_now_ns();

		count = write(waits.fd, batch->bytes, batch->size_bytes);
		if (count >= 0)
			return (int)count;
		batch->error = errno;
		if (errno != EAGAIN || now >= batch->deadline_ns)
			return -LPK_EAGAIN;
		if (!lpk_console_exit_unsafe(batch))
			return 0;
		poll(&waits, 1, (int)((batch->deadline_ns - now) / 1000000));
		if (!lpk_console_enter_unsafe(batch))
			return 0;
	}
}

static int
hung_write(struct lpk_console *console, struct lpk_batch *batch)
{
	(void)console;
	lpk_store_release(&called, 1);
	while (lpk_load_acquire(&hang) != 0)
		usleep(1000);
	return (int)batch->size_bytes;
}

static void
hung_exit(struct lpk_console *console)
{
	(void)console;
	lpk_store_release(&left, 1);
}

static const struct lpk_console_driver memory_driver = {
    .name = "memory", .write = memory_write, .write_on_panic = memory_write};
static const struct lpk_console_driver pipe_driver = {
    .name = "pipe", .write = pipe_write, .write_on_panic = pipe_write};
static const struct lpk_console_driver hung_driver = {
    .name = "hung", .write = hung_write, .exit = hung_exit};

static struct lpk_console healthy[2], piped, hung;

static void
start(struct lpk_console *console, const char *name, enum lpk_console_mode mode)
{
	console->log = &storm;
	console->mode = mode;
	snprintf(console->name, sizeof(console->name), "%s", name);
	CHECK(lpk_console_register(console) == LPK_OK, "%s", name);
}

static uint64_t
stored_now(void)
{
	struct lpk_log_stats stats;

	lpk_log_stats(&storm, &stats);
	return stats.stored;
}

/* As fast as the healthy ones take it: they are to lose nothing. */
static void *
log_storm(void *argument)
{
	unsigned int number = *(unsigned int *)argument;
	unsigned long count = 0, i;

	while (lpk_load_relaxed(&stop) == 0) {
		lpk_write(&storm, LPK_INFO, "logger %u: %lu", number, count);
		count++;
		for (i = 0; count % 64 == 0 && i < 2; i++)
			CHECK(lpk_console_flush(&healthy[i],
				  lpk_now_ns() + PATIENCE_NS) == LPK_OK,
			    "%s does not get on", healthy[i].name);
	}
	logged[number] = count;
	return NULL;
}

static void
expect_laggard(void)
{
	uint64_t deadline = lpk_now_ns() + 50000000;
	struct lpk_flush_result result;

	lpk_write(&storm, LPK_INFO, "one more");
	CHECK(lpk_flush(deadline, &result) == -LPK_ETIMEDOUT, "it was reached");
	CHECK(lpk_now_ns() >= deadline, "too early");
	CHECK(result.consoles == 4 && result.reached == 2, "%u of %u",
	    result.reached, result.consoles);
	CHECK(strcmp(result.laggard, "pipe") == 0 ||
		strcmp(result.laggard, "hung") == 0,
	    "the laggard is \"%s\"", result.laggard);
	CHECK(result.lag_records != 0, "a lag of none");
}

static void
close_accounts(struct lpk_console *console)
{
	struct lpk_console_stats stats;

	lpk_console_stats(console, &stats);
	printf("  %-6s stored %" PRIu64 " = printed %" PRIu64
	       " + suppressed %" PRIu64 " + lost %" PRIu64 " + lag %" PRIu64
	       "\n",
	    stats.name, stored_now(), stats.printed, stats.suppressed,
	    stats.lost, stats.lag_records);
	CHECK(stored_now() ==
		stats.printed + stats.suppressed + stats.lost +
		    stats.lag_records,
	    "the accounts of %s are open", stats.name);
}

static void
expect_healthy(void)
{
	struct lpk_console_stats stats;
	unsigned int i, j;

	for (i = 0; i < 2; i++) {
		CHECK(lpk_console_flush(
			  &healthy[i], lpk_now_ns() + PATIENCE_NS) == LPK_OK,
		    "%s does not get on", healthy[i].name);
		close_accounts(&healthy[i]);
		lpk_console_stats(&healthy[i], &stats);
		CHECK(stats.lost == 0, "%s lost %" PRIu64, stats.name,
		    stats.lost);
		for (j = 0; j < LOGGERS; j++)
			CHECK(memories[i].next[j] == logged[j],
			    "%s has %lu of %lu", stats.name,
			    memories[i].next[j], logged[j]);
	}
}

/* Its own thread does not return: it is left to itself. */
static void
pull_out(void)
{
	uint64_t until = lpk_now_ns() + PATIENCE_NS;
	int result;

	while (lpk_load_acquire(&called) == 0)
		usleep(1000);
	result = lpk_console_unregister(&hung, lpk_now_ns() + 10000000);
	CHECK(result == -LPK_EBUSY, "%s", lpk_strerror(result));
	CHECK(lpk_consoles_stats(NULL, 0) == 3, "it is there still");
	CHECK(lpk_load_acquire(&left) == 0, "closed under a writer");
	lpk_write(&storm, LPK_INFO, "the others live on");
	expect_healthy();
	lpk_store_release(&hang, 0);
	while (lpk_load_acquire(&left) == 0) {
		CHECK(lpk_now_ns() < until, "it was never closed");
		usleep(1000);
	}
}

static void
block_pipe(int fds[2])
{
	char full[4096] = "";

	CHECK(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0, "no pipe");
	while (write(fds[1], full, sizeof(full)) > 0)
		;
}

/* The reader goes on: what is left comes, and the accounts close. */
static void
unblock_pipe(int fds[2])
{
	uint64_t until = lpk_now_ns() + PATIENCE_NS;
	char text[65536];

	while (lpk_console_flush(&piped, lpk_now_ns()) != LPK_OK) {
		CHECK(lpk_now_ns() < until, "the pipe does not get on");
		while (read(fds[0], text, sizeof(text)) > 0)
			;
		usleep(1000);
	}
	close_accounts(&piped);
}

static void
run(enum lpk_console_mode mode, double seconds)
{
	struct timespec span = {
	    (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	unsigned int numbers[LOGGERS], i;
	pthread_t loggers[LOGGERS];
	int fds[2];

	storm_log(&storm, 16384, 64, 2);
	memset(memories, 0, sizeof(memories));
	stop = called = left = 0;
	hang = 1;
	block_pipe(fds);
	for (i = 0; i < 2; i++)
		healthy[i] = (struct lpk_console){
		    .driver = &memory_driver, .device = &memories[i]};
	piped = (struct lpk_console){.driver = &pipe_driver, .number = fds[1]};
	hung = (struct lpk_console){.driver = &hung_driver};
	start(&piped, "pipe", mode);
	start(&healthy[0], "first", mode);
	start(&hung, "hung", LPK_MODE_POLL);
	start(&healthy[1], "second", LPK_MODE_POLL);
	for (i = 0; i < LOGGERS; i++) {
		numbers[i] = i;
		pthread_create(&loggers[i], NULL, log_storm, &numbers[i]);
	}
	nanosleep(&span, NULL);
	lpk_store_relaxed(&stop, 1);
	for (i = 0; i < LOGGERS; i++)
		pthread_join(loggers[i], NULL);
	CHECK(logged[0] + logged[1] != 0, "nobody got on");
	expect_healthy();
	expect_laggard();
	close_accounts(&piped);
	close_accounts(&hung);
	pull_out();
	unblock_pipe(fds);
	for (i = 0; i < 2; i++)
		lpk_console_unregister(&healthy[i], lpk_now_ns() + PATIENCE_NS);
	lpk_console_unregister(&piped, lpk_now_ns());
	close(fds[0]);
	close(fds[1]);
	storm_free(&storm);
}

int
main(void)
{
	double seconds = storm_seconds(4, 2);

	run(LPK_MODE_POLL, seconds);
	run(LPK_MODE_DIRECT, seconds);
	return 0;
}
