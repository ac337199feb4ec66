/* SPDX-License-Identifier: MIT */
/*
 * Images that the tool opens: of a real log, changed at random and on purpose.
 *
 * LPK_SEED gives a run's seed back, LPK_FUZZ_COUNT sets how many images with
 * changes are read.
 */
#include "fixture.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/log.h"
#include "tools/image.h"

#include "../fuzz/image_fuzz.h"

#define DEFAULT_COUNT 8000
/* More than an image of some kilobytes may ever need. */
#define GROWTH_KIB (64l * 1024)

#ifdef __SANITIZE_ADDRESS__
/* What is freed is kept for a while, and would count as growth. */
LPK_API const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "quarantine_size_mb=8";
}
#endif

static uint64_t seed;

/* A log, and its image in a descriptor. */
struct made {
	struct small_log small;
	struct lpk_log *log;
	struct source source;
};

static void
make_image(struct made *made)
{
	made->log = small_log_make(&made->small, 4096, 4, 1);
	memset(&made->source, 0, sizeof(made->source));
	snprintf(made->source.name, sizeof(made->source.name), "made");
	made->source.fd = memfd_create("made", MFD_CLOEXEC);
	assert_true(made->source.fd >= 0);
	made->source.bytes = made->log->region_bytes;
}

static void
write_image(struct made *made)
{
	assert_int_equal(pwrite(made->source.fd, made->log->region,
			     made->log->region_bytes, 0),
	    made->log->region_bytes);
}

static void
free_image(struct made *made)
{
	close(made->source.fd);
	small_log_free(&made->small);
}

static void
test_tool_image_has_the_records_of_its_log(void **state)
{
	struct made made;
	struct image image;
	struct got got;
	int i;

	(void)state;
	make_image(&made);
	for (i = 0; i < 3; i++)
		lpk_printk_to(made.log, LPK_WARN, "record %d of %s", i, "it");
	write_image(&made);
	assert_true(image_open(&image, &made.source));
	expect_text(&image.reader, &got, "record 0 of it");
	assert_int_equal(got.record.level, LPK_WARN);
	assert_non_null(strstr(got.record.file, "test_tool_image.c"));
	expect_text(&image.reader, &got, "record 1 of it");
	expect_text(&image.reader, &got, "record 2 of it");
	expect_end(&image.reader);
	/* What comes later is found by another look. */
	lpk_printk_to(made.log, LPK_WARN, "later");
	write_image(&made);
	expect_end(&image.reader);
	image_refresh(&image);
	expect_text(&image.reader, &got, "later");
	assert_int_equal(got.record.seq, 3);
	image_close(&image);
	free_image(&made);
}

/* The same records, whoever reads them: the process or the tool. */
static void
test_tool_image_reads_what_the_process_reads(void **state)
{
	struct lpk_reader reader;
	struct made made;
	struct image image;
	struct got own, got;
	int i, result;

	(void)state;
	make_image(&made);
	for (i = 0; i < 2000; i++)
		lpk_printk_to(made.log, LPK_WARN, "number %d, %s, %pI4", i,
		    &"text"[i % 4], (const void *)"\1\2\3\4");
	write_image(&made);
	assert_true(image_open(&image, &made.source));
	lpk_reader_open(&reader, made.log, LPK_SEEK_OLDEST);
	do {
		result = next(&reader, &own);
		assert_int_equal(next(&image.reader, &got), result);
		if (result != LPK_OK)
			continue;
		assert_string_equal(got.text, own.text);
		assert_int_equal(got.record.seq, own.record.seq);
		assert_int_equal(got.record.time_ns, own.record.time_ns);
		assert_int_equal(got.record.caller, own.record.caller);
		assert_int_equal(got.record.level, own.record.level);
		assert_string_equal(got.record.thread, own.record.thread);
	} while (result != -LPK_EAGAIN);
	assert_true(own.record.seq == 1999);
	image_close(&image);
	free_image(&made);
}

static void
test_tool_image_reader_that_is_lapped_counts_what_it_lost(void **state)
{
	struct made made;
	struct image image;
	struct got got;
	uint64_t read = 0;
	int i, result;

	(void)state;
	make_image(&made);
	lpk_printk_to(made.log, LPK_WARN, "the first");
	write_image(&made);
	assert_true(image_open(&image, &made.source));
	expect_text(&image.reader, &got, "the first");
	for (i = 1; i < 3000; i++)
		lpk_printk_to(made.log, LPK_WARN, "number %d", i);
	write_image(&made);
	image_refresh(&image);
	while ((result = next(&image.reader, &got)) != -LPK_EAGAIN)
		read += result == LPK_OK;
	assert_string_equal(got.text, "number 2999");
	assert_true(image.reader.lost_total != 0);
	assert_int_equal(1 + read + image.reader.lost_total, 3000);
	image_close(&image);
	free_image(&made);
}

/* A word of the head is wrong: each is looked at. */
static void
expect_refused(size_t at, uint32_t value)
{
	struct made made;
	struct image image;

	make_image(&made);
	lpk_printk_to(made.log, LPK_WARN, "a record");
	memcpy(made.log->region + at, &value, sizeof(value));
	write_image(&made);
	assert_false(image_open(&image, &made.source));
	free_image(&made);
}

#define FIXED(field) offsetof(struct lpk__head_fixed, field)

static void
test_tool_image_head_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
	} wrong[] = {
	    {FIXED(magic), 0},
	    {FIXED(magic) + 12, 1},
	    {FIXED(version), LPK__FORMAT_VERSION + 0x10000},
	    {FIXED(endian), 0x04030201},
	    {FIXED(endian), 0},
	    {FIXED(word_bytes), 0},
	    {FIXED(word_bytes), 16},
	    {FIXED(head_bytes), UINT32_MAX},
	    {FIXED(head_bytes), 0},
	    {FIXED(needs), 1},
	    {FIXED(session), 0},
	    {FIXED(session), UINT32_MAX},
	    {FIXED(state), 1 << 20},
	    {FIXED(clear), 0xfffffffc},
	    {FIXED(clock), UINT32_MAX - 3},
	    {FIXED(accounts), 7},
	    {FIXED(names), UINT32_MAX},
	    {FIXED(name_bytes), 1},
	    {FIXED(name_bytes), UINT32_MAX},
	    {FIXED(name_count), UINT32_MAX},
	    {FIXED(dict), 0},
	    {FIXED(dict), 0xfffffff8},
	    {FIXED(blocks), 0},
	    {FIXED(block_state), 0},
	    {FIXED(block_state), UINT32_MAX},
	    {FIXED(block_slots), 0},
	    {FIXED(block_slots), UINT32_MAX},
	    {FIXED(geometry.block_bytes), 0},
	    {FIXED(geometry.block_bytes), 4097},
	    {FIXED(geometry.block_bytes), UINT32_C(1) << 31},
	    {FIXED(geometry.blocks), 0},
	    {FIXED(geometry.blocks), 3},
	    {FIXED(geometry.blocks), UINT32_C(1) << 31},
	    {FIXED(geometry.slots), 0},
	    {FIXED(geometry.slots), 4096},
	    {FIXED(geometry.data_offset), 0},
	    {FIXED(geometry.data_offset), UINT32_MAX - 7},
	    {FIXED(geometry.units), 0},
	    {FIXED(geometry.units), 4096},
	    {FIXED(geometry.units), UINT32_MAX},
	    {FIXED(geometry.dict_bytes), UINT32_MAX - 7},
	    {FIXED(geometry.dict_bytes), 3},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		expect_refused(wrong[i].at, wrong[i].value);
}

static void
test_tool_image_that_is_cut_gives_what_is_left(void **state)
{
	struct made made;
	struct image image;
	struct got got;
	uint64_t whole, at;
	int records, before = 0;

	(void)state;
	make_image(&made);
	for (records = 0; records < 100; records++)
		lpk_printk_to(made.log, LPK_WARN, "record %d", records);
	write_image(&made);
	whole = made.source.bytes;
	for (at = 0; at <= whole; at += 509) {
		made.source.bytes = at;
		if (!image_open(&image, &made.source)) {
			assert_true(at < sizeof(struct lpk__head_fixed));
			continue;
		}
		assert_true(image.cut);
		for (records = 0; next(&image.reader, &got) == LPK_OK;)
			records++;
		assert_true(records >= before);
		before = records;
		image_close(&image);
	}
	assert_true(before > 50);
	free_image(&made);
}

static long
memory_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void
test_tool_image_of_any_bytes_does_no_harm(void **state)
{
	const char *given = getenv("LPK_FUZZ_COUNT");
	unsigned long count =
	    given != NULL ? strtoul(given, NULL, 0) : DEFAULT_COUNT;
	const struct itimerval second = {.it_value = {.tv_sec = 1}}, none = {0};
	struct image_fuzz_edit edits[12];
	unsigned long i;
	long before;
	size_t used;

	(void)state;
	LLVMFuzzerTestOneInput((const unsigned char *)edits, 0);
	assert_int_equal(image_fuzz_refused, 0);
	assert_true(image_fuzz_shown > 50);
	before = memory_kib();
	for (i = 0; i < count; i++) {
		used = 1 + test_random(&seed) % 12;
		unsigned char *bytes = (unsigned char *)edits;
		size_t at;

		for (at = 0; at < used * sizeof(*edits); at++)
			bytes[at] = (unsigned char)test_random(&seed);
		/* Few that make the head of no use; else nothing is read. */
		for (at = 0; at < used; at++) {
			if (edits[at].what % 8 < 2 && test_random(&seed) % 8)
				edits[at].what += 2;
		}
		/* Of the CPU, and SIGPROF kills. */
		setitimer(ITIMER_PROF, &second, NULL);
		LLVMFuzzerTestOneInput(bytes, used * sizeof(*edits));
		setitimer(ITIMER_PROF, &none, NULL);
	}
	printf("%lu images, %lu refused, %lu records shown, %ld KiB more\n",
	    count, image_fuzz_refused, image_fuzz_shown, memory_kib() - before);
	assert_true(image_fuzz_refused < count / 2);
	assert_true(memory_kib() - before < GROWTH_KIB);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tool_image_has_the_records_of_its_log),
	    cmocka_unit_test(test_tool_image_reads_what_the_process_reads),
	    cmocka_unit_test(
		test_tool_image_reader_that_is_lapped_counts_what_it_lost),
	    cmocka_unit_test(
		test_tool_image_head_that_makes_no_sense_is_refused),
	    cmocka_unit_test(test_tool_image_that_is_cut_gives_what_is_left),
	    cmocka_unit_test(test_tool_image_of_any_bytes_does_no_harm),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
