/* SPDX-License-Identifier: MIT */
/*
 * The console on syslog: what becomes of its messages when the receiver is
 * slow, gone, or another one. How they look: test_syslog_frame.c.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/port.h>

enum { ROOM = 262144, LENGTH = 9 };

static struct lpk_console console;
static char folder[] = "/tmp/lpk-syslog-XXXXXX";
static struct sockaddr_un address;
static char rendered[ROOM];
static char received[ROOM];

static int
setup(void **state)
{
	(void)state;
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	address.sun_family = AF_UNIX;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
	memset(&console, 0, sizeof(console));
	console.driver = &lpk_syslog_driver;
	console.device = calloc(1, lpk_syslog_driver.device_bytes);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	console.driver->exit(&console);
	free(console.device);
	unlink(address.sun_path);
	rmdir(folder);
	return 0;
}

static int
option(const char *key, const char *value)
{
	return console.driver->option(&console, key, value);
}

/* Set up with some words, "key=value" each, and a target in front. */
static void
start(const char *target, const char *words)
{
	char copy[256], *word, *rest = copy;

	assert_int_equal(option("", target), LPK_OK);
	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, ",")) != NULL && *word != '\0') {
		char *value = strchr(word, '=');

		*value++ = '\0';
		assert_int_equal(option(word, value), LPK_OK);
	}
	assert_int_equal(option("tag", "my app"), LPK_OK);
	assert_int_equal(console.driver->setup(&console), LPK_OK);
}

static const char *
unix_target(void)
{
	static char target[sizeof(address.sun_path) + 8];

	snprintf(target, sizeof(target), "unix:%s", address.sun_path);
	return target;
}

static struct lpk_record
record_of(uint32_t text_bytes, uint32_t kv_bytes)
{
	return (struct lpk_record){
	    .seq = 42,
	    .realtime_ns = UINT64_C(951825600123456789), /* a leap day, noon */
	    .caller = 1234,
	    .text_bytes = text_bytes,
	    .kv_bytes = kv_bytes,
	    .level = LPK_WARN,
	    .subsystem = "net",
	};
}

static size_t
render(const struct lpk_record *record, const char *text)
{
	size_t bytes = console.driver->render(
	    &console, record, text, rendered, sizeof(rendered));

	assert_true(bytes <= sizeof(rendered));
	return bytes;
}

/* The only frame of a record. */
static const char *
frame_of(const struct lpk_record *record, const char *text)
{
	size_t bytes = render(record, text);

	assert_int_equal(strtoul(rendered, NULL, 10), bytes - LENGTH);
	rendered[bytes] = '\0';
	return rendered + LENGTH;
}

static int
write_until(const char *bytes, size_t count, uint64_t deadline_ns, int *error)
{
	struct lpk_batch batch = {
	    .bytes = bytes,
	    .size_bytes = count,
	    .records = 1,
	    .deadline_ns = deadline_ns,
	};
	int taken = console.driver->write(&console, &batch);

	if (error != NULL)
		*error = batch.error;
	return taken;
}

/* One message of our own making; 0: taken, or errno. */
static int
say(const char *message)
{
	int bytes = snprintf(
	    rendered, sizeof(rendered), "%08zu %s", strlen(message), message);
	int error = 0;
	int taken = write_until(
	    rendered, (size_t)bytes, lpk_now_ns() + 20000000, &error);

	if (taken == bytes)
		return 0;
	assert_int_equal(taken, error == EMSGSIZE ? -LPK_EIO : -LPK_EAGAIN);
	return error;
}

/* ---- datagrams -------------------------------------------------------- */

static int
listen_unix(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	unlink(address.sun_path);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void
expect_datagram(int fd, const char *want)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t bytes;

	assert_int_equal(poll(&wait, 1, 30000), 1);
	bytes = recv(fd, received, sizeof(received) - 1, 0);
	assert_true(bytes >= 0);
	received[bytes] = '\0';
	assert_string_equal(received, want);
}

static void
test_syslog_unix_receiver_may_come_go_and_stop(void **state)
{
	int fd, sent = 0, error;

	(void)state;
	start(unix_target(), "");
	assert_int_equal(say("one"), ENOENT);
	fd = listen_unix();
	assert_int_equal(say("one"), 0);
	expect_datagram(fd, "one");
	close(fd);
	assert_int_equal(say("two"), ECONNREFUSED);
	fd = listen_unix();
	assert_int_equal(say("two"), 0);
	/* Nobody had said that it was read. */
	expect_datagram(fd, "one");
	expect_datagram(fd, "two");
	/* It does not read: refused at the deadline, not waited for. */
	while ((error = say("three")) == 0)
		sent++;
	assert_int_equal(error, EAGAIN);
	while (sent-- > 0)
		expect_datagram(fd, "three");
	assert_int_equal(say("three"), 0);
	expect_datagram(fd, "three");
	close(fd);
}

static void
test_syslog_unread_datagrams_go_to_the_next_receiver(void **state)
{
	int fd = listen_unix();

	(void)state;
	start(unix_target(), "");
	assert_int_equal(say("one"), 0);
	assert_int_equal(say("two"), 0);
	expect_datagram(fd, "one");
	expect_datagram(fd, "two");
	/* All was read: of these nothing is to be repeated. */
	assert_int_equal(say("three"), 0);
	assert_int_equal(say("four"), 0);
	expect_datagram(fd, "three");
	close(fd);
	assert_int_equal(say("five"), ECONNREFUSED);
	fd = listen_unix();
	assert_int_equal(say("five"), 0);
	expect_datagram(fd, "three");
	expect_datagram(fd, "four");
	expect_datagram(fd, "five");
	close(fd);
}

static void
test_syslog_descriptor_of_somebody_else_is_left_alone(void **state)
{
	int fd = listen_unix(), theirs[2], low;

	(void)state;
	start(unix_target(), "");
	assert_int_equal(say("one"), 0);
	expect_datagram(fd, "one");
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, theirs), 0);
	/* What a daemon does, and then opens sockets of its own. */
	for (low = 3; low < 64; low++) {
		if (low != fd && low != theirs[0] && low != theirs[1])
			dup2(theirs[0], low);
	}
	assert_int_equal(say("two"), 0);
	expect_datagram(fd, "one");
	expect_datagram(fd, "two");
	assert_int_equal(
	    recv(theirs[1], received, sizeof(received), MSG_DONTWAIT), -1);
	console.driver->exit(&console);
	for (low = 3; low < 64; low++)
		assert_true(fcntl(low, F_GETFD) >= 0);
	for (low = 3; low < 64; low++)
		close(low);
}

static void
test_syslog_too_large_datagram_is_refused(void **state)
{
	static char large[ROOM - LENGTH - 1];
	int fd;

	(void)state;
	fd = listen_unix();
	start(unix_target(), "");
	memset(large, 'l', sizeof(large) - 1);
	assert_int_equal(say(large), EMSGSIZE);
	assert_int_equal(say("small"), 0);
	expect_datagram(fd, "small");
	close(fd);
}

static void
test_syslog_parts_taken_are_not_sent_again(void **state)
{
	static const char frames[] = "00000003 one00000003 two";
	int fd = listen_unix(), fills = 0, taken;

	(void)state;
	start(unix_target(), "");
	while (say("fill") == 0)
		fills++;
	assert_int_equal(
	    write_until(frames, sizeof(frames) - 1, 0, NULL), -LPK_EAGAIN);
	/* Room for one of the two, and for what was under way. */
	expect_datagram(fd, "fill");
	expect_datagram(fd, "fill");
	taken = write_until(frames, sizeof(frames) - 1, 0, NULL);
	assert_int_equal(taken, LENGTH + 3);
	while (--fills > 0)
		expect_datagram(fd, "fill");
	assert_int_equal(write_until(frames + taken,
			     sizeof(frames) - 1 - (size_t)taken, 0, NULL),
	    LENGTH + 3);
	expect_datagram(fd, "one");
	expect_datagram(fd, "two");
	close(fd);
}

static int
listen_inet(int type, uint16_t *port)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET,
	    .sin_port = htons(*port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t bytes = sizeof(in);
	int one = 1, fd = socket(AF_INET, type, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &bytes), 0);
	*port = ntohs(in.sin_port);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void
start_inet(const char *protocol, uint16_t port, const char *words)
{
	char target[64];

	snprintf(target, sizeof(target), "%s:127.0.0.1:%u", protocol, port);
	start(target, words);
}

static void
test_syslog_udp_datagram_that_nobody_got_is_kept(void **state)
{
	uint16_t port = 0;
	int fd = listen_inet(SOCK_DGRAM, &port);

	(void)state;
	start_inet("udp", port, "");
	assert_int_equal(say("one"), 0);
	expect_datagram(fd, "one");
	close(fd);
	assert_int_equal(say("two"), ECONNREFUSED);
	assert_int_equal(say("two"), ECONNREFUSED);
	fd = listen_inet(SOCK_DGRAM, &port);
	assert_int_equal(say("two"), 0);
	expect_datagram(fd, "two");
	close(fd);
}

/* ---- TCP --------------------------------------------------------------- */

static void
expect_stream(int fd, const char *want)
{
	size_t length = strlen(want), have = 0;

	while (have < length) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t count;

		assert_int_equal(poll(&wait, 1, 30000), 1);
		count = recv(fd, received + have, length - have, 0);
		assert_true(count > 0);
		have += (size_t)count;
	}
	received[have] = '\0';
	assert_string_equal(received, want);
}

static void
expect_no_more(int fd)
{
	assert_int_equal(
	    recv(fd, received, sizeof(received), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Closing with something unread is what a receiver does that is killed. */
static void
close_unread(int fd)
{
	struct linger hard = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
}

static void
test_syslog_tcp_counts_octets(void **state)
{
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd;

	(void)state;
	start_inet("tcp", port, "");
	assert_int_equal(say("one"), 0);
	assert_int_equal(say("0123456789"), 0);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 one10 0123456789");
	expect_no_more(fd);
	close(fd);
	close(listener);
}

static void
test_syslog_tcp_receiver_gone_is_waited_for(void **state)
{
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd;

	(void)state;
	close(listener);
	start_inet("tcp", port, "");
	assert_int_equal(say("one"), ECONNREFUSED);
	listener = listen_inet(SOCK_STREAM, &port);
	assert_int_equal(say("one"), 0);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 one");
	expect_no_more(fd);
	close(fd);
	close(listener);
}

/* The name may also mean ::1, where nobody listens. */
static void
test_syslog_tcp_all_addresses_of_a_name_are_tried(void **state)
{
	struct addrinfo *found;
	uint16_t port = 0;
	char target[64];
	int listener, fd;

	(void)state;
	if (getaddrinfo("localhost", NULL, NULL, &found) != 0) {
		print_message("no localhost here: there is no /etc/hosts\n");
		skip();
	}
	freeaddrinfo(found);
	listener = listen_inet(SOCK_STREAM, &port);
	snprintf(target, sizeof(target), "tcp:localhost:%u", port);
	start(target, "");
	assert_int_equal(say("one"), 0);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 one");
	close(fd);
	close(listener);
}

static void
test_syslog_tcp_proper_end_repeats_nothing(void **state)
{
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd;

	(void)state;
	start_inet("tcp", port, "");
	assert_int_equal(say("one"), 0);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 one");
	close(fd);
	assert_int_equal(say("two"), 0);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 two");
	expect_no_more(fd);
	close(fd);
	close(listener);
}

static void
test_syslog_tcp_reset_repeats_what_may_be_lost(void **state)
{
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd;

	(void)state;
	start_inet("tcp", port, "");
	assert_int_equal(say("one"), 0);
	assert_int_equal(say("two"), 0);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 one");
	close_unread(fd);
	assert_int_equal(say("three"), 0);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 one3 two5 three");
	expect_no_more(fd);
	close(fd);
	close(listener);
}

static void
test_syslog_tcp_reset_without_resend_repeats_nothing(void **state)
{
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd;

	(void)state;
	start_inet("tcp", port, "resend=0");
	assert_int_equal(say("one"), 0);
	fd = accept(listener, NULL, NULL);
	close_unread(fd);
	assert_int_equal(say("two"), 0);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 two");
	expect_no_more(fd);
	close(fd);
	close(listener);
}

static void
test_syslog_tcp_resend_keeps_the_newest(void **state)
{
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd, i;
	char line[1001], *at;

	(void)state;
	start_inet("tcp", port, "resend=20K");
	fd = -1;
	memset(line, 'x', 1000);
	memcpy(line, "00", 2);
	line[1000] = '\0';
	for (i = 0; i < 100; i++) {
		line[2] = (char)('0' + i / 10);
		line[3] = (char)('0' + i % 10);
		assert_int_equal(say(line), 0);
		if (fd < 0)
			fd = accept(listener, NULL, NULL);
		at = received;
		while (at < received + 1005)
			at += recv(fd, at, (size_t)(received + 1005 - at), 0);
	}
	close_unread(fd);
	assert_int_equal(say("end"), 0);
	fd = accept(listener, NULL, NULL);
	/* At least 20 KiB of what went before, whole, and in order. */
	at = received;
	do {
		ssize_t count = recv(fd, at, (size_t)(received + ROOM - at), 0);

		assert_true(count > 0);
		at += count;
	} while (memcmp(at - 5, "3 end", 5) != 0);
	assert_int_equal((at - received - 5) % 1005, 0);
	assert_true(at - received - 5 >= 20 * 1024 - 1005);
	i = atoi(received + 5);
	assert_int_equal(i, 100 - (at - received - 5) / 1005);
	close(fd);
	close(listener);
}

/* As many messages as the connection takes; returns how many it took whole. */
static int
fill(const char *message)
{
	int count = 0;

	while (say(message) == 0)
		count++;
	return count;
}

static void
test_syslog_tcp_slow_reader_gets_every_byte_once(void **state)
{
	static char line[7001];
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd, count, i, error;
	size_t have, want;
	char *text;

	(void)state;
	start_inet("tcp", port, "");
	memset(line, 'z', sizeof(line) - 1);
	count = fill(line);
	fd = accept(listener, NULL, NULL);
	/* The one that is half way goes on when there is room. */
	want = ((size_t)count + 2) * 7005;
	text = malloc(want);
	for (have = 0, i = 0; have < want;) {
		ssize_t got = recv(fd, text + have, want - have, MSG_DONTWAIT);

		if (got > 0)
			have += (size_t)got;
		if (i < 2) {
			error = say(line);
			assert_true(error == 0 || error == EAGAIN);
			i += error == 0;
		}
	}
	for (have = 0; have < want; have += 7005) {
		assert_memory_equal(text + have, "7000 ", 5);
		assert_memory_equal(text + have + 5, line, 7000);
	}
	expect_no_more(fd);
	free(text);
	close(fd);
	close(listener);
}

static void
test_syslog_tcp_interrupted_frame_is_finished_before_a_panic(void **state)
{
	static char line[7001];
	static const char cry[] = "00000005 panic";
	struct lpk_batch batch = {
	    .bytes = cry,
	    .size_bytes = sizeof(cry) - 1,
	    .records = 1,
	    .level = LPK_EMERG,
	};
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd, count, taken;
	size_t have = 0, want;
	char *text;

	(void)state;
	start_inet("tcp", port, "");
	memset(line, 'z', sizeof(line) - 1);
	count = fill(line);
	fd = accept(listener, NULL, NULL);
	want = ((size_t)count + 1) * 7005 + 7;
	text = malloc(want);
	/* Nothing is taken of it before the frame that is under way. */
	errno = ENOTTY;
	assert_int_equal(
	    console.driver->write_on_panic(&console, &batch), -LPK_EAGAIN);
	assert_int_equal(errno, ENOTTY);
	do {
		ssize_t got = recv(fd, text + have, want - have, MSG_DONTWAIT);

		if (got > 0)
			have += (size_t)got;
		taken = console.driver->write_on_panic(&console, &batch);
	} while (taken == -LPK_EAGAIN);
	assert_int_equal(taken, sizeof(cry) - 1);
	while (have < want)
		have += (size_t)recv(fd, text + have, want - have, 0);
	assert_memory_equal(text + want - 7 - 7005, "7000 z", 6);
	assert_memory_equal(text + want - 7, "5 panic", 7);
	free(text);
	close(fd);
	close(listener);
}

static void
test_syslog_tcp_interrupted_frame_is_sent_whole_again(void **state)
{
	static char line[7001];
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd;

	(void)state;
	start_inet("tcp", port, "resend=0");
	memset(line, 'z', sizeof(line) - 1);
	fill(line);
	fd = accept(listener, NULL, NULL);
	close_unread(fd);
	assert_int_equal(say(line), 0);
	fd = accept(listener, NULL, NULL);
	snprintf(rendered, sizeof(rendered), "7000 %s", line);
	expect_stream(fd, rendered);
	expect_no_more(fd);
	close(fd);
	close(listener);
}

static void
test_syslog_tcp_after_a_takeover_a_new_connection_begins(void **state)
{
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd;

	(void)state;
	start_inet("tcp", port, "");
	assert_int_equal(say("one"), 0);
	fd = accept(listener, NULL, NULL);
	console.driver->zap_locks(&console);
	assert_int_equal(say("two"), 0);
	close(fd);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 two");
	close(fd);
	close(listener);
}

static void
test_syslog_tcp_child_has_a_connection_of_its_own(void **state)
{
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd, status;
	struct lpk_record record = record_of(2, 0);
	char want[64];
	pid_t child;

	(void)state;
	start_inet("tcp", port, "");
	assert_int_equal(say("one"), 0);
	fd = accept(listener, NULL, NULL);
	child = fork();
	if (child == 0) {
		/* It also says its own number. */
		snprintf(want, sizeof(want), " my_app %d net ", (int)getpid());
		_exit(strstr(frame_of(&record, "hi"), want) != NULL &&
			    say("two") == 0 ?
			0 :
			1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(say("three"), 0);
	expect_stream(fd, "3 one5 three");
	close(fd);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 two");
	close(fd);
	close(listener);
}

static void
test_syslog_reopen_connects_anew(void **state)
{
	uint16_t port = 0;
	int listener = listen_inet(SOCK_STREAM, &port), fd;

	(void)state;
	start_inet("tcp", port, "resend=0");
	assert_int_equal(say("one"), 0);
	console.driver->reopen(&console);
	assert_int_equal(say("two"), 0);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 one");
	close(fd);
	fd = accept(listener, NULL, NULL);
	expect_stream(fd, "3 two");
	close(fd);
	close(listener);
}

/* ---- words ------------------------------------------------------------- */

static void
test_syslog_bad_words_are_refused(void **state)
{
	static const char *const bad[][2] = {
	    {"", "tcp:"},
	    {"", "tcp::514"},
	    {"", "udp:::1"},
	    {"", "udp:[::1"},
	    {"", "udp:[::1]x"},
	    {"", "udp:host:"},
	    {"", "unix:relative"},
	    {"", "tls:host"},
	    {"format", "3165"},
	    {"facility", "local8"},
	    {"facility", "24"},
	    {"tag", ""},
	    {"tag", "0123456789012345678901234567890123456789012345678"},
	    {"pen", "0"},
	    {"pen", "4294967296"},
	    {"cap", "479"},
	    {"cap", "-1"},
	    {"cap", "8000x"},
	    {"resend", "2000M"},
	    {"bom", "maybe"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(option(bad[i][0], bad[i][1]), -LPK_EINVAL);
	assert_int_equal(option("colour", "red"), -LPK_ENOENT);
	assert_int_equal(option("", "udp:[::1]:514"), LPK_OK);
	assert_int_equal(option("", "tcp:log.example.net"), LPK_OK);
}

static void
test_syslog_name_of_nobody_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(option("", "udp:127.0.0.1:no-such-service"), LPK_OK);
	assert_int_equal(console.driver->setup(&console), -LPK_ENOENT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_syslog_unix_receiver_may_come_go_and_stop),
	    CASE(test_syslog_unread_datagrams_go_to_the_next_receiver),
	    CASE(test_syslog_descriptor_of_somebody_else_is_left_alone),
	    CASE(test_syslog_too_large_datagram_is_refused),
	    CASE(test_syslog_parts_taken_are_not_sent_again),
	    CASE(test_syslog_udp_datagram_that_nobody_got_is_kept),
	    CASE(test_syslog_tcp_counts_octets),
	    CASE(test_syslog_tcp_receiver_gone_is_waited_for),
	    CASE(test_syslog_tcp_all_addresses_of_a_name_are_tried),
	    CASE(test_syslog_tcp_proper_end_repeats_nothing),
	    CASE(test_syslog_tcp_reset_repeats_what_may_be_lost),
	    CASE(test_syslog_tcp_reset_without_resend_repeats_nothing),
	    CASE(test_syslog_tcp_resend_keeps_the_newest),
	    CASE(test_syslog_tcp_slow_reader_gets_every_byte_once),
	    CASE(test_syslog_tcp_interrupted_frame_is_finished_before_a_panic),
	    CASE(test_syslog_tcp_interrupted_frame_is_sent_whole_again),
	    CASE(test_syslog_tcp_after_a_takeover_a_new_connection_begins),
	    CASE(test_syslog_tcp_child_has_a_connection_of_its_own),
	    CASE(test_syslog_reopen_connects_anew),
	    CASE(test_syslog_bad_words_are_refused),
	    CASE(test_syslog_name_of_nobody_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
