/* SPDX-License-Identifier: MIT */
/*
 * port.h - what lpk asks of a platform. Copy liblog/port/template.c, fill in
 * the functions, and list the file in the build in place of posix.c.
 *
 * Every function may be called from any context, a signal handler or a
 * non-maskable interrupt included, unless it says otherwise: no locks, no
 * allocation, errno untouched.
 */
#ifndef LPK_PORT_H
#define LPK_PORT_H

#include <lpk/base.h>
#include <lpk/log.h>

LPK_BEGIN_DECLS

/*
 * A port also defines lpk_default_log() of log.h: how much memory the log gets
 * is its decision.
 */

/* Two readings of the same moment. */
struct lpk_clock_pair {
	uint64_t raw;          /* lpk_port_clock() */
	uint64_t monotonic_ns; /* CLOCK_MONOTONIC, or time since boot */
	uint64_t realtime_ns;  /* since 1970, 0 where not known */
};

/* Set in a caller id when the call came from a handler or an interrupt. */
#define LPK_CALLER_HANDLER UINT32_C(0x80000000)

/**
 * lpk_port_clock() - The cheapest monotonic counter there is.
 *
 * Return: ticks of any constant rate; the same rate and origin on all CPUs.
 */
LPK_API uint64_t lpk_port_clock(void);

/**
 * lpk_port_clock_pair() - Read the counter and the clocks together.
 * @pair: receives the readings, at most some hundred ns apart
 */
LPK_API void lpk_port_clock_pair(struct lpk_clock_pair *pair);

/**
 * lpk_port_clock_hz() - Nominal rate of lpk_port_clock() in Hz.
 *
 * Used until two clock pairs lie far enough apart to compute the rate.
 */
LPK_API uint64_t lpk_port_clock_hz(void);

/**
 * lpk_port_caller() - Who is calling: a thread, a task, an interrupt.
 *
 * Return: a non-zero id, LPK_CALLER_HANDLER set inside a handler.
 */
LPK_API uint32_t lpk_port_caller(void);

/**
 * lpk_port_lane() - The lane of the calling thread.
 *
 * A handler gets the lane of the thread that it interrupts.
 *
 * Return: any number; it is taken modulo the number of lanes.
 */
LPK_API uint32_t lpk_port_lane(void);

/**
 * lpk_port_thread_name() - The name of the calling thread.
 * @name: receives up to 15 bytes and a NUL; left alone where it has none
 */
LPK_API void lpk_port_thread_name(char name[LPK_THREAD_NAME_BYTES]);

/**
 * lpk_port_wake() - Wake whoever waits for records of a log.
 * @log: its waiters word was found set; called after the commit
 */
LPK_API void lpk_port_wake(struct lpk_log *log);

/**
 * lpk_port_alive() - Does a thread still exist?
 * @caller: of lpk_port_caller(), without LPK_CALLER_HANDLER
 *
 * Return: true where that cannot be known.
 */
LPK_API bool lpk_port_alive(uint32_t caller);

/**
 * lpk_port_pause() - Wait a moment for another context to get on.
 * @round: how often that was done already, waiting for the same thing
 *
 * At most a tenth of a millisecond.
 */
LPK_API void lpk_port_pause(unsigned int round);

struct lpk_reader;

/**
 * lpk_port_idle() - A reader with a descriptor found nothing to read.
 * @reader: its event_fd is not -1
 *
 * Context:  thread.
 * Return:   true when a record may have come meanwhile: look again.
 */
LPK_API bool lpk_port_idle(struct lpk_reader *reader);

LPK_END_DECLS

#endif /* LPK_PORT_H */
