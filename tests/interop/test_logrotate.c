/* SPDX-License-Identifier: MIT */
/*
 * A file that the real logrotate(8) rotates a thousand times while three
 * threads log: no line is lost, torn, or out of order. Skipped where there is
 * no logrotate.
 */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>

enum { WRITERS = 3, ROTATIONS = 1000, BEHIND_MOST = 2000 };

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console *console;
static char folder[64], path[96];
static volatile bool stopping;
static unsigned long written[WRITERS];

/* As a program's handler of SIGHUP would. */
static void
on_hangup(int number)
{
	(void)number;
	lpk_console_reopen(console);
}

static int
remove_one(const char *name, const struct stat *at, int type, struct FTW *ftw)
{
	(void)at;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/lpk-logrotate-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/x.log", folder);
	log_ = small_log_make(&small, 65536, 32, 2);
	memset(written, 0, sizeof(written));
	stopping = false;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
start(void)
{
	char words[128], error[256] = "";

	snprintf(words, sizeof(words), "file:%s", path);
	assert_int_equal(
	    lpk_console_new(&console, words, error, sizeof(error)), LPK_OK);
	console->log = log_;
	assert_int_equal(lpk_console_register(console), LPK_OK);
}

/* What was logged is printed, or in the accounts. */
static uint64_t
stop(void)
{
	struct lpk_console_stats stats;

	assert_int_equal(lpk_console_unregister(console, UINT64_MAX), LPK_OK);
	lpk_console_stats(console, &stats);
	lpk_console_free(console);
	assert_int_equal(stats.refused, 0);
	return stats.lost;
}

/* As fast as it goes, but for the ring, which is not what is tested here. */
static void *
write_lines(void *argument)
{
	unsigned long *count = argument;
	unsigned int writer = (unsigned int)(count - written);
	struct lpk_console_stats stats;
	const struct timespec moment = {0, 1000000};

	while (!stopping) {
		lpk_info("writer %u line %lu end", writer, *count);
		++*count;
		if (*count % 16 != 0)
			continue;
		/* A busy machine has no use for all the lines there could be.*/
		do {
			nanosleep(&moment, NULL);
			lpk_console_stats(console, &stats);
		} while (stats.lag_records > BEHIND_MOST && !stopping);
	}
	return NULL;
}

static void
start_writers(pthread_t *threads)
{
	int i;

	for (i = 0; i < WRITERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, write_lines, &written[i]),
		    0);
}

static void
stop_writers(const pthread_t *threads)
{
	int i;

	stopping = true;
	for (i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
}

static void
configure(const char *options)
{
	char name[96];
	FILE *file;

	snprintf(name, sizeof(name), "%s/conf", folder);
	file = fopen(name, "w");
	assert_non_null(file);
	fprintf(file,
	    "%s {\n"
	    "\tsu root root\n"
	    "\trotate %d\n"
	    "\t%s\n"
	    "}\n",
	    path, ROTATIONS + 1, options);
	fclose(file);
	assert_int_equal(chmod(name, 0600), 0);
}

static void
rotate(void)
{
	char command[256];

	snprintf(command, sizeof(command),
	    "logrotate --force --state %s/state %s/conf", folder, folder);
	assert_int_equal(system(command), 0);
}

/* Bad lines, and how far each writer has come. */
struct check {
	unsigned long next[WRITERS];
	unsigned long bad;
	unsigned long missing;
	unsigned int files;
};

static void
check_line(struct check *check, const char *line)
{
	const char *text = strstr(line, "] writer ");
	unsigned long number;
	unsigned int writer;
	int end = 0;

	if (line[0] != '[' || text == NULL ||
	    sscanf(text, "] writer %u line %lu end\n%n", &writer, &number,
		&end) != 2 ||
	    end == 0 || text[end] != '\0' || writer >= WRITERS ||
	    number < check->next[writer]) {
		check->bad++;
		return;
	}
	check->missing += number - check->next[writer];
	check->next[writer] = number + 1;
}

static bool
check_file(struct check *check, int number)
{
	char name[128], line[256];
	FILE *file;

	snprintf(
	    name, sizeof(name), number == 0 ? "%s" : "%s.%d", path, number);
	file = fopen(name, "r");
	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL)
		check_line(check, line);
	fclose(file);
	return true;
}

static struct check
check_all(void)
{
	struct check check = {.files = 0};
	int number, i;

	for (number = ROTATIONS + 1; number >= 0; number--)
		check.files += check_file(&check, number);
	for (i = 0; i < WRITERS; i++)
		check.missing += written[i] - check.next[i];
	printf("%u files, %lu + %lu + %lu lines, %lu missing, %lu bad\n",
	    check.files, written[0], written[1], written[2], check.missing,
	    check.bad);
	return check;
}

static void
test_logrotate_reopen_loses_nothing_in_a_thousand_rotations(void **state)
{
	pthread_t threads[WRITERS];
	struct check check;
	char options[256];
	int i;

	(void)state;
	start();
	signal(SIGHUP, on_hangup);
	snprintf(options, sizeof(options),
	    "create 0640\n\tpostrotate\n\t\tkill -HUP %d\n\tendscript",
	    (int)getpid());
	configure(options);
	start_writers(threads);
	for (i = 0; i < ROTATIONS; i++)
		rotate();
	stop_writers(threads);
	signal(SIGHUP, SIG_IGN);
	assert_int_equal(stop(), 0);
	check = check_all();
	assert_int_equal(check.files, ROTATIONS + 1);
	assert_int_equal(check.missing, 0);
	assert_int_equal(check.bad, 0);
}

/* Nobody says a word; the console looks once a second. */
static void
test_logrotate_is_noticed_without_a_signal(void **state)
{
	const struct timespec wait = {0, 100000000};
	pthread_t threads[WRITERS];
	struct check check;
	struct stat at;
	int i;

	(void)state;
	start();
	configure("create 0640");
	start_writers(threads);
	for (i = 0; i < 3; i++) {
		rotate();
		do
			nanosleep(&wait, NULL);
		while (stat(path, &at) != 0 || at.st_size == 0);
	}
	stop_writers(threads);
	assert_int_equal(stop(), 0);
	check = check_all();
	assert_int_equal(check.files, 4);
	assert_int_equal(check.missing, 0);
	assert_int_equal(check.bad, 0);
}

/* Lines that come between its copy and its truncation are lost: see the page. */
static void
test_logrotate_copytruncate_goes_on_with_whole_lines(void **state)
{
	pthread_t threads[WRITERS];
	struct check check;
	struct stat at;
	int i;

	(void)state;
	start();
	configure("copytruncate");
	start_writers(threads);
	for (i = 0; i < 20; i++)
		rotate();
	stop_writers(threads);
	/* Ours are all written; what is missing logrotate has cut off. */
	assert_int_equal(stop(), 0);
	check = check_all();
	assert_int_equal(check.files, 21);
	/* No hole at the beginning: it is appended to. */
	assert_int_equal(stat(path, &at), 0);
	assert_true(at.st_size < 10 * 1024 * 1024);
	/* A copy may end in a line that was just growing. */
	assert_true(check.bad <= 2 * 21);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_logrotate_reopen_loses_nothing_in_a_thousand_rotations),
	    CASE(test_logrotate_is_noticed_without_a_signal),
	    CASE(test_logrotate_copytruncate_goes_on_with_whole_lines),
	};

	if (system("command -v logrotate >/dev/null") != 0) {
		printf("no logrotate here (apt: logrotate)\n");
		return 77;
	}
	if (geteuid() != 0) {
		printf("logrotate wants to be root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
