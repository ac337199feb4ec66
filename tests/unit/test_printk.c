/* SPDX-License-Identifier: MIT */
/* The calls that log: what the reader gets of each, and what they leave alone. */
#define LPK_SHORT_NAMES
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <core/record.h>
#include <lpk/hosted.h>
#include <lpk/port.h>

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_reader reader;
static struct got got;

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

static void
expect_record(uint32_t level, uint32_t flags, const char *text)
{
	expect_text(&reader, &got, text);
	assert_int_equal(got.record.level, level);
	assert_int_equal(got.record.flags, flags);
}

static void
test_printk_each_level_arrives_as_itself(void **state)
{
	uint32_t level;

	(void)state;
	lpk_filter_set("debug", NULL);
	lpk_emerg("level %d", 0);
	lpk_alert("level %d", 1);
	lpk_crit("level %d", 2);
	lpk_err("level %d", 3);
	lpk_warn("level %d", 4);
	lpk_notice("level %d", 5);
	lpk_info("level %d", 6);
	lpk_debug("level %d", 7);
	for (level = 0; level < 8; level++) {
		assert_int_equal(next(&reader, &got), LPK_OK);
		assert_int_equal(got.record.level, level);
		assert_int_equal(got.text[6], '0' + (int)level);
	}
	expect_end(&reader);
	lpk_filter_set("", NULL);
}

static void
test_printk_short_names_have_their_levels(void **state)
{
	(void)state;
	lpk_filter_set("debug", NULL);
	pr_emerg("x");
	pr_alert("x");
	pr_crit("x");
	pr_err("x");
	pr_warn("x");
	pr_notice("x");
	pr_info("x");
	pr_debug("x");
	expect_record(LPK_EMERG, 0, "x");
	expect_record(LPK_ALERT, 0, "x");
	expect_record(LPK_CRIT, 0, "x");
	expect_record(LPK_ERR, 0, "x");
	expect_record(LPK_WARN, 0, "x");
	expect_record(LPK_NOTICE, 0, "x");
	expect_record(LPK_INFO, 0, "x");
	expect_record(LPK_DEBUG, 0, "x");
	lpk_filter_set("", NULL);
}

static void
test_printk_kern_prefix_is_the_level(void **state)
{
	const char *run_time = KERN_CRIT "at run time %d\n";

	(void)state;
	lpk_filter_set("debug", NULL);
	printk(KERN_EMERG "a\n");
	printk(KERN_ALERT "b\n");
	printk(KERN_CRIT "c\n");
	printk(KERN_ERR "d\n");
	printk(KERN_WARNING "e\n");
	printk(KERN_NOTICE "f\n");
	printk(KERN_INFO "g\n");
	printk(KERN_DEBUG "h\n");
	printk(KERN_DEFAULT "i\n");
	printk("j\n");
	printk(run_time, 5);
	expect_record(LPK_EMERG, 0, "a");
	expect_record(LPK_ALERT, 0, "b");
	expect_record(LPK_CRIT, 0, "c");
	expect_record(LPK_ERR, 0, "d");
	expect_record(LPK_WARN, 0, "e");
	expect_record(LPK_NOTICE, 0, "f");
	expect_record(LPK_INFO, 0, "g");
	expect_record(LPK_DEBUG, 0, "h");
	expect_record(LPK_WARN, 0, "i");
	expect_record(LPK_WARN, 0, "j");
	expect_record(LPK_CRIT, 0, "at run time 5");
	lpk_filter_set("", NULL);
}

static void
test_printk_level_in_an_argument_is_text(void **state)
{
	(void)state;
	pr_info("%s", KERN_EMERG "not a level");
	expect_record(LPK_INFO, 0,
	    "\001"
	    "0not a level");
}

static void
test_printk_debug_is_off_by_default(void **state)
{
	struct lpk_log_stats stats;

	(void)state;
	pr_debug("nobody asked");
	printk(KERN_DEBUG "nobody asked\n");
	pr_info("shown");
	expect_record(LPK_INFO, 0, "shown");
	expect_end(&reader);
	lpk_log_stats(log_, &stats);
	assert_int_equal(stats.stored, 1);
	assert_int_equal(stats.suppressed, 0);
}

static void
test_printk_call_that_is_off_evaluates_nothing(void **state)
{
	int count = 0, i;

	(void)state;
	for (i = 0; i < 3; i++)
		pr_debug("%d", ++count);
	assert_int_equal(count, 0);
	for (i = 0; i < 3; i++)
		pr_info("%d", ++count);
	assert_int_equal(count, 3);
}

static void
test_printk_final_newline_is_not_kept(void **state)
{
	(void)state;
	pr_info("one\n");
	pr_info("two\n\n");
	pr_info("\n");
	pr_info("%s", "");
	expect_record(LPK_INFO, 0, "one");
	expect_record(LPK_INFO, 0, "two\n");
	expect_record(LPK_INFO, 0, "");
	expect_record(LPK_INFO, 0, "");
}

static void
test_printk_several_lines_are_one_record(void **state)
{
	(void)state;
	pr_info("one\ntwo\nthree\n");
	expect_record(LPK_INFO, 0, "one\ntwo\nthree");
	expect_end(&reader);
}

static void
test_printk_continuation_is_flagged(void **state)
{
	(void)state;
	printk(KERN_INFO "begin");
	printk(KERN_CONT " middle");
	pr_cont(" more");
	lpk_cont(LPK_ERR, " end\n");
	lpk_line(LPK_NOTICE, "line");
	expect_record(LPK_INFO, LPK_RECORD_OPEN, "begin");
	expect_record(LPK_INFO, LPK_RECORD_OPEN | LPK_RECORD_CONT, " middle");
	expect_record(LPK_INFO, LPK_RECORD_OPEN | LPK_RECORD_CONT, " more");
	expect_record(LPK_ERR, LPK_RECORD_CONT, " end");
	expect_record(LPK_NOTICE, LPK_RECORD_OPEN, "line");
	/* Open or not, the last record is readable at once. */
	expect_end(&reader);
}

#undef LPK_PREFIX
#define LPK_PREFIX "eth: "
static void
test_printk_prefix_is_in_front(void **state)
{
	(void)state;
	pr_info("link %s", "up");
	printk(KERN_ERR "link down\n");
	lpk_write(log_, LPK_INFO, "no site, no prefix");
	expect_record(LPK_INFO, 0, "eth: link up");
	expect_record(LPK_ERR, 0, "eth: link down");
	expect_record(LPK_INFO, 0, "no site, no prefix");
}
#undef LPK_PREFIX
#define LPK_PREFIX NULL

static void
test_printk_bad_format_is_shown(void **state)
{
	const char *null = NULL, *unknown = "a %y b %d", *n = "a %n b %d";
	int target = 7;

	(void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat"
	pr_info(null);
	printk(null);
	lpk_write(log_, LPK_INFO, NULL);
	pr_info(unknown, 1, 2);
	pr_info(n, &target, 5);
#pragma GCC diagnostic pop
	pr_info("%s", null);
	expect_record(LPK_INFO, 0, "(null format)");
	expect_record(LPK_WARN, LPK_RECORD_OPEN, "(null format)");
	expect_record(LPK_INFO, 0, "(null format)");
	expect_record(LPK_INFO, 0, "a %!y b %!d");
	expect_record(LPK_INFO, 0, "a %!n b 5");
	assert_int_equal(target, 7);
	expect_record(LPK_INFO, 0, "(null)");
}

static void
test_printk_bad_level_is_debug(void **state)
{
	(void)state;
	lpk_write(log_, (enum lpk_level)8, "eight");
	lpk_write(log_, (enum lpk_level) - 1, "minus one");
	lpk_inject(log_, (enum lpk_level)1000, 3, "thousand", 8);
	expect_record(LPK_DEBUG, 0, "eight");
	expect_record(LPK_DEBUG, 0, "minus one");
	expect_record(LPK_DEBUG, LPK_RECORD_INJECTED, "thousand");
}

static void
test_printk_any_byte_is_kept_as_it_is(void **state)
{
	char all[256];
	int i;

	(void)state;
	for (i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	pr_info("%s", all);
	expect_record(LPK_INFO, 0, all);
}

static void
expect_cut(size_t most)
{
	static const char mark[] = "<truncated>";
	size_t bytes;

	assert_int_equal(next(&reader, &got), LPK_OK);
	assert_int_equal(
	    got.record.flags & LPK_RECORD_TRUNCATED, LPK_RECORD_TRUNCATED);
	bytes = got.record.text_bytes;
	assert_true(bytes <= most && bytes + 4 > most);
	assert_string_equal(got.text + bytes - strlen(mark), mark);
}

static void
test_printk_longer_than_a_record_is_cut_and_marked(void **state)
{
	static char text[3 * LPK_TEXT_MAX + 1];
	size_t length;

	(void)state;
	for (length = LPK_TEXT_MAX - 3; length < LPK_TEXT_MAX + 4; length++) {
		memset(text, 'x', length);
		text[length] = '\0';
		pr_info("%s", text);
		if (length <= LPK_TEXT_MAX)
			expect_record(LPK_INFO, 0, text);
		else
			expect_cut(LPK_TEXT_MAX);
	}
	memset(text, 'y', sizeof(text) - 1);
	lpk_write(log_, LPK_INFO, "%s", text);
	expect_cut(LPK_TEXT_MAX);
	lpk_inject(log_, LPK_INFO, 1, text, sizeof(text));
	expect_cut(LPK_TEXT_MAX);
	/* A line that was cut does not stay open. */
	lpk_line(LPK_INFO, "%s", text);
	expect_cut(LPK_TEXT_MAX);
	assert_int_equal(got.record.flags & LPK_RECORD_OPEN, 0);
}

static void
test_printk_cut_does_not_split_a_character(void **state)
{
	static char text[LPK_TEXT_MAX + 100];
	size_t skew, at;

	(void)state;
	for (skew = 0; skew < 4; skew++) {
		memset(text, 'x', skew);
		for (at = skew; at + 4 < sizeof(text); at += 4)
			memcpy(text + at, "\xf0\x9f\x98\x80", 4);
		text[at] = '\0';
		pr_info("%s", text);
		expect_cut(LPK_TEXT_MAX);
		at = got.record.text_bytes - strlen("<truncated>");
		assert_int_equal((at - skew) % 4, 0);
	}
}

static void
test_printk_larger_than_a_block_is_cut_and_marked(void **state)
{
	static char text[LPK_TEXT_MAX + 1];
	static const uint32_t sizes[] = {256, 512, 1024};
	struct lpk_log_stats stats;
	struct small_log tiny;
	size_t i, length, room;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct lpk_log *log = small_log_make(&tiny, sizes[i], 4, 1);

		room = log->geometry.units * 8u - LPK__RECORD_HEAD;
		lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
		for (length = room - 2; length <= LPK_TEXT_MAX; length++) {
			memset(text, 'z', length);
			text[length] = '\0';
			lpk_write(log, LPK_INFO, "%s", text);
			if (length <= room)
				expect_record(LPK_INFO, 0, text);
			else
				expect_cut(room);
		}
		lpk_log_stats(log, &stats);
		assert_int_equal(stats.dropped, 0);
		lpk_inject(log, LPK_INFO, 1, text, LPK_TEXT_MAX);
		expect_cut(room);
		small_log_free(&tiny);
	}
}

static void
test_printk_deferred_larger_than_a_block_is_cut_and_marked(void **state)
{
	static char text[900];
	struct lpk_log_stats stats;
	struct small_log tiny;
	int i;

	(void)state;
	memset(text, 'w', sizeof(text) - 1);
	/* Its dictionary has room for these calls, its blocks have not. */
	log_ = small_log_make(&tiny, 256, 64, 1);
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	for (i = 0; i < 10; i++) {
		pr_info("%s", text);
		expect_cut(log_->geometry.units * 8 - LPK__RECORD_HEAD);
		pr_info("%d %d %d %d %d %d %d %d %d %d %d %d %d %d %d %d", i, 2,
		    3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
		assert_int_equal(next(&reader, &got), LPK_OK);
		assert_string_equal(
		    got.text + 1, " 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
		pr_info("%s", "short");
		expect_record(LPK_INFO, 0, "short");
	}
	lpk_log_stats(log_, &stats);
	assert_int_equal(stats.dropped, 0);
	assert_int_equal(stats.stored, 30);
	small_log_free(&tiny);
}

static void
test_printk_larger_than_a_block_keeps_text_of_key_values(void **state)
{
	static char value[600];
	struct small_log tiny;

	(void)state;
	log_ = small_log_make(&tiny, 256, 64, 1);
	memset(value, 'v', sizeof(value) - 1);
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	lpk_printk_kv(LPK_INFO, LPK_KV("SHORT", "1", "LONG", value), "text");
	expect_text(&reader, &got, "text");
	assert_true(got.record.flags & LPK_RECORD_TRUNCATED);
	assert_true(got.record.flags & LPK_RECORD_KV);
	assert_int_equal(got.record.kv_bytes, 8);
	assert_string_equal(got.text + 5, "SHORT=1");
	small_log_free(&tiny);
}

static void
test_printk_key_values_follow_the_text(void **state)
{
	static const char pairs[] =
	    "IFNAME=eth0\0SPEED=1000\0__BAD_KEY_=(null)";

	(void)state;
	lpk_printk_kv(LPK_INFO,
	    LPK_KV("IFNAME", "eth0", "SPEED", "1000", "b\nBAD KEYx", NULL),
	    "link %s", "up");
	lpk_printk_kv(LPK_ERR, NULL, "none");
	lpk_printk_kv(LPK_ERR, LPK_KV("EMPTY", ""), "%s", "");
	expect_record(LPK_INFO, LPK_RECORD_KV, "link up");
	assert_int_equal(got.record.kv_bytes, sizeof(pairs));
	assert_memory_equal(got.text + 8, pairs, sizeof(pairs));
	expect_record(LPK_ERR, LPK_RECORD_KV, "none");
	assert_int_equal(got.record.kv_bytes, 0);
	expect_record(LPK_ERR, LPK_RECORD_KV, "");
	assert_int_equal(got.record.kv_bytes, 7);
	assert_string_equal(got.text + 1, "EMPTY=");
}

static void
test_printk_key_values_that_do_not_fit_are_marked(void **state)
{
	static char value[LPK_TEXT_MAX + 1];
	size_t length, most = LPK_TEXT_MAX - 2 - 4 - 4 - 1;

	(void)state;
	for (length = most - 2; length < most + 3; length++) {
		memset(value, 'v', length);
		value[length] = '\0';
		lpk_printk_kv(LPK_INFO, LPK_KV("KEY", value), "text");
		assert_int_equal(next(&reader, &got), LPK_OK);
		assert_string_equal(got.text, "text");
		assert_int_equal(
		    got.record.kv_bytes, length <= most ? length + 5 : 0);
		assert_int_equal((got.record.flags & LPK_RECORD_TRUNCATED) != 0,
		    length > most);
	}
}

static void
test_printk_inject_takes_text_as_it_is(void **state)
{
	(void)state;
	lpk_inject(log_, LPK_ERR, 3, "100%s %n\n", 9);
	expect_record(LPK_ERR, LPK_RECORD_INJECTED, "100%s %n");
	assert_int_equal(got.record.facility, 3);
	lpk_inject(log_, LPK_ERR, 0, "a\0b", 3);
	expect_record(LPK_ERR, LPK_RECORD_INJECTED,
	    "a\xef\xbf\xbd"
	    "b");
	assert_int_equal(got.record.facility, 1);
	lpk_inject(log_, LPK_ERR, 24, NULL, 100);
	expect_record(LPK_ERR, LPK_RECORD_INJECTED, "");
	assert_int_equal(got.record.facility, 1);
	lpk_inject(log_, LPK_ERR, 23, "x", 0);
	expect_record(LPK_ERR, LPK_RECORD_INJECTED, "");
	assert_int_equal(got.record.facility, 23);
	pr_info("ours");
	expect_record(LPK_INFO, 0, "ours");
	assert_int_equal(got.record.facility, 0);
}

static void
test_printk_hex_dump_shows_offset_bytes_and_text(void **state)
{
	unsigned char bytes[20];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 + 0x2a);
	lpk_hex_dump(log_, LPK_ERR, "p: ", bytes, sizeof(bytes));
	expect_record(LPK_ERR, 0,
	    "p: 00000000: 2a 31 38 3f 46 4d 54 5b 62 69 70 77 7e 85 8c 93"
	    "  *18?FMT[bipw~...");
	expect_record(LPK_ERR, 0,
	    "p: 00000010: 9a a1 a8 af                                    "
	    "  ....");
	lpk_hex_dump(log_, LPK_ERR, NULL, NULL, 5);
	expect_record(LPK_ERR, 0, "(null)");
	lpk_hex_dump(log_, LPK_ERR, "nothing", bytes, 0);
	expect_end(&reader);
}

static void
test_printk_hex_dump_of_absurd_size_ends(void **state)
{
	static unsigned char bytes[65536];
	int result, lines = 0;

	(void)state;
	/* Claims more than there is; only the first 64 KiB are looked at. */
	lpk_hex_dump(log_, LPK_INFO, "", bytes, sizeof(bytes) + 5);
	while ((result = next(&reader, &got)) != -LPK_EAGAIN)
		lines += result == LPK_OK;
	assert_int_equal(lines + (int)reader.lost_total, 4096 + 1);
	assert_string_equal(got.text, "00010000: 5 more bytes not shown");
}

static void
every_flavour(void)
{
	static const unsigned char bytes[3];
	struct lpk_ratelimit limit = {1000, 0, 0, 0, 0};
	struct lpk_site site = {
	    .level = LPK_INFO, .format = "", .file = "", .function = "f"};
	int i;

	lpk_info("%d %s %f", 1, "two", 3.0);
	lpk_printk_to(log_, LPK_ERR, "to");
	printk(KERN_INFO "kern\n");
	pr_cont("cont");
	lpk_line(LPK_INFO, "line");
	lpk_write(NULL, LPK_INFO, "default");
	lpk_inject(log_, LPK_INFO, 1, "inject", 6);
	lpk_hex_dump(log_, LPK_INFO, "dump", bytes, sizeof(bytes));
	lpk_printk_kv(LPK_INFO, LPK_KV("A", "b"), "kv");
	lpk__ratelimit(log_, &site, &limit);
	for (i = 0; i < 20; i++) {
		lpk_info_once("once");
		lpk_info_ratelimited("limited");
	}
}

static void
test_printk_leaves_errno_alone(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		errno = 4711;
		every_flavour();
		assert_int_equal(errno, 4711);
	}
	/* The first call of a thread, and waking a reader, are system calls. */
	assert_true(lpk_reader_eventfd(&reader) >= 0);
	while (next(&reader, &got) != -LPK_EAGAIN)
		;
	errno = 4712;
	every_flavour();
	assert_int_equal(errno, 4712);
	lpk_reader_close(&reader);
}

static void
test_printk_once_logs_the_first_and_counts_the_rest(void **state)
{
	struct lpk_log_stats stats;
	int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		pr_info_once("first %d", i);
		pr_err_once("other %d", i);
	}
	expect_record(LPK_INFO, 0, "first 0");
	expect_record(LPK_ERR, 0, "other 0");
	expect_end(&reader);
	lpk_log_stats(log_, &stats);
	assert_int_equal(stats.stored, 2);
	assert_int_equal(stats.suppressed, 18);
}

static void
handler(int signal)
{
	(void)signal;
	lpk_handler_enter();
	pr_info("in the handler");
	lpk_handler_enter();
	lpk_handler_exit();
	pr_info("nested, still in it");
	lpk_handler_exit();
}

static void
test_printk_caller_is_the_thread_and_says_handler(void **state)
{
	uint32_t self = (uint32_t)syscall(SYS_gettid);

	(void)state;
	pr_info("outside");
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	pr_info("outside again");
	expect_record(LPK_INFO, 0, "outside");
	assert_int_equal(got.record.caller, self);
	expect_record(LPK_INFO, 0, "in the handler");
	assert_int_equal(got.record.caller, self | LPK_CALLER_HANDLER);
	expect_record(LPK_INFO, 0, "nested, still in it");
	assert_int_equal(got.record.caller, self | LPK_CALLER_HANDLER);
	expect_record(LPK_INFO, 0, "outside again");
	assert_int_equal(got.record.caller, self);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_printk_each_level_arrives_as_itself),
	    CASE(test_printk_short_names_have_their_levels),
	    CASE(test_printk_kern_prefix_is_the_level),
	    CASE(test_printk_level_in_an_argument_is_text),
	    CASE(test_printk_debug_is_off_by_default),
	    CASE(test_printk_call_that_is_off_evaluates_nothing),
	    CASE(test_printk_final_newline_is_not_kept),
	    CASE(test_printk_several_lines_are_one_record),
	    CASE(test_printk_continuation_is_flagged),
	    CASE(test_printk_prefix_is_in_front),
	    CASE(test_printk_bad_format_is_shown),
	    CASE(test_printk_bad_level_is_debug),
	    CASE(test_printk_any_byte_is_kept_as_it_is),
	    CASE(test_printk_longer_than_a_record_is_cut_and_marked),
	    CASE(test_printk_cut_does_not_split_a_character),
	    CASE(test_printk_larger_than_a_block_is_cut_and_marked),
	    CASE(test_printk_deferred_larger_than_a_block_is_cut_and_marked),
	    CASE(test_printk_larger_than_a_block_keeps_text_of_key_values),
	    CASE(test_printk_key_values_follow_the_text),
	    CASE(test_printk_key_values_that_do_not_fit_are_marked),
	    CASE(test_printk_inject_takes_text_as_it_is),
	    CASE(test_printk_hex_dump_shows_offset_bytes_and_text),
	    CASE(test_printk_hex_dump_of_absurd_size_ends),
	    CASE(test_printk_leaves_errno_alone),
	    CASE(test_printk_once_logs_the_first_and_counts_the_rest),
	    CASE(test_printk_caller_is_the_thread_and_says_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
