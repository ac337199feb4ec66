/* SPDX-License-Identifier: MIT */
/* Consoles described in words: LPK_CONSOLE, and the same through the API. */
#define LPK_SHORT_NAMES
#include "device.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <lpk/consoles.h>

/* What the driver was told, "key=value;" one after the other. */
static char options[4096];
static struct device device;
static struct lpk_console *opened[4];
static unsigned int opened_count;
static bool refuse_setup;

static int
take_option(struct lpk_console *console, const char *key, const char *value)
{
	size_t at = strlen(options);

	assert_non_null(console->device);
	if (strcmp(key, "unknown") == 0)
		return -LPK_ENOENT;
	if (strcmp(value, "bad") == 0)
		return -LPK_EINVAL;
	snprintf(options + at, sizeof(options) - at, "%s=%s;", key, value);
	return LPK_OK;
}

static int
set_up(struct lpk_console *console)
{
	if (refuse_setup)
		return -LPK_EIO;
	console->device = &device;
	opened[opened_count++] = console;
	return LPK_OK;
}

static void
forget(struct lpk_console *console)
{
	assert_ptr_equal(opened[--opened_count], console);
	device_exit(console);
}

static const struct lpk_console_driver test_driver = {
    .name = "test",
    .device_bytes = 100,
    .option = take_option,
    .setup = set_up,
    .write = device_write,
    .write_on_panic = device_write_on_panic,
    .exit = forget,
};

/* Which knows no option, and no target. */
static const struct lpk_console_driver plain_driver = {
    .name = "plain", .setup = set_up, .write = device_write};

static int
setup(void **state)
{
	(void)state;
	options[0] = '\0';
	device_reset(&device);
	refuse_setup = false;
	return 0;
}

static int
teardown(void **state)
{
	struct lpk_console *console;

	(void)state;
	while (opened_count != 0) {
		console = opened[opened_count - 1];
		assert_int_equal(
		    lpk_console_unregister(console, UINT64_MAX), LPK_OK);
		lpk_console_free(console);
	}
	return 0;
}

static char error[384];

static int
make(struct lpk_console **console, const char *words)
{
	strcpy(error, "none");
	return lpk_console_new(console, words, error, sizeof(error));
}

static void
test_describe_driver_is_registered_once(void **state)
{
	struct lpk_console_driver bad = {.name = "a:b", .write = device_write};

	(void)state;
	assert_int_equal(lpk_driver_register(&test_driver), LPK_OK);
	assert_int_equal(lpk_driver_register(&plain_driver), LPK_OK);
	assert_int_equal(lpk_driver_register(&test_driver), -LPK_EBUSY);
	assert_int_equal(lpk_driver_register(&lpk_fd_driver), -LPK_EBUSY);
	assert_int_equal(lpk_driver_register(NULL), -LPK_EINVAL);
	assert_int_equal(lpk_driver_register(&bad), -LPK_EINVAL);
	bad.name = "";
	assert_int_equal(lpk_driver_register(&bad), -LPK_EINVAL);
	bad.name = NULL;
	assert_int_equal(lpk_driver_register(&bad), -LPK_EINVAL);
}

static void
test_describe_words_become_fields(void **state)
{
	struct lpk_console *console;

	(void)state;
	assert_int_equal(make(&console,
			     "test:here,level=warn,mode=direct,start=next,"
			     "style=prio,colour=yes,name=my name,"
			     "filter=net=debug+disk*=err+off,own=value,flag"),
	    LPK_OK);
	assert_string_equal(error, "none");
	assert_ptr_equal(console->driver, &test_driver);
	/* Shown: warn, and what is more important. */
	assert_int_equal(console->quiet_below, LPK_WARN + 1);
	assert_int_equal(console->mode, LPK_MODE_DIRECT);
	assert_int_equal(console->start, LPK_SEEK_NEXT);
	assert_int_equal(console->style, LPK_STYLE_PRIO);
	assert_true(console->colours);
	assert_string_equal(console->name, "my name");
	assert_string_equal(console->filter, "net=debug,disk*=err,off");
	assert_string_equal(options, "=here;own=value;flag=;");
	lpk_console_free(console);
	lpk_console_free(NULL);
}

static void
test_describe_every_word_of_a_common_option_is_known(void **state)
{
	static const char *const words[] = {"level=emerg", "level=alert",
	    "level=crit", "level=err", "level=notice", "level=info",
	    "level=debug", "mode=poll", "mode=panic", "start=oldest",
	    "start=clear", "style=text", "style=caller", "style=kmsg",
	    "colour=no", "colour=auto", "color=yes"};
	struct lpk_console *console;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		snprintf(text, sizeof(text), "test,%s", words[i]);
		assert_int_equal(make(&console, text), LPK_OK);
		lpk_console_free(console);
	}
	/* None of them is the driver's. */
	assert_null(strchr(options + strspn(options, "=;"), '='));
	assert_int_equal(make(&console, "test"), LPK_OK);
	assert_string_equal(console->name, "test");
	assert_int_equal(console->quiet_below, 0);
	lpk_console_free(console);
	options[0] = '\0';
	assert_int_equal(make(&console, "  test:a:b,,"), LPK_OK);
	assert_string_equal(console->name, "test:a:b");
	assert_string_equal(options, "=a:b;");
	lpk_console_free(console);
}

static void
test_describe_backslash_takes_the_meaning(void **state)
{
	struct lpk_console *console;

	(void)state;
	assert_int_equal(
	    make(&console, "test:a\\,b\\\\c\\;d,key=e\\,f,last=\\"), LPK_OK);
	assert_string_equal(options, "=a,b\\c;d;key=e,f;last=\\;");
	lpk_console_free(console);
}

static void
test_describe_bad_words_are_named_in_a_sentence(void **state)
{
	static const struct {
		const char *words;
		int result;
		const char *named;
	} bad[] = {
	    {"tset:x", -LPK_ENOENT, "\"tset\""},
	    {"", -LPK_ENOENT, "\"\""},
	    {":x", -LPK_ENOENT, "\"\""},
	    {"test,level=loud", -LPK_EINVAL, "level=loud"},
	    {"test,level=", -LPK_EINVAL, "level="},
	    {"test,level", -LPK_EINVAL, "level"},
	    {"test,mode=fast", -LPK_EINVAL, "mode=fast"},
	    {"test,start=middle", -LPK_EINVAL, "start=middle"},
	    {"test,style=bold", -LPK_EINVAL, "style=bold"},
	    {"test,colour=red", -LPK_EINVAL, "colour=red"},
	    {"test,name=", -LPK_EINVAL, "name="},
	    {"test,unknown=x", -LPK_EINVAL, "unknown"},
	    {"test,key=bad", -LPK_EINVAL, "key=bad"},
	    {"test:bad", -LPK_EINVAL, "\"bad\""},
	    {"plain:x", -LPK_EINVAL, "\"x\""},
	    {"plain,key=x", -LPK_EINVAL, "\"key\""},
	    {"test,=x", -LPK_EINVAL, "x"},
	};
	struct lpk_console *console;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(make(&console, bad[i].words), bad[i].result);
		assert_non_null(strstr(error, bad[i].named));
	}
	/* Whoever mistypes a driver is told which there are. */
	make(&console, "tset");
	assert_non_null(strstr(error, "stderr"));
	assert_non_null(strstr(error, "plain"));
	assert_int_equal(
	    lpk_console_new(&console, "tset", NULL, 0), -LPK_ENOENT);
	assert_int_equal(
	    lpk_console_new(NULL, "test", error, sizeof(error)), -LPK_EINVAL);
	assert_int_equal(
	    lpk_console_new(&console, NULL, error, sizeof(error)), -LPK_EINVAL);
}

static void
test_describe_too_long_is_refused(void **state)
{
	char words[3000] = "test,name=", *at = words + strlen(words);
	struct lpk_console *console;

	(void)state;
	memset(at, 'n', LPK_CONSOLE_NAME_BYTES);
	assert_int_equal(make(&console, words), -LPK_EINVAL);
	at[LPK_CONSOLE_NAME_BYTES - 1] = '\0';
	assert_int_equal(make(&console, words), LPK_OK);
	assert_string_equal(console->name, at);
	lpk_console_free(console);
	memset(words + 5, 'x', sizeof(words) - 6);
	assert_int_equal(make(&console, words), -LPK_EINVAL);
	assert_int_equal(lpk_consoles_add(words), 0);
}

/* What a call says on standard error. */
static char said[8192];
static int saved_stderr = -1, said_fd;

static void
begin_hearing(void)
{
	saved_stderr = dup(STDERR_FILENO);
	said_fd = memfd_create("said", MFD_CLOEXEC);
	assert_true(said_fd >= 0);
	dup2(said_fd, STDERR_FILENO);
}

static void
end_hearing(void)
{
	ssize_t length = pread(said_fd, said, sizeof(said) - 1, 0);

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(said_fd);
	said[length > 0 ? length : 0] = '\0';
}

/* Only printable text, in whole lines, each with our name. */
static void
expect_clean_lines(unsigned int lines)
{
	unsigned int count = 0;
	const char *at;

	for (at = said; *at != '\0'; at++) {
		if (at == said || at[-1] == '\n')
			assert_memory_equal(at, "lpk: ", 5);
		assert_true(*at == '\n' || (*at >= ' ' && *at != 127));
		count += *at == '\n';
	}
	assert_int_equal(count, lines);
	assert_true(at == said || at[-1] == '\n');
}

static void
test_describe_one_bad_description_leaves_the_rest(void **state)
{
	(void)state;
	begin_hearing();
	assert_int_equal(lpk_consoles_add("nonsense:1;;test,start=next;"
					  "test,level=loud;  ;plain:x"),
	    1);
	end_hearing();
	expect_clean_lines(3);
	assert_non_null(strstr(said, "nonsense"));
	assert_non_null(strstr(said, "level=loud"));
	assert_non_null(strstr(said, "plain:x"));
	pr_info("printed");
	assert_int_equal(opened_count, 1);
	lpk_console_flush(opened[0], lpk_now_ns() + PATIENCE_NS);
	assert_int_equal(device_count(&device, "printed\n"), 1);
	assert_int_equal(lpk_consoles_add(NULL), 0);
	assert_int_equal(lpk_consoles_add(""), 0);
	assert_int_equal(lpk_consoles_add(";;; ;"), 0);
}

static void
test_describe_semicolon_may_be_escaped(void **state)
{
	(void)state;
	assert_int_equal(lpk_consoles_add("test:a\\;b\\\\;test:c"), 2);
	assert_string_equal(options, "=a;b\\;=c;");
}

static void
test_describe_long_and_hostile_words_give_whole_lines(void **state)
{
	char words[1000];

	(void)state;
	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	begin_hearing();
	assert_int_equal(lpk_consoles_add(words), 0);
	assert_int_equal(lpk_consoles_add("a\033[31m\n\r\x7f\x01z"), 0);
	assert_int_equal(lpk_consoles_add("test,level=\033[2J"), 0);
	end_hearing();
	expect_clean_lines(3);
	assert_non_null(strstr(said, "is not a console"));
}

static void
test_describe_what_cannot_be_opened_says_why(void **state)
{
	(void)state;
	refuse_setup = true;
	begin_hearing();
	assert_int_equal(lpk_consoles_add("test:x"), 0);
	refuse_setup = false;
	assert_int_equal(lpk_consoles_add("test,filter=a=b=c"), 0);
	assert_int_equal(lpk_consoles_add("plain,mode=direct"), 0);
	end_hearing();
	expect_clean_lines(3);
	assert_non_null(strstr(said, "test:x"));
	assert_non_null(strstr(said, "mode"));
}

/* This program, started again with the words in its environment. */
static const char *program;

static void
test_describe_environment_is_obeyed_before_main(void **state)
{
	char command[512], output[4096];
	size_t length;
	FILE *pipe;

	(void)state;
	snprintf(command, sizeof(command),
	    "LPK_CONSOLE='rubbish;stdout,level=warn,colour=no' exec '%s' log "
	    "2>&1",
	    program);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	length = fread(output, 1, sizeof(output) - 1, pipe);
	output[length] = '\0';
	assert_int_equal(pclose(pipe), 0);
	assert_non_null(strstr(output, "\"rubbish\" is not a console"));
	assert_non_null(strstr(output, "] warn\n"));
	assert_null(strstr(output, "info\n"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_describe_driver_is_registered_once),
	    CASE(test_describe_words_become_fields),
	    CASE(test_describe_every_word_of_a_common_option_is_known),
	    CASE(test_describe_backslash_takes_the_meaning),
	    CASE(test_describe_bad_words_are_named_in_a_sentence),
	    CASE(test_describe_too_long_is_refused),
	    CASE(test_describe_one_bad_description_leaves_the_rest),
	    CASE(test_describe_semicolon_may_be_escaped),
	    CASE(test_describe_long_and_hostile_words_give_whole_lines),
	    CASE(test_describe_what_cannot_be_opened_says_why),
	    CASE(test_describe_environment_is_obeyed_before_main),
	};

	program = argv[0];
	if (argc == 2) {
		pr_info("info");
		pr_warn("warn");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
