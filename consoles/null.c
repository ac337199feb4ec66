/* SPDX-License-Identifier: MIT */
/*
 * null.c - the console that takes all and keeps nothing, for benchmarks: what
 * is left is the cost of reading and rendering. lpk_console_stats() has the
 * bytes.
 */
#include <lpk/consoles.h>

static int
null_option(struct lpk_console *console, const char *key, const char *value)
{
	(void)console;
	if (key[0] != '\0')
		return -LPK_ENOENT;
	return value[0] == '\0' ? LPK_OK : -LPK_EINVAL;
}

static int
null_write(struct lpk_console *console, struct lpk_batch *batch)
{
	(void)console;
	return (int)batch->size_bytes;
}

const struct lpk_console_driver lpk_null_driver = {
    .name = "null",
    .flags = LPK_DRIVER_WRITE_ONLY,
    .option = null_option,
    .write = null_write,
    .write_on_panic = null_write,
};
