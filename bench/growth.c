/* SPDX-License-Identifier: MIT */
/*
 * growth.c - what a call costs as things grow: the ring, the message, lanes,
 * consoles, readers, producers on one ring. Most should change nothing for the
 * caller; the table says where they do.
 *
 * Each row is measured in processes of its own, in turn with all the others,
 * so that nothing is left of one when the next begins.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/hosted.h>
#include <lpk/printk.h>

#include "lib_bench.h"
#include "lpk_atomic.h"

#define BATCH 20
#define THREADS_MAX 16
#define CONSOLES_MAX 8
#define READERS_MAX 8
#define ROUNDS 10
#define ROWS_MAX 64
/* A row this much dearer than the first of its group is not flat. */
#define NOT_FLAT 1.25

enum message { NUMBERS, STRING };

struct row {
	const char *group;
	const char *name;
	const char *unit; /* of what grows */
	unsigned int size;
	uint32_t block_bytes, blocks, lanes;
	unsigned int threads, consoles, readers;
	enum message message;
	unsigned int text_bytes;
	bool grows; /* and may */
};

/* What a child hands over. */
struct sample {
	struct bench_hist hist;
	struct bench_usage usage;
	uint64_t calls, stored;
	uint32_t done;
};

struct result {
	struct bench_hist hist;
	struct bench_usage usage;
	uint64_t calls, lost;
	double best;
	char name[48], remark[96], tags[160];
};

static struct row rows[ROWS_MAX];
static size_t row_count;
static struct result *results[ROWS_MAX];
static struct sample *sample;
static struct lpk_log ring;
static char string[1024];
static unsigned long ready, go;

/* ------------------------------------------------------------------------
 * A child
 */

static void
numbers(unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		lpk_printk_to(&ring, LPK_INFO,
		    "Logging int: %d, int64: %lld, double: %f", (int)i,
		    (long long)i * 3, (double)i / 2);
		bench_keep();
	}
}

static void
strings(unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		lpk_printk_to(&ring, LPK_INFO, "%s", string);
		bench_keep();
	}
}

struct worker {
	pthread_t thread;
	const struct row *row;
	unsigned int index;
	struct bench_hist hist;
	struct bench_usage usage;
};

static void *
work(void *argument)
{
	struct worker *self = argument;
	const struct row *row = self->row;
	void (*loop)(unsigned long) =
	    row->message == STRING ? strings : numbers;
	unsigned long batches = bench_count(4000, 600), i;
	struct bench_usage before;
	uint64_t begin;

	/* The last CPU is the consoles' and the readers', where there are. */
	bench_pin(row->consoles + row->readers != 0 ? 0 : self->index);
	lpk_thread_set_lane(self->index);
	bench_hist_clear(&self->hist);
	loop(2ul * row->block_bytes * row->blocks / 40 / row->threads + 10000);
	lpk_fetch_add_relaxed(&ready, 1);
	while (lpk_load_acquire(&go) == 0)
		sched_yield();
	bench_usage_now(&before);
	for (i = 0; i < batches; i++) {
		begin = bench_ticks();
		loop(BATCH);
		bench_hist_add(&self->hist, bench_ticks() - begin);
	}
	bench_usage_add(&self->usage, &before);
	return NULL;
}

static void *
read_all(void *argument)
{
	struct lpk_reader *reader = bench_alloc(sizeof(*reader));
	char *text = bench_alloc(LPK_TEXT_MAX + 2);
	struct lpk_record record;

	(void)argument;
	if (lpk_reader_open(reader, &ring, LPK_SEEK_NEXT) != LPK_OK)
		bench_die("lpk_reader_open");
	for (;;) {
		lpk_reader_wait(reader, UINT64_MAX);
		while (lpk_reader_next(reader, &record, text,
			   LPK_TEXT_MAX + 2) != -LPK_EAGAIN)
			;
	}
	return NULL;
}

static void
start_others(const struct row *row)
{
	static struct lpk_console consoles[CONSOLES_MAX];
	static pthread_t readers[READERS_MAX];
	unsigned int i;

	bench_pin(bench_cpus() - 1);
	for (i = 0; i < row->consoles; i++) {
		consoles[i].driver = &lpk_null_driver;
		consoles[i].log = &ring;
		if (lpk_console_register(&consoles[i]) != LPK_OK)
			bench_die("lpk_console_register");
	}
	for (i = 0; i < row->readers; i++) {
		if (pthread_create(&readers[i], NULL, read_all, NULL) != 0)
			bench_die("pthread_create");
	}
}

static void
be_a_row(const struct row *row)
{
	size_t bytes =
	    LPK_REGION_BYTES(row->block_bytes, row->blocks) + LPK_CACHE_LINE;
	static struct worker workers[THREADS_MAX];
	struct lpk_log_stats before, after;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	lpk_consoles_restart();
	if (lpk_log_init(&ring, "ring", bench_alloc(bytes), bytes,
		row->block_bytes, row->blocks, row->lanes) != LPK_OK)
		bench_die("lpk_log_init");
	memset(string, 'x', row->text_bytes);
	start_others(row);
	for (i = 0; i < row->threads; i++) {
		workers[i].row = row;
		workers[i].index = i;
		if (pthread_create(
			&workers[i].thread, NULL, work, &workers[i]) != 0)
			bench_die("pthread_create");
	}
	while (lpk_load_acquire(&ready) != row->threads)
		sched_yield();
	lpk_log_stats(&ring, &before);
	lpk_store_release(&go, 1);
	bench_hist_clear(&sample->hist);
	for (i = 0; i < row->threads; i++) {
		pthread_join(workers[i].thread, NULL);
		bench_hist_merge(&sample->hist, &workers[i].hist);
		sample->usage.minor_faults += workers[i].usage.minor_faults;
		sample->usage.major_faults += workers[i].usage.major_faults;
		sample->usage.preempted += workers[i].usage.preempted;
	}
	lpk_log_stats(&ring, &after);
	sample->calls = sample->hist.count * BATCH;
	sample->stored = after.stored - before.stored;
	sample->done = 1;
	_exit(0);
}

static void
run(size_t index)
{
	struct result *result = results[index];
	double median;
	pid_t child;

	memset(sample, 0, sizeof(*sample));
	child = fork();
	if (child < 0)
		bench_die("fork");
	if (child == 0)
		be_a_row(&rows[index]);
	waitpid(child, NULL, 0);
	if (!sample->done)
		bench_die(rows[index].group);
	bench_hist_merge(&result->hist, &sample->hist);
	result->usage.minor_faults += sample->usage.minor_faults;
	result->usage.major_faults += sample->usage.major_faults;
	result->usage.preempted += sample->usage.preempted;
	result->calls += sample->calls;
	result->lost += sample->calls - sample->stored;
	median = bench_hist_at(&sample->hist, 0.5);
	if (result->best == 0 || median < result->best)
		result->best = median;
}

/* ------------------------------------------------------------------------
 * The plan
 */

static struct row *
plan(const char *group, const char *unit, unsigned int size)
{
	struct row *row = &rows[row_count];

	results[row_count] = bench_alloc(sizeof(struct result));
	bench_hist_clear(&results[row_count++]->hist);
	*row = (struct row){
	    .group = group,
	    .unit = unit,
	    .size = size,
	    .block_bytes = 65536,
	    .blocks = 32,
	    .lanes = 1,
	    .threads = 1,
	};
	return row;
}

static void
plan_all(void)
{
	static const unsigned int counts[] = {0, 1, 2, 4, 8};
	static const unsigned int lanes[] = {1, 2, 4, 8, 16};
	static const unsigned int sizes[] = {0, 16, 64, 256, 512, 1000};
	struct row *row;
	unsigned int i;

	for (i = 0; i < 6; i++) {
		row = plan("1. The ring grows", "KiB", 16u << (2 * i));
		row->block_bytes = i == 0 ? 4096 : i == 1 ? 16384 : 65536;
		row->blocks = (16384u << (2 * i)) / row->block_bytes;
	}
	for (i = 0; i < 6; i++) {
		row = plan("2. The message grows (%s)", "bytes", sizes[i]);
		row->message = STRING;
		row->text_bytes = sizes[i];
		row->grows = true;
	}
	for (i = 0; i < 5; i++)
		plan("3. Lanes, 1 producer", "lanes", lanes[i])->lanes =
		    lanes[i];
	for (i = 0; i < 5; i++) {
		row = plan("4. Lanes, 2 producers", "lanes", lanes[i]);
		row->lanes = lanes[i];
		row->threads = 2;
	}
	for (i = 0; i < 5; i++) {
		row = plan("5. Producers, a lane each", "producers", lanes[i]);
		row->lanes = lanes[i];
		row->threads = lanes[i];
	}
	for (i = 0; i < 5; i++)
		plan("6. Consoles, on the other CPU", "consoles", counts[i])
		    ->consoles = counts[i];
	for (i = 0; i < 5; i++)
		plan("7. Readers, on the other CPU", "readers", counts[i])
		    ->readers = counts[i];
}

/* ------------------------------------------------------------------------
 * The report
 */

/* The median of all rounds: on a shared core the best one is luck. */
static double
median_ns(size_t index)
{
	double ticks = bench_hist_at(&results[index]->hist, 0.5);
	double ns = (ticks - bench_clock.overhead) * bench_clock.ns / BATCH;

	return ns > 0.1 ? ns : 0.1;
}

static void
report(size_t index, size_t first)
{
	struct result *result = results[index];
	const struct row *row = &rows[index];
	double ratio = median_ns(index) / median_ns(first);
	struct bench_figure figure = {
	    .group = row->group,
	    .name = result->name,
	    .kind = "batches of 20",
	    .hist = &result->hist,
	    .per = BATCH,
	    .best = result->best,
	    .cpus = row->threads > 1 ? "all" : "0",
	    .remark = result->remark,
	    .tags = result->tags,
	    .calls = result->calls,
	    .lost = result->lost,
	    .usage = result->usage,
	};

	snprintf(
	    result->name, sizeof(result->name), "%u %s", row->size, row->unit);
	snprintf(result->remark, sizeof(result->remark), "%.2f of the first%s",
	    ratio,
	    ratio <= NOT_FLAT ? "" :
		row->grows    ? "; may grow" :
				"; not flat");
	if (row->message == STRING && row->text_bytes != 0)
		snprintf(result->remark + strlen(result->remark), 40,
		    "; %.3f ns a byte more",
		    (median_ns(index) - median_ns(first)) / row->text_bytes);
	snprintf(result->tags, sizeof(result->tags),
	    "\"scenario\": \"growth\", \"what\": \"%s\", \"x\": %u, "
	    "\"flat\": %s, \"ratio\": %.3f",
	    row->group + 3, row->size, ratio <= NOT_FLAT ? "true" : "false",
	    ratio);
	bench_add(&figure);
}

/* One sentence for each group that is not flat where it should be. */
static void
note_growth(size_t first, size_t end)
{
	double most = 1;
	size_t i, worst = first;

	for (i = first; i < end; i++) {
		if (median_ns(i) / median_ns(first) > most) {
			most = median_ns(i) / median_ns(first);
			worst = i;
		}
	}
	if (most > NOT_FLAT && !rows[first].grows)
		bench_note("not flat: \"%s\": %.2f times as dear at %u %s as "
			   "at %u",
		    rows[first].group + 3, most, rows[worst].size,
		    rows[first].unit, rows[first].size);
}

int
main(void)
{
	unsigned long rounds, round;
	size_t i, first;

	bench_init("growth");
	rounds = bench_count(ROUNDS, 5);
	sample = mmap(NULL, sizeof(*sample), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sample == MAP_FAILED)
		bench_die("mmap");
	plan_all();
	bench_note("a call of int, int64, double, or of a string; flat out, "
		   "20 calls a sample; a ring of 2 MiB and one lane where not "
		   "said; warm-up: twice round the ring");
	bench_note("consoles: the null driver; readers: in "
		   "lpk_reader_wait(), then all there is; flat out neither "
		   "keeps up, and what they lose is not counted here");
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < row_count; i++) {
			bench_progress("round %lu of %lu: %s, %u", round + 1,
			    rounds, rows[i].group, rows[i].size);
			bench_speed_probe();
			run(i);
		}
	}
	for (i = 0, first = 0; i < row_count; i++) {
		if (strcmp(rows[i].group, rows[first].group) != 0) {
			note_growth(first, i);
			first = i;
		}
		report(i, first);
	}
	note_growth(first, row_count);
	return bench_report();
}
