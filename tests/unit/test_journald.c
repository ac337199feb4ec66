/* SPDX-License-Identifier: MIT */
/* The console on the journal: what it sends, and what it does when it cannot. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/port.h>

enum { ROOM = 65536 };

static struct lpk_console console;
static char folder[] = "/tmp/lpk-journald-XXXXXX";
static struct sockaddr_un address;
static int journal; /* the receiver's end */
static char rendered[ROOM];
static char received[4 * 1024 * 1024];

static void
listen_here(void)
{
	unlink(address.sun_path);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(
	    bind(journal, (struct sockaddr *)&address, sizeof(address)), 0);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	address.sun_family = AF_UNIX;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/j", folder);
	listen_here();
	memset(&console, 0, sizeof(console));
	console.driver = &lpk_journald_driver;
	console.device = calloc(1, lpk_journald_driver.device_bytes);
	assert_int_equal(
	    console.driver->option(&console, "", address.sun_path), LPK_OK);
	assert_int_equal(
	    console.driver->option(&console, "tag", "tester"), LPK_OK);
	assert_int_equal(console.driver->setup(&console), LPK_OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	console.driver->exit(&console);
	free(console.device);
	close(journal);
	unlink(address.sun_path);
	rmdir(folder);
	return 0;
}

/* A record whose key/values follow its text, each with a NUL. */
static struct lpk_record
record_of(const char *text, uint32_t kv_bytes)
{
	return (struct lpk_record){
	    .seq = 42,
	    .time_ns = 5123456789,
	    .realtime_ns = UINT64_C(951825600123456789), /* a leap day */
	    .caller = 1234,
	    .text_bytes = (uint32_t)strlen(text),
	    .kv_bytes = kv_bytes,
	    .level = LPK_WARN,
	    .thread = "worker",
	    .line = 77,
	    .subsystem = "net",
	    .file = "net.c",
	    .function = "link_up",
	};
}

static size_t
render(const struct lpk_record *record, const char *text)
{
	return console.driver->render(
	    &console, record, text, rendered, sizeof(rendered));
}

static int
write_now(const char *bytes, size_t count, int *error)
{
	struct lpk_batch batch = {
	    .bytes = bytes,
	    .size_bytes = count,
	    .records = 1,
	    .deadline_ns = lpk_now_ns() + 20000000,
	};
	int taken = console.driver->write(&console, &batch);

	if (error != NULL)
		*error = batch.error;
	return taken;
}

static void
expect_bytes(const char *got, size_t got_bytes, const char *want, size_t bytes)
{
	assert_int_equal(got_bytes, bytes);
	assert_memory_equal(got, want, bytes);
}

static void
test_journald_record_becomes_fields(void **state)
{
	static const char text[] = "link up\0IFNAME=eth0\0SPEED=1000";
	static const char want[] =
	    "PRIORITY=4\nMESSAGE=link up\nSYSLOG_IDENTIFIER=tester\n"
	    "LPK_SEQ=42\nLPK_MONOTONIC_USEC=5123456\n"
	    "SYSLOG_TIMESTAMP=2000-02-29T12:00:00.123456Z\n"
	    "LPK_CALLER=T1234\nLPK_THREAD=worker\nLPK_SUBSYSTEM=net\n"
	    "CODE_FILE=net.c\nCODE_LINE=77\nCODE_FUNC=link_up\n"
	    "IFNAME=eth0\nSPEED=1000\n";
	struct lpk_record record =
	    record_of(text, sizeof(text) - sizeof("link up"));
	size_t bytes = render(&record, text);

	(void)state;
	expect_bytes(rendered, bytes, want, sizeof(want) - 1);
	assert_int_equal(write_now(rendered, bytes, NULL), bytes);
	expect_bytes(received,
	    (size_t)recv(journal, received, sizeof(received), 0), want,
	    sizeof(want) - 1);
}

static void
test_journald_lines_of_a_text_arrive_with_their_length(void **state)
{
	static const char text[] = "two\nlines\0KEY=a\nb";
	static const char want[] = "MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n";
	static const char pair[] = "KEY\n\x03\0\0\0\0\0\0\0a\nb\n";
	struct lpk_record record =
	    record_of(text, sizeof(text) - sizeof("two\nlines"));
	size_t bytes = render(&record, text);

	(void)state;
	assert_memory_equal(rendered + 11, want, sizeof(want) - 1);
	expect_bytes(rendered + bytes - (sizeof(pair) - 1), sizeof(pair) - 1,
	    pair, sizeof(pair) - 1);
}

static void
test_journald_keys_become_names_that_it_accepts(void **state)
{
	static const char text[] =
	    "\0lower=1\0_OWN=2\09X=3\0A-B C=4\0=5\0NOVALUE";
	static const char want[] = "\nLOWER=1\nX_OWN=2\nX9X=3\nA_B_C=4\nX=5\n";
	struct lpk_record record = record_of(text, sizeof(text) - 1);
	size_t bytes = render(&record, text);

	(void)state;
	expect_bytes(rendered + bytes - (sizeof(want) - 1), sizeof(want) - 1,
	    want, sizeof(want) - 1);
}

static void
test_journald_long_key_is_cut_at_64(void **state)
{
	char text[128] = "";
	struct lpk_record record = record_of("", 103);
	size_t bytes;

	(void)state;
	memset(text + 1, 'K', 100);
	strcpy(text + 101, "=v");
	bytes = render(&record, text);
	assert_memory_equal(rendered + bytes - 68, "\nKKKK", 5);
	assert_memory_equal(rendered + bytes - 4, "K=v\n", 4);
}

static void
test_journald_unknown_facts_are_left_out(void **state)
{
	struct lpk_record record = {
	    .level = LPK_INFO, .caller = LPK_CALLER_HANDLER | 7, .facility = 3};
	static const char want[] =
	    "PRIORITY=6\nMESSAGE=\nSYSLOG_IDENTIFIER=tester\nLPK_SEQ=0\n"
	    "SYSLOG_FACILITY=3\nLPK_MONOTONIC_USEC=0\nLPK_CALLER=S7\n";

	(void)state;
	expect_bytes(rendered, render(&record, ""), want, sizeof(want) - 1);
}

static void
test_journald_notice_is_no_record(void **state)
{
	struct lpk_record record = record_of("9 dropped", 0);
	static const char want[] = "PRIORITY=4\nMESSAGE=9 dropped\n"
				   "SYSLOG_IDENTIFIER=tester\nLPK_NOTICE=1\n";

	(void)state;
	record.flags = LPK_RECORD_NOTICE;
	expect_bytes(
	    rendered, render(&record, "9 dropped"), want, sizeof(want) - 1);
}

static void
test_journald_small_buffer_gets_the_beginning(void **state)
{
	struct lpk_record record = record_of("some text", 0);
	char small[32];
	size_t bytes = render(&record, "some text");

	(void)state;
	memset(small, '#', sizeof(small));
	assert_int_equal(
	    console.driver->render(&console, &record, "some text", small, 30),
	    bytes);
	assert_memory_equal(small, rendered, 30);
	assert_memory_equal(small + 30, "##", 2);
}

static void
test_journald_stopped_receiver_is_not_waited_for(void **state)
{
	int error = 0, sent = 0, i, taken;

	(void)state;
	while ((taken = write_now("MESSAGE=x\n", 10, &error)) == 10)
		sent++;
	assert_int_equal(taken, -LPK_EAGAIN);
	assert_int_equal(error, EAGAIN);
	assert_true(sent > 0);
	/* When it reads again, it gets the next one too. */
	for (i = 0; i < sent; i++)
		assert_int_equal(
		    recv(journal, received, sizeof(received), 0), 10);
	assert_int_equal(write_now("MESSAGE=y\n", 10, NULL), 10);
	assert_int_equal(recv(journal, received, sizeof(received), 0), 10);
	assert_memory_equal(received, "MESSAGE=y\n", 10);
}

static void
test_journald_new_receiver_is_found(void **state)
{
	int error = 0;

	(void)state;
	close(journal);
	assert_int_equal(write_now("MESSAGE=1\n", 10, &error), -LPK_EAGAIN);
	assert_int_equal(error, ECONNREFUSED);
	unlink(address.sun_path);
	assert_int_equal(write_now("MESSAGE=1\n", 10, &error), -LPK_EAGAIN);
	assert_int_equal(error, ENOENT);
	listen_here();
	assert_int_equal(write_now("MESSAGE=1\n", 10, NULL), 10);
	assert_int_equal(recv(journal, received, sizeof(received), 0), 10);
	/* The next one replaces it while we are connected. */
	close(journal);
	listen_here();
	assert_int_equal(write_now("MESSAGE=2\n", 10, NULL), 10);
	assert_int_equal(recv(journal, received, sizeof(received), 0), 10);
	assert_memory_equal(received, "MESSAGE=2\n", 10);
}

static void
test_journald_descriptor_of_somebody_else_is_left_alone(void **state)
{
	int theirs[2], low;

	(void)state;
	assert_int_equal(write_now("MESSAGE=1\n", 10, NULL), 10);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, theirs), 0);
	/* What a daemon does, and then opens sockets of its own. */
	for (low = 3; low < 64; low++) {
		if (low != journal && low != theirs[0] && low != theirs[1])
			dup2(theirs[0], low);
	}
	assert_int_equal(write_now("MESSAGE=2\n", 10, NULL), 10);
	assert_int_equal(recv(journal, received, sizeof(received), 0), 10);
	assert_int_equal(recv(journal, received, sizeof(received), 0), 10);
	assert_memory_equal(received, "MESSAGE=2\n", 10);
	assert_int_equal(
	    recv(theirs[1], received, sizeof(received), MSG_DONTWAIT), -1);
	console.driver->exit(&console);
	for (low = 3; low < 64; low++)
		assert_true(fcntl(low, F_GETFD) >= 0);
	for (low = 3; low < 64; low++) {
		if (low != journal)
			close(low);
	}
}

/* What a large entry's datagram carries: a descriptor. */
static int
receive_descriptor(void)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {received, sizeof(received)};
	struct msghdr message = {
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;
	int fd;

	assert_int_equal(recvmsg(journal, &message, 0), 0);
	head = CMSG_FIRSTHDR(&message);
	assert_non_null(head);
	assert_int_equal(head->cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd;
}

static void
test_journald_large_entry_arrives_in_a_sealed_file(void **state)
{
	enum { BYTES = 2 * 1024 * 1024 };
	char *large = malloc(BYTES);
	int fd;

	(void)state;
	memset(large, 'm', BYTES);
	memcpy(large, "MESSAGE=", 8);
	large[BYTES - 1] = '\n';
	assert_int_equal(write_now(large, BYTES, NULL), BYTES);
	fd = receive_descriptor();
	assert_int_equal(fcntl(fd, F_GET_SEALS),
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	expect_bytes(received, (size_t)pread(fd, received, sizeof(received), 0),
	    large, BYTES);
	close(fd);
	free(large);
}

static void
test_journald_panic_leaves_errno_alone(void **state)
{
	struct lpk_batch batch = {.bytes = "MESSAGE=1\n", .size_bytes = 10};

	(void)state;
	close(journal);
	errno = ENOTTY;
	assert_int_equal(
	    console.driver->write_on_panic(&console, &batch), -LPK_EAGAIN);
	assert_int_equal(errno, ENOTTY);
	listen_here();
	assert_int_equal(console.driver->write_on_panic(&console, &batch), 10);
}

static void
test_journald_bad_words_are_refused(void **state)
{
	char tag[256];

	(void)state;
	memset(tag, 't', sizeof(tag) - 1);
	tag[sizeof(tag) - 1] = '\0';
	assert_int_equal(
	    console.driver->option(&console, "", "relative"), -LPK_EINVAL);
	assert_int_equal(
	    console.driver->option(&console, "tag", tag), -LPK_EINVAL);
	assert_int_equal(
	    console.driver->option(&console, "tag", ""), -LPK_EINVAL);
	assert_int_equal(
	    console.driver->option(&console, "colour", "x"), -LPK_ENOENT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_journald_record_becomes_fields),
	    CASE(test_journald_lines_of_a_text_arrive_with_their_length),
	    CASE(test_journald_keys_become_names_that_it_accepts),
	    CASE(test_journald_long_key_is_cut_at_64),
	    CASE(test_journald_unknown_facts_are_left_out),
	    CASE(test_journald_notice_is_no_record),
	    CASE(test_journald_small_buffer_gets_the_beginning),
	    CASE(test_journald_stopped_receiver_is_not_waited_for),
	    CASE(test_journald_new_receiver_is_found),
	    CASE(test_journald_descriptor_of_somebody_else_is_left_alone),
	    CASE(test_journald_large_entry_arrives_in_a_sealed_file),
	    CASE(test_journald_panic_leaves_errno_alone),
	    CASE(test_journald_bad_words_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
