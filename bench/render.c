/* SPDX-License-Identifier: MIT */
/*
 * render.c - lines a second. From end to end: backend_total_time of the
 * published harness, the clock runs from the first call until flush returns.
 * And without a producer: a full ring is read, rendered, written.
 *
 * No record may be lost, so the producer is bounded: every 256 calls it looks
 * at the console's count, and sleeps while more than half of the ring is not
 * printed yet: the console may share its core. The others write the same lines to the same kind of file.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/hosted.h>
#include <lpk/printk.h>

#include "lib_bench.h"

#define MESSAGE "Iteration: %d int: %d double: %f"
#define BLOCK_BYTES 65536
#define BLOCKS 128
#define ROUNDS_MAX 5
#define RUNS_MAX 16
#define LOOK 256

LPK_LOG_DEFINE(ring, BLOCK_BYTES, BLOCKS, 2);

/* More than a deferred record of this message takes. */
#define HALF_OF_RING ((uint64_t)BLOCK_BYTES * BLOCKS / 2 / 64)

struct run {
	const char *name;
	const char *note;
	const char *cpus;
	double target; /* lines a second */
	/* Returns lines a second. */
	double (*measure)(struct run *run);
	const char *folder; /* NULL: /dev/null */
	double rates[ROUNDS_MAX];
	uint64_t calls;
	uint64_t lost;
	uint64_t file_bytes;
	struct bench_usage usage;
	uint64_t cpu_ns; /* of the measuring thread */
};

static unsigned long lines_wanted;

static double
per_second(double count, uint64_t ns)
{
	return count * 1e9 / (double)ns;
}

static uint64_t
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The measured part of a run, of this thread. */
struct span {
	struct bench_usage usage;
	uint64_t cpu;
	uint64_t begin;
};

static void
span_begin(struct span *span)
{
	bench_usage_now(&span->usage);
	span->cpu = cpu_ns();
	span->begin = bench_now_ns();
}

/* Returns its ns. */
static uint64_t
span_end(const struct span *span, struct run *run, uint64_t calls)
{
	uint64_t ns = bench_now_ns() - span->begin;

	run->cpu_ns += cpu_ns() - span->cpu;
	run->calls += calls;
	bench_usage_add(&run->usage, &span->usage);
	return ns;
}

static int
open_output(const char *folder)
{
	char path[512];
	int fd;

	if (folder == NULL)
		return open("/dev/null", O_WRONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/lpk-bench-XXXXXX", folder);
	fd = mkstemp(path);
	if (fd < 0)
		bench_die(path);
	unlink(path);
	return fd;
}

static void
close_output(struct run *run, int fd)
{
	struct stat about;

	if (run->folder != NULL && fstat(fd, &about) == 0)
		run->file_bytes = (uint64_t)about.st_size;
	close(fd);
}

static uint64_t
printed(struct lpk_console *console)
{
	struct lpk_console_stats stats;

	lpk_console_stats(console, &stats);
	return stats.printed;
}

static void
produce(struct lpk_console *console, unsigned long count)
{
	const struct timespec wait = {.tv_nsec = 100000};
	unsigned long i;

	for (i = 0; i < count; i++) {
		lpk_printk_to(&ring, LPK_INFO, MESSAGE, (int)i, 2 * (int)i,
		    (double)i / 2);
		if (i % LOOK != 0)
			continue;
		/* This one may have been printed, too. */
		while (i + 1 - printed(console) > HALF_OF_RING)
			nanosleep(&wait, NULL);
	}
}

static double
end_to_end(struct run *run)
{
	struct lpk_console console;
	struct lpk_console_stats stats;
	struct lpk_log_stats before, after;
	struct span span;
	int fd = open_output(run->folder);
	uint64_t ns;

	if (lpk_fd_console(&console, fd) != LPK_OK)
		bench_die("lpk_fd_console");
	console.log = &ring;
	console.start = LPK_SEEK_NEXT;
	bench_pin(1);
	if (lpk_console_register(&console) != LPK_OK)
		bench_die("lpk_console_start");
	bench_pin(0);
	lpk_log_stats(&ring, &before);
	span_begin(&span);
	produce(&console, lines_wanted);
	if (lpk_console_flush(&console, span.begin + 300000000000) != LPK_OK)
		bench_die("lpk_console_flush");
	ns = span_end(&span, run, lines_wanted);
	lpk_log_stats(&ring, &after);
	lpk_console_stats(&console, &stats);
	lpk_console_unregister(&console, UINT64_MAX);
	close_output(run, fd);
	run->lost += lines_wanted - stats.printed;
	if (after.dropped != before.dropped)
		bench_note("%s: %.0f dropped", run->name,
		    (double)(after.dropped - before.dropped));
	return per_second((double)stats.printed, ns);
}

/* ------------------------------------------------------------------------
 * Without a producer
 */

static void
fill(void)
{
	unsigned long i;

	for (i = 0; i < 2 * HALF_OF_RING * 2; i++)
		lpk_printk_to(&ring, LPK_INFO, MESSAGE, (int)i, 2 * (int)i,
		    (double)i / 2);
}

/* Read all that the ring has; render when wanted, and write likewise. */
static uint64_t
drain_once(struct lpk_reader *reader, bool render, int fd)
{
	static char text[LPK_TEXT_MAX + 2], lines[65536 + 4096];
	struct lpk_record record;
	uint64_t count = 0;
	size_t bytes = 0;
	int result;

	for (;;) {
		result = lpk_reader_next(reader, &record, text, sizeof(text));
		if (result == -LPK_EPIPE)
			continue;
		if (result != LPK_OK)
			break;
		count++;
		if (render)
			bytes += lpk_record_print(
			    &record, text, LPK_STYLE_TEXT, lines + bytes, 4096);
		if (bytes < 65536)
			continue;
		if (fd >= 0 && write(fd, lines, bytes) != (ssize_t)bytes)
			bench_die("write");
		bytes = 0;
	}
	if (fd >= 0 && bytes != 0 && write(fd, lines, bytes) != (ssize_t)bytes)
		bench_die("write");
	return count;
}

static double
drain(struct run *run, bool render, int fd)
{
	struct lpk_reader *reader = bench_alloc(sizeof(*reader));
	struct span span;
	uint64_t count = 0, ns;

	fill();
	span_begin(&span);
	while (count < lines_wanted / 2) {
		if (lpk_reader_open(reader, &ring, LPK_SEEK_OLDEST) != LPK_OK)
			bench_die("lpk_reader_open");
		count += drain_once(reader, render, fd);
	}
	ns = span_end(&span, run, count);
	free(reader);
	return per_second((double)count, ns);
}

static double
drain_next(struct run *run)
{
	return drain(run, false, -1);
}

static double
drain_print(struct run *run)
{
	return drain(run, true, -1);
}

static double
drain_write(struct run *run)
{
	int fd = open_output(run->folder);
	double rate = drain(run, true, fd);

	close_output(run, fd);
	return rate;
}

/* ------------------------------------------------------------------------
 * What else a program might do: a line of the same length, by the caller.
 */

#define LINE "[    5.123456] " MESSAGE "\n"

static double
by_fprintf(struct run *run)
{
	FILE *to = fdopen(open_output(run->folder), "w");
	struct span span;
	unsigned long i;
	uint64_t ns;

	if (to == NULL)
		bench_die("fdopen");
	setvbuf(to, NULL, _IOFBF, 65536);
	span_begin(&span);
	for (i = 0; i < lines_wanted; i++)
		fprintf(to, LINE, (int)i, 2 * (int)i, (double)i / 2);
	fflush(to);
	ns = span_end(&span, run, lines_wanted);
	fclose(to);
	return per_second((double)lines_wanted, ns);
}

static double
by_write(struct run *run)
{
	unsigned long i, count = lines_wanted / 4;
	int fd = open_output(run->folder);
	struct span span;
	uint64_t ns;
	char line[128];
	int length;

	span_begin(&span);
	for (i = 0; i < count; i++) {
		length = snprintf(line, sizeof(line), LINE, (int)i, 2 * (int)i,
		    (double)i / 2);
		if (write(fd, line, (size_t)length) != length)
			bench_die("write");
	}
	ns = span_end(&span, run, count);
	close(fd);
	return per_second((double)count, ns);
}

/* ------------------------------------------------------------------------ */

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
report(struct run *run, unsigned long rounds)
{
	static char notes[RUNS_MAX][160];
	static size_t used;
	struct bench_figure figure = {
	    .group = "6. Rendering: \"" MESSAGE "\"",
	    .name = run->name,
	    .kind = "median of the rounds",
	    .unit = "lines/s",
	    .cpus = run->cpus,
	    .calls = run->calls,
	    .lost = run->lost,
	    .usage = run->usage,
	    .targets = {{BENCH_VALUE, run->target, true}},
	};

	qsort(run->rates, rounds, sizeof(double), by_value);
	figure.values[0] = run->rates[rounds / 2];
	figure.values[1] = run->rates[0];
	figure.values[2] = run->rates[rounds - 1];
	snprintf(notes[used], sizeof(notes[0]),
	    "%s, %.1f ns a line, %.1f ns of CPU 0", run->note,
	    1e9 / figure.values[0], (double)run->cpu_ns / (double)run->calls);
	if (run->file_bytes != 0)
		snprintf(notes[used] + strlen(notes[used]), 40, ", %.0f MB",
		    (double)run->file_bytes / 1e6);
	figure.note = notes[used++];
	bench_add(&figure);
}

int
main(void)
{
	struct run runs[] = {
	    {"end to end, /dev/null", "console thread on the other CPU", "0+1",
		5e6, end_to_end, NULL, .calls = 0},
	    {"end to end, tmpfs", "console thread on the other CPU", "0+1", 5e6,
		end_to_end, "", .calls = 0},
	    {"end to end, disk", "console thread on the other CPU", "0+1", 5e6,
		end_to_end, "", .calls = 0},
	    {"read", "reader alone, text rendered, no line", "0", 0, drain_next,
		NULL, .calls = 0},
	    {"read, print", "and the line with its prefix", "0", 0, drain_print,
		NULL, .calls = 0},
	    {"read, print, write", "and written to tmpfs in 64 KiB", "0", 0,
		drain_write, "", .calls = 0},
	    {"fprintf, tmpfs", "64 KiB buffer", "0", 0, by_fprintf, "",
		.calls = 0},
	    {"snprintf and write(2), tmpfs", "a call a line", "0", 0, by_write,
		"", .calls = 0},
	};
	const size_t count = sizeof(runs) / sizeof(runs[0]);
	unsigned long rounds, round;
	size_t i;

	bench_init("render");
	rounds = bench_count(3, 1);
	lines_wanted = bench_count(4000000, 1000000);
	bench_note("%lu lines a round, from the first call until flush "
		   "returns; the producer sleeps while more than half of the "
		   "ring (8 MiB) is not printed",
	    lines_wanted);
	bench_note("warm-up: the ring goes round twice");
	lpk_thread_set_lane(0);
	fill();
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < count; i++) {
			if (runs[i].folder != NULL)
				runs[i].folder = strstr(runs[i].name, "disk") ?
				    bench_options.out :
				    bench_tmpfs();
			bench_progress("round %lu of %lu: %s", round + 1,
			    rounds, runs[i].name);
			bench_speed_probe();
			runs[i].rates[round] = runs[i].measure(&runs[i]);
		}
	}
	for (i = 0; i < count; i++)
		report(&runs[i], rounds);
	bench_ratio("end to end, tmpfs", "fprintf, tmpfs");
	bench_ratio("end to end, tmpfs", "snprintf and write(2), tmpfs");
	return bench_report();
}
