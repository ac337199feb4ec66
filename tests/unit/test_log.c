/* SPDX-License-Identifier: MIT */
/* A log as a whole: making one, its accounts, and the default log. */
#include "fixture.h"

#include <core/log.h>
#include <core/ring.h>
#include <lpk/hosted.h>

#include <sys/wait.h>
#include <unistd.h>

LPK_LOG_DEFINE(defined_log, 256, 4, 2);
LPK_LOG_DEFINE(other_log, 512, 2, 1);

/* What a constructor, first of all, an exit handler and a destructor log. */
static int exit_pipe = -1;

__attribute__((constructor(101))) static void
early(void)
{
	lpk_warn("logged by a constructor");
}

static unsigned char memory[LPK_REGION_BYTES(512, 4) + LPK_CACHE_LINE];

static void
expect_refused(int want, void *at, size_t size_bytes, uint32_t block_bytes,
    uint32_t blocks, uint32_t lanes)
{
	struct lpk_log log, before;

	memset(&log, 0x5a, sizeof(log));
	before = log;
	memset(memory, 0xa5, sizeof(memory));
	assert_int_equal(lpk_log_init(&log, "refused", at, size_bytes,
			     block_bytes, blocks, lanes),
	    want);
	assert_memory_equal(&log, &before, sizeof(log));
	assert_int_equal(memory[0], 0xa5);
	assert_memory_equal(memory, memory + 1, sizeof(memory) - 1);
}

static void
test_log_init_null_is_refused(void **state)
{
	(void)state;
	assert_int_equal(
	    lpk_log_init(NULL, "x", memory, sizeof(memory), 512, 4, 1),
	    -LPK_EINVAL);
	expect_refused(-LPK_EINVAL, NULL, sizeof(memory), 512, 4, 1);
}

static void
test_log_init_shape_that_makes_no_sense_is_refused(void **state)
{
	static const uint32_t blocks[] = {0, 1, 3, 5, 6, 7, 9, 12, 255, 257,
	    LPK_BLOCKS_MAX * 2, UINT32_MAX, UINT32_C(1) << 31};
	static const uint32_t sizes[] = {0, 1, 8, 128, 255, 257, 384, 500,
	    1048576, UINT32_MAX, UINT32_C(1) << 31};
	static const uint32_t lanes[] = {
	    0, 4, 5, LPK_LANES_MAX, LPK_LANES_MAX + 1, UINT32_MAX};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(blocks) / sizeof(*blocks); i++)
		expect_refused(
		    -LPK_EINVAL, memory, (size_t)-1 / 2, 512, blocks[i], 1);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		expect_refused(
		    -LPK_EINVAL, memory, (size_t)-1 / 2, sizes[i], 4, 1);
	for (i = 0; i < sizeof(lanes) / sizeof(*lanes); i++)
		expect_refused(
		    -LPK_EINVAL, memory, sizeof(memory), 512, 4, lanes[i]);
}

static void
test_log_init_memory_one_byte_short_is_refused(void **state)
{
	size_t need = LPK_REGION_BYTES(512, 4), skew;
	unsigned char *aligned = memory +
	    (LPK_CACHE_LINE - (uintptr_t)memory % LPK_CACHE_LINE) %
		LPK_CACHE_LINE;
	struct lpk_log log;

	(void)state;
	expect_refused(-LPK_ENOMEM, memory, 0, 512, 4, 1);
	for (skew = 0; skew < LPK_CACHE_LINE; skew++) {
		size_t lost = (LPK_CACHE_LINE - skew) % LPK_CACHE_LINE;

		if (aligned + skew + lost + need > memory + sizeof(memory))
			continue;
		expect_refused(
		    -LPK_ENOMEM, aligned + skew, need + lost - 1, 512, 4, 1);
		assert_int_equal(lpk_log_init(&log, NULL, aligned + skew,
				     need + lost, 512, 4, 1),
		    LPK_OK);
		assert_int_equal((uintptr_t)log.region % LPK_CACHE_LINE, 0);
		assert_true(log.region >= aligned + skew);
		assert_true(log.region + log.region_bytes <=
		    aligned + skew + need + lost);
	}
}

static void
test_log_init_touches_nothing_beyond_its_memory(void **state)
{
	size_t size = LPK_REGION_BYTES(256, 4) + LPK_CACHE_LINE;
	struct lpk_log log;
	size_t i;
	int round;

	(void)state;
	memset(memory, 0xa5, sizeof(memory));
	assert_int_equal(
	    lpk_log_init(&log, "x", memory + 3, size, 256, 4, 3), LPK_OK);
	for (round = 0; round < 1000; round++) {
		lpk_thread_set_lane((uint32_t)round);
		lpk_write(&log, LPK_INFO, "%*d", round % 90, round);
	}
	for (i = 0; i < 3; i++)
		assert_int_equal(memory[i], 0xa5);
	for (i = 3 + size; i < sizeof(memory); i++)
		assert_int_equal(memory[i], 0xa5);
}

static void
test_log_init_twice_forgets_the_first(void **state)
{
	struct lpk_log_stats stats;
	struct lpk_reader reader;
	struct lpk_log log;

	(void)state;
	lpk_log_init(&log, "x", memory, sizeof(memory), 512, 4, 1);
	lpk_write(&log, LPK_INFO, "gone");
	lpk_log_init(&log, "x", memory, sizeof(memory), 256, 4, 2);
	lpk_log_stats(&log, &stats);
	assert_int_equal(stats.stored, 0);
	lpk_reader_open(&reader, &log, LPK_SEEK_OLDEST);
	expect_end(&reader);
}

static void
test_log_init_describes_the_log_in_its_region(void **state)
{
	struct lpk__head head;
	struct lpk_log log;

	(void)state;
	lpk_log_init(&log, "x", memory, sizeof(memory), 512, 4, 2);
	memcpy(&head, log.region, sizeof(head));
	assert_memory_equal(head.fixed.magic, LPK__MAGIC, 16);
	assert_int_equal(head.fixed.endian, 0x01020304);
	assert_int_equal(head.fixed.word_bytes, sizeof(long));
	assert_int_equal(head.fixed.head_bytes, LPK_HEAD_BYTES);
	assert_memory_equal(
	    &head.fixed.geometry, &log.geometry, sizeof(log.geometry));
}

static void
test_log_defined_needs_no_init(void **state)
{
	struct lpk_reader reader;
	struct lpk_log_stats stats;
	struct got got;

	(void)state;
	assert_int_equal(
	    lpk_reader_open(&reader, &defined_log, LPK_SEEK_OLDEST), LPK_OK);
	expect_end(&reader);
	lpk_log_stats(&defined_log, &stats);
	assert_int_equal(stats.stored, 0);
	lpk_write(&defined_log, LPK_INFO, "first");
	expect_text(&reader, &got, "first");
	assert_string_equal(defined_log.name, "defined_log");
	/* Its region describes itself from the first record on. */
	assert_memory_equal(defined_log.region, LPK__MAGIC, 16);
}

static void
test_log_several_logs_do_not_mix(void **state)
{
	struct lpk_reader a, b, c;
	struct got got;
	int i;

	(void)state;
	lpk_reader_open(&a, &defined_log, LPK_SEEK_NEXT);
	lpk_reader_open(&b, &other_log, LPK_SEEK_NEXT);
	lpk_reader_open(&c, lpk_default_log(), LPK_SEEK_NEXT);
	for (i = 0; i < 3; i++) {
		lpk_write(&defined_log, LPK_INFO, "a%d", i);
		lpk_write(&other_log, LPK_ERR, "b%d", i);
		lpk_write(NULL, LPK_ERR, "c%d", i);
	}
	for (i = 0; i < 3; i++) {
		assert_int_equal(next(&a, &got), LPK_OK);
		assert_int_equal(got.text[0], 'a');
		assert_int_equal(next(&b, &got), LPK_OK);
		assert_int_equal(got.text[0], 'b');
		assert_int_equal(next(&c, &got), LPK_OK);
		assert_int_equal(got.text[0], 'c');
	}
	expect_end(&a);
	expect_end(&b);
	expect_end(&c);
}

static void
test_log_stats_add_up(void **state)
{
	struct lpk_log_stats stats;
	struct lpk_reader reader;
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, 2, 1);
	uint64_t kept = 0;
	struct got got;
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		lpk_write(log, LPK_INFO, "%d", i);
	lpk_log_stats(log, &stats);
	assert_int_equal(stats.stored, 100);
	assert_int_equal(stats.dropped, 0);
	assert_int_equal(stats.suppressed, 0);
	assert_int_equal(stats.blocks_pinned, 0);
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	while (next(&reader, &got) == LPK_OK)
		kept++;
	assert_int_equal(stats.overwritten + kept, 100);
	assert_int_equal(stats.blocks_opened,
	    (99 + log->geometry.slots) / log->geometry.slots);
	small_log_free(&small);
}

static void
test_log_clear_hides_nothing_from_the_oldest(void **state)
{
	struct lpk_reader reader;
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 512, 4, 2);
	struct got got;

	(void)state;
	/* Never cleared: all of it. */
	lpk_write(log, LPK_INFO, "one");
	lpk_reader_open(&reader, log, LPK_SEEK_CLEAR);
	expect_text(&reader, &got, "one");
	lpk_log_clear(log);
	lpk_reader_open(&reader, log, LPK_SEEK_CLEAR);
	expect_end(&reader);
	lpk_write(log, LPK_INFO, "two");
	expect_text(&reader, &got, "two");
	lpk_reader_open(&reader, log, LPK_SEEK_CLEAR);
	expect_text(&reader, &got, "two");
	assert_int_equal(got.record.seq, 1);
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	expect_text(&reader, &got, "one");
	small_log_free(&small);
}

static void
test_log_default_takes_records_from_a_constructor(void **state)
{
	struct lpk_reader reader;
	struct got got;

	(void)state;
	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	expect_text(&reader, &got, "logged by a constructor");
	assert_int_equal(got.record.seq, 0);
	assert_int_equal(got.record.level, LPK_WARN);
}

static void
test_log_default_has_a_lane_a_cpu(void **state)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	(void)state;
	assert_int_equal(lpk_default_log()->geometry.lanes,
	    cpus > LPK_LANES_MAX ? LPK_LANES_MAX : cpus);
}

/* Log, and show what was logged so far. */
static void
log_and_tell(const char *text)
{
	struct lpk_reader reader;
	struct got got;

	if (exit_pipe < 0)
		return;
	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_NEXT);
	lpk_warn("%s", text);
	if (next(&reader, &got) == LPK_OK)
		(void)!write(exit_pipe, got.text, got.record.text_bytes);
}

static void
at_exit(void)
{
	log_and_tell("exit handler.");
}

__attribute__((destructor(101))) static void
last(void)
{
	log_and_tell("destructor.");
}

static void
test_log_default_outlives_exit(void **state)
{
	char text[100] = "";
	size_t length = 0;
	ssize_t count;
	int ends[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		exit_pipe = ends[1];
		atexit(at_exit);
		exit(0);
	}
	close(ends[1]);
	while (length < sizeof(text) - 1 &&
	    (count = read(ends[0], text + length, sizeof(text) - 1 - length)) >
		0)
		length += (size_t)count;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_string_equal(text, "exit handler.destructor.");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_log_default_takes_records_from_a_constructor),
	    cmocka_unit_test(test_log_init_null_is_refused),
	    cmocka_unit_test(
		test_log_init_shape_that_makes_no_sense_is_refused),
	    cmocka_unit_test(test_log_init_memory_one_byte_short_is_refused),
	    cmocka_unit_test(test_log_init_touches_nothing_beyond_its_memory),
	    cmocka_unit_test(test_log_init_twice_forgets_the_first),
	    cmocka_unit_test(test_log_init_describes_the_log_in_its_region),
	    cmocka_unit_test(test_log_defined_needs_no_init),
	    cmocka_unit_test(test_log_several_logs_do_not_mix),
	    cmocka_unit_test(test_log_stats_add_up),
	    cmocka_unit_test(test_log_clear_hides_nothing_from_the_oldest),
	    cmocka_unit_test(test_log_default_has_a_lane_a_cpu),
	    cmocka_unit_test(test_log_default_outlives_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
