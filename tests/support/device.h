/* SPDX-License-Identifier: MIT */
/*
 * device.h - a device in memory, with drivers for it: it remembers what it was
 * given and by whom, and refuses, or hangs, when told to.
 */
#ifndef TESTS_DEVICE_H
#define TESTS_DEVICE_H

#include "fixture.h"

#include <errno.h>
#include <unistd.h>

#include <lpk/console.h>
#include <lpk/port.h>

#include "lpk_atomic.h"

#define SECOND UINT64_C(1000000000)
/* For what should take no time at all, on a machine that may be busy. */
#define PATIENCE_NS (60 * SECOND)
#define DEVICE_BYTES (1 << 18)

enum device_gate {
	DEVICE_OPEN,
	DEVICE_FULL, /* waits until the deadline, and takes nothing */
	DEVICE_HUNG  /* does not return until the gate is opened */
};

struct device {
	char text[DEVICE_BYTES]; /* written by who owns the console */
	char copy[DEVICE_BYTES]; /* of device_text() */
	unsigned long bytes;
	unsigned long gate;     /* enum device_gate */
	unsigned long inside;   /* contexts in a callback */
	unsigned long overlaps; /* there was more than one */
	unsigned long calls;
	unsigned long exits;
	/* Of one thread: its records, and calls that let it wait. */
	unsigned long watched;
	unsigned long watched_records;
	unsigned long watched_waits;
	unsigned long longest_wait_ns;
	/* Called with each batch of write_on_panic(); may be NULL. */
	void (*hook)(struct device *device);
};

static inline void
device_note(struct device *device, const struct lpk_batch *batch)
{
	uint64_t now = lpk_now_ns();
	unsigned long caller = lpk_port_caller() & ~LPK_CALLER_HANDLER;

	if (caller != lpk_load_relaxed(&device->watched))
		return;
	if (batch->deadline_ns <= now)
		return;
	lpk_fetch_add_relaxed(&device->watched_waits, 1);
	if (batch->deadline_ns - now > device->longest_wait_ns)
		device->longest_wait_ns = batch->deadline_ns - now;
}

static inline void
device_take(struct device *device, const struct lpk_batch *batch)
{
	unsigned long at = lpk_load_relaxed(&device->bytes);

	if (at + batch->size_bytes < sizeof(device->text)) {
		memcpy(device->text + at, batch->bytes, batch->size_bytes);
		/* The bytes before their number; pairs with device_text(). */
		lpk_store_release(&device->bytes, at + batch->size_bytes);
	}
	if ((lpk_port_caller() & ~LPK_CALLER_HANDLER) ==
	    lpk_load_relaxed(&device->watched))
		lpk_fetch_add_relaxed(&device->watched_records, batch->records);
}

static inline int
device_call(struct device *device, struct lpk_batch *batch, bool hooked)
{
	int result = (int)batch->size_bytes;

	if (lpk_fetch_add_acquire(&device->inside, 1) != 0)
		lpk_fetch_add_relaxed(&device->overlaps, 1);
	lpk_fetch_add_relaxed(&device->calls, 1);
	device_note(device, batch);
	while (lpk_load_acquire(&device->gate) == DEVICE_HUNG)
		lpk_port_pause(16);
	while (lpk_load_acquire(&device->gate) == DEVICE_FULL &&
	    lpk_now_ns() < batch->deadline_ns)
		lpk_port_pause(16);
	if (lpk_load_acquire(&device->gate) == DEVICE_FULL) {
		batch->error = EAGAIN;
		result = -LPK_EAGAIN;
	} else {
		device_take(device, batch);
	}
	if (hooked && device->hook != NULL)
		device->hook(device);
	lpk_fetch_add_relaxed(&device->inside, 0ul - 1);
	/* As any system call might. */
	errno = EDOM;
	return result;
}

static inline int
device_write(struct lpk_console *console, struct lpk_batch *batch)
{
	return device_call(console->device, batch, false);
}

static inline int
device_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	return device_call(console->device, batch, true);
}

static inline void
device_exit(struct lpk_console *console)
{
	struct device *device = console->device;

	if (lpk_load_relaxed(&device->inside) != 0)
		lpk_fetch_add_relaxed(&device->overlaps, 1);
	/* Whoever sees it may take the console and its device away. */
	lpk_store_release(&device->exits, lpk_load_relaxed(&device->exits) + 1);
}

static const struct lpk_console_driver device_driver = {
    .name = "device",
    .write = device_write,
    .write_on_panic = device_write_on_panic,
    .exit = device_exit,
};

/* Which can print in its thread alone. */
static const struct lpk_console_driver device_thread_driver LPK_UNUSED = {
    .name = "thread-only", .write = device_write, .exit = device_exit};

/* Which has nothing for a thread to sleep in. */
static const struct lpk_console_driver device_caller_driver LPK_UNUSED = {
    .name = "caller-only",
    .write_on_panic = device_write_on_panic,
    .exit = device_exit,
};

/* As new, open; it is no console's. */
static inline void
device_reset(struct device *device)
{
	memset(device, 0, sizeof(*device));
}

static inline void
device_set_gate(struct device *device, enum device_gate gate)
{
	lpk_store_release(&device->gate, (unsigned long)gate);
}

/* Watch what the calling thread does to the device. */
static inline void
device_watch(struct device *device)
{
	lpk_store_relaxed(
	    &device->watched, lpk_port_caller() & ~LPK_CALLER_HANDLER);
}

/* All that it has taken, as a string that lasts until the next call. */
static inline const char *
device_text(struct device *device)
{
	/* Pairs with device_take(). */
	unsigned long bytes = lpk_load_acquire(&device->bytes);

	memcpy(device->copy, device->text, bytes);
	device->copy[bytes] = '\0';
	return device->copy;
}

/* How often a text is on it. */
static inline unsigned int
device_count(struct device *device, const char *text)
{
	const char *at = device_text(device);
	unsigned int count = 0;

	for (; (at = strstr(at, text)) != NULL; at += strlen(text))
		count++;
	return count;
}

/* Wait until the text is on the device; false when it never comes. */
static inline bool
device_wait(struct device *device, const char *text)
{
	uint64_t until = lpk_now_ns() + PATIENCE_NS;

	while (strstr(device_text(device), text) == NULL) {
		if (lpk_now_ns() > until)
			return false;
		usleep(1000);
	}
	return true;
}

/* Wait until somebody is in the driver. */
static inline bool
device_wait_inside(struct device *device)
{
	uint64_t until = lpk_now_ns() + PATIENCE_NS;

	while (lpk_load_acquire(&device->inside) == 0) {
		if (lpk_now_ns() > until)
			return false;
		usleep(100);
	}
	return true;
}

#endif /* TESTS_DEVICE_H */
