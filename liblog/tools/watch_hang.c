/* SPDX-License-Identifier: MIT */
/*
 * watch_hang.c - is a process alive, and if not, where does it hang? Only what
 * /proc says: nothing is attached to it.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "stat.h"
#include "tool.h"
#include "watch.h"

/* FNV-1a. */
#define HASH_FIRST UINT64_C(0xcbf29ce484222325)
#define HASH_STEP UINT64_C(0x100000001b3)

static uint64_t
hash(uint64_t value, const void *bytes, size_t count)
{
	const unsigned char *at = bytes;

	while (count-- != 0)
		value = (value ^ *at++) * HASH_STEP;
	return value;
}

bool
watch_pulse(const struct source *source, uint64_t *pulse)
{
	static struct console_view views[CONSOLES_MAX];
	struct image *image = calloc(1, sizeof(*image));
	struct log_view log;
	unsigned int count, i;
	uint64_t value = HASH_FIRST;

	if (image == NULL || !image_open(image, source)) {
		free(image);
		return false;
	}
	count = stat_consoles(image, views);
	stat_log(image, &log);
	image_close(image);
	free(image);
	value = hash(value, &log.stored, sizeof(log.stored));
	value = hash(value, &log.dropped, sizeof(log.dropped));
	value = hash(value, &log.suppressed, sizeof(log.suppressed));
	for (i = 0; i < count; i++)
		value =
		    hash(value, &views[i].time_ms, sizeof(views[i].time_ms));
	*pulse = value;
	return true;
}

/* A small file of /proc, its last newline taken off. */
static bool
slurp(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t length;

	text[0] = '\0';
	if (file == NULL)
		return false;
	length = fread(text, 1, size - 1, file);
	fclose(file);
	while (length != 0 && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	return length != 0;
}

/* Letter of the state in a file "stat" of /proc; '?'. */
static char
state_of(const char *stat)
{
	const char *at = strrchr(stat, ')');

	return at != NULL && at[1] == ' ' && at[2] != '\0' ? at[2] : '?';
}

bool
watch_excused(pid_t pid)
{
	char path[64], text[4096];
	const char *tracer;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if (slurp(path, text, sizeof(text)) &&
	    strchr("TtZX", state_of(text)) != NULL)
		return true;
	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if (!slurp(path, text, sizeof(text)))
		return false;
	tracer = strstr(text, "\nTracerPid:");
	return tracer != NULL && strtol(tracer + 11, NULL, 10) != 0;
}

/* Those in which programs wait, by name. */
static const char *
call_name(long number)
{
	static const struct {
		long number;
		const char *name;
	} calls[] = {
	    {SYS_read, "read"},
	    {SYS_write, "write"},
	    {SYS_readv, "readv"},
	    {SYS_writev, "writev"},
	    {SYS_futex, "futex"},
	    {SYS_futex_waitv, "futex_waitv"},
	    {SYS_ppoll, "ppoll"},
	    {SYS_pselect6, "pselect6"},
	    {SYS_epoll_pwait, "epoll_pwait"},
	    {SYS_nanosleep, "nanosleep"},
	    {SYS_clock_nanosleep, "clock_nanosleep"},
	    {SYS_wait4, "wait4"},
	    {SYS_waitid, "waitid"},
	    {SYS_recvfrom, "recvfrom"},
	    {SYS_recvmsg, "recvmsg"},
	    {SYS_sendto, "sendto"},
	    {SYS_sendmsg, "sendmsg"},
	    {SYS_accept4, "accept4"},
	    {SYS_connect, "connect"},
	    {SYS_openat, "openat"},
	    {SYS_ioctl, "ioctl"},
	    {SYS_flock, "flock"},
	    {SYS_fcntl, "fcntl"},
	    {SYS_fsync, "fsync"},
	    {SYS_fdatasync, "fdatasync"},
	    {SYS_msync, "msync"},
	    {SYS_rt_sigtimedwait, "rt_sigtimedwait"},
	    {SYS_rt_sigsuspend, "rt_sigsuspend"},
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (calls[i].number == number)
			return calls[i].name;
	}
	return NULL;
}

static void
show_thread(pid_t pid, const char *thread)
{
	char path[384], stat[1024], name[64], wait[128], call[512];
	const char *word;
	char *at;

	snprintf(
	    path, sizeof(path), "/proc/%ld/task/%s/stat", (long)pid, thread);
	if (!slurp(path, stat, sizeof(stat)))
		return;
	snprintf(
	    path, sizeof(path), "/proc/%ld/task/%s/comm", (long)pid, thread);
	slurp(path, name, sizeof(name));
	for (at = name; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
	snprintf(
	    path, sizeof(path), "/proc/%ld/task/%s/wchan", (long)pid, thread);
	if (!slurp(path, wait, sizeof(wait)) || strcmp(wait, "0") == 0)
		wait[0] = '\0';
	snprintf(
	    path, sizeof(path), "/proc/%ld/task/%s/syscall", (long)pid, thread);
	fprintf(stderr, "  thread %s %s: %c", thread, name, state_of(stat));
	if (wait[0] != '\0')
		fprintf(stderr, ", waits in %s", wait);
	if (slurp(path, call, sizeof(call)) && call[0] >= '0' &&
	    call[0] <= '9') {
		word = call_name(strtol(call, &at, 10));
		/* Without its registers. */
		if (word != NULL)
			fprintf(stderr, ", system call %s(", word);
		else
			fprintf(stderr, ", system call %.*s(", (int)(at - call),
			    call);
		fprintf(stderr, "%s)", at + (*at == ' '));
	}
	fputc('\n', stderr);
}

void
watch_threads(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	list = opendir(path);
	if (list == NULL)
		return;
	while ((entry = readdir(list)) != NULL) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			show_thread(pid, entry->d_name);
	}
	closedir(list);
}
