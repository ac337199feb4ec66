/* SPDX-License-Identifier: MIT */
/* netconsole: words, datagrams of both formats, fragments, errors of the net. */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>

static const struct lpk_console_driver *const driver = &lpk_netconsole_driver;
static struct lpk_console console;
static char port[8];
static int receiver;

/* The text, a NUL, and key/values as a reader hands them over. */
static char payload[LPK_TEXT_MAX + 2];
static char rendered[32768];
static char datagram[4096];

static int
setup(void **state)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	const struct timeval wait = {.tv_sec = 10};
	socklen_t bytes = sizeof(here);

	(void)state;
	memset(&console, 0, sizeof(console));
	console.driver = driver;
	console.device = calloc(1, driver->device_bytes);
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	receiver = socket(AF_INET, SOCK_DGRAM, 0);
	if (console.device == NULL || receiver < 0 ||
	    bind(receiver, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    getsockname(receiver, (struct sockaddr *)&here, &bytes) != 0)
		return -1;
	setsockopt(receiver, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	snprintf(port, sizeof(port), "%u", ntohs(here.sin_port));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	driver->exit(&console);
	free(console.device);
	close(receiver);
	return 0;
}

static int
option(const char *key, const char *value)
{
	return driver->option(&console, key, value);
}

/* To the receiver, or to another port of it. */
static void
start(const char *at)
{
	char target[64];

	snprintf(target, sizeof(target), "127.0.0.1:%s", at);
	assert_int_equal(option("", target), LPK_OK);
	assert_int_equal(driver->setup(&console), LPK_OK);
}

static struct lpk_record
make_record(const char *text, const char *pairs, size_t pairs_bytes)
{
	struct lpk_record record = {
	    .seq = 12,
	    .time_ns = 5123456000,
	    .level = LPK_INFO,
	    .caller = 77,
	    .text_bytes = (uint32_t)strlen(text),
	    .kv_bytes = (uint32_t)pairs_bytes,
	};

	assert_true(record.text_bytes + pairs_bytes < sizeof(payload));
	memcpy(payload, text, record.text_bytes + 1);
	memcpy(payload + record.text_bytes + 1, pairs, pairs_bytes);
	return record;
}

static size_t
render(const struct lpk_record *record)
{
	size_t bytes = driver->render(
	    &console, record, payload, rendered, sizeof(rendered));

	assert_true(bytes <= sizeof(rendered));
	return bytes;
}

static struct lpk_batch
batch_of(size_t bytes)
{
	return (struct lpk_batch){
	    .bytes = rendered,
	    .size_bytes = bytes,
	    .records = 1,
	    .level = LPK_INFO,
	    .deadline_ns = lpk_now_ns() + 1000000000,
	};
}

static void
send_record(const char *text, const char *pairs, size_t pairs_bytes)
{
	struct lpk_record record = make_record(text, pairs, pairs_bytes);
	struct lpk_batch batch = batch_of(render(&record));

	assert_int_equal(
	    driver->write(&console, &batch), (int)batch.size_bytes);
	assert_int_equal(batch.error, 0);
}

static size_t
receive(void)
{
	ssize_t bytes = recv(receiver, datagram, sizeof(datagram) - 1, 0);

	assert_true(bytes > 0);
	datagram[bytes] = '\0';
	return (size_t)bytes;
}

static void
expect_nothing(void)
{
	assert_true(recv(receiver, datagram, 1, MSG_DONTWAIT) < 0);
}

static void
test_netconsole_target_words_are_understood_or_refused(void **state)
{
	static const char *const good[] = {"10.0.0.1", "10.0.0.1:514", "host",
	    "host:65535", "[::1]", "[fe80::1%eth0]:6666"};
	static const char *const bad[] = {"", ":", ":6666", "host:", "host:0",
	    "host:65536", "host:99999999999999999999", "host:66x", "host:-1",
	    "host: 1", "::1", "::1:6666", "[::1", "[]", "[]:1", "[::1]x",
	    "[::1]:", "[::1]:x"};
	char longest[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(option("", good[i]), LPK_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(option("", bad[i]), -LPK_EINVAL);
	memset(longest, 'h', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(option("", longest), -LPK_EINVAL);
}

static void
test_netconsole_option_words_are_understood_or_refused(void **state)
{
	char longest[300];

	(void)state;
	assert_int_equal(option("format", "basic"), LPK_OK);
	assert_int_equal(option("format", "extended"), LPK_OK);
	assert_int_equal(option("format", ""), -LPK_EINVAL);
	assert_int_equal(option("format", "Extended"), -LPK_EINVAL);
	assert_int_equal(option("release", "6.12.1-x+y"), LPK_OK);
	assert_int_equal(option("release", ""), -LPK_EINVAL);
	assert_int_equal(option("release", "a;b"), -LPK_EINVAL);
	assert_int_equal(option("release", "a,b"), -LPK_EINVAL);
	assert_int_equal(option("release", "a b"), -LPK_EINVAL);
	assert_int_equal(option("release", "a\nb"), -LPK_EINVAL);
	assert_int_equal(option("release", "\xc3\xa9"), -LPK_EINVAL);
	memset(longest, 'r', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(option("release", longest), -LPK_EINVAL);
	assert_int_equal(option("colour", "red"), -LPK_ENOENT);
	assert_int_equal(option("Format", "basic"), -LPK_ENOENT);
	assert_int_equal(option("%s%n", "%s%n"), -LPK_ENOENT);
}

static void
test_netconsole_random_words_are_understood_or_refused(void **state)
{
	static const char *const parts[] = {"[", "]", ":", "::1", "host", "0",
	    "6666", "%eth0", "", " ", "-", "\xff", "\n", "%s", ".", "65535"};
	uint64_t seed = test_seed();
	char words[6000];
	int i, result;

	(void)state;
	for (i = 0; i < 20000; i++) {
		size_t length = 0, most = test_random(&seed) % 8;

		if (i % 100 == 0)
			most = test_random(&seed) % 1000;
		for (words[0] = '\0'; most > 0; most--)
			length += (size_t)snprintf(words + length,
			    sizeof(words) - length, "%s",
			    parts[test_random(&seed) % 16]);
		result = option(i % 2 == 0 ? "" : "release", words);
		assert_true(result == LPK_OK || result == -LPK_EINVAL);
		if (length == 0 || length > 300)
			assert_int_equal(result, -LPK_EINVAL);
	}
}

static void
test_netconsole_without_a_target_does_not_start(void **state)
{
	(void)state;
	assert_int_equal(driver->setup(&console), -LPK_EINVAL);
}

static void
test_netconsole_release_of_the_basic_format_does_not_start(void **state)
{
	(void)state;
	option("", "127.0.0.1");
	option("release", "1.0");
	assert_int_equal(driver->setup(&console), -LPK_EINVAL);
}

static void
test_netconsole_basic_record_is_a_line_in_a_datagram(void **state)
{
	(void)state;
	start(port);
	send_record("eth0: link up", "", 0);
	receive();
	assert_string_equal(datagram, "[    5.123456] eth0: link up\n");
	console.style = LPK_STYLE_PRIO;
	send_record("two\nlines", "", 0);
	receive();
	assert_string_equal(
	    datagram, "<6>[    5.123456] two\n<6>[    5.123456] lines\n");
	expect_nothing();
}

static void
test_netconsole_basic_long_line_is_cut_between_characters(void **state)
{
	char text[1001], want[1100], got[2200] = "";
	size_t i, bytes;

	(void)state;
	start(port);
	/* After 15 bytes of prefix the 1000th is inside of a character. */
	text[0] = '-';
	for (i = 1; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	text[i] = '\0';
	snprintf(want, sizeof(want), "[    5.123456] %s\n", text);
	send_record(text, "", 0);
	bytes = receive();
	assert_true(bytes <= 1000 && bytes > 990);
	/* It ends where a character does. */
	assert_memory_equal(datagram + bytes - 3, "\xe2\x82\xac", 3);
	strcat(got, datagram);
	receive();
	strcat(got, datagram);
	assert_string_equal(got, want);
	expect_nothing();
}

static void
test_netconsole_extended_record_is_that_of_dev_kmsg(void **state)
{
	(void)state;
	option("format", "extended");
	start(port);
	assert_int_equal(console.style, LPK_STYLE_KMSG);
	send_record("link\tup; \\", "DEVICE=n3\0SUBSYSTEM=net", 24);
	receive();
	assert_string_equal(datagram,
	    "6,12,5123456,-,caller=T77;link\\x09up; \\x5c\n"
	    " DEVICE=n3\n SUBSYSTEM=net\n");
	expect_nothing();
}

static void
test_netconsole_kmsg_style_means_the_extended_format(void **state)
{
	(void)state;
	console.style = LPK_STYLE_KMSG;
	option("release", "7.0-x");
	start(port);
	send_record("hello", "", 0);
	receive();
	assert_string_equal(
	    datagram, "7.0-x,6,12,5123456,-,caller=T77;hello\n");
}

/* Put fragments together, as docs of the kernel's netconsole describe them. */
static void
receive_fragments(char *whole, size_t room, const char *head)
{
	size_t offset = 0, total = 1, at, of, bytes;

	while (offset < total) {
		const char *body, *field;

		bytes = receive();
		assert_true(bytes <= 1000);
		assert_memory_equal(datagram, head, strlen(head));
		body = strchr(datagram, ';');
		field = strstr(datagram, ",ncfrag=");
		assert_non_null(body);
		assert_non_null(field);
		assert_true(field == datagram + strlen(head) && field < body);
		assert_int_equal(
		    sscanf(field, ",ncfrag=%zu/%zu;", &at, &of), 2);
		assert_int_equal(at, offset);
		assert_true(of < room && (offset == 0 || of == total));
		body++;
		total = of;
		bytes -= (size_t)(body - datagram);
		assert_true(bytes > 0 && offset + bytes <= total);
		memcpy(whole + offset, body, bytes);
		offset += bytes;
	}
	whole[total] = '\0';
	expect_nothing();
}

static void
fragments(const char *release, const char *head)
{
	char text[LPK_TEXT_MAX - 32], *want, whole[8192];
	struct lpk_record record;
	size_t i;

	option("format", "extended");
	if (release != NULL)
		option("release", release);
	start(port);
	/* Bytes that are escaped, so that it takes four times its length. */
	for (i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 3 == 0 ? '\x01' : (char)('a' + i % 26);
	text[i] = '\0';
	send_record(text, "KEY=a;b", 8);
	receive_fragments(whole, sizeof(whole), head);
	record = make_record(text, "KEY=a;b", 8);
	lpk_record_print(
	    &record, payload, LPK_STYLE_KMSG, rendered, sizeof(rendered));
	want = strchr(rendered, ';') + 1;
	assert_string_equal(whole, want);
}

static void
test_netconsole_long_extended_record_comes_in_fragments(void **state)
{
	(void)state;
	fragments(NULL, "6,12,5123456,-,caller=T77");
}

static void
test_netconsole_fragments_carry_the_release(void **state)
{
	(void)state;
	fragments("6.13.0-rc1", "6.13.0-rc1,6,12,5123456,-,caller=T77");
}

static void
test_netconsole_a_thousand_bytes_are_one_datagram(void **state)
{
	char text[1000];
	size_t head = strlen("6,12,5123456,-,caller=T77;");

	(void)state;
	option("format", "extended");
	start(port);
	memset(text, 'x', sizeof(text));
	text[1000 - head - 1] = '\0';
	send_record(text, "", 0);
	assert_int_equal(receive(), 1000);
	assert_null(strstr(datagram, "ncfrag"));
	text[1000 - head - 1] = 'x';
	text[1000 - head] = '\0';
	send_record(text, "", 0);
	receive();
	assert_non_null(strstr(datagram, ",ncfrag=0/975;"));
	receive();
	assert_non_null(strstr(datagram, "/975;x"));
	expect_nothing();
}

static void
test_netconsole_rest_of_a_record_goes_on_at_its_datagram(void **state)
{
	char text[LPK_TEXT_MAX - 32], whole[8192];
	struct lpk_record record;
	struct lpk_batch batch;
	size_t bytes, first;

	(void)state;
	option("format", "extended");
	start(port);
	memset(text, '\x02', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	record = make_record(text, "", 0);
	bytes = render(&record);
	first = 2 +
	    ((size_t)(unsigned char)rendered[0] << 8 |
		(unsigned char)rendered[1]);
	batch = batch_of(first);
	assert_int_equal(driver->write(&console, &batch), (int)first);
	batch.bytes += first;
	batch.size_bytes = bytes - first;
	batch.rest = true;
	assert_int_equal(
	    driver->write(&console, &batch), (int)batch.size_bytes);
	receive_fragments(whole, sizeof(whole), "6,12,5123456,-,caller=T77");
	assert_int_equal(strlen(whole), 4 * strlen(text) + 1);
}

static void
test_netconsole_room_that_is_too_small_still_holds_datagrams(void **state)
{
	char text[LPK_TEXT_MAX - 32];
	struct lpk_record record;
	size_t whole, room;

	(void)state;
	option("format", "extended");
	start(port);
	memset(text, '\x02', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	record = make_record(text, "", 0);
	whole = render(&record);
	for (room = 0; room < whole; room += room < 600 ? 1 : 97) {
		struct lpk_batch batch = batch_of(room);

		memset(rendered, 0, sizeof(rendered));
		assert_true(driver->render(&console, &record, payload, rendered,
				room) > room);
		assert_int_equal(rendered[room], '\0');
		if (room < 600)
			continue;
		driver->write(&console, &batch);
		receive();
		assert_memory_equal(datagram, "6,12,5123456,-,caller=T77", 25);
		while (recv(receiver, datagram, 1, MSG_DONTWAIT) >= 0)
			;
	}
	assert_int_equal(render(&record), whole);
}

static void
test_netconsole_nobody_listening_is_no_error(void **state)
{
	char gone[sizeof(port)];
	int i;

	(void)state;
	strcpy(gone, port);
	close(receiver);
	start(gone);
	for (i = 0; i < 100; i++)
		send_record("to nobody", "", 0);
	receiver = socket(AF_INET, SOCK_DGRAM, 0);
}

static void
test_netconsole_panic_sends_and_preserves_errno(void **state)
{
	struct lpk_record record = make_record("last words", "", 0);
	struct lpk_batch batch;

	(void)state;
	start(port);
	batch = batch_of(render(&record));
	errno = 4711;
	assert_int_equal(
	    driver->write_on_panic(&console, &batch), (int)batch.size_bytes);
	assert_int_equal(errno, 4711);
	receive();
	assert_string_equal(datagram, "[    5.123456] last words\n");
	/* A descriptor that is gone is an error, and no more than that. */
	driver->exit(&console);
	assert_int_equal(driver->write_on_panic(&console, &batch), -LPK_EIO);
	assert_int_equal(batch.error, EBADF);
	assert_int_equal(errno, 4711);
}

/* In a network of its own, with nothing in it. 0: as it should be. */
static int
alone(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct lpk_record record = make_record("kept", "", 0);
	struct lpk_batch batch;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), before;

	here.sin_port = htons(6666);
	here.sin_addr.s_addr = htonl(INADDR_ANY);
	option("", "127.0.0.1");
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    driver->setup(&console) != LPK_OK)
		return 1;
	batch = batch_of(render(&record));
	before = driver->write(&console, &batch);
	if (before != -LPK_EAGAIN || batch.error != ENETUNREACH)
		return 2;
	if (ioctl(fd, SIOCSIFFLAGS, &loopback) != 0)
		return 77;
	if (driver->write(&console, &batch) != (int)batch.size_bytes)
		return 3;
	memset(datagram, 0, sizeof(datagram));
	if (recv(fd, datagram, sizeof(datagram) - 1, MSG_DONTWAIT) < 0)
		return 4;
	return strcmp(datagram, "[    5.123456] kept\n") != 0 ? 5 : 0;
}

static void
test_netconsole_network_that_comes_up_later_gets_the_record(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(
		    unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 ? 77 : alone());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* no network of its own to be had */
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_netconsole_reopen_goes_on(void **state)
{
	(void)state;
	start(port);
	send_record("before", "", 0);
	driver->reopen(&console);
	send_record("after", "", 0);
	receive();
	assert_string_equal(datagram, "[    5.123456] before\n");
	receive();
	assert_string_equal(datagram, "[    5.123456] after\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_netconsole_target_words_are_understood_or_refused),
	    CASE(test_netconsole_option_words_are_understood_or_refused),
	    CASE(test_netconsole_random_words_are_understood_or_refused),
	    CASE(test_netconsole_without_a_target_does_not_start),
	    CASE(test_netconsole_release_of_the_basic_format_does_not_start),
	    CASE(test_netconsole_basic_record_is_a_line_in_a_datagram),
	    CASE(test_netconsole_basic_long_line_is_cut_between_characters),
	    CASE(test_netconsole_extended_record_is_that_of_dev_kmsg),
	    CASE(test_netconsole_kmsg_style_means_the_extended_format),
	    CASE(test_netconsole_long_extended_record_comes_in_fragments),
	    CASE(test_netconsole_fragments_carry_the_release),
	    CASE(test_netconsole_a_thousand_bytes_are_one_datagram),
	    CASE(test_netconsole_rest_of_a_record_goes_on_at_its_datagram),
	    CASE(test_netconsole_room_that_is_too_small_still_holds_datagrams),
	    CASE(test_netconsole_nobody_listening_is_no_error),
	    CASE(test_netconsole_panic_sends_and_preserves_errno),
	    CASE(test_netconsole_network_that_comes_up_later_gets_the_record),
	    CASE(test_netconsole_reopen_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
