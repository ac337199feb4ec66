/* SPDX-License-Identifier: MIT */
/*
 * compare.c - lpk, and what a program would use instead: the published
 * harnesses, for all of them in turn, in one run, into files on one file
 * system. Each measurement is a process of its own (peers/), which is ended
 * when it does not end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib_private.h"
#include "lib_shared.h"

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define CELLS_MAX 200
/* Throughput ends after so long, however few lines were made. */
#define LIMIT_S bench_count(3, 1)
#define IDLE_NS (bench_count(500, 200) * MS)

enum receiver { NO_RECEIVER, SYSLOG, LTTNG, RECEIVERS };

struct logger {
	const char *name;    /* as its program calls it */
	const char *program; /* in peers/ */
	const char *package; /* where it comes from; NULL: with the C library */
	enum receiver receiver;
	bool defers; /* the caller does not do the work */
	char why_not[300];
};

static struct logger loggers[] = {
    {"lpk", "lpk", NULL, NO_RECEIVER, true, ""},
    {"lpk, direct", "lpk", NULL, NO_RECEIVER, false, ""},
    {"lpk, ring alone", "lpk", NULL, NO_RECEIVER, false, ""},
    {"libqb blackbox", "libqb", "libqb-dev", NO_RECEIVER, false, ""},
    {"LTTng-UST", "lttng", "liblttng-ust-dev, liblttng-ctl-dev", LTTNG, true,
	""},
    {"spdlog, async", "spdlog", "libspdlog-dev", NO_RECEIVER, true, ""},
    {"spdlog", "spdlog", "libspdlog-dev", NO_RECEIVER, false, ""},
    {"glog", "glog", "libgoogle-glog-dev", NO_RECEIVER, false, ""},
    {"stdio", "stdio", NULL, NO_RECEIVER, false, ""},
    {"write(2)", "stdio", NULL, NO_RECEIVER, false, ""},
    {"syslog(3)", "syslog", NULL, SYSLOG, false, ""},
};

#define LOGGERS (sizeof(loggers) / sizeof(loggers[0]))

static const char *const message_names[] = {
    "int, int64, double", "int, int64, long string", "int, int, double"};

/* What is asked of each logger. */
struct plan {
	const char *group;
	enum peer_message message;
	unsigned int producers;
	unsigned long bursts[2]; /* full, quick; 0: throughput */
	unsigned long
	    all_bursts[2]; /* of those that do not defer; 0: as many */
	unsigned long every[2];
	unsigned long lines[2];
	bool idle;
};

static const struct plan plans[] = {
    {"1. Call-site latency: int, int64, double; 1 producer", PEER_NUMBERS, 1,
	{10000, 100}, {500, 100}, {10, 1}, {0, 0}, true},
    {"2. Call-site latency: int, int64, long string; 1 producer", PEER_STRING,
	1, {200, 0}, {200, 0}, {1, 1}, {0, 0}, false},
    {"3. Call-site latency: int, int64, double; 2 producers", PEER_NUMBERS, 2,
	{200, 0}, {200, 0}, {1, 1}, {0, 0}, false},
    {"4. Call-site latency: int, int64, double; 4 producers", PEER_NUMBERS, 4,
	{200, 20}, {200, 20}, {1, 1}, {0, 0}, false},
    {"5. Call-site latency: int, int64, double; 16 producers", PEER_NUMBERS, 16,
	{100, 0}, {100, 0}, {1, 1}, {0, 0}, false},
    {"6. Call-site latency: int, int64, double; 64 producers", PEER_NUMBERS, 64,
	{50, 5}, {50, 5}, {1, 1}, {0, 0}, false},
    {"7. Throughput: int, int, double; 1 producer", PEER_LINE, 1, {0, 0},
	{0, 0}, {1, 1}, {4000000, 100000}, false},
    {"8. Throughput: int, int64, long string; 1 producer", PEER_STRING, 1,
	{0, 0}, {0, 0}, {1, 1}, {500000, 0}, false},
    {"9. Throughput: int, int64, double; 4 producers", PEER_NUMBERS, 4, {0, 0},
	{0, 0}, {1, 1}, {500000, 0}, false},
};

#define PLANS (sizeof(plans) / sizeof(plans[0]))

struct cell {
	const struct plan *plan;
	const struct logger *logger;
	struct peer_result result;
	char remark[200];
	char tags[3][400];
	char kind[48];
};

static struct cell *cells[CELLS_MAX];
static size_t cell_count;
static struct bench_shared *shared;
static struct bench_daemon daemons[RECEIVERS];
static const char *daemon_why_not[RECEIVERS];
static const char *folder, *private_why_not;
static char program_folder[400];

/* ------------------------------------------------------------------------
 * Running them
 */

static unsigned long
wanted(const unsigned long *of)
{
	return bench_count(of[0], of[1]);
}

static unsigned long
bursts_of(const struct plan *plan, const struct logger *logger)
{
	unsigned long bursts =
	    wanted(logger->defers ? plan->bursts : plan->all_bursts);

	/* All of them with the published number; takes its time. */
	if (!bench_options.quick && getenv("BENCH_PUBLISHED") != NULL)
		bursts = plan->bursts[0];
	return bursts;
}

static void
write_job(const struct plan *plan, const struct logger *logger)
{
	struct peer_job *job = &shared->job;

	memset(job, 0, sizeof(*job));
	memset(&shared->result, 0, sizeof(shared->result));
	shared->clock = bench_clock;
	snprintf(job->peer, sizeof(job->peer), "%s", logger->name);
	snprintf(job->folder, sizeof(job->folder), "%s/job", folder);
	snprintf(job->syslog, sizeof(job->syslog), "%s", daemons[SYSLOG].path);
	job->receiver = daemons[logger->receiver].id;
	job->message = plan->message;
	job->producers = plan->producers;
	job->bursts = bursts_of(plan, logger);
	job->every = wanted(plan->every);
	job->lines = wanted(plan->lines);
	job->limit_ns = LIMIT_S * SECOND;
	job->idle_ns = plan->idle ? IDLE_NS : 0;
}

/* The child of a measurement. */
static void
become(const struct logger *logger, int memory)
{
	char path[512];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	snprintf(path, sizeof(path), "%s/said", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	dup2(memory, BENCH_SHARED_FD);
	/* Or the C library looks for another time zone at each conversion. */
	setenv("TZ", ":/etc/localtime", 0);
	snprintf(path, sizeof(path), "%s/%s", program_folder, logger->program);
	execl(path, logger->program, (char *)NULL);
	_exit(127);
}

static const char *
wait_for_end(pid_t child)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	uint64_t end = bench_now_ns() + bench_count(120, 45) * SECOND;
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (bench_now_ns() < end) {
			nanosleep(&pause, NULL);
			continue;
		}
		kill(-child, SIGKILL);
		waitpid(child, &status, 0);
		return "did not end";
	}
	if (shared->result.done)
		return NULL;
	if (shared->result.why_not[0] != '\0')
		return shared->result.why_not;
	return WIFSIGNALED(status) ? "crashed" : "ended early";
}

static const char *
measure(const struct plan *plan, const struct logger *logger, int memory)
{
	char job_folder[400];
	const char *why_not;
	pid_t child;

	write_job(plan, logger);
	snprintf(job_folder, sizeof(job_folder), "%s", shared->job.folder);
	if (mkdir(job_folder, 0700) != 0)
		return "no folder";
	child = fork();
	if (child < 0)
		bench_die("fork");
	if (child == 0)
		become(logger, memory);
	why_not = wait_for_end(child);
	bench_folder_remove(job_folder);
	return why_not;
}

static bool
is_built(struct logger *logger)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", program_folder, logger->program);
	if (access(path, X_OK) == 0)
		return true;
	snprintf(logger->why_not, sizeof(logger->why_not),
	    "not built; %s (make deps-bench), then make again",
	    logger->package != NULL ? logger->package : "none");
	return false;
}

static void
run_one(const struct plan *plan, struct logger *logger, int memory)
{
	const char *why_not;
	const char *only = getenv("BENCH_PEER");
	struct cell *cell;

	if (logger->why_not[0] != '\0' ||
	    (only != NULL && strcmp(only, logger->program) != 0) ||
	    (bursts_of(plan, logger) == 0 && wanted(plan->lines) == 0))
		return;
	bench_progress("%s: %s", plan->group, logger->name);
	bench_speed_probe();
	why_not = measure(plan, logger, memory);
	if (why_not != NULL) {
		snprintf(
		    logger->why_not, sizeof(logger->why_not), "%s", why_not);
		return;
	}
	if (cell_count == CELLS_MAX)
		bench_die("CELLS_MAX");
	cell = bench_alloc(sizeof(*cell));
	cell->plan = plan;
	cell->logger = logger;
	cell->result = shared->result;
	cells[cell_count++] = cell;
}

/* ------------------------------------------------------------------------
 * The report
 */

static void
tag(struct cell *cell, int which, const char *what)
{
	const struct peer_result *result = &cell->result;

	snprintf(cell->tags[which], sizeof(cell->tags[which]),
	    "\"scenario\": \"%s\", \"peer\": \"%s\", \"message\": \"%s\", "
	    "\"producers\": %u, \"what\": \"%s\", \"cpu_ns_a_line\": %.1f, "
	    "\"wakeups\": %.0f, \"kept\": %.0f, \"file_bytes\": %.0f",
	    which == 2 ? "throughput" : "call_site", cell->logger->name,
	    message_names[cell->plan->message], cell->plan->producers, what,
	    result->calls != 0 ?
		(double)result->cpu_ns / (double)result->calls :
		0,
	    (double)result->wakeups, (double)result->kept,
	    (double)result->file_bytes);
}

static struct bench_figure
figure_of(struct cell *cell)
{
	const struct peer_result *result = &cell->result;

	return (struct bench_figure){
	    .group = cell->plan->group,
	    .name = cell->logger->name,
	    .cpus = cell->plan->producers == 1 ? "0" : "all",
	    .note = cell->plan == plans ? result->about : NULL,
	    .remark = cell->remark,
	    .calls = result->calls,
	    .lost =
		result->calls > result->kept ? result->calls - result->kept : 0,
	    .usage = result->usage,
	};
}

static void
report_latency(struct cell *cell)
{
	struct bench_figure figure = figure_of(cell);

	if (cell->plan->idle)
		snprintf(cell->remark, sizeof(cell->remark),
		    "%.0f wake-ups a second when idle",
		    (double)cell->result.wakeups * 1e9 / (double)IDLE_NS);
	tag(cell, 0, "single");
	tag(cell, 1, "burst");
	figure.kind = "single calls";
	figure.hist = &cell->result.singles;
	figure.per = 1;
	figure.tags = cell->tags[0];
	figure.curve = cell->plan == plans;
	bench_add(&figure);
	figure.curve = false;
	snprintf(cell->kind, sizeof(cell->kind), "%.0f bursts of 20",
	    (double)cell->result.bursts.count);
	figure.kind = cell->kind;
	figure.hist = &cell->result.bursts;
	figure.per = BENCH_PEER_BURST;
	figure.tags = cell->tags[1];
	figure.remark = NULL;
	bench_add(&figure);
}

static void
report_throughput(struct cell *cell)
{
	const struct peer_result *result = &cell->result;
	struct bench_figure figure = figure_of(cell);
	double rate = (double)result->calls * 1e9 / (double)result->ns;
	double share = result->calls != 0 ?
	    (double)result->kept / (double)result->calls :
	    0;

	/* A line that is lost is not put through; what keeps the newest does
	 * not promise more. */
	if (strstr(cell->logger->name, "blackbox") == NULL)
		rate *= share < 1 ? share : 1;
	tag(cell, 2, "lines");
	snprintf(cell->kind, sizeof(cell->kind), "%.0f lines",
	    (double)result->calls);
	snprintf(cell->remark, sizeof(cell->remark),
	    "%.0f ns a line, CPU %.2f s a million lines", 1e9 / rate,
	    (double)result->cpu_ns / (double)result->calls / 1000);
	if (result->file_bytes != 0)
		snprintf(cell->remark + strlen(cell->remark), 32, ", %.0f MB",
		    (double)result->file_bytes / 1e6);
	figure.kind = cell->kind;
	figure.unit = "lines/s";
	figure.values[0] = figure.values[1] = figure.values[2] = rate;
	figure.tags = cell->tags[2];
	bench_add(&figure);
}

static void
notes(void)
{
	size_t i;

	bench_note("harness: bursts of 20 calls; before each a pause of 2.0 "
		   "to 2.2 ms, busy where there are more CPUs than producers, "
		   "else asleep; full run: 10,000 for those that defer (all: "
		   "BENCH_PUBLISHED=1)");
	bench_note("single calls: in bursts of their own, a reading of the "
		   "clock between every two; samples of all producers");
	bench_note("throughput: from the first call until flush has returned, "
		   "lines lost not counted; 4,000,000 lines, or what is done "
		   "in %lu s; CPU of the process and of its daemon",
	    LIMIT_S);
	bench_note("producer i on CPU i modulo their number, what else a "
		   "logger runs on the last; warm-up: %d calls, and once "
		   "round lpk's ring",
	    2000);
	bench_note("lost: calls less records found in the file afterwards; "
		   "LTTng: as it says; libqb keeps the newest, and drops a "
		   "call while another thread is in it");
	bench_note("each has the time and the thread in front of the text; "
		   "files on %s; numbers as each prints a double by default",
	    strncmp(folder, "/dev/shm", 8) == 0 ? "tmpfs (/dev/shm)" : folder);
	bench_note("syslog(3) to %s; %s", daemons[SYSLOG].name,
	    daemons[LTTNG].name[0] != '\0' ? daemons[LTTNG].name : "no LTTng");
	for (i = 0; i < LOGGERS; i++) {
		if (loggers[i].why_not[0] != '\0')
			bench_note("missing: %s: %s", loggers[i].name,
			    loggers[i].why_not);
	}
}

/* ------------------------------------------------------------------------ */

static void
start_daemons(void)
{
	daemon_why_not[SYSLOG] = bench_syslog_start(&daemons[SYSLOG], folder);
	daemon_why_not[LTTNG] = bench_lttng_start(&daemons[LTTNG], folder);
	if (private_why_not != NULL)
		daemon_why_not[SYSLOG] = private_why_not;
}

static void
look_for_programs(const char *self)
{
	const char *slash = strrchr(self, '/');
	size_t i;

	snprintf(program_folder, sizeof(program_folder), "%.*s/peers",
	    slash != NULL ? (int)(slash - self) : 1,
	    slash != NULL ? self : ".");
	for (i = 0; i < LOGGERS; i++) {
		if (is_built(&loggers[i]) &&
		    loggers[i].receiver != NO_RECEIVER &&
		    daemon_why_not[loggers[i].receiver] != NULL)
			snprintf(loggers[i].why_not, sizeof(loggers[0].why_not),
			    "%s", daemon_why_not[loggers[i].receiver]);
	}
}

static bool
was_measured(const struct logger *logger)
{
	size_t i;

	for (i = 0; i < cell_count && cells[i]->logger != logger; i++)
		;
	return i < cell_count;
}

int
main(int argc, char **argv)
{
	size_t i, k;
	int memory;

	(void)argc;
	bench_init("compare");
	private_why_not = bench_private_enter();
	folder = bench_folder_make();
	memory = memfd_create("lpk-bench", 0);
	if (memory < 0 || ftruncate(memory, sizeof(*shared)) != 0)
		bench_die("memfd_create");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
	    memory, 0);
	if (shared == MAP_FAILED)
		bench_die("mmap");
	start_daemons();
	look_for_programs(argv[0]);
	for (i = 0; i < PLANS; i++) {
		for (k = 0; k < LOGGERS; k++)
			run_one(&plans[i], &loggers[k], memory);
	}
	for (i = 0; i < RECEIVERS; i++)
		bench_daemon_stop(&daemons[i]);
	for (i = 0; i < cell_count; i++) {
		if (cells[i]->result.singles.count != 0)
			report_latency(cells[i]);
		else
			report_throughput(cells[i]);
	}
	notes();
	for (i = 1; i < LOGGERS; i++) {
		if (was_measured(&loggers[i]) && was_measured(&loggers[0]))
			bench_ratio(loggers[i].name, "lpk");
	}
	bench_folder_remove(folder);
	return bench_report();
}
