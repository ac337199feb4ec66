/* SPDX-License-Identifier: MIT */
/*
 * lib_check.c - a console that tallies.
 */
#include <errno.h>
#include <string.h>

#include "lib_check.h"

static void
sleep_until(uint64_t ns)
{
	struct timespec when = {
	    .tv_sec = (time_t)(ns / 1000000000),
	    .tv_nsec = (long)(ns % 1000000000),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) ==
	    EINTR)
		;
}

static int
check_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct bench_check_console *check = console->device;
	uint64_t now = bench_now_ns();

	if (now >= check->hang_from_ns && now < check->hang_to_ns)
		sleep_until(check->hang_to_ns);
	if (check->pace > 0)
		sleep_until(
		    now + (uint64_t)(batch->records * 1e9 / check->pace));
	bench_tally_add(
	    &check->tally, batch->bytes, batch->size_bytes, bench_ticks());
	return (int)batch->size_bytes;
}

static const struct lpk_console_driver check_driver = {
    .name = "check",
    .write = check_write,
};

void
bench_check_start(
    struct bench_check_console *check, const char *name, struct lpk_log *log)
{
	bench_tally_clear(&check->tally);
	memset(&check->console, 0, sizeof(check->console));
	check->console.driver = &check_driver;
	check->console.device = check;
	check->console.log = log;
	check->console.start = LPK_SEEK_NEXT;
	/* A pace of many lines at a time would be none. */
	if (check->pace > 0)
		check->console.batch_bytes = 4096;
	snprintf(check->console.name, sizeof(check->console.name), "%s", name);
	bench_pin(bench_cpus() - 1);
	if (lpk_console_register(&check->console) != LPK_OK)
		bench_die("lpk_console_register");
	bench_pin(0);
}

void
bench_check_stop(
    struct bench_check_console *check, struct lpk_console_stats *stats)
{
	if (lpk_console_unregister(&check->console, UINT64_MAX) != LPK_OK)
		bench_die("lpk_console_unregister");
	lpk_console_stats(&check->console, stats);
}
