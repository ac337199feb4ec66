/* SPDX-License-Identifier: MIT */
/*
 * calls.c - what a call costs its caller: the bare ring, text, deferred and
 * disabled calls, and beside them what else such a program might do.
 *
 * The ring holds its newest 2 MiB (the default log) and overwrites: no reader
 * runs unless the case says so, and no record is lost before it is stored.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/hosted.h>
#include <lpk/port.h>
#include <lpk/printk.h>

#include "core/ring.h"
#include "core/words.h"
#include "lib_cases.h"
#include "lpk_atomic.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The message of the published harness, and its longer one. */
#define MESSAGE "Logging int: %d, int: %lld, double: %f"
#define LONG_MESSAGE "Logging int: %d, int: %lld, string: %s"

/* What NULL means; named, because the cases are constants. */
extern struct lpk_log lpk__default_log;
#define DEFAULT_LOG (&lpk__default_log)

LPK_LOG_DEFINE(ring_log, 65536, 32, 4);

static char forty[] = "Lorem ipsum dolor sit amet, consectetur";
static unsigned long shared_word;
static FILE *stream;
static int output = -1;
static char line[128];
static size_t line_bytes;

/* Each thread its own, a cache line apart. */
static __thread LPK_ALIGNED(LPK_CACHE_LINE) unsigned long own_word;

static inline void
ring_call(int64_t wide)
{
	uint64_t bytes[6] = {(uint64_t)wide, 1, 2, 3, 4, 5};
	struct lpk__slot slot;

	if (!lpk__ring_reserve(&ring_log, bench_lane, 6, &slot))
		return;
	lpk__words_write(slot.words, bytes, sizeof(bytes));
	lpk__ring_commit(&slot);
}

/*
 * The least that a ring of many writers can do: a time stamp, an addition, and
 * as many bytes as a deferred record of three arguments has.
 */
#define LEAST_WORDS (1ul << 18)
static struct {
	LPK_ALIGNED(LPK_CACHE_LINE) unsigned long used;
	LPK_ALIGNED(LPK_CACHE_LINE) unsigned long words[LEAST_WORDS + 8];
} least_lanes[2];

static inline void
least_call(int64_t wide)
{
	uint64_t time = lpk_port_clock();
	unsigned long at =
	    lpk_fetch_add_acquire(&least_lanes[bench_lane].used, 5);
	volatile unsigned long *words =
	    &least_lanes[bench_lane].words[at % LEAST_WORDS];
	int i;

	words[0] = (unsigned long)time;
	for (i = 1; i < 5; i++)
		words[i] = (unsigned long)wide;
}

BENCH_CALL(empty, )
BENCH_CALL(least, least_call(wide))
BENCH_CALL(ring, ring_call(wide))
BENCH_CALL(
    text, lpk_write(NULL, LPK_INFO, MESSAGE, integer, (long long)wide, real))
BENCH_CALL(words, lpk_info(MESSAGE, integer, (long long)wide, real))
BENCH_CALL(string, lpk_info(LONG_MESSAGE, integer, (long long)wide, forty))
BENCH_CALL(disabled, lpk_debug(MESSAGE, integer, (long long)wide, real))
BENCH_CALL(ticks, (void)bench_ticks())
BENCH_CALL(stamp, (void)lpk_port_clock())
BENCH_CALL(clock, struct timespec now; clock_gettime(CLOCK_MONOTONIC, &now))
BENCH_CALL(add_own, (void)lpk_fetch_add_acquire(&own_word, 1))
BENCH_CALL(add_shared, (void)lpk_fetch_add_acquire(&shared_word, 1))
BENCH_CALL(formatted,
    snprintf(line, sizeof(line), MESSAGE "\n", integer, (long long)wide, real))
BENCH_CALL(
    streamed, fprintf(stream, MESSAGE "\n", integer, (long long)wide, real))
BENCH_CALL(written, (void)!write(output, line, line_bytes))

/* ------------------------------------------------------------------------
 * What a case needs around its turn
 */

static struct lpk_console console;

static void
console_begin(void)
{
	if (lpk_fd_console(&console, open("/dev/null", O_WRONLY)) != LPK_OK)
		bench_die("/dev/null");
	console.start = LPK_SEEK_NEXT;
	/* Threads begin on the CPU of who makes them. */
	bench_pin(1);
	if (lpk_console_register(&console) != LPK_OK)
		bench_die("console");
	bench_pin(0);
}

static uint64_t
console_end(void)
{
	struct lpk_console_stats stats;
	uint64_t in_a_minute = bench_now_ns() + 60000000000;
	int fd = (int)console.number;

	if (lpk_console_flush(&console, in_a_minute) != LPK_OK)
		bench_die("flush");
	lpk_console_stats(&console, &stats);
	lpk_console_unregister(&console, in_a_minute);
	close(fd);
	return stats.lost + stats.refused;
}

static void
file_begin(const char *folder)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/lpk-bench-XXXXXX", folder);
	output = mkstemp(path);
	if (output < 0)
		bench_die(path);
	unlink(path);
	line_bytes = (size_t)snprintf(line, sizeof(line),
	    "[    5.123456] " MESSAGE "\n", 12345, 37035ll, 6172.5);
}

static void
tmpfs_begin(void)
{
	file_begin(bench_tmpfs());
}

static void
disk_begin(void)
{
	file_begin(bench_options.out);
}

static uint64_t
file_end(void)
{
	close(output);
	output = -1;
	return 0;
}

static void
stream_begin(void)
{
	tmpfs_begin();
	stream = fdopen(output, "w");
	if (stream == NULL)
		bench_die("fdopen");
	setvbuf(stream, NULL, _IOFBF, 65536);
}

static uint64_t
stream_end(void)
{
	fclose(stream);
	return 0;
}

/* ------------------------------------------------------------------------
 * The cases
 */

#define AT_MOST(stat_, limit_)                                                 \
	{                                                                      \
		.stat = BENCH_##stat_, .limit = (limit_)                       \
	}
#define OF_THE_WORDS                                                           \
	.singles_target = {AT_MOST(P50, 12), AT_MOST(P999, 40)},               \
	.batches_target = AT_MOST(P50, 12), .bursts_target = AT_MOST(P50, 12)
#define P50_OF(limit)                                                          \
	.singles_target = {AT_MOST(P50, limit)},                               \
	.batches_target = AT_MOST(P50, limit),                                 \
	.bursts_target = AT_MOST(P50, limit)
#define MS 1000000

#define RING "1. The ring: reserve, copy 48 bytes, commit"
#define TEXT "2. Text: lpk_write(), int, int64, double"
#define OFF "3. A call below the level"
#define DEFERRED "5. Deferred: lpk_info(), int, int64, double"
#define OTHERS "7. For comparison, in the same rounds"

static const struct bench_case cases[] = {
    {RING, "ring, one thread", NULL, BENCH_USES(ring), .log = &ring_log,
	.pause_ns = BENCH_PAUSE_NS, P50_OF(20)},
    {RING, "ring, two threads on own lanes", NULL, BENCH_USES(ring),
	.threads = 2, .log = &ring_log, .bursts = 2000, .bursts_quick = 150,
	.pause_ns = BENCH_PAUSE_NS, P50_OF(20)},
    {RING, "ring, two threads on one lane", NULL, BENCH_USES(ring),
	.threads = 2, .one_lane = true, .log = &ring_log, .bursts = 2000,
	.bursts_quick = 150, .pause_ns = BENCH_PAUSE_NS, P50_OF(60)},
    {TEXT, "text", NULL, BENCH_USES(text), .log = DEFAULT_LOG,
	.pause_ns = BENCH_PAUSE_NS, P50_OF(150)},
    {OFF, "disabled", "the loop is in it", BENCH_USES(disabled), .batch = 1000,
	.no_singles = true, .batches_target = AT_MOST(P50, 1)},
    {OFF, "empty loop", NULL, BENCH_USES(empty), .batch = 1000,
	.no_singles = true},
    {DEFERRED, "deferred", NULL, BENCH_USES(words), .log = DEFAULT_LOG,
	.pause_ns = BENCH_PAUSE_NS, OF_THE_WORDS},
    {DEFERRED, "deferred, two threads on own lanes", NULL, BENCH_USES(words),
	.threads = 2, .log = DEFAULT_LOG, .pause_ns = BENCH_PAUSE_NS,
	OF_THE_WORDS},
    {DEFERRED, "deferred, two threads on one lane", NULL, BENCH_USES(words),
	.threads = 2, .one_lane = true, .log = DEFAULT_LOG,
	.pause_ns = BENCH_PAUSE_NS, P50_OF(50)},
    {DEFERRED, "deferred string", "int, int64, 39 bytes of text and a NUL",
	BENCH_USES(string), .log = DEFAULT_LOG, .pause_ns = BENCH_PAUSE_NS,
	P50_OF(18)},
    {DEFERRED, "deferred, short pauses", "no console", BENCH_USES(words),
	.log = DEFAULT_LOG, .warm_up = 2000, .no_singles = true,
	.no_batches = true, .pause_ns = 1 * MS,
	.bursts_target = AT_MOST(MEAN, 25)},
    {DEFERRED, "deferred, short pauses, console",
	"a console prints to /dev/null on the other CPU; pauses are shorter "
	"than it lingers",
	BENCH_USES(words), .log = DEFAULT_LOG, .begin = console_begin,
	.end = console_end, .warm_up = 2000, .no_singles = true,
	.no_batches = true, .pause_ns = 1 * MS,
	.bursts_target = AT_MOST(MEAN, 25)},
    {DEFERRED, "deferred, long pauses, console",
	"the console sleeps on its futex when the burst begins",
	BENCH_USES(words), .log = DEFAULT_LOG, .begin = console_begin,
	.end = console_end, .warm_up = 2000, .no_singles = true,
	.no_batches = true, .pause_ns = 40 * MS, .bursts = 250,
	.bursts_quick = 50},
    {OTHERS, "clock reading", BENCH_TICKS_NAME, BENCH_USES(ticks),
	.no_singles = true},
    {OTHERS, "time stamp", "lpk_port_clock(): each record takes one",
	BENCH_USES(stamp)},
    {OTHERS, "least", "time stamp, fetch-and-add, 40 bytes", BENCH_USES(least)},
    {OTHERS, "least, contended", "the same by two threads to one place",
	BENCH_USES(least), .threads = 2, .one_lane = true},
    {OTHERS, "clock_gettime", NULL, BENCH_USES(clock)},
    {OTHERS, "fetch-and-add", "uncontended", BENCH_USES(add_own)},
    {OTHERS, "fetch-and-add, contended", "two threads, one word",
	BENCH_USES(add_shared), .threads = 2},
    {OTHERS, "snprintf", "the C library's, same message", BENCH_USES(formatted),
	.bursts = 2000, .bursts_quick = 150, .pause_ns = BENCH_PAUSE_NS},
    {OTHERS, "fprintf", "same message, its lock, 64 KiB buffer, tmpfs",
	BENCH_USES(streamed), .begin = stream_begin, .end = stream_end,
	.bursts = 2000, .bursts_quick = 150, .pause_ns = BENCH_PAUSE_NS},
    {OTHERS, "write(2), tmpfs", "the rendered line", BENCH_USES(written),
	.begin = tmpfs_begin, .end = file_end, .bursts = 2000,
	.bursts_quick = 150, .pause_ns = BENCH_PAUSE_NS},
    {OTHERS, "write(2), disk", "the rendered line", BENCH_USES(written),
	.begin = disk_begin, .end = file_end},
};

/* ------------------------------------------------------------------------
 * Bytes a record: what the ring says it used, less the payload.
 */

LPK_LOG_DEFINE(bytes_log, 65536, 2, 1);

static void
one_text(unsigned int bytes)
{
	lpk_write(&bytes_log, LPK_INFO, "%.*s", (int)bytes,
	    "0123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789");
}

/* The state of the first block, which is large enough for all of this. */
static unsigned long
open_state(void)
{
	return lpk_load_relaxed(&lpk__block(&bytes_log, 0)->state);
}

static double
bytes_used(unsigned long from, unsigned long to)
{
	double units =
	    (double)((to & LPK__OFFSET_MASK) - (from & LPK__OFFSET_MASK));
	double records =
	    (double)((to >> LPK__OFFSET_BITS) - (from >> LPK__OFFSET_BITS));

	return (units * 8 + records * sizeof(uint32_t)) / records;
}

static void
add_bytes(const char *name, const char *note, double bytes, double limit)
{
	struct bench_figure figure = {
	    .group = "4. Metadata",
	    .name = name,
	    .kind = "beside the payload",
	    .unit = "bytes a record",
	    .values = {bytes, bytes, bytes},
	    .note = note,
	    .targets = {{.stat = BENCH_VALUE, .limit = limit}},
	};

	bench_add(&figure);
}

static void
measure_bytes(void)
{
	unsigned long before, after;
	unsigned int bytes, i;
	double padded = 0;

	one_text(4);
	before = open_state();
	for (i = 0; i < 100; i++)
		one_text(44);
	after = open_state();
	add_bytes(
	    "text", "head and commit word", bytes_used(before, after) - 44, 24);
	for (bytes = 1; bytes <= 80; bytes++) {
		before = open_state();
		one_text(bytes);
		padded += bytes_used(before, open_state()) - bytes;
	}
	add_bytes("text, rounded up", "mean over texts of 1 to 80 bytes",
	    padded / 80, 0);
	before = open_state();
	for (i = 0; i < 100; i++)
		lpk_printk_to(&bytes_log, LPK_INFO, MESSAGE, 1, 2ll, 3.0);
	after = open_state();
	add_bytes(
	    "deferred", "the same", bytes_used(before, after) - 3 * 8, 24);
}

int
main(void)
{
	bench_init("calls");
	bench_note("warm-up: %lu calls of each case before each of its turns; "
		   "the ring has gone round then",
	    (unsigned long)BENCH_WARM_UP);
	bench_note("single calls are no better than the step of the clock; "
		   "batches and bursts are, by their number of calls");
	bench_note("a batch's or a burst's sample is its time divided by its "
		   "calls");
	bench_note("lost: calls whose record was not stored, or not printed "
		   "where a console runs");
	bench_cases(cases, COUNT(cases));
	measure_bytes();
	bench_ratio("snprintf", "deferred");
	bench_ratio("fprintf", "deferred");
	bench_ratio("write(2), tmpfs", "deferred");
	bench_ratio("write(2), disk", "deferred");
	bench_ratio("text", "deferred");
	bench_ratio("text", "snprintf");
	bench_ratio("fprintf", "text");
	bench_ratio("deferred", "least");
	bench_ratio("deferred string", "least");
	bench_ratio("deferred, two threads on own lanes", "least");
	bench_ratio("deferred, two threads on one lane", "least, contended");
	return bench_report();
}
