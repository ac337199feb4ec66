/* SPDX-License-Identifier: MIT */
/*
 * A driver of one's own, from outside: it needs the installed headers and
 * nothing else, and has what lpk's own drivers have.
 *
 *     cc driver.c $(pkg-config --cflags --libs lpk) && ./a.out /dev/tty
 *
 * The driver puts lines into any file that it is given the name of. It has a
 * word for LPK_CONSOLE ("tap:/dev/tty"), a device of its own for each console,
 * and writes from signal handlers and in a panic as well, as write(2) may be
 * called there. What it need not have: a thread, a queue, a lock, a buffer, a
 * format, a level, a count of what was lost. Those are lpk's.
 *
 * lpk_driver_register(), lpk_console_new(), lpk_console_free(),
 * lpk_console_register(), lpk_console_unregister(), lpk_console_stats()
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/printk.h>

struct tap {
	char path[256];
	int fd;
};

/* One word of a description. "" is the key of what stands behind "tap:". */
static int
tap_option(struct lpk_console *console, const char *key, const char *value)
{
	struct tap *tap = console->device;
	int length;

	if (key[0] != '\0')
		return -LPK_ENOENT;
	length = snprintf(tap->path, sizeof(tap->path), "%s", value);
	return length < (int)sizeof(tap->path) ? LPK_OK : -LPK_EINVAL;
}

static int
tap_setup(struct lpk_console *console)
{
	struct tap *tap = console->device;

	tap->fd = open(tap->path, O_WRONLY | O_APPEND | O_NONBLOCK);
	return tap->fd >= 0 ? LPK_OK : -LPK_EIO;
}

static void
tap_exit(struct lpk_console *console)
{
	struct tap *tap = console->device;

	close(tap->fd);
}

/*
 * What it did not take it is given again: nothing here waits or loops. (A pipe
 * whose reader went away raises SIGPIPE; consoles/fd.c blocks it, unless
 * lpk_panic_write_only() says that it must not.) As write(2) is all that it
 * calls, it can do in a sandbox.
 */
static int
tap_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct tap *tap = console->device;
	int before = errno;
	ssize_t count = write(tap->fd, batch->bytes, batch->size_bytes);

	if (count < 0) {
		batch->error = errno; /* for lpk_console_stats() */
		count = errno == EAGAIN ? -LPK_EAGAIN : -LPK_EIO;
	}
	errno = before;
	return (int)count;
}

static const struct lpk_console_driver tap_driver = {
    .name = "tap",
    .flags = LPK_DRIVER_WRITE_ONLY,
    .device_bytes = sizeof(struct tap),
    .option = tap_option,
    .setup = tap_setup,
    .exit = tap_exit,
    .write = tap_write,
    .write_on_panic = tap_write,
};

int
main(int argc, char **argv)
{
	struct lpk_console_stats stats;
	struct lpk_console *console;
	char words[300], error[200];

	lpk_driver_register(&tap_driver);
	snprintf(words, sizeof(words), "tap:%s,level=info,start=next",
	    argc > 1 ? argv[1] : "/dev/null");
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK) {
		fprintf(stderr, "%s: %s\n", words, error);
		return 1;
	}
	if (lpk_console_register(console) != LPK_OK) {
		perror(words);
		return 1;
	}
	lpk_info("out through a driver of %d lines", 40);
	lpk_debug("not shown: level=info");
	lpk_console_unregister(console, lpk_now_ns() + 1000000000);
	lpk_console_stats(console, &stats);
	lpk_console_free(console);
	printf("%llu printed, %llu bytes\n", (unsigned long long)stats.printed,
	    (unsigned long long)stats.bytes);
	return stats.printed != 1;
}
