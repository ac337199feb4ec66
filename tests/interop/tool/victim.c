/* SPDX-License-Identifier: MIT */
/*
 * victim.c - what the tests of lpk watch, stat, level and run do things to.
 *
 *   victim say WORD... die HOW    logs the words, then
 *     kill, segv, abort           ... dies of that signal
 *     exit N                      ... ends so
 *     child                       ... so does a child of a fork, killed; 0
 *     hang                        ... waits for a lock for ever
 *     read                        ... says "ready PID" and logs what it reads
 *     stop                        ... says "ready PID" and sleeps for ever
 *
 * It calls lpk_init() when INIT is in the environment.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/hosted.h>
#include <lpk/init.h>
#include <lpk/printk.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
ready(void)
{
	printf("ready %ld\n", (long)getpid());
	fflush(stdout);
}

static int
read_lines(void)
{
	char line[512];

	ready();
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "err ", 4) == 0)
			lpk_err("read: %s", line + 4);
		else
			lpk_info("read: %s", line);
	}
	return 0;
}

static int
child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		lpk_info("the child's word");
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
	return 0;
}

static int
die(const char *how, const char *argument)
{
	static volatile int *volatile nowhere;

	if (strcmp(how, "kill") == 0)
		raise(SIGKILL);
	if (strcmp(how, "segv") == 0)
		*nowhere = 1;
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "exit") == 0)
		return atoi(argument);
	if (strcmp(how, "child") == 0)
		return child();
	if (strcmp(how, "read") == 0)
		return read_lines();
	ready();
	if (strcmp(how, "hang") == 0) {
		pthread_mutex_lock(&lock);
		pthread_mutex_lock(&lock);
	}
	for (;;)
		pause();
}

int
main(int argc, char **argv)
{
	int i;

	if (getenv("INIT") != NULL && lpk_init(NULL) != LPK_OK)
		return 77;
	for (i = 2; i < argc && strcmp(argv[i], "die") != 0; i++)
		lpk_info("said: %s", argv[i]);
	return i + 1 < argc ? die(argv[i + 1], argv[i + 2]) : 0;
}
