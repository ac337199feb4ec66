/* SPDX-License-Identifier: MIT */
/*
 * The ring under writers that are pinned to their CPUs, after the description
 * of Linutronix' prb-test: every record is a length and one byte repeated; the
 * reader checks that seq never goes back, that the declared length is the real
 * one and all bytes are the same, and counts what was lost. Then the same
 * after the description of the kernel's KUnit variant: a ring of 8 KiB, texts
 * of 1 to 127 bytes, a fresh ring for each run.
 */
#include "lib_storm.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <lpk/printk.h>

#include "lpk_atomic.h"

#define WRITERS 4

struct writer {
	unsigned int number;
	unsigned int least, most; /* bytes of a payload */
	uint64_t random;
	uint64_t calls;
	pthread_t thread;
};

static struct lpk_log ring;
static struct writer writers[WRITERS];
static unsigned long stop_writers, stop_reader;

/* Any byte but NUL and the newline, which a record does not keep. */
static unsigned char
fill_byte(uint32_t random)
{
	unsigned char byte = (unsigned char)(random % 255 + 1);

	return byte != '\n' ? byte : 'n';
}

static void *
write_ring(void *argument)
{
	struct writer *writer = argument;
	char payload[256];

	storm_pin(writer->number);
	while (lpk_load_relaxed(&stop_writers) == 0) {
		uint32_t random = storm_random(&writer->random);
		uint32_t span = writer->most - writer->least + 1;
		uint32_t bytes = writer->least + random % span;

		payload[0] = (char)(bytes != '\n' ? bytes : 255);
		memset(payload + 1, fill_byte(random >> 16), bytes);
		lpk_inject(
		    &ring, LPK_INFO, writer->number + 1, payload, bytes + 1);
		writer->calls++;
	}
	return NULL;
}

static void
judge(struct storm_reader *reader, const struct lpk_record *record,
    const char *text)
{
	uint64_t *last = reader->data;
	unsigned int bytes = (unsigned char)text[0], i;

	if (bytes == 255)
		bytes = '\n';
	CHECK(*last == 0 || record->seq >= *last, "seq goes back");
	*last = record->seq + 1;
	CHECK(record->text_bytes == bytes + 1, "%u bytes, not %u",
	    record->text_bytes, bytes + 1);
	for (i = 2; i <= bytes; i++)
		CHECK(text[i] == text[1], "byte %u of %u: %#x, not %#x", i,
		    bytes, (unsigned char)text[i], (unsigned char)text[1]);
	CHECK(record->facility >= 1 && record->facility <= WRITERS,
	    "facility %u", record->facility);
	CHECK(record->flags == LPK_RECORD_INJECTED ||
		record->flags == (LPK_RECORD_INJECTED | LPK_RECORD_LATE),
	    "flags %#x", record->flags);
}

static void
run(uint32_t block_bytes, uint32_t blocks, uint32_t lanes, unsigned int least,
    unsigned int most, double seconds, uint64_t seed)
{
	static struct storm_reader reader;
	struct storm_reader *list[] = {&reader};
	uint64_t deadline = lpk_now_ns() + (uint64_t)(seconds * 1e9);
	uint64_t last = 0, calls = 0;
	pthread_t thread;
	unsigned int i;

	storm_log(&ring, block_bytes, blocks, lanes);
	stop_writers = stop_reader = 0;
	reader.log = &ring;
	reader.judge = judge;
	reader.data = &last;
	reader.stop = &stop_reader;
	storm_open(&reader);
	pthread_create(&thread, NULL, storm_read, &reader);
	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.number = i,
		    .least = least,
		    .most = most,
		    .random = seed + 2 * i};
		pthread_create(
		    &writers[i].thread, NULL, write_ring, &writers[i]);
	}
	/* Nothing to wait for but the time. */
	while (lpk_now_ns() < deadline)
		usleep(10000);
	lpk_store_release(&stop_writers, 1);
	for (i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		calls += writers[i].calls;
	}
	lpk_store_release(&stop_reader, 1);
	pthread_join(thread, NULL);
	CHECK(reader.read != 0, "nothing was read");
	storm_close_accounts(&ring, calls, list, 1);
	storm_free(&ring);
}

int
main(void)
{
	double seconds = storm_seconds(4, 4);
	uint64_t seed = storm_seed();

	run(2048, 16, 1, 2, 129, seconds, seed);
	run(2048, 16, 4, 2, 129, seconds, seed);
	run(1024, 8, 1, 1, 127, seconds, seed);
	run(512, 16, 3, 1, 127, seconds, seed);
	return 0;
}
