/* SPDX-License-Identifier: MIT */
/* What the storms share. */
#include "lib_storm.h"

#include <inttypes.h>
#include <sched.h>
#include <unistd.h>

#include "lpk_atomic.h"

double
storm_seconds(double seconds, unsigned int parts)
{
	const char *given = getenv("LPK_STORM_SECONDS");

	if (given != NULL)
		seconds = strtod(given, NULL);
	return seconds / parts;
}

uint64_t
storm_seed(void)
{
	const char *given = getenv("LPK_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : 20240601;

	printf("LPK_SEED=%" PRIu64 "\n", seed);
	return seed | 1;
}

uint32_t
storm_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * UINT64_C(2685821657736338717) >> 32);
}

void
storm_log(
    struct lpk_log *log, uint32_t block_bytes, uint32_t blocks, uint32_t lanes)
{
	size_t size = LPK_REGION_BYTES(block_bytes, blocks);
	void *memory = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
	int result;

	CHECK(memory != NULL, "no memory");
	result = lpk_log_init(
	    log, "storm", memory, size, block_bytes, blocks, lanes);
	CHECK(result == LPK_OK, "%s", lpk_strerror(result));
}

void
storm_free(struct lpk_log *log)
{
	free(log->region);
}

void
storm_pin(unsigned int number)
{
	cpu_set_t all, one;
	int cpu;

	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		return;
	number %= (unsigned int)CPU_COUNT(&all);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || number-- != 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

void
storm_open(struct storm_reader *reader)
{
	int result =
	    lpk_reader_open(&reader->reader, reader->log, reader->where);

	CHECK(result == LPK_OK, "%s", lpk_strerror(result));
	reader->start = reader->reader.seq;
	reader->read = reader->lost = reader->late = 0;
}

/* What there is; the seq of each record says how many went before it. */
static void
read_round(struct storm_reader *reader)
{
	struct lpk_record record;
	char *text = (char *)reader->text;
	int result;

	while ((result = lpk_reader_next(&reader->reader, &record, text,
		    sizeof(reader->text))) != -LPK_EAGAIN) {
		if (result == -LPK_EPIPE) {
			CHECK(reader->reader.lost != 0, "a gap of none");
			reader->lost += reader->reader.lost;
			continue;
		}
		CHECK(result == LPK_OK, "%s", lpk_strerror(result));
		CHECK(record.seq == reader->start + reader->read + reader->lost,
		    "seq %" PRIu64 " after %" PRIu64 " + %" PRIu64
		    " + %" PRIu64,
		    record.seq, reader->start, reader->read, reader->lost);
		reader->read++;
		reader->late += (record.flags & LPK_RECORD_LATE) != 0;
		reader->judge(reader, &record, text);
	}
}

void *
storm_read(void *argument)
{
	struct storm_reader *reader = argument;

	while (lpk_load_acquire(reader->stop) == 0) {
		read_round(reader);
		if (reader->nap_us != 0)
			usleep(reader->nap_us);
		else
			lpk_reader_wait(
			    &reader->reader, lpk_now_ns() + 50000000);
	}
	read_round(reader);
	return NULL;
}

void
storm_close_accounts(const struct lpk_log *log, uint64_t calls,
    struct storm_reader *const *readers, unsigned int count)
{
	struct lpk_log_stats stats;
	unsigned int i;

	lpk_log_stats(log, &stats);
	printf("%7zu bytes, %2u lanes: calls %" PRIu64 " = stored %" PRIu64
	       " + dropped %" PRIu64 "\n",
	    log->region_bytes, log->geometry.lanes, calls, stats.stored,
	    stats.dropped);
	for (i = 0; i < count; i++)
		printf("  reader %u: start %" PRIu64 " + read %" PRIu64
		       " + lost %" PRIu64 ", %" PRIu64 " late\n",
		    i, readers[i]->start, readers[i]->read, readers[i]->lost,
		    readers[i]->late);
	CHECK(calls == stats.stored + stats.dropped, "the accounts are open");
	CHECK(stats.blocks_pinned == 0, "%u blocks are pinned",
	    stats.blocks_pinned);
	for (i = 0; i < count; i++)
		CHECK(stats.stored ==
			readers[i]->start + readers[i]->read + readers[i]->lost,
		    "the accounts of reader %u are open", i);
}
