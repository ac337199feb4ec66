/* SPDX-License-Identifier: MIT */
/*
 * crash.h - the matrix of deaths: a child logs, says in a shared page which
 * calls have returned, and dies; its parent counts what is left of the log.
 *
 *   matrix.c        the table of deaths, and the run over it
 *   lib_child.c     the child's life until it dies
 *   lib_deaths.c    ways to die
 *   lib_devices.c   consoles that misbehave
 *   lib_parent.c    start a child, drain it, wait for its end
 *   lib_judge.c     what is on consoles and in the image
 *   lib_core.c      what a core file says
 *   lib_machine.c   what this machine allows
 */
#ifndef TESTS_CRASH_H
#define TESTS_CRASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOGGERS 8
#define DYING LOGGERS        /* number of what the dying thread logs */
#define FORKED (LOGGERS + 1) /* of what a child of the child logs */
#define IDS (LOGGERS + 2)
#define RECORDS 200 /* of each logger; they fit into the log */

/* What outlives the child besides its log. */
struct page {
	char folder[128];
	char library[256]; /* the folder with liblpk.so; "": none */
	int fd_a;          /* the pipe */
	uint32_t random;
	bool bare; /* the same death without lpk */
	atomic_uint acked[IDS];
	uint32_t at_death[IDS];
	atomic_ullong death_ns;
	atomic_int calls_parent; /* to be killed from outside */
	atomic_int first;        /* id of the first logger's thread */
	atomic_int previous;     /* signal that the program's handler got */
	atomic_int inner;        /* status of the child's own child, + 1 */
};

/* What must be on a console, or in memory. */
enum want {
	WANT_NOTHING, /* it is not looked at */
	WANT_ALL,     /* whatever was committed */
	WANT_PRINTED, /* what was printed before; the last line may be cut */
	WANT_TAIL     /* the newest, and how much was skipped */
};

/* death->flags */
#define RACING 0x01u   /* the moment matters: many of them */
#define WORKER 0x02u   /* a thread dies that has logged, not main() */
#define STRANGER 0x04u /* one that has not */
#define QUIET 0x08u    /* the others are done with logging */
#define FLOOD 0x10u    /* the others never are: the log overflows */
#define MEMFD 0x20u    /* the region has no name */
#define TRACE 0x40u    /* with a backtrace */
#define ADDRESS 0x80u  /* of the fault: the same in each run */
#define NO_CORE 0x100u /* none is to be had, or it says nothing */
#define EITHER 0x200u  /* of two signals: the one that is told */
#define NAMESPACE 0x400u
#define CGROUP 0x800u
#define NO_BARE 0x1000u /* it makes no sense without lpk: SIGABRT */
#define STALLED 0x2000u /* the parent does not read the pipe */
#define HANGS_UP 0x4000u
#define SLOW 0x8000u   /* a console of known speed has time of its own */
#define ALONE 0x10000u /* no loggers, and no lpk_init() */

#define ELSEWHERE 0x20000u /* another thread than the one that meets it */
#define FULL 0x40000u      /* descriptor 30 leads to a device that is full */

/* The kernel forgets what it was about where no handler can run. */
#define NO_SIGINFO 0x80000u
#define NO_REGION 0x200000u /* crashes are handled, and that is all */
#define SANDBOX 0x100000u   /* no system call but write(2) */
#define MODULE 0x400000u    /* loaded, by a program that can */

struct run;

struct death {
	const char *number, *name;
	void (*die)(void);
	unsigned int flags;
	enum want a, b, memory;
	const char *consoles;            /* NULL: a pipe, and a file */
	void (*before)(void);            /* the library is asked for anything */
	void (*after)(void);             /* consoles run, threads do not */
	void (*during)(struct run *run); /* in the parent, when called */
	bool (*judge)(struct run *run);  /* in the parent, at the end */
	const char *(*impossible)(void); /* why it cannot be had here */
	const char *said;                /* on standard error */
	const char *build;               /* NULL: each of those in the table */
};

/* One child, and what became of it. */
struct run {
	const struct death *death;
	const char *program;
	struct page *page;
	int page_fd;
	int pipe_read, pipe_write;
	pid_t pid;
	bool core;
	int status;
	uint64_t took_ns;
	char *drained;
	size_t drained_bytes;
	char wrong[512]; /* "": nothing is */
};

/* What is in one place, counted. */
struct tally {
	uint32_t next[IDS];
	uint32_t seen[IDS];
	unsigned int records, replays, skips, drops, panics;
	bool gaps;      /* are allowed */
	bool back[IDS]; /* a replay may begin again */
	bool cut;       /* the line before was */
	char line_before[64];
	char first_panic[32]; /* name of the signal in it */
	char wrong[256];
};

/* In the child. */
extern struct page *page;
void child_main(const struct death *death, int page_fd)
    __attribute__((noreturn));
void log_one(unsigned int id, uint32_t seq);
void log_some(unsigned int id, uint32_t count);
void snapshot(void);
void snapshot_again(void);
extern atomic_int asleep; /* a console's thread is, in its driver */
void call_parent(void) __attribute__((noreturn));
void wait_for_moment(void);
uint32_t acked_by_all(void);

/* lib_deaths.c */
void die_null(void);
void die_abort(void);
void die_assert(void);
void die_fpe(void);
void die_ill(void);
void die_bus(void);
void die_sys(void);
void die_overflow(void);
void die_heap(void);
void die_under_locks(void);
void die_kill(void);
void die_oom(void);
void die_exit_now(void);
void die_exec(void);
void die_exit(void);
void die_shut_down(void);
void die_two(void);
void die_blocked(void);
void die_strict(void);
void die_filtered(void);
void die_logger(void);
void die_fork(void);
void die_vfork(void);
void die_deadlock(void);
void die_signal_replaced(void);
void die_signal_restored(void);
void die_signal_rearmed(void);
void die_signal_chained(void);
void die_unloaded(void);
void die_panic(void);
void die_survived(void);
void die_wait(void);
void die_elsewhere(void);
void die_beside_sleeper(void);
void before_previous(void);
void after_limit(void);
void after_dumper(void);

/* lib_devices.c */
void devices_register(void);

/* In the parent. */
void run_start(struct run *run);
void run_end(struct run *run);
void run_wrong(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tally_text(struct tally *tally, const char *text, size_t bytes);
void tally_check(struct run *run, const struct tally *tally, enum want want,
    const char *where);
bool judge_console(struct run *run, struct tally *tally, bool pipe_a);
bool judge_image(struct run *run, struct tally *tally, const char *arguments);
char *read_whole(const char *path, size_t *bytes);

struct core_info {
	int signo, code;
	uint64_t address;
};
bool core_read(const char *path, struct core_info *info);

const char *lpk_path(void);
const char *no_cgroup(void);
const char *no_namespace(void);
const char *no_cores(void);
const char *no_library(void);
void cgroup_enter(void);
void cgroup_leave(void);

#endif /* TESTS_CRASH_H */
