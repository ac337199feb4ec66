/* SPDX-License-Identifier: MIT */
/*
 * demo_consoles.c - three consoles at once, each at its own pace.
 *
 * The serial line is a pseudo-terminal whose other end is read at 11,520 bytes
 * a second, which is what 115200 baud carry: it falls behind, and nobody else
 * does.
 */
#include "demo_consoles.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>

#define SECOND UINT64_C(1000000000)
#define BYTES_A_SECOND 11520
#define STEPS_A_SECOND 100

enum { TERMINAL, FILE_CONSOLE, SERIAL, CONSOLES };

static struct lpk_console *consoles[CONSOLES];
static char folder[] = "/tmp/lpk-demo-XXXXXX";
static char path[sizeof(folder) + 16];
static int line = -1;
static pthread_t listener;
static atomic_bool listening;
static atomic_ullong heard;

/* The other end of the line. */
static void *
listen_slowly(void *unused)
{
	struct timespec step = {.tv_nsec = (long)(SECOND / STEPS_A_SECOND)};
	char bytes[BYTES_A_SECOND / STEPS_A_SECOND];
	ssize_t got;

	(void)unused;
	while (atomic_load(&listening)) {
		got = read(line, bytes, sizeof(bytes));
		if (got > 0)
			atomic_fetch_add(&heard, (unsigned long long)got);
		nanosleep(&step, NULL);
	}
	return NULL;
}

/* The name of the device, or NULL. */
static const char *
open_line(void)
{
	line = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (line < 0 || grantpt(line) != 0 || unlockpt(line) != 0)
		return NULL;
	atomic_store(&listening, true);
	if (pthread_create(&listener, NULL, listen_slowly, NULL) != 0) {
		atomic_store(&listening, false);
		return NULL;
	}
	return ptsname(line);
}

static void
start(int which, const char *words)
{
	char error[256];
	int result =
	    lpk_console_new(&consoles[which], words, error, sizeof(error));

	if (result == LPK_OK) {
		result = lpk_console_register(consoles[which]);
		if (result == LPK_OK)
			return;
		snprintf(error, sizeof(error), "%s", lpk_strerror(result));
		lpk_console_free(consoles[which]);
	}
	consoles[which] = NULL;
	fprintf(stderr, "demo: %s: %s\n", words, error);
}

bool
demo_consoles_start(void)
{
	char words[128];
	const char *device;

	start(TERMINAL, "stdout,level=info,style=caller,name=terminal");
	if (mkdtemp(folder) != NULL) {
		snprintf(path, sizeof(path), "%s/demo.log", folder);
		snprintf(words, sizeof(words), "file:%s,name=file", path);
		start(FILE_CONSOLE, words);
	}
	device = open_line();
	if (device != NULL) {
		snprintf(words, sizeof(words),
		    "serial:%s,115200n8,filter=tick=debug+info,name=serial",
		    device);
		start(SERIAL, words);
	}
	return consoles[TERMINAL] != NULL;
}

static const char *
state_word(const struct lpk_console_stats *stats)
{
	static const char *const words[] = {
	    "off", "running", "blocked", "suspended", "paused"};

	return words[stats->state];
}

void
demo_consoles_table(void)
{
	struct lpk_console_stats stats;
	int i;

	puts("  console     printed  not shown       lost     behind  by "
	     "(ms)  state");
	for (i = 0; i < CONSOLES; i++) {
		if (consoles[i] == NULL)
			continue;
		lpk_console_stats(consoles[i], &stats);
		printf("  %-8s %10" PRIu64 " %10" PRIu64 " %10" PRIu64
		       " %10" PRIu64 " %8" PRIu64 "  %s\n",
		    stats.name, stats.printed, stats.suppressed, stats.lost,
		    stats.lag_records, stats.lag_ns / 1000000,
		    state_word(&stats));
	}
	fflush(stdout);
}

void
demo_consoles_settle(void)
{
	lpk_console_flush(consoles[TERMINAL], lpk_now_ns() + SECOND);
}

static bool
account(const struct lpk_console_stats *stats)
{
	struct lpk_log_stats log;
	uint64_t sum = stats->printed + stats->suppressed + stats->lost;

	lpk_log_stats(lpk_default_log(), &log);
	printf("  %-8s stored %" PRIu64 " = printed %" PRIu64
	       " + not shown %" PRIu64 " + lost %" PRIu64,
	    stats->name, log.stored, stats->printed, stats->suppressed,
	    stats->lost);
	if (stats->lag_records != 0)
		printf(" + left behind at its deadline %" PRIu64,
		    stats->lag_records);
	sum += stats->lag_records;
	puts(sum == log.stored ? "" : "   THE ACCOUNT DOES NOT CLOSE");
	return sum == log.stored;
}

bool
demo_consoles_end(void)
{
	struct lpk_console_stats stats;
	bool good = true;
	int i;

	puts("The consoles");
	for (i = 0; i < CONSOLES; i++) {
		if (consoles[i] == NULL)
			continue;
		/* Everything was flushed but the slow one. */
		lpk_console_unregister(consoles[i],
		    i == SERIAL ? lpk_now_ns() + SECOND : UINT64_MAX);
		lpk_console_stats(consoles[i], &stats);
		good &= account(&stats);
		lpk_console_free(consoles[i]);
	}
	if (atomic_exchange(&listening, false)) {
		pthread_join(listener, NULL);
		printf("  %llu bytes came out of the serial line's other end, "
		       "at %d a second\n",
		    (unsigned long long)atomic_load(&heard), BYTES_A_SECOND);
	}
	close(line);
	unlink(path);
	rmdir(folder);
	return good;
}
