/* SPDX-License-Identifier: MIT */
/*
 * lpk_console_register(), lpk_console_flush(), lpk_console_stats(),
 * lpk_console_unregister(), lpk_now_ns(): a driver of one's own, here one that
 * keeps the lines in memory.
 */
#include <stdio.h>
#include <string.h>

#include <lpk/console.h>
#include <lpk/printk.h>

struct memory {
	char lines[4096];
	size_t bytes;
};

/* Runs on the console's own thread, and may sleep. */
static int
memory_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct memory *memory = console->device;

	if (batch->size_bytes > sizeof(memory->lines) - memory->bytes)
		return -LPK_EIO; /* counted as refused */
	memcpy(memory->lines + memory->bytes, batch->bytes, batch->size_bytes);
	memory->bytes += batch->size_bytes;
	return (int)batch->size_bytes;
}

static const struct lpk_console_driver memory_driver = {
    .name = "memory",
    .write = memory_write,
};

int
main(void)
{
	static struct memory memory;
	struct lpk_console console = {
	    .driver = &memory_driver,
	    .device = &memory,
	    .quiet_below = LPK_INFO, /* not shown: info and debug */
	};
	struct lpk_console_stats stats;
	int result = lpk_console_register(&console);

	if (result != LPK_OK) {
		fprintf(stderr, "no console: %s\n", lpk_strerror(result));
		return 1;
	}
	lpk_warn("shown");
	lpk_info("stored, but not shown here");
	result =
	    lpk_console_flush(&console, lpk_now_ns() + UINT64_C(5000000000));
	if (result != LPK_OK)
		fprintf(stderr, "late: %s\n", lpk_strerror(result));
	result = lpk_console_unregister(&console, UINT64_MAX);
	lpk_console_stats(&console, &stats); /* what they were in the end */
	printf("%.*sprinted %d, not shown %d\n", (int)memory.bytes,
	    memory.lines, (int)stats.printed, (int)stats.suppressed);
	return result != LPK_OK || stats.printed != 1 || stats.suppressed != 1;
}
