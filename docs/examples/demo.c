/* SPDX-License-Identifier: MIT */
/*
 * demo.c - what `make demo` runs. Four threads count the words of this
 * project's own documentation, line by line, and log each line; a timer hits
 * every one of them with a signal a thousand times a second, and the handler
 * logs too. Three consoles show it, each at its own pace: this terminal, a file,
 * and a serial line that falls behind; a reader of the demo's own reads
 * everything. At the end, for a moment, nobody pauses, so that readers
 * are overrun: what is lost is counted. Then the accounts must close, and a
 * program that crashes shows its last words.
 *
 *	demo [FOLDER]    the source tree; default: the current folder
 */
#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lpk/console.h>
#include <lpk/hosted.h>
#include <lpk/printk.h>

#include "demo_consoles.h"
#include "demo_crash.h"

/* What LPK_LOG=demo=debug would switch; redefined further down. */
#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM "demo"

#define WORKERS 4
#define FILES_MAX 64
#define LONG_LINE 150
#define LINES_A_NAP 16
#define TICK_NS 1000000
#define SECONDS 5
#define STORM_MS 50

struct file {
	char name[64];
	char *text;
	size_t bytes;
	atomic_bool told; /* its statistics were logged */
};

/*
 * Calls are counted where they are made. A handler may come between the load
 * and the store of its thread's count, so it has one of its own.
 */
struct worker {
	pthread_t thread;
	_Atomic uint64_t calls;
	_Atomic uint64_t handler_calls;
	_Atomic uint64_t lines;
	uint32_t number;
};

struct words {
	uint32_t lines, words, longest, longest_at, checksum;
};

/* What the demo's own reader has seen; written by its thread alone. */
struct seen {
	_Atomic uint64_t read, lost;
	char kmsg[512]; /* the first record with key/values, as /dev/kmsg */
};

static struct file files[FILES_MAX];
static uint32_t file_count;
static atomic_uint next_file;
static struct worker workers[WORKERS];
static uint64_t main_calls;
static atomic_bool storm, stop_ticks, stop_workers, stop_reader;
static struct seen seen;
static __thread struct worker *self;

/* Count a call of lpk, in the line before it. */
static void
count_call(void)
{
	if (self == NULL)
		main_calls++;
	else
		atomic_store_explicit(&self->calls,
		    atomic_load_explicit(&self->calls, memory_order_relaxed) +
			1,
		    memory_order_relaxed);
}

/* ------------------------------------------------------------------------
 * The text: *.md of the source tree, else the public headers.
 */

static bool
ends_in(const char *name, const char *ending)
{
	size_t length = strlen(name), end = strlen(ending);

	return length > end && strcmp(name + length - end, ending) == 0;
}

static void
load_file(const char *root, const char *folder, const char *name)
{
	struct file *file = &files[file_count];
	char path[4096];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s%s", root, folder, name);
	stream = fopen(path, "r");
	if (stream == NULL || file_count == FILES_MAX)
		return;
	fseek(stream, 0, SEEK_END);
	file->bytes = (size_t)ftell(stream);
	rewind(stream);
	file->text = malloc(file->bytes + 1);
	if (file->text != NULL &&
	    fread(file->text, 1, file->bytes, stream) == file->bytes) {
		snprintf(
		    file->name, sizeof(file->name), "%s%.40s", folder, name);
		file_count++;
	}
	fclose(stream);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(
	    ((const struct file *)a)->name, ((const struct file *)b)->name);
}

static void
load_folder(const char *root, const char *folder, const char *ending)
{
	char path[4096];
	struct dirent *entry;
	DIR *list;

	snprintf(path, sizeof(path), "%s/%s", root, folder);
	list = opendir(path);
	while (list != NULL && (entry = readdir(list)) != NULL) {
		if (ends_in(entry->d_name, ending))
			load_file(root, folder, entry->d_name);
	}
	if (list != NULL)
		closedir(list);
	qsort(files, file_count, sizeof(files[0]), by_name);
}

/* ------------------------------------------------------------------------
 * A worker: takes the next file, goes through its lines.
 */

#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM "words"

static void
nap(void)
{
	struct timespec moment = {.tv_nsec = 1000000};

	/* A signal ends it early, and that is all right. */
	nanosleep(&moment, NULL);
}

static void
do_line(const struct file *file, const char *line, size_t bytes,
    struct words *words)
{
	bool in_word = false;
	uint32_t count = 0;
	size_t i;

	for (i = 0; i < bytes; i++) {
		bool letter = line[i] > ' ' || line[i] < 0;

		count += letter && !in_word;
		in_word = letter;
		/* FNV-1a */
		words->checksum =
		    (words->checksum ^ (unsigned char)line[i]) * 16777619u;
	}
	words->lines++;
	words->words += count;
	if (bytes > words->longest) {
		words->longest = (uint32_t)bytes;
		words->longest_at = words->lines;
	}
	count_call();
	lpk_debug("%s:%" PRIu32 ": %" PRIu32
		  " words, %zu bytes, so far %08" PRIx32,
	    file->name, words->lines, count, bytes, words->checksum);
	if (bytes > LONG_LINE) {
		count_call();
		lpk_warn_ratelimited("%s:%" PRIu32 ": a line of %zu bytes",
		    file->name, words->lines, bytes);
	}
}

/* Once a file, however often it is gone through. */
static void
tell(struct file *file, const struct words *words)
{
	char count[16], checksum[16];

	if (atomic_exchange(&file->told, true))
		return;
	snprintf(count, sizeof(count), "%" PRIu32, words->words);
	snprintf(checksum, sizeof(checksum), "%08" PRIx32, words->checksum);
	count_call();
	lpk_printk_kv(LPK_INFO,
	    LPK_KV("FILE", file->name, "WORDS", count, "CHECKSUM", checksum),
	    "%-22s %4" PRIu32 " lines, %5" PRIu32 " words, %08" PRIx32
	    ", longest line %" PRIu32 " with %" PRIu32 " bytes",
	    file->name, words->lines, words->words, words->checksum,
	    words->longest_at, words->longest);
}

static void
do_file(struct file *file)
{
	struct words words = {.checksum = 2166136261u};
	const char *line = file->text, *end = line + file->bytes;

	while (line < end && !atomic_load(&stop_workers)) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline != NULL ? newline : end;

		do_line(file, line, (size_t)(stop - line), &words);
		line = stop + 1;
		atomic_fetch_add(&self->lines, 1);
		if (words.lines % LINES_A_NAP == 0 && !atomic_load(&storm))
			nap();
	}
	if (line >= end)
		tell(file, &words);
}

static void *
worker_main(void *argument)
{
	char name[LPK_THREAD_NAME_BYTES];
	sigset_t tick;

	self = argument;
	sigemptyset(&tick);
	sigaddset(&tick, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &tick, NULL);
	snprintf(name, sizeof(name), "worker-%" PRIu32, self->number);
	lpk_thread_set_name(name);
	while (!atomic_load(&stop_workers))
		do_file(&files[atomic_fetch_add(&next_file, 1) % file_count]);
	return NULL;
}

/* ------------------------------------------------------------------------
 * The signal: its handler logs, whatever it interrupted.
 */

#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM "tick"

static void
on_tick(int number)
{
	/* Relaxed: the handler does not nest, others read a recent value. */
	uint64_t tick = atomic_fetch_add_explicit(
			    &self->handler_calls, 1, memory_order_relaxed) +
	    1;

	lpk_handler_enter();
	if (tick % 1000 == 0 && tick / 1000 % WORKERS == self->number)
		lpk_info("signal %d, the %" PRIu64 "th in worker %" PRIu32
			 ": logged by its handler",
		    number, tick, self->number);
	else
		lpk_debug(
		    "tick %" PRIu64 " in worker %" PRIu32, tick, self->number);
	lpk_handler_exit();
}

static void *
ticker_main(void *argument)
{
	struct timespec due;
	int i;

	(void)argument;
	clock_gettime(CLOCK_MONOTONIC, &due);
	while (!atomic_load(&stop_ticks)) {
		due.tv_nsec += TICK_NS;
		if (due.tv_nsec >= 1000000000) {
			due.tv_nsec -= 1000000000;
			due.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		for (i = 0; i < WORKERS; i++)
			pthread_kill(workers[i].thread, SIGALRM);
	}
	return NULL;
}

/* ------------------------------------------------------------------------
 * The reader: every record, or the exact number of those it lost.
 */

#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM "demo"

static void
note(const struct lpk_record *record, const char *text)
{
	if (record->kv_bytes != 0 && seen.kmsg[0] == '\0')
		lpk_record_print(
		    record, text, LPK_STYLE_KMSG, seen.kmsg, sizeof(seen.kmsg));
}

static void *
reader_main(void *argument)
{
	struct lpk_reader *reader = argument;
	char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;
	int result;

	for (;;) {
		bool stop = atomic_load(&stop_reader);

		result = lpk_reader_next(reader, &record, text, sizeof(text));
		if (result == LPK_OK) {
			note(&record, text);
			atomic_fetch_add(&seen.read, 1);
		} else if (result == -LPK_EPIPE) {
			atomic_fetch_add(&seen.lost, reader->lost);
		} else if (stop) {
			return NULL;
		} else {
			lpk_reader_wait(reader, lpk_now_ns() + 50000000);
		}
	}
}

/* ------------------------------------------------------------------------
 * The course of the demo
 */

static void
say_what_is_there(const char *root)
{
	struct ifaddrs *list = NULL, *at;
	char path[4096];

	count_call();
	lpk_notice("lpk %s: %" PRIu32 " files of text, %d threads, signals at "
		   "1 kHz in each",
	    lpk_version(), file_count, WORKERS);
	if (getifaddrs(&list) != 0)
		list = NULL;
	for (at = list; at != NULL; at = at->ifa_next) {
		const struct sockaddr_in *v4 = (const void *)at->ifa_addr;
		const struct sockaddr_in6 *v6 = (const void *)at->ifa_addr;

		if ((at->ifa_flags & IFF_LOOPBACK) == 0 || at->ifa_addr == NULL)
			continue;
		if (v4->sin_family == AF_INET) {
			count_call();
			lpk_info("%s: address %pI4 (%%pI4)", at->ifa_name,
			    (const void *)&v4->sin_addr);
		} else if (v6->sin6_family == AF_INET6) {
			count_call();
			lpk_info("%s: address %pI6c (%%pI6c)", at->ifa_name,
			    (const void *)&v6->sin6_addr);
		}
	}
	if (list != NULL)
		freeifaddrs(list);
	snprintf(path, sizeof(path), "%s/docs/MISSING.md", root);
	if (access(path, R_OK) != 0) {
		intptr_t why = -errno;

		count_call();
		lpk_err("docs/MISSING.md cannot be opened: %pe (%%pe)",
		    (const void *)why);
	}
	/* Two lines, so two calls. */
	count_call();
	count_call();
	lpk_hex_dump(NULL, LPK_INFO, "the first bytes: ", files[0].text,
	    files[0].bytes < 32 ? files[0].bytes : 32);
}

static void
sum_up(uint32_t second)
{
	struct lpk_log_stats stats;
	uint64_t lines = 0, ticks = 0;
	int i;

	for (i = 0; i < WORKERS; i++) {
		lines += atomic_load(&workers[i].lines);
		ticks += atomic_load(&workers[i].handler_calls);
	}
	lpk_log_stats(lpk_default_log(), &stats);
	count_call();
	lpk_notice("second %" PRIu32 ": %" PRIu64 " lines, %" PRIu64
		   " signals, %" PRIu64 " records stored, %" PRIu64
		   " lost by the reader",
	    second, lines, ticks, stats.stored, atomic_load(&seen.lost));
}

static void
sleep_until(uint64_t ns)
{
	struct timespec until = {
	    .tv_sec = (time_t)(ns / 1000000000),
	    .tv_nsec = (long)(ns % 1000000000),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
	    EINTR)
		;
}

/* A short while at full speed. */
static void
rage(void)
{
	count_call();
	lpk_warn("now a storm: for %d ms no thread pauses any more", STORM_MS);
	/* Else the storm would blow this message away, too. */
	demo_consoles_settle();
	atomic_store(&storm, true);
	sleep_until(lpk_now_ns() + STORM_MS * UINT64_C(1000000));
}

static void
run(pthread_t *ticker)
{
	uint64_t begin = lpk_now_ns();
	uint32_t second, i;

	for (second = 1; second <= SECONDS; second++) {
		sleep_until(begin + second * UINT64_C(1000000000));
		sum_up(second);
		demo_consoles_settle();
		demo_consoles_table();
	}
	rage();
	atomic_store(&stop_ticks, true);
	pthread_join(*ticker, NULL);
	atomic_store(&stop_workers, true);
	for (i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
	count_call();
	lpk_notice("all threads have ended, the log is quiet");
}

static void
start(pthread_t *reader_thread, struct lpk_reader *reader, pthread_t *ticker)
{
	struct sigaction action = {
	    .sa_handler = on_tick,
	    .sa_flags = SA_RESTART,
	};
	sigset_t tick;
	uint32_t i;
	int failed;

	/* Only the workers take the signal, once they know who they are. */
	sigemptyset(&tick);
	sigaddset(&tick, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &tick, NULL);
	sigaction(SIGALRM, &action, NULL);
	failed = pthread_create(reader_thread, NULL, reader_main, reader);
	for (i = 0; i < WORKERS; i++) {
		workers[i].number = i;
		failed |= pthread_create(
		    &workers[i].thread, NULL, worker_main, &workers[i]);
	}
	failed |= pthread_create(ticker, NULL, ticker_main, NULL);
	if (failed) {
		fputs("demo: no threads to be had\n", stderr);
		exit(1);
	}
}

/* ------------------------------------------------------------------------
 * The accounts
 */

struct accounts {
	uint64_t thread_calls, handler_calls;
	struct lpk_log_stats log;
};

static void
row(const char *sign, uint64_t value, const char *what)
{
	char digits[32], text[48];
	size_t length =
	    (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, value);
	size_t i, at = 0;

	for (i = 0; i < length; i++) {
		if (i != 0 && (length - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	printf("  %2s %12s  %s\n", sign, text, what);
}

static bool
verdict(bool closes)
{
	printf("  %15s  %s\n\n", "",
	    closes ? "the account closes" : "THE ACCOUNT DOES NOT CLOSE");
	return closes;
}

static bool
print_calls(const struct accounts *sum)
{
	const struct lpk_log_stats *log = &sum->log;

	puts("Calls");
	row("", sum->thread_calls, "calls by threads");
	row("+", sum->handler_calls, "calls by signal handlers");
	row("+", log->reports, "reports by lpk itself, of what it held back");
	row("=", log->stored, "stored");
	row("+", log->suppressed, "suppressed by the rate limit");
	row("+", log->dropped, "dropped");
	return verdict(sum->thread_calls + sum->handler_calls + log->reports ==
	    log->stored + log->suppressed + log->dropped);
}

static bool
print_reader(const struct accounts *sum)
{
	uint64_t read = atomic_load(&seen.read);
	uint64_t lost = atomic_load(&seen.lost);

	puts("The reader");
	row("", sum->log.stored, "stored");
	row("=", read, "read");
	row("+", lost, "lost: overwritten before it came to them");
	return verdict(sum->log.stored == read + lost);
}

static bool
check_accounts(const struct accounts *sum)
{
	bool good;

	printf("\nA record with key/values, as /dev/kmsg shows it:\n%s\n",
	    seen.kmsg);
	good = print_calls(sum);
	good &= print_reader(sum);
	good &= demo_consoles_end();
	return good;
}

static void
take_accounts(struct accounts *sum)
{
	int i;

	sum->thread_calls = main_calls;
	for (i = 0; i < WORKERS; i++) {
		sum->thread_calls += atomic_load(&workers[i].calls);
		sum->handler_calls += atomic_load(&workers[i].handler_calls);
	}
	lpk_log_stats(lpk_default_log(), &sum->log);
}

int
main(int argc, char **argv)
{
	static struct lpk_reader reader;
	const char *root = argc > 1 ? argv[1] : ".";
	struct accounts accounts = {0};
	pthread_t reader_thread, ticker;
	bool good;

	if (argc == 4 && strcmp(argv[1], "--die") == 0)
		return demo_crash_main(argv + 2);
	load_folder(root, "", ".md");
	load_folder(root, "docs/", ".md");
	if (file_count == 0)
		load_folder(root, "include/lpk/", ".h");
	if (file_count == 0) {
		fprintf(stderr,
		    "demo: no text in %s; say where the source tree is: "
		    "demo FOLDER\n",
		    root);
		return 1;
	}
	/* Debug messages are stored, whatever LPK_LOG says... */
	lpk_filter_set("words=debug,tick=debug,info", NULL);
	/* ...but shown in the file alone. */
	if (!demo_consoles_start() ||
	    lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST) !=
		LPK_OK)
		return 1;
	say_what_is_there(root);
	start(&reader_thread, &reader, &ticker);
	run(&ticker);

	atomic_store(&stop_reader, true);
	pthread_join(reader_thread, NULL);
	demo_consoles_settle();
	take_accounts(&accounts);
	good = check_accounts(&accounts);
	good &= demo_crash();
	return good ? 0 : 1;
}
