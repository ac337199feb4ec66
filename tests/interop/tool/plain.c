/* SPDX-License-Identifier: MIT */
/*
 * plain.c - a program that knows nothing of lpk: prints, calls syslog(3), and
 * exits with 7, or aborts.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static void
by_vsyslog(int priority, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsyslog(priority, format, arguments);
	va_end(arguments);
}

int
main(int argc, char **argv)
{
	printf("on stdout\n<3>an error on stdout\nin two");
	fflush(stdout);
	fprintf(stderr, "on stderr\n");
	openlog("tag", LOG_PID | LOG_PERROR, LOG_DAEMON);
	errno = ENOENT;
	syslog(LOG_WARNING, "syslog %d %m", 42);
	syslog(LOG_MAIL | LOG_CRIT, "of mail\n");
	by_vsyslog(LOG_ERR, "by %s", "vsyslog");
	setlogmask(LOG_UPTO(LOG_ERR));
	syslog(LOG_INFO, "masked");
	closelog();
	syslog(LOG_USER | LOG_ERR, "after closelog");
	printf(" parts\nwithout a newline");
	fflush(stdout);
	if (argc > 1 && strcmp(argv[1], "abort") == 0)
		abort();
	return 7;
}
