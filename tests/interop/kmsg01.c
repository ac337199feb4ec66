/* SPDX-License-Identifier: MIT */
/*
 * What the Linux Test Project's kmsg01 says of /dev/kmsg, after its
 * description, asked of a reader: a write is lpk_inject(), a read is
 * lpk_reader_next() and lpk_record_print().
 */
#include "fixture.h"

#include <pthread.h>
#include <unistd.h>

#include <lpk/console.h>

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_reader reader;
static struct got got;
static char line[LPK_TEXT_MAX * 4 + 128];

/* A line of /dev/kmsg, taken apart. */
static struct {
	unsigned int priority;
	unsigned long long seq;
	unsigned long long usec;
	char flag;
	char text[LPK_TEXT_MAX + 1];
} kmsg;

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 1024, 8, 1);
	return lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return 0;
}

static int
read_line(struct lpk_reader *from)
{
	int result = next(from, &got), at = 0;

	if (result != LPK_OK)
		return result;
	lpk_record_print(
	    &got.record, got.text, LPK_STYLE_KMSG, line, sizeof(line));
	assert_int_equal(
	    sscanf(line, "%u,%llu,%llu,%c%*[^;];%n", &kmsg.priority, &kmsg.seq,
		&kmsg.usec, &kmsg.flag, &at),
	    4);
	assert_true(at > 0);
	snprintf(kmsg.text, sizeof(kmsg.text), "%s", line + at);
	return LPK_OK;
}

static void
inject(unsigned int level, unsigned int facility, const char *text)
{
	lpk_inject(log_, (enum lpk_level)level, facility, text, strlen(text));
}

static void
test_kmsg01_every_priority_comes_back_and_is_never_the_kernels(void **state)
{
	unsigned int level, facility;
	char text[64];

	(void)state;
	for (facility = 0; facility < 24; facility++) {
		for (level = 0; level < 8; level++) {
			snprintf(
			    text, sizeof(text), "LTP %u %u\n", facility, level);
			inject(level, facility, text);
			assert_int_equal(read_line(&reader), LPK_OK);
			assert_string_equal(kmsg.text, text);
			assert_int_equal(kmsg.priority & 7, level);
			assert_int_not_equal(kmsg.priority >> 3, 0);
			if (facility != 0)
				assert_int_equal(kmsg.priority >> 3, facility);
			assert_int_equal(kmsg.flag, '-');
		}
	}
}

static void
test_kmsg01_seq_grows_by_one(void **state)
{
	unsigned long long before;
	int i;

	(void)state;
	inject(6, 1, "first");
	read_line(&reader);
	before = kmsg.seq;
	for (i = 0; i < 1000; i++) {
		inject(6, 1, "next");
		assert_int_equal(read_line(&reader), LPK_OK);
		assert_true(kmsg.seq == before + 1);
		before = kmsg.seq;
	}
}

static void
test_kmsg01_empty_log_would_block(void **state)
{
	(void)state;
	assert_int_equal(read_line(&reader), -LPK_EAGAIN);
	inject(6, 1, "x");
	assert_int_equal(read_line(&reader), LPK_OK);
	assert_int_equal(read_line(&reader), -LPK_EAGAIN);
}

static void *
inject_later(void *arg)
{
	(void)arg;
	usleep(50000);
	inject(6, 1, "awaited");
	return NULL;
}

static void
test_kmsg01_blocking_read_returns_the_record(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, inject_later, NULL), 0);
	assert_int_equal(lpk_reader_wait(&reader, UINT64_MAX), LPK_OK);
	assert_int_equal(read_line(&reader), LPK_OK);
	assert_string_equal(kmsg.text, "awaited\n");
	pthread_join(thread, NULL);
}

static void
test_kmsg01_short_buffer_fails(void **state)
{
	char small_buffer[4];

	(void)state;
	inject(6, 1, "longer than four bytes");
	assert_int_equal(lpk_reader_next(&reader, &got.record, small_buffer,
			     sizeof(small_buffer)),
	    -LPK_ENOSPC);
	/* Unlike the kernel's, the record is still there. */
	assert_int_equal(read_line(&reader), LPK_OK);
}

static void
test_kmsg01_every_open_gets_the_same_first_record(void **state)
{
	struct lpk_reader other;
	unsigned long long seq;
	int i;

	(void)state;
	for (i = 0; i < 500; i++)
		inject(6, 1, "some record");
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	assert_int_equal(read_line(&reader), LPK_OK);
	seq = kmsg.seq;
	for (i = 0; i < 10; i++) {
		lpk_reader_open(&other, log_, LPK_SEEK_OLDEST);
		assert_int_equal(read_line(&other), LPK_OK);
		assert_true(kmsg.seq == seq);
	}
}

static void
test_kmsg01_overwritten_reader_gets_epipe_then_recovers(void **state)
{
	unsigned long long seq;
	int i;

	(void)state;
	inject(6, 1, "first");
	read_line(&reader);
	seq = kmsg.seq;
	for (i = 0; i < 1000; i++)
		inject(6, 1, "flood");
	assert_int_equal(read_line(&reader), -LPK_EPIPE);
	assert_int_equal(read_line(&reader), LPK_OK);
	assert_true(kmsg.seq == seq + 1 + reader.lost);
	while (read_line(&reader) == LPK_OK)
		;
	assert_true(kmsg.seq == 1000);
}

static void
test_kmsg01_seek_set_returns_the_first_record_again(void **state)
{
	unsigned long long seq;

	(void)state;
	inject(6, 1, "first");
	inject(6, 1, "second");
	read_line(&reader);
	seq = kmsg.seq;
	read_line(&reader);
	assert_int_equal(lpk_reader_seek(&reader, LPK_SEEK_OLDEST, 0), LPK_OK);
	assert_int_equal(read_line(&reader), LPK_OK);
	assert_true(kmsg.seq == seq);
}

static void
test_kmsg01_seek_end_returns_new_records_alone(void **state)
{
	(void)state;
	inject(6, 1, "old");
	assert_int_equal(lpk_reader_seek(&reader, LPK_SEEK_NEXT, 0), LPK_OK);
	assert_int_equal(read_line(&reader), -LPK_EAGAIN);
	inject(6, 1, "new");
	assert_int_equal(read_line(&reader), LPK_OK);
	assert_string_equal(kmsg.text, "new\n");
}

static void
test_kmsg01_seek_data_returns_what_came_after_the_clear(void **state)
{
	(void)state;
	inject(6, 1, "before");
	lpk_log_clear(log_);
	inject(6, 1, "after");
	assert_int_equal(lpk_reader_seek(&reader, LPK_SEEK_CLEAR, 0), LPK_OK);
	assert_int_equal(read_line(&reader), LPK_OK);
	assert_string_equal(kmsg.text, "after\n");
	assert_int_equal(read_line(&reader), -LPK_EAGAIN);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(
		test_kmsg01_every_priority_comes_back_and_is_never_the_kernels),
	    CASE(test_kmsg01_seq_grows_by_one),
	    CASE(test_kmsg01_empty_log_would_block),
	    CASE(test_kmsg01_blocking_read_returns_the_record),
	    CASE(test_kmsg01_short_buffer_fails),
	    CASE(test_kmsg01_every_open_gets_the_same_first_record),
	    CASE(test_kmsg01_overwritten_reader_gets_epipe_then_recovers),
	    CASE(test_kmsg01_seek_set_returns_the_first_record_again),
	    CASE(test_kmsg01_seek_end_returns_new_records_alone),
	    CASE(test_kmsg01_seek_data_returns_what_came_after_the_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
