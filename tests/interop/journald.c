/* SPDX-License-Identifier: MIT */
/*
 * The console on the journal and a real systemd-journald, which runs in a mount
 * namespace of this test's own, with a /run of its own. What journalctl prints
 * is compared with what was logged.
 */
#define LPK_DEFAULT_LOG log_
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/panic.h>
#include <lpk/printk.h>

enum { RECORDS = 1000, LARGE = 2 * 1024 * 1024, LINE = 8 * 1024 * 1024 };

#define TEXT "record %d: \"quoted\" \\ \xe2\x82\xac"
#define SOCKET "/run/systemd/journal/socket"

LPK_LOG_DEFINE(log_of_test, 65536, 32, 1);
static struct lpk_log *log_ = &log_of_test;
static pid_t journald;
static char line[LINE];
static int first_seq; /* of the records of a step */

static void
end_journald(void)
{
	if (journald > 0) {
		kill(journald, SIGCONT);
		kill(journald, SIGTERM);
		waitpid(journald, NULL, 0);
	}
	journald = 0;
}

static void
fail(const char *what, const char *detail)
{
	printf("journald: %s: %s\n", what, detail);
	end_journald();
	_exit(1);
}

static void
skip(const char *why)
{
	printf("%s: %s\n", why, strerror(errno));
	_exit(77);
}

/* A /run of our own; the namespace ends with this process. */
static void
hide_run(void)
{
	if (unshare(CLONE_NEWNS) != 0)
		skip("may not make a mount namespace");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0)
		skip("may not mount a tmpfs on /run");
	if (mkdir("/run/systemd", 0755) != 0 ||
	    mkdir("/run/systemd/journal", 0755) != 0 ||
	    mkdir("/run/systemd/journald.conf.d", 0755) != 0)
		fail("no folder in /run", strerror(errno));
}

/* It holds back who logs much, unless told otherwise. */
static void
write_configuration(void)
{
	FILE *file = fopen("/run/systemd/journald.conf.d/test.conf", "w");

	if (file == NULL)
		fail("no configuration", strerror(errno));
	fprintf(file,
	    "[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\n"
	    "ForwardToSyslog=no\nForwardToKMsg=no\n"
	    "ForwardToConsole=no\nForwardToWall=no\nAudit=no\n"
	    "ReadKMsg=no\n");
	fclose(file);
}

static void
start_journald(const char *program)
{
	int tries, settled = 0;

	journald = fork();
	if (journald == 0) {
		int fd = open("/run/said", O_WRONLY | O_CREAT | O_APPEND, 0600);

		dup2(fd, 1);
		dup2(fd, 2);
		setenv("SYSTEMD_LOG_TARGET", "console", 1);
		execl(program, "systemd-journald", (char *)NULL);
		_exit(127);
	}
	/* It may make its sockets and then find that it cannot go on. */
	for (tries = 0; tries < 600 && settled < 10; tries++) {
		settled += access(SOCKET, F_OK) == 0;
		if (waitpid(journald, NULL, WNOHANG) != 0) {
			journald = 0;
			system("cat /run/said");
			errno = 0;
			skip("systemd-journald does not run here");
		}
		usleep(50000);
	}
	if (settled == 0)
		fail("no socket", SOCKET);
}

static FILE *
journalctl(const char *options)
{
	char command[512];
	FILE *pipe;

	snprintf(command, sizeof(command),
	    "journalctl -D /run/log/journal --no-pager -q -a %s "
	    "SYSLOG_IDENTIFIER=tester 2>/dev/null",
	    options);
	pipe = popen(command, "r");
	if (pipe == NULL)
		fail("no journalctl", strerror(errno));
	return pipe;
}

/* Is there a field of this name and value in a line of JSON? */
static bool
has(const char *json, const char *name, const char *value)
{
	char field[512];

	snprintf(field, sizeof(field), "\"%s\":\"%s\"", name, value);
	return strstr(json, field) != NULL;
}

static void
must_have(const char *json, const char *name, const char *value)
{
	if (!has(json, name, value)) {
		printf("%s=%s is not in\n", name, value);
		fail("field missing", json);
	}
}

/* How many entries of a kind there are. */
static int
count_entries(const char *match)
{
	char options[256];
	FILE *pipe;
	int count = 0, c;

	snprintf(
	    options, sizeof(options), "-o cat --output-fields=STEP %s", match);
	pipe = journalctl(options);
	while ((c = getc(pipe)) != EOF)
		count += c == '\n';
	pclose(pipe);
	return count;
}

static void
wait_for(const char *match, int count)
{
	int tries = 0, have;

	do {
		have = count_entries(match);
		if (have < count)
			usleep(100000);
	} while (have < count && tries++ < 600);
	if (have != count) {
		snprintf(line, sizeof(line), "%d of %d", have, count);
		fail(match, line);
	}
}

static void
log_one(const char *step, int i)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", i);
	lpk_printk_kv(LPK_WARN,
	    LPK_KV("STEP", step, "NUMBER", number, "NOTE", "two\nlines"), TEXT,
	    i);
}

static void
flush(struct lpk_console *console)
{
	if (lpk_console_flush(console, lpk_now_ns() + UINT64_C(120000000000)) !=
	    LPK_OK)
		fail("no flush", console->name);
}

static struct lpk_console *
add_console(const char *words)
{
	struct lpk_console *console;
	char error[256];

	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK)
		fail("no console", error);
	console->log = log_;
	if (lpk_console_register(console) != LPK_OK)
		fail("no console", "not registered");
	return console;
}

static void
fields_are_shown(struct lpk_console *console)
{
	char want[256], number[16];
	int i, seq = 0;
	FILE *pipe;

	for (i = 0; i < RECORDS; i++)
		log_one("fields", i);
	flush(console);
	wait_for("STEP=fields", RECORDS);
	pipe = journalctl("-o json STEP=fields");
	for (i = 0; i < RECORDS; i++) {
		if (fgets(line, sizeof(line), pipe) == NULL)
			fail("journalctl", "too few lines");
		snprintf(want, sizeof(want),
		    "record %d: \\\"quoted\\\" \\\\ \xe2\x82\xac", i);
		must_have(line, "MESSAGE", want);
		must_have(line, "PRIORITY", "4");
		must_have(line, "_TRANSPORT", "journal");
		snprintf(number, sizeof(number), "%d", i);
		must_have(line, "NUMBER", number);
		must_have(line, "NOTE", "two\\nlines");
		must_have(line, "CODE_FUNC", "log_one");
		snprintf(number, sizeof(number), "%d", (int)getpid());
		must_have(line, "_PID", number);
		if (strstr(line, "\"CODE_FILE\":") == NULL ||
		    strstr(line, "\"CODE_LINE\":") == NULL ||
		    strstr(line, "\"SYSLOG_TIMESTAMP\":") == NULL ||
		    strstr(line, "\"LPK_MONOTONIC_USEC\":") == NULL ||
		    strstr(line, "\"LPK_CALLER\":\"T") == NULL)
			fail("field missing", line);
		seq = atoi(strstr(line, "\"LPK_SEQ\":\"") + 11);
		if (i == 0)
			first_seq = seq;
		if (seq != first_seq + i)
			fail("seq", line);
	}
	pclose(pipe);
	printf("%d records: text, level, place, pairs\n", RECORDS);
}

/* Newlines and other bytes, to the byte: journald's own export format. */
static void
bytes_are_exact(struct lpk_console *console)
{
	static const char want[] = "MESSAGE\n\x0c\0\0\0\0\0\0\0two\nlines\x01"
				   "\xff\t\n";
	size_t bytes, i;
	FILE *pipe;

	lpk_printk_kv(
	    LPK_INFO, LPK_KV("STEP", "bytes"), "two\nlines\x01\xff\t");
	flush(console);
	wait_for("STEP=bytes", 1);
	pipe = journalctl("-o export STEP=bytes");
	bytes = fread(line, 1, sizeof(line), pipe);
	pclose(pipe);
	for (i = 0; i + sizeof(want) <= bytes; i++) {
		if (memcmp(line + i, want, sizeof(want) - 1) == 0) {
			printf("a text of two lines, to the byte\n");
			return;
		}
	}
	fail("export", "the text is not in it");
}

/* More than a datagram holds: the driver, given an entry of our own making. */
static void
large_entry(void)
{
	static char entry[LARGE];
	struct lpk_console console = {.driver = &lpk_journald_driver};
	struct lpk_batch batch = {
	    .bytes = entry,
	    .size_bytes = sizeof(entry),
	    .records = 1,
	    .deadline_ns = UINT64_MAX,
	};
	int c, count = 0;
	FILE *pipe;

	console.device = calloc(1, lpk_journald_driver.device_bytes);
	memset(entry, 'L', sizeof(entry));
	memcpy(entry, "SYSLOG_IDENTIFIER=tester\nSTEP=large\nMESSAGE=", 44);
	entry[sizeof(entry) - 1] = '\n';
	if (console.driver->setup(&console) != LPK_OK ||
	    console.driver->write(&console, &batch) != LARGE)
		fail("large entry", strerror(batch.error));
	console.driver->exit(&console);
	free(console.device);
	wait_for("STEP=large", 1);
	pipe = journalctl("-o cat STEP=large");
	while ((c = getc(pipe)) == 'L')
		count++;
	pclose(pipe);
	if (count != LARGE - 45)
		fail("large entry", "cut");
	printf("an entry of %d bytes\n", LARGE);
}

/* A process that dies says nothing before, and then everything. */
static void
last_words(void)
{
	static const struct rlimit no_core;
	pid_t child = fork();
	int i, status;

	if (child == 0) {
		journald = 0; /* the parent's */
		setrlimit(RLIMIT_CORE, &no_core);
		if (lpk_panic_install(NULL) != LPK_OK)
			_exit(1);
		add_console("journald,tag=tester,mode=panic,start=next");
		for (i = 0; i < 50; i++)
			log_one("last", i);
		raise(SIGSEGV);
		_exit(1);
	}
	waitpid(child, &status, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV)
		fail("last words", "it did not die of its signal");
	wait_for("STEP=last", 50);
	printf("50 records of one that died\n");
}

/* Nobody waits for a journald that is stopped, and nothing is lost. */
static void
stopped(struct lpk_console *console)
{
	struct lpk_console_stats stats;
	int i;

	kill(journald, SIGSTOP);
	for (i = 0; i < RECORDS; i++)
		log_one("stopped", i);
	/* Its thread gives up at each deadline: so the flush ends at its own. */
	if (lpk_console_flush(console, lpk_now_ns() + 300000000) !=
	    -LPK_ETIMEDOUT)
		fail("stopped", "the flush did not time out");
	lpk_console_stats(console, &stats);
	if (stats.lag_records == 0)
		fail("stopped", "nothing is left to print");
	/* The thread does as it is told. */
	if (lpk_console_suspend(console, lpk_now_ns()) == -LPK_EBUSY ||
	    lpk_console_resume(console) != LPK_OK)
		fail("stopped", "the console's thread is stuck");
	kill(journald, SIGCONT);
	flush(console);
	wait_for("STEP=stopped", RECORDS);
	lpk_console_stats(console, &stats);
	if (stats.lost != 0)
		fail("stopped", "records lost");
	printf("%d records while it was stopped\n", RECORDS);
}

static void
restarted(struct lpk_console *console, const char *program)
{
	int i;

	end_journald();
	unlink(SOCKET);
	for (i = 0; i < RECORDS; i++)
		log_one("restarted", i);
	usleep(200000);
	start_journald(program);
	flush(console);
	wait_for("STEP=restarted", RECORDS);
	printf("%d records while there was none\n", RECORDS);
}

int
main(void)
{
	static const char *const places[] = {
	    "/usr/lib/systemd/systemd-journald",
	    "/lib/systemd/systemd-journald"};
	const char *program = NULL;
	struct lpk_console *console;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (program == NULL && access(places[i], X_OK) == 0)
			program = places[i];
	}
	if (program == NULL || access("/etc/machine-id", R_OK) != 0) {
		printf("no systemd-journald here (make deps-interop)\n");
		return 77;
	}
	hide_run();
	write_configuration();
	start_journald(program);
	last_words();
	console = add_console("journald,tag=tester");
	fields_are_shown(console);
	bytes_are_exact(console);
	large_entry();
	stopped(console);
	restarted(console, program);
	lpk_console_unregister(console, lpk_now_ns() + 1000000000);
	lpk_console_free(console);
	end_journald();
	return 0;
}
