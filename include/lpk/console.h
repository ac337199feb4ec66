/* SPDX-License-Identifier: MIT */
/*
 * console.h - consoles: what prints records somewhere. Each one has a cursor, a
 * thread, a level and an owner of its own; no lock is shared between two of
 * them, and no caller of printk waits for the device of a deferred one.
 *
 * | operation              | context | excludes                            |
 * |------------------------|---------|-------------------------------------|
 * | lpk_console_register   | thread  | other operations on the same one    |
 * | lpk_console_unregister | thread  | unregister of the same one          |
 * | lpk_console_suspend    | thread  | unregister of the same one          |
 * | lpk_console_resume     | thread  | unregister of the same one          |
 * | lpk_console_set_mode   | thread  | unregister of the same one          |
 * | lpk_console_set_level  | any     | unregister of the same one          |
 * | lpk_console_set_filter | thread  | unregister of the same one          |
 * | lpk_console_flush      | thread  | unregister of the same one          |
 * | lpk_console_reopen     | any     | unregister of the same one          |
 * | lpk_console_stats      | any     | unregister of the same one          |
 * | lpk_flush              | thread  | -                                   |
 * | lpk_consoles_reopen    | any     | -                                   |
 * | lpk_consoles_stats     | thread  | -                                   |
 * | lpk_emergency_enter    | any     | -                                   |
 * | lpk_emergency_exit     | any     | -                                   |
 * | lpk_shutdown           | thread  | -                                   |
 * | lpk_panic_write_only   | any     | -                                   |
 */
#ifndef LPK_CONSOLE_H
#define LPK_CONSOLE_H

#include <lpk/reader.h>

LPK_BEGIN_DECLS

struct lpk_console;

/* What a driver is given to put on its device. */
struct lpk_batch {
	const char *bytes; /* whole records as rendered, or what is left */
	size_t size_bytes; /* of bytes */
	uint32_t records;  /* that end in bytes; notices do not count */
	uint8_t level;     /* the most important one's */
	bool rest;         /* what the last call left of its batch */
	/*
	 * CLOCK_MONOTONIC. A driver that waits for its device returns by then,
	 * with what it got rid of; it is called again with the rest.
	 */
	uint64_t deadline_ns;
	int error;              /* the driver's: errno, for the statistics */
	struct lpk__hold *hold; /* the library's */
};

/* driver->flags */
#define LPK_DRIVER_SINGLE 0x01u /* one record in a batch, no more */
/* write_on_panic() is safe only when no other thread can ever run again. */
#define LPK_DRIVER_LAST_RESORT 0x02u
/* write_on_panic() heeds lpk_panic_write_only(). */
#define LPK_DRIVER_WRITE_ONLY 0x04u

/*
 * A driver: what lpk calls to get bytes onto a device. One, constant, serves
 * any number of consoles. Every member but name may be NULL, and one of write
 * and write_on_panic must be there: without write the console is never in
 * LPK_MODE_POLL, without write_on_panic always, and is silent in a panic.
 *
 * A driver takes no lock of its own around its device and calls no function of
 * printk.h (it may, but would print about itself). lpk sees to it that at most
 * one context at a time is in write() or write_on_panic(), with one exception:
 * see zap_locks().
 */
struct lpk_console_driver {
	const char *name;    /* the word in front of ':' in a console's words */
	unsigned int flags;  /* LPK_DRIVER_* */
	size_t device_bytes; /* of memory that lpk_console_new() makes */

	/**
	 * option() - Take one word of a console's description.
	 * @key:   "" for what stands behind "name:", else the word before '='
	 * @value: behind '='; "" without one; copy what is to be kept into the
	 *         device's memory: exit() follows a setup() that went well,
	 *         and nothing else
	 *
	 * The first call is that with the key "", target or not.
	 *
	 * Context:  thread, before setup().
	 * Return:   LPK_OK; -LPK_ENOENT for a key that the driver does not
	 *           know; -LPK_EINVAL for a value that makes no sense.
	 */
	int (*option)(
	    struct lpk_console *console, const char *key, const char *value);

	/**
	 * setup() - Open the device.
	 *
	 * May change what the console's fields say (level, style, colours), and
	 * hand over to another driver: console->driver and device, until exit()
	 * puts them back.
	 *
	 * Context:  thread, in lpk_console_register(); no other callback runs.
	 * Return:   LPK_OK, or an error that lpk_console_register() returns.
	 */
	int (*setup)(struct lpk_console *console);

	/**
	 * exit() - Close the device, and give back what setup() took.
	 *
	 * Context:  thread; no other callback runs or ever will.
	 */
	void (*exit)(struct lpk_console *console);

	/**
	 * render() - Put one record into the form in which write() gets it.
	 * @record: LPK_RECORD_NOTICE is set in what lpk itself has to say
	 * @text:   as from lpk_reader_next()
	 *
	 * NULL: lpk_record_print() in the console's style, with colours.
	 *
	 * Context:  any. No locks, no allocation, no system calls.
	 * Return:   bytes of the whole rendering; when that is more than
	 *           @size_bytes, @out holds its beginning. 0: print nothing.
	 */
	size_t (*render)(struct lpk_console *console,
	    const struct lpk_record *record, const char *text, char *out,
	    size_t size_bytes);

	/**
	 * write() - Put bytes on the device.
	 *
	 * Runs unsafe: a panic waits a moment for it, then takes the device
	 * away by force. A driver that waits puts lpk_console_exit_unsafe() in
	 * front of the wait and lpk_console_enter_unsafe() behind it.
	 *
	 * Context:  the console's own thread, between lock() and unlock();
	 *           may sleep until @batch->deadline_ns.
	 * Return:   how many bytes the device took, 0 to @batch->size_bytes; it
	 *           is called again with the rest.
	 *           -LPK_EAGAIN, -LPK_ENOSPC: none now. The console keeps its
	 *           place, and tries again ever less often, once a second in
	 *           the end. -LPK_EIO: never: these records count as lost.
	 */
	int (*write)(struct lpk_console *console, struct lpk_batch *batch);

	/**
	 * write_on_panic() - The same, from anywhere.
	 *
	 * Also what prints in LPK_MODE_DIRECT, in emergencies, and after
	 * lpk_shutdown(). @batch holds one record, or what a write() left.
	 *
	 * Context:  any: signal handlers, a crashed process. No lock, not even
	 *           lock(); no allocation; only async-signal-safe calls; waits
	 *           for the device until @batch->deadline_ns and no longer.
	 * Return:   as write().
	 */
	int (*write_on_panic)(
	    struct lpk_console *console, struct lpk_batch *batch);

	/**
	 * lock(), unlock() - Around every write(), and around reopen().
	 *
	 * For what else touches the device in the driver's threads.
	 *
	 * Context:  the console's own thread; lock() may block.
	 */
	void (*lock)(struct lpk_console *console);
	void (*unlock)(struct lpk_console *console);

	/**
	 * zap_locks() - Whoever holds lock() will never run again.
	 *
	 * Called when an owner is found to be gone, and last of all in a panic,
	 * when the owner did not let go: then write() may still be running in
	 * another thread. Reinitialize what lock() takes.
	 *
	 * Context:  any.
	 */
	void (*zap_locks)(struct lpk_console *console);

	/**
	 * reopen() - Open the device's name anew: its file was renamed.
	 *
	 * Context:  the console's own thread, between lock() and unlock().
	 */
	void (*reopen)(struct lpk_console *console);
};

/* Who prints, and when. */
enum lpk_console_mode {
	LPK_MODE_POLL,   /* the console's thread, as fast as the device takes */
	LPK_MODE_DIRECT, /* the caller of printk, before the call returns */
	LPK_MODE_PANIC   /* nobody, until the process panics */
};

enum lpk_console_state {
	LPK_CONSOLE_OFF,       /* not registered */
	LPK_CONSOLE_RUNNING,   /* prints, or waits for records */
	LPK_CONSOLE_BLOCKED,   /* the device takes nothing at the moment */
	LPK_CONSOLE_SUSPENDED, /* by lpk_console_suspend() */
	LPK_CONSOLE_PAUSED     /* an emergency or a panic prints instead */
};

/*
 * The accounts of a console. Once the writers are quiet and the console has
 * caught up:
 *   stored since its start = printed + suppressed + lost
 */
struct lpk_console_stats {
	char name[LPK_CONSOLE_NAME_BYTES];
	const char *driver; /* its name */
	enum lpk_console_mode mode;
	enum lpk_console_state state;
	uint8_t quiet_below;
	uint64_t printed;    /* records that the device took whole */
	uint64_t suppressed; /* not shown, by level or filter */
	uint64_t lost;       /* overwritten before they were read, or refused */
	uint64_t refused;    /* part of lost: the device would not have them */
	uint64_t replayed;   /* printed again, whole, after a takeover */
	uint64_t direct;     /* part of printed: by callers of printk */
	uint64_t handed_over; /* direct calls that left theirs to the thread */
	uint64_t lag_records; /* stored and not accounted for above */
	uint64_t lag_ns;      /* age of the oldest of them, about; 0: none */
	uint64_t bytes;       /* that the device took */
	uint32_t owner;       /* thread that is printing, 0: none */
	int last_error;       /* errno of the driver's last failure, or 0 */
};

/*
 * A console. Filled in by its user, or by lpk_console_new(); what is not set is
 * zero, and means the default. Once it is registered it is changed by the
 * functions below alone, and must stay until it is unregistered.
 */
struct lpk_console {
	const struct lpk_console_driver *driver;
	void *device; /* the driver's */
	long number;  /* the driver's; of the fd console: the descriptor */
	char name[LPK_CONSOLE_NAME_BYTES]; /* "": the driver's */
	struct lpk_log *log;               /* NULL: the default log */
	enum lpk_console_mode mode;
	enum lpk_seek start; /* default: the oldest record */
	uint64_t start_seq;  /* for LPK_SEEK_SEQ */
	enum lpk_style style;
	bool colours; /* by level, for terminals */
	/* Levels from this number on are not shown; 0: all are. */
	uint8_t quiet_below;
	/* As for lpk_filter_set(), applied when printing; NULL: none. */
	const char *filter;
	/* What the device takes; 0: not known. For the budget of a panic. */
	uint32_t bytes_per_second;
	/* Of one write(); 0: 65536. Less than a record's: one record. */
	uint32_t batch_bytes;
	struct lpk__printer *printer;  /* the library's, as the next */
	void *made;                    /* by lpk_console_new() */
	struct lpk_console_stats last; /* when it was unregistered */
};

/**
 * lpk_console_register() - Start printing on a console.
 * @console: filled in; its driver opens the device now
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_EINVAL when it makes no sense (no driver; a mode that
 *           the driver has no callback for; words of a filter); -LPK_EBUSY when
 *           it is registered; -LPK_ENOSPC when LPK_CONSOLES_MAX others are;
 *           -LPK_ENOMEM; or what the driver's setup() returned.
 */
LPK_API int lpk_console_register(struct lpk_console *console);

/**
 * lpk_console_unregister() - Flush, and let go of a console.
 * @console:     a registered one
 * @deadline_ns: for the flush; CLOCK_MONOTONIC
 *
 * When it returns no callback of the console runs, and none ever will; the
 * driver's exit() was the last. A console that hangs in its driver cannot be
 * pulled out from under it: then, with -LPK_EBUSY, it is disabled, it costs one
 * sleeping thread, and exit() runs in that thread if write() ever returns. The
 * console, its device and its log must stay until then; so must one that
 * lpk_console_new() made, which is then freed by itself.
 *
 * Context:  thread; may block, until the deadline and a moment more.
 * Return:   what the flush returned: LPK_OK or -LPK_ETIMEDOUT; -LPK_EBUSY when
 *           a callback did not return; -LPK_EINVAL.
 */
LPK_API int lpk_console_unregister(
    struct lpk_console *console, uint64_t deadline_ns);

/**
 * lpk_console_suspend() - Flush, and print nothing more until resumed.
 * @console:     a registered one
 * @deadline_ns: for the flush
 *
 * When it returns no callback of the console runs, unless -LPK_EBUSY said that
 * one hangs in the driver. Its cursor stays: what is stored meanwhile is
 * printed later, or reported lost. A panic prints on it all the same.
 *
 * Context:  thread; may block.
 * Return:   LPK_OK; -LPK_ETIMEDOUT; -LPK_EBUSY; -LPK_EINVAL.
 */
LPK_API int lpk_console_suspend(
    struct lpk_console *console, uint64_t deadline_ns);

/**
 * lpk_console_resume() - Undo lpk_console_suspend().
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_EINVAL.
 */
LPK_API int lpk_console_resume(struct lpk_console *console);

/**
 * lpk_console_set_mode() - Change who prints.
 * @console: a registered one
 * @mode:    the new mode
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_EINVAL when the driver cannot; -LPK_ENOMEM when there
 *           is no thread to be had.
 */
LPK_API int lpk_console_set_mode(
    struct lpk_console *console, enum lpk_console_mode mode);

/**
 * lpk_console_set_level() - Change what is shown, from the next record on.
 * @console:     a registered one
 * @quiet_below: levels from this number on are not shown; 0: all are
 *
 * Context:  any.
 * Progress: wait-free.
 * Return:   LPK_OK; -LPK_EINVAL above 8.
 */
LPK_API int lpk_console_set_level(
    struct lpk_console *console, unsigned int quiet_below);

/**
 * lpk_console_set_filter() - Show only some subsystems.
 * @console: a registered one
 * @words:   "net=debug,disk*=err,off", as for lpk_filter_set(); "": all
 * @bad_at:  receives where the first word not understood begins; may be NULL
 *
 * Asked when a record is printed, not when it is stored: other consoles and
 * readers still see it.
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_EINVAL or -LPK_ENOSPC with the filter unchanged;
 *           -LPK_EBUSY while another thread sets it.
 */
LPK_API int lpk_console_set_filter(
    struct lpk_console *console, const char *words, size_t *bad_at);

/**
 * lpk_console_flush() - Wait until a console has printed what is stored.
 * @console:     a registered one
 * @deadline_ns: CLOCK_MONOTONIC; UINT64_MAX: none
 *
 * The target is all that was reserved before the call, not an empty ring.
 *
 * Context:  thread; may block.
 * Return:   LPK_OK; -LPK_ETIMEDOUT; -LPK_EINVAL.
 */
LPK_API int lpk_console_flush(
    struct lpk_console *console, uint64_t deadline_ns);

/* What lpk_flush() reached. */
struct lpk_flush_result {
	uint32_t consoles;    /* that were asked */
	uint32_t reached;     /* that have printed all of it */
	uint64_t lag_records; /* what the worst of the others has left */
	char laggard[LPK_CONSOLE_NAME_BYTES]; /* its name, or "" */
};

/**
 * lpk_flush() - Wait until every console has printed what is stored.
 * @deadline_ns: CLOCK_MONOTONIC; UINT64_MAX: none
 * @result:      receives what was reached; may be NULL
 *
 * Suspended consoles, and those in LPK_MODE_PANIC, are not asked.
 *
 * Context:  thread; may block.
 * Return:   LPK_OK; -LPK_ETIMEDOUT when one did not reach it.
 */
LPK_API int lpk_flush(uint64_t deadline_ns, struct lpk_flush_result *result);

/**
 * lpk_console_reopen() - Have the driver open its file anew, before it writes
 * again: after logrotate(8) renamed it, say.
 *
 * Context:  any; a handler of SIGHUP too.
 * Return:   LPK_OK; -LPK_EINVAL.
 */
LPK_API int lpk_console_reopen(struct lpk_console *console);

/** lpk_consoles_reopen() - lpk_console_reopen() for all. Context: any. */
LPK_API void lpk_consoles_reopen(void);

/**
 * lpk_console_stats() - Read the accounts of a console.
 * @console: registered, or unregistered; then what they were in the end
 * @stats:   receives them
 *
 * Context:  any.
 */
LPK_API void lpk_console_stats(
    const struct lpk_console *console, struct lpk_console_stats *stats);

/**
 * lpk_consoles_stats() - Read the accounts of all registered consoles.
 * @stats: receives them, in the order of the slots
 * @most:  how many @stats has room for
 *
 * Context:  thread.
 * Return:   how many consoles there are.
 */
LPK_API unsigned int lpk_consoles_stats(
    struct lpk_console_stats *stats, unsigned int most);

/**
 * lpk_emergency_enter() - What this thread logs from here on is important now.
 *
 * Until the matching lpk_emergency_exit() each printk of this thread pushes
 * everything stored onto every console that can print direct, before it
 * returns, and the threads of these consoles pause. Nests. What the consoles'
 * devices do not take in time is left to their threads.
 *
 * Context:  any.
 */
LPK_API void lpk_emergency_enter(void);

/** lpk_emergency_exit() - Undo the last lpk_emergency_enter(). Context: any. */
LPK_API void lpk_emergency_exit(void);

/**
 * lpk_shutdown() - Flush all consoles and end their threads.
 * @deadline_ns: CLOCK_MONOTONIC
 *
 * From then on consoles that can print direct do, so that exit handlers and
 * destructors may still log; so it is in the child of a fork(2), too, until
 * lpk_consoles_restart(). Runs by itself when the process exits, with two
 * seconds' time.
 *
 * Context:  thread; may block.
 * Return:   LPK_OK; -LPK_ETIMEDOUT when a console did not print all.
 */
LPK_API int lpk_shutdown(uint64_t deadline_ns);

/**
 * lpk_consoles_restart() - Let the consoles have their threads again.
 *
 * Undoes lpk_shutdown(), and what fork(2) did in a child.
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_ENOMEM when a thread was not to be had.
 */
LPK_API int lpk_consoles_restart(void);

/**
 * lpk_console_can_proceed() - Does the caller still own the console?
 * @batch: what it was called with
 *
 * For a driver, at a point where its device may be taken from it. When false:
 * return, and touch neither device nor batch.
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API bool lpk_console_can_proceed(const struct lpk_batch *batch);

/**
 * lpk_console_exit_unsafe() - The device may be taken over from here on.
 * @batch: what write() or write_on_panic() was called with
 *
 * Context:  any.
 * Progress: wait-free.
 * Return:   false when it has been: return, and touch nothing.
 */
LPK_API bool lpk_console_exit_unsafe(const struct lpk_batch *batch);

/**
 * lpk_console_enter_unsafe() - The device is being poked from here on.
 * @batch: what write() or write_on_panic() was called with
 *
 * Context:  any.
 * Progress: wait-free.
 * Return:   false when it was taken over: return, and touch nothing.
 */
LPK_API bool lpk_console_enter_unsafe(const struct lpk_batch *batch);

/**
 * lpk_panic_write_only() - Is any system call but write(2) forbidden now?
 *
 * It is while this thread prints the last words of a process that asked for
 * LPK_PANIC_SANDBOX. Then write_on_panic() neither waits nor looks what its
 * device has become: what a write(2) cannot take at once it leaves to the next
 * call, and where write(2) might block it returns -LPK_EIO. Signals that a
 * write(2) raises are held off. Of clocks there are lpk_now_ns() and the coarse
 * ones of clock_gettime(2). Consoles whose driver does not have the flag
 * LPK_DRIVER_WRITE_ONLY are left out of such a panic.
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API bool lpk_panic_write_only(void);

/**
 * lpk_now_ns() - CLOCK_MONOTONIC in ns, for deadlines.
 *
 * Context:  any.
 */
LPK_API uint64_t lpk_now_ns(void);

LPK_END_DECLS

#endif /* LPK_CONSOLE_H */
