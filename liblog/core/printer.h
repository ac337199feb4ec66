/* SPDX-License-Identifier: MIT */
/*
 * printer.h - from a cursor to a device: read records, render them, hand them
 * to a driver, account for them. Whoever owns the console may do it: its
 * thread, a caller of printk, the context that panics.
 */
#ifndef LPK_CORE_PRINTER_H
#define LPK_CORE_PRINTER_H

#include <lpk/console.h>

#include "owner.h"
#include "position.h"
#include "rules.h"

/* A record may have a newline in every other byte, each with a prefix. */
#define LPK__RECORD_LINES ((size_t)LPK_TEXT_MAX * 32)
#define LPK__TEXT_ROOM (LPK_TEXT_MAX + 2)

/*
 * A cursor, what was read and rendered, and how much of that the device has.
 * What is counted here is added to the console's accounts when the device has
 * taken it, together with the position.
 */
struct lpk__feed {
	struct lpk_reader reader;
	char *lines;           /* room + LPK__RECORD_LINES bytes */
	char *text;            /* LPK__TEXT_ROOM bytes */
	size_t room;           /* no further record once there are so many */
	size_t bytes;          /* in lines */
	size_t sent;           /* of them */
	bool line_open;        /* the last line has no newline yet */
	uint8_t level;         /* the most important one's */
	uint32_t caller;       /* of the open line */
	uint32_t records;      /* shown */
	uint32_t hidden;       /* not shown */
	uint64_t lost;         /* skipped by the reader */
	uint64_t untold;       /* of these, not yet in lines */
	unsigned long dropped; /* by the log, as last told */
};

struct lpk__printer {
	LPK_ALIGNED(LPK_CACHE_LINE) struct lpk__owner owner;
	unsigned long enabled; /* callbacks may be called */
	unsigned long clean;   /* the last owner let go in good order */
	unsigned long torn;    /* some of feed may be on the device */
	unsigned long zaps;    /* how often locks were zapped */
	unsigned long quiet_below;
	unsigned long error; /* errno of the last failure */
	unsigned long counts[LPK__COUNTS];
	unsigned long rules_seq; /* odd while the rules are written */
	struct lpk__rules rules;
	struct lpk_console *console;
	struct lpk_log *log;
	uint64_t first_seq;
	struct lpk__positions positions;
	struct lpk__feed feed;
	/* What a panic prints out of; its lines are there for it all the time.*/
	struct lpk__feed panic;
	bool panicked;   /* it has begun to */
	bool panic_ends; /* tell what was dropped meanwhile */
};

/* What became of a step. */
enum lpk__step {
	LPK__NOTHING, /* there is nothing to print */
	LPK__SOME,    /* the console got on */
	LPK__STUCK,   /* its device takes nothing now */
	LPK__TAKEN    /* somebody took the console: touch nothing */
};

enum lpk__how {
	LPK__BY_WRITE,  /* in a thread, between lock() and unlock() */
	LPK__BY_CALLER, /* by write_on_panic() */
	LPK__BY_PANIC   /* the same, out of the panic's buffers */
};

/**
 * lpk__printer_open() - Make ready to print.
 * @printer: its console, log, and the memory and room of its feed are set
 *
 * Context:  thread; nobody uses it yet.
 * Return:   LPK_OK; -LPK_EINVAL.
 */
int lpk__printer_open(struct lpk__printer *printer);

/**
 * lpk__printer_begin() - After the console was got: may we print?
 *
 * What the last owner left unfinished, because it was taken from it, begins
 * anew.
 *
 * Context:  the owner; any.
 * Return:   false when the console is disabled; it was let go of.
 */
bool lpk__printer_begin(struct lpk__printer *printer, struct lpk__hold *hold);

/** lpk__printer_end() - Let go in good order. Context: the owner; any. */
void lpk__printer_end(struct lpk__printer *printer, struct lpk__hold *hold);

/**
 * lpk__printer_step() - Print a record, or as many as one write takes.
 * @deadline_ns: for the device
 *
 * Context:  the owner, between begin and end; any, unless by write().
 */
enum lpk__step lpk__printer_step(struct lpk__printer *printer,
    struct lpk__hold *hold, enum lpk__how how, uint64_t deadline_ns);

/**
 * lpk__printer_end_line() - Give the line that is open its newline.
 *
 * Context:  as lpk__printer_step(), when that had nothing.
 */
enum lpk__step lpk__printer_end_line(struct lpk__printer *printer,
    struct lpk__hold *hold, enum lpk__how how, uint64_t deadline_ns);

/**
 * lpk__printer_reopen() - Have the driver open its device's name anew.
 *
 * Context:  the owner, between begin and end; a thread.
 */
void lpk__printer_reopen(struct lpk__printer *printer, struct lpk__hold *hold);

/** lpk__printer_zap() - The owner will never run again. Context: any. */
void lpk__printer_zap(struct lpk__printer *printer);

/**
 * lpk__printer_set_rules() - Show only some subsystems.
 *
 * Context:  any; -LPK_EBUSY while another context does it.
 */
int lpk__printer_set_rules(
    struct lpk__printer *printer, const char *words, size_t *bad_at);

/**
 * lpk__printer_stored() - Records stored in its log so far.
 *
 * Context:  any.
 */
uint64_t lpk__printer_stored(const struct lpk__printer *printer);

/**
 * lpk__printer_panic() - Print everything, in a panic.
 * @text:        LPK__TEXT_ROOM bytes, the same for all consoles
 * @caller:      this thread
 * @force:       take the console by force if it is not to be had otherwise
 * @most:        so many records at the most, the newest; what is skipped for it
 *               is counted as lost, and said
 * @deadline_ns: for all of it
 *
 * The first time the console is got, it begins behind the last record that is
 * known to be on the device; what was interrupted is printed again, whole.
 *
 * Context:  panic.
 * Return:   LPK__NOTHING when all is printed; LPK__SOME when the deadline came
 *           first; LPK__STUCK when the device did not take it; LPK__TAKEN when
 *           the console was not to be had.
 */
enum lpk__step lpk__printer_panic(struct lpk__printer *printer, char *text,
    uint32_t caller, bool force, uint64_t most, uint64_t deadline_ns);

/**
 * lpk__printer_panic_undo() - The panic is over, and the process lives on.
 * @caller: this thread
 *
 * The console goes on behind what the panic printed.
 *
 * Context:  panic.
 */
void lpk__printer_panic_undo(struct lpk__printer *printer, uint32_t caller);

#endif /* LPK_CORE_PRINTER_H */
