/* SPDX-License-Identifier: MIT */
/*
 * syslog.c - put in front of the C library's syslog(3) by `lpk run`: what the
 * program says goes to lpk-run, in a datagram a call. When that is gone, it goes
 * where it would have gone.
 *
 * A socket is opened for each call: a program may close any descriptor that it
 * does not know, and have another one by its number.
 */
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <lpk/base.h>

#include "lpk_atomic.h"
#include "tools/runner/runner.h"

/* lpk-run takes what comes at once; one that is stopped holds up nobody. */
#define PATIENCE_US 500000

/* What openlog(3) and setlogmask(3) said; relaxed, as the caller wanted it. */
static unsigned long tag;
static unsigned long options;
static unsigned long facility = LOG_USER;
static unsigned long mask = 0xff;

static struct sockaddr_un runner;
static socklen_t runner_bytes;

/* What programs call that were compiled with _FORTIFY_SOURCE. */
LPK_API void __syslog_chk(int priority, int flag, const char *format, ...)
    LPK_PRINTF(3, 4);
LPK_API void __vsyslog_chk(int priority, int flag, const char *format,
    va_list arguments) LPK_PRINTF(3, 0);

__attribute__((constructor)) static void
find_runner(void)
{
	const char *name = secure_getenv(RUN_VARIABLE);

	if (name == NULL || strlen(name) + 1 >= sizeof(runner.sun_path))
		return;
	runner.sun_family = AF_UNIX;
	memcpy(runner.sun_path + 1, name, strlen(name));
	runner_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    strlen(name));
}

static bool
send_text(const char *text, size_t bytes)
{
	const struct timeval patience = {.tv_usec = PATIENCE_US};
	bool sent;
	int fd;

	if (runner_bytes == 0)
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	sent = sendto(fd, text, bytes, MSG_NOSIGNAL, (struct sockaddr *)&runner,
		   runner_bytes) == (ssize_t)bytes;
	close(fd);
	return sent;
}

/* What was there before us. */
static void
pass_on(int priority, const char *text)
{
	void (*next)(int, const char *, ...);
	void *found = dlsym(RTLD_NEXT, "syslog");

	memcpy(&next, &found, sizeof(next));
	if (next != NULL)
		next(priority, "%s", text);
}

LPK_API void
vsyslog(int priority, const char *format, va_list arguments)
{
	const char *name = (const char *)lpk_load_relaxed(&tag);
	int saved = errno, head, body;
	char text[RUN_MESSAGE_BYTES];

	if ((lpk_load_relaxed(&mask) &
		(unsigned long)LOG_MASK(LOG_PRI(priority))) == 0)
		return;
	if ((priority & LOG_FACMASK) == 0)
		priority |= (int)lpk_load_relaxed(&facility);
	priority &= LOG_PRIMASK | LOG_FACMASK;
	if (name == NULL)
		name = program_invocation_short_name;
	if ((lpk_load_relaxed(&options) & LOG_PID) != 0)
		head = snprintf(text, sizeof(text),
		    "<%d>%.100s[%ld]: ", priority, name, (long)getpid());
	else
		head = snprintf(
		    text, sizeof(text), "<%d>%.100s: ", priority, name);
	/* For %m. */
	errno = saved;
	body = vsnprintf(
	    text + head, sizeof(text) - (size_t)head, format, arguments);
	if (body > (int)sizeof(text) - head - 1)
		body = (int)sizeof(text) - head - 1;
	if (body >= 0 && !send_text(text, (size_t)(head + body)))
		pass_on(priority, text + head);
	errno = saved;
}

LPK_API void
syslog(int priority, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsyslog(priority, format, arguments);
	va_end(arguments);
}

void
__syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list arguments;

	(void)flag;
	va_start(arguments, format);
	vsyslog(priority, format, arguments);
	va_end(arguments);
}

void
__vsyslog_chk(int priority, int flag, const char *format, va_list arguments)
{
	(void)flag;
	vsyslog(priority, format, arguments);
}

LPK_API void
openlog(const char *name, int option, int which)
{
	void (*next)(const char *, int, int);
	void *found = dlsym(RTLD_NEXT, "openlog");

	/* For the day that we are not heard; it opens nothing now. */
	memcpy(&next, &found, sizeof(next));
	if (next != NULL)
		next(name, option & ~(LOG_NDELAY | LOG_PERROR), which);
	lpk_store_relaxed(&tag, (unsigned long)name);
	lpk_store_relaxed(&options, (unsigned long)option);
	if (which != 0 && (which & ~LOG_FACMASK) == 0)
		lpk_store_relaxed(&facility, (unsigned long)which);
}

LPK_API void
closelog(void)
{
	lpk_store_relaxed(&tag, 0);
	lpk_store_relaxed(&options, 0);
}

LPK_API int
setlogmask(int fresh)
{
	int before = (int)lpk_load_relaxed(&mask);

	if (fresh != 0)
		lpk_store_relaxed(&mask, (unsigned long)fresh & 0xff);
	return before;
}
