/* SPDX-License-Identifier: MIT */
/*
 * lib_devices.c - consoles that misbehave, on a descriptor: "driver:N".
 */
#include "crash.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>

#define CALLS 3 /* of write(), until it goes wrong */
#define SLOW_BYTES_PER_SECOND 11520
/* It has a queue, so that a late writer keeps it busy. */
#define SLOW_LATE_NS 500000000

struct device {
	int fd;
	int calls;
	uint64_t free_ns; /* when the line has sent what it was given */
	pthread_mutex_t mutex;
};

atomic_int asleep;

static int
option(struct lpk_console *console, const char *key, const char *value)
{
	struct device *device = console->device;

	if (key[0] != '\0')
		return -LPK_ENOENT;
	device->fd = atoi(value);
	pthread_mutex_init(&device->mutex, NULL);
	return LPK_OK;
}

static void
lock(struct lpk_console *console)
{
	struct device *device = console->device;

	pthread_mutex_lock(&device->mutex);
}

static void
unlock(struct lpk_console *console)
{
	struct device *device = console->device;

	pthread_mutex_unlock(&device->mutex);
}

static void
zap_locks(struct lpk_console *console)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
	struct device *device = console->device;

	device->mutex = fresh;
}

static int
put(struct lpk_console *console, struct lpk_batch *batch)
{
	struct device *device = console->device;
	ssize_t bytes = write(device->fd, batch->bytes, batch->size_bytes);

	return bytes > 0 ? (int)bytes : -LPK_EAGAIN;
}

/* Some of the batch is on the device when it happens. */
static void
put_half(struct lpk_console *console, struct lpk_batch *batch)
{
	struct device *device = console->device;
	size_t half = batch->size_bytes / 2 + 1;

	if (write(device->fd, batch->bytes, half) != (ssize_t)half)
		_exit(99);
}

static int
crash(struct lpk_console *console, struct lpk_batch *batch)
{
	struct device *device = console->device;

	if (device->calls++ < CALLS || acked_by_all() < 20)
		return put(console, batch);
	put_half(console, batch);
	snapshot();
	die_null();
	return 0;
}

static void
sleep_forever(void)
{
	atomic_store(&asleep, 1);
	for (;;)
		pause();
}

static int
fall_asleep(struct lpk_console *console, struct lpk_batch *batch)
{
	struct device *device = console->device;

	if (device->calls++ < CALLS)
		return put(console, batch);
	put_half(console, batch);
	sleep_forever();
	return 0;
}

/* The same where it may be woken: it says that it is safe to take it. */
static int
fall_asleep_politely(struct lpk_console *console, struct lpk_batch *batch)
{
	struct device *device = console->device;

	if (device->calls++ < CALLS)
		return put(console, batch);
	put_half(console, batch);
	lpk_console_exit_unsafe(batch);
	sleep_forever();
	return 0;
}

static int
crash_in_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	(void)console;
	(void)batch;
	die_null();
	return 0;
}

/* As a serial line: what is written takes its time, however late we come. */
static int
put_slowly(struct lpk_console *console, struct lpk_batch *batch)
{
	size_t most = batch->size_bytes < 64 ? batch->size_bytes : 64;
	struct device *device = console->device;
	uint64_t now = lpk_now_ns();
	ssize_t bytes;

	if (now >= batch->deadline_ns)
		return -LPK_EAGAIN;
	if (device->free_ns + SLOW_LATE_NS < now)
		device->free_ns = now;
	if (device->free_ns > now) {
		if (!lpk_console_exit_unsafe(batch))
			return 0;
		poll(NULL, 0, (int)((device->free_ns - now) / 1000000) + 1);
		if (!lpk_console_enter_unsafe(batch))
			return 0;
	}
	bytes = write(device->fd, batch->bytes, most);
	if (bytes <= 0)
		return -LPK_EAGAIN;
	device->free_ns += (uint64_t)bytes * 1000000000 / SLOW_BYTES_PER_SECOND;
	return (int)bytes;
}

static int
slow_setup(struct lpk_console *console)
{
	console->bytes_per_second = SLOW_BYTES_PER_SECOND;
	return LPK_OK;
}

static const struct lpk_console_driver drivers[] = {
    {.name = "crashing",
	.device_bytes = sizeof(struct device),
	.option = option,
	.lock = lock,
	.unlock = unlock,
	.zap_locks = zap_locks,
	.write = crash,
	.write_on_panic = put},
    {.name = "sleeping",
	.device_bytes = sizeof(struct device),
	.option = option,
	.lock = lock,
	.unlock = unlock,
	.zap_locks = zap_locks,
	.write = fall_asleep,
	.write_on_panic = put},
    {.name = "dozing",
	.device_bytes = sizeof(struct device),
	.option = option,
	.lock = lock,
	.unlock = unlock,
	.zap_locks = zap_locks,
	.write = fall_asleep_politely,
	.write_on_panic = put},
    {.name = "failing",
	.device_bytes = sizeof(struct device),
	.option = option,
	.write = put,
	.write_on_panic = crash_in_panic},
    {.name = "slow",
	.device_bytes = sizeof(struct device),
	.option = option,
	.setup = slow_setup,
	.write = put_slowly,
	.write_on_panic = put_slowly},
};

void
devices_register(void)
{
	size_t i;

	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		lpk_driver_register(&drivers[i]);
}
