/* SPDX-License-Identifier: MIT */
/*
 * kmsg.c - records into the log of the kernel, by /dev/kmsg: one write() is one
 * record there. A line of the text is one write(), so that each has a level and
 * a name in front of it, whatever the text holds.
 *
 * Unless the machine was told otherwise (printk.devkmsg=on) the kernel takes 10
 * lines in 5 seconds from an open descriptor, throws away the others, and says
 * that it took them. So this driver counts: what would be thrown away stays in
 * the log, and is tried again. Panics have a descriptor, and 10 lines, of their
 * own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/format.h>

/*
 * Most bytes of a write(); to a longer one the kernel says EINVAL. It takes 1024
 * now, but up to 48 of them were set aside for a prefix in Linux 6.1.
 */
#define LINE_MAX_BYTES 976
#define IDENT_MAX 64
#define BURST 10
/* The kernel's 5 seconds, and more than a tick of its clock. */
#define INTERVAL_NS UINT64_C(5100000000)

enum ratelimit { RATELIMIT_AUTO, RATELIMIT_YES, RATELIMIT_NO };

/* A descriptor, and when its last lines went through: at_ns[next] is first. */
struct door {
	int fd;
	bool open;
	unsigned int next;
	uint64_t at_ns[BURST];
};

struct kmsg {
	char path[256];
	char ident[IDENT_MAX];
	bool ident_set;
	enum ratelimit ratelimit;
	bool limited;
	struct door usual;
	struct door panic;
};

/* "[    0.000000] ", which is taken off again. */
#define STAMP_BYTES 15

static const char cut_mark[] = "<truncated>\n";

static int
set_string(char *to, size_t room, const char *value)
{
	size_t bytes = strlen(value);

	if (bytes >= room)
		return -LPK_EINVAL;
	memcpy(to, value, bytes + 1);
	return LPK_OK;
}

static int
kmsg_option(struct lpk_console *console, const char *key, const char *value)
{
	struct kmsg *kmsg = console->device;

	if (key[0] == '\0')
		return set_string(kmsg->path, sizeof(kmsg->path), value);
	if (strcmp(key, "ident") == 0) {
		kmsg->ident_set = true;
		return set_string(kmsg->ident, sizeof(kmsg->ident), value);
	}
	if (strcmp(key, "ratelimit") != 0)
		return -LPK_ENOENT;
	if (strcmp(value, "auto") == 0)
		kmsg->ratelimit = RATELIMIT_AUTO;
	else if (strcmp(value, "yes") == 0)
		kmsg->ratelimit = RATELIMIT_YES;
	else if (strcmp(value, "no") == 0)
		kmsg->ratelimit = RATELIMIT_NO;
	else
		return -LPK_EINVAL;
	return LPK_OK;
}

/* Does the kernel throw away what comes too fast? */
static bool
is_limited(const struct kmsg *kmsg)
{
	struct stat device;
	char words[16] = "";
	int fd;

	if (kmsg->ratelimit != RATELIMIT_AUTO)
		return kmsg->ratelimit == RATELIMIT_YES;
	if (fstat(kmsg->usual.fd, &device) != 0 || !S_ISCHR(device.st_mode) ||
	    device.st_rdev != makedev(1, 11))
		return false;
	fd = open("/proc/sys/kernel/printk_devkmsg", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, words, sizeof(words) - 1) < 0)
			words[0] = '\0';
		close(fd);
	}
	return strncmp(words, "on", 2) != 0;
}

static bool
door_open(struct door *door, const char *path)
{
	door->fd =
	    open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	door->open = door->fd >= 0;
	return door->open;
}

static void
door_close(struct door *door)
{
	if (door->open)
		close(door->fd);
	door->open = false;
}

static void
kmsg_exit(struct lpk_console *console)
{
	struct kmsg *kmsg = console->device;

	door_close(&kmsg->usual);
	door_close(&kmsg->panic);
}

static int
kmsg_setup(struct lpk_console *console)
{
	struct kmsg *kmsg = console->device;
	size_t i;

	if (kmsg->path[0] == '\0')
		strcpy(kmsg->path, "/dev/kmsg");
	if (!kmsg->ident_set)
		lpk_snprintf(kmsg->ident, sizeof(kmsg->ident), "%s",
		    program_invocation_short_name);
	for (i = 0; kmsg->ident[i] != '\0'; i++)
		if (kmsg->ident[i] <= ' ' || kmsg->ident[i] > '~')
			kmsg->ident[i] = '_';
	/* The kernel's log is small, and everybody's. */
	if (console->quiet_below == 0)
		console->quiet_below = LPK_ERR + 1;
	if (!door_open(&kmsg->usual, kmsg->path) ||
	    !door_open(&kmsg->panic, kmsg->path)) {
		kmsg_exit(console);
		return -LPK_EIO;
	}
	kmsg->limited = is_limited(kmsg);
	return LPK_OK;
}

/* The device keeps its name; what the machine was told may have changed. */
static void
kmsg_reopen(struct lpk_console *console)
{
	struct kmsg *kmsg = console->device;

	kmsg->limited = is_limited(kmsg);
}

/*
 * One line of a text; @part says how long it is. The rendering of the library
 * escapes what a terminal would obey, and puts a time in front, which goes: the
 * kernel has its own.
 */
static size_t
render_line(const char *prefix, const struct lpk_record *part, const char *text,
    char *out, size_t room)
{
	const size_t before = strlen(prefix);
	const size_t mark = sizeof(cut_mark) - 1;
	char *at = out + (before < room ? before : 0);
	size_t bytes, needed, end;

	bytes = lpk_record_print(part, text, LPK_STYLE_TEXT, at,
		    before < room ? room - before : 0) -
	    STAMP_BYTES;
	if (before + bytes <= LINE_MAX_BYTES) {
		needed = before + bytes;
		if (needed + STAMP_BYTES >= room)
			return needed + STAMP_BYTES + 1;
		memmove(at, at + STAMP_BYTES, bytes);
		memcpy(out, prefix, before);
		return needed;
	}
	if (LINE_MAX_BYTES + STAMP_BYTES >= room)
		return LINE_MAX_BYTES + STAMP_BYTES + 1;
	memmove(at, at + STAMP_BYTES, LINE_MAX_BYTES - before);
	memcpy(out, prefix, before);
	/* Not inside of a character. */
	for (end = LINE_MAX_BYTES - mark; (out[end] & 0xc0) == 0x80; end--)
		;
	memcpy(out + end, cut_mark, mark);
	return end + mark;
}

/* "<14>name: ", for each line of the text. */
static size_t
kmsg_render(struct lpk_console *console, const struct lpk_record *record,
    const char *text, char *out, size_t size_bytes)
{
	const struct kmsg *kmsg = console->device;
	unsigned int facility = record->facility != 0 ? record->facility : 1;
	size_t left = record->text_bytes, used = 0, room;
	struct lpk_record part = *record;
	char prefix[IDENT_MAX + 16];
	const char *end;

	lpk_snprintf(prefix, sizeof(prefix), "<%u>%s%s",
	    facility << 3 | record->level, kmsg->ident,
	    kmsg->ident[0] != '\0' ? ": " : "");
	part.time_ns = 0;
	do {
		end = memchr(text, '\n', left);
		part.text_bytes =
		    (uint32_t)(end != NULL ? (size_t)(end - text) : left);
		room = used < size_bytes ? size_bytes - used : 0;
		used += render_line(
		    prefix, &part, text, room != 0 ? out + used : out, room);
		left -= part.text_bytes + (end != NULL);
		text += part.text_bytes + 1;
	} while (end != NULL);
	return used;
}

/* May a line go through now? */
static bool
door_passes(const struct kmsg *kmsg, const struct door *door)
{
	uint64_t first = door->at_ns[door->next];

	return !kmsg->limited || first == 0 ||
	    lpk_now_ns() - first >= INTERVAL_NS;
}

static void
door_passed(struct door *door)
{
	door->at_ns[door->next] = lpk_now_ns();
	door->next = (door->next + 1) % BURST;
}

/* Bytes that were taken, or what write() returns when there were none. */
static int
put_line(struct door *door, struct lpk_batch *batch, const char *bytes,
    size_t size_bytes)
{
	for (;;) {
		ssize_t count = write(door->fd, bytes, size_bytes);

		if (count >= 0) {
			door_passed(door);
			return (int)count;
		}
		if (errno == EINTR)
			continue;
		batch->error = errno;
		return errno == EAGAIN || errno == ENOMEM ? -LPK_EAGAIN :
		    errno == ENOSPC                       ? -LPK_ENOSPC :
							    -LPK_EIO;
	}
}

static int
put_lines(const struct kmsg *kmsg, struct door *door, struct lpk_batch *batch)
{
	size_t used = 0;

	while (used < batch->size_bytes) {
		const char *begin = batch->bytes + used;
		size_t left = batch->size_bytes - used;
		const char *end = memchr(begin, '\n', left);
		size_t bytes = end != NULL ? (size_t)(end - begin) + 1 : left;
		int result = -LPK_EAGAIN;

		if (door_passes(kmsg, door))
			result = put_line(door, batch, begin, bytes);
		else
			batch->error = EAGAIN;
		if (result < 0)
			return used != 0 ? (int)used : result;
		used += (size_t)result;
		if ((size_t)result < bytes)
			break;
	}
	return (int)used;
}

static int
kmsg_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct kmsg *kmsg = console->device;

	return put_lines(kmsg, &kmsg->usual, batch);
}

static int
kmsg_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	struct kmsg *kmsg = console->device;
	int saved = errno, result = put_lines(kmsg, &kmsg->panic, batch);

	errno = saved;
	return result;
}

const struct lpk_console_driver lpk_kmsg_driver = {
    .name = "kmsg",
    .flags = LPK_DRIVER_SINGLE,
    .device_bytes = sizeof(struct kmsg),
    .option = kmsg_option,
    .setup = kmsg_setup,
    .exit = kmsg_exit,
    .render = kmsg_render,
    .write = kmsg_write,
    .write_on_panic = kmsg_write_on_panic,
    .reopen = kmsg_reopen,
};
