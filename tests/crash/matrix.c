/* SPDX-License-Identifier: MIT */
/*
 * matrix.c - all the ways to die, and what is left of the log after each. The
 * rows are those of the table in docs/LASTWORDS.md, which this writes.
 *
 *   matrix [-n MOMENTS] [-c ROW] [-o FILE] [-s SEED] [BUILD=PROGRAM]...
 *
 * PROGRAM is this program, built in another way; without any, itself. The tool
 * lpk is that of the folder LPK_BUILD, or LPK_TOOL.
 */
#include "crash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BUILDS_MAX 8
/* A machine may be slow to run us, but a death that hangs is another matter. */
#define BUDGET_NS 2000000000ull
#define SLACK_NS 8000000000ull

#define CRASHING "crashing:%d,name=a;file:%s/b,name=b"
#define SLEEPING "sleeping:%d,name=a;file:%s/b,name=b"
#define DOZING "dozing:%d,name=a;file:%s/b,name=b"
#define FAILING "failing:%d,name=a;file:%s/b,name=b"
#define SLOWLY "slow:%d,name=a;file:%s/b,name=b"
#define ON_FULL "fd:%d,name=a;fd:30,name=b"

struct build {
	const char *name, *program;
};

/* A cell of the table. */
struct result {
	unsigned int runs, bad;
	uint64_t committed, found, on_a, on_b, replays;
	const char *skipped;
};

static struct build builds[BUILDS_MAX]; /* columns */
static int build_count;
static struct build others[BUILDS_MAX]; /* for rows of their own */
static int other_count;
static struct page *shared;
static int shared_fd;
static char folder[] = "/tmp/lpk-crash-XXXXXX";
static uint64_t random_state;
static unsigned int moments = 1;

/* ------------------------------------------------------------------------
 * What the parent does to a child that calls for it */

static void
parent_snapshot(struct run *run)
{
	struct timespec now;
	int i;

	for (i = 0; i < IDS; i++)
		run->page->at_death[i] = atomic_load(&run->page->acked[i]);
	clock_gettime(CLOCK_MONOTONIC, &now);
	atomic_store(&run->page->death_ns,
	    (unsigned long long)now.tv_sec * 1000000000 +
		(unsigned long long)now.tv_nsec);
}

static void
kill_segv(struct run *run)
{
	parent_snapshot(run);
	kill(run->pid, SIGSEGV);
}

/* Another log than that of the row, which is judged at the end. */
static bool
read_other(struct run *run, struct tally *tally, const char *arguments)
{
	const struct death other = {.memory = WANT_NOTHING};
	const struct death *row = run->death;
	bool good;

	run->death = &other;
	good = judge_image(run, tally, arguments);
	run->death = row;
	if (good && tally->wrong[0] != '\0')
		run_wrong(run, "lpk dmesg %s: %s", arguments, tally->wrong);
	return good;
}

/* Who supervises it sees the log of the living. */
static void
look(struct run *run)
{
	struct tally tally = {0};
	char arguments[32];
	int i;

	parent_snapshot(run);
	if (run->page->bare)
		return;
	snprintf(arguments, sizeof(arguments), "-p %d", (int)run->pid);
	if (!read_other(run, &tally, arguments))
		return;
	for (i = 0; i < IDS; i++) {
		if (tally.seen[i] < run->page->at_death[i])
			run_wrong(run, "seen by the supervisor: %u of %u",
			    tally.seen[i], run->page->at_death[i]);
	}
}

static void
look_and_abort(struct run *run)
{
	look(run);
	kill(run->pid, SIGABRT);
}

static void
stop_look_and_kill(struct run *run)
{
	kill(run->pid, SIGSTOP);
	look(run);
	kill(run->pid, SIGKILL);
}

/* ------------------------------------------------------------------------
 * What else is to be so after some deaths */

static bool
previous_ran(struct run *run)
{
	if (atomic_load(&run->page->previous) != SIGSEGV)
		run_wrong(run, "the earlier handler got %d",
		    atomic_load(&run->page->previous));
	return true;
}

static bool
inner_died(struct run *run)
{
	int status = atomic_load(&run->page->inner) - 1;

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV)
		run_wrong(run, "the child of the child: status %x", status);
	return true;
}

static bool
inner_log(struct run *run)
{
	struct tally tally = {0};
	char arguments[256];

	inner_died(run);
	snprintf(arguments, sizeof(arguments), "-f '%s/inner'", folder);
	if (read_other(run, &tally, arguments) &&
	    (tally.records != 100 || tally.seen[FORKED] != 100))
		run_wrong(
		    run, "the child's own log: %u records", tally.records);
	return true;
}

/* What others have to say about it is not lost. */
static void
check_said(struct run *run)
{
	char path[256], *text;
	size_t bytes;

	snprintf(path, sizeof(path), "%s/err", folder);
	text = read_whole(path, &bytes);
	if (text == NULL ||
	    memmem(text, bytes, run->death->said, strlen(run->death->said)) ==
		NULL)
		run_wrong(
		    run, "standard error is without \"%s\"", run->death->said);
	free(text);
}

static bool
was_skipped(struct run *run)
{
	if (run->drained == NULL ||
	    memmem(run->drained, run->drained_bytes, "** skipped ", 11) == NULL)
		run_wrong(run, "the slow console does not say what it skips");
	return true;
}

static const char *
by_loop_device(void)
{
	return "see tests/interop/test_durable.sh (make interop)";
}

static const char *
by_fuzzer(void)
{
	return "see tests/unit/test_tool_image.c (make fuzz)";
}

/* ------------------------------------------------------------------------
 * The matrix */

#define ON(x, y, z) .a = WANT_##x, .b = WANT_##y, .memory = WANT_##z
#define ALL ON(ALL, ALL, ALL)
#define PRINTED ON(PRINTED, PRINTED, ALL)

static const struct death deaths[] = {
    {"1", "NULL write in main()", die_null, QUIET | ADDRESS | TRACE, ALL},
    {"2", "the same in a worker, 8 others log", die_null,
	RACING | WORKER | ADDRESS, ALL},
    {"3a", "abort()", die_abort, RACING, ALL},
    {"3b", "assert()", die_assert, RACING | WORKER, ALL, .said = "zero == 1"},
    {"4a", "SIGFPE", die_fpe, RACING, ALL},
    {"4b", "SIGILL", die_ill, RACING, ALL},
    {"4c", "SIGBUS, a file that somebody cut", die_bus, RACING, ALL},
    {"4d", "SIGSYS", die_sys, RACING, ALL},
    {"5", "kill -SEGV from outside", die_wait, RACING, ALL,
	.during = kill_segv},
    {"6", "stack overflow in main()", die_overflow, RACING, ALL},
    {"7", "stack overflow in a worker that logged", die_overflow,
	RACING | WORKER, ALL},
    {"8", "stack overflow in a worker that never logged", die_overflow,
	RACING | STRANGER | NO_SIGINFO, PRINTED},
    {"9", "heap corruption, found by the heap", die_heap,
	RACING | WORKER | TRACE, ALL},
    {"10", "crash while others hold the loader's lock and stderr's",
	die_under_locks, RACING | TRACE | ADDRESS, ALL},
    {"11", "SIGKILL", die_kill, RACING | NO_CORE, PRINTED},
    {"12", "out of memory, in a control group", die_oom,
	CGROUP | NO_CORE | RACING, PRINTED, .impossible = no_cgroup},
    {"13a", "_exit()", die_exit_now, RACING | NO_CORE, PRINTED},
    {"13b", "execve()", die_exec, RACING | NO_CORE, PRINTED},
    {"14", "exit() while others log; a destructor logs", die_exit,
	RACING | NO_CORE, ON(ALL, ALL, ALL)},
    {"15a", "crash in a console's thread, mid-record, with its lock",
	die_elsewhere, RACING | NO_CORE | ELSEWHERE | NO_BARE, ALL,
	.consoles = CRASHING},
    {"15b", "crash in write_on_panic()", die_null, RACING | ADDRESS,
	ON(NOTHING, ALL, ALL), .consoles = FAILING},
    {"15c", "crash in a dumper", die_null, RACING | ADDRESS, ALL,
	.after = after_dumper},
    {"16a", "crash while a console's owner sleeps with its lock",
	die_beside_sleeper, RACING | WORKER | ADDRESS, ALL,
	.consoles = SLEEPING},
    {"16b", "the same where it may be taken over", die_beside_sleeper,
	RACING | WORKER | ADDRESS, ALL, .consoles = DOZING},
    {"17", "two threads crash together", die_two, RACING | EITHER, ALL},
    {"18", "a pipe that is full, its reader stopped", die_null,
	STALLED | ADDRESS, ON(PRINTED, ALL, ALL)},
    {"19a", "a pipe whose reader is gone", die_null,
	RACING | HANGS_UP | ADDRESS, ON(NOTHING, ALL, ALL)},
    {"19b", "a file over RLIMIT_FSIZE", die_null, NO_CORE,
	ON(ALL, PRINTED, ALL), .after = after_limit},
    {"19c", "a device that is full", die_null, FULL | ADDRESS,
	ON(ALL, NOTHING, ALL), .consoles = ON_FULL},
    {"20", "SIGSEGV blocked in the thread that faults", die_blocked,
	RACING | WORKER | ADDRESS, PRINTED},
    {"21a", "strict seccomp, with `LPK_INIT_SANDBOX`", die_strict,
	RACING | ADDRESS | SANDBOX, ALL},
    {"21b", "a filter that kills for openat, tgkill, mmap, clone", die_filtered,
	RACING | ADDRESS, ALL},
    {"22", "a signal inside of printk", die_logger, RACING, ALL},
    {"23a", "a forked child crashes; the parent goes on", die_fork, RACING, ALL,
	.judge = inner_log},
    {"23b", "a child of vfork() crashes; the parent goes on", die_vfork,
	RACING | NO_CORE, ALL, .judge = inner_died},
    {"24", "deadlock; looked at, then SIGABRT", die_deadlock, 0, ALL,
	.during = look_and_abort},
    {"25", "SIGSTOP; looked at, then SIGKILL", die_wait, NO_CORE, PRINTED,
	.during = stop_look_and_kill},
    {"26a", "a handler installed before ours", die_null, RACING | ADDRESS, ALL,
	.before = before_previous, .judge = previous_ran},
    {"26b", "a handler installed after ours, by signal()", die_signal_replaced,
	RACING | ADDRESS, PRINTED, .judge = previous_ran},
    {"26c", "ours put back by signal()", die_signal_restored,
	RACING | ADDRESS | NO_CORE, ALL},
    {"26d", "installed after ours by signal(), then `lpk_panic_rearm()`",
	die_signal_rearmed, RACING | ADDRESS, ALL, .judge = previous_ran},
    {"26e", "the same, and it hands on to ours", die_signal_chained,
	RACING | ADDRESS, ALL, .judge = previous_ran},
    {"27a", "NULL write under AddressSanitizer", die_null, NO_CORE, ALL,
	.build = "asan", .said = "AddressSanitizer"},
    {"27b", "the same under ThreadSanitizer", die_null, NO_CORE | NO_REGION,
	ON(ALL, ALL, NOTHING), .build = "tsan", .said = "ThreadSanitizer"},
    {"28", "the library's module unloaded, then a crash", die_unloaded,
	ALONE | ADDRESS | MODULE, ALL, .impossible = no_library},
    {"29", "a slow console, while others flood the log", die_null,
	FLOOD | SLOW | ADDRESS, ON(TAIL, TAIL, TAIL), .consoles = SLOWLY,
	.judge = was_skipped},
    {"30", "power cut, durable mode", NULL, 0, PRINTED,
	.impossible = by_loop_device},
    {"31", "a million images with changed bytes", NULL, 0, PRINTED,
	.impossible = by_fuzzer},
    {"32", "the core file alone", die_null, MEMFD | ADDRESS, ALL,
	.impossible = no_cores},
    {"33a", "crash before lpk_init()", die_null, ALONE | ADDRESS,
	ON(NOTHING, NOTHING, NOTHING)},
    {"33b", "crash after lpk_shutdown()", die_shut_down, RACING | ADDRESS, ALL},
    {"34", "lpk_panic()", die_panic, RACING | NO_BARE, ALL},
    {"35a", "NULL write as process 1 of a namespace", die_null,
	NAMESPACE | NO_CORE | RACING, ALL, .impossible = no_namespace},
    {"35b", "abort() as process 1 of a namespace", die_abort,
	NAMESPACE | NO_CORE | RACING, ALL, .impossible = no_namespace},
    {"35c", "raise(SIGABRT) as process 1, which goes on", die_survived,
	NAMESPACE | NO_CORE | RACING, ALL, .impossible = no_namespace},
};
#define DEATHS ((int)(sizeof(deaths) / sizeof(deaths[0])))

static struct result results[DEATHS][BUILDS_MAX];

/* ------------------------------------------------------------------------
 * One run */

static uint32_t
next_random(void)
{
	random_state =
	    random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 32);
}

static void
sweep(void)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	char path[512];

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	if (directory != NULL)
		closedir(directory);
}

static void
prepare(struct run *run, const struct death *death, const char *program)
{
	const char *build = getenv("LPK_BUILD");

	memset(shared, 0, sizeof(*shared));
	memset(run, 0, sizeof(*run));
	sweep();
	snprintf(shared->folder, sizeof(shared->folder), "%s", folder);
	snprintf(shared->library, sizeof(shared->library), "%s",
	    build != NULL ? build : "build");
	shared->random = next_random();
	run->death = death;
	run->program = program;
	run->page = shared;
	run->page_fd = shared_fd;
}

static bool
find_core(char *path, size_t bytes)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	bool found = false;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (strncmp(entry->d_name, "core", 4) == 0) {
			snprintf(path, bytes, "%s/%s", folder, entry->d_name);
			found = true;
		}
	}
	if (directory != NULL)
		closedir(directory);
	return found;
}

/* The same death without lpk: what its parent sees, and the core. */
static bool
die_bare(const struct death *death, const char *program, int *status,
    struct core_info *info)
{
	struct run run;
	char path[512];

	prepare(&run, death, program);
	shared->bare = true;
	run.core = no_cores() == NULL && !(death->flags & NO_CORE);
	run_start(&run);
	run_end(&run);
	free(run.drained);
	*status = run.status;
	memset(info, 0, sizeof(*info));
	if (run.core &&
	    (!find_core(path, sizeof(path)) || !core_read(path, info)))
		return false;
	return WIFSIGNALED(*status) || WEXITSTATUS(*status) < 98;
}

static void
check_core(struct run *run, const struct core_info *want)
{
	struct core_info got;
	char path[512];

	if (!find_core(path, sizeof(path)) || !core_read(path, &got)) {
		run_wrong(run, "no core");
		return;
	}
	if (got.signo != want->signo || got.code != want->code ||
	    ((run->death->flags & ADDRESS) && got.address != want->address))
		run_wrong(run,
		    "core: signal %d code %d address %llx, without lpk "
		    "%d, %d, %llx",
		    got.signo, got.code, (unsigned long long)got.address,
		    want->signo, want->code, (unsigned long long)want->address);
}

static int
signal_of(const char *name)
{
	return strcmp(name, "SIGSEGV") == 0 ? SIGSEGV :
	    strcmp(name, "SIGFPE") == 0     ? SIGFPE :
					      0;
}

static void
check_status(struct run *run, int want, const char *told)
{
	int got = run->status;

	if (run->death->flags & NO_BARE)
		want =
		    strcmp(run->death->number, "34") == 0 ? SIGABRT : SIGSEGV;
	if (run->death->flags & EITHER)
		want = signal_of(told);
	/* A core there is only where one was asked for. */
	if (!run->core || (run->death->flags & (EITHER | NO_BARE))) {
		want &= ~0x80;
		got &= ~0x80;
	}
	if (got != want)
		run_wrong(run, "status %x, without lpk %x", got, want);
}

static void
judge(struct run *run, int want, const struct core_info *info,
    struct result *result)
{
	struct tally a = {0}, b = {0}, image = {0};
	uint64_t budget = BUDGET_NS + SLACK_NS;
	char arguments[600], path[512];
	int i;

	snprintf(arguments, sizeof(arguments), "-f '%s/log'", folder);
	if ((run->death->flags & MEMFD) && find_core(path, sizeof(path)))
		snprintf(arguments, sizeof(arguments), "--core '%s'", path);
	if (run->death->memory != WANT_NOTHING)
		judge_image(run, &image, arguments);
	judge_console(run, &a, true);
	judge_console(run, &b, false);
	check_status(run, want, image.first_panic);
	if (run->core && !(run->death->flags & (NO_BARE | EITHER | NO_SIGINFO)))
		check_core(run, info);
	if (run->death->flags & SLOW)
		budget += BUDGET_NS;
	if (run->took_ns > budget)
		run_wrong(run, "it took %llu ms to die",
		    (unsigned long long)run->took_ns / 1000000);
	if (run->death->judge != NULL)
		run->death->judge(run);
	if (run->death->said != NULL)
		check_said(run);
	for (i = 0; i < IDS; i++)
		result->committed += atomic_load(&run->page->acked[i]);
	result->found += image.records;
	result->on_a += a.records;
	result->on_b += b.records;
	result->replays += a.replays + b.replays;
}

static void
complain(const struct run *run, const struct build *build, unsigned int moment)
{
	printf("row %s, %s, moment %u (random %u): %s\n", run->death->number,
	    build->name, moment, run->page->random, run->wrong);
	if (getenv("LPK_CRASH_KEEP") != NULL) {
		FILE *file = fopen("drained", "w");

		if (file != NULL) {
			fwrite(run->drained, 1, run->drained_bytes, file);
			fclose(file);
		}
		printf("kept in %s\n", folder);
		exit(1);
	}
}

/* A row may have a build of its own, which is not always there. */
static const struct build *
build_of(const struct death *death, const struct build *build)
{
	int i;

	if (death->build == NULL)
		return build;
	for (i = 0; i < other_count; i++) {
		if (strcmp(others[i].name, death->build) == 0)
			return &others[i];
	}
	return NULL;
}

static void
run_row(
    const struct death *death, const struct build *build, struct result *result)
{
	unsigned int count = death->flags & RACING ? moments : moments / 20, i;
	struct core_info info = {0};
	struct run run;
	int want = 0;

	result->skipped =
	    death->impossible != NULL ? death->impossible() : NULL;
	build = build_of(death, build);
	if (build == NULL)
		result->skipped = "see make crash";
	else if ((death->flags & MODULE) && build != &builds[0])
		result->skipped = "a static program loads none";
	if (result->skipped != NULL)
		return;
	if (!(death->flags & NO_BARE) &&
	    !die_bare(death, build->program, &want, &info)) {
		printf("row %s, %s: does not die without lpk: %x\n",
		    death->number, build->name, want);
		result->bad++;
		return;
	}
	for (i = 0; i == 0 || i < count; i++) {
		prepare(&run, death, build->program);
		run.core = no_cores() == NULL && !(death->flags & NO_CORE) &&
		    (i == 0 || (death->flags & MEMFD));
		run_start(&run);
		run_end(&run);
		judge(&run, want, &info, result);
		result->runs++;
		if (run.wrong[0] != '\0' && result->bad++ < 5)
			complain(&run, build, i);
		free(run.drained);
	}
	if (death->flags & CGROUP)
		cgroup_leave();
}

/* ------------------------------------------------------------------------
 * The table */

static const char *
words_of(enum want want)
{
	switch (want) {
	case WANT_ALL:
		return "all";
	case WANT_PRINTED:
		return "already printed";
	case WANT_TAIL:
		return "newest";
	default:
		return "-";
	}
}

static void
write_cell(FILE *file, const struct result *result, bool first)
{
	if (result->skipped != NULL && !first)
		fprintf(file, " - |");
	else if (result->skipped != NULL)
		fprintf(file, " %s |", result->skipped);
	else if (result->bad != 0)
		fprintf(file, " **%u of %u bad** |", result->bad, result->runs);
	else if (result->runs == 0)
		fprintf(file, " - |");
	else
		fprintf(file, " %u |", result->runs);
}

static void
write_row(FILE *file, int row)
{
	const struct death *death = &deaths[row];
	uint64_t committed = 0, found = 0;
	int i;

	for (i = 0; i < build_count; i++) {
		committed += results[row][i].committed;
		found += results[row][i].found;
	}
	fprintf(file, "| %s | %s |", death->number, death->name);
	if (death->die == NULL)
		fprintf(file, " | | | | |");
	else
		fprintf(file, " %s | %s | %s | %llu | %llu |",
		    words_of(death->a), words_of(death->b),
		    words_of(death->memory), (unsigned long long)committed,
		    (unsigned long long)found);
	for (i = 0; i < build_count; i++)
		write_cell(file, &results[row][i], i == 0);
	fputc('\n', file);
}

static void
write_table(const char *path)
{
	FILE *file = fopen(path, "w");
	int i;

	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	fputs("| # | death | pipe | file | memory | committed | found |", file);
	for (i = 0; i < build_count; i++)
		fprintf(file, " %s |", builds[i].name);
	fputs("\n|---|---|---|---|---|---:|---:|", file);
	for (i = 0; i < build_count; i++)
		fputs("---|", file);
	fputc('\n', file);
	for (i = 0; i < DEATHS; i++)
		write_row(file, i);
	fclose(file);
}

static int
run_all(const char *only)
{
	int bad = 0, i, j;

	for (i = 0; i < DEATHS; i++) {
		if (only != NULL && strcmp(only, deaths[i].number) != 0)
			continue;
		for (j = 0; j < build_count; j++) {
			struct result *result = &results[i][j];

			if (j != 0 && deaths[i].build != NULL)
				continue;
			run_row(&deaths[i], &builds[j], result);
			bad += result->bad != 0;
			printf("%-4s %-12s %4u runs %s%s\n", deaths[i].number,
			    builds[j].name, result->runs,
			    result->bad != 0 ? "BAD" : "",
			    result->skipped != NULL ? result->skipped : "");
			fflush(stdout);
		}
	}
	return bad;
}

static void
be_child(const char *number, int fd)
{
	int i;

	for (i = 0; i < DEATHS; i++) {
		if (strcmp(deaths[i].number, number) == 0)
			child_main(&deaths[i], fd);
	}
	_exit(99);
}

static bool
is_other(const char *name)
{
	int i;

	for (i = 0; i < DEATHS; i++) {
		if (deaths[i].build != NULL &&
		    strcmp(deaths[i].build, name) == 0)
			return other_count < BUILDS_MAX;
	}
	return false;
}

static const char *
options(int argc, char **argv, const char **only)
{
	const char *output = NULL;
	char *equals;
	int option;

	while ((option = getopt(argc, argv, "n:c:o:s:")) != -1) {
		switch (option) {
		case 'n':
			moments = (unsigned int)atoi(optarg);
			break;
		case 'c':
			*only = optarg;
			break;
		case 'o':
			output = optarg;
			break;
		case 's':
			random_state = strtoull(optarg, NULL, 0);
			break;
		default:
			exit(2);
		}
	}
	for (; optind < argc && build_count < BUILDS_MAX; optind++) {
		equals = strchr(argv[optind], '=');
		if (equals == NULL)
			exit(2);
		*equals = '\0';
		if (is_other(argv[optind]))
			others[other_count++] =
			    (struct build){argv[optind], equals + 1};
		else
			builds[build_count++] =
			    (struct build){argv[optind], equals + 1};
	}
	if (build_count == 0)
		builds[build_count++] =
		    (struct build){"dynamic", "/proc/self/exe"};
	return output;
}

int
main(int argc, char **argv)
{
	const char *only = NULL, *output;
	int bad;

	if (argc == 4 && strcmp(argv[1], "--child") == 0)
		be_child(argv[2], atoi(argv[3]));
	random_state = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
	output = options(argc, argv, &only);
	printf("seed %llu (-s)\n", (unsigned long long)random_state);
	fflush(stdout);
	unsetenv("LPK_CONSOLE");
	unsetenv("LPK_REGION");
	unsetenv("LPK_LOG");
	/* Functions are bound when they are first called: in a crash, too. */
	unsetenv("LD_BIND_NOW");
	signal(SIGPIPE, SIG_IGN);
	if (access(lpk_path(), X_OK) != 0) {
		printf("no tool at %s\n", lpk_path());
		return 77;
	}
	shared_fd = memfd_create("page", 0);
	if (shared_fd < 0 || ftruncate(shared_fd, sizeof(*shared)) != 0 ||
	    mkdtemp(folder) == NULL)
		return 1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
	    shared_fd, 0);
	if (shared == MAP_FAILED)
		return 1;
	bad = run_all(only);
	sweep();
	rmdir(folder);
	if (output != NULL)
		write_table(output);
	printf("%d rows are bad\n", bad);
	return bad != 0;
}
