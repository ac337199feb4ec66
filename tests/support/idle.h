/* SPDX-License-Identifier: MIT */
/*
 * idle.h - does a thread sleep? Counted by the kernel: how often it gave up
 * its CPU of its own accord.
 */
#ifndef TESTS_IDLE_H
#define TESTS_IDLE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Voluntary switches of a thread of this process; -1: there is none. */
static inline long
idle_switches(int tid)
{
	char path[64], text[128];
	long count = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	while (fgets(text, sizeof(text), file) != NULL) {
		if (strncmp(text, "voluntary_ctxt_switches:", 24) == 0)
			count = strtol(text + 24, NULL, 10);
	}
	fclose(file);
	return count;
}

/*
 * The thread of this process that was made last, and how many there are; a
 * sanitizer may have one of its own.
 */
static inline int
idle_threads(int *newest)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	int count = 0;

	*newest = 0;
	while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
		int number = atoi(entry->d_name);

		count += number > 0;
		if (number > *newest && number != getpid())
			*newest = number;
	}
	if (tasks != NULL)
		closedir(tasks);
	return count;
}

static inline int
idle_newest_thread(void)
{
	int newest;

	idle_threads(&newest);
	return newest;
}

/*
 * How often a thread wakes in one second, once it has come to rest; -1 if it
 * never does.
 */
static inline long
idle_wakeups_a_second(int tid)
{
	long before = -2, now;
	int tries;

	for (tries = 0; tries < 100; tries++) {
		now = idle_switches(tid);
		if (now == before) {
			sleep(1);
			return idle_switches(tid) - now;
		}
		before = now;
		usleep(100000);
	}
	return -1;
}

#endif /* TESTS_IDLE_H */
