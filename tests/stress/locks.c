/* SPDX-License-Identifier: MIT */
/*
 * locks.c - owners of a console that never come back: the driver's lock is held
 * by a thread that is stopped, by one that has ended, by the very thread that
 * was interrupted; an owner ends in the middle of its driver. A panic gets
 * every record out all the same, in a bounded number of steps, and so does who
 * comes after an owner that is gone. Locks are zapped when their holder will
 * never run again, and only then.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/console.h>
#include <lpk/log.h>
#include <lpk/port.h>
#include <lpk/printk.h>

#include "core/printer.h"
#include "hosted/slot.h"
#include "lpk_atomic.h"

#define RECORDS 40
#define SECOND UINT64_C(1000000000)
#define REPLAY "** replaying previous printk message **"

#define check(condition) ((condition) ? (void)0 : fail(__LINE__, #condition))

static const char *where;

_Noreturn static void
fail(int line, const char *what)
{
	printf("FAIL in \"%s\", line %d: %s\n", where, line, what);
	fflush(stdout);
	_exit(1);
}

/* What of the driver goes wrong, once. */
enum trouble { NONE, STOPS_IN_WRITE, ENDS_IN_WRITE, SIGNAL_IN_WRITE };

static void *memory;
static struct lpk_log ring;
static struct lpk_console console;
static unsigned long trouble;
static unsigned long zaps, calls, writers;
static sem_t reached, go_on;

static pthread_mutex_t lock;

static char out[1 << 16];
static size_t out_bytes;

static char panic_text[LPK__TEXT_ROOM];

static void
put_out(const char *bytes, size_t count)
{
	check(out_bytes + count < sizeof(out));
	memcpy(out + out_bytes, bytes, count);
	out_bytes += count;
	out[out_bytes] = '\0';
}

static void
get_in_trouble(unsigned long what)
{
	switch (what) {
	case STOPS_IN_WRITE:
		sem_post(&reached);
		while (sem_wait(&go_on) != 0)
			;
		break;
	case ENDS_IN_WRITE:
		pthread_exit(NULL);
	case SIGNAL_IN_WRITE:
		raise(SIGUSR1);
		break;
	default:
		break;
	}
}

static int
device_write(struct lpk_console *self, struct lpk_batch *batch)
{
	unsigned long what = lpk_load_acquire(&trouble);
	size_t half = batch->size_bytes / 2;

	(void)self;
	lpk_fetch_add_relaxed(&calls, 1);
	if (what == NONE || !lpk_cas_acquire(&trouble, what, NONE)) {
		put_out(batch->bytes, batch->size_bytes);
		return (int)batch->size_bytes;
	}
	put_out(batch->bytes, half);
	get_in_trouble(what);
	if (!lpk_console_can_proceed(batch))
		return (int)half;
	put_out(batch->bytes + half, batch->size_bytes - half);
	return (int)batch->size_bytes;
}

static void
device_lock(struct lpk_console *self)
{
	(void)self;
	lpk_fetch_add_relaxed(&writers, 1);
	pthread_mutex_lock(&lock);
}

static void
device_unlock(struct lpk_console *self)
{
	(void)self;
	pthread_mutex_unlock(&lock);
}

static void
device_zap(struct lpk_console *self)
{
	(void)self;
	pthread_mutex_init(&lock, NULL);
	lpk_fetch_add_relaxed(&zaps, 1);
}

static const struct lpk_console_driver driver = {.name = "device",
    .write = device_write,
    .write_on_panic = device_write,
    .lock = device_lock,
    .unlock = device_unlock,
    .zap_locks = device_zap};

/* The log and its console stay: a thread may be stopped in them for good. */
static void
begin(const char *name, enum lpk_console_mode mode)
{
	struct lpk_console_stats stats;

	where = name;
	memory = calloc(1, LPK_REGION_BYTES(4096, 8) + LPK_CACHE_LINE);
	check(memory != NULL);
	check(lpk_log_init(&ring, "locks", memory,
		  LPK_REGION_BYTES(4096, 8) + LPK_CACHE_LINE, 4096, 8,
		  1) == LPK_OK);
	out_bytes = 0;
	pthread_mutex_init(&lock, NULL);
	lpk_store_relaxed(&zaps, 0);
	lpk_store_relaxed(&calls, 0);
	lpk_store_relaxed(&writers, 0);
	lpk_store_release(&trouble, NONE);
	console =
	    (struct lpk_console){.driver = &driver, .log = &ring, .mode = mode};
	check(lpk_console_register(&console) == LPK_OK);
	lpk_console_stats(&console, &stats);
	check(stats.mode == mode);
}

static void
end(void)
{
	check(lpk_console_unregister(&console, lpk_now_ns() + 60 * SECOND) ==
	    LPK_OK);
	free(memory);
}

/* No thread of the console, which a panic would have stopped. */
static void
begin_direct(const char *name)
{
	begin(name, LPK_MODE_DIRECT);
	check(lpk_shutdown(UINT64_MAX) == LPK_OK);
}

/* After a panic nobody prints; who was stopped comes back to that. */
static void
end_after_panic(void)
{
	size_t before = out_bytes;

	lpk_store_relaxed(&console.printer->enabled, 0);
	sem_post(&go_on);
	check(lpk_console_unregister(&console, lpk_now_ns() + 60 * SECOND) ==
	    LPK_OK);
	check(out_bytes == before);
	free(memory);
}

static void
log_some(int first, int count)
{
	int i;

	for (i = first; i < first + count; i++)
		lpk_write(&ring, LPK_INFO, "record %d.", i);
}

/* Every record whole, and once; how often something is printed again. */
static void
check_out(int count, int notices)
{
	const char *at, *last = out;
	char want[32];
	int i;

	for (at = out; (at = strstr(at, REPLAY)) != NULL; at++)
		notices--;
	check(notices == 0);
	for (i = 0; i < count; i++) {
		snprintf(want, sizeof(want), "] record %d.\n", i);
		at = strstr(out, want);
		check(at != NULL && at >= last);
		check(strstr(at + 1, want) == NULL);
		last = at;
	}
}

static enum lpk__step
panic_print(void)
{
	return lpk__printer_panic(console.printer, panic_text,
	    lpk_port_caller(), true, UINT64_MAX, lpk_now_ns() + 60 * SECOND);
}

static void
check_accounts(unsigned long stored)
{
	struct lpk_console_stats stats;

	lpk_console_stats(&console, &stats);
	check(stats.printed + stats.suppressed + stats.lost == stored);
	check(stats.printed == stored);
}

static void
wait_until(unsigned long *word, unsigned long value)
{
	while (lpk_load_acquire(word) < value)
		usleep(1000);
}

/* ------------------------------------------------------------------------ */

static sem_t holds;

static void *
hold_lock(void *argument)
{
	pthread_mutex_lock(&lock);
	sem_post(&holds);
	if (argument != NULL)
		pthread_exit(NULL);
	while (sem_wait(&go_on) != 0)
		;
	/* It was zapped meanwhile: nothing to unlock. */
	return NULL;
}

/* The console's thread is stuck in lock(); whose holder never lets go. */
static void
lock_is_held(const char *name, void *by_the_dead)
{
	pthread_t holder;

	begin(name, LPK_MODE_POLL);
	check(pthread_create(&holder, NULL, hold_lock, by_the_dead) == 0);
	while (sem_wait(&holds) != 0)
		;
	if (by_the_dead != NULL)
		pthread_join(holder, NULL);
	log_some(0, 1);
	wait_until(&writers, 1);
	log_some(1, RECORDS - 1);
	check(lpk_console_flush(&console, lpk_now_ns() + SECOND / 50) ==
	    -LPK_ETIMEDOUT);
	check(panic_print() == LPK__NOTHING);
	check(lpk_load_acquire(&zaps) == 1);
	/* Nothing of the first record was on the device. */
	check_out(RECORDS, 0);
	check_accounts(RECORDS);
	/* Once more: nobody is there to be zapped. */
	log_some(RECORDS, 3);
	check(panic_print() == LPK__NOTHING);
	check(lpk_load_acquire(&zaps) == 1);
	check_out(RECORDS + 3, 0);
	check_accounts(RECORDS + 3);
	if (by_the_dead == NULL) {
		sem_post(&go_on);
		pthread_join(holder, NULL);
	}
	/* The process would end here; the console's thread waits for ever. */
}

/* Stopped in its driver, with the lock. */
static void
owner_is_stopped(void)
{
	begin("the owner is stopped in its driver", LPK_MODE_POLL);
	lpk_store_release(&trouble, STOPS_IN_WRITE);
	log_some(0, 1);
	while (sem_wait(&reached) != 0)
		;
	log_some(1, RECORDS - 1);
	check(panic_print() == LPK__NOTHING);
	check(lpk_load_acquire(&zaps) == 1);
	check_out(RECORDS, 1);
	check_accounts(RECORDS);
	/* It comes back, and is told to touch nothing. */
	end_after_panic();
}

/* A panic on top of the owner's own stack. */
static enum lpk__step on_signal_result;

static void
on_signal(int number)
{
	(void)number;
	on_signal_result = panic_print();
}

static void *
print_direct(void *argument)
{
	int first = *(int *)argument;

	log_some(first, 1);
	return NULL;
}

static void
owner_is_interrupted(void)
{
	begin_direct("the owner is the interrupted thread");
	log_some(0, 3);
	lpk_store_release(&trouble, SIGNAL_IN_WRITE);
	on_signal_result = LPK__TAKEN;
	log_some(3, 1);
	check(on_signal_result == LPK__NOTHING);
	check(lpk_load_acquire(&zaps) == 1);
	check_out(4, 1);
	check_accounts(4);
	end_after_panic();
}

/* Not the owner, but whatever else of the driver takes its lock. */
static void *
interrupt_holder(void *argument)
{
	(void)argument;
	pthread_mutex_lock(&lock);
	raise(SIGUSR1);
	return NULL;
}

static void
holder_is_interrupted(void)
{
	pthread_t holder;

	begin("the holder of the lock is interrupted", LPK_MODE_POLL);
	log_some(0, 2);
	check(lpk_console_flush(&console, UINT64_MAX) == LPK_OK);
	/* The lock is not taken by who panics: nobody owns the console. */
	check(lpk_console_suspend(&console, UINT64_MAX) == LPK_OK);
	log_some(2, 2);
	check(pthread_create(&holder, NULL, interrupt_holder, NULL) == 0);
	pthread_join(holder, NULL);
	check(on_signal_result == LPK__NOTHING);
	check(lpk_load_acquire(&zaps) == 0);
	check_out(4, 0);
	check_accounts(4);
}

/* A caller of printk ends in the driver: the next one finds out. */
static void
caller_is_gone(void)
{
	int first = 3;
	pthread_t thread;

	begin("a caller ended in the driver", LPK_MODE_DIRECT);
	log_some(0, 3);
	lpk_store_release(&trouble, ENDS_IN_WRITE);
	check(pthread_create(&thread, NULL, print_direct, &first) == 0);
	pthread_join(thread, NULL);
	log_some(4, 3);
	check(lpk_console_flush(&console, UINT64_MAX) == LPK_OK);
	check(lpk_load_acquire(&zaps) == 1);
	check_out(7, 1);
	check_accounts(7);
	/* From here on it is as any other. */
	log_some(7, 3);
	check(lpk_console_flush(&console, UINT64_MAX) == LPK_OK);
	check(lpk_load_acquire(&zaps) == 1);
	check_out(10, 1);
	end();
}

/* A process that panics finds the owner gone, and needs no force. */
static void
caller_is_gone_in_a_panic(void)
{
	int first = 0;
	pthread_t thread;

	begin_direct("a caller ended in the driver, then a panic");
	lpk_store_release(&trouble, ENDS_IN_WRITE);
	check(pthread_create(&thread, NULL, print_direct, &first) == 0);
	pthread_join(thread, NULL);
	check(
	    lpk__printer_panic(console.printer, panic_text, lpk_port_caller(),
		false, UINT64_MAX, lpk_now_ns() + 60 * SECOND) == LPK__NOTHING);
	check(lpk_load_acquire(&zaps) == 1);
	check_out(1, 1);
	check_accounts(1);
	end_after_panic();
}

/* The console's own thread ends in the driver. */
static void
console_thread_is_gone(void)
{
	struct lpk__console_slot *slot;

	begin("the console's thread ended in the driver", LPK_MODE_POLL);
	log_some(0, 2);
	check(lpk_console_flush(&console, UINT64_MAX) == LPK_OK);
	lpk_store_release(&trouble, ENDS_IN_WRITE);
	log_some(2, 1);
	slot = (struct lpk__console_slot *)(void *)console.printer;
	pthread_join(slot->thread, NULL);
	/* The lock is its own, for ever. */
	log_some(3, 3);
	check(lpk_console_set_mode(&console, LPK_MODE_DIRECT) == LPK_OK);
	log_some(6, 1);
	check(lpk_load_acquire(&zaps) == 1);
	check_out(7, 1);
	check_accounts(7);
}

static sigjmp_buf out_of_it;

static void *
wait_for_console(void *argument)
{
	int first = *(int *)argument;

	if (sigsetjmp(out_of_it, 1) != 0)
		return NULL;
	lpk_emergency_enter();
	log_some(first, 1);
	lpk_emergency_exit();
	return NULL;
}

/* What is below never runs again. */
static void
jump_out(int number)
{
	(void)number;
	siglongjmp(out_of_it, 1);
}

/* Who waited for the console ended: it is reserved for nobody. */
static void
waiter_is_gone(void)
{
	const unsigned long waits = 0xc;
	int first = 0, second = 1;
	pthread_t owner, waiter;

	begin("who waited for the console is gone", LPK_MODE_DIRECT);
	lpk_store_release(&trouble, STOPS_IN_WRITE);
	check(pthread_create(&owner, NULL, print_direct, &first) == 0);
	while (sem_wait(&reached) != 0)
		;
	check(pthread_create(&waiter, NULL, wait_for_console, &second) == 0);
	while ((lpk_load_relaxed(&console.printer->owner.word) & waits) == 0)
		sched_yield();
	pthread_kill(waiter, SIGUSR2);
	pthread_join(waiter, NULL);
	sem_post(&go_on);
	pthread_join(owner, NULL);
	log_some(2, 3);
	check(lpk_console_flush(&console, UINT64_MAX) == LPK_OK);
	check((lpk_load_relaxed(&console.printer->owner.word) & waits) == 0);
	check_out(5, 0);
	check(lpk_load_acquire(&zaps) == 0);
	check_accounts(5);
	end();
}

static void
lock_is_held_by_the_stopped(void)
{
	lock_is_held("the lock is held by a stopped thread", NULL);
}

static void
lock_is_held_by_the_dead(void)
{
	lock_is_held("the lock is held by a thread that ended", &holds);
}

static void (*const scenes[])(void) = {lock_is_held_by_the_stopped,
    lock_is_held_by_the_dead, owner_is_stopped, owner_is_interrupted,
    holder_is_interrupted, caller_is_gone, caller_is_gone_in_a_panic,
    console_thread_is_gone, waiter_is_gone};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

static void
play(size_t number)
{
	struct sigaction action = {.sa_handler = on_signal};

	sem_init(&reached, 0, 0);
	sem_init(&go_on, 0, 0);
	sem_init(&holds, 0, 0);
	sigaction(SIGUSR1, &action, NULL);
	action.sa_handler = jump_out;
	sigaction(SIGUSR2, &action, NULL);
	scenes[number]();
	printf("%-44s ok\n", where);
	fflush(stdout);
	/* Some of the threads never end. */
	_exit(0);
}

/* Each in a process of its own. */
int
main(int count, char **arguments)
{
	char *const self = arguments[0];
	char number[8];
	size_t i;
	pid_t child;
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	where = "the beginning";
	if (count > 1 && strtoul(arguments[1], NULL, 10) < SCENES)
		play(strtoul(arguments[1], NULL, 10));
	for (i = 0; i < SCENES; i++) {
		snprintf(number, sizeof(number), "%zu", i);
		child = fork();
		if (child == 0) {
			execv("/proc/self/exe", (char *[]){self, number, NULL});
			_exit(1);
		}
		check(child > 0 && waitpid(child, &status, 0) == child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			return 1;
	}
	return 0;
}
