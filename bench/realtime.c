/* SPDX-License-Identifier: MIT */
/*
 * realtime.c - what a call costs a thread of SCHED_FIFO while the machine is
 * loaded, in the manner of the PREEMPT_RT talks on printk: each period the
 * thread does the same work and logs one line; the maximum counts.
 *
 * A serial line is a driver here that takes as long as 115200 baud do: by its
 * thread it sleeps, by a caller it polls, as a UART is polled.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/hosted.h>
#include <lpk/printk.h>

#include "lib_bench.h"
#include "lib_private.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define PRIORITY 80
#define WORK_NS 50000
#define BYTE_NS (SECOND * 10 / 115200)
#define LOADS_MAX 16
#define MESSAGE "cycle %d, int64: %lld, double: %f"

LPK_LOG_DEFINE(ring, 65536, 32, 2);

struct mode {
	const char *group;
	const char *name;
	void (*call)(unsigned long i);
	const char *words; /* of the console, or NULL */
	bool is_line;      /* the console is a serial line */
	enum lpk_console_mode how;
	uint64_t period_ns;
	bool needs_syslog;
	struct bench_hist call_ticks, late_ticks;
	struct bench_usage usage;
	uint64_t calls, lost;
	char tags[2][200];
};

static const char *folder;
static struct bench_daemon receiver;
static int output = -1;
static uint64_t run_ns;
static pid_t loads[LOADS_MAX];
static size_t load_count;

/* ------------------------------------------------------------------------
 * The calls
 */

static void
nothing(unsigned long i)
{
	(void)i;
	bench_keep();
}

static void
by_lpk(unsigned long i)
{
	lpk_printk_to(
	    &ring, LPK_INFO, MESSAGE, (int)i, (long long)i * 3, (double)i / 2);
}

static void
by_syslog(unsigned long i)
{
	syslog(LOG_INFO, MESSAGE, (int)i, (long long)i * 3, (double)i / 2);
}

static void
by_write(unsigned long i)
{
	char line[128];
	int length = snprintf(line, sizeof(line), MESSAGE "\n", (int)i,
	    (long long)i * 3, (double)i / 2);

	(void)!write(output, line, (size_t)length);
}

/* ------------------------------------------------------------------------
 * The serial line
 */

static void
sleep_until(uint64_t ns)
{
	struct timespec time = {
	    .tv_sec = (time_t)(ns / SECOND),
	    .tv_nsec = (long)(ns % SECOND),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) ==
	    EINTR)
		;
}

/* As many bytes as the line takes until the deadline. */
static uint64_t
line_bytes(const struct lpk_batch *batch, uint64_t now)
{
	uint64_t most =
	    batch->deadline_ns > now ? (batch->deadline_ns - now) / BYTE_NS : 0;

	return most < batch->size_bytes ? most : batch->size_bytes;
}

static int
line_write(struct lpk_console *console, struct lpk_batch *batch)
{
	uint64_t now = lpk_now_ns(), bytes = line_bytes(batch, now);

	(void)console;
	if (!lpk_console_exit_unsafe(batch))
		return 0;
	sleep_until(now + bytes * BYTE_NS);
	if (!lpk_console_enter_unsafe(batch))
		return 0;
	return (int)bytes;
}

static int
line_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	uint64_t now = lpk_now_ns(), bytes = line_bytes(batch, now);

	(void)console;
	while (lpk_now_ns() - now < bytes * BYTE_NS)
		bench_relax();
	return (int)bytes;
}

static const struct lpk_console_driver line_driver = {
    .name = "line",
    .write = line_write,
    .write_on_panic = line_write_on_panic,
};

/* ------------------------------------------------------------------------
 * Load
 */

static pid_t
start_stress(void)
{
	static const char program[] = "/usr/bin/stress-ng";
	char cpus[16];
	pid_t id;
	int fd;

	if (access(program, X_OK) != 0)
		return 0;
	snprintf(cpus, sizeof(cpus), "%u", bench_cpus());
	id = fork();
	if (id != 0)
		return id;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	fd = open("/dev/null", O_RDWR);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	(void)!chdir(folder);
	execl(program, "stress-ng", "--cpu", cpus, "--switch", "1", "--vm", "1",
	    "--vm-bytes", "64M", "--hdd", "1", "--hdd-bytes", "32M",
	    (char *)NULL);
	_exit(127);
}

/* Without stress-ng: memory, and system calls. */
static void
be_a_load(void)
{
	static char from[1 << 22], to[1 << 22];
	int fd = open("/dev/null", O_WRONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		memcpy(to, from, sizeof(to));
		(void)!write(fd, to, sizeof(to));
		from[getpid() % 4096]++;
		sched_yield();
	}
}

static const char *
start_load(void)
{
	unsigned int i;
	pid_t id = start_stress();

	if (id > 0) {
		loads[load_count++] = id;
		return "stress-ng: --cpu, --switch, --vm, --hdd";
	}
	for (i = 0; i < 2 * bench_cpus() && i < LOADS_MAX; i++) {
		id = fork();
		if (id == 0)
			be_a_load();
		if (id > 0)
			loads[load_count++] = id;
	}
	return "processes that copy memory and make system calls (no "
	       "stress-ng here)";
}

static void
stop_load(void)
{
	while (load_count > 0) {
		load_count--;
		kill(loads[load_count], load_count == 0 ? SIGTERM : SIGKILL);
		waitpid(loads[load_count], NULL, 0);
	}
}

/* ------------------------------------------------------------------------
 * The thread
 */

static void *
cycle(void *argument)
{
	struct sched_param priority = {.sched_priority = PRIORITY};
	struct mode *mode = argument;
	struct bench_usage before;
	uint64_t due, begin, end;
	unsigned long i = 0;

	prctl(PR_SET_TIMERSLACK, 1);
	bench_pin(0);
	lpk_thread_set_lane(0);
	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) != 0)
		return argument;
	due = bench_now_ns() + 50 * MS;
	end = due + run_ns;
	bench_usage_now(&before);
	for (; due < end; due += mode->period_ns, i++) {
		sleep_until(due);
		begin = bench_now_ns();
		bench_hist_add(&mode->late_ticks,
		    (uint64_t)((double)(begin - due) / bench_clock.ns +
			bench_clock.overhead));
		bench_spin_ns(WORK_NS);
		begin = bench_ticks();
		mode->call(i);
		bench_hist_add(&mode->call_ticks, bench_ticks() - begin);
		/* Who was late goes on with the next period. */
		if (bench_now_ns() > due + mode->period_ns)
			due += (bench_now_ns() - due) / mode->period_ns *
			    mode->period_ns;
	}
	bench_usage_add(&mode->usage, &before);
	mode->calls = i;
	return NULL;
}

static bool
is_permitted(void)
{
	struct sched_param priority = {.sched_priority = PRIORITY};
	struct sched_param usual = {.sched_priority = 0};

	if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
		return false;
	sched_setscheduler(0, SCHED_OTHER, &usual);
	return true;
}

static struct lpk_console *
start_console(const struct mode *mode)
{
	struct lpk_console *console;
	char words[400], error[256];

	snprintf(words, sizeof(words), mode->words, folder);
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK)
		bench_die(error);
	if (mode->is_line)
		console->driver = &line_driver;
	console->log = &ring;
	console->start = LPK_SEEK_NEXT;
	console->mode = mode->how;
	bench_pin(bench_cpus() - 1);
	if (lpk_console_register(console) != LPK_OK)
		bench_die(words);
	bench_pin(0);
	return console;
}

static void
run(struct mode *mode)
{
	struct lpk_console *console = NULL;
	pthread_t thread;
	void *failed;

	bench_progress("%s: %s", mode->group, mode->name);
	bench_hist_clear(&mode->call_ticks);
	bench_hist_clear(&mode->late_ticks);
	if (mode->words != NULL)
		console = start_console(mode);
	if (pthread_create(&thread, NULL, cycle, mode) != 0)
		bench_die("pthread_create");
	pthread_join(thread, &failed);
	if (failed != NULL)
		bench_die("SCHED_FIFO");
	if (console == NULL)
		return;
	lpk_console_unregister(console, lpk_now_ns() + 5 * SECOND);
	mode->lost = mode->calls > console->last.printed ?
	    mode->calls - console->last.printed :
	    0;
	lpk_console_free(console);
}

static void
report(struct mode *mode)
{
	struct bench_figure figure = {
	    .group = mode->group,
	    .name = mode->name,
	    .kind = "the call",
	    .hist = &mode->call_ticks,
	    .per = 1,
	    .cpus = "0",
	    .calls = mode->calls,
	    .lost = mode->lost,
	    .usage = mode->usage,
	    .tags = mode->tags[0],
	    .curve = true,
	};

	if (mode->calls == 0)
		return;
	snprintf(mode->tags[0], sizeof(mode->tags[0]),
	    "\"scenario\": \"realtime\", \"mode\": \"%s\", \"what\": \"call\"",
	    mode->name);
	snprintf(mode->tags[1], sizeof(mode->tags[1]),
	    "\"scenario\": \"realtime\", \"mode\": \"%s\", \"what\": \"late\"",
	    mode->name);
	bench_add(&figure);
	figure.kind = "the thread begins late by";
	figure.hist = &mode->late_ticks;
	figure.tags = mode->tags[1];
	figure.curve = false;
	memset(&figure.usage, 0, sizeof(figure.usage));
	bench_add(&figure);
}

/* ------------------------------------------------------------------------ */

#define FAST "1. A file, a line each millisecond"
#define SLOW "2. A line of 115200 baud, a line each 20 milliseconds"

static struct mode modes[] = {
    {.group = FAST,
	.name = "nothing, for comparison",
	.call = nothing,
	.period_ns = MS},
    {.group = FAST,
	.name = "deferred",
	.call = by_lpk,
	.words = "file:%s/deferred",
	.how = LPK_MODE_POLL,
	.period_ns = MS},
    {.group = FAST,
	.name = "direct",
	.call = by_lpk,
	.words = "file:%s/direct",
	.how = LPK_MODE_DIRECT,
	.period_ns = MS},
    {.group = FAST, .name = "write(2)", .call = by_write, .period_ns = MS},
    {.group = FAST,
	.name = "syslog(3)",
	.call = by_syslog,
	.period_ns = MS,
	.needs_syslog = true},
    {.group = SLOW,
	.name = "deferred, 115200 baud",
	.call = by_lpk,
	.words = "null:%.0s",
	.is_line = true,
	.how = LPK_MODE_POLL,
	.period_ns = 20 * MS},
    {.group = SLOW,
	.name = "direct, 115200 baud",
	.call = by_lpk,
	.words = "null:%.0s",
	.is_line = true,
	.how = LPK_MODE_DIRECT,
	.period_ns = 20 * MS},
};

#define MODES (sizeof(modes) / sizeof(modes[0]))

static void
run_all(const char *no_syslog)
{
	const char *seconds = getenv("BENCH_RT_SECONDS");
	const char *load;
	char path[400];
	size_t i;

	run_ns = bench_count(6000, 600) * MS;
	if (seconds != NULL && atoi(seconds) > 0)
		run_ns = (uint64_t)atoi(seconds) * SECOND;
	snprintf(path, sizeof(path), "%s/written", folder);
	output = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (no_syslog == NULL)
		openlog("bench", LOG_NDELAY | LOG_PID, LOG_USER);
	else
		bench_note("missing: syslog(3): %s", no_syslog);
	/* Round the ring: its pages are there. */
	for (i = 0; i < 100000; i++)
		by_lpk(i);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
		bench_note("memory is not locked: %s", strerror(errno));
	load = start_load();
	for (i = 0; i < MODES; i++) {
		if (!modes[i].needs_syslog || no_syslog == NULL)
			run(&modes[i]);
	}
	stop_load();
	bench_note("a thread of SCHED_FIFO %d on CPU 0, each period %d us of "
		   "work and one call; %.1f s each (BENCH_RT_SECONDS=); the "
		   "console's thread is SCHED_OTHER on the last CPU",
	    PRIORITY, WORK_NS / 1000, (double)run_ns / 1e9);
	bench_note("load: %s", load);
	bench_note("a maximum is the machine's, too: see what doing nothing "
		   "and beginning late came to; syslog(3) to %s",
	    receiver.name);
}

int
main(void)
{
	const char *no_syslog;
	size_t i;

	bench_init("realtime");
	no_syslog = bench_private_enter();
	if (!is_permitted()) {
		bench_note("SKIP: SCHED_FIFO is not permitted: %s (root, or "
			   "ulimit -r %d)",
		    strerror(errno), PRIORITY);
		return bench_report();
	}
	folder = bench_folder_make();
	if (no_syslog == NULL)
		no_syslog = bench_syslog_start(&receiver, folder);
	run_all(no_syslog);
	bench_daemon_stop(&receiver);
	for (i = 0; i < MODES; i++)
		report(&modes[i]);
	bench_folder_remove(folder);
	return bench_report();
}
