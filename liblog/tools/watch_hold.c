/* SPDX-License-Identifier: MIT */
/*
 * watch_hold.c - regions that processes hand over as soon as they have them.
 * The descriptor is ours then, and with it the memory, whatever becomes of them.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "hosted/announce.h"
#include "watch.h"

/* A descriptor comes at once behind the connection. */
#define OFFER_US 100000
#define BACKLOG 64

bool
held_listen(struct held *held)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t bytes;
	uint64_t random[2];

	held->listening = -1;
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return false;
	snprintf(held->name, sizeof(held->name), LPK__WATCH_PREFIX "%llx%llx",
	    (unsigned long long)random[0], (unsigned long long)random[1]);
	memcpy(address.sun_path + 1, held->name, strlen(held->name));
	bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    strlen(held->name));
	held->listening =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (held->listening < 0)
		return false;
	if (bind(held->listening, (struct sockaddr *)&address, bytes) == 0 &&
	    listen(held->listening, BACKLOG) == 0)
		return true;
	close(held->listening);
	held->listening = -1;
	return false;
}

/* The descriptor that is offered, or -1. */
static int
receive(int from)
{
	const struct timeval patience = {.tv_usec = OFFER_US};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec text = {&byte, 1};
	struct msghdr message = {.msg_iov = &text,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct stat status;
	int fd;

	(void)setsockopt(
	    from, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	memset(&control, 0, sizeof(control));
	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) <= 0 ||
	    CMSG_FIRSTHDR(&message) == NULL ||
	    control.header.cmsg_level != SOL_SOCKET ||
	    control.header.cmsg_type != SCM_RIGHTS ||
	    control.header.cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	/* Of anything else a read could wait, or do something. */
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	return -1;
}

static void
forget(struct held *held, unsigned int number)
{
	close(held->source[number].fd);
	held->count--;
	memmove(&held->source[number], &held->source[number + 1],
	    (held->count - number) * sizeof(held->source[0]));
}

/* Room for one more: of who ended in order, or else of who came first. */
static void
make_room(struct held *held)
{
	static struct image image;
	unsigned int i, first = 0;

	for (i = held->count; i-- > 0;) {
		bool clean;

		if (held->source[i].pid == held->main)
			continue;
		first = i;
		if (!image_open(&image, &held->source[i]))
			break;
		clean = image.state == LPK__STATE_CLEAN && !image_alive(&image);
		image_close(&image);
		if (clean)
			break;
	}
	forget(held, first);
}

static void
hold(struct held *held, int fd, pid_t pid)
{
	struct source *source;
	struct stat status;

	if (held->count == HELD_MAX)
		make_room(held);
	source = &held->source[held->count];
	memset(source, 0, sizeof(*source));
	snprintf(source->name, sizeof(source->name), "process %ld", (long)pid);
	source->fd = fd;
	source->pid = pid;
	source->bytes = fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
	if (source_has_magic(source))
		held->count++;
	else
		close(fd);
}

void
held_take(struct held *held)
{
	struct ucred peer;
	socklen_t bytes;
	int from, fd;

	if (held->listening < 0)
		return;
	while (
	    (from = accept4(held->listening, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		bytes = sizeof(peer);
		fd = -1;
		/* The name is no secret: others may have found it. */
		if (getsockopt(from, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) ==
			0 &&
		    (peer.uid == geteuid() || peer.uid == 0 || geteuid() == 0))
			fd = receive(from);
		close(from);
		if (fd >= 0)
			hold(held, fd, peer.pid);
	}
}

const struct source *
held_main(const struct held *held)
{
	unsigned int i;

	for (i = held->count; i-- > 0;) {
		if (held->source[i].pid == held->main)
			return &held->source[i];
	}
	return NULL;
}
