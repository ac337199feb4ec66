/* SPDX-License-Identifier: MIT */
/* Readers: cursors, gaps, late records. What sleeps is in test_sleep.c. */
#define LPK_DEFAULT_LOG log_
#include "stalled.h"

#include <time.h>

#include <lpk/console.h>

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_reader reader;
static struct got got;

/* One lane, blocks of seven short records. */
static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 512, 4, 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return 0;
}

static void
write_numbers(int from, int to)
{
	for (; from < to; from++)
		lpk_write(log_, LPK_INFO, "%d", from);
}

static void
expect_number(int number)
{
	assert_int_equal(next(&reader, &got), LPK_OK);
	assert_int_equal(strtol(got.text, NULL, 10), number);
	assert_int_equal(got.record.seq, number);
}

static void
expect_gap(uint64_t lost)
{
	assert_int_equal(next(&reader, &got), -LPK_EPIPE);
	assert_int_equal(reader.lost, lost);
}

/* The oldest number that is kept. */
static int
oldest(void)
{
	struct lpk_log_stats stats;

	lpk_log_stats(log_, &stats);
	return (int)stats.overwritten;
}

static void
test_reader_bad_argument_is_refused(void **state)
{
	struct lpk_log none = {.name = "none"};
	struct lpk_record record;
	char text[8];

	(void)state;
	assert_int_equal(
	    lpk_reader_open(NULL, log_, LPK_SEEK_OLDEST), -LPK_EINVAL);
	assert_int_equal(
	    lpk_reader_open(&reader, NULL, LPK_SEEK_OLDEST), -LPK_EINVAL);
	assert_int_equal(
	    lpk_reader_open(&reader, &none, LPK_SEEK_OLDEST), -LPK_EINVAL);
	assert_int_equal(
	    lpk_reader_open(&reader, log_, LPK_SEEK_SEQ), -LPK_EINVAL);
	assert_int_equal(
	    lpk_reader_open(&reader, log_, (enum lpk_seek)77), -LPK_EINVAL);
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	write_numbers(0, 1);
	assert_int_equal(
	    lpk_reader_next(NULL, &record, text, sizeof(text)), -LPK_EINVAL);
	assert_int_equal(
	    lpk_reader_next(&reader, NULL, text, sizeof(text)), -LPK_EINVAL);
	assert_int_equal(
	    lpk_reader_next(&reader, &record, NULL, 100), -LPK_EINVAL);
	assert_int_equal(
	    lpk_reader_seek(NULL, LPK_SEEK_OLDEST, 0), -LPK_EINVAL);
	assert_int_equal(
	    lpk_reader_seek(&reader, (enum lpk_seek) - 1, 0), -LPK_EINVAL);
	assert_int_equal(
	    lpk_reader_seek(&reader, (enum lpk_seek)4, 0), -LPK_EINVAL);
	/* None of it moved the cursor. */
	expect_number(0);
}

static void
test_reader_never_opened_is_refused(void **state)
{
	static struct lpk_reader zero;

	(void)state;
	assert_int_equal(next(&zero, &got), -LPK_EINVAL);
	assert_int_equal(
	    lpk_reader_seek(&zero, LPK_SEEK_OLDEST, 0), -LPK_EINVAL);
	assert_int_equal(lpk_reader_wait(&zero, 0), -LPK_EINVAL);
	assert_int_equal(lpk_reader_wait(NULL, 0), -LPK_EINVAL);
	assert_int_equal(lpk_reader_eventfd(&zero), -LPK_EINVAL);
	assert_int_equal(lpk_reader_eventfd(NULL), -LPK_EINVAL);
	lpk_reader_close(NULL);
}

static void
test_reader_record_is_readable_at_once(void **state)
{
	int i;

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	expect_end(&reader);
	for (i = 0; i < 100; i++) {
		write_numbers(i, i + 1);
		expect_number(i);
		expect_end(&reader);
	}
}

static void
test_reader_gap_is_reported_once_and_exactly(void **state)
{
	uint64_t before;

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	write_numbers(0, 5);
	expect_number(0);
	write_numbers(5, 1000);
	expect_gap((uint64_t)oldest() - 1);
	expect_number(oldest());
	expect_number(oldest() + 1);
	while (next(&reader, &got) == LPK_OK)
		;
	assert_int_equal(got.record.seq, 999);
	assert_int_equal(reader.lost_total, oldest() - 1);
	before = reader.lost_total;
	/* A second gap counts from zero; the total goes on. */
	write_numbers(1000, 2000);
	expect_gap((uint64_t)oldest() - 1000);
	assert_int_equal(reader.lost_total, before + reader.lost);
	expect_number(oldest());
}

static void
test_reader_attached_late_starts_at_the_oldest_kept(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		write_numbers(i, i + 1);
		lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
		expect_number(oldest());
		assert_int_equal(reader.lost_total, 0);
		lpk_reader_open(&reader, log_, LPK_SEEK_NEXT);
		expect_end(&reader);
	}
	write_numbers(200, 201);
	expect_number(200);
}

static void
test_reader_too_small_buffer_consumes_nothing(void **state)
{
	char text[16];
	size_t size;

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	lpk_write(log_, LPK_INFO, "twelve bytes");
	write_numbers(1, 2);
	assert_int_equal(
	    lpk_reader_next(&reader, &got.record, text, 0), -LPK_EINVAL);
	for (size = 1; size <= 12; size++) {
		memset(text, '#', sizeof(text));
		assert_int_equal(
		    lpk_reader_next(&reader, &got.record, text, size),
		    -LPK_ENOSPC);
		assert_int_equal(text[size], '#');
	}
	assert_int_equal(
	    lpk_reader_next(&reader, &got.record, text, 13), LPK_OK);
	assert_string_equal(text, "twelve bytes");
	assert_int_equal(text[13], '#');
	expect_number(1);
}

static void
test_reader_longest_record_fits_the_promised_buffer(void **state)
{
	static char big[LPK_TEXT_MAX + 1];
	struct small_log wide;

	(void)state;
	log_ = small_log_make(&wide, 4096, 2, 1);
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	lpk_write(log_, LPK_INFO, "%02000d", 1);
	lpk_printk_kv(
	    LPK_INFO, LPK_KV("KEY", "value"), "%0*d", LPK_TEXT_MAX - 12, 1);
	assert_int_equal(
	    lpk_reader_next(&reader, &got.record, big, sizeof(big)), LPK_OK);
	assert_int_equal(got.record.text_bytes, LPK_TEXT_MAX);
	assert_int_equal(
	    lpk_reader_next(&reader, &got.record, big, sizeof(big)), LPK_OK);
	assert_int_equal(got.record.text_bytes, LPK_TEXT_MAX - 12);
	assert_int_equal(got.record.kv_bytes, 10);
	assert_string_equal(big + LPK_TEXT_MAX - 11, "KEY=value");
	small_log_free(&wide);
}

static void
test_reader_seek_verbs_go_where_they_say(void **state)
{
	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_NEXT);
	write_numbers(0, 10);
	lpk_log_clear(log_);
	write_numbers(10, 14);
	assert_int_equal(lpk_reader_seek(&reader, LPK_SEEK_CLEAR, 0), LPK_OK);
	expect_number(10);
	assert_int_equal(lpk_reader_seek(&reader, LPK_SEEK_OLDEST, 0), LPK_OK);
	expect_number(0);
	assert_int_equal(lpk_reader_seek(&reader, LPK_SEEK_NEXT, 0), LPK_OK);
	expect_end(&reader);
	assert_int_equal(lpk_reader_seek(&reader, LPK_SEEK_SEQ, 7), LPK_OK);
	expect_number(7);
	expect_number(8);
	/* Back again, from any place. */
	assert_int_equal(lpk_reader_seek(&reader, LPK_SEEK_OLDEST, 0), LPK_OK);
	expect_number(0);
	assert_int_equal(reader.lost_total, 0);
}

static void
test_reader_seek_to_each_kept_record_finds_it(void **state)
{
	int i;

	(void)state;
	write_numbers(0, 100);
	lpk_reader_open(&reader, log_, LPK_SEEK_NEXT);
	for (i = oldest(); i < 100; i++) {
		lpk_reader_seek(&reader, LPK_SEEK_SEQ, (uint64_t)i);
		expect_number(i);
	}
	assert_int_equal(reader.lost_total, 0);
}

static void
test_reader_seek_to_overwritten_record_tells_what_is_missing(void **state)
{
	(void)state;
	write_numbers(0, 100);
	lpk_reader_open(&reader, log_, LPK_SEEK_NEXT);
	lpk_reader_seek(&reader, LPK_SEEK_SEQ, 3);
	expect_gap((uint64_t)oldest() - 3);
	expect_number(oldest());
}

static void
test_reader_seek_to_the_future_waits_behind_the_newest(void **state)
{
	(void)state;
	write_numbers(0, 10);
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	lpk_reader_seek(&reader, LPK_SEEK_SEQ, 1000000);
	expect_end(&reader);
	write_numbers(10, 11);
	expect_number(10);
	lpk_reader_seek(&reader, LPK_SEEK_SEQ, UINT64_MAX);
	expect_end(&reader);
}

static void
test_reader_clear_that_was_overwritten_starts_at_the_oldest(void **state)
{
	(void)state;
	write_numbers(0, 3);
	lpk_log_clear(log_);
	write_numbers(3, 200);
	lpk_reader_open(&reader, log_, LPK_SEEK_CLEAR);
	expect_number(oldest());
}

static void
reserve(struct lpk__store *slot)
{
	stalled_begin(log_, slot, "late");
}

static void
finish(const struct lpk__store *slot)
{
	stalled_finish(log_, slot);
}

static void
test_reader_unfinished_record_holds_back_then_comes_late(void **state)
{
	struct lpk__store slot;

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	reserve(&slot);
	expect_end(&reader);
	write_numbers(1, 3);
	/* Within the grace nothing comes. */
	expect_end(&reader);
	/* The wait ends when the grace does. */
	assert_int_equal(lpk_reader_wait(&reader, UINT64_MAX), LPK_OK);
	expect_text(&reader, &got, "1");
	assert_int_equal(got.record.flags, 0);
	expect_text(&reader, &got, "2");
	expect_end(&reader);
	finish(&slot);
	expect_text(&reader, &got, "late");
	assert_int_equal(got.record.flags, LPK_RECORD_LATE);
	assert_int_equal(got.record.seq, 2);
	assert_int_equal(reader.lost_total, 0);
	write_numbers(3, 4);
	expect_number(3);
}

static void
test_reader_record_finished_in_the_grace_is_in_its_place(void **state)
{
	struct lpk__store slot;

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	reserve(&slot);
	write_numbers(1, 2);
	expect_end(&reader);
	finish(&slot);
	expect_text(&reader, &got, "late");
	assert_int_equal(got.record.flags, 0);
	assert_int_equal(got.record.seq, 0);
	expect_number(1);
}

static void
test_reader_late_record_overwritten_is_lost(void **state)
{
	struct lpk__store slot;
	uint64_t read = 0;

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	reserve(&slot);
	write_numbers(1, 2);
	assert_int_equal(lpk_reader_wait(&reader, UINT64_MAX), LPK_OK);
	expect_text(&reader, &got, "1");
	finish(&slot);
	write_numbers(2, 200);
	assert_int_equal(next(&reader, &got), -LPK_EPIPE);
	assert_int_equal(reader.lost, reader.lost_total);
	while (next(&reader, &got) == LPK_OK)
		read++;
	assert_int_equal(got.record.seq, 199);
	assert_int_equal(1 + read + reader.lost_total, 200);
}

static void
test_reader_late_record_in_small_buffer_is_not_consumed(void **state)
{
	struct lpk__store slot;
	char text[4];

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	reserve(&slot);
	write_numbers(1, 2);
	assert_int_equal(lpk_reader_wait(&reader, UINT64_MAX), LPK_OK);
	expect_text(&reader, &got, "1");
	finish(&slot);
	assert_int_equal(
	    lpk_reader_next(&reader, &got.record, text, 4), -LPK_ENOSPC);
	expect_text(&reader, &got, "late");
	expect_end(&reader);
}

static void
test_reader_gap_is_reported_before_a_late_record(void **state)
{
	struct lpk__store slot;

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	reserve(&slot);
	write_numbers(1, 2);
	assert_int_equal(lpk_reader_wait(&reader, UINT64_MAX), LPK_OK);
	expect_text(&reader, &got, "1");
	write_numbers(2, 200);
	finish(&slot);
	/* The gap is found by the wait; seq may not jump unannounced. */
	assert_int_equal(lpk_reader_wait(&reader, UINT64_MAX), LPK_OK);
	assert_int_equal(next(&reader, &got), -LPK_EPIPE);
	expect_text(&reader, &got, "late");
	assert_int_equal(got.record.seq, 1 + reader.lost);
}

static void
test_reader_more_stalled_writers_than_it_remembers_are_accounted(void **state)
{
	enum { STALLED = LPK_LATE_MAX + 10 };
	struct lpk__store slot[STALLED];
	uint64_t read = 0, late = 0;
	struct small_log wide;
	int i, result;

	(void)state;
	log_ = small_log_make(&wide, 4096, 4, 1);
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	for (i = 0; i < STALLED; i++)
		reserve(&slot[i]);
	write_numbers(0, 1);
	assert_int_equal(lpk_reader_wait(&reader, UINT64_MAX), LPK_OK);
	expect_gap(STALLED - LPK_LATE_MAX);
	expect_text(&reader, &got, "0");
	for (i = 0; i < STALLED; i++)
		finish(&slot[i]);
	while ((result = next(&reader, &got)) == LPK_OK) {
		read++;
		late += (got.record.flags & LPK_RECORD_LATE) != 0;
	}
	assert_int_equal(result, -LPK_EAGAIN);
	assert_int_equal(late, LPK_LATE_MAX);
	assert_int_equal(1 + read + reader.lost_total, STALLED + 1);
	small_log_free(&wide);
}

static void
test_reader_many_lanes_and_blocks_come_in_order(void **state)
{
	uint64_t random = test_seed();
	struct small_log wide;
	int i;

	(void)state;
	/* More blocks with something to read than are merged at once. */
	log_ = small_log_make(&wide, 256, 256, 16);
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	for (i = 0; i < 400; i++) {
		lpk_thread_set_lane(test_random(&random));
		write_numbers(i, i + 1);
	}
	for (i = 0; i < 400; i++)
		expect_number(i);
	expect_end(&reader);
	small_log_free(&wide);
}

static void
test_reader_time_is_that_of_the_call(void **state)
{
	uint64_t before = lpk_now_ns(), after;
	struct timespec now;
	int i;

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	for (i = 0; i < 20; i++) {
		write_numbers(i, i + 1);
		expect_number(i);
		after = lpk_now_ns();
		/* The rate is known to some percent at first. */
		assert_in_range(
		    got.record.time_ns, before - 50000000, after + 50000000);
		clock_gettime(CLOCK_REALTIME, &now);
		assert_in_range(got.record.realtime_ns / 1000000000,
		    (uint64_t)now.tv_sec - 60, (uint64_t)now.tv_sec + 60);
		before = after;
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_reader_bad_argument_is_refused),
	    CASE(test_reader_never_opened_is_refused),
	    CASE(test_reader_record_is_readable_at_once),
	    CASE(test_reader_gap_is_reported_once_and_exactly),
	    CASE(test_reader_attached_late_starts_at_the_oldest_kept),
	    CASE(test_reader_too_small_buffer_consumes_nothing),
	    CASE(test_reader_longest_record_fits_the_promised_buffer),
	    CASE(test_reader_seek_verbs_go_where_they_say),
	    CASE(test_reader_seek_to_each_kept_record_finds_it),
	    CASE(test_reader_seek_to_overwritten_record_tells_what_is_missing),
	    CASE(test_reader_seek_to_the_future_waits_behind_the_newest),
	    CASE(test_reader_clear_that_was_overwritten_starts_at_the_oldest),
	    CASE(test_reader_unfinished_record_holds_back_then_comes_late),
	    CASE(test_reader_record_finished_in_the_grace_is_in_its_place),
	    CASE(test_reader_late_record_overwritten_is_lost),
	    CASE(test_reader_late_record_in_small_buffer_is_not_consumed),
	    CASE(test_reader_gap_is_reported_before_a_late_record),
	    CASE(
		test_reader_more_stalled_writers_than_it_remembers_are_accounted),
	    CASE(test_reader_many_lanes_and_blocks_come_in_order),
	    CASE(test_reader_time_is_that_of_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
