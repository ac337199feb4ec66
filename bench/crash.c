/* SPDX-License-Identifier: MIT */
/*
 * crash.c - what a crash takes with it: a process logs onto a file and dies,
 * by abort(3) or SIGKILL, in the middle of it. Its lines are counted in memory
 * that it shares with us, and in the file afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/panic.h>
#include <lpk/printk.h>

#include "lib_tally.h"
#include "lpk_atomic.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define TRIALS_MAX 20
#define CASES_MAX 32

/* As the default log. */
LPK_LOG_DEFINE(ring, 65536, 32, 2);

enum mode { DIRECT, DEFERRED, PANIC, BY_WRITE };

static const char *const mode_names[] = {"direct", "deferred, no handler",
    "deferred, lpk_panic_install()", "write(2)"};
static const char *const tag_names[] = {
    "direct", "deferred", "panic", "write(2)"};

struct crash {
	enum mode mode;
	bool killed; /* by SIGKILL */
	unsigned int rate;
	double missing[TRIALS_MAX];
	uint64_t calls, told, torn;
	char group[64];
	char name[64];
	char remark[120];
	char tags[300];
};

static struct crash crashes[CASES_MAX];
static size_t crash_count;

/* ------------------------------------------------------------------------
 * The process that dies
 */

static int output = -1;

static void
call(enum mode mode, unsigned int number)
{
	uint64_t now = bench_now_ns();
	char line[128];
	int length;

	if (mode != BY_WRITE) {
		lpk_printk_to(&ring, LPK_INFO, BENCH_LINE,
		    BENCH_LINE_ARGS(0, number, now));
		return;
	}
	length = snprintf(line, sizeof(line), BENCH_PREFIX BENCH_LINE "\n",
	    (unsigned long long)(now / SECOND),
	    (unsigned long long)(now % SECOND / 1000),
	    BENCH_LINE_ARGS(0, number, now));
	(void)!write(output, line, (size_t)length);
}

static void
open_console(enum mode mode, const char *path)
{
	struct lpk_console *console;
	char words[600];

	snprintf(words, sizeof(words), "file:%s", path);
	if (lpk_console_new(&console, words, NULL, 0) != LPK_OK)
		bench_die("lpk_console_new");
	console->log = &ring;
	console->mode = mode == DIRECT ? LPK_MODE_DIRECT : LPK_MODE_POLL;
	if (lpk_console_register(console) != LPK_OK)
		bench_die("lpk_console_register");
	if (mode == PANIC && lpk_panic_install(NULL) != LPK_OK)
		bench_die("lpk_panic_install");
}

static void
sleep_until(uint64_t ns)
{
	struct timespec when = {
	    .tv_sec = (time_t)(ns / SECOND),
	    .tv_nsec = (long)(ns % SECOND),
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

/* Arguments: mode, killed, rate, ns, path, descriptor of the count. */
static int
die(char **arguments)
{
	const struct rlimit no_core = {0, 0};
	enum mode mode = (enum mode)atoi(arguments[0]);
	uint64_t period = 0, begin;
	unsigned long *count, rate = strtoul(arguments[2], NULL, 10);
	uint64_t end = strtoull(arguments[3], NULL, 10);
	unsigned int number = 0;

	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_TIMERSLACK, 1000);
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED,
	    atoi(arguments[5]), 0);
	output = open(arguments[4], O_WRONLY | O_APPEND | O_CLOEXEC);
	if (count == MAP_FAILED || output < 0)
		bench_die("crash");
	if (mode != BY_WRITE)
		open_console(mode, arguments[4]);
	if (rate != 0)
		period = SECOND / rate;
	begin = bench_now_ns();
	end += begin;
	/* It dies right behind a call, as what it was about to tell did. */
	for (;;) {
		call(mode, number++);
		lpk_store_release(count, number);
		if (bench_now_ns() >= end)
			break;
		if (period != 0)
			sleep_until(begin + number * period);
	}
	if (arguments[1][0] == '1')
		raise(SIGKILL);
	abort();
}

/* ------------------------------------------------------------------------
 * Ours
 */

static void
read_all(const char *path, struct bench_tally *tally)
{
	static char bytes[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t count;

	bench_tally_clear(tally);
	while (fd >= 0 && (count = read(fd, bytes, sizeof(bytes))) > 0)
		bench_tally_add(tally, bytes, (size_t)count, 0);
	if (fd >= 0)
		close(fd);
}

static void
spawn(const struct crash *crash, uint64_t ns, const char *path, int count_fd)
{
	char numbers[5][24];
	char *arguments[] = {(char *)(uintptr_t) "crash", numbers[0],
	    numbers[1], numbers[2], numbers[3], (char *)(uintptr_t)path,
	    numbers[4], NULL};
	int status = 0, null;
	pid_t pid;

	snprintf(numbers[0], sizeof(numbers[0]), "%d", crash->mode);
	snprintf(numbers[1], sizeof(numbers[0]), "%d", crash->killed);
	snprintf(numbers[2], sizeof(numbers[0]), "%u", crash->rate);
	snprintf(
	    numbers[3], sizeof(numbers[0]), "%llu", (unsigned long long)ns);
	snprintf(numbers[4], sizeof(numbers[0]), "%d", count_fd);
	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDERR_FILENO);
		execv("/proc/self/exe", arguments);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFSIGNALED(status))
		bench_die("a process that was to crash did not");
}

static double
one_trial(struct crash *crash, uint64_t ns)
{
	static struct bench_tally tally;
	unsigned long *count;
	char path[512];
	double missing;
	int fd, count_fd;

	snprintf(path, sizeof(path), "%s/lpk-bench-XXXXXX", bench_options.out);
	fd = mkstemp(path);
	count_fd = memfd_create("count", 0);
	if (fd < 0 || count_fd < 0 || ftruncate(count_fd, 4096) != 0)
		bench_die(path);
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED,
	    count_fd, 0);
	if (count == MAP_FAILED)
		bench_die("mmap");
	spawn(crash, ns, path, count_fd);
	read_all(path, &tally);
	missing = (double)lpk_load_acquire(count) - (double)tally.lines -
	    (double)tally.told;
	crash->calls += lpk_load_acquire(count);
	crash->told += tally.told;
	munmap(count, sizeof(*count));
	close(count_fd);
	close(fd);
	unlink(path);
	return missing;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
measure(struct crash *crash, unsigned long trials)
{
	struct bench_figure figure = {
	    .group = crash->group,
	    .name = crash->name,
	    .kind = mode_names[crash->mode],
	    .unit = "lines missing",
	    .remark = crash->remark,
	    .tags = crash->tags,
	};
	unsigned long i;

	bench_progress(
	    "%s, %s, %s", crash->group, crash->name, mode_names[crash->mode]);
	/* Not always at the same moment of the console's round. */
	for (i = 0; i < trials; i++)
		crash->missing[i] =
		    one_trial(crash, 50 * MS + i * 1370000 % (10 * MS));
	qsort(crash->missing, trials, sizeof(double), by_value);
	figure.values[0] = crash->missing[trials / 2];
	figure.values[1] = crash->missing[0];
	figure.values[2] = crash->missing[trials - 1];
	snprintf(crash->remark, sizeof(crash->remark),
	    "of %.0f lines in %lu crashes; %.0f more were told to be dropped",
	    (double)crash->calls, trials, (double)crash->told);
	snprintf(crash->tags, sizeof(crash->tags),
	    "\"scenario\": \"crash\", \"mode\": \"%s\", \"killed\": %s, "
	    "\"offered\": %u, \"told\": %.0f",
	    tag_names[crash->mode], crash->killed ? "true" : "false",
	    crash->rate, (double)crash->told);
	bench_add(&figure);
}

static void
plan(bool killed, unsigned int rate)
{
	int mode;

	for (mode = DIRECT; mode <= BY_WRITE; mode++) {
		struct crash *crash = &crashes[crash_count];

		/* Nothing runs after SIGKILL. */
		if (killed && mode == PANIC)
			continue;
		crash->mode = (enum mode)mode;
		crash->killed = killed;
		crash->rate = rate;
		snprintf(crash->group, sizeof(crash->group),
		    "A process dies of %s", killed ? "SIGKILL" : "abort()");
		if (rate == 0)
			snprintf(crash->name, sizeof(crash->name), "flat out");
		else
			snprintf(crash->name, sizeof(crash->name), "%u lines/s",
			    rate);
		crash_count++;
	}
}

int
main(int argc, char **argv)
{
	size_t i;
	int killed;

	if (argc == 7)
		return die(argv + 1);
	bench_init("crash");
	for (killed = 0; killed <= 1; killed++) {
		plan(killed, 1000);
		if (!bench_options.quick)
			plan(killed, 10000);
		plan(killed, 0);
	}
	for (i = 0; i < crash_count; i++)
		measure(&crashes[i], bench_count(6, 2));
	bench_note(
	    "one producer, a console on a file; missing: lines whose "
	    "call had returned and that are neither in the file nor "
	    "told to be dropped; median (fewest to most) of the crashes");
	bench_note("a log in a file or in shared memory keeps those, too, and "
		   "lpk dmesg reads them: this is about the console alone");
	return bench_report();
}
