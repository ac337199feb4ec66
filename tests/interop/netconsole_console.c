/* SPDX-License-Identifier: MIT */
/*
 * netconsole from end to end: consoles made of words, a receiver that knows what
 * the documentation of the kernel's netconsole says and no more. What it puts
 * together must be what a reader of the log sees, byte for byte.
 */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lpk/consoles.h>

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console *console;
static struct lpk_reader reader;
static struct got record;
static int receiver;
static char port[8];
static char whole[LPK_TEXT_MAX * 8];
static char want[LPK_TEXT_MAX * 8];

static int
setup(void **state)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	socklen_t bytes = sizeof(here);

	(void)state;
	log_ = small_log_make(&small, 65536, 8, 2);
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	receiver = socket(AF_INET, SOCK_DGRAM, 0);
	if (receiver < 0 ||
	    bind(receiver, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    getsockname(receiver, (struct sockaddr *)&here, &bytes) != 0)
		return -1;
	snprintf(port, sizeof(port), "%u", ntohs(here.sin_port));
	return lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(
	    lpk_console_unregister(console, lpk_now_ns() + 60000000000),
	    LPK_OK);
	lpk_console_free(console);
	close(receiver);
	small_log_free(&small);
	return 0;
}

static void
start(const char *options)
{
	char words[128], error[256] = "";

	snprintf(
	    words, sizeof(words), "netconsole:127.0.0.1:%s%s", port, options);
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK)
		fail_msg("%s: %s", words, error);
	console->log = log_;
	assert_int_equal(lpk_console_register(console), LPK_OK);
}

static void
flush(void)
{
	assert_int_equal(
	    lpk_console_flush(console, lpk_now_ns() + 60000000000), LPK_OK);
}

/* A message, of as many datagrams as it takes; its bytes, 0 if there is none. */
static size_t
receive(const char *release)
{
	size_t bytes = 0, at, total = 0, head;
	char datagram[2048], *field, *body;
	ssize_t count;

	do {
		count = recv(
		    receiver, datagram, sizeof(datagram) - 1, MSG_DONTWAIT);
		if (count < 0)
			return 0;
		assert_true(count <= 1000);
		datagram[count] = '\0';
		body = memchr(datagram, ';', (size_t)count);
		assert_non_null(body);
		assert_memory_equal(datagram, release, strlen(release));
		field = strstr(datagram, ",ncfrag=");
		head = (size_t)(body - datagram) - strlen(release);
		if (field == NULL || field > body) {
			bytes = (size_t)count - strlen(release);
			memcpy(whole, datagram + strlen(release), bytes);
			return bytes;
		}
		assert_int_equal(
		    sscanf(field, ",ncfrag=%zu/%zu;", &at, &total), 2);
		head = (size_t)(field - datagram) - strlen(release);
		if (at == 0) {
			memcpy(whole, datagram + strlen(release), head);
			whole[head] = ';';
			bytes = 0;
		}
		assert_int_equal(at, bytes);
		count -= body + 1 - datagram;
		assert_true(bytes + (size_t)count <= total);
		memcpy(whole + head + 1 + bytes, body + 1, (size_t)count);
		bytes += (size_t)count;
	} while (bytes < total);
	return head + 1 + total;
}

static void
expect_all(const char *release)
{
	size_t bytes;

	while (next(&reader, &record) == LPK_OK) {
		bytes = lpk_record_print(&record.record, record.text,
		    LPK_STYLE_KMSG, want, sizeof(want));
		assert_int_equal(receive(release), bytes);
		assert_memory_equal(whole, want, bytes);
	}
	assert_int_equal(receive(release), 0);
}

static void
log_some(const char *release)
{
	uint64_t seed = test_seed();
	char text[LPK_TEXT_MAX + 100];
	size_t i, bytes;
	int count;

	for (count = 0; count < 400; count++) {
		bytes = test_random(&seed) % (sizeof(text) - 1);
		for (i = 0; i < bytes; i++)
			text[i] = (char)(test_random(&seed) % 255 + 1);
		text[bytes] = '\0';
		if (count % 3 == 0)
			lpk_printk_kv(LPK_WARN,
			    LPK_KV("DEVICE", "+pci:0000:00:1f.2", "TEXT", text),
			    "count %d; of some", count);
		else
			lpk_err("%s", text);
		if (count % 4 == 0) {
			flush();
			expect_all(release);
		}
	}
	flush();
	expect_all(release);
}

static void
test_netconsole_extended_stream_is_put_together_byte_for_byte(void **state)
{
	(void)state;
	start(",format=extended");
	log_some("");
}

static void
test_netconsole_release_goes_in_front_of_each(void **state)
{
	(void)state;
	start(",format=extended,release=6.12.0-rc1+");
	log_some("6.12.0-rc1+,");
}

static void
test_netconsole_basic_stream_is_lines(void **state)
{
	struct lpk_console_stats stats;
	char text[LPK_TEXT_MAX], datagram[2048];
	size_t bytes;
	ssize_t count;
	int i;

	(void)state;
	start(",format=basic,style=caller");
	for (i = 0; i < 200; i++) {
		memset(text, 'a' + i % 26, sizeof(text));
		text[i * 5] = '\0';
		lpk_info("%s", text);
		flush();
		assert_int_equal(next(&reader, &record), LPK_OK);
		bytes = lpk_record_print(&record.record, record.text,
		    LPK_STYLE_CALLER, want, sizeof(want));
		count =
		    recv(receiver, datagram, sizeof(datagram), MSG_DONTWAIT);
		if (bytes > 1000)
			count += recv(receiver, datagram + count,
			    sizeof(datagram) - (size_t)count, MSG_DONTWAIT);
		assert_int_equal(count, bytes);
		assert_memory_equal(datagram, want, bytes);
	}
	lpk_console_stats(console, &stats);
	assert_int_equal(stats.printed, 200);
	assert_int_equal(stats.lost, 0);
}

static void
on_signal(int number)
{
	lpk_crit("signal %d", number);
}

static void
test_netconsole_direct_is_sent_when_the_call_returns(void **state)
{
	(void)state;
	start(",format=extended,mode=direct");
	lpk_info("before the call returns");
	expect_all("");
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	expect_all("");
}

static void
test_netconsole_level_of_the_console_leaves_the_rest_out(void **state)
{
	(void)state;
	start(",format=extended,level=err");
	lpk_info("not shown");
	lpk_err("shown");
	flush();
	assert_int_equal(next(&reader, &record), LPK_OK);
	expect_all("");
}

/* Lost records: the gap in the numbers says how many, exactly. */
static void
test_netconsole_gap_in_the_numbers_is_what_was_lost(void **state)
{
	struct lpk_console_stats stats;
	unsigned long long seq, before = 0, missing = 0, count = 0;
	int i;

	(void)state;
	start(",format=extended");
	lpk_info("first");
	flush();
	assert_int_equal(
	    lpk_console_suspend(console, lpk_now_ns() + 60000000000), LPK_OK);
	for (i = 0; i < 30000; i++)
		lpk_info("number %d", i);
	/* As many as a receive buffer surely holds. */
	assert_int_equal(lpk_console_set_level(console, LPK_INFO), LPK_OK);
	assert_int_equal(lpk_console_resume(console), LPK_OK);
	flush();
	assert_int_equal(lpk_console_set_level(console, 0), LPK_OK);
	lpk_info("last");
	flush();
	while (receive("") != 0) {
		assert_int_equal(sscanf(whole, "6,%llu,", &seq), 1);
		if (count++ != 0)
			missing += seq - before - 1;
		before = seq;
	}
	lpk_console_stats(console, &stats);
	assert_int_equal(count, 2);
	assert_true(stats.lost > 0);
	assert_int_equal(missing, stats.lost + stats.suppressed);
	assert_int_equal(stats.printed, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_netconsole_extended_stream_is_put_together_byte_for_byte),
	    CASE(test_netconsole_release_goes_in_front_of_each),
	    CASE(test_netconsole_basic_stream_is_lines),
	    CASE(test_netconsole_direct_is_sent_when_the_call_returns),
	    CASE(test_netconsole_level_of_the_console_leaves_the_rest_out),
	    CASE(test_netconsole_gap_in_the_numbers_is_what_was_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
