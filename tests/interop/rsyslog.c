/* SPDX-License-Identifier: MIT */
/*
 * The console on syslog and a real rsyslogd, with a configuration of its own,
 * on the loopback interface and sockets in a temporary folder. What it parsed
 * is compared with what was logged: every record, text, pair and number.
 */
#define LPK_DEFAULT_LOG log_
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/panic.h>
#include <lpk/printk.h>

enum { RECORDS = 2000, RESTART_RECORDS = 6000, LINES = 40000 };

#define HOSTILE "two\nlines \x1b[31m\xff"
#define HOSTILE_SHOWN "two\\x0alines \\x1b[31m\\xff"
#define NOTE "a \"b\" [c] \\d \xc3\xa9"
#define TEXT "record %d: \"quoted\" [x] \\ \xe2\x82\xac 100%%"

/* A line of rsyslogd's, by the template below. */
struct line {
	unsigned int priority;
	char app[32], process[16], id[40], seq[24], part[24], number[16];
	char note[64], text[600];
};

LPK_LOG_DEFINE(unix_log, 65536, 64, 1);
LPK_LOG_DEFINE(local_log, 65536, 64, 1);
LPK_LOG_DEFINE(udp_log, 65536, 64, 1);
LPK_LOG_DEFINE(tcp_log, 65536, 64, 1);
LPK_LOG_DEFINE(unix_log_2, 65536, 64, 1);
LPK_LOG_DEFINE(tcp_log_2, 65536, 64, 1);
LPK_LOG_DEFINE(unix_log_3, 65536, 64, 1);
LPK_LOG_DEFINE(tcp_log_3, 65536, 64, 1);
LPK_LOG_DEFINE(last_log, 65536, 64, 1); /* of children */
static struct lpk_log *log_;

static char folder[] = "/tmp/lpk-rsyslog-XXXXXX";
static pid_t rsyslogd;
static uint16_t udp_port, tcp_port;
static struct line lines[LINES];

static void
stop_rsyslogd(void)
{
	if (rsyslogd <= 0)
		return;
	kill(rsyslogd, SIGTERM);
	waitpid(rsyslogd, NULL, 0);
	rsyslogd = 0;
}

static void
fail(const char *what, const char *detail)
{
	printf("rsyslog: %s: %s\nsee %s\n", what, detail, folder);
	stop_rsyslogd();
	_exit(1);
}

static const char *
path(const char *name)
{
	static char full[256];

	snprintf(full, sizeof(full), "%s/%s", folder, name);
	return full;
}

static uint16_t
free_port(int type)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(in);
	int fd = socket(AF_INET, type, 0);

	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &bytes) != 0)
		fail("no free port", strerror(errno));
	close(fd);
	return ntohs(in.sin_port);
}

static void
write_ruleset(FILE *file, const char *name)
{
	fprintf(file,
	    "ruleset(name=\"%s\") {\n"
	    "  action(type=\"mmpstrucdata\" sd_name.lowercase=\"off\")\n"
	    "  action(type=\"omfile\" file=\"%s/%s.out\" template=\"t\"\n"
	    "    asyncWriting=\"off\" flushOnTXEnd=\"on\")\n"
	    "}\n",
	    name, folder, name);
}

/* A direct queue: what rsyslogd has read is in the file when it ends. */
static void
write_configuration(void)
{
	FILE *file = fopen(path("conf"), "w");

	fprintf(file,
	    "global(workDirectory=\"%s\")\n"
	    "main_queue(queue.type=\"Direct\")\n"
	    "module(load=\"imuxsock\" sysSock.use=\"off\")\n"
	    "module(load=\"imudp\")\nmodule(load=\"imtcp\")\n"
	    "module(load=\"mmpstrucdata\")\n"
	    "template(name=\"t\" type=\"string\" string=\"%%pri%%|%%app-name%%|"
	    "%%procid%%|%%msgid%%|%%$!rfc5424-sd!lpk@32473!seq%%|"
	    "%%$!rfc5424-sd!lpk@32473!part%%|"
	    "%%$!rfc5424-sd!lpk@32473!NUMBER%%|"
	    "%%$!rfc5424-sd!lpk@32473!NOTE%%|%%msg%%\\n\")\n",
	    folder);
	write_ruleset(file, "unix");
	write_ruleset(file, "local");
	write_ruleset(file, "udp");
	write_ruleset(file, "tcp");
	fprintf(file,
	    "input(type=\"imuxsock\" Socket=\"%s/unix\" ruleset=\"unix\" "
	    "RateLimit.Interval=\"0\" useSpecialParser=\"off\" "
	    "parseHostname=\"on\")\n"
	    "input(type=\"imuxsock\" Socket=\"%s/local\" ruleset=\"local\" "
	    "RateLimit.Interval=\"0\")\n"
	    "input(type=\"imudp\" address=\"127.0.0.1\" port=\"%u\" "
	    "ruleset=\"udp\")\n"
	    "input(type=\"imtcp\" address=\"127.0.0.1\" port=\"%u\" "
	    "ruleset=\"tcp\")\n",
	    folder, folder, udp_port, tcp_port);
	fclose(file);
}

static bool
listens(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(tcp_port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool found = connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0;

	close(fd);
	return found && access(path("unix"), F_OK) == 0 &&
	    access(path("local"), F_OK) == 0;
}

static void
start_rsyslogd(const char *program)
{
	char conf[256], pid[256];
	int tries;

	snprintf(conf, sizeof(conf), "%s/conf", folder);
	snprintf(pid, sizeof(pid), "%s/pid", folder);
	unlink(pid);
	unlink(path("unix"));
	unlink(path("local"));
	rsyslogd = fork();
	if (rsyslogd == 0) {
		int fd =
		    open(path("said"), O_WRONLY | O_CREAT | O_APPEND, 0600);

		dup2(fd, 1);
		dup2(fd, 2);
		execl(program, "rsyslogd", "-n", "-f", conf, "-i", pid,
		    (char *)NULL);
		_exit(127);
	}
	for (tries = 0; tries < 600 && !listens(); tries++) {
		if (waitpid(rsyslogd, NULL, WNOHANG) != 0) {
			rsyslogd = 0;
			fail("rsyslogd ended", path("said"));
		}
		usleep(50000);
	}
	if (tries == 600)
		fail("rsyslogd does not listen", path("said"));
}

static struct lpk_console *
add_console(struct lpk_log *log, const char *format, const char *target)
{
	struct lpk_console *console;
	char words[512], error[256];

	snprintf(words, sizeof(words), format, target);
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK)
		fail(words, error);
	console->log = log;
	if (lpk_console_register(console) != LPK_OK)
		fail("not registered", words);
	return console;
}

static void
flush(struct lpk_console *console)
{
	if (lpk_console_flush(console, lpk_now_ns() + UINT64_C(120000000000)) !=
	    LPK_OK)
		fail("no flush", console->name);
}

static void
remove_console(struct lpk_console *console)
{
	struct lpk_console_stats stats;

	flush(console);
	lpk_console_stats(console, &stats);
	if (stats.lost != 0)
		fail("records lost", console->name);
	lpk_console_unregister(console, lpk_now_ns() + 1000000000);
	lpk_console_free(console);
}

static void
take(char *to, size_t size_bytes, char **rest)
{
	char *field = strsep(rest, "|");

	snprintf(to, size_bytes, "%s", field != NULL ? field : "");
}

static int
load(const char *name)
{
	FILE *file = fopen(path(name), "r");
	char text[4096], *rest, priority[16];
	int count = 0;

	if (file == NULL)
		return 0;
	while (count < LINES && fgets(text, sizeof(text), file) != NULL) {
		struct line *line = &lines[count];

		rest = strchr(text, '\n');
		if (rest == NULL)
			break;
		*rest = '\0';
		rest = text;
		take(priority, sizeof(priority), &rest);
		line->priority = (unsigned int)atoi(priority);
		take(line->app, sizeof(line->app), &rest);
		take(line->process, sizeof(line->process), &rest);
		take(line->id, sizeof(line->id), &rest);
		take(line->seq, sizeof(line->seq), &rest);
		take(line->part, sizeof(line->part), &rest);
		take(line->number, sizeof(line->number), &rest);
		take(line->note, sizeof(line->note), &rest);
		snprintf(line->text, sizeof(line->text), "%s",
		    rest != NULL ? rest : "");
		/* What lpk says of its own accord is not what is compared. */
		if (strstr(line->text, "lpk: console ") == NULL)
			count++;
	}
	fclose(file);
	return count;
}

/* Until rsyslogd has written so many lines. */
static void
wait_for(const char *name, int count)
{
	int tries = 0;

	while (load(name) < count && tries++ < 1200)
		usleep(50000);
	if (load(name) != count) {
		char got[64];

		snprintf(got, sizeof(got), "%d of %d lines", load(name), count);
		fail(name, got);
	}
}

static const enum lpk_level levels[] = {LPK_ERR, LPK_NOTICE, LPK_INFO};

#define LOG(level)                                                             \
	lpk_printk_kv(level, LPK_KV("NUMBER", number, "NOTE", NOTE), TEXT, i)

static void
log_one(int i)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", i);
	if (i % 3 == 0)
		LOG(LPK_ERR);
	else if (i % 3 == 1)
		LOG(LPK_NOTICE);
	else
		LOG(LPK_INFO);
}

static void
expect(const char *what, const char *got, const char *want)
{
	char detail[4096];

	if (strcmp(got, want) == 0)
		return;
	snprintf(detail, sizeof(detail), "\n  got  %s\n  want %s", got, want);
	fail(what, detail);
}

static void
check_line(const struct line *line, int i)
{
	char want[256];

	snprintf(want, sizeof(want), "%d", i);
	expect("pair NUMBER", line->number, want);
	expect("pair NOTE", line->note, NOTE);
	expect("tag", line->app, "tester");
	snprintf(want, sizeof(want), TEXT, i);
	expect("text", line->text, want);
	snprintf(want, sizeof(want), "%d", (int)getpid());
	expect("process", line->process, want);
	if (line->priority != 3 * 8 + levels[i % 3])
		fail("priority", want);
}

static void
every_record(struct lpk_log *log, const char *out, const char *words,
    const char *target, int batch)
{
	struct lpk_console *console = add_console(log, words, target);
	int i;

	log_ = log;
	for (i = 0; i < RECORDS; i++) {
		log_one(i);
		/* What UDP drops, nobody is told: one handful at a time. */
		if (i % batch == batch - 1) {
			flush(console);
			wait_for(out, i + 1);
		}
	}
	lpk_info(HOSTILE);
	flush(console);
	wait_for(out, RECORDS + 1);
	for (i = 0; i < RECORDS; i++) {
		check_line(&lines[i], i);
		if (i != 0 && atoi(lines[i].seq) <= atoi(lines[i - 1].seq))
			fail("seq", lines[i].seq);
	}
	expect("control bytes", lines[RECORDS].text, HOSTILE_SHOWN);
	remove_console(console);
	printf("%s: %d records\n", out, RECORDS + 1);
}

/* As syslog(3) would say it: a tag and the text. */
static void
local_records(void)
{
	struct lpk_console *console = add_console(
	    &local_log, "syslog:%s,tag=tester,facility=daemon", path("local"));
	char want[256];
	int i;

	log_ = &local_log;
	for (i = 0; i < RECORDS; i++)
		log_one(i);
	flush(console);
	wait_for("local.out", RECORDS);
	for (i = 0; i < RECORDS; i++) {
		/* rsyslogd counts the space behind the colon to the text. */
		snprintf(want, sizeof(want), " " TEXT, i);
		expect("local text", lines[i].text, want);
		expect("local tag", lines[i].app, "tester");
		if (lines[i].priority != 3 * 8 + levels[i % 3])
			fail("local priority", want);
	}
	remove_console(console);
	printf("local.out: %d records\n", RECORDS);
}

static void
long_record_in_parts(void)
{
	static char text[901], joined[4096];
	struct lpk_console *console;
	char target[64];
	int i, count, before = load("udp.out"), parts = 0;

	memset(text, 'l', 900);
	snprintf(target, sizeof(target), "127.0.0.1:%u", udp_port);
	log_ = &udp_log;
	console = add_console(log_, "syslog:udp:%s,cap=480,start=next", target);
	lpk_info("%s", text);
	flush(console);
	for (i = 0; i < 1200 && load("udp.out") < before + 3; i++)
		usleep(50000);
	count = load("udp.out");
	for (i = before; i < count; i++) {
		strcat(joined, lines[i].text);
		sscanf(lines[i].part, "%*d/%d", &parts);
	}
	expect("text in parts", joined, text);
	if (parts < 2 || parts != count - before)
		fail("parts", lines[before].part);
	remove_console(console);
	printf("udp.out: %d parts of one record\n", parts);
}

static void *
log_for_a_while(void *unused)
{
	int i;

	for (i = 0; i < RESTART_RECORDS; i++) {
		log_one(i);
		if (i % 10 == 9)
			usleep(2000);
	}
	return unused;
}

/* Every one at least once, and the same, by its seq, whenever it came. */
static int
check_restarted(int count)
{
	static char seen[RESTART_RECORDS][24];
	int i, different = 0;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < count; i++) {
		int number = atoi(lines[i].number);

		if (number < 0 || number >= RESTART_RECORDS)
			fail("a record of nobody", lines[i].text);
		check_line(&lines[i], number);
		if (seen[number][0] != '\0') {
			expect(
			    "seq of a duplicate", lines[i].seq, seen[number]);
			continue;
		}
		memcpy(seen[number], lines[i].seq, sizeof(seen[number]));
		different++;
	}
	return different;
}

static void
restarts(const char *program, struct lpk_log *log, const char *out,
    const char *words, const char *target)
{
	struct lpk_console *console;
	pthread_t writer;
	int i, tries, count = 0, different = 0;

	stop_rsyslogd();
	unlink(path(out));
	start_rsyslogd(program);
	console = add_console(log, words, target);
	log_ = log;
	pthread_create(&writer, NULL, log_for_a_while, NULL);
	for (i = 0; i < 3; i++) {
		usleep(300000);
		stop_rsyslogd();
		usleep(100000);
		start_rsyslogd(program);
	}
	pthread_join(writer, NULL);
	flush(console);
	for (tries = 0; tries < 1200; tries++) {
		count = load(out);
		different = check_restarted(count);
		if (different == RESTART_RECORDS)
			break;
		usleep(50000);
	}
	printf("%s: three restarts, %d of %d records, %d twice\n", out,
	    different, RESTART_RECORDS, count - different);
	if (different != RESTART_RECORDS)
		fail("lost by a restart", out);
	remove_console(console);
}

/* Nobody waits for an rsyslogd that is stopped, and nothing is lost. */
static void
stopped(
    struct lpk_log *log, const char *out, const char *words, const char *target)
{
	struct lpk_console *console;
	int i, before = load(out);

	console = add_console(log, words, target);
	log_ = log;
	kill(rsyslogd, SIGSTOP);
	for (i = 0; i < RESTART_RECORDS; i++)
		log_one(i);
	if (lpk_console_flush(console, lpk_now_ns() + 300000000) !=
	    -LPK_ETIMEDOUT)
		fail("stopped: the flush did not time out", out);
	kill(rsyslogd, SIGCONT);
	flush(console);
	wait_for(out, before + RESTART_RECORDS);
	for (i = 0; i < RESTART_RECORDS; i++)
		check_line(&lines[before + i], i);
	remove_console(console);
	printf("%s: %d records while it was stopped\n", out, RESTART_RECORDS);
}

/* On its way before printk returns. */
static void
direct(const char *target)
{
	struct lpk_console *console;
	int i, before = load("tcp.out");

	log_ = &tcp_log;
	console = add_console(log_,
	    "syslog:tcp:%s,tag=tester,facility=daemon,start=next,mode=direct",
	    target);
	for (i = 0; i < 100; i++)
		log_one(i);
	wait_for("tcp.out", before + 100);
	for (i = 0; i < 100; i++)
		check_line(&lines[before + i], i);
	remove_console(console);
	printf("tcp.out: 100 records in direct mode\n");
}

/* Its last words: none of them before it dies. */
static void
die(const char *words, const char *target)
{
	static const struct rlimit no_core;
	int i;

	/* Whoever fails here must not end the rsyslogd of the parent. */
	rsyslogd = 0;
	setrlimit(RLIMIT_CORE, &no_core);
	if (lpk_panic_install(NULL) != LPK_OK)
		fail("no panic", words);
	add_console(log_, words, target);
	for (i = 0; i < 50; i++)
		log_one(i);
	raise(SIGSEGV);
	_exit(0);
}

static void
last_words(const char *out, const char *words, const char *target)
{
	int before = load(out), i, tries, arrived = 0, status;
	pid_t child;

	log_ = &last_log;
	child = fork();
	if (child == 0)
		die(words, target);
	waitpid(child, &status, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV)
		fail("it did not die of its signal", out);
	for (tries = 0; tries < 600 && arrived < 50; tries++) {
		int count = load(out);

		for (i = before, arrived = 0; i < count; i++)
			arrived += lines[i].number[0] != '\0';
		if (arrived < 50)
			usleep(50000);
	}
	if (arrived != 50)
		fail("last words are missing", out);
	printf("%s: 50 records of one that died\n", out);
}

/* By UDP nobody is told what a receiver that ended had not read. */
static void
down_for_a_while(const char *program, const char *target)
{
	struct lpk_console *console;
	int i, before;

	log_ = &udp_log;
	console = add_console(log_,
	    "syslog:udp:%s,tag=tester,facility=daemon,start=next", target);
	before = load("udp.out");
	stop_rsyslogd();
	for (i = 0; i < 50; i++)
		log_one(i);
	usleep(200000);
	start_rsyslogd(program);
	flush(console);
	wait_for("udp.out", before + 50);
	for (i = 0; i < 50; i++)
		expect("pair NOTE", lines[before + i].note, NOTE);
	remove_console(console);
	printf("udp.out: 50 records logged while nobody listened\n");
}

static void
run(const char *program)
{
	char udp[64], tcp[64], local[256];

	snprintf(udp, sizeof(udp), "127.0.0.1:%u", udp_port);
	snprintf(tcp, sizeof(tcp), "127.0.0.1:%u", tcp_port);
	snprintf(local, sizeof(local), "%s/unix", folder);
	start_rsyslogd(program);
	local_records();
	every_record(&unix_log, "unix.out",
	    "syslog:unix:%s,tag=tester,facility=daemon", local, RECORDS);
	every_record(&tcp_log, "tcp.out",
	    "syslog:tcp:%s,tag=tester,facility=daemon", tcp, RECORDS);
	every_record(&udp_log, "udp.out",
	    "syslog:udp:%s,tag=tester,facility=daemon", udp, 20);
	long_record_in_parts();
	down_for_a_while(program, udp);
	direct(tcp);
	last_words("unix.out",
	    "syslog:unix:%s,tag=tester,facility=daemon,mode=panic", local);
	last_words("tcp.out",
	    "syslog:tcp:%s,tag=tester,facility=daemon,mode=panic", tcp);
	last_words("udp.out",
	    "syslog:udp:%s,tag=tester,facility=daemon,mode=panic", udp);
	stopped(&unix_log_3, "unix.out",
	    "syslog:unix:%s,tag=tester,facility=daemon", local);
	stopped(&tcp_log_3, "tcp.out",
	    "syslog:tcp:%s,tag=tester,facility=daemon", tcp);
	restarts(program, &unix_log_2, "unix.out",
	    "syslog:unix:%s,tag=tester,facility=daemon,resend=1M", local);
	restarts(program, &tcp_log_2, "tcp.out",
	    "syslog:tcp:%s,tag=tester,facility=daemon,resend=1M", tcp);
	stop_rsyslogd();
}

int
main(void)
{
	static const char *const places[] = {
	    "/usr/sbin/rsyslogd", "/sbin/rsyslogd", "/usr/bin/rsyslogd"};
	const char *program = NULL;
	char command[300];
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (program == NULL && access(places[i], X_OK) == 0)
			program = places[i];
	}
	if (program == NULL) {
		printf("no rsyslogd here (make deps-interop)\n");
		return 77;
	}
	if (mkdtemp(folder) == NULL)
		fail("no folder", strerror(errno));
	udp_port = free_port(SOCK_DGRAM);
	tcp_port = free_port(SOCK_STREAM);
	write_configuration();
	run(program);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command) == 0 ? 0 : 1;
}
