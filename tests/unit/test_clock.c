/* SPDX-License-Identifier: MIT */
/* From counter readings to nanoseconds. */
#include "fixture.h"

#include <core/clock.h>
#include <lpk/console.h>

#define SECOND UINT64_C(1000000000)

/* A counter of some rate that was read twice, so many seconds apart. */
static struct lpk__clock
clock_of(uint64_t hz, uint64_t seconds)
{
	struct lpk__clock clock = {
	    .base = {.raw = 12345, .monotonic_ns = 77 * SECOND},
	    .hz = hz,
	};

	clock.last = clock.base;
	clock.last.raw += hz * seconds;
	clock.last.monotonic_ns += SECOND * seconds;
	return clock;
}

static void
expect_ns(const struct lpk__scale *scale, uint64_t raw, uint64_t want,
    uint64_t tolerance)
{
	uint64_t ns = lpk__clock_ns(scale, raw);

	if (ns - want + tolerance > 2 * tolerance)
		print_error("raw %llu: %llu, not %llu\n",
		    (unsigned long long)raw, (unsigned long long)ns,
		    (unsigned long long)want);
	assert_true(ns - want + tolerance <= 2 * tolerance);
}

static void
test_clock_any_rate_converts_both_ways(void **state)
{
	static const uint64_t rates[] = {32768, 1000000, 24000000, 62500000,
	    1000000000, 2100000000, 2999999999u, 5400000000};
	static const uint64_t ages[] = {1, 10, 3600, 86400 * 30};
	struct lpk__scale scale;
	struct lpk__clock clock;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		for (j = 0; j < sizeof(ages) / sizeof(*ages); j++) {
			uint64_t hz = rates[i], last;

			clock = clock_of(hz, ages[j]);
			lpk__clock_scale(&scale, &clock);
			last = clock.last.monotonic_ns;
			expect_ns(&scale, clock.last.raw, last, 0);
			expect_ns(
			    &scale, clock.last.raw + hz, last + SECOND, 1000);
			expect_ns(
			    &scale, clock.last.raw - hz, last - SECOND, 1000);
			/* An hour on, a millionth off at most. */
			expect_ns(&scale, clock.last.raw + 3600 * hz,
			    last + 3600 * SECOND, 3600 * 1000);
		}
	}
}

static void
test_clock_first_pair_alone_uses_the_nominal_rate(void **state)
{
	struct lpk__clock clock = clock_of(24000000, 0);
	struct lpk__scale scale;

	(void)state;
	lpk__clock_scale(&scale, &clock);
	expect_ns(&scale, clock.last.raw, 77 * SECOND, 0);
	expect_ns(&scale, clock.last.raw + 24000000, 78 * SECOND, 1000);
	clock.hz = 0;
	lpk__clock_scale(&scale, &clock);
	expect_ns(&scale, clock.last.raw + SECOND, 78 * SECOND, 1000);
}

static void
test_clock_before_the_epoch_is_zero(void **state)
{
	struct lpk__clock clock = clock_of(1000000, 10);
	struct lpk__scale scale;

	(void)state;
	lpk__clock_scale(&scale, &clock);
	assert_true(
	    lpk__clock_ns(&scale, clock.last.raw - UINT64_C(88000000)) == 0);
	/* The counter itself may wrap. */
	clock.base.raw = 0 - UINT64_C(5000000);
	clock.last.raw = 5000000;
	lpk__clock_scale(&scale, &clock);
	expect_ns(&scale, 0 - UINT64_C(5000000), 77 * SECOND, 1000);
}

static void
test_clock_realtime_is_the_offset_of_the_last_pair(void **state)
{
	struct lpk__clock clock = clock_of(1000000, 10);
	struct lpk__scale scale;

	(void)state;
	lpk__clock_scale(&scale, &clock);
	assert_true(scale.realtime_offset_ns == 0);
	clock.last.realtime_ns = clock.last.monotonic_ns + 5 * SECOND;
	lpk__clock_scale(&scale, &clock);
	assert_true(scale.realtime_offset_ns == 5 * SECOND);
}

static void
test_clock_of_a_new_log_is_readable(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, 2, 1);
	struct lpk__clock clock;

	(void)state;
	assert_true(lpk__clock_read(log, &clock));
	assert_true(clock.hz != 0);
	assert_true(clock.base.monotonic_ns <= lpk_now_ns());
	small_log_free(&small);
}

static void
test_clock_being_written_is_not_read(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, 2, 1);
	struct lpk__head *head = lpk__head(log);
	struct lpk__clock clock;
	unsigned long seq = head->clock_seq;

	(void)state;
	/* A writer that died inside. */
	head->clock_seq = seq + 1;
	assert_false(lpk__clock_read(log, &clock));
	lpk__clock_refresh(log);
	assert_true(head->clock_seq == seq + 1);
	lpk_write(log, LPK_INFO, "still logs");
	head->clock_seq = seq;
	lpk__clock_refresh(log);
	assert_true(head->clock_seq == seq + 2);
	assert_true(lpk__clock_read(log, &clock));
	small_log_free(&small);
}

static void
test_clock_is_read_once_a_second_at_most_when_settled(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, 2, 1);
	struct lpk__head *head = lpk__head(log);
	struct lpk__clock clock;
	unsigned long seq;
	int i;

	(void)state;
	/* As if the log were an hour old. */
	assert_true(lpk__clock_read(log, &clock));
	clock.base.raw -= 3600 * clock.hz;
	clock.base.monotonic_ns -= 3600 * SECOND;
	lpk__words_write(head->clock, &clock, sizeof(clock));
	lpk__clock_refresh(log);
	assert_true(
	    (long)(log->clock_due - (unsigned long)lpk_port_clock()) > 0);
	seq = head->clock_seq;
	for (i = 0; i < 1000; i++)
		lpk_write(log, LPK_INFO, "x");
	/* Twice at most, if a second ends meanwhile. */
	assert_true(head->clock_seq - seq <= 4);
	small_log_free(&small);
}

static void
test_clock_times_of_one_thread_never_go_back(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 4096, 4, 1);
	struct lpk_reader reader;
	struct lpk__scale scale;
	struct lpk__clock clock;
	uint64_t before = 0, ns;
	int i;

	(void)state;
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	assert_true(lpk__clock_read(log, &clock));
	lpk__clock_scale(&scale, &clock);
	for (i = 0; i < 10000; i++) {
		ns = lpk__clock_ns(&scale, lpk_port_clock());
		assert_true(ns >= before);
		before = ns;
	}
	small_log_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_clock_any_rate_converts_both_ways),
	    cmocka_unit_test(test_clock_first_pair_alone_uses_the_nominal_rate),
	    cmocka_unit_test(test_clock_before_the_epoch_is_zero),
	    cmocka_unit_test(
		test_clock_realtime_is_the_offset_of_the_last_pair),
	    cmocka_unit_test(test_clock_of_a_new_log_is_readable),
	    cmocka_unit_test(test_clock_being_written_is_not_read),
	    cmocka_unit_test(
		test_clock_is_read_once_a_second_at_most_when_settled),
	    cmocka_unit_test(test_clock_times_of_one_thread_never_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
