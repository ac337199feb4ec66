/* SPDX-License-Identifier: MIT */
/*
 * lpk_console_exit_unsafe(), lpk_console_enter_unsafe(),
 * lpk_console_can_proceed(): a driver that waits for its device lets a panic,
 * or an emergency, have the device meanwhile.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <lpk/console.h>
#include <lpk/printk.h>

/* A pipe, a few bytes at a time: a device with a small buffer. */
static int
slow_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct pollfd device = {.fd = (int)console->number, .events = POLLOUT};
	size_t done = 0, piece;
	ssize_t count;

	while (done < batch->size_bytes && lpk_now_ns() < batch->deadline_ns) {
		if (!lpk_console_exit_unsafe(batch))
			return 0; /* somebody has it: touch nothing more */
		poll(&device, 1, 10);
		if (!lpk_console_enter_unsafe(batch))
			return 0;
		piece = batch->size_bytes - done;
		if (piece > 16)
			piece = 16;
		count = write(device.fd, batch->bytes + done, piece);
		if (count < 0) {
			batch->error = errno;
			return done != 0 ? (int)done : -LPK_EAGAIN;
		}
		done += (size_t)count;
		/* Where there is nothing to wait for, asking is enough. */
		if (!lpk_console_can_proceed(batch))
			return 0;
	}
	return (int)done; /* lpk comes again with the rest */
}

static const struct lpk_console_driver slow_driver = {
    .name = "slow",
    .write = slow_write,
};

int
main(void)
{
	struct lpk_console console = {.driver = &slow_driver};
	char line[128];
	ssize_t bytes;
	int ends[2];

	if (pipe(ends) != 0)
		return 1;
	console.number = ends[1];
	if (lpk_console_register(&console) != LPK_OK)
		return 1;
	lpk_info("sixteen bytes at a time, and never in the way of a panic");
	lpk_console_unregister(&console, UINT64_MAX);
	bytes = read(ends[0], line, sizeof(line));
	printf("%.*s", (int)bytes, line);
	return bytes <= 0;
}
