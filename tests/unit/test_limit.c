/* SPDX-License-Identifier: MIT */
/* Calls that log so often and no more; what is held back is accounted. */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <pthread.h>

/* Longer than any run of this test. */
#define FOREVER_MS UINT32_C(3600000000)

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_reader reader;
static struct got got;
static struct lpk_site site = {
    .format = "",
    .file = "",
    .function = "worker_main",
    .level = LPK_WARN,
};

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 8192, 4, 1);
	return lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return 0;
}

static uint64_t
suppressed(void)
{
	struct lpk_log_stats stats;

	lpk_log_stats(log_, &stats);
	return stats.suppressed;
}

static void
test_limit_burst_passes_and_the_rest_is_counted(void **state)
{
	struct lpk_ratelimit limit = {FOREVER_MS, 10, 0, 0, 0};
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_int_equal(lpk__ratelimit(log_, &site, &limit), i < 10);
	assert_int_equal(suppressed(), 90);
	assert_int_equal(limit.missed, 90);
	/* Nothing is said before the interval is over. */
	expect_end(&reader);
}

static void
test_limit_next_interval_reports_what_was_suppressed(void **state)
{
	struct lpk_ratelimit limit = {FOREVER_MS, 2, 0, 0, 0};
	int i;

	(void)state;
	for (i = 0; i < 44; i++)
		lpk__ratelimit(log_, &site, &limit);
	limit.begin -= ~0ul / 2 + 3; /* long ago */
	assert_true(lpk__ratelimit(log_, &site, &limit));
	expect_text(&reader, &got, "worker_main: 42 messages suppressed");
	assert_int_equal(got.record.level, LPK_WARN);
	assert_true(lpk__ratelimit(log_, &site, &limit));
	assert_false(lpk__ratelimit(log_, &site, &limit));
	/* Told once. */
	limit.begin -= ~0ul / 2 + 3; /* long ago */
	assert_true(lpk__ratelimit(log_, &site, &limit));
	expect_text(&reader, &got, "worker_main: 1 messages suppressed");
	limit.begin -= ~0ul / 2 + 3; /* long ago */
	assert_true(lpk__ratelimit(log_, &site, &limit));
	expect_end(&reader);
	assert_int_equal(suppressed(), 43);
}

static void
test_limit_burst_of_none_holds_back_all(void **state)
{
	struct lpk_ratelimit limit = {FOREVER_MS, 0, 0, 0, 0};
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_false(lpk__ratelimit(log_, &site, &limit));
	assert_int_equal(suppressed(), 5);
}

static void
test_limit_interval_of_none_divides_by_nothing(void **state)
{
	struct lpk_ratelimit limit = {0, 3, 0, 0, 0};

	(void)state;
	assert_true(lpk__ratelimit(log_, &site, &limit));
}

static void
test_limit_call_logs_ten_and_accounts_close(void **state)
{
	struct lpk_log_stats stats;
	int i, records = 0, reports = 0;

	(void)state;
	for (i = 0; i < 1000; i++)
		lpk_info_ratelimited("call %d", i);
	while (next(&reader, &got) == LPK_OK) {
		if (strstr(got.text, "messages suppressed") != NULL)
			reports++;
		else
			records++;
	}
	lpk_log_stats(log_, &stats);
	/* An interval may have ended meanwhile, and have been reported. */
	assert_true(records >= 10 && records < 1000);
	assert_int_equal(records + (int)stats.suppressed, 1000);
	assert_int_equal(stats.stored, records + reports);
}

static void
test_limit_call_that_is_off_counts_nothing(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		lpk_printk_ratelimited(LPK_DEBUG, "off %d", i);
		lpk_printk_once(LPK_DEBUG, "off %d", i);
	}
	assert_int_equal(suppressed(), 0);
	expect_end(&reader);
}

enum { THREADS = 8, CALLS = 2000 };

static struct lpk_ratelimit shared = {FOREVER_MS, 100, 0, 0, 0};
static unsigned long done;

static void *
call_often(void *passed)
{
	int i;

	for (i = 0; i < CALLS; i++) {
		*(int *)passed += lpk__ratelimit(log_, &site, &shared);
		*(int *)passed += lpk__once(log_, &done) ? 1000000 : 0;
	}
	return NULL;
}

static void
test_limit_threads_share_it_exactly(void **state)
{
	pthread_t thread[THREADS];
	int passed[THREADS] = {0}, sum = 0, i;

	(void)state;
	/* The window is open, so that no two threads open it. */
	sum += lpk__ratelimit(log_, &site, &shared);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&thread[i], NULL, call_often, &passed[i]),
		    0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		sum += passed[i];
	}
	assert_int_equal(sum, 100 + 1000000);
	assert_int_equal(
	    suppressed(), 1 + THREADS * CALLS - 100 + THREADS * CALLS - 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_limit_burst_passes_and_the_rest_is_counted),
	    CASE(test_limit_next_interval_reports_what_was_suppressed),
	    CASE(test_limit_burst_of_none_holds_back_all),
	    CASE(test_limit_interval_of_none_divides_by_nothing),
	    CASE(test_limit_call_logs_ten_and_accounts_close),
	    CASE(test_limit_call_that_is_off_counts_nothing),
	    CASE(test_limit_threads_share_it_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
