/* SPDX-License-Identifier: MIT */
/*
 * lib_machine.c - what this machine allows.
 */
#include "crash.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char group[128];

const char *
lpk_path(void)
{
	static char path[512];
	const char *build = getenv("LPK_BUILD"), *lpk = getenv("LPK_TOOL");

	if (lpk != NULL)
		return lpk;
	snprintf(path, sizeof(path), "%s/lpk", build != NULL ? build : "build");
	return path;
}

static bool
put(const char *name, const char *text)
{
	char path[256];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", group, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return good;
}

static bool
make_group(const char *above, const char *limit)
{
	snprintf(group, sizeof(group), "%s/lpk-crash-%d", above, (int)getpid());
	if (mkdir(group, 0700) != 0) {
		group[0] = '\0';
		return false;
	}
	if (put(limit, "67108864"))
		return true;
	cgroup_leave();
	return false;
}

/* The first, or the second, kind of control groups. */
const char *
no_cgroup(void)
{
	if (group[0] != '\0' ||
	    make_group("/sys/fs/cgroup/memory", "memory.limit_in_bytes") ||
	    make_group("/sys/fs/cgroup", "memory.max")) {
		put("memory.swap.max", "0");
		put("memory.swappiness", "0");
		return NULL;
	}
	return "no control group for memory can be made here";
}

void
cgroup_enter(void)
{
	if (!put("cgroup.procs", "0"))
		_exit(99);
}

void
cgroup_leave(void)
{
	int tries;

	for (tries = 0; tries < 100 && group[0] != '\0'; tries++) {
		if (rmdir(group) == 0)
			group[0] = '\0';
		else
			usleep(10000);
	}
}

const char *
no_namespace(void)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWPID) != 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return "no namespace of processes can be made here";
	return NULL;
}

/* Cores are written into the folder of the process, by the kernel. */
const char *
no_cores(void)
{
	char pattern[128] = "";
	FILE *file = fopen("/proc/sys/kernel/core_pattern", "r");

	if (file != NULL) {
		if (fgets(pattern, sizeof(pattern), file) == NULL)
			pattern[0] = '\0';
		fclose(file);
	}
	return strncmp(pattern, "core", 4) == 0 ?
	    NULL :
	    "cores go elsewhere (/proc/sys/kernel/core_pattern)";
}

const char *
no_library(void)
{
	const char *build = getenv("LPK_BUILD");
	char path[512];

	snprintf(path, sizeof(path), "%s/liblpk.so",
	    build != NULL ? build : "build");
	return access(path, R_OK) == 0 ? NULL : "no liblpk.so beside the tests";
}
