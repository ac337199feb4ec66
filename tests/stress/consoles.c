/* SPDX-License-Identifier: MIT */
/*
 * Consoles come, go and are changed by several threads at once, under full
 * load: threads that log as fast as they can, and a signal of 1 kHz in each.
 * No callback runs once unregister has returned, no two at once, the accounts
 * of every console close, and when the storm is over a last record arrives
 * everywhere: a thread that sleeps for ever fails.
 *
 * LPK_STORM_SECONDS=600 for a real one; LPK_SEED=N for other choices.
 */
#include "lib_storm.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lpk/hosted.h>
#include <lpk/port.h>
#include <lpk/printk.h>

#include "lpk_atomic.h"

#define CONSOLES 6
#define LOGGERS 3
#define CHANGERS 2
#define PATIENCE_NS UINT64_C(60000000000)
#define MS UINT64_C(1000000)

/* A console, its device in memory, and who may register it. */
struct target {
	struct lpk_console console;
	unsigned long open;    /* between setup() and exit() */
	unsigned long inside;  /* contexts in a callback of the device */
	unsigned long records; /* that the device took */
	unsigned long last;    /* it took the last record */
	unsigned long full;    /* it takes nothing at the moment */
	uint64_t stored;       /* by the log, when it was registered */
	pthread_mutex_t lock;
};

static struct target targets[CONSOLES];
static struct lpk_log storm;
static unsigned long stop_loggers, stop_changers, changes, comes, handled;
static __thread bool logs __attribute__((tls_model("initial-exec")));

static int
target_setup(struct lpk_console *console)
{
	struct target *target = console->device;

	CHECK(lpk_load_relaxed(&target->open) == 0, "opened twice");
	lpk_store_release(&target->open, 1);
	return LPK_OK;
}

static void
target_exit(struct lpk_console *console)
{
	struct target *target = console->device;

	CHECK(lpk_load_acquire(&target->inside) == 0, "closed under a writer");
	CHECK(lpk_load_acquire(&target->open) == 1, "closed twice");
	lpk_store_release(&target->open, 0);
}

static int
put(struct lpk_console *console, struct lpk_batch *batch)
{
	struct target *target = console->device;
	int result = (int)batch->size_bytes;

	CHECK(lpk_load_acquire(&target->open) == 1,
	    "%s: called after it was unregistered", console->name);
	CHECK(lpk_fetch_add_acquire(&target->inside, 1) == 0, "%s: two at once",
	    console->name);
	if (lpk_load_relaxed(&target->full) != 0) {
		batch->error = EAGAIN;
		result = -LPK_EAGAIN;
	} else {
		lpk_fetch_add_relaxed(&target->records, batch->records);
		if (memmem(batch->bytes, batch->size_bytes, "the last one", 12))
			lpk_store_release(&target->last, 1);
	}
	CHECK(lpk_load_acquire(&target->open) == 1,
	    "%s: unregistered under a writer", console->name);
	lpk_fetch_add_relaxed(&target->inside, 0ul - 1);
	errno = EDOM;
	return result;
}

static const struct lpk_console_driver driver = {
    .name = "target",
    .setup = target_setup,
    .exit = target_exit,
    .write = put,
    .write_on_panic = put,
};
/* As most are: its thread alone can print on it. */
static const struct lpk_console_driver thread_driver = {
    .name = "thread-only",
    .setup = target_setup,
    .exit = target_exit,
    .write = put,
};

static uint64_t
stored_now(void)
{
	struct lpk_log_stats stats;

	lpk_log_stats(&storm, &stats);
	return stats.stored;
}

/* A target's lock is held in all of these. */

static void
come(struct target *target, uint32_t choice)
{
	struct lpk_console *console = &target->console;
	int result;

	if (console->printer != NULL)
		return;
	console->mode =
	    console->driver->write_on_panic != NULL && choice % 3 == 0 ?
	    LPK_MODE_DIRECT :
	    LPK_MODE_POLL;
	console->start = choice % 2 == 0 ? LPK_SEEK_OLDEST : LPK_SEEK_NEXT;
	console->quiet_below = (uint8_t)(choice % 9);
	console->batch_bytes = choice % 5 == 0 ? 1 : 0;
	result = lpk_console_register(console);
	CHECK(result == LPK_OK, "%s: %s", console->name, lpk_strerror(result));
	lpk_fetch_add_relaxed(&comes, 1);
}

static void
go(struct target *target)
{
	struct lpk_console *console = &target->console;
	int result;

	if (console->printer == NULL)
		return;
	lpk_store_relaxed(&target->full, 0);
	lpk_console_flush(console, lpk_now_ns() + 5 * MS);
	/* It does not hang, however busy the machine is. */
	result = lpk_console_unregister(console, lpk_now_ns() + PATIENCE_NS);
	CHECK(result == LPK_OK || result == -LPK_ETIMEDOUT, "%s: %s",
	    console->name, lpk_strerror(result));
	CHECK(lpk_load_acquire(&target->open) == 0, "%s is open still",
	    console->name);
	CHECK(console->last.state == LPK_CONSOLE_OFF, "it runs");
}

static void
change(struct target *target, uint32_t choice)
{
	static const char *const filters[] = {
	    "", "err", "no=off", "info", "a*=debug,b=err"};
	struct lpk_console *console = &target->console;
	enum lpk_console_mode mode = (enum lpk_console_mode)(choice / 16 % 3);
	uint64_t soon = lpk_now_ns() + choice / 16 % 3 * MS;
	struct lpk_console_stats stats;

	switch (choice % 16) {
	case 0:
		go(target);
		return;
	case 1:
	case 2:
		come(target, choice / 16);
		return;
	case 3:
		lpk_console_suspend(console, soon);
		return;
	case 4:
	case 5:
		lpk_console_resume(console);
		return;
	case 6:
	case 7:
		lpk_console_set_mode(console, mode);
		return;
	case 8:
		lpk_console_set_level(console, choice / 16 % 9);
		return;
	case 9:
		lpk_console_set_filter(console, filters[choice / 16 % 5], NULL);
		return;
	case 10:
		lpk_console_flush(console, soon);
		return;
	case 11:
		lpk_console_stats(console, &stats);
		return;
	case 12:
		lpk_store_relaxed(&target->full, choice / 16 % 2);
		return;
	default:
		lpk_console_reopen(console);
		return;
	}
}

/* What concerns all of them; no lock is held. */
static void
change_all(uint32_t choice)
{
	struct lpk_console_stats stats[CONSOLES];
	struct lpk_flush_result result;

	switch (choice % 8) {
	case 0:
		lpk_flush(lpk_now_ns() + MS, &result);
		CHECK(result.reached <= result.consoles &&
			result.consoles <= CONSOLES,
		    "%u of %u", result.reached, result.consoles);
		return;
	case 1:
		lpk_consoles_stats(stats, CONSOLES);
		return;
	case 2:
		lpk_consoles_reopen();
		return;
	case 3:
		lpk_emergency_enter();
		lpk_write(&storm, LPK_CRIT, "an emergency");
		lpk_emergency_exit();
		return;
	case 4:
		lpk_shutdown(lpk_now_ns() + MS);
		lpk_consoles_restart();
		return;
	default:
		lpk_write(&storm, LPK_ERR, "nothing");
		return;
	}
}

static void *
change_storm(void *number)
{
	uint64_t seed = storm_seed() + *(unsigned int *)number * 7919;

	while (lpk_load_relaxed(&stop_changers) == 0) {
		struct target *target =
		    &targets[storm_random(&seed) % CONSOLES];
		uint32_t choice = storm_random(&seed);

		if (choice % 19 == 0) {
			change_all(choice / 19);
		} else if (pthread_mutex_trylock(&target->lock) == 0) {
			change(target, choice / 19);
			pthread_mutex_unlock(&target->lock);
		}
		lpk_fetch_add_relaxed(&changes, 1);
	}
	return NULL;
}

static void
on_timer(int signal)
{
	int saved = errno;

	(void)signal;
	if (!logs)
		return;
	lpk_handler_enter();
	errno = 4711;
	lpk_write(&storm, LPK_WARN, "from a handler");
	CHECK(errno == 4711, "errno is now %d", errno);
	lpk_handler_exit();
	lpk_fetch_add_relaxed(&handled, 1);
	errno = saved;
}

static timer_t
start_timer(void)
{
	struct itimerspec often = {
	    .it_interval = {.tv_nsec = 1000000},
	    .it_value = {.tv_nsec = 1000000},
	};
	struct sigevent event = {
	    .sigev_notify = SIGEV_THREAD_ID,
	    .sigev_signo = SIGUSR1,
	};
	timer_t timer;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "no timer");
	timer_settime(timer, 0, &often, NULL);
	return timer;
}

static void *
log_storm(void *number)
{
	unsigned int count = 0;
	timer_t timer = start_timer();

	logs = true;
	while (lpk_load_relaxed(&stop_loggers) == 0) {
		lpk_write(&storm, (enum lpk_level)(count % 8), "%u: %u",
		    *(unsigned int *)number, count);
		count++;
		/* For a while, so that the others can keep up now and then. */
		if (count % 4096 == 0)
			usleep(20000);
	}
	timer_delete(timer);
	logs = false;
	return NULL;
}

/* All there are, so that all can print. */
static void
bring_back(void)
{
	unsigned int i;

	for (i = 0; i < CONSOLES; i++) {
		struct target *target = &targets[i];
		struct lpk_console *console = &target->console;

		lpk_store_relaxed(&target->full, 0);
		come(target, 0);
		lpk_console_set_level(console, 0);
		lpk_console_set_filter(console, "", NULL);
		lpk_console_set_mode(console,
		    i % 2 == 0 && console->driver->write_on_panic != NULL ?
			LPK_MODE_DIRECT :
			LPK_MODE_POLL);
		lpk_console_resume(console);
	}
}

/* No flush, no further printk: the threads must not need any. */
static void
expect_last(void)
{
	uint64_t until = lpk_now_ns() + PATIENCE_NS;
	struct lpk_console_stats stats;
	unsigned int i;

	lpk_write(&storm, LPK_INFO, "the last one");
	for (i = 0; i < CONSOLES; i++) {
		lpk_console_stats(&targets[i].console, &stats);
		while (lpk_load_acquire(&targets[i].last) == 0) {
			CHECK(lpk_now_ns() < until,
			    "%s sleeps for ever: mode %d, state %d, owner %u, "
			    "lag %" PRIu64,
			    targets[i].console.name, stats.mode, stats.state,
			    stats.owner, stats.lag_records);
			usleep(1000);
			lpk_console_stats(&targets[i].console, &stats);
		}
	}
}

/*
 * From here on every console stays: all that is stored from its first record
 * on must be printed, suppressed or lost.
 */
static void
begin_accounts(void)
{
	struct lpk_console *console;
	unsigned int i;

	for (i = 0; i < CONSOLES; i++) {
		console = &targets[i].console;
		go(&targets[i]);
		console->mode =
		    i % 2 == 0 && console->driver->write_on_panic != NULL ?
		    LPK_MODE_DIRECT :
		    LPK_MODE_POLL;
		console->start = LPK_SEEK_NEXT;
		console->batch_bytes = i % 3 == 0 ? 1 : 0;
		console->quiet_below = i == 1 ? LPK_WARN : 0;
		console->filter = i == 2 ? "err" : NULL;
		targets[i].stored = stored_now();
		lpk_store_relaxed(&targets[i].records, 0);
		lpk_store_relaxed(&targets[i].last, 0);
		CHECK(lpk_console_register(console) == LPK_OK, "not to be had");
	}
}

static void
close_accounts(void)
{
	struct lpk_console_stats stats;
	uint64_t sum, stored;
	unsigned int i;

	for (i = 0; i < CONSOLES; i++) {
		struct target *target = &targets[i];

		CHECK(lpk_console_flush(&target->console,
			  lpk_now_ns() + PATIENCE_NS) == LPK_OK,
		    "%s does not get on", target->console.name);
		lpk_console_stats(&target->console, &stats);
		stored = stored_now() - target->stored;
		sum = stats.printed + stats.suppressed + stats.lost;
		printf("  %s: stored %" PRIu64 " = printed %" PRIu64
		       " (direct %" PRIu64 ") + suppressed %" PRIu64
		       " + lost %" PRIu64 "\n",
		    stats.name, stored, stats.printed, stats.direct,
		    stats.suppressed, stats.lost);
		CHECK(sum == stored, "the accounts are open");
		CHECK(stats.lag_records == 0, "it lags");
		CHECK(stats.printed + stats.replayed ==
			lpk_load_relaxed(&target->records),
		    "the device has %lu", lpk_load_relaxed(&target->records));
	}
}

/* Only what leaves consoles where they are, while they keep account. */
static void *
account_storm(void *number)
{
	uint64_t seed = storm_seed() + *(unsigned int *)number * 104729;

	while (lpk_load_relaxed(&stop_changers) == 0) {
		struct target *target =
		    &targets[storm_random(&seed) % CONSOLES];
		uint32_t choice = storm_random(&seed);

		if (choice % 19 == 0)
			change_all(choice / 19);
		else if (choice % 16 > 2 && choice % 16 != 8 &&
		    choice % 16 != 9 &&
		    pthread_mutex_trylock(&target->lock) == 0) {
			change(target, choice);
			pthread_mutex_unlock(&target->lock);
		}
	}
	return NULL;
}

static void
run(void *(*changer)(void *), double seconds)
{
	struct timespec span = {
	    (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	static unsigned int numbers[LOGGERS + CHANGERS];
	pthread_t loggers[LOGGERS], changers[CHANGERS];
	unsigned int i;

	stop_loggers = stop_changers = 0;
	for (i = 0; i < LOGGERS + CHANGERS; i++)
		numbers[i] = i;
	for (i = 0; i < LOGGERS; i++)
		pthread_create(&loggers[i], NULL, log_storm, &numbers[i]);
	for (i = 0; i < CHANGERS; i++)
		pthread_create(
		    &changers[i], NULL, changer, &numbers[LOGGERS + i]);
	nanosleep(&span, NULL);
	lpk_store_relaxed(&stop_changers, 1);
	for (i = 0; i < CHANGERS; i++)
		pthread_join(changers[i], NULL);
	lpk_store_relaxed(&stop_loggers, 1);
	for (i = 0; i < LOGGERS; i++)
		pthread_join(loggers[i], NULL);
}

int
main(void)
{
	struct sigaction action = {
	    .sa_handler = on_timer, .sa_flags = SA_RESTART};
	double seconds = storm_seconds(5, 2);
	unsigned int i;

	sigaction(SIGUSR1, &action, NULL);
	storm_log(&storm, 4096, 16, 2);
	for (i = 0; i < CONSOLES; i++) {
		targets[i].console.driver =
		    i % 3 == 2 ? &thread_driver : &driver;
		targets[i].console.device = &targets[i];
		targets[i].console.log = &storm;
		pthread_mutex_init(&targets[i].lock, NULL);
		snprintf(targets[i].console.name,
		    sizeof(targets[i].console.name), "target-%u", i);
	}
	run(change_storm, seconds);
	bring_back();
	expect_last();
	begin_accounts();
	run(account_storm, seconds);
	bring_back();
	expect_last();
	close_accounts();
	for (i = 0; i < CONSOLES; i++)
		go(&targets[i]);
	printf("%lu changes, %lu registrations, %lu signals\n", changes, comes,
	    handled);
	CHECK(comes != 0 && handled != 0, "nothing happened");
	storm_free(&storm);
	return 0;
}
