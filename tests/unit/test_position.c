/* SPDX-License-Identifier: MIT */
/* How far a console is, and going on from there in another context. */
#include "stalled.h"

#include <pthread.h>

#include <lpk/port.h>

#include "core/position.h"
#include "core/ring.h"
#include "lpk_atomic.h"

static struct small_log small;
static struct lpk_log *log_;
static struct lpk__positions positions;
static struct lpk_reader reader, next_one;
static const struct lpk__told nothing_told;

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 512, 4, 2);
	memset(&positions, 0, sizeof(positions));
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
log_some(int count)
{
	static int number;

	while (count-- != 0) {
		lpk_thread_set_lane((uint32_t)number);
		lpk_write(log_, LPK_INFO, "record %d", number++);
	}
	lpk_thread_set_lane(0);
}

static void
start(enum lpk_seek where)
{
	assert_int_equal(lpk_reader_open(&reader, log_, where), LPK_OK);
	assert_int_equal(
	    lpk_reader_open(&next_one, log_, LPK_SEEK_OLDEST), LPK_OK);
	lpk__position_publish(&positions, &reader, &nothing_told);
}

static void
restore(void)
{
	assert_true(lpk__position_restore(&positions, &next_one, NULL));
}

/* Both read the same from here on. */
static void
expect_same(void)
{
	struct got one, two;
	int result;

	do {
		result = next(&reader, &one);
		assert_int_equal(next(&next_one, &two), result);
		if (result == LPK_OK) {
			assert_string_equal(one.text, two.text);
			assert_int_equal(one.record.seq, two.record.seq);
			assert_int_equal(one.record.flags, two.record.flags);
		}
		if (result == -LPK_EPIPE)
			assert_int_equal(reader.lost, next_one.lost);
		assert_int_equal(reader.seq, next_one.seq);
	} while (result != -LPK_EAGAIN);
}

static void
test_position_restored_goes_on_with_the_next_record(void **state)
{
	struct got got;
	int count, i;

	(void)state;
	for (count = 0; count < 9; count++) {
		start(LPK_SEEK_NEXT);
		log_some(8);
		for (i = 0; i < count; i++)
			next(&reader, &got);
		lpk__position_publish(&positions, &reader, &nothing_told);
		restore();
		assert_int_equal(lpk__position_seq(&positions), reader.seq);
		expect_same();
	}
}

static void
test_position_is_the_last_published_not_where_the_cursor_is(void **state)
{
	struct got got;

	(void)state;
	start(LPK_SEEK_NEXT);
	log_some(4);
	next(&reader, &got);
	lpk__position_publish(&positions, &reader, &nothing_told);
	reader.seq++;
	reader.done[0] += 77;
	restore();
	reader.seq--;
	reader.done[0] -= 77;
	expect_same();
}

static void
test_position_of_a_lapped_reader_loses_as_many(void **state)
{
	struct got got;

	(void)state;
	log_some(3);
	start(LPK_SEEK_OLDEST);
	next(&reader, &got);
	lpk__position_publish(&positions, &reader, &nothing_told);
	log_some(200);
	restore();
	expect_same();
}

static void
test_position_keeps_a_loss_that_is_not_reported_yet(void **state)
{
	struct got got;

	(void)state;
	log_some(200);
	start(LPK_SEEK_OLDEST);
	assert_int_equal(lpk_reader_seek(&reader, LPK_SEEK_SEQ, 3), LPK_OK);
	lpk__position_publish(&positions, &reader, &nothing_told);
	restore();
	assert_int_equal(next(&next_one, &got), -LPK_EPIPE);
	assert_int_equal(next_one.lost + 3, reader.seq);
}

static void
test_position_remembers_what_was_told(void **state)
{
	const struct lpk__told told = {.dropped = 42, .open = 7};
	struct lpk__told again;

	(void)state;
	start(LPK_SEEK_NEXT);
	lpk__position_publish(&positions, &reader, &told);
	assert_true(lpk__position_restore(&positions, &next_one, &again));
	assert_int_equal(again.dropped, 42);
	assert_int_equal(again.open, 7);
}

static void
test_position_remembers_records_that_were_passed_over(void **state)
{
	struct lpk__store first, second;
	struct got got;

	(void)state;
	start(LPK_SEEK_NEXT);
	reader.eager = true;
	stalled_begin(log_, &first, "late one");
	log_some(1);
	stalled_begin(log_, &second, "late two");
	log_some(3);
	while (next(&reader, &got) == LPK_OK)
		;
	assert_int_equal(reader.lates, 2);
	lpk__position_publish(&positions, &reader, &nothing_told);
	restore();
	stalled_finish(log_, &second);
	stalled_finish(log_, &first);
	assert_int_equal(next_one.lates, 2);
	assert_int_equal(next(&next_one, &got), LPK_OK);
	assert_true((got.record.flags & LPK_RECORD_LATE) != 0);
	assert_string_equal(got.text, "late one");
	assert_int_equal(next(&next_one, &got), LPK_OK);
	assert_string_equal(got.text, "late two");
	expect_end(&next_one);
}

static void
test_position_reaches_a_mark_when_all_before_it_is_read(void **state)
{
	struct lpk__mark mark;
	struct got got;
	int i;

	(void)state;
	start(LPK_SEEK_NEXT);
	log_some(5);
	lpk__mark_set(&mark, log_);
	log_some(5);
	for (i = 0; i < 10; i++) {
		if (i < 5)
			assert_false(
			    lpk__position_reached(&positions, &mark, log_));
		next(&reader, &got);
		lpk__position_publish(&positions, &reader, &nothing_told);
	}
	assert_true(lpk__position_reached(&positions, &mark, log_));
	/* Also when the marked blocks are long over. */
	log_some(300);
	while (next(&reader, &got) != -LPK_EAGAIN)
		;
	lpk__position_publish(&positions, &reader, &nothing_told);
	assert_true(lpk__position_reached(&positions, &mark, log_));
}

static void
test_position_reaches_no_mark_before_a_record_that_is_late(void **state)
{
	struct lpk__store stopped;
	struct lpk__mark mark;
	struct got got;

	(void)state;
	start(LPK_SEEK_NEXT);
	reader.eager = true;
	stalled_begin(log_, &stopped, "late");
	log_some(2);
	lpk__mark_set(&mark, log_);
	while (next(&reader, &got) == LPK_OK)
		;
	lpk__position_publish(&positions, &reader, &nothing_told);
	assert_false(lpk__position_reached(&positions, &mark, log_));
	stalled_finish(log_, &stopped);
	expect_text(&reader, &got, "late");
	lpk__position_publish(&positions, &reader, &nothing_told);
	assert_true(lpk__position_reached(&positions, &mark, log_));
}

/*
 * One publishes, in positions that can be told from torn ones: all words of
 * one are the same number.
 */
#define ROUNDS 20000

static unsigned long done;

static void
fill(struct lpk_reader *with, unsigned long number)
{
	uint32_t i;

	for (i = 0; i < log_->geometry.blocks; i++)
		with->done[i] = number;
	with->lates = number % (LPK_LATE_MAX + 1);
	for (i = 0; i < with->lates; i++) {
		with->late[i].life = number;
		with->late[i].slot = (uint32_t)number;
		with->late[i].block = 0;
	}
	with->seq = (uint64_t)number << 32 | number;
	with->lost_new = with->seq;
}

static void
check(const struct lpk_reader *got, const struct lpk__told *told)
{
	unsigned long number = (unsigned long)(got->seq >> 32);
	uint32_t i;

	assert_int_equal((uint32_t)got->seq, (uint32_t)number);
	assert_true(got->lost_new == got->seq);
	assert_int_equal(told->dropped, number);
	assert_int_equal(told->open, (uint32_t)number);
	assert_int_equal(got->lates, number % (LPK_LATE_MAX + 1));
	for (i = 0; i < got->log->geometry.blocks; i++)
		assert_int_equal(got->done[i], number);
	for (i = 0; i < got->lates; i++) {
		assert_int_equal(got->late[i].life, number);
		assert_int_equal(got->late[i].slot, (uint32_t)number);
	}
}

static void *
publish_all(void *argument)
{
	static struct lpk_reader with;
	struct lpk__told told;
	unsigned long number;

	(void)argument;
	lpk_reader_open(&with, log_, LPK_SEEK_OLDEST);
	for (number = 1; number <= ROUNDS; number++) {
		fill(&with, number);
		told.dropped = number;
		told.open = (uint32_t)number;
		lpk__position_publish(&positions, &with, &told);
	}
	lpk_store_release(&done, 1);
	return NULL;
}

static void
test_position_is_never_torn(void **state)
{
	struct lpk__told told = {0};
	uint64_t seq, last = 0;
	pthread_t thread;
	bool ends;

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	fill(&reader, 0);
	lpk_reader_open(&next_one, log_, LPK_SEEK_OLDEST);
	lpk__position_publish(&positions, &reader, &told);
	assert_int_equal(pthread_create(&thread, NULL, publish_all, NULL), 0);
	do {
		ends = lpk_load_acquire(&done) != 0;
		if (!lpk__position_restore(&positions, &next_one, &told))
			continue;
		check(&next_one, &told);
		assert_true(next_one.seq >= last);
		last = next_one.seq;
		seq = lpk__position_seq(&positions);
		assert_int_equal((uint32_t)seq, (uint32_t)(seq >> 32));
	} while (!ends);
	pthread_join(thread, NULL);
	assert_int_equal(last >> 32, ROUNDS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_position_restored_goes_on_with_the_next_record),
	    CASE(test_position_is_the_last_published_not_where_the_cursor_is),
	    CASE(test_position_of_a_lapped_reader_loses_as_many),
	    CASE(test_position_keeps_a_loss_that_is_not_reported_yet),
	    CASE(test_position_remembers_what_was_told),
	    CASE(test_position_remembers_records_that_were_passed_over),
	    CASE(test_position_reaches_a_mark_when_all_before_it_is_read),
	    CASE(test_position_reaches_no_mark_before_a_record_that_is_late),
	    CASE(test_position_is_never_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
