/* SPDX-License-Identifier: MIT */
/*
 * syslog.c - calls of syslog(3) in the program, sent here by our library in it,
 * become records.
 */
#include <glob.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <lpk/printk.h>

#include "runner.h"

int
syslog_listen(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int on = 1;
	char name[64];
	uint64_t random[2];
	int fd;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -1;
	snprintf(name, sizeof(name), RUN_PREFIX "%llx%llx",
	    (unsigned long long)random[0], (unsigned long long)random[1]);
	memcpy(address.sun_path + 1, name, strlen(name));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
	    bind(fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
		    strlen(name))) == 0 &&
	    setenv(RUN_VARIABLE, name, 1) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A datagram. */
static void
put_message(const char *text, size_t bytes)
{
	unsigned int priority = 0;
	size_t at = 1;

	if (bytes < 3 || text[0] != '<')
		return;
	while (at < bytes && at < 5 && text[at] >= '0' && text[at] <= '9')
		priority = priority * 10 + (unsigned int)(text[at++] - '0');
	if (at == bytes || text[at] != '>' || priority > 191)
		return;
	at++;
	while (bytes > at && text[bytes - 1] == '\n')
		bytes--;
	lpk_inject(NULL, (enum lpk_level)(priority & 7), priority >> 3,
	    text + at, bytes - at);
}

/* The name of the socket is no secret: who sent it? */
static bool
is_ours(struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	struct ucred sender;

	if (header == NULL || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_CREDENTIALS ||
	    header->cmsg_len != CMSG_LEN(sizeof(sender)))
		return false;
	memcpy(&sender, CMSG_DATA(header), sizeof(sender));
	return sender.uid == geteuid() || sender.uid == 0 || geteuid() == 0;
}

void
syslog_read(int from)
{
	static char text[RUN_MESSAGE_BYTES];
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec bytes = {text, sizeof(text)};
	ssize_t got;

	for (;;) {
		struct msghdr message = {.msg_iov = &bytes,
		    .msg_iovlen = 1,
		    .msg_control = &control,
		    .msg_controllen = sizeof(control)};

		got = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
		if (got < 0)
			return;
		if (is_ours(&message))
			put_message(text, (size_t)got);
	}
}

/* Beside us; where libraries lie, seen from us. */
static bool
find_library(char path[PATH_MAX])
{
	static const char *const places[] = {
	    "", "../lib/", "../lib64/", "../lib/*/"};
	char self[PATH_MAX], pattern[PATH_MAX + 64];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	bool found = false;
	glob_t list;
	size_t i;

	self[length > 0 ? length : 0] = '\0';
	if (strrchr(self, '/') == NULL)
		return false;
	strrchr(self, '/')[1] = '\0';
	for (i = 0; i < sizeof(places) / sizeof(*places) && !found; i++) {
		snprintf(pattern, sizeof(pattern), "%s%s%s", self, places[i],
		    RUN_LIBRARY);
		if (glob(pattern, 0, NULL, &list) != 0)
			continue;
		found = strlen(list.gl_pathv[0]) < PATH_MAX;
		if (found)
			strcpy(path, list.gl_pathv[0]);
		globfree(&list);
	}
	return found;
}

void
syslog_preload(void)
{
	const char *others = getenv("LD_PRELOAD");
	char path[PATH_MAX], all[2 * PATH_MAX];

	/* Elsewhere the loader may find it. */
	if (!find_library(path))
		strcpy(path, RUN_LIBRARY);
	if (others != NULL && others[0] != '\0' && strlen(others) < PATH_MAX) {
		snprintf(all, sizeof(all), "%s:%s", path, others);
		setenv("LD_PRELOAD", all, 1);
	} else {
		setenv("LD_PRELOAD", path, 1);
	}
}
