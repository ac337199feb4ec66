/* SPDX-License-Identifier: MIT */
/*
 * cost.c - what logging costs beside time at the call: memory, CPU, sleep. A
 * record's bytes in the ring; how often the threads of idle consoles wake up;
 * the CPU time of a million lines, whoever spends it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/hosted.h>
#include <lpk/printk.h>

#include "lib_bench.h"
#include "lib_proc.h"
#include "lpk_atomic.h"

#define BLOCK_BYTES 65536
#define BLOCKS 64
#define MS UINT64_C(1000000)
#define CONSOLES_MAX 8
#define FIGURES 32

#define LONG_STRING "Lorem ipsum dolor sit amet, consectetur adipiscing"
#define NUMBERS "Logging int: %d, int64: %lld, double: %f"

LPK_LOG_DEFINE(ring, BLOCK_BYTES, BLOCKS, 2);

static char names[FIGURES][160];
static size_t name_count;

static void
nap(uint64_t ns)
{
	const struct timespec time = {
	    .tv_sec = (time_t)(ns / 1000000000),
	    .tv_nsec = (long)(ns % 1000000000),
	};

	nanosleep(&time, NULL);
}

/* ------------------------------------------------------------------------
 * Memory
 */

static void
no_arguments(unsigned long i)
{
	(void)i;
	lpk_printk_to(&ring, LPK_INFO, "eth0: link up");
}

static void
numbers(unsigned long i)
{
	lpk_printk_to(
	    &ring, LPK_INFO, NUMBERS, (int)i, (long long)i * 3, (double)i / 2);
}

static void
long_string(unsigned long i)
{
	lpk_printk_to(
	    &ring, LPK_INFO, "int: %d, string: %s", (int)i, LONG_STRING);
}

static void
as_text(unsigned long i)
{
	lpk_write(
	    &ring, LPK_INFO, NUMBERS, (int)i, (long long)i * 3, (double)i / 2);
}

/* How long the line is that a console prints of it. */
static double
line_bytes(void)
{
	static char text[LPK_TEXT_MAX + 2], line[4096];
	struct lpk_reader *reader = bench_alloc(sizeof(*reader));
	struct lpk_record record;
	size_t bytes = 0;

	if (lpk_reader_open(reader, &ring, LPK_SEEK_OLDEST) == LPK_OK &&
	    lpk_reader_next(reader, &record, text, sizeof(text)) == LPK_OK)
		bytes = lpk_record_print(
		    &record, text, LPK_STYLE_TEXT, line, sizeof(line));
	lpk_reader_close(reader);
	free(reader);
	return (double)bytes;
}

static void
measure_bytes(const char *name, void (*call)(unsigned long i))
{
	struct lpk_log_stats stats;
	unsigned long i;
	double bytes;
	struct bench_figure figure = {
	    .group = "1. Memory",
	    .name = name,
	    .kind = "of the ring, all included",
	    .unit = "bytes a record",
	};

	for (i = 0; i < 2ul * BLOCK_BYTES * BLOCKS / 16; i++)
		call(i);
	lpk_log_stats(&ring, &stats);
	bytes = (double)BLOCK_BYTES * BLOCKS /
	    (double)(stats.stored - stats.overwritten);
	snprintf(names[name_count], sizeof(names[0]),
	    "its line, as printed: %.0f bytes", line_bytes());
	figure.remark = names[name_count++];
	figure.values[0] = figure.values[1] = figure.values[2] = bytes;
	figure.tags = "\"scenario\": \"memory\"";
	bench_add(&figure);
}

/* ------------------------------------------------------------------------
 * Sleep
 */

struct sleeper {
	pthread_t thread;
	struct lpk_reader reader;
	unsigned long ends;
};

static void *
read_until_the_end(void *argument)
{
	static char text[LPK_TEXT_MAX + 2];
	struct sleeper *self = argument;
	struct lpk_record record;

	while (lpk_load_acquire(&self->ends) == 0) {
		lpk_reader_wait(&self->reader, UINT64_MAX);
		while (lpk_reader_next(&self->reader, &record, text,
			   sizeof(text)) != -LPK_EAGAIN)
			;
	}
	return NULL;
}

static struct lpk_console *consoles[CONSOLES_MAX];

static unsigned int
start_consoles(const char *const *words)
{
	char error[256];
	unsigned int count = 0;

	for (; words[count] != NULL; count++) {
		if (lpk_console_new(&consoles[count], words[count], error,
			sizeof(error)) != LPK_OK)
			bench_die(error);
		consoles[count]->log = &ring;
		consoles[count]->start = LPK_SEEK_NEXT;
		if (lpk_console_register(consoles[count]) != LPK_OK)
			bench_die(words[count]);
	}
	return count;
}

static void
stop_consoles(unsigned int count)
{
	while (count-- > 0) {
		lpk_console_unregister(consoles[count], UINT64_MAX);
		lpk_console_free(consoles[count]);
	}
}

/* Something is printed first: a thread that never ran sleeps well. */
static void
measure_idle(const char *name, const char *const *words, bool with_reader)
{
	uint64_t ns = bench_count(3000, 400) * MS, before;
	unsigned int count = start_consoles(words);
	struct sleeper *sleeper = bench_alloc(sizeof(*sleeper));
	struct bench_figure figure = {
	    .group = "2. Sleep",
	    .name = name,
	    .kind = "threads waking up, idle",
	    .unit = "times a second",
	    .targets = {{BENCH_VALUE, 0.001, false}},
	    .tags = "\"scenario\": \"idle\"",
	};

	bench_progress("idle: %s", name);
	lpk_reader_open(&sleeper->reader, &ring, LPK_SEEK_NEXT);
	if (with_reader &&
	    pthread_create(
		&sleeper->thread, NULL, read_until_the_end, sleeper) != 0)
		bench_die("pthread_create");
	numbers(1);
	lpk_flush(UINT64_MAX, NULL);
	nap(300 * MS);
	before = bench_proc_switches(getpid(), getpid());
	nap(ns);
	figure.values[0] =
	    (double)(bench_proc_switches(getpid(), getpid()) - before) * 1e9 /
	    (double)ns;
	figure.values[1] = figure.values[2] = figure.values[0];
	bench_add(&figure);
	if (with_reader) {
		lpk_store_release(&sleeper->ends, 1);
		numbers(2);
		pthread_join(sleeper->thread, NULL);
	}
	stop_consoles(count);
	lpk_reader_close(&sleeper->reader);
	free(sleeper);
}

static void
sleep_cases(void)
{
	static char file[320], json[320], pipe_words[32];
	static const char *const nulls[] = {"null:", "null:", "null:", "null:",
	    "null:", "null:", "null:", "null:", NULL};
	const char *one[] = {file, NULL};
	const char *several[] = {file, pipe_words, json, "ram:64K", NULL};
	int ends[2];

	if (pipe(ends) != 0)
		bench_die("pipe");
	snprintf(file, sizeof(file), "file:%s/lpk-bench-%d", bench_tmpfs(),
	    (int)getpid());
	snprintf(json, sizeof(json), "json:%s/lpk-bench-json-%d", bench_tmpfs(),
	    (int)getpid());
	snprintf(pipe_words, sizeof(pipe_words), "fd:%d,journal=no", ends[1]);
	measure_idle("a console on a file", one, false);
	measure_idle("a file, a pipe, json, ram", several, false);
	measure_idle("eight consoles", nulls, false);
	measure_idle("a file, and a thread in lpk_reader_wait()", one, true);
	unlink(file + strlen("file:"));
	unlink(json + strlen("json:"));
	close(ends[0]);
	close(ends[1]);
}

/* ------------------------------------------------------------------------
 * CPU
 */

static double
cpu_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The console's place, and whether its thread or the caller prints. */
struct way {
	const char *name;
	const char *words; /* "": none */
	enum lpk_console_mode mode;
	void (*call)(unsigned long i);
	unsigned long divide; /* the number of lines by this */
};

/* The console keeps up: lines that are lost cost nothing. */
static void
hold(const struct lpk_console *console, unsigned long made)
{
	struct lpk_console_stats stats;

	for (;;) {
		lpk_console_stats(console, &stats);
		if (made < stats.printed + stats.lost + 32768)
			return;
		nap(100000);
	}
}

static struct lpk_console *
start_way(const struct way *way, char *path, size_t size)
{
	struct lpk_console *console = NULL;
	char words[400], error[256];

	snprintf(path, size, "%s/lpk-bench-%d", bench_tmpfs(), (int)getpid());
	if (way->words[0] == '\0')
		return NULL;
	snprintf(words, sizeof(words), way->words, path);
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK)
		bench_die(error);
	console->log = &ring;
	console->start = LPK_SEEK_NEXT;
	console->mode = way->mode;
	bench_pin(bench_cpus() - 1);
	if (lpk_console_register(console) != LPK_OK)
		bench_die(words);
	bench_pin(0);
	return console;
}

static void
measure_cpu(const struct way *way)
{
	unsigned long lines = bench_count(1000000, 100000) / way->divide, i;
	struct bench_figure figure = {
	    .group = "3. CPU time of a million lines",
	    .name = way->name,
	    .kind = "caller and console together",
	    .unit = "seconds",
	    .cpus = "all",
	    .calls = lines,
	    .tags = "\"scenario\": \"cpu\"",
	};
	struct lpk_console *console;
	double all, own;
	char path[320];

	bench_progress("CPU: %s", way->name);
	console = start_way(way, path, sizeof(path));
	all = cpu_s(CLOCK_PROCESS_CPUTIME_ID);
	own = cpu_s(CLOCK_THREAD_CPUTIME_ID);
	for (i = 0; i < lines; i++) {
		way->call(i);
		if (console != NULL && i % 8192 == 0)
			hold(console, i);
	}
	own = cpu_s(CLOCK_THREAD_CPUTIME_ID) - own;
	lpk_flush(UINT64_MAX, NULL);
	all = cpu_s(CLOCK_PROCESS_CPUTIME_ID) - all;
	if (console != NULL) {
		lpk_console_unregister(console, UINT64_MAX);
		figure.lost = console->last.lost;
		lpk_console_free(console);
	}
	unlink(path);
	snprintf(names[name_count], sizeof(names[0]),
	    "of it the caller: %.3f s", own * 1e6 / (double)lines);
	figure.remark = names[name_count++];
	figure.values[0] = all * 1e6 / (double)lines;
	figure.values[1] = figure.values[2] = figure.values[0];
	bench_add(&figure);
}

int
main(void)
{
	static const struct way ways[] = {
	    {"ring alone", "", LPK_MODE_POLL, numbers, 1},
	    {"deferred, console on null", "null:%.0s", LPK_MODE_POLL, numbers,
		1},
	    {"deferred, console on a file", "file:%s", LPK_MODE_POLL, numbers,
		1},
	    {"text made by the caller, console on a file", "file:%s",
		LPK_MODE_POLL, as_text, 1},
	    {"direct, console on a file", "file:%s", LPK_MODE_DIRECT, numbers,
		5},
	};
	size_t i;

	bench_init("cost");
	bench_note("memory: bytes of a ring that has gone round, by the "
		   "records that it holds; a record of numbers is \"%s\"",
	    NUMBERS);
	bench_note("sleep: voluntary context switches of all threads but the "
		   "measuring one, 0.3 s after the last line on");
	bench_note("CPU: of the whole process, the pacing of the caller "
		   "included; files on %s",
	    bench_tmpfs());
	lpk_thread_set_lane(0);
	measure_bytes("text without arguments", no_arguments);
	measure_bytes("int, int64, double", numbers);
	measure_bytes("int, string of 50 bytes", long_string);
	measure_bytes("int, int64, double, text made by the caller", as_text);
	sleep_cases();
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		bench_speed_probe();
		measure_cpu(&ways[i]);
	}
	return bench_report();
}
