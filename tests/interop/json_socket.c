/* SPDX-License-Identifier: MIT */
/*
 * The json console and a receiver on a Unix socket that goes away all the time,
 * in the middle of a line as often as not. Each connection begins with a whole
 * line, the numbers of the records only grow, and what is logged last arrives.
 */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <lpk/consoles.h>

#include "lpk_atomic.h"

#define CONNECTIONS 60
#define BYTES_MAX 199999

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console *console;
static char folder[64] = "/tmp/lpk-json-XXXXXX";
static char name[80];
static int listener;

/* What the receiver made of it. */
static unsigned long long last_seq;
static int records, connections;
static bool good = true;
static unsigned long got_last;

static int
setup(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)state;
	log_ = small_log_make(&small, 65536, 8, 2);
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(name, sizeof(name), "%s/socket", folder);
	strcpy(at.sun_path, name);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(listener, 1) != 0;
}

static int
teardown(void **state)
{
	(void)state;
	close(listener);
	unlink(name);
	rmdir(folder);
	small_log_free(&small);
	return 0;
}

/* One line that came whole. */
static void
look_at(const char *line)
{
	const char *seq = strstr(line, ",\"seq\":");
	unsigned long long number;

	if (strncmp(line, "{\"ts\":\"", 7) != 0 ||
	    line[strlen(line) - 1] != '}') {
		printf("connection %d: %s\n", connections, line);
		good = false;
	}
	if (seq == NULL)
		return; /* a notice */
	number = strtoull(seq + 7, NULL, 10);
	if (records++ != 0 && number <= last_seq) {
		printf("%llu comes after %llu\n", number, last_seq);
		good = false;
	}
	last_seq = number;
	if (strstr(line, "\"msg\":\"the last one\"") != NULL)
		lpk_store_relaxed(&got_last, 1);
}

/* So many bytes of a connection, or all of the last one. */
static void
serve(int fd, size_t most)
{
	static char bytes[BYTES_MAX + 1];
	size_t used = 0;
	ssize_t count;
	char *line, *end;

	while (lpk_load_relaxed(&got_last) == 0 && used < most &&
	    (count = read(fd, bytes + used, most - used)) > 0) {
		used += (size_t)count;
		bytes[used] = '\0';
		for (line = bytes; (end = strchr(line, '\n')) != NULL;
		     line = end + 1) {
			*end = '\0';
			look_at(line);
		}
		/* The rest of it is looked at when it is whole. */
		most -= (size_t)(line - bytes);
		used -= (size_t)(line - bytes);
		memmove(bytes, line, used + 1);
	}
}

static void *
receive(void *unused)
{
	uint64_t seed = test_seed();

	while (lpk_load_relaxed(&got_last) == 0) {
		int fd = accept(listener, NULL, NULL);

		serve(fd,
		    connections < CONNECTIONS ? test_random(&seed) % 60000 + 1 :
						BYTES_MAX);
		close(fd);
		connections++;
	}
	return unused;
}

static void
test_json_receiver_that_goes_away_gets_whole_lines(void **state)
{
	struct lpk_console_stats stats;
	char words[128], error[256] = "", text[300];
	pthread_t thread;
	int i;

	(void)state;
	snprintf(words, sizeof(words), "json:unix:%s", name);
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK)
		fail_msg("%s", error);
	console->log = log_;
	assert_int_equal(lpk_console_register(console), LPK_OK);
	assert_int_equal(pthread_create(&thread, NULL, receive, NULL), 0);
	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (i = 0; i < 20000; i++) {
		lpk_info("%d %s", i, text);
		/* Some of it is lost; not all the time. */
		if (i % 100 == 99)
			usleep(2000);
	}
	lpk_info("the last one");
	assert_int_equal(
	    lpk_console_flush(console, lpk_now_ns() + 120000000000), LPK_OK);
	/* What a peer had not read is gone, and is not sent again. */
	while (lpk_load_relaxed(&got_last) == 0) {
		lpk_info("the last one");
		usleep(1000);
	}
	pthread_join(thread, NULL);
	lpk_console_stats(console, &stats);
	assert_int_equal(
	    lpk_console_unregister(console, lpk_now_ns() + 10000000000),
	    LPK_OK);
	lpk_console_free(console);
	printf("%d connections, %d records, %llu lost by us\n", connections,
	    records, (unsigned long long)stats.lost);
	assert_true(good);
	assert_true(connections > 10);
	assert_true(records > 100);
	assert_int_equal(stats.refused, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_json_receiver_that_goes_away_gets_whole_lines, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
