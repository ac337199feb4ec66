/* SPDX-License-Identifier: MIT */
/*
 * panic.h - last words: what is printed when the process dies of itself.
 *
 * | operation             | context | excludes                             |
 * |-----------------------|---------|--------------------------------------|
 * | lpk_panic_install     | init    | itself                               |
 * | lpk_panic_uninstall   | thread  | itself, lpk_panic_install            |
 * | lpk_panic_rearm       | thread  | itself, the two above                |
 * | lpk_panic             | any     | -                                    |
 * | lpk_panic_now         | any     | -                                    |
 * | lpk_panicking         | any     | -                                    |
 * | lpk_thread_init       | thread  | -                                    |
 * | lpk_dumper_register   | thread  | -                                    |
 * | lpk_dumper_unregister | thread  | -                                    |
 * | lpk_dump              | any     | -                                    |
 * | lpk_dump_get_line     | any     | use of the same iterator             |
 * | lpk_dump_get_buffer   | any     | use of the same iterator             |
 */
#ifndef LPK_PANIC_H
#define LPK_PANIC_H

#include <lpk/printk.h>
#include <lpk/reader.h>

LPK_BEGIN_DECLS

/* options->flags */
#define LPK_PANIC_BACKTRACE 0x1u /* print one, last of all */
#define LPK_PANIC_NO_STACKS 0x2u /* threads get no alternate stack from us */
/* A thread that faults makes no system call but write(2); see below. */
#define LPK_PANIC_SANDBOX 0x4u

/* What lpk_panic_install() is asked for. */
struct lpk_panic_options {
	size_t size_bytes; /* of this structure, for programs yet to come */
	/* For all consoles that have no known speed; 2 seconds. */
	uint64_t timeout_ns;
	/* On top of it, for each console that has; 2 seconds. */
	uint64_t slow_ns;
	unsigned int flags; /* LPK_PANIC_* */
};
#define LPK_PANIC_OPTIONS_INIT                                                 \
	{                                                                      \
		sizeof(struct lpk_panic_options), 2000000000, 2000000000, 0    \
	}

/**
 * lpk_panic_install() - Print last words on a crash.
 * @options: NULL: the defaults
 *
 * Handles SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS and SIGABRT: everything that
 * is stored is put on every console that has write_on_panic(), by the thread
 * that crashed and without any other one; then registers and, if wanted, a
 * backtrace. Then the handlers that were there before run, and the process
 * dies of the same signal as it would have without us, with the same core.
 * Threads get an alternate stack when they log for the first time, so that a
 * stack that overflows can still be told of.
 *
 * With LPK_PANIC_SANDBOX a thread that faults makes no system call but write(2)
 * until it dies, and dies of the same fault: for threads in strict seccomp,
 * where any other call kills. Its price: consoles are silent whose driver does
 * not say LPK_DRIVER_WRITE_ONLY; dumpers are not called; earlier handlers do
 * not run; when a second thread has the same fault, it ends the dump; a child of
 * vfork(2) that faults prints the parent's log, and the parent's consoles are
 * silent from then on. A thread that is to be strict logs before it is, or calls
 * lpk_thread_init(). From then on it must not log: to wake a console takes a
 * system call, and on x86 it may not even read the time. Signals that somebody
 * sends end in calls that strict threads must not make. There is no backtrace:
 * with LPK_PANIC_BACKTRACE, too, it is -LPK_EINVAL.
 *
 * Context:  init.
 * Return:   LPK_OK; -LPK_EINVAL; -LPK_EBUSY when it was done; -LPK_EIO.
 */
LPK_API int lpk_panic_install(const struct lpk_panic_options *options);

/**
 * lpk_panic_uninstall() - Undo lpk_panic_install().
 *
 * Handlers that were installed after ours stay.
 *
 * Context:  thread.
 */
LPK_API void lpk_panic_uninstall(void);

/**
 * lpk_panic_rearm() - Take back signals that others handle by now.
 *
 * For a program whose libraries install handlers of their own after
 * lpk_panic_install(), by signal(2) say, without a thought of those that were
 * there: at a crash theirs run, and ours do not. This puts ours in front again;
 * what is found there runs behind our last words, as an earlier handler, and
 * what that one was installed over, behind it. Signals that are still ours are
 * left alone.
 *
 * Context:  thread.
 * Return:   how many of the signals were taken back, 0 or more; -LPK_EINVAL
 *           without lpk_panic_install(); -LPK_EIO.
 */
LPK_API int lpk_panic_rearm(void);

/**
 * lpk_panic() - Log, print everything everywhere, and abort.
 *
 * As lpk_emerg() followed by lpk_panic_now().
 *
 * Context:  any. Does not return.
 */
#define lpk_panic(...)                                                         \
	do {                                                                   \
		lpk_emerg(__VA_ARGS__);                                        \
		lpk_panic_now();                                               \
	} while (0)

/**
 * lpk_panic_now() - Print everything everywhere, and abort.
 *
 * Needs no lpk_panic_install().
 *
 * Context:  any. Does not return.
 */
LPK_API void lpk_panic_now(void) __attribute__((noreturn));

/**
 * lpk_panicking() - Is the process printing its last words?
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API bool lpk_panicking(void);

/**
 * lpk_thread_init() - Give this thread an alternate stack now.
 *
 * Threads that log get one by themselves; this is for others.
 *
 * Context:  thread.
 * Return:   LPK_OK, also when it has a larger one; -LPK_ENOMEM; -LPK_EINVAL
 *           without lpk_panic_install().
 */
LPK_API int lpk_thread_init(void);

/* Why a dump is made; the worst first. */
enum lpk_dump_reason {
	LPK_DUMP_PANIC,
	LPK_DUMP_EMERGENCY, /* lpk_dump() by the program */
	LPK_DUMP_SHUTDOWN   /* lpk_shutdown() */
};

/* A walk over the log; the library's business. */
struct lpk_dump_iter {
	const struct lpk_log *log;
	bool begun;
	uint64_t end_seq; /* of what get_buffer() has yet to give */
	struct lpk_reader reader;
	struct lpk_reader ahead;
	char text[LPK_TEXT_MAX + 2];
};

/*
 * A sink for crashes: memory that survives, a flash page, a modem. The idea,
 * and the two iterators, are those of the kernel's kmsg_dump.
 */
struct lpk_dumper {
	/**
	 * dump() - Save what the log has.
	 *
	 * Context:  panic: any; async-signal-safe calls only, and soon done.
	 */
	void (*dump)(struct lpk_dumper *dumper, enum lpk_dump_reason reason,
	    struct lpk_dump_iter *iter);
	enum lpk_dump_reason most; /* not called for less important reasons */
	void *data;                /* the dumper's own */
};

/**
 * lpk_dumper_register() - Call a dumper from now on.
 * @dumper: must stay until it is unregistered
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_EINVAL; -LPK_EBUSY when it is; -LPK_ENOSPC after 8.
 */
LPK_API int lpk_dumper_register(struct lpk_dumper *dumper);

/**
 * lpk_dumper_unregister() - Call it no more.
 *
 * When it returns the dumper is not running. While the process panics, it
 * does not return.
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_ENOENT.
 */
LPK_API int lpk_dumper_unregister(struct lpk_dumper *dumper);

/**
 * lpk_dump() - Call all dumpers that want to know of this.
 *
 * Context:  any; one at a time, a second one does nothing.
 */
LPK_API void lpk_dump(enum lpk_dump_reason reason);

/**
 * lpk_dump_get_line() - The next record, from the oldest to the newest.
 * @iter:       as dump() got it
 * @style:      of the line
 * @line:       receives it, cut if need be, with its newline
 * @size_bytes: of @line
 * @length:     receives its bytes; may be NULL
 *
 * Context:  any.
 * Return:   false when there is none.
 */
LPK_API bool lpk_dump_get_line(struct lpk_dump_iter *iter, enum lpk_style style,
    char *line, size_t size_bytes, size_t *length);

/**
 * lpk_dump_get_buffer() - As many records as fit, the newest first.
 * @iter:       as dump() got it
 * @style:      of the lines
 * @buffer:     receives whole lines, oldest of them first
 * @size_bytes: of @buffer
 * @length:     receives the bytes; may be NULL
 *
 * The next call gives the records before these.
 *
 * Context:  any.
 * Return:   false when there are none.
 */
LPK_API bool lpk_dump_get_buffer(struct lpk_dump_iter *iter,
    enum lpk_style style, char *buffer, size_t size_bytes, size_t *length);

LPK_END_DECLS

#endif /* LPK_PANIC_H */
