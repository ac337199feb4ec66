/* SPDX-License-Identifier: MIT */
/*
 * announce.c - hand a region to `lpk watch`, which started us, so that it has
 * it whatever becomes of us the moment after: a descriptor in a socket's queue
 * outlives its sender.
 */
#include "announce.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Where to; kept for the children of a fork, where getenv(3) is not safe. */
static struct sockaddr_un watcher;
static socklen_t watcher_bytes;

static void
find_watcher(void)
{
	const size_t prefix = sizeof(LPK__WATCH_PREFIX) - 1;
	const char *name = secure_getenv(LPK__WATCH_VARIABLE);

	if (watcher_bytes != 0 || name == NULL ||
	    strncmp(name, LPK__WATCH_PREFIX, prefix) != 0 ||
	    strlen(name) >= sizeof(watcher.sun_path))
		return;
	watcher.sun_family = AF_UNIX;
	/* Behind a NUL: a name in no folder. */
	memcpy(watcher.sun_path + 1, name, strlen(name));
	watcher_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    strlen(name));
}

/* Who has taken the name after it was free could read the log. */
static int
is_ours(int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
	    (peer.uid == geteuid() || peer.uid == 0);
}

static void
send_fd(int socket_fd, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte = 'r';
	struct iovec text = {&byte, 1};
	struct msghdr message = {.msg_iov = &text,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	(void)!sendmsg(socket_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
lpk__announce(int fd)
{
	int socket_fd;

	find_watcher();
	if (fd < 0 || watcher_bytes == 0)
		return;
	socket_fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (socket_fd < 0)
		return;
	if (connect(socket_fd, (struct sockaddr *)&watcher, watcher_bytes) ==
		0 &&
	    is_ours(socket_fd))
		send_fd(socket_fd, fd);
	close(socket_fd);
}
