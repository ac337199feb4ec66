/* SPDX-License-Identifier: MIT */
/*
 * The consoles ram and null beside each other, under load: what is read from
 * memory is whole lines, and the newest; what was in a file's memory outlives a
 * process that is killed; the accounts close.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/log.h>
#include <lpk/printk.h>

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
			    __LINE__, #what);                                  \
			_exit(1);                                              \
		}                                                              \
	} while (0)

enum { THREADS = 4, MESSAGES = 20000, READS = 200 };

static const uint64_t minute_ns = 60000000000;
static char text[65536 + 1];

static struct lpk_console *
start(const char *words)
{
	struct lpk_console *console;
	char error[256] = "";

	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK)
		fprintf(stderr, "%s: %s\n", words, error);
	CHECK(error[0] == '\0');
	CHECK(lpk_console_register(console) == LPK_OK);
	return console;
}

static void
stop(struct lpk_console *console)
{
	CHECK(lpk_console_unregister(console, lpk_now_ns() + minute_ns) ==
	    LPK_OK);
	lpk_console_free(console);
}

static void *
log_messages(void *argument)
{
	int thread = *(int *)argument, i;

	for (i = 0; i < MESSAGES; i++)
		lpk_info("thread %d message %d ends", thread, i);
	return NULL;
}

/* Lines of two kinds, whole ones, each thread's in order. */
static void
check_lines(void)
{
	int last[THREADS] = {-1, -1, -1, -1}, thread, number;
	char *line, *end, word[8];

	for (line = text; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		CHECK(end != NULL);
		*end = '\0';
		if (strncmp(line, "** ", 3) == 0)
			continue;
		CHECK(line[0] == '[' && strstr(line, "] ") != NULL);
		CHECK(sscanf(strstr(line, "] ") + 2, "thread %d message %d %5s",
			  &thread, &number, word) == 3);
		CHECK(strcmp(word, "ends") == 0);
		CHECK(thread >= 0 && thread < THREADS);
		CHECK(number > last[thread]);
		last[thread] = number;
	}
}

static void
under_load(const char *words)
{
	struct lpk_console *ram = start(words),
			   *null = start("null,start=next");
	struct lpk_console_stats of_ram, of_null;
	pthread_t threads[THREADS];
	int numbers[THREADS], i;

	for (i = 0; i < THREADS; i++) {
		numbers[i] = i;
		CHECK(pthread_create(
			  &threads[i], NULL, log_messages, &numbers[i]) == 0);
	}
	for (i = 0; i < READS; i++) {
		CHECK(lpk_ram_read(ram, text, sizeof(text)) >= 0);
		check_lines();
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(lpk_flush(lpk_now_ns() + minute_ns, NULL) == LPK_OK);
	lpk_console_stats(ram, &of_ram);
	lpk_console_stats(null, &of_null);
	CHECK(of_ram.printed + of_ram.suppressed + of_ram.lost ==
	    of_null.printed + of_null.suppressed + of_null.lost);
	CHECK(of_ram.bytes != 0 && of_null.bytes != 0);
	lpk_info("thread %d message %d ends", 0, MESSAGES);
	CHECK(lpk_ram_read(ram, text, sizeof(text)) > 0);
	CHECK(strstr(text, "thread 0 message 20000 ends\n") != NULL);
	stop(ram);
	stop(null);
}

static void
suspended_stays_so(void)
{
	struct lpk_console *ram = start("ram:1K,start=next");
	struct lpk_console_stats stats;

	lpk_info("before");
	CHECK(lpk_console_suspend(ram, lpk_now_ns() + minute_ns) == LPK_OK);
	lpk_info("later");
	CHECK(lpk_ram_read(ram, text, sizeof(text)) > 0);
	CHECK(strstr(text, "] before\n") != NULL);
	CHECK(strstr(text, "later") == NULL);
	lpk_console_stats(ram, &stats);
	CHECK(stats.state == LPK_CONSOLE_SUSPENDED);
	CHECK(lpk_console_resume(ram) == LPK_OK);
	CHECK(lpk_ram_read(ram, text, sizeof(text)) > 0);
	CHECK(strstr(text, "] later\n") != NULL);
	stop(ram);
}

static void
killed(void)
{
	char path[] = "/tmp/lpk-ram-XXXXXX", words[128];
	struct lpk_console *ram;
	pid_t child;
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	snprintf(words, sizeof(words), "ram:4K,start=next,file=%s", path);
	child = fork();
	if (child == 0) {
		lpk_consoles_restart();
		ram = start(words);
		lpk_info("last words");
		lpk_console_flush(ram, UINT64_MAX);
		raise(SIGKILL);
	}
	CHECK(waitpid(child, NULL, 0) == child);
	ram = start(words);
	lpk_info("next life");
	CHECK(lpk_ram_read(ram, text, sizeof(text)) > 0);
	CHECK(strstr(text, "] last words\n[") != NULL);
	CHECK(strstr(text, "] next life\n") != NULL);
	stop(ram);
	unlink(path);
}

int
main(void)
{
	unsetenv("LPK_CONSOLE");
	killed();
	under_load("ram:64K,start=next");
	under_load("ram:300,start=next");
	under_load("ram:64K,start=next,mode=direct");
	suspended_stays_so();
	return 0;
}
