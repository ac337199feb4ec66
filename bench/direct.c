/* SPDX-License-Identifier: MIT */
/*
 * direct.c - direct against deferred: the same lines at the same rates, onto
 * the same consoles, once printed by whoever logs them, once by the console's
 * thread; and by snprintf(3) and write(2), as a program without a logger does.
 *
 * Three things of each: what a call costs its caller, how long until a reader
 * of the console has the line, and what is lost.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/hosted.h>
#include <lpk/printk.h>

#include "lib_load.h"
#include "lib_sink.h"

#define CELLS_MAX 200
#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)

/* As the default log. */
LPK_LOG_DEFINE(ring, 65536, 32, 2);

enum mode { DIRECT, DEFERRED, BY_WRITE };

static const char *const mode_names[] = {"direct", "deferred", "write(2)"};

struct place {
	const char *group;
	const char *name; /* in tags */
	enum bench_sink_kind kind;
	unsigned int baud;
	bool by_write; /* write(2) means something there */
	bool hangs;
};

static const struct place places[] = {
    {"1. A file", "file", BENCH_FILE, 0, true, false},
    {"2. A pipe", "pipe", BENCH_PIPE, 0, true, false},
    {"3. A terminal", "terminal", BENCH_TERMINAL, 0, true, false},
    {"4. A serial line, 115200 baud", "serial 115200", BENCH_SERIAL, 115200,
	false, false},
    {"5. A serial line, 9600 baud", "serial 9600", BENCH_SERIAL, 9600, false,
	false},
    {"6. A pipe whose reader stops", "hung", BENCH_PIPE, 0, true, true},
};

#define PLACES (sizeof(places) / sizeof(places[0]))

/* One measurement. */
struct cell {
	const struct place *place;
	enum mode mode;
	struct bench_load load;
	uint64_t hang_ns;
	uint64_t patience_ns; /* for what is not printed at the end */
	struct bench_load_result made;
	struct bench_hist visible;
	uint64_t lines; /* that the reader got */
	uint64_t told;  /* losses that it was told of */
	uint64_t torn;
	uint64_t printed;
	uint64_t lost;
	uint64_t dropped;
	uint64_t left; /* in the ring when patience ended */
	double drain_s;
	bool agree;
	char name[64];
	char kinds[2][48];
	char remark[160];
	char tags[2][400];
};

static struct bench_reader *reader;
static struct cell *cells[CELLS_MAX];
static size_t cell_count;
static unsigned int disagreements, open_ends;

/* ------------------------------------------------------------------------
 * The calls
 */

static int output = -1;

static void
log_line(unsigned int source, unsigned int number, uint64_t ticks)
{
	lpk_printk_to(&ring, LPK_INFO, BENCH_LINE,
	    BENCH_LINE_ARGS(source, number, ticks));
}

static void
write_line(unsigned int source, unsigned int number, uint64_t ticks)
{
	uint64_t now = bench_now_ns();
	char line[128];
	int length;

	length = snprintf(line, sizeof(line), BENCH_PREFIX BENCH_LINE "\n",
	    (unsigned long long)(now / SECOND),
	    (unsigned long long)(now % SECOND / 1000),
	    BENCH_LINE_ARGS(source, number, ticks));
	/* Without an output, in the warm-up: fails. */
	(void)!write(output, line, (size_t)length);
}

/* ------------------------------------------------------------------------
 * The consoles
 */

/*
 * The serial driver waits, when it prints direct, until the line has all of
 * it; it asks the kernel, and of a pseudo-terminal the kernel says 0. Our
 * reader knows better.
 */
static struct bench_sink *line_sink;
static uint64_t line_sent;

static int
line_count(int result)
{
	if (result > 0)
		line_sent += (uint64_t)result;
	return result;
}

static int
line_write(struct lpk_console *console, struct lpk_batch *batch)
{
	return line_count(lpk_serial_driver.write(console, batch));
}

static int
line_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	int result =
	    line_count(lpk_serial_driver.write_on_panic(console, batch));
	struct timespec pause = {.tv_nsec = 50000};

	while (bench_sink_taken(line_sink) < line_sent &&
	    lpk_now_ns() < batch->deadline_ns) {
		if (!lpk_console_exit_unsafe(batch))
			break;
		nanosleep(&pause, NULL);
		if (!lpk_console_enter_unsafe(batch))
			break;
	}
	return result;
}

static struct lpk_console *
start_console(struct cell *cell, struct bench_sink *sink)
{
	static struct lpk_console_driver line_driver;
	struct lpk_console *console;
	char words[600], error[256];

	if (cell->place->kind == BENCH_FILE)
		snprintf(
		    words, sizeof(words), "file:%s,start=next", sink->path);
	else if (cell->place->kind == BENCH_SERIAL)
		snprintf(words, sizeof(words), "serial:%s,%un8,start=next",
		    sink->path, cell->place->baud);
	else
		snprintf(words, sizeof(words), "fd:%d,journal=no,start=next",
		    sink->fd);
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK)
		bench_die(error);
	if (cell->place->kind == BENCH_SERIAL) {
		line_driver = lpk_serial_driver;
		line_driver.write = line_write;
		line_driver.write_on_panic = line_write_on_panic;
		console->driver = &line_driver;
		line_sink = sink;
		line_sent = 0;
	}
	console->log = &ring;
	console->mode = cell->mode == DIRECT ? LPK_MODE_DIRECT : LPK_MODE_POLL;
	bench_pin(bench_cpus() - 1);
	if (lpk_console_register(console) != LPK_OK)
		bench_die("lpk_console_register");
	bench_pin(0);
	return console;
}

/* What there is to say about a cell once all is quiet. */
static void
account(struct cell *cell, const struct bench_tally *tally)
{
	uint64_t last = tally->last, ended = cell->made.ended;

	cell->visible = tally->visible;
	cell->lines = tally->lines;
	cell->told = tally->told;
	cell->torn = tally->torn;
	if ((int64_t)(last - ended) > 0)
		cell->drain_s = (double)(last - ended) * bench_clock.ns / 1e9;
	cell->agree = cell->torn == 0 &&
	    (cell->left != 0 ||
		(cell->lines + cell->told == cell->made.calls &&
		    cell->told == cell->lost + cell->dropped));
	disagreements += !cell->agree;
	open_ends += cell->left != 0;
	if (!cell->agree)
		bench_note("* accounts do not agree: %s, %s, %s: %.0f calls, "
			   "%.0f lines, %.0f told, %.0f lost, %.0f dropped, "
			   "%.0f torn %s",
		    cell->place->group, cell->name, mode_names[cell->mode],
		    (double)cell->made.calls, (double)cell->lines,
		    (double)cell->told, (double)cell->lost,
		    (double)cell->dropped, (double)cell->torn,
		    tally->torn_line);
}

static void
run_logged(struct cell *cell, struct bench_sink *sink)
{
	struct lpk_log_stats before, after;
	struct lpk_console_stats stats;
	struct lpk_console *console;
	const struct bench_tally *tally;
	int flushed;

	bench_load_prepare(&cell->load);
	console = start_console(cell, sink);
	lpk_log_stats(&ring, &before);
	if (cell->hang_ns != 0)
		bench_sink_hang(sink, bench_now_ns() + 200 * MS,
		    bench_now_ns() + 200 * MS + cell->hang_ns);
	bench_load_run(&cell->made);
	flushed = lpk_console_flush(console, lpk_now_ns() + cell->patience_ns);
	lpk_console_stats(console, &stats);
	if (flushed != LPK_OK)
		cell->left = stats.lag_records;
	tally = bench_sink_end(sink, flushed == LPK_OK ? stats.printed : 0);
	lpk_log_stats(&ring, &after);
	cell->printed = stats.printed;
	cell->lost = stats.lost;
	cell->dropped = after.dropped - before.dropped;
	account(cell, tally);
	lpk_console_unregister(console, lpk_now_ns());
	lpk_console_free(console);
}

static void
run_written(struct cell *cell, struct bench_sink *sink)
{
	bench_load_prepare(&cell->load);
	if (cell->hang_ns != 0)
		bench_sink_hang(sink, bench_now_ns() + 200 * MS,
		    bench_now_ns() + 200 * MS + cell->hang_ns);
	output = sink->fd;
	bench_load_run(&cell->made);
	output = -1;
	account(cell, bench_sink_end(sink, cell->made.calls));
}

static void
describe(struct cell *cell)
{
	const struct bench_load *load = &cell->load;
	const char *plural = load->producers == 1 ? "" : "s";

	if (load->most != 0)
		snprintf(cell->name, sizeof(cell->name),
		    "%u producer%s, %lu lines at once", load->producers, plural,
		    load->most);
	else if (load->rate > 0)
		snprintf(cell->name, sizeof(cell->name),
		    "%u producer%s, %.0f lines/s", load->producers, plural,
		    load->rate);
	else
		snprintf(cell->name, sizeof(cell->name),
		    "%u producer%s, flat out", load->producers, plural);
	snprintf(cell->kinds[0], sizeof(cell->kinds[0]), "%s, a call",
	    mode_names[cell->mode]);
	snprintf(cell->kinds[1], sizeof(cell->kinds[1]), "%s, until visible",
	    mode_names[cell->mode]);
}

static void
run_cell(struct cell *cell)
{
	struct bench_sink sink;

	bench_progress("%s: %s, %s", cell->place->group, cell->name,
	    mode_names[cell->mode]);
	bench_speed_probe();
	bench_sink_open(&sink, reader, cell->place->kind, cell->place->baud);
	/* Or it holds a second's worth of lines. */
	if (cell->place->hangs && fcntl(sink.fd, F_SETPIPE_SZ, PIPE_BUF) < 0)
		bench_die("F_SETPIPE_SZ");
	if (cell->mode == BY_WRITE)
		run_written(cell, &sink);
	else
		run_logged(cell, &sink);
	bench_sink_close(&sink);
}

/* ------------------------------------------------------------------------
 * The report
 */

static void
tag(struct cell *cell, int which, double rate)
{
	snprintf(cell->tags[which], sizeof(cell->tags[which]),
	    "\"scenario\": \"direct\", \"place\": \"%s\", \"mode\": \"%s\", "
	    "\"what\": \"%s\", \"producers\": %u, \"offered\": %.0f, "
	    "\"burst\": %lu, \"made\": %.1f, \"told\": %.0f, \"left\": %.0f, "
	    "\"torn\": %.0f, \"drain_s\": %.6f, \"agree\": %s",
	    cell->place->name, mode_names[cell->mode],
	    which == 0 ? "call" : "visible", cell->load.producers,
	    cell->load.rate, cell->load.most, rate, (double)cell->told,
	    (double)cell->left, (double)cell->torn, cell->drain_s,
	    cell->agree ? "true" : "false");
}

static void
remark(struct cell *cell, double rate)
{
	size_t at = 0;

	if (cell->load.rate == 0 || rate < 0.95 * cell->load.rate)
		at += (size_t)snprintf(
		    cell->remark, sizeof(cell->remark), "%.0f calls/s; ", rate);
	if (cell->left != 0)
		snprintf(cell->remark + at, sizeof(cell->remark) - at,
		    "%.0f still in the ring after %.1f s", (double)cell->left,
		    (double)cell->patience_ns / 1e9);
	else
		snprintf(cell->remark + at, sizeof(cell->remark) - at,
		    "all out %.2f ms after the last call",
		    cell->drain_s * 1000);
}

static void
report(struct cell *cell)
{
	double seconds =
	    (double)(cell->made.ended_ns - cell->made.began_ns) / 1e9;
	double rate = (double)cell->made.calls / seconds;
	struct bench_figure figure = {
	    .group = cell->place->group,
	    .name = cell->name,
	    .kind = cell->kinds[0],
	    .hist = &cell->made.call,
	    .per = 1,
	    .cpus = cell->load.producers == 1 ? "0" : "all",
	    .remark = cell->remark,
	    .tags = cell->tags[0],
	    .curve = true,
	    .calls = cell->made.calls,
	    .lost = cell->lost,
	    .dropped = cell->dropped,
	    .usage = cell->made.usage,
	};

	tag(cell, 0, rate);
	tag(cell, 1, rate);
	remark(cell, rate);
	bench_add(&figure);
	figure.kind = cell->kinds[1];
	figure.hist = &cell->visible;
	figure.remark = NULL;
	figure.tags = cell->tags[1];
	memset(&figure.usage, 0, sizeof(figure.usage));
	bench_add(&figure);
}

/* ------------------------------------------------------------------------
 * The plan
 */

static struct cell *
plan(const struct place *place, enum mode mode, unsigned int producers,
    double rate, uint64_t ns)
{
	struct cell *cell;

	if (cell_count == CELLS_MAX)
		bench_die("CELLS_MAX");
	cell = bench_alloc(sizeof(*cell));
	cell->place = place;
	cell->mode = mode;
	cell->load.call = mode == BY_WRITE ? write_line : log_line;
	cell->load.producers = producers;
	cell->load.rate = rate;
	cell->load.ns = ns;
	cell->patience_ns = bench_count(300, 100) * MS;
	cells[cell_count++] = cell;
	return cell;
}

static void
plan_rates(const struct place *place)
{
	static const double rates[] = {100, 1000, 10000, 0};
	static const unsigned int producers[] = {1, 2, 4, 16};
	uint64_t ns;
	size_t p, r;

	for (p = 0; p < 4; p++) {
		if (bench_options.quick && p != 0 && p != 2)
			continue;
		ns = bench_count(p == 0 ? 700 : 300, p == 0 ? 150 : 100) * MS;
		for (r = 0; r < 4; r++) {
			if (bench_options.quick && r != 1 && r != 3)
				continue;
			/* A hundred a second is few for many producers. */
			if (p != 0 && r == 0)
				continue;
			plan(place, DIRECT, producers[p], rates[r], ns);
			plan(place, DEFERRED, producers[p], rates[r], ns);
			if (p == 0 && place->by_write)
				plan(place, BY_WRITE, 1, rates[r], ns);
		}
	}
}

static void
plan_burst(const struct place *place)
{
	/* A serial line takes its time. */
	unsigned long lines =
	    place->baud != 0 ? bench_count(50, 10) : bench_count(100, 50);
	struct cell *cell;
	int mode;

	for (mode = DIRECT; mode <= BY_WRITE; mode++) {
		if (mode == BY_WRITE && !place->by_write)
			continue;
		cell = plan(place, (enum mode)mode, 1, 0, 0);
		cell->load.most = lines;
		cell->patience_ns = 60 * SECOND;
	}
}

static void
plan_hang(const struct place *place)
{
	uint64_t hang_ns = bench_count(10000, 1000) * MS;
	unsigned int producers;
	struct cell *cell;
	int mode;

	for (producers = 1; producers <= 4; producers += 3) {
		if (producers != 1 && bench_options.quick)
			continue;
		for (mode = DIRECT; mode <= BY_WRITE; mode++) {
			if (mode == BY_WRITE && producers != 1)
				continue;
			cell = plan(place, (enum mode)mode, producers, 1000,
			    hang_ns + 400 * MS);
			cell->hang_ns = hang_ns;
			cell->patience_ns = 20 * SECOND;
		}
	}
}

static void
notes(void)
{
	bench_note("the line is \"%s\" with the console's prefix, "
		   "61 bytes; the ring is 2 MiB, as the default log",
	    BENCH_LINE);
	bench_note("warm-up: the ring has gone round; each producer makes %d "
		   "calls before the console is there",
	    BENCH_LOAD_WARM_UP);
	bench_note("until visible: from the call until another process has "
		   "read the line; a file is looked at every 0.05 ms, a serial "
		   "line's byte is there when its last bit would be");
	bench_note("console thread and reader on the last CPU, producer i on "
		   "CPU i modulo their number; write(2): snprintf and write by "
		   "the caller");
	bench_note("a serial line's direct caller waits until it has all of "
		   "the line, as with a UART; a rate is an offer: who is held "
		   "up makes up for it afterwards");
	bench_note("accounts: of %zu runs %u do not agree (calls = lines read "
		   "+ losses told, none torn); %u had records left in the ring "
		   "when they ended",
	    cell_count, disagreements, open_ends);
}

int
main(void)
{
	size_t i;

	reader = bench_reader_start();
	bench_init("direct");
	for (i = 0; i < PLACES; i++) {
		if (places[i].hangs) {
			plan_hang(&places[i]);
			continue;
		}
		plan_rates(&places[i]);
		plan_burst(&places[i]);
	}
	lpk_thread_set_lane(0);
	for (i = 0; i < 100000; i++)
		log_line(BENCH_SOURCES - 1, (unsigned int)i, 0);
	for (i = 0; i < cell_count; i++) {
		describe(cells[i]);
		run_cell(cells[i]);
	}
	for (i = 0; i < cell_count; i++)
		report(cells[i]);
	notes();
	return bench_report();
}
