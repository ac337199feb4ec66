/* SPDX-License-Identifier: MIT */
/* json: words, the object of a record, hostile text, every kind of target. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/port.h>

static const struct lpk_console_driver *const driver = &lpk_json_driver;
static struct lpk_console console;
static char folder[64];
static char path[128];

static char payload[LPK_TEXT_MAX * 64];
static char rendered[65536];
static char got[1 << 20];

static int
setup(void **state)
{
	(void)state;
	memset(&console, 0, sizeof(console));
	console.driver = driver;
	console.device = calloc(1, driver->device_bytes);
	strcpy(folder, "/tmp/lpk-json-XXXXXX");
	if (console.device == NULL || mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/log", folder);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	driver->exit(&console);
	free(console.device);
	unlink(path);
	rmdir(folder);
	return 0;
}

static int
option(const char *value)
{
	return driver->option(&console, "", value);
}

static void
start(const char *target)
{
	assert_int_equal(option(target), LPK_OK);
	assert_int_equal(driver->setup(&console), LPK_OK);
}

static void
start_fd(int fd)
{
	char target[32];

	snprintf(target, sizeof(target), "fd:%d", fd);
	start(target);
}

static struct lpk_record
make_record(const char *text, size_t bytes, const char *pairs, size_t more)
{
	struct lpk_record record = {
	    .seq = 12,
	    .time_ns = 5123456000,
	    .level = LPK_INFO,
	    .caller = 77,
	    .text_bytes = (uint32_t)bytes,
	    .kv_bytes = (uint32_t)more,
	};

	assert_true(bytes + more < sizeof(payload));
	memcpy(payload, text, bytes);
	payload[bytes] = '\0';
	memcpy(payload + bytes + 1, pairs, more);
	return record;
}

static size_t
render(const struct lpk_record *record)
{
	size_t bytes = driver->render(
	    &console, record, payload, rendered, sizeof(rendered) - 1);

	assert_true(bytes < sizeof(rendered));
	rendered[bytes] = '\0';
	return bytes;
}

#define HEAD                                                                   \
	"{\"mono_us\":5123456,\"level\":\"info\",\"severity\":9,"              \
	"\"seq\":12,\"tid\":77,\"handler\":false,\"msg\":"

static void
expect_msg(const char *text, size_t bytes, const char *want)
{
	struct lpk_record record = make_record(text, bytes, "", 0);
	char line[4096];

	snprintf(line, sizeof(line), HEAD "%s}\n", want);
	render(&record);
	assert_string_equal(rendered, line);
}

static struct lpk_batch
batch_of(const char *bytes, size_t size_bytes)
{
	return (struct lpk_batch){
	    .bytes = bytes,
	    .size_bytes = size_bytes,
	    .records = 1,
	    .level = LPK_INFO,
	    .deadline_ns = lpk_now_ns() + 20000000,
	};
}

static int
write_bytes(const char *bytes, bool rest)
{
	struct lpk_batch batch = batch_of(bytes, strlen(bytes));

	batch.rest = rest;
	return driver->write(&console, &batch);
}

static void
expect_written(const char *bytes)
{
	assert_int_equal(write_bytes(bytes, false), (int)strlen(bytes));
}

static const char *
read_file(const char *name)
{
	int fd = open(name, O_RDONLY);
	ssize_t count = read(fd, got, sizeof(got) - 1);

	close(fd);
	got[count > 0 ? count : 0] = '\0';
	return got;
}

static const char *
read_fd(int fd)
{
	ssize_t count = read(fd, got, sizeof(got) - 1);

	got[count > 0 ? count : 0] = '\0';
	return got;
}

/* ------------------------------------------------------------------ words */

static void
test_json_words_are_understood_or_refused(void **state)
{
	static const char *const good[] = {"", "stdout", "fd:0", "fd:1048575",
	    "/var/log/x.json", "relative", "unix:/run/x", "unix:@abstract"};
	static const char *const bad[] = {"fd:", "fd:-1", "fd:1x", "fd: 1",
	    "fd:99999999999999999999", "unix:"};
	char longest[5000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(option(good[i]), LPK_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(option(bad[i]), -LPK_EINVAL);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(option(longest), -LPK_EINVAL);
	memcpy(longest, "unix:", 5);
	longest[5 + 108] = '\0';
	assert_int_equal(option(longest), -LPK_EINVAL);
	longest[5 + 107] = '\0';
	assert_int_equal(option(longest), LPK_OK);
	assert_int_equal(driver->option(&console, "%s%n", "%s%n"), -LPK_ENOENT);
	assert_int_equal(driver->option(&console, "path", "/x"), -LPK_ENOENT);
}

static void
test_json_random_words_are_understood_or_refused(void **state)
{
	static const char *const parts[] = {"fd:", "unix:", "@", "stdout", "",
	    "/", "0", "9", "-", ":", "..", " ", "\xff", "\n", "%s", "a"};
	uint64_t seed = test_seed();
	char words[6000];
	int i, result;

	(void)state;
	for (i = 0; i < 20000; i++) {
		size_t length = 0, most = test_random(&seed) % 8;

		if (i % 100 == 0)
			most = test_random(&seed) % 2000;
		for (words[0] = '\0'; most > 0; most--)
			length += (size_t)snprintf(words + length,
			    sizeof(words) - length, "%s",
			    parts[test_random(&seed) % 16]);
		result = option(words);
		assert_true(result == LPK_OK || result == -LPK_EINVAL);
		if (length >= 4096)
			assert_int_equal(result, -LPK_EINVAL);
	}
}

static void
test_json_target_that_cannot_be_opened_does_not_start(void **state)
{
	int ends[2];
	char target[32];

	(void)state;
	option("/nonexistent/folder/log");
	assert_int_equal(driver->setup(&console), -LPK_EIO);
	option("fd:1048575");
	assert_int_equal(driver->setup(&console), -LPK_EINVAL);
	assert_int_equal(pipe(ends), 0);
	snprintf(target, sizeof(target), "fd:%d", ends[0]);
	option(target);
	assert_int_equal(driver->setup(&console), -LPK_EINVAL);
	close(ends[0]);
	close(ends[1]);
}

/* ----------------------------------------------------------------- object */

static void
test_json_record_is_an_object_with_known_keys(void **state)
{
	struct lpk_record record = make_record("link up", 7, "A=1\0B=two", 10);

	(void)state;
	record.realtime_ns = UINT64_C(1795688551123456789);
	record.level = LPK_WARN;
	record.caller = 77 | LPK_CALLER_HANDLER;
	record.line = 42;
	record.subsystem = "net";
	record.file = "net/eth.c";
	record.function = "eth_up";
	strcpy(record.thread, "worker");
	render(&record);
	assert_string_equal(rendered,
	    "{\"ts\":\"2026-11-26T10:22:31.123456Z\",\"mono_us\":5123456,"
	    "\"level\":\"warn\",\"severity\":13,\"seq\":12,\"tid\":77,"
	    "\"handler\":true,\"thread\":\"worker\",\"subsystem\":\"net\","
	    "\"file\":\"net/eth.c\",\"line\":42,\"func\":\"eth_up\","
	    "\"msg\":\"link up\",\"fields\":{\"A\":\"1\",\"B\":\"two\"}}\n");
}

static void
test_json_what_is_not_known_is_left_out(void **state)
{
	(void)state;
	expect_msg("", 0, "\"\"");
	expect_msg("x", 1, "\"x\"");
}

static void
test_json_flags_of_a_record_are_told(void **state)
{
	struct lpk_record record = make_record("x", 1, "", 0);

	(void)state;
	record.facility = 3;
	record.flags = LPK_RECORD_CONT | LPK_RECORD_LATE | LPK_RECORD_TRUNCATED;
	render(&record);
	assert_string_equal(rendered,
	    HEAD "\"x\",\"facility\":3,\"cont\":true,\"late\":true,"
		 "\"truncated\":true}\n");
}

static void
test_json_severity_is_opentelemetrys(void **state)
{
	static const char *const want[] = {
	    "\"level\":\"emerg\",\"severity\":21,",
	    "\"level\":\"alert\",\"severity\":19,",
	    "\"level\":\"crit\",\"severity\":18,",
	    "\"level\":\"err\",\"severity\":17,",
	    "\"level\":\"warn\",\"severity\":13,",
	    "\"level\":\"notice\",\"severity\":10,",
	    "\"level\":\"info\",\"severity\":9,",
	    "\"level\":\"debug\",\"severity\":5,"};
	struct lpk_record record = make_record("x", 1, "", 0);

	(void)state;
	for (record.level = 0; record.level < 8; record.level++) {
		render(&record);
		assert_non_null(strstr(rendered, want[record.level]));
	}
}

static void
test_json_notice_tells_how_many_were_lost(void **state)
{
	static const char dropped[] = "** 42 printk messages dropped **";
	static const char replay[] = "** replaying previous printk message **";
	struct lpk_record record = make_record(dropped, strlen(dropped), "", 0);

	(void)state;
	record.flags = LPK_RECORD_NOTICE;
	render(&record);
	assert_string_equal(rendered,
	    "{\"mono_us\":5123456,\"level\":\"info\",\"severity\":9,"
	    "\"tid\":77,\"handler\":false,\"msg\":\"** 42 printk messages "
	    "dropped **\",\"notice\":true,\"lost\":42}\n");
	record = make_record(replay, strlen(replay), "", 0);
	record.flags = LPK_RECORD_NOTICE;
	render(&record);
	assert_non_null(strstr(rendered, ",\"notice\":true}\n"));
}

static void
expect_time(uint64_t seconds, const char *want)
{
	struct lpk_record record = make_record("x", 1, "", 0);

	record.realtime_ns = seconds * 1000000000 + 999999999;
	render(&record);
	rendered[strlen(want)] = '\0';
	assert_string_equal(rendered, want);
}

static void
test_json_time_is_that_of_the_calendar(void **state)
{
	uint64_t seed = test_seed();
	char want[64];
	struct tm tm;
	time_t at;
	int i;

	(void)state;
	expect_time(951782400, "{\"ts\":\"2000-02-29T00:00:00.999999Z\",");
	expect_time(4107455999, "{\"ts\":\"2100-02-27T23:59:59.999999Z\",");
	expect_time(4107542399, "{\"ts\":\"2100-02-28T23:59:59.999999Z\",");
	expect_time(4107542400, "{\"ts\":\"2100-03-01T00:00:00.999999Z\",");
	for (i = 0; i < 20000; i++) {
		at = (time_t)(test_random(&seed) >> 1);
		gmtime_r(&at, &tm);
		strftime(want, sizeof(want),
		    "{\"ts\":\"%Y-%m-%dT%H:%M:%S.999999Z\",", &tm);
		expect_time((uint64_t)at, want);
	}
}

/* ---------------------------------------------------------------- strings */

static void
test_json_quotes_and_controls_are_escaped(void **state)
{
	(void)state;
	expect_msg("\"\\/", 3, "\"\\\"\\\\/\"");
	expect_msg("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	expect_msg("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\\u007f\"");
	/* C1, line separators, marks that turn the direction. */
	expect_msg("\xc2\x9b\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6", 11,
	    "\"\\u009b\\u2028\\u202e\\u2066\"");
}

static void
test_json_valid_utf8_stays(void **state)
{
	(void)state;
	expect_msg("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd", 12,
	    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd\"");
	expect_msg("\xf4\x8f\xbf\xbf", 4, "\"\xf4\x8f\xbf\xbf\"");
}

static void
test_json_invalid_utf8_is_replaced_byte_by_byte(void **state)
{
	(void)state;
	/* Alone, overlong, surrogate, beyond the last, cut short. */
	expect_msg("\x80", 1, "\"\\ufffd\"");
	expect_msg("\xff\xfe", 2, "\"\\ufffd\\ufffd\"");
	expect_msg("\xc0\xaf", 2, "\"\\ufffd\\ufffd\"");
	expect_msg("\xe0\x80\xaf", 3, "\"\\ufffd\\ufffd\\ufffd\"");
	expect_msg("\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"");
	expect_msg("\xf4\x90\x80\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	expect_msg("\xe2\x82", 2, "\"\\ufffd\\ufffd\"");
	expect_msg("\xe2\x82x", 3, "\"\\ufffd\\ufffdx\"");
	/* What follows the text in memory is no part of it. */
	expect_msg("\xc3\xa9", 1, "\"\\ufffd\"");
}

static void
test_json_key_that_comes_twice_becomes_an_array(void **state)
{
	static const char pairs[] = "A=1\0B=\0A=2\0A=\0C";
	struct lpk_record record = make_record("x", 1, pairs, sizeof(pairs));

	(void)state;
	render(&record);
	assert_string_equal(rendered,
	    HEAD "\"x\",\"fields\":{\"A\":[\"1\",\"2\",\"\"],\"B\":\"\","
		 "\"C\":\"\"}}\n");
}

static void
test_json_hostile_keys_and_values_are_escaped(void **state)
{
	static const char pairs[] = "=v\0\"}=\"{\0\xff=\xff=\0K=a=b\n";
	struct lpk_record record = make_record("x", 1, pairs, sizeof(pairs));

	(void)state;
	render(&record);
	assert_string_equal(rendered,
	    HEAD "\"x\",\"fields\":{\"\":\"v\",\"\\\"}\":\"\\\"{\","
		 "\"\\ufffd\":\"\\ufffd=\",\"K\":\"a=b\\n\"}}\n");
}

/* Is what was rendered one line, whose quotes and braces are closed? */
static void
expect_whole(size_t bytes)
{
	size_t i, depth = 0;
	bool quoted = false;

	for (i = 0; i < bytes - 1; i++) {
		assert_int_not_equal(rendered[i], '\n');
		if (quoted && rendered[i] == '\\')
			i++;
		else if (rendered[i] == '"')
			quoted = !quoted;
		else if (!quoted && strchr("{[", rendered[i]) != NULL)
			depth++;
		else if (!quoted && strchr("}]", rendered[i]) != NULL)
			depth--;
	}
	assert_false(quoted);
	assert_int_equal(depth, 0);
	assert_string_equal(rendered + bytes - 2, "}\n");
}

static void
test_json_line_has_no_more_than_16_kilobytes(void **state)
{
	static char text[20000], name[5000];
	struct lpk_record record;
	size_t bytes, length;

	(void)state;
	memset(text, '\x01', sizeof(text));
	memset(name, '\xff', sizeof(name) - 1);
	for (length = 2600; length < 2750; length++) {
		record = make_record(text, length, "K=v", 4);
		bytes = render(&record);
		expect_whole(bytes);
		assert_true(bytes <= 16384);
		if (strstr(rendered, "truncated") != NULL)
			assert_true(bytes > 16384 - 300);
	}
	assert_non_null(strstr(rendered, "\"truncated\":true"));
	record = make_record(text, sizeof(text), text, 20000);
	record.file = record.function = record.subsystem = name;
	record.realtime_ns = UINT64_MAX;
	bytes = render(&record);
	expect_whole(bytes);
	assert_true(bytes <= 16384 && bytes > 16384 - 300);
}

static void
test_json_pairs_without_room_are_left_out_whole(void **state)
{
	static char pairs[32000];
	struct lpk_record record;
	size_t bytes = 0, i;

	(void)state;
	for (i = 0; i < 20; i++)
		bytes += (size_t)snprintf(pairs + bytes, sizeof(pairs) - bytes,
			     "K%zu=%01500zu", i, i) +
		    1;
	bytes += (size_t)snprintf(
		     pairs + bytes, sizeof(pairs) - bytes, "LAST=fits") +
	    1;
	record = make_record("x", 1, pairs, bytes);
	bytes = render(&record);
	expect_whole(bytes);
	assert_true(bytes <= 16384);
	assert_non_null(strstr(rendered, "\"K9\":\""));
	assert_null(strstr(rendered, "\"K10\":\""));
	assert_non_null(strstr(rendered, "\"LAST\":\"fits\"}"));
	assert_non_null(strstr(rendered, "\"truncated\":true"));
}

static void
test_json_less_room_cuts_the_text_not_the_object(void **state)
{
	char text[1000];
	struct lpk_record record;
	size_t bytes, room;

	(void)state;
	memset(text, '\x01', sizeof(text));
	record = make_record(text, sizeof(text), "K=v", 4);
	for (room = 0; room < 8000; room += room < 400 ? 1 : 7) {
		memset(rendered, '#', sizeof(rendered));
		bytes =
		    driver->render(&console, &record, payload, rendered, room);
		assert_int_equal(rendered[room], '#');
		if (room < 400)
			continue;
		assert_true(bytes <= room);
		rendered[bytes] = '\0';
		expect_whole(bytes);
	}
}

/* ---------------------------------------------------------------- targets */

static void
test_json_file_is_appended_to(void **state)
{
	struct stat status;

	(void)state;
	start(path);
	expect_written("{1}\n{2}\n");
	driver->exit(&console);
	start(path);
	expect_written("{3}\n");
	assert_string_equal(read_file(path), "{1}\n{2}\n{3}\n");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0137, 0);
}

static void
test_json_reopen_writes_to_the_new_file(void **state)
{
	char moved[160];

	(void)state;
	snprintf(moved, sizeof(moved), "%s.1", path);
	start(path);
	expect_written("{1}\n");
	assert_int_equal(rename(path, moved), 0);
	expect_written("{2}\n");
	driver->reopen(&console);
	expect_written("{3}\n");
	assert_string_equal(read_file(moved), "{1}\n{2}\n");
	assert_string_equal(read_file(path), "{3}\n");
	unlink(moved);
}

static void
test_json_reopen_waits_for_the_end_of_a_line(void **state)
{
	char moved[160];

	(void)state;
	snprintf(moved, sizeof(moved), "%s.1", path);
	start(path);
	expect_written("{1}\n{2");
	assert_int_equal(rename(path, moved), 0);
	driver->reopen(&console);
	assert_int_equal(write_bytes("}\n", true), 2);
	expect_written("{3}\n");
	assert_string_equal(read_file(moved), "{1}\n{2}\n");
	assert_string_equal(read_file(path), "{3}\n");
	unlink(moved);
}

static void
test_json_relative_name_is_found_again(void **state)
{
	char before[4096], moved[160];

	(void)state;
	snprintf(moved, sizeof(moved), "%s.1", path);
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(folder), 0);
	start("log");
	assert_int_equal(chdir("/"), 0);
	expect_written("{1}\n");
	assert_int_equal(rename(path, moved), 0);
	driver->reopen(&console);
	expect_written("{2}\n");
	assert_string_equal(read_file(path), "{2}\n");
	assert_int_equal(chdir(before), 0);
	unlink(moved);
}

static void
test_json_line_after_an_interrupted_one_stands_alone(void **state)
{
	(void)state;
	start(path);
	expect_written("{1}\n{\"half");
	expect_written("{2}\n");
	/* What lpk puts in front of a line that it prints again. */
	expect_written("\n{3}\n");
	expect_written("{\"half");
	expect_written("\n{4}\n");
	assert_string_equal(
	    read_file(path), "{1}\n{\"half\n{2}\n{3}\n{\"half\n{4}\n");
}

static void
test_json_full_disk_keeps_the_place(void **state)
{
	struct lpk_batch batch = batch_of("{1}\n", 4);

	(void)state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	start("/dev/full");
	assert_int_equal(driver->write(&console, &batch), -LPK_ENOSPC);
	assert_int_equal(batch.error, ENOSPC);
}

/* The pipe's other end reads nothing: whole lines as long as they go in. */
static void
fill_pipe(bool shared)
{
	static char lines[1 << 20];
	struct rlimit limit, none;
	struct lpk_batch batch;
	int ends[2], taken, flags;
	size_t i, bytes = 0;

	assert_int_equal(pipe(ends), 0);
	flags = fcntl(ends[1], F_GETFL);
	for (i = 0; bytes + 512 < sizeof(lines); i++)
		bytes += (size_t)snprintf(lines + bytes, sizeof(lines) - bytes,
		    "{%0*zu}\n", (int)(i % 400), i);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){0, limit.rlim_max};
	/* Then the console gets no descriptor of its own for the pipe. */
	if (shared)
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	start_fd(ends[1]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	batch = batch_of(lines, bytes);
	taken = driver->write(&console, &batch);
	assert_true(taken > 4096 && (size_t)taken < bytes);
	assert_int_equal(lines[taken - 1], '\n');
	batch = batch_of(lines + taken, bytes - (size_t)taken);
	batch.rest = true;
	assert_int_equal(driver->write(&console, &batch), -LPK_EAGAIN);
	/* Its flags are shared with others. */
	assert_int_equal(fcntl(ends[1], F_GETFL), flags);
	assert_int_equal(read(ends[0], got, sizeof(got)), taken);
	assert_memory_equal(got, lines, (size_t)taken);
	assert_true(driver->write(&console, &batch) > 0);
	close(ends[0]);
	close(ends[1]);
}

static void
test_json_full_pipe_takes_whole_lines_and_says_how_many(void **state)
{
	(void)state;
	fill_pipe(false);
}

static void
test_json_full_pipe_that_blocks_is_not_waited_for(void **state)
{
	(void)state;
	fill_pipe(true);
}

static void
test_json_pipe_without_a_reader_is_refused_and_kills_nobody(void **state)
{
	struct lpk_batch batch = batch_of("{1}\n", 4);
	sigset_t pending;
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(pipe(ends), 0);
	start_fd(ends[1]);
	close(ends[0]);
	errno = 4711;
	assert_int_equal(driver->write_on_panic(&console, &batch), -LPK_EIO);
	assert_int_equal(batch.error, EPIPE);
	assert_int_equal(errno, 4711);
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGPIPE));
	close(ends[1]);
}

static void
test_json_inherited_descriptor_stays_open(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	start_fd(ends[1]);
	expect_written("{1}\n");
	driver->exit(&console);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_string_equal(read_fd(ends[0]), "{1}\nx");
	close(ends[0]);
	close(ends[1]);
}

static void
test_json_socket_that_was_inherited_is_not_waited_for(void **state)
{
	static char line[30000];
	struct lpk_batch batch;
	int ends[2], taken;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	start_fd(ends[1]);
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	do {
		batch = batch_of(line, sizeof(line));
		taken = driver->write(&console, &batch);
		assert_true(taken == sizeof(line) || taken == -LPK_EAGAIN);
	} while (taken > 0);
	close(ends[0]);
	assert_int_equal(driver->write(&console, &batch), -LPK_EIO);
	close(ends[1]);
}

/* ----------------------------------------------------------- Unix sockets */

static int
listen_at(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(strlen(name) < sizeof(at.sun_path));
	strcpy(at.sun_path, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void
start_unix(void)
{
	char target[160];

	snprintf(target, sizeof(target), "unix:%s", path);
	start(target);
}

static void
test_json_socket_is_connected_when_somebody_listens(void **state)
{
	struct lpk_batch batch = batch_of("{1}\n", 4);
	int listener, peer;

	(void)state;
	start_unix();
	assert_int_equal(driver->write(&console, &batch), -LPK_EAGAIN);
	assert_int_equal(batch.error, ENOENT);
	listener = listen_at(path);
	expect_written("{1}\n");
	peer = accept(listener, NULL, NULL);
	assert_string_equal(read_fd(peer), "{1}\n");
	close(peer);
	close(listener);
}

static void
test_json_socket_is_connected_again(void **state)
{
	int listener = listen_at(path), peer, i;

	(void)state;
	start_unix();
	for (i = 0; i < 20; i++) {
		struct lpk_batch batch = batch_of("{1}\n{2}\n", 8);

		expect_written("{0}\n");
		peer = accept(listener, NULL, NULL);
		assert_string_equal(read_fd(peer), "{0}\n");
		close(peer);
		assert_int_equal(driver->write(&console, &batch), -LPK_EAGAIN);
		assert_int_equal(batch.error, EPIPE);
	}
	/* Nobody listens for a while. */
	close(listener);
	unlink(path);
	assert_int_equal(write_bytes("{3}\n", false), -LPK_EAGAIN);
	listener = listen_at(path);
	expect_written("{3}\n");
	peer = accept(listener, NULL, NULL);
	assert_string_equal(read_fd(peer), "{3}\n");
	close(peer);
	close(listener);
}

static void
test_json_new_connection_begins_with_a_line(void **state)
{
	int listener = listen_at(path), peer;

	(void)state;
	start_unix();
	/* Half a line, and then who listened is gone. */
	expect_written("{\"half");
	peer = accept(listener, NULL, NULL);
	assert_string_equal(read_fd(peer), "{\"half");
	close(peer);
	assert_int_equal(write_bytes("\"}\n{2}\n", true), -LPK_EAGAIN);
	assert_int_equal(write_bytes("\"}\n{2}\n", true), 7);
	peer = accept(listener, NULL, NULL);
	assert_string_equal(read_fd(peer), "{2}\n");
	close(peer);
	/* At the end of a line nothing is left out. */
	assert_int_equal(write_bytes("{3}\n", true), -LPK_EAGAIN);
	assert_int_equal(write_bytes("{3}\n", true), 4);
	peer = accept(listener, NULL, NULL);
	assert_string_equal(read_fd(peer), "{3}\n");
	close(peer);
	close(listener);
}

static void
test_json_panic_connects_and_preserves_errno(void **state)
{
	struct lpk_batch batch = batch_of("{last}\n", 7);
	int listener, peer;

	(void)state;
	start_unix();
	errno = 4711;
	assert_int_equal(driver->write_on_panic(&console, &batch), -LPK_EAGAIN);
	assert_int_equal(errno, 4711);
	listener = listen_at(path);
	errno = 4711;
	assert_int_equal(driver->write_on_panic(&console, &batch), 7);
	assert_int_equal(errno, 4711);
	peer = accept(listener, NULL, NULL);
	assert_string_equal(read_fd(peer), "{last}\n");
	close(peer);
	close(listener);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_json_words_are_understood_or_refused),
	    CASE(test_json_random_words_are_understood_or_refused),
	    CASE(test_json_target_that_cannot_be_opened_does_not_start),
	    CASE(test_json_record_is_an_object_with_known_keys),
	    CASE(test_json_what_is_not_known_is_left_out),
	    CASE(test_json_flags_of_a_record_are_told),
	    CASE(test_json_severity_is_opentelemetrys),
	    CASE(test_json_notice_tells_how_many_were_lost),
	    CASE(test_json_time_is_that_of_the_calendar),
	    CASE(test_json_quotes_and_controls_are_escaped),
	    CASE(test_json_valid_utf8_stays),
	    CASE(test_json_invalid_utf8_is_replaced_byte_by_byte),
	    CASE(test_json_key_that_comes_twice_becomes_an_array),
	    CASE(test_json_hostile_keys_and_values_are_escaped),
	    CASE(test_json_line_has_no_more_than_16_kilobytes),
	    CASE(test_json_pairs_without_room_are_left_out_whole),
	    CASE(test_json_less_room_cuts_the_text_not_the_object),
	    CASE(test_json_file_is_appended_to),
	    CASE(test_json_reopen_writes_to_the_new_file),
	    CASE(test_json_reopen_waits_for_the_end_of_a_line),
	    CASE(test_json_relative_name_is_found_again),
	    CASE(test_json_line_after_an_interrupted_one_stands_alone),
	    CASE(test_json_full_disk_keeps_the_place),
	    CASE(test_json_full_pipe_takes_whole_lines_and_says_how_many),
	    CASE(test_json_full_pipe_that_blocks_is_not_waited_for),
	    CASE(test_json_pipe_without_a_reader_is_refused_and_kills_nobody),
	    CASE(test_json_inherited_descriptor_stays_open),
	    CASE(test_json_socket_that_was_inherited_is_not_waited_for),
	    CASE(test_json_socket_is_connected_when_somebody_listens),
	    CASE(test_json_socket_is_connected_again),
	    CASE(test_json_new_connection_begins_with_a_line),
	    CASE(test_json_panic_connects_and_preserves_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
