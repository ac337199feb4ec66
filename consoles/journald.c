/* SPDX-License-Identifier: MIT */
/*
 * journald.c - the console on systemd's journal, by its native protocol: one
 * datagram a record, "NAME=value" lines, and a form with the length in front
 * for values of several lines. An entry that is too large for a datagram goes
 * into a sealed memory file whose descriptor is sent instead.
 * See systemd's "Native Journal Protocol" (systemd.io/JOURNAL_NATIVE_PROTOCOL).
 *
 * libsystemd is not used: it allocates, and its socket blocks when journald is
 * stopped.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/format.h>
#include <lpk/port.h>

static const char default_path[] = "/run/systemd/journal/socket";

/* journald takes names of up to 64 bytes. */
#define NAME_MAX_BYTES 64
#define TAG_BYTES 64

struct journal {
	bool connected;
	int fd;
	ino_t inode; /* of the socket: is fd still what we opened? */
	struct sockaddr_un address;
	char tag[TAG_BYTES];
};

static int
journald_option(struct lpk_console *console, const char *key, const char *value)
{
	struct journal *journal = console->device;
	size_t length = strlen(value);

	if (strcmp(key, "") == 0) {
		if (length >= sizeof(journal->address.sun_path) ||
		    (length != 0 && value[0] != '/'))
			return -LPK_EINVAL;
		memcpy(journal->address.sun_path, value, length + 1);
		return LPK_OK;
	}
	if (strcmp(key, "tag") == 0) {
		if (length == 0 || length >= sizeof(journal->tag))
			return -LPK_EINVAL;
		memcpy(journal->tag, value, length + 1);
		return LPK_OK;
	}
	return -LPK_ENOENT;
}

/*
 * A program that closes all descriptors closes ours too, and the number is
 * somebody else's then.
 */
static bool
holds_socket(const struct journal *journal)
{
	struct stat status;

	return journal->connected && fstat(journal->fd, &status) == 0 &&
	    S_ISSOCK(status.st_mode) && status.st_ino == journal->inode;
}

static void
disconnect(struct journal *journal)
{
	if (holds_socket(journal))
		close(journal->fd);
	journal->connected = false;
}

/* Programs put files of their own in place of the first three. */
static int
above_standard(int fd)
{
	int copy;

	if (fd < 0 || fd > 2)
		return fd;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return copy;
}

/* 0, or errno. */
static int
connect_to(struct journal *journal)
{
	struct stat status;
	int error, fd;

	fd = above_standard(
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&journal->address,
		sizeof(journal->address)) != 0 ||
	    fstat(fd, &status) != 0) {
		error = errno;
		close(fd);
		return error;
	}
	journal->fd = fd;
	journal->inode = status.st_ino;
	journal->connected = true;
	return 0;
}

static int
journald_setup(struct lpk_console *console)
{
	struct journal *journal = console->device;

	journal->address.sun_family = AF_UNIX;
	if (journal->address.sun_path[0] == '\0')
		memcpy(journal->address.sun_path, default_path,
		    sizeof(default_path));
	if (journal->tag[0] == '\0')
		lpk_snprintf(journal->tag, sizeof(journal->tag), "%s",
		    program_invocation_short_name);
	/* Nobody there yet is no error: the ring keeps what is logged. */
	connect_to(journal);
	return LPK_OK;
}

static void
journald_exit(struct lpk_console *console)
{
	disconnect(console->device);
}

static void
journald_reopen(struct lpk_console *console)
{
	disconnect(console->device);
}

struct entry {
	char *out;
	size_t size_bytes;
	size_t length; /* of all of it, whether or not it fitted */
};

static void
put(struct entry *entry, const void *bytes, size_t count)
{
	if (entry->length < entry->size_bytes) {
		size_t room = entry->size_bytes - entry->length;

		memcpy(entry->out + entry->length, bytes,
		    count < room ? count : room);
	}
	entry->length += count;
}

static void
put_field(struct entry *entry, const char *name, size_t name_bytes,
    const char *value, size_t value_bytes)
{
	put(entry, name, name_bytes);
	if (memchr(value, '\n', value_bytes) == NULL) {
		put(entry, "=", 1);
	} else {
		unsigned char length[8];
		unsigned int i;

		for (i = 0; i < sizeof(length); i++)
			length[i] =
			    (unsigned char)((uint64_t)value_bytes >> (8 * i));
		put(entry, "\n", 1);
		put(entry, length, sizeof(length));
	}
	put(entry, value, value_bytes);
	put(entry, "\n", 1);
}

static void
put_string(struct entry *entry, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0')
		put_field(entry, name, strlen(name), value, strlen(value));
}

static void
put_number(struct entry *entry, const char *name, uint64_t value)
{
	char digits[24];

	lpk_snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	put_string(entry, name, digits);
}

/* The date of a day, days after 1970-01-01. The year begins in March here. */
static void
date_of(
    uint64_t day, unsigned int *year, unsigned int *month, unsigned int *mday)
{
	uint64_t era, of_era, of_year, years;

	day += 719468; /* days from 0000-03-01 */
	era = day / 146097;
	of_era = day % 146097;
	years =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * years + years / 4 - years / 100);
	*month = (unsigned int)((5 * of_year + 2) / 153);
	*mday = (unsigned int)(of_year - (153 * *month + 2) / 5 + 1);
	*month += *month < 10 ? 3 : -9u;
	*year = (unsigned int)(years + era * 400 + (*month <= 2));
}

/* When it was logged; journald adds when it received it. */
static void
put_time(struct entry *entry, const struct lpk_record *record)
{
	uint64_t us = record->realtime_ns / 1000, seconds = us / 1000000;
	unsigned int year, month, mday, of_day;
	char text[48];

	put_number(entry, "LPK_MONOTONIC_USEC", record->time_ns / 1000);
	if (record->realtime_ns == 0)
		return;
	date_of(seconds / 86400, &year, &month, &mday);
	of_day = (unsigned int)(seconds % 86400);
	lpk_snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
	    year, month, mday, of_day / 3600, of_day / 60 % 60, of_day % 60,
	    (unsigned int)(us % 1000000));
	put_string(entry, "SYSLOG_TIMESTAMP", text);
}

static void
put_caller(struct entry *entry, const struct lpk_record *record)
{
	char text[16];

	lpk_snprintf(text, sizeof(text), "%c%lu",
	    record->caller & LPK_CALLER_HANDLER ? 'S' : 'T',
	    (unsigned long)(record->caller & ~LPK_CALLER_HANDLER));
	put_string(entry, "LPK_CALLER", text);
	put_string(entry, "LPK_THREAD", record->thread);
	put_string(entry, "LPK_SUBSYSTEM", record->subsystem);
	put_string(entry, "CODE_FILE", record->file);
	if (record->line != 0)
		put_number(entry, "CODE_LINE", record->line);
	put_string(entry, "CODE_FUNC", record->function);
}

/*
 * Field names are capitals, digits and underscores. journald drops a field
 * whose name begins with an underscore (those are its own) or with a digit, so
 * that an X goes in front.
 */
static size_t
field_name(char *name, const char *key, size_t bytes)
{
	size_t length = 0, i;

	if (bytes == 0 || key[0] < 'A' || key[0] > 'z' ||
	    (key[0] > 'Z' && key[0] < 'a'))
		name[length++] = 'X';
	for (i = 0; i < bytes && length < NAME_MAX_BYTES; i++) {
		char c = key[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		else if ((c < 'A' || c > 'Z') && (c < '0' || c > '9'))
			c = '_';
		name[length++] = c;
	}
	return length;
}

static void
put_pairs(struct entry *entry, const char *pair, size_t bytes)
{
	while (bytes != 0) {
		const char *end = memchr(pair, '\0', bytes);
		size_t length = end != NULL ? (size_t)(end - pair) : bytes;
		const char *value = memchr(pair, '=', length);
		char name[NAME_MAX_BYTES];

		if (value != NULL)
			put_field(entry, name,
			    field_name(name, pair, (size_t)(value - pair)),
			    value + 1, length - 1 - (size_t)(value - pair));
		length += length < bytes;
		pair += length;
		bytes -= length;
	}
}

/* The text comes first: should an entry be cut, it is not what is missing. */
static size_t
journald_render(struct lpk_console *console, const struct lpk_record *record,
    const char *text, char *out, size_t size_bytes)
{
	const struct journal *journal = console->device;
	struct entry entry = {out, size_bytes, 0};

	put_number(&entry, "PRIORITY", record->level);
	put_field(&entry, "MESSAGE", 7, text, record->text_bytes);
	put_string(&entry, "SYSLOG_IDENTIFIER", journal->tag);
	if (record->flags & LPK_RECORD_NOTICE) {
		put_number(&entry, "LPK_NOTICE", 1);
		return entry.length;
	}
	put_number(&entry, "LPK_SEQ", record->seq);
	if (record->facility != 0)
		put_number(&entry, "SYSLOG_FACILITY", record->facility);
	put_time(&entry, record);
	put_caller(&entry, record);
	put_pairs(&entry, text + record->text_bytes + 1, record->kv_bytes);
	return entry.length;
}

/* The entry in a file that cannot change any more; its descriptor, or -1. */
static int
seal(const char *bytes, size_t size_bytes)
{
	int error, fd = memfd_create("lpk", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	while (size_bytes != 0) {
		ssize_t count = write(fd, bytes, size_bytes);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			goto failed;
		bytes += count;
		size_bytes -= (size_t)count;
	}
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
		return fd;
failed:
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* 0, or errno. */
static int
send_sealed(int to, const struct lpk_batch *batch)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	int error = 0, fd = seal(batch->bytes, batch->size_bytes);
	struct cmsghdr *head;

	if (fd < 0)
		return errno;
	memset(&control, 0, sizeof(control));
	head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	if (sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		error = errno;
	close(fd);
	return error;
}

static int
send_once(struct journal *journal, const struct lpk_batch *batch)
{
	if (!journal->connected) {
		int error = connect_to(journal);

		if (error != 0)
			return error;
	}
	if (send(journal->fd, batch->bytes, batch->size_bytes,
		MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	return errno == EMSGSIZE ? send_sealed(journal->fd, batch) : errno;
}

/* Has the one that we are connected to gone, maybe with another in its place? */
static bool
gone(int error)
{
	return error == ECONNREFUSED || error == ECONNRESET ||
	    error == ENOTCONN || error == EPIPE;
}

static int
send_entry(struct journal *journal, const struct lpk_batch *batch)
{
	int error;

	if (!holds_socket(journal))
		disconnect(journal);
	error = send_once(journal, batch);
	if (!gone(error))
		return error;
	disconnect(journal);
	error = send_once(journal, batch);
	if (gone(error))
		disconnect(journal);
	return error;
}

/* False when the console was taken over. */
static bool
wait_for_room(int fd, struct lpk_batch *batch, uint64_t now_ns)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	uint64_t ms = (batch->deadline_ns - now_ns) / 1000000 + 1;

	if (!lpk_console_exit_unsafe(batch))
		return false;
	poll(&wait, 1, ms < 1000 ? (int)ms : 1000);
	return lpk_console_enter_unsafe(batch);
}

/* What the next try would say again. */
static bool
hopeless(int error)
{
	return error == EMSGSIZE || error == EINVAL || error == ENOSYS;
}

static int
journald_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct journal *journal = console->device;

	for (;;) {
		int error = send_entry(journal, batch);
		uint64_t now_ns;

		if (error == 0)
			return (int)batch->size_bytes;
		now_ns = lpk_now_ns();
		if ((error != EAGAIN && error != EINTR) ||
		    !journal->connected || now_ns >= batch->deadline_ns) {
			batch->error = error;
			return hopeless(error) ? -LPK_EIO : -LPK_EAGAIN;
		}
		if (!wait_for_room(journal->fd, batch, now_ns))
			return 0;
	}
}

static int
journald_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	int saved = errno;
	int taken = journald_write(console, batch);

	errno = saved;
	return taken;
}

const struct lpk_console_driver lpk_journald_driver = {
    .name = "journald",
    .flags = LPK_DRIVER_SINGLE,
    .device_bytes = sizeof(struct journal),
    .option = journald_option,
    .setup = journald_setup,
    .exit = journald_exit,
    .render = journald_render,
    .write = journald_write,
    .write_on_panic = journald_write_on_panic,
    .reopen = journald_reopen,
};
