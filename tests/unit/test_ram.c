/* SPDX-License-Identifier: MIT */
/* The console in memory: the newest bytes, in order, also after a death. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>

static struct lpk_console console;
static void *device;
static char path[] = "/tmp/lpk-test-ram-XXXXXX";

static int
setup(void **state)
{
	(void)state;
	device = calloc(1, lpk_ram_driver.device_bytes);
	assert_non_null(device);
	console = (struct lpk_console){
	    .driver = &lpk_ram_driver,
	    .device = device,
	};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	lpk_ram_driver.exit(&console);
	free(device);
	return 0;
}

static int
option(const char *key, const char *value)
{
	return lpk_ram_driver.option(&console, key, value);
}

static void
put(const char *text)
{
	struct lpk_batch batch = {.bytes = text, .size_bytes = strlen(text)};

	assert_int_equal(
	    lpk_ram_driver.write(&console, &batch), batch.size_bytes);
}

static void
expect(const char *want, size_t size_bytes)
{
	char got[4096];

	memset(got, '?', sizeof(got));
	assert_true(size_bytes <= sizeof(got));
	assert_int_equal(lpk_ram_read(&console, got, size_bytes), strlen(want));
	assert_string_equal(got, want);
}

static void
test_ram_words_are_checked(void **state)
{
	static const char *const good[] = {
	    "", "256", "1000", "64K", "3M", "1G"};
	static const char *const bad[] = {"255", "0", "-1", "x", "64k", "64KB",
	    "2G", "1025M", "99999999999999999999", " 1K", "1K "};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(option("", good[i]), LPK_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(option("", bad[i]), -LPK_EINVAL);
	assert_int_equal(option("file", ""), -LPK_EINVAL);
	assert_int_equal(option("files", "x"), -LPK_ENOENT);
}

static void
test_ram_read_of_another_console_is_refused(void **state)
{
	struct lpk_console other = {.driver = &lpk_null_driver};
	char got[16];

	(void)state;
	assert_int_equal(lpk_ram_read(NULL, got, sizeof(got)), -LPK_EINVAL);
	assert_int_equal(lpk_ram_read(&other, got, sizeof(got)), -LPK_EINVAL);
	/* Not set up yet. */
	assert_int_equal(lpk_ram_read(&console, got, sizeof(got)), -LPK_EINVAL);
	assert_int_equal(lpk_ram_driver.setup(&console), LPK_OK);
	assert_int_equal(lpk_ram_read(&console, NULL, 16), -LPK_EINVAL);
	assert_int_equal(lpk_ram_read(&console, got, 0), -LPK_EINVAL);
}

static void
test_ram_empty_reads_as_nothing(void **state)
{
	(void)state;
	assert_int_equal(lpk_ram_driver.setup(&console), LPK_OK);
	expect("", 16);
	put("one\n");
	expect("one\n", 16);
	put("two\n");
	expect("one\ntwo\n", 16);
}

static void
test_ram_small_buffer_gets_the_newest_whole_lines(void **state)
{
	(void)state;
	assert_int_equal(lpk_ram_driver.setup(&console), LPK_OK);
	put("first\nsecond\nthird\n");
	expect("first\nsecond\nthird\n", 20);
	expect("second\nthird\n", 19);
	expect("third\n", 10);
	expect("", 1);
}

/* The ring against a string that is only ever added to. */
static void
test_ram_full_keeps_the_newest_in_order(void **state)
{
	static char all[200000];
	uint64_t seed = test_seed();
	size_t length = 0, i;

	(void)state;
	assert_int_equal(option("", "1000"), LPK_OK);
	assert_int_equal(lpk_ram_driver.setup(&console), LPK_OK);
	for (i = 0; length < sizeof(all) - 4000; i++) {
		size_t begin = length, size = test_random(&seed) % 300;
		const char *line;
		char got[2000];

		/* Now and then more at once than there is room for. */
		if (i % 50 == 49)
			size += 2000;
		for (; length < begin + size; length++)
			all[length] = (char)('a' + length % 23);
		all[length++] = '\n';
		all[length] = '\0';
		put(all + begin);
		line = all;
		if (length >= 1000) {
			line = memchr(all + length - 1000, '\n', 1000);
			line++;
		}
		assert_int_equal(lpk_ram_read(&console, got, sizeof(got)),
		    all + length - line);
		assert_string_equal(got, line);
	}
}

static void
test_ram_without_device_makes_its_own(void **state)
{
	struct lpk_console own = {.driver = &lpk_ram_driver};
	struct lpk_batch batch = {.bytes = "x\n", .size_bytes = 2};
	char got[16];

	(void)state;
	assert_int_equal(lpk_ram_driver.setup(&own), LPK_OK);
	assert_int_equal(lpk_ram_driver.write_on_panic(&own, &batch), 2);
	assert_int_equal(lpk_ram_read(&own, got, sizeof(got)), 2);
	lpk_ram_driver.exit(&own);
	assert_null(own.device);
}

static void
make_file(void)
{
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(option("", "1K"), LPK_OK);
	assert_int_equal(option("file", path), LPK_OK);
}

static void
test_ram_file_survives_a_killed_process(void **state)
{
	pid_t child;
	int status;

	(void)state;
	make_file();
	child = fork();
	if (child == 0) {
		if (lpk_ram_driver.setup(&console) == LPK_OK)
			put("last words\n");
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(lpk_ram_driver.setup(&console), LPK_OK);
	expect("last words\n", 1024);
	put("of two lives\n");
	expect("last words\nof two lives\n", 1024);
	unlink(path);
}

static void
write_file(const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static void
test_ram_foreign_file_is_left_alone(void **state)
{
	char text[16] = "";
	int fd;

	(void)state;
	make_file();
	write_file("not ours", 8);
	assert_int_equal(lpk_ram_driver.setup(&console), -LPK_EIO);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 8);
	assert_string_equal(text, "not ours");
	close(fd);
	unlink(path);
	assert_int_equal(option("file", "/nowhere/at/all"), LPK_OK);
	assert_int_equal(lpk_ram_driver.setup(&console), -LPK_EIO);
}

static void
test_ram_damaged_file_starts_empty(void **state)
{
	static const uint32_t damaged[][3] = {{0x43474244, 1024, 1024},
	    {0x43474244, 0, 1025}, {0x43474244, 10, 9},
	    {0x43474244, UINT32_MAX, UINT32_MAX}};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		make_file();
		write_file(damaged[i], sizeof(damaged[i]));
		assert_int_equal(lpk_ram_driver.setup(&console), LPK_OK);
		expect("", 1024);
		put("goes on\n");
		expect("goes on\n", 1024);
		lpk_ram_driver.exit(&console);
		unlink(path);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_ram_words_are_checked),
	    CASE(test_ram_read_of_another_console_is_refused),
	    CASE(test_ram_empty_reads_as_nothing),
	    CASE(test_ram_small_buffer_gets_the_newest_whole_lines),
	    CASE(test_ram_full_keeps_the_newest_in_order),
	    CASE(test_ram_without_device_makes_its_own),
	    CASE(test_ram_file_survives_a_killed_process),
	    CASE(test_ram_foreign_file_is_left_alone),
	    CASE(test_ram_damaged_file_starts_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
