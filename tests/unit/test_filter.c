/* SPDX-License-Identifier: MIT */
/* Which calls are stored: levels, subsystems, patterns, and bad words. */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static struct small_log small;
static struct lpk_log *log_;

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 8192, 4, 1);
	return lpk_filter_set("", NULL);
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return lpk_filter_set("", NULL);
}

#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM "net"
static void
log_net(void)
{
	lpk_err("net err");
	lpk_info("net info");
	lpk_debug("net debug");
}
#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM "disk/sda"
static void
log_disk(void)
{
	lpk_err("disk err");
	lpk_info("disk info");
	lpk_debug("disk debug");
}
#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM NULL
static void
log_none(void)
{
	lpk_emerg("none emerg");
	lpk_info("none info");
	lpk_debug("none debug");
}

/* Call everything; what was stored, by first letter and level. */
static void
expect_stored(const char *want)
{
	struct lpk_reader reader;
	char all[64] = "";
	size_t length = 0;
	struct got got;

	lpk_reader_open(&reader, log_, LPK_SEEK_NEXT);
	log_net();
	log_disk();
	log_none();
	while (next(&reader, &got) == LPK_OK) {
		all[length++] = got.text[0];
		all[length++] = (char)('0' + got.record.level);
		all[length++] = ' ';
	}
	assert_string_equal(all, want);
}

static void
test_filter_default_stores_down_to_info(void **state)
{
	(void)state;
	expect_stored("n3 n6 d3 d6 n0 n6 ");
}

static void
test_filter_words_switch_subsystems(void **state)
{
	(void)state;
	assert_int_equal(lpk_filter_set("net=debug", NULL), LPK_OK);
	expect_stored("n3 n6 n7 d3 d6 n0 n6 ");
	assert_int_equal(
	    lpk_filter_set("net=debug,disk*=warn,emerg", NULL), LPK_OK);
	expect_stored("n3 n6 n7 d3 n0 ");
	assert_int_equal(lpk_filter_set("*=off,debug", NULL), LPK_OK);
	/* A pattern is for subsystems; those without have the word alone. */
	expect_stored("n0 n6 n7 ");
	assert_int_equal(lpk_filter_set("off", NULL), LPK_OK);
	expect_stored("");
	assert_int_equal(lpk_filter_set("7", NULL), LPK_OK);
	expect_stored("n3 n6 n7 d3 d6 d7 n0 n6 n7 ");
	assert_int_equal(lpk_filter_set("", NULL), LPK_OK);
	expect_stored("n3 n6 d3 d6 n0 n6 ");
}

static void
test_filter_first_word_that_matches_decides(void **state)
{
	(void)state;
	lpk_filter_set("n*=err,net=debug", NULL);
	expect_stored("n3 d3 d6 n0 n6 ");
	lpk_filter_set("net=debug,n*=err", NULL);
	expect_stored("n3 n6 n7 d3 d6 n0 n6 ");
	/* Of words for all the others the last counts. */
	lpk_filter_set("debug,off,err", NULL);
	expect_stored("n3 d3 n0 ");
}

static void
test_filter_names_match_whole_or_by_their_beginning(void **state)
{
	static const char *const none[] = {"ne=debug", "nett=debug",
	    "NET=debug", "disk=debug", "disk/sda1=debug", "et*=debug",
	    "disk/sdaa*=debug"};
	static const char *const disk[] = {"disk*=debug", "disk/*=debug",
	    "disk/sda=debug", "disk/sda*=debug", "d*=7"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(*none); i++) {
		assert_int_equal(lpk_filter_set(none[i], NULL), LPK_OK);
		expect_stored("n3 n6 d3 d6 n0 n6 ");
	}
	for (i = 0; i < sizeof(disk) / sizeof(*disk); i++) {
		assert_int_equal(lpk_filter_set(disk[i], NULL), LPK_OK);
		expect_stored("n3 n6 d3 d6 d7 n0 n6 ");
	}
}

static void
test_filter_level_words_are_all_known(void **state)
{
	static const char *const words[] = {"emerg", "alert", "crit", "err",
	    "warn", "notice", "info", "debug", "0", "1", "2", "3", "4", "5",
	    "6", "7", "emergency", "critical", "error", "warning", "off"};
	char text[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		snprintf(text, sizeof(text), "x=%s", words[i]);
		assert_int_equal(lpk_filter_set(text, NULL), LPK_OK);
		assert_int_equal(lpk_filter_set(words[i], NULL), LPK_OK);
	}
}

static void
test_filter_spaces_and_empty_words_are_let_be(void **state)
{
	(void)state;
	assert_int_equal(
	    lpk_filter_set(" , net=debug ,,\t disk*=err\t,", NULL), LPK_OK);
	expect_stored("n3 n6 n7 d3 n0 n6 ");
}

static void
expect_refused(const char *words, int want, size_t where)
{
	size_t bad_at = 4711;

	assert_int_equal(lpk_filter_set(words, &bad_at), want);
	assert_int_equal(bad_at, where);
	assert_int_equal(lpk_filter_set(words, NULL), want);
}

static void
test_filter_unknown_word_changes_nothing_and_is_named(void **state)
{
	(void)state;
	assert_int_equal(lpk_filter_set("net=debug,err", NULL), LPK_OK);
	expect_refused("verbose", -LPK_EINVAL, 0);
	expect_refused("net=err,verbose", -LPK_EINVAL, 8);
	expect_refused("net=err, verbose ,info", -LPK_EINVAL, 9);
	expect_refused("net=", -LPK_EINVAL, 0);
	expect_refused("=debug", -LPK_EINVAL, 0);
	expect_refused("=", -LPK_EINVAL, 0);
	expect_refused("net==debug", -LPK_EINVAL, 0);
	expect_refused("net=debug=info", -LPK_EINVAL, 0);
	expect_refused("net=8", -LPK_EINVAL, 0);
	expect_refused("net=-1", -LPK_EINVAL, 0);
	expect_refused("net=Debug", -LPK_EINVAL, 0);
	expect_refused("net=debugging", -LPK_EINVAL, 0);
	expect_refused("net=deb", -LPK_EINVAL, 0);
	expect_refused("n*t=debug", -LPK_EINVAL, 0);
	expect_refused("net dev=debug", -LPK_EINVAL, 0);
	expect_refused("net =debug", -LPK_EINVAL, 0);
	expect_refused("net= debug", -LPK_EINVAL, 0);
	expect_refused("info,ne\001t=debug", -LPK_EINVAL, 5);
	assert_int_equal(lpk_filter_set(NULL, NULL), -LPK_EINVAL);
	expect_stored("n3 n6 n7 d3 n0 ");
}

static void
test_filter_too_long_or_too_many_is_refused(void **state)
{
	char words[33 * 8 + 1] = "";
	int i;

	(void)state;
	assert_int_equal(lpk_filter_set("net=debug", NULL), LPK_OK);
	expect_refused(
	    "info,a1234567890123456789012345678901=debug", -LPK_ENOSPC, 5);
	assert_int_equal(
	    lpk_filter_set("a123456789012345678901234567890=debug", NULL),
	    LPK_OK);
	lpk_filter_set("net=debug", NULL);
	for (i = 0; i < 33; i++)
		snprintf(words + i * 8, 9, "s%02d=err,", i);
	expect_refused(words, -LPK_ENOSPC, 32 * 8);
	expect_stored("n3 n6 n7 d3 d6 n0 n6 ");
	words[32 * 8] = '\0';
	assert_int_equal(lpk_filter_set(words, NULL), LPK_OK);
}

static void *
log_and_set(void *arg)
{
	const char *words = arg;
	int i;

	for (i = 0; i < 500; i++) {
		lpk_filter_set(words, NULL);
		log_net();
		log_disk();
		log_none();
	}
	return NULL;
}

static void
test_filter_set_while_others_log_takes_effect(void **state)
{
	static const char *const words[] = {
	    "net=debug", "off", "disk*=debug,err", "debug"};
	pthread_t thread[4];
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, log_and_set,
				     (void *)(uintptr_t)words[i]),
		    0);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	/* No site is left with a decision of an older filter. */
	assert_int_equal(lpk_filter_set("net=debug,emerg", NULL), LPK_OK);
	expect_stored("n3 n6 n7 n0 ");
	assert_int_equal(lpk_filter_set("", NULL), LPK_OK);
	expect_stored("n3 n6 d3 d6 n0 n6 ");
}

/* Run this program once more with LPK_LOG set; what it prints. */
static void
expect_environment(const char *words, const char *want, const char *error)
{
	char text[1024] = "";
	size_t length = 0;
	ssize_t count;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setenv("LPK_LOG", words, 1);
		setenv("TEST_FILTER_CHILD", "1", 1);
		dup2(ends[1], STDERR_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		execl("/proc/self/exe", "test_filter", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	while ((count = read(
		    ends[0], text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)count;
	close(ends[0]);
	waitpid(child, NULL, 0);
	assert_non_null(strstr(text, want));
	if (error != NULL)
		assert_non_null(strstr(text, error));
	else
		assert_null(strstr(text, "LPK_LOG"));
}

static int
child_main(void)
{
	char all[64] = "stored:";
	struct lpk_reader reader;
	struct got got;

	log_ = lpk_default_log();
	lpk_reader_open(&reader, log_, LPK_SEEK_NEXT);
	log_net();
	log_none();
	while (next(&reader, &got) == LPK_OK)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), " %c%d",
		    got.text[0], got.record.level);
	puts(all);
	return 0;
}

static void
test_filter_environment_is_read_at_start(void **state)
{
	(void)state;
	expect_environment("net=debug,emerg", "stored: n3 n6 n7 n0\n", NULL);
	expect_environment("", "stored: n3 n6 n0 n6\n", NULL);
}

static void
test_filter_environment_mistake_is_named_and_the_rest_counts(void **state)
{
	(void)state;
	expect_environment(
	    "net=debug,verbose,emerg", "stored: n3 n6 n7 n0\n", "\"verbose\"");
	expect_environment("=,x=y,net=err", "stored: n3 n0 n6\n", "\"x=y\"");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_filter_default_stores_down_to_info),
	    CASE(test_filter_words_switch_subsystems),
	    CASE(test_filter_first_word_that_matches_decides),
	    CASE(test_filter_names_match_whole_or_by_their_beginning),
	    CASE(test_filter_level_words_are_all_known),
	    CASE(test_filter_spaces_and_empty_words_are_let_be),
	    CASE(test_filter_unknown_word_changes_nothing_and_is_named),
	    CASE(test_filter_too_long_or_too_many_is_refused),
	    CASE(test_filter_set_while_others_log_takes_effect),
	    CASE(test_filter_environment_is_read_at_start),
	    CASE(test_filter_environment_mistake_is_named_and_the_rest_counts),
	};

	if (getenv("TEST_FILTER_CHILD") != NULL)
		return child_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
