/* SPDX-License-Identifier: MIT */
/*
 * fd.c - the console on a file descriptor: a terminal, a pipe, a file.
 *
 * The descriptor is inherited and shared with others, so its flags are left
 * alone: where it is non-blocking, the driver waits with poll(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/consoles.h>

static int
fd_write(struct lpk_console *console, const char *lines, size_t size_bytes)
{
	int fd = (int)console->number;

	while (size_bytes != 0) {
		ssize_t count = write(fd, lines, size_bytes);

		if (count >= 0) {
			lines += count;
			size_bytes -= (size_t)count;
		} else if (errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			return -LPK_EIO;
		}
	}
	return LPK_OK;
}

static const struct lpk_console_driver fd_driver = {
    .name = "fd",
    .write = fd_write,
};

static bool
set(const char *name)
{
	const char *value = secure_getenv(name);

	return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

static bool
wants_colours(int fd)
{
	const char *term = secure_getenv("TERM");
	const char *no = secure_getenv("NO_COLOR");

	if (no != NULL && no[0] != '\0')
		return false;
	if (set("CLICOLOR_FORCE") || set("FORCE_COLOR"))
		return true;
	return isatty(fd) && (term == NULL || strcmp(term, "dumb") != 0);
}

int
lpk_fd_console(struct lpk_console *console, int fd)
{
	if (console == NULL || fcntl(fd, F_GETFD) < 0)
		return -LPK_EINVAL;
	*console = (struct lpk_console){
	    .driver = &fd_driver,
	    .number = fd,
	    .colours = wants_colours(fd),
	};
	return LPK_OK;
}
