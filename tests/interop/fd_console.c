/* SPDX-License-Identifier: MIT */
/*
 * The consoles stderr, stdout and fd:N under a real shell, with real readers:
 * redirections as people write them, a pipe whose reader stops or goes, a
 * terminal with a session of its own, a program that turns into a daemon.
 *
 *     fd_console              all of it
 *     fd_console log WORDS N  what is run for that: N messages to one console
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/printk.h>

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
			    __LINE__, #what);                                  \
			exit(1);                                               \
		}                                                              \
	} while (0)

static char folder[64] = "/tmp/lpk-fd-XXXXXX";

static void
remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	(void)!system(command);
}

/* ------------------------------------------------------------------------
 * The program that logs */

static struct lpk_console *
start(const char *words)
{
	struct lpk_console *console;
	char error[256] = "";

	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK) {
		fprintf(stderr, "%s: %s\n", words, error);
		exit(1);
	}
	CHECK(lpk_console_register(console) == LPK_OK);
	return console;
}

/* REPORT= names a file for the accounts. */
static void
report(const struct lpk_console_stats *stats)
{
	const char *path = getenv("REPORT");
	FILE *file = path != NULL ? fopen(path, "w") : NULL;

	if (file == NULL)
		return;
	fprintf(file, "%llu %llu %llu\n", (unsigned long long)stats->printed,
	    (unsigned long long)stats->lost,
	    (unsigned long long)stats->refused);
	fclose(file);
}

static int
log_messages(const char *words, int count)
{
	struct lpk_console *console = start(words);
	struct lpk_console_stats stats;
	int i;

	for (i = 0; i < count; i++)
		lpk_info("message %d", i);
	/* For who waits until the calls are done, and no longer. */
	if (getenv("CALLED") != NULL)
		close(open(getenv("CALLED"), O_CREAT | O_WRONLY, 0600));
	lpk_console_unregister(console, lpk_now_ns() + 60000000000);
	lpk_console_stats(console, &stats);
	lpk_console_free(console);
	report(&stats);
	return 0;
}

/* As daemons do, and then another file has the number. */
static int
close_all(void)
{
	struct lpk_console *console = start("stderr");
	struct lpk_console_stats stats;
	int fd, mine[8];

	lpk_info("message 0");
	CHECK(lpk_console_flush(console, UINT64_MAX) == LPK_OK);
	for (fd = 3; fd < 1024; fd++)
		close(fd);
	for (fd = 0; fd < 8; fd++)
		mine[fd] = fileno(tmpfile());
	lpk_info("message 1");
	lpk_console_unregister(console, lpk_now_ns() + 60000000000);
	lpk_console_stats(console, &stats);
	CHECK(stats.printed == 2 && stats.lost == 0);
	for (fd = 0; fd < 8; fd++) {
		struct stat is;

		CHECK(fstat(mine[fd], &is) == 0 && is.st_size == 0);
	}
	return 0;
}

/* ------------------------------------------------------------------------
 * Under a shell */

static char self[512];

/* Runs a line of it; $P is this program, the folder is the current one. */
static int
shell(const char *line)
{
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (child == 0) {
		setenv("P", self, 1);
		if (chdir(folder) == 0)
			execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static FILE *
open_result(const char *name)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	CHECK(file != NULL);
	return file;
}

/* What is in a file, without the times in front of lines. */
static void
expect_file(const char *name, const char *want)
{
	char line[256], got[1024] = "";
	FILE *file = open_result(name);

	while (fgets(line, sizeof(line), file) != NULL) {
		const char *text = strstr(line, "] ");

		CHECK(strlen(got) + strlen(line) < sizeof(got));
		strcat(got, line[0] == '[' && text != NULL ? text + 2 : line);
	}
	fclose(file);
	if (strcmp(got, want) == 0)
		return;
	fprintf(stderr, "%s holds\n%s, not\n%s", name, got, want);
	exit(1);
}

static void
redirections(void)
{
	CHECK(shell("$P log stderr 2 2>one") == 0);
	expect_file("one", "message 0\nmessage 1\n");
	CHECK(shell("$P log stdout 1 >one") == 0);
	expect_file("one", "message 0\n");
	CHECK(shell("echo before >two; $P log stdout 1 >>two; "
		    "$P log stdout 1 >>two") == 0);
	expect_file("two", "before\nmessage 0\nmessage 0\n");
	CHECK(shell("(echo a; $P log stdout 2; echo b) >three") == 0);
	expect_file("three", "a\nmessage 0\nmessage 1\nb\n");
	CHECK(shell("(echo a; $P log stderr 2; echo b) >>three 2>&1") == 0);
	expect_file("three",
	    "a\nmessage 0\nmessage 1\nb\na\nmessage 0\nmessage 1\nb\n");
	CHECK(shell("(echo a; $P log stderr 1; echo b) 2>&1 | cat >four") == 0);
	expect_file("four", "a\nmessage 0\nb\n");
	CHECK(shell("(echo a; $P log stderr,mode=direct 1; echo b) "
		    ">five 2>&1") == 0);
	expect_file("five", "a\nmessage 0\nb\n");
	CHECK(shell("$P log fd:7 1 7>five") == 0);
	expect_file("five", "message 0\n");
	/* Not open, and not for writing. */
	CHECK(shell("$P log fd:7 1 7>&- 2>/dev/null") != 0);
	CHECK(shell("$P log fd:7 1 7</dev/null 2>/dev/null") != 0);
	puts("redirections: as without lpk");
}

static void
fd_of_nobody(void)
{
	/* The reader goes, and takes nobody with it. */
	CHECK(shell("(REPORT=went $P log stdout 20000; echo $? >status) | "
		    "head -n 1 >six") == 0);
	expect_file("six", "message 0\n");
	expect_file("status", "0\n");
	/* The same from the threads of the program, whose signals are open. */
	CHECK(shell("($P log stdout,mode=direct 20000; echo $? >status) | "
		    "head -n 1 >six") == 0);
	expect_file("six", "message 0\n");
	expect_file("status", "0\n");
	puts("a reader that went away: exit status 0");
}

static void
daemon_closes(void)
{
	char command[600];

	snprintf(command, sizeof(command), "$P close 2>seven");
	CHECK(shell(command) == 0);
	expect_file("seven", "message 0\nmessage 1\n");
	puts("all descriptors closed, their numbers in use: still on stderr");
}

/* ------------------------------------------------------------------------
 * A reader that stops */

enum { MANY = 30000 };

static void
wait_for_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	while (access(path, F_OK) != 0)
		usleep(1000);
}

/* Every message, in order; what is missing is said, and how much. */
static void
expect_messages(FILE *from, int count)
{
	unsigned long long dropped;
	char line[256];
	int next = 0, number;

	while (fgets(line, sizeof(line), from) != NULL) {
		const char *text = strstr(line, "message ");

		if (sscanf(line, "** %llu printk messages dropped", &dropped) ==
		    1) {
			next += (int)dropped;
			continue;
		}
		CHECK(text != NULL && sscanf(text, "message %d", &number) == 1);
		if (number != next) {
			fprintf(stderr, "%d, not %d\n", number, next);
			exit(1);
		}
		next++;
	}
	CHECK(next == count);
}

static pid_t
run_log(const char *words, int out, int err)
{
	char count[16], called[128], accounts[128];
	pid_t child = fork();

	CHECK(child >= 0);
	if (child != 0)
		return child;
	snprintf(count, sizeof(count), "%d", MANY);
	snprintf(called, sizeof(called), "%s/called", folder);
	snprintf(accounts, sizeof(accounts), "%s/accounts", folder);
	setenv("CALLED", called, 1);
	setenv("REPORT", accounts, 1);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	for (out = 3; out < 64; out++)
		close(out);
	execl(self, self, "log", words, count, (char *)NULL);
	_exit(127);
}

static void
expect_exit(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
stopped_reader(void)
{
	int ends[2], status;
	FILE *from;
	pid_t child, cat;

	CHECK(pipe(ends) == 0);
	cat = fork();
	if (cat == 0) {
		char path[128];

		snprintf(path, sizeof(path), "%s/eight", folder);
		dup2(ends[0], STDIN_FILENO);
		close(ends[1]);
		(void)!freopen(path, "w", stdout);
		execlp("cat", "cat", (char *)NULL);
		_exit(127);
	}
	CHECK(kill(cat, SIGSTOP) == 0);
	CHECK(waitpid(cat, &status, WUNTRACED) == cat && WIFSTOPPED(status));
	child = run_log("stdout", ends[1], STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
	/* All calls return while it is stopped. */
	wait_for_file("called");
	kill(cat, SIGCONT);
	expect_exit(child);
	expect_exit(cat);
	from = open_result("eight");
	expect_messages(from, MANY);
	fclose(from);
	puts("a stopped reader: callers did not wait, the rest came in order");
}

/* ------------------------------------------------------------------------
 * A terminal */

static int
open_terminal(int *screen)
{
	struct termios raw;
	char name[64];
	int keyboard = posix_openpt(O_RDWR | O_NOCTTY);

	if (keyboard < 0 || grantpt(keyboard) != 0 || unlockpt(keyboard) != 0 ||
	    ptsname_r(keyboard, name, sizeof(name)) != 0)
		return -1;
	*screen = open(name, O_RDWR | O_NOCTTY);
	if (*screen < 0 || tcgetattr(*screen, &raw) != 0)
		return -1;
	cfmakeraw(&raw);
	raw.c_iflag |= IXON;
	tcsetattr(*screen, TCSANOW, &raw);
	return keyboard;
}

/* ^S, all calls, ^Q: and then every line that is kept. */
static void
stopped_terminal(void)
{
	char path[128], bytes[4096];
	int screen, keyboard = open_terminal(&screen);
	FILE *seen;
	ssize_t count;
	pid_t child;

	if (keyboard < 0) {
		puts("no terminal here");
		return;
	}
	snprintf(path, sizeof(path), "%s/called", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/screen", folder);
	seen = fopen(path, "w+");
	CHECK(write(keyboard, "\023", 1) == 1);
	child = run_log("stderr,colour=no", screen, screen);
	wait_for_file("called");
	CHECK((fcntl(screen, F_GETFL) & O_NONBLOCK) == 0);
	close(screen);
	CHECK(write(keyboard, "\021", 1) == 1);
	/* EIO when its last process is gone. */
	while ((count = read(keyboard, bytes, sizeof(bytes))) > 0)
		fwrite(bytes, 1, (size_t)count, seen);
	expect_exit(child);
	rewind(seen);
	expect_messages(seen, MANY);
	fclose(seen);
	close(keyboard);
	puts("a terminal after ^S: callers did not wait, ^Q gave the rest");
}

/* It is closed in the middle of it all: refused, told, and no signal. */
static void
closed_terminal(void)
{
	unsigned long long printed, lost, refused;
	int screen, keyboard = open_terminal(&screen);
	char path[128], bytes[1000];
	FILE *accounts;
	pid_t child;

	if (keyboard < 0)
		return;
	snprintf(path, sizeof(path), "%s/called", folder);
	unlink(path);
	child = run_log("stderr", screen, screen);
	close(screen);
	CHECK(read(keyboard, bytes, sizeof(bytes)) > 0);
	close(keyboard);
	expect_exit(child);
	accounts = open_result("accounts");
	CHECK(
	    fscanf(accounts, "%llu %llu %llu", &printed, &lost, &refused) == 3);
	fclose(accounts);
	CHECK(refused > 0 && printed + lost == MANY);
	puts("a terminal that hung up: what came later is counted as refused");
}

int
main(int argc, char **argv)
{
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 2);

	if (argc == 4 && strcmp(argv[1], "log") == 0)
		return log_messages(argv[2], atoi(argv[3]));
	if (argc == 2 && strcmp(argv[1], "close") == 0)
		return close_all();
	CHECK(length > 0 && mkdtemp(folder) != NULL);
	atexit(remove_folder);
	setvbuf(stdout, NULL, _IOLBF, 0);
	unsetenv("JOURNAL_STREAM");
	unsetenv("INVOCATION_ID");
	unsetenv("LPK_CONSOLE");
	redirections();
	fd_of_nobody();
	daemon_closes();
	stopped_reader();
	stopped_terminal();
	closed_terminal();
	return 0;
}
