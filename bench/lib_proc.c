/* SPDX-License-Identifier: MIT */
/*
 * lib_proc.c - /proc.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib_proc.h"

/* What stands behind ") " in its stat; false when it is gone. */
static int
read_stat(pid_t process, pid_t *parent, uint64_t *ticks)
{
	unsigned long long user, system;
	char path[64], line[1024], *at;
	FILE *file;
	int id;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)process);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	at = fgets(line, sizeof(line), file);
	fclose(file);
	at = at != NULL ? strrchr(line, ')') : NULL;
	if (at == NULL ||
	    sscanf(at, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
		&id, &user, &system) != 3)
		return 0;
	*parent = id;
	*ticks = user + system;
	return 1;
}

static uint64_t
task_switches(const char *path)
{
	unsigned long long count, sum = 0;
	char line[256];
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &count) == 1)
			sum += count;
	}
	fclose(file);
	return sum;
}

static uint64_t
process_switches(pid_t process, pid_t except)
{
	struct dirent *entry;
	uint64_t sum = 0;
	char path[320];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)process);
	tasks = opendir(path);
	if (tasks == NULL)
		return 0;
	while ((entry = readdir(tasks)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    atoi(entry->d_name) == except)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status",
		    (int)process, entry->d_name);
		sum += task_switches(path);
	}
	closedir(tasks);
	return sum;
}

/* Add up over @process and the processes that it started. */
static void
sum_up(pid_t process, pid_t except, uint64_t *ticks, uint64_t *switches)
{
	DIR *all = opendir("/proc");
	struct dirent *entry;
	uint64_t own;
	pid_t parent, id;

	while (all != NULL && (entry = readdir(all)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		id = atoi(entry->d_name);
		if (!read_stat(id, &parent, &own) ||
		    (id != process && parent != process))
			continue;
		*ticks += own;
		if (switches != NULL)
			*switches += process_switches(id, except);
	}
	if (all != NULL)
		closedir(all);
}

uint64_t
bench_proc_cpu_ns(pid_t process)
{
	uint64_t ticks = 0;

	sum_up(process, 0, &ticks, NULL);
	return ticks * (uint64_t)(1000000000 / sysconf(_SC_CLK_TCK));
}

uint64_t
bench_proc_switches(pid_t process, pid_t except)
{
	uint64_t ticks = 0, switches = 0;

	sum_up(process, except, &ticks, &switches);
	return switches;
}
