/* SPDX-License-Identifier: MIT */
/*
 * source_pid.c - the log of a living process. What needs the least right is
 * tried first: its descriptors, for which its user will do; the files that it
 * has mapped; its memory itself, which may need the right to trace it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"
#include "tool.h"

/* Where a log that was never moved begins: at a page of the program's data. */
#define PAGE 4096u
#define MAPPING_MAX (UINT64_C(1) << 28)

/* Open what a link of /proc leads to, if it is an image. */
static bool
add_link(struct sources *sources, const char *path, const char *name)
{
	struct stat status;
	int fd;

	/* Not open(2) at once: of a device or a pipe that has effects. */
	if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
		return false;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (!source_add(sources, name, fd, 0, (uint64_t)status.st_size))
		return false;
	if (source_has_magic(&sources->source[sources->count - 1]))
		return true;
	close(fd);
	sources->count--;
	return false;
}

/* The links of a folder of /proc. */
static bool
add_links(struct sources *sources, pid_t pid, const char *folder)
{
	char path[64], link[384], name[64];
	struct dirent *entry;
	bool found = false;
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, folder);
	snprintf(name, sizeof(name), "process %ld", (long)pid);
	list = opendir(path);
	if (list == NULL)
		return false;
	while ((entry = readdir(list)) != NULL && !found) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		found = add_link(sources, link, name);
	}
	closedir(list);
	return found;
}

/* A mapping whose memory may hold a log; the magic is at one of its pages. */
static bool
add_mapping(struct sources *sources, int fd, const char *name, uint64_t begin,
    uint64_t end)
{
	struct source look = {.fd = fd};
	int own;

	for (; begin < end; begin += PAGE) {
		look.base = begin;
		look.bytes = end - begin;
		if (!source_has_magic(&look))
			continue;
		own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		return own >= 0 &&
		    source_add(sources, name, own, begin, end - begin);
	}
	return false;
}

static bool
add_memory(struct sources *sources, pid_t pid)
{
	char path[64], name[64], line[512], rights[8];
	uint64_t begin, end;
	bool found = false;
	FILE *maps;
	int fd;

	snprintf(name, sizeof(name), "process %ld", (long)pid);
	snprintf(path, sizeof(path), "/proc/%ld/mem", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	maps = fopen(path, "re");
	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &begin, &end,
			rights) != 3 ||
		    rights[0] != 'r' || rights[1] != 'w' ||
		    end - begin > MAPPING_MAX)
			continue;
		if (add_mapping(sources, fd, name, begin, end))
			found = true;
	}
	if (maps != NULL)
		fclose(maps);
	close(fd);
	return found;
}

bool
source_add_pid(struct sources *sources, pid_t pid)
{
	unsigned int first;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	if (access(path, F_OK) != 0) {
		complain("process %ld: there is none", (long)pid);
		return false;
	}
	first = sources->count;
	if (add_links(sources, pid, "fd") ||
	    add_links(sources, pid, "map_files") || add_memory(sources, pid)) {
		while (first < sources->count)
			sources->source[first++].pid = pid;
		return true;
	}
	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	if (access(path, R_OK | X_OK) != 0)
		complain("process %ld: %s", (long)pid, strerror(errno));
	else
		complain("process %ld: no log was found in it", (long)pid);
	return false;
}
