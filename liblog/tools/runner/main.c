/* SPDX-License-Identifier: MIT */
/*
 * main.c - lpk-run: what a program prints becomes records of a log.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/init.h>
#include <lpk/printk.h>

#include "runner.h"
#include "tools/run_child.h"
#include "tools/tool.h"

static const struct option names[] = {
    {"stdout", required_argument, NULL, 'o'},
    {"stderr", required_argument, NULL, 'e'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "usage: lpk run [OPTION...] [--] PROGRAM [ARGUMENT...]\n"
    "Run a program; its output, line by line, and what it sends to syslog(3)\n"
    "become records of a log, for the consoles of LPK_CONSOLE (default:\n"
    "stderr), lpk dmesg -p and lpk watch.\n"
    "  --stdout LEVEL  of lines of its standard output (default: info)\n"
    "  --stderr LEVEL  of its standard error (default: notice)\n"
    "A line may begin with its level: <3>.\n"
    "Exits with the program's status, 128 + N after signal N.\n";

struct runner {
	struct child child;
	struct lines out;
	struct lines err;
	int syslog; /* -1: none */
};

void
complain(const char *format, ...)
{
	va_list arguments;

	fputs("lpk: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static bool
read_level(const char *word, int *level)
{
	static const char *const words[] = {
	    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"};
	int i;

	for (i = 0; i < 8; i++) {
		if (strcmp(word, words[i]) == 0 ||
		    (word[0] == '0' + i && word[1] == '\0')) {
			*level = i;
			return true;
		}
	}
	return false;
}

/* The log is in memory that others can read; consoles print what is in it. */
static void
prepare_log(void)
{
	const char *consoles = getenv("LPK_CONSOLE");

	/* Without a region it is a log all the same. */
	(void)lpk_init(NULL);
	if (consoles == NULL)
		lpk_consoles_add("stderr");
}

/*
 * Names of this log's are not for the program, if it should use lpk itself: two
 * processes cannot have the same region, nor rotate the same file.
 */
static void
prepare_environment(void)
{
	const char *region = getenv("LPK_REGION");

	unsetenv("LPK_CONSOLE");
	if (region != NULL && strcmp(region, "memfd") != 0)
		unsetenv("LPK_REGION");
	syslog_preload();
}

static bool
make_pipe(struct lines *lines, int *writing)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0 ||
	    fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
		return false;
	lines->fd = fds[0];
	*writing = fds[1];
	return true;
}

/* Returns 0, or the status to exit with. */
static int
start(struct runner *runner, char **argv)
{
	posix_spawn_file_actions_t actions;
	int out, err, failed;

	if (!make_pipe(&runner->out, &out) || !make_pipe(&runner->err, &err)) {
		complain("%s", strerror(errno));
		return CHILD_FAILED;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	failed = child_start(&runner->child, argv, &actions, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(out);
	close(err);
	return failed;
}

/* Until the program is dead; its children may go on, and are not waited for. */
static void
stay(struct runner *runner)
{
	struct pollfd fds[] = {
	    {.fd = runner->child.pidfd, .events = POLLIN},
	    {.fd = runner->child.signals, .events = POLLIN},
	    {.fd = runner->out.fd, .events = POLLIN},
	    {.fd = runner->err.fd, .events = POLLIN},
	    {.fd = runner->syslog, .events = POLLIN},
	};

	do {
		if (poll(fds, 5, -1) < 0 && errno != EINTR)
			break;
		child_forward(&runner->child);
		/* One that is closed is not looked at again. */
		if (!lines_read(&runner->out))
			fds[2].fd = -1;
		if (!lines_read(&runner->err))
			fds[3].fd = -1;
		if (runner->syslog >= 0)
			syslog_read(runner->syslog);
	} while ((fds[0].revents & POLLIN) == 0);
	lines_end(&runner->out);
	lines_end(&runner->err);
}

static int
run(struct runner *runner, char **argv)
{
	char text[128];
	int status;

	if (!child_hold_signals(&runner->child)) {
		complain("%s", strerror(errno));
		return CHILD_FAILED;
	}
	prepare_log();
	runner->syslog = syslog_listen();
	prepare_environment();
	status = start(runner, argv);
	if (status != 0)
		return status;
	stay(runner);
	status = child_end(&runner->child, text, sizeof(text));
	if (text[0] != '\0')
		lpk_write(NULL, status > 128 ? LPK_ERR : LPK_NOTICE,
		    "lpk: %s[%ld] %s", argv[0], (long)runner->child.pid, text);
	return status;
}

int
main(int argc, char **argv)
{
	static struct runner runner = {
	    .out = {.level = LPK_INFO}, .err = {.level = LPK_NOTICE}};
	bool good = true;
	int option;

	while (good &&
	    (option = getopt_long(argc, argv, "+h", names, NULL)) != -1) {
		if (option == 'o') {
			good = read_level(optarg, &runner.out.level);
		} else if (option == 'e') {
			good = read_level(optarg, &runner.err.level);
		} else if (option == 'h') {
			fputs(help, stdout);
			return 0;
		} else {
			good = false;
		}
	}
	if (!good || optind == argc) {
		fputs(help, stderr);
		return CHILD_FAILED;
	}
	return run(&runner, argv + optind);
}
