/* SPDX-License-Identifier: MIT */
/*
 * console.h - consoles: what prints records somewhere. Each one runs in a
 * thread of its own and has a cursor of its own; no lock is shared between
 * two of them, and no caller of printk ever waits for one.
 *
 * | operation           | context | excludes                             |
 * |---------------------|---------|--------------------------------------|
 * | lpk_console_start   | thread  | other operations on the same console |
 * | lpk_console_stop    | thread  | other operations on the same console |
 * | lpk_console_flush   | thread  | start and stop of the same console   |
 * | lpk_console_stats   | any     | start and stop of the same console   |
 */
#ifndef LPK_CONSOLE_H
#define LPK_CONSOLE_H

#include <lpk/reader.h>

LPK_BEGIN_DECLS

struct lpk_console;

/*
 * A driver writes its own; lpk calls it.
 */
struct lpk_console_driver {
	const char *name;
	/**
	 * write() - Put whole lines on the device.
	 * @lines:      as rendered
	 * @size_bytes: of @lines; the whole of it is taken or reported
	 *
	 * Context:  the console's own thread; may sleep.
	 * Return:   LPK_OK, or -LPK_EIO when the device refused: the lines
	 *           count as lost then.
	 */
	int (*write)(
	    struct lpk_console *console, const char *lines, size_t size_bytes);
};

struct lpk_console_stats {
	uint64_t printed;    /* records given to the device */
	uint64_t suppressed; /* records not shown, by level */
	uint64_t lost;       /* records overwritten before they were read */
	uint64_t refused;    /* records that the device did not take */
};

/* What may be set before lpk_console_start(); zero means the default. */
struct lpk_console {
	const struct lpk_console_driver *driver;
	void *device; /* the driver's */
	long number;  /* the driver's; of the fd console: the descriptor */
	struct lpk_log *log;  /* NULL: the default log */
	enum lpk_seek start;  /* default: the oldest record */
	enum lpk_style style; /* default: LPK_STYLE_TEXT */
	bool colours;         /* by level, for terminals */
	uint8_t quiet_below; /* levels from this number on are not shown; 0: all
				are */
	struct lpk__console_thread *thread; /* the library's, as the next */
	struct lpk_console_stats last;      /* when it was stopped */
};

/**
 * lpk_console_start() - Start printing.
 * @console: filled in by the caller, or by a driver's function such as
 *           lpk_fd_console(); must stay until lpk_console_stop()
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_EINVAL; -LPK_EBUSY when it is running;
 *           -LPK_ENOMEM when there is no memory or no thread to be had.
 */
LPK_API int lpk_console_start(struct lpk_console *console);

/**
 * lpk_console_flush() - Wait until the console has printed what is stored.
 * @console:     a running console
 * @deadline_ns: CLOCK_MONOTONIC; UINT64_MAX: none
 *
 * The target is all that was reserved before the call, not an empty ring.
 *
 * Context:  thread; may block.
 * Return:   LPK_OK; -LPK_ETIMEDOUT; -LPK_EINVAL.
 */
LPK_API int lpk_console_flush(
    struct lpk_console *console, uint64_t deadline_ns);

/**
 * lpk_console_stop() - Flush, and end the console's thread.
 * @console:     a running console
 * @deadline_ns: for the flush; CLOCK_MONOTONIC
 *
 * Afterwards no function of the driver runs, unless its write() did not return
 * before the deadline: then it is left to itself, @console and the device must
 * stay, and nothing more is written when it does return.
 *
 * Context:  thread; may block, until the deadline and a moment more.
 * Return:   what the flush returned; -LPK_EBUSY when write() did not return;
 *           -LPK_EINVAL.
 */
LPK_API int lpk_console_stop(struct lpk_console *console, uint64_t deadline_ns);

/**
 * lpk_console_stats() - Read the accounts of a console.
 * @console: running, or stopped; then what they were in the end
 * @stats:   receives them
 *
 * Context:  any.
 */
LPK_API void lpk_console_stats(
    const struct lpk_console *console, struct lpk_console_stats *stats);

/**
 * lpk_now_ns() - CLOCK_MONOTONIC in ns, for deadlines.
 *
 * Context:  any.
 */
LPK_API uint64_t lpk_now_ns(void);

LPK_END_DECLS

#endif /* LPK_CONSOLE_H */
