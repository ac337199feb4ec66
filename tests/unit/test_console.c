/* SPDX-License-Identifier: MIT */
/* The console's thread, with a driver that only remembers. */
#define LPK_SHORT_NAMES
#define LPK_DEFAULT_LOG log_
#include "stalled.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <lpk/console.h>

#include "idle.h"
#include "lpk_atomic.h"

#define SECOND UINT64_C(1000000000)

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console console;

/* What the driver was given, and how it behaves. */
static char taken[1 << 20];
static size_t taken_bytes;
static int refuse;
static unsigned long calls;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int
memory_write(struct lpk_console *self, struct lpk_batch *batch)
{
	int result = (int)batch->size_bytes;

	(void)self;
	lpk_fetch_add_relaxed(&calls, 1);
	pthread_mutex_lock(&gate);
	if (refuse != 0) {
		result = -LPK_EIO;
	} else if (taken_bytes + batch->size_bytes < sizeof(taken)) {
		memcpy(taken + taken_bytes, batch->bytes, batch->size_bytes);
		taken_bytes += batch->size_bytes;
		taken[taken_bytes] = '\0';
	}
	pthread_mutex_unlock(&gate);
	return result;
}

static const struct lpk_console_driver memory_driver = {
    .name = "memory", .write = memory_write};

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 4096, 8, 2);
	console = (struct lpk_console){.driver = &memory_driver, .log = log_};
	/* A driver that was given up may have been here last. */
	pthread_mutex_lock(&gate);
	taken_bytes = 0;
	taken[0] = '\0';
	refuse = 0;
	pthread_mutex_unlock(&gate);
	lpk_store_relaxed(&calls, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (console.printer != NULL)
		lpk_console_unregister(&console, UINT64_MAX);
	small_log_free(&small);
	return 0;
}

static void
start(void)
{
	assert_int_equal(lpk_console_register(&console), LPK_OK);
}

static void
flush(void)
{
	assert_int_equal(lpk_console_flush(&console, UINT64_MAX), LPK_OK);
}

/* The lines so far without their times, which "[" and "] " enclose. */
static void
expect_lines(const char *want)
{
	static char plain[sizeof(taken)];
	size_t length = 0;
	const char *at = taken;

	while (*at != '\0') {
		if (*at == '[' && strchr(at, ']') != NULL &&
		    strspn(at + 1, " 0123456789.") ==
			(size_t)(strchr(at, ']') - at - 1)) {
			at = strchr(at, ']') + 2;
			continue;
		}
		plain[length++] = *at++;
	}
	plain[length] = '\0';
	assert_string_equal(plain, want);
}

static void
test_console_bad_argument_is_refused(void **state)
{
	struct lpk_console_driver deaf = {.name = "deaf"};
	struct lpk_console bad = console;

	(void)state;
	assert_int_equal(lpk_console_register(NULL), -LPK_EINVAL);
	bad.driver = NULL;
	assert_int_equal(lpk_console_register(&bad), -LPK_EINVAL);
	bad.driver = &deaf;
	assert_int_equal(lpk_console_register(&bad), -LPK_EINVAL);
	bad.driver = &memory_driver;
	bad.style = (enum lpk_style)99;
	assert_int_equal(lpk_console_register(&bad), -LPK_EINVAL);
	bad.style = LPK_STYLE_TEXT;
	bad.start = (enum lpk_seek)99;
	assert_int_equal(lpk_console_register(&bad), -LPK_EINVAL);
	assert_null(bad.printer);
	assert_int_equal(lpk_console_flush(NULL, 0), -LPK_EINVAL);
	assert_int_equal(lpk_console_unregister(NULL, 0), -LPK_EINVAL);
}

static void
test_console_not_running_cannot_be_flushed_or_stopped(void **state)
{
	struct lpk_console_stats stats;

	(void)state;
	assert_int_equal(lpk_console_flush(&console, 0), -LPK_EINVAL);
	assert_int_equal(lpk_console_unregister(&console, 0), -LPK_EINVAL);
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.printed, 0);
	start();
	assert_int_equal(lpk_console_register(&console), -LPK_EBUSY);
	assert_int_equal(lpk_console_unregister(&console, UINT64_MAX), LPK_OK);
	assert_int_equal(lpk_console_unregister(&console, 0), -LPK_EINVAL);
}

static void
test_console_lines_arrive_in_order(void **state)
{
	struct lpk_console_stats stats;

	(void)state;
	pr_info("before the start");
	start();
	pr_info("one");
	flush();
	pr_info("two\nthree");
	pr_err("four");
	flush();
	expect_lines("before the start\none\ntwo\nthree\nfour\n");
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.printed, 4);
	assert_int_equal(stats.suppressed + stats.lost + stats.refused, 0);
}

static void
test_console_start_position_is_obeyed(void **state)
{
	(void)state;
	pr_info("old");
	lpk_log_clear(log_);
	pr_info("since the clear");
	console.start = LPK_SEEK_CLEAR;
	start();
	lpk_console_unregister(&console, UINT64_MAX);
	expect_lines("since the clear\n");
	console.start = LPK_SEEK_NEXT;
	start();
	pr_info("new");
	lpk_console_unregister(&console, UINT64_MAX);
	expect_lines("since the clear\nnew\n");
}

static void
test_console_continued_line_is_one_line(void **state)
{
	(void)state;
	start();
	printk(KERN_INFO "begin,");
	printk(KERN_CONT " middle,");
	printk(KERN_CONT " end\n");
	printk(KERN_INFO "open");
	flush();
	printk(KERN_INFO "interrupted");
	printk(KERN_INFO "other\n");
	flush();
	expect_lines("begin, middle, end\nopen\ninterrupted\nother\n");
}

static void
test_console_kmsg_record_is_a_line_also_when_open(void **state)
{
	static const char *const ends[] = {
	    "-,caller=", ";begin\n", "c,caller=", ";more\n"};
	const char *at = taken;
	size_t i;

	(void)state;
	console.style = LPK_STYLE_KMSG;
	start();
	printk(KERN_INFO "begin");
	printk(KERN_CONT "more");
	lpk_printk_kv(LPK_INFO, LPK_KV("KEY", "] value"), "kv");
	flush();
	for (i = 0; i < 4; i++) {
		at = strstr(at, ends[i]);
		assert_non_null(at);
	}
	assert_non_null(strstr(at, ";kv\n KEY=] value\n"));
}

static void
test_console_quiet_levels_are_not_shown_but_counted(void **state)
{
	struct lpk_console_stats stats;

	(void)state;
	console.quiet_below = LPK_NOTICE;
	start();
	lpk_warn("warn");
	lpk_notice("notice");
	lpk_info("info");
	lpk_err("err");
	flush();
	expect_lines("warn\nerr\n");
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.printed, 2);
	assert_int_equal(stats.suppressed, 2);
}

static void
test_console_colours_go_around_each_line_by_level(void **state)
{
	(void)state;
	console.colours = true;
	start();
	lpk_err("red");
	lpk_info("plain");
	flush();
	assert_non_null(strstr(taken, "\033[31m["));
	assert_non_null(strstr(taken, "red\033[0m\n["));
	assert_non_null(strstr(taken, "] plain\n"));
	/* Text cannot colour anything itself. */
	lpk_info("%s", "\033[41mevil");
	flush();
	assert_non_null(strstr(taken, "\\x1b[41mevil"));
}

/* Let the driver block, and the console run into it. */
static void
block_driver(void)
{
	unsigned long before = lpk_load_acquire(&calls);

	pthread_mutex_lock(&gate);
	pr_info("blocks");
	while (lpk_load_acquire(&calls) == before)
		usleep(100);
}

static void
test_console_flush_of_a_stuck_driver_times_out(void **state)
{
	(void)state;
	start();
	block_driver();
	assert_int_equal(lpk_console_flush(&console, lpk_now_ns() + 20000000),
	    -LPK_ETIMEDOUT);
	assert_int_equal(lpk_console_flush(&console, 0), -LPK_ETIMEDOUT);
	/* And no caller of printk waits for it. */
	pr_info("goes on");
	pthread_mutex_unlock(&gate);
	flush();
	expect_lines("blocks\ngoes on\n");
}

/* How many records the notices so far name, all together. */
static unsigned long long
named_dropped(void)
{
	unsigned long long named = 0;
	const char *at = taken;

	while ((at = strstr(at, "** ")) != NULL) {
		named += strtoull(at + 3, NULL, 10);
		assert_non_null(strstr(at, " printk messages dropped **\n"));
		at = strchr(at, '\n');
	}
	return named;
}

static void
test_console_lost_records_are_named_exactly(void **state)
{
	struct lpk_console_stats stats;
	struct lpk_log_stats log_stats;
	const char *at;
	uint64_t lines = 0;
	int i;

	(void)state;
	start();
	block_driver();
	for (i = 0; i < 5000; i++)
		pr_info("record %d", i);
	pthread_mutex_unlock(&gate);
	flush();
	lpk_console_stats(&console, &stats);
	lpk_log_stats(log_, &log_stats);
	assert_true(stats.lost > 0);
	assert_int_equal(named_dropped(), stats.lost);
	assert_int_equal(stats.printed + stats.lost, log_stats.stored);
	for (at = taken; (at = strstr(at, "] record ")) != NULL; at++)
		lines++;
	assert_int_equal(lines, stats.printed - 1);
	assert_non_null(strstr(taken, "] record 4999\n"));
}

static void
test_console_drops_of_the_log_are_named_too(void **state)
{
	static char filler[900];
	struct lpk__store stopped[32];
	struct lpk_console_stats console_stats;
	struct lpk_log_stats stats;
	int i, count = 0;

	(void)state;
	memset(filler, 'f', sizeof(filler) - 1);
	start();
	flush();
	/* Writers stop half way in every block. */
	while (count < 32) {
		lpk_log_stats(log_, &stats);
		if (stats.blocks_pinned == 7)
			break;
		stalled_begin(log_, &stopped[count++], filler);
	}
	for (i = 0; i < 100; i++)
		pr_info("%.800s", filler);
	lpk_log_stats(log_, &stats);
	assert_true(stats.dropped > 0);
	for (i = 0; i < count; i++)
		stalled_finish(log_, &stopped[i]);
	flush();
	lpk_console_stats(&console, &console_stats);
	assert_int_equal(named_dropped(), stats.dropped + console_stats.lost);
}

static void
test_console_refusing_driver_is_accounted(void **state)
{
	struct lpk_console_stats stats;

	(void)state;
	start();
	pr_info("taken");
	flush();
	refuse = 1;
	pr_info("refused");
	pr_info("refused");
	flush();
	refuse = 0;
	pr_info("taken again");
	flush();
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.printed, 2);
	assert_int_equal(stats.refused, 2);
	expect_lines("taken\ntaken again\n");
}

static void
test_console_flush_waits_for_an_unfinished_record(void **state)
{
	struct lpk_console_stats stats;
	struct lpk__store stopped;

	(void)state;
	start();
	stalled_begin(log_, &stopped, "late");
	pr_info("behind it");
	do {
		usleep(1000);
		lpk_console_stats(&console, &stats);
	} while (stats.printed == 0);
	/* All that was reserved before: the late one too. */
	assert_int_equal(
	    lpk_console_flush(&console, lpk_now_ns() + SECOND / 50),
	    -LPK_ETIMEDOUT);
	stalled_finish(log_, &stopped);
	flush();
	expect_lines("behind it\nlate\n");
}

static void
test_console_idle_never_wakes(void **state)
{
	long wakeups;

	(void)state;
	start();
	pr_info("something first");
	flush();
	wakeups = idle_wakeups_a_second(idle_newest_thread());
	assert_int_equal(wakeups, 0);
	/* And it still wakes when it should. */
	pr_info("awake");
	flush();
	expect_lines("something first\nawake\n");
}

static unsigned long storm_ends;

static void *
storm(void *arg)
{
	unsigned long count = 0;

	(void)arg;
	while (lpk_load_relaxed(&storm_ends) == 0)
		pr_info("storm %lu", count++);
	return NULL;
}

static void
test_console_starts_and_stops_under_load(void **state)
{
	struct lpk_console_stats stats;
	unsigned long after;
	pthread_t thread;
	int i;

	(void)state;
	lpk_store_relaxed(&storm_ends, 0);
	assert_int_equal(pthread_create(&thread, NULL, storm, NULL), 0);
	for (i = 0; i < 100; i++) {
		console.start = i & 1 ? LPK_SEEK_NEXT : LPK_SEEK_OLDEST;
		start();
		if (i % 3 == 0)
			lpk_console_flush(&console, lpk_now_ns() + SECOND);
		lpk_console_stats(&console, &stats);
		/* Its end does not wait for the storm's. */
		assert_int_equal(lpk_console_unregister(
				     &console, lpk_now_ns() + 60 * SECOND),
		    LPK_OK);
		/* No function of the driver runs any more. */
		after = lpk_load_acquire(&calls);
		lpk_write(log_, LPK_INFO, "nobody reads");
		assert_int_equal(lpk_load_acquire(&calls), after);
	}
	lpk_store_relaxed(&storm_ends, 1);
	pthread_join(thread, NULL);
}

static void
test_console_stop_of_a_stuck_driver_gives_it_up(void **state)
{
	/* Both must stay: the driver may return at any time. */
	static struct small_log lasting;
	static struct lpk_console stuck;
	char text[sizeof("blocks\n") + 64], task[64];

	(void)state;
	log_ = small_log_make(&lasting, 4096, 8, 2);
	stuck = console;
	stuck.log = log_;
	assert_int_equal(lpk_console_register(&stuck), LPK_OK);
	snprintf(task, sizeof(task), "/proc/self/task/%d",
	    (int)idle_newest_thread());
	block_driver();
	pr_info("never shown");
	assert_int_equal(
	    lpk_console_unregister(&stuck, lpk_now_ns() + SECOND / 100),
	    -LPK_EBUSY);
	assert_int_equal(lpk_console_flush(&stuck, 0), -LPK_EINVAL);
	pthread_mutex_unlock(&gate);
	/* Nothing more is written when it does return. */
	while (access(task, F_OK) == 0)
		usleep(1000);
	pthread_mutex_lock(&gate);
	snprintf(text, sizeof(text), "%s", strchr(taken, ']') + 2);
	pthread_mutex_unlock(&gate);
	assert_string_equal(text, "blocks\n");
}

static void
test_console_stop_prints_what_is_there(void **state)
{
	(void)state;
	start();
	pr_info("last words");
	assert_int_equal(lpk_console_unregister(&console, UINT64_MAX), LPK_OK);
	expect_lines("last words\n");
}

static void
test_console_several_have_cursors_of_their_own(void **state)
{
	struct lpk_console second = console;
	struct lpk_console_stats stats;

	(void)state;
	second.quiet_below = LPK_ERR;
	start();
	assert_int_equal(lpk_console_register(&second), LPK_OK);
	pr_info("one");
	pr_crit("two");
	flush();
	assert_int_equal(lpk_console_flush(&second, UINT64_MAX), LPK_OK);
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.printed, 2);
	lpk_console_stats(&second, &stats);
	assert_int_equal(stats.printed, 1);
	assert_int_equal(stats.suppressed, 1);
	lpk_console_unregister(&second, UINT64_MAX);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_console_bad_argument_is_refused),
	    CASE(test_console_not_running_cannot_be_flushed_or_stopped),
	    CASE(test_console_lines_arrive_in_order),
	    CASE(test_console_start_position_is_obeyed),
	    CASE(test_console_continued_line_is_one_line),
	    CASE(test_console_kmsg_record_is_a_line_also_when_open),
	    CASE(test_console_quiet_levels_are_not_shown_but_counted),
	    CASE(test_console_colours_go_around_each_line_by_level),
	    CASE(test_console_flush_of_a_stuck_driver_times_out),
	    CASE(test_console_lost_records_are_named_exactly),
	    CASE(test_console_drops_of_the_log_are_named_too),
	    CASE(test_console_refusing_driver_is_accounted),
	    CASE(test_console_flush_waits_for_an_unfinished_record),
	    CASE(test_console_idle_never_wakes),
	    CASE(test_console_starts_and_stops_under_load),
	    CASE(test_console_stop_of_a_stuck_driver_gives_it_up),
	    CASE(test_console_stop_prints_what_is_there),
	    CASE(test_console_several_have_cursors_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
