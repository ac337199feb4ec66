/* SPDX-License-Identifier: MIT */
/*
 * json.c - records as JSON Lines, for collectors: an object a line, to a file, a
 * descriptor, or a listening Unix socket.
 *
 * Whatever a program logged, a line is valid JSON and valid UTF-8, no key comes
 * twice, and no line is longer than Docker's log driver takes in one piece. To
 * what others may write to as well, whole lines go in one write().
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/format.h>
#include <lpk/port.h>

/* Docker cuts what is longer; with the newline. */
#define LINE_BYTES_MAX 16384
/* What may follow the key/values: the closing words. */
#define TAIL_BYTES 128
/* Most bytes of a name (of a file, a function), escaped. */
#define NAME_BYTES_MAX 512
/* Linux takes as much for a stream socket whole or not at all. */
#define SOCKET_BYTES_MAX 32768

enum target { TARGET_STDOUT, TARGET_FD, TARGET_FILE, TARGET_UNIX };

struct json {
	char path[4096]; /* of the file, or of the socket */
	enum target target;
	int fd;
	bool open;
	bool own;      /* fd is to be closed */
	bool blocking; /* others rely on that: poll(2) first */
	bool socket;
	bool signals; /* a write may send SIGPIPE or SIGTTOU */
	bool torn;    /* the last line there has no end yet */
	bool reopen;  /* when it has */
	size_t piece; /* most bytes of a write; 0: any number */
};

/* An object being written; what goes beyond the room is counted. */
struct line {
	char *out;
	size_t room;
	size_t used;
	size_t most; /* it is to have no more bytes */
	bool cut;    /* so something had to be left out */
};

/* ------------------------------------------------------------------ words */

static int
set_path(struct json *json, enum target target, const char *path, size_t most)
{
	size_t bytes = strlen(path);

	if (bytes == 0 || bytes >= most)
		return -LPK_EINVAL;
	memcpy(json->path, path, bytes + 1);
	json->target = target;
	return LPK_OK;
}

static int
set_fd(struct json *json, const char *number)
{
	int value = 0, i;

	for (i = 0; number[i] >= '0' && number[i] <= '9' && i < 7; i++)
		value = value * 10 + (number[i] - '0');
	if (i == 0 || number[i] != '\0')
		return -LPK_EINVAL;
	json->target = TARGET_FD;
	json->fd = value;
	return LPK_OK;
}

static int
json_option(struct lpk_console *console, const char *key, const char *value)
{
	struct json *json = console->device;

	if (key[0] != '\0')
		return -LPK_ENOENT;
	if (strncmp(value, "unix:", 5) == 0)
		return set_path(json, TARGET_UNIX, value + 5,
		    sizeof(((struct sockaddr_un *)0)->sun_path));
	if (strncmp(value, "fd:", 3) == 0)
		return set_fd(json, value + 3);
	if (value[0] != '\0' && strcmp(value, "stdout") != 0)
		return set_path(json, TARGET_FILE, value, sizeof(json->path));
	json->target = TARGET_STDOUT;
	return LPK_OK;
}

/* ----------------------------------------------------------------- device */

static void
close_own(struct json *json)
{
	if (json->open && json->own)
		close(json->fd);
	json->open = false;
}

/* How a descriptor is to be written to. */
static void
learn_kind(struct json *json)
{
	struct stat status;

	if (fstat(json->fd, &status) != 0)
		return;
	json->socket = S_ISSOCK(status.st_mode);
	json->signals = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode);
	json->blocking = json->signals && !json->own;
	json->piece = json->socket ? SOCKET_BYTES_MAX :
	    json->signals          ? PIPE_BUF :
				     0;
}

/*
 * The flags of an inherited descriptor are shared with others, so a private one
 * is opened for a pipe or terminal, where the system lets us.
 */
static int
use_fd(struct json *json)
{
	char name[32];
	int flags = fcntl(json->fd, F_GETFL), fd;

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return -LPK_EINVAL;
	json->own = false;
	json->open = true;
	learn_kind(json);
	if (!json->blocking)
		return LPK_OK;
	lpk_snprintf(name, sizeof(name), "/proc/self/fd/%d", json->fd);
	fd = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0) {
		json->fd = fd;
		json->own = true;
		json->blocking = false;
	}
	return LPK_OK;
}

static int
open_file(const struct json *json)
{
	return open(json->path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	    0640);
}

static int
use_file(struct json *json)
{
	char path[sizeof(json->path)];
	size_t bytes = strlen(json->path);

	/* reopen() finds it again, wherever the process has gone since. */
	if (json->path[0] != '/' && getcwd(path, sizeof(path)) != NULL &&
	    strlen(path) + 1 + bytes < sizeof(path)) {
		strcat(path, "/");
		strcat(path, json->path);
		strcpy(json->path, path);
	}
	json->fd = open_file(json);
	if (json->fd < 0)
		return -LPK_EIO;
	json->own = json->open = true;
	learn_kind(json);
	return LPK_OK;
}

/* Also in write_on_panic(). */
static bool
use_socket(struct json *json)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t bytes = strlen(json->path);
	int error;

	memcpy(name.sun_path, json->path, bytes + 1);
	bytes += offsetof(struct sockaddr_un, sun_path);
	if (json->path[0] == '@')
		name.sun_path[0] = '\0';
	else
		bytes++;
	json->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (json->fd < 0)
		return false;
	if (connect(json->fd, (struct sockaddr *)&name, (socklen_t)bytes) !=
	    0) {
		error = errno;
		close(json->fd);
		errno = error;
		return false;
	}
	json->own = json->open = json->socket = true;
	json->piece = SOCKET_BYTES_MAX;
	json->torn = false;
	return true;
}

static int
json_setup(struct lpk_console *console)
{
	struct json *json = console->device;

	switch (json->target) {
	case TARGET_FILE:
		return use_file(json);
	case TARGET_UNIX:
		/* Who listens may come later; write() connects. */
		use_socket(json);
		return LPK_OK;
	case TARGET_STDOUT:
		json->fd = STDOUT_FILENO;
		break;
	case TARGET_FD:
		break;
	}
	return use_fd(json);
}

static void
json_exit(struct lpk_console *console)
{
	close_own(console->device);
}

/* Where no line is torn apart by it. */
static void
reopen_now(struct json *json)
{
	int fd;

	json->reopen = false;
	if (json->target == TARGET_UNIX) {
		close_own(json);
	} else if (json->target == TARGET_FILE) {
		fd = open_file(json);
		if (fd < 0)
			return;
		dup3(fd, json->fd, O_CLOEXEC);
		close(fd);
		learn_kind(json);
	}
}

static void
json_reopen(struct lpk_console *console)
{
	struct json *json = console->device;

	if (json->torn)
		json->reopen = true;
	else
		reopen_now(json);
}

/* -------------------------------------------------------------- rendering */

static void
put(struct line *line, const char *bytes, size_t size_bytes)
{
	if (line->used < line->room)
		memcpy(line->out + line->used, bytes,
		    size_bytes < line->room - line->used ?
			size_bytes :
			line->room - line->used);
	line->used += size_bytes;
}

static void
put_word(struct line *line, const char *word)
{
	put(line, word, strlen(word));
}

static void
put_number(struct line *line, const char *key, uint64_t value)
{
	char text[24];

	put_word(line, key);
	put(line, text,
	    (size_t)lpk_snprintf(
		text, sizeof(text), "%llu", (unsigned long long)value));
}

/* Bytes of the UTF-8 sequence that a text begins with; 0: it is not valid. */
static size_t
decode(const unsigned char *text, size_t left, uint32_t *point)
{
	size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2, i;

	*point = text[0] & (0xffu >> (length + 1));
	if (text[0] < 0xc2 || text[0] > 0xf4 || length > left)
		return 0;
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (text[i] & 0x3fu);
	}
	if ((length == 3 && *point < 0x800) ||
	    (length == 4 && (*point < 0x10000 || *point > 0x10ffff)) ||
	    (*point >= 0xd800 && *point <= 0xdfff))
		return 0;
	return length;
}

/* What a terminal, or a reader of lines, would take for more than text. */
static bool
is_control(uint32_t point)
{
	return (point >= 0x7f && point < 0xa0) || point == 0x61c ||
	    point == 0x200e || point == 0x200f ||
	    (point >= 0x2028 && point <= 0x202e) ||
	    (point >= 0x2066 && point <= 0x2069);
}

/*
 * The next character of a string as JSON has it. Valid UTF-8 stays as it is, but
 * for controls; a byte that is no part of any becomes U+FFFD.
 */
static size_t
put_character(
    char out[8], const unsigned char *text, size_t left, size_t *taken)
{
	static const char shorts[] = "b\bf\fn\nr\rt\t";
	uint32_t point = text[0];
	const char *at;

	*taken = 1;
	if (point >= 0x80) {
		*taken = decode(text, left, &point);
		if (*taken == 0) {
			*taken = 1;
			point = 0xfffd;
		} else if (!is_control(point)) {
			memcpy(out, text, *taken);
			return *taken;
		}
	} else if (point >= 0x20 && point != 0x7f) {
		out[0] = '\\';
		if (point == '"' || point == '\\') {
			out[1] = (char)point;
			return 2;
		}
		out[0] = (char)point;
		return 1;
	} else if (point != 0) {
		for (at = shorts; *at != '\0'; at += 2)
			if ((uint32_t)at[1] == point) {
				out[0] = '\\';
				out[1] = at[0];
				return 2;
			}
	}
	return (size_t)lpk_snprintf(out, 8, "\\u%04x", (unsigned int)point);
}

/* A string with its quotes, of at most so many bytes (2 or more). */
static void
put_string(struct line *line, const char *text, size_t size_bytes, size_t most)
{
	size_t i = 0, begin = line->used, taken, bytes;
	char out[8];

	put(line, "\"", 1);
	while (i < size_bytes) {
		bytes = put_character(out, (const unsigned char *)text + i,
		    size_bytes - i, &taken);
		if (line->used - begin + bytes + 1 > most) {
			line->cut = true;
			break;
		}
		put(line, out, bytes);
		i += taken;
	}
	put(line, "\"", 1);
}

static void
put_name(struct line *line, const char *key, const char *name)
{
	if (name == NULL || name[0] == '\0')
		return;
	put_word(line, key);
	put_string(line, name, strlen(name), NAME_BYTES_MAX);
}

/*
 * "2026-11-22T10:22:31.123456Z", by the calendar alone: gmtime_r() is not for
 * signal handlers. Years begin in March here, so that the day that comes and
 * goes is their last.
 */
static void
put_time(struct line *line, uint64_t realtime_ns)
{
	uint64_t us = realtime_ns / 1000, seconds = us / 1000000;
	uint32_t second = (uint32_t)(seconds % 86400);
	/* Days since 0000-03-01, in cycles of 400 years. */
	uint32_t days = (uint32_t)(seconds / 86400) + 719468;
	uint32_t cycle = days / 146097, day = days % 146097;
	uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	uint32_t month;
	char text[40];

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	year += cycle * 400 + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;
	put(line, text,
	    (size_t)lpk_snprintf(text, sizeof(text),
		"\"ts\":\"%04u-%02u-%02uT%02u:%02u:%02u.%06uZ\",", year, month,
		day + 1, second / 3600, second / 60 % 60, second % 60,
		(unsigned int)(us % 1000000)));
}

/* A key/value of a record. */
struct pair {
	const char *key;
	size_t key_bytes;
	const char *value;
	size_t value_bytes;
};

/* The one at @at; returns where the next one is, NULL behind the last. */
static const char *
next_pair(const char *at, const char *end, struct pair *pair)
{
	const char *stop, *equals;

	if (at >= end)
		return NULL;
	stop = memchr(at, '\0', (size_t)(end - at));
	if (stop == NULL)
		stop = end;
	equals = memchr(at, '=', (size_t)(stop - at));
	if (equals == NULL)
		equals = stop;
	pair->key = at;
	pair->key_bytes = (size_t)(equals - at);
	pair->value = equals < stop ? equals + 1 : stop;
	pair->value_bytes = (size_t)(stop - pair->value);
	return stop + 1;
}

static bool
same_key(const struct pair *one, const struct pair *other)
{
	return one->key_bytes == other->key_bytes &&
	    memcmp(one->key, other->key, one->key_bytes) == 0;
}

static bool
is_first(const char *at, const struct pair *pair)
{
	struct pair other;

	while ((at = next_pair(at, pair->key, &other)) != NULL)
		if (same_key(pair, &other))
			return false;
	return true;
}

/* The values of a key: a string; of one that was given again an array. */
static void
put_values(struct line *line, const struct pair *pair, const char *end)
{
	size_t bracket, count = 0;
	const char *at = pair->key;
	struct pair other;

	put_string(line, pair->key, pair->key_bytes, SIZE_MAX);
	put(line, ":", 1);
	bracket = line->used;
	put(line, "[", 1);
	while ((at = next_pair(at, end, &other)) != NULL) {
		if (!same_key(pair, &other))
			continue;
		if (count++ != 0)
			put(line, ",", 1);
		put_string(line, other.value, other.value_bytes, SIZE_MAX);
	}
	if (count > 1) {
		put(line, "]", 1);
		return;
	}
	line->used = bracket;
	put_string(line, pair->value, pair->value_bytes, SIZE_MAX);
}

static void
put_fields(struct line *line, const char *begin, const char *end)
{
	const char *at = begin;
	struct pair pair;
	size_t before, count = 0;

	put_word(line, ",\"fields\":{");
	while ((at = next_pair(at, end, &pair)) != NULL) {
		if (!is_first(begin, &pair))
			continue;
		before = line->used;
		if (count != 0)
			put(line, ",", 1);
		put_values(line, &pair, end);
		count++;
		if (line->used + TAIL_BYTES > line->most) {
			line->used = before;
			line->cut = true;
			count--;
		}
	}
	put(line, "}", 1);
}

/* How many records a notice says were lost; 0: it says something else. */
static uint64_t
lost_records(const struct lpk_record *record, const char *text)
{
	uint64_t value = 0;
	size_t i = 0, bytes = record->text_bytes;

	while (i < bytes && (text[i] < '0' || text[i] > '9'))
		i++;
	for (; i < bytes && text[i] >= '0' && text[i] <= '9'; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	return value;
}

static void
put_tail(struct line *line, const struct lpk_record *record, const char *text)
{
	uint64_t lost;

	if (record->facility != 0)
		put_number(line, ",\"facility\":", record->facility);
	if (record->flags & LPK_RECORD_CONT)
		put_word(line, ",\"cont\":true");
	if (record->flags & LPK_RECORD_LATE)
		put_word(line, ",\"late\":true");
	if (line->cut || (record->flags & LPK_RECORD_TRUNCATED))
		put_word(line, ",\"truncated\":true");
	if (record->flags & LPK_RECORD_NOTICE) {
		put_word(line, ",\"notice\":true");
		lost = lost_records(record, text);
		if (lost != 0)
			put_number(line, ",\"lost\":", lost);
	}
	put_word(line, "}\n");
}

/* All that comes in front of the text. */
static void
put_head(struct line *line, const struct lpk_record *record)
{
	static const char levels[8][8] = {
	    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"};
	/* OpenTelemetry's SeverityNumber. */
	static const unsigned char severities[8] = {
	    21, 19, 18, 17, 13, 10, 9, 5};

	put(line, "{", 1);
	if (record->realtime_ns != 0)
		put_time(line, record->realtime_ns);
	put_number(line, "\"mono_us\":", record->time_ns / 1000);
	put_word(line, ",\"level\":\"");
	put_word(line, levels[record->level & 7]);
	put_number(line, "\",\"severity\":", severities[record->level & 7]);
	/* A notice would have the number of the record behind it. */
	if ((record->flags & LPK_RECORD_NOTICE) == 0)
		put_number(line, ",\"seq\":", record->seq);
	put_number(line, ",\"tid\":", record->caller & ~LPK_CALLER_HANDLER);
	put_word(line, ",\"handler\":");
	put_word(line, record->caller & LPK_CALLER_HANDLER ? "true" : "false");
	put_name(line, ",\"thread\":", record->thread);
	put_name(line, ",\"subsystem\":", record->subsystem);
	put_name(line, ",\"file\":", record->file);
	if (record->line != 0)
		put_number(line, ",\"line\":", record->line);
	put_name(line, ",\"func\":", record->function);
}

static size_t
json_render(struct lpk_console *console, const struct lpk_record *record,
    const char *text, char *out, size_t size_bytes)
{
	struct line line = {.out = out, .room = size_bytes};
	size_t reserve = TAIL_BYTES + 16, most;

	(void)console;
	/* Rather a text that is cut than an object that is. */
	line.most = size_bytes < LINE_BYTES_MAX ? size_bytes : LINE_BYTES_MAX;
	put_head(&line, record);
	put_word(&line, ",\"msg\":");
	most = line.used + reserve < line.most ?
	    line.most - line.used - reserve :
	    2;
	put_string(&line, text, record->text_bytes, most);
	if (record->kv_bytes != 0)
		put_fields(&line, text + record->text_bytes + 1,
		    text + record->text_bytes + 1 + record->kv_bytes);
	put_tail(&line, record, text);
	return line.used;
}

/* ---------------------------------------------------------------- writing */

/* Until the device takes more; false: it does not, or is not ours any more. */
static bool
wait_writable(const struct lpk_batch *batch, int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int ready = -1;

	if (!lpk_console_exit_unsafe(batch))
		return false;
	while (ready < 0) {
		uint64_t now = lpk_now_ns(), ms;

		ms = now < batch->deadline_ns ?
		    (batch->deadline_ns - now) / 1000000 + 1 :
		    0;
		ready = poll(&wait, 1, ms < INT_MAX ? (int)ms : INT_MAX);
		if (ready < 0 && errno != EINTR)
			break;
	}
	return lpk_console_enter_unsafe(batch) && ready > 0;
}

/* As many whole lines as go in one write, or a part of one that is longer. */
static size_t
piece_bytes(const struct json *json, const char *bytes, size_t size_bytes)
{
	size_t most = json->piece;
	const char *end;

	if (most == 0 || size_bytes <= most)
		return size_bytes;
	end = memrchr(bytes, '\n', most);
	return end != NULL ? (size_t)(end - bytes) + 1 : most;
}

/* What write() returns for errno when nothing was taken before. */
static int
fail(struct json *json, struct lpk_batch *batch)
{
	batch->error = errno;
	switch (errno) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return -LPK_EAGAIN;
	case ENOSPC:
	case EDQUOT:
		return -LPK_ENOSPC;
	default:
		if (json->target != TARGET_UNIX)
			return -LPK_EIO;
		/* Who listened is gone; somebody may listen again. */
		close_own(json);
		return -LPK_EAGAIN;
	}
}

/* Bytes that were taken; or what fail() says. */
static int
put_piece(struct json *json, struct lpk_batch *batch, const char *bytes,
    size_t size_bytes)
{
	bool torn = json->torn;
	ssize_t count;

	for (;;) {
		if (json->blocking && !wait_writable(batch, json->fd))
			return -LPK_EAGAIN;
		/* So it is, should a panic come before the end of the call. */
		json->torn = true;
		if (json->socket)
			count = send(json->fd, bytes, size_bytes,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			count = write(json->fd, bytes, size_bytes);
		if (count > 0) {
			json->torn = bytes[count - 1] != '\n';
			return (int)count;
		}
		json->torn = torn;
		if (count < 0 && errno != EINTR && errno != EAGAIN)
			return fail(json, batch);
		if (count < 0 && errno == EAGAIN) {
			batch->error = EAGAIN;
			if (!wait_writable(batch, json->fd))
				return -LPK_EAGAIN;
		}
	}
}

/* Behind the first line that ends in a batch. */
static size_t
behind_line(const struct lpk_batch *batch)
{
	const char *end = memchr(batch->bytes, '\n', batch->size_bytes);

	return end != NULL ? (size_t)(end - batch->bytes) + 1 :
			     batch->size_bytes;
}

/*
 * Make sure that what is written next begins a line, or goes on with the one
 * that is there. Returns how much of the batch is to be skipped, or an error.
 */
static int
begin(struct json *json, struct lpk_batch *batch)
{
	bool goes_on = batch->rest && json->torn;
	int result;

	if (json->reopen && !goes_on)
		reopen_now(json);
	if (!json->open) {
		if (!use_socket(json))
			return fail(json, batch);
		/* The beginning of this line went with the old connection. */
		return goes_on ? (int)behind_line(batch) : 0;
	}
	/* A line that was interrupted is not valid; the next one shall be. */
	if (json->torn && !goes_on) {
		result = put_piece(json, batch, "\n", 1);
		if (result < 0)
			return result;
	}
	/* Where lpk prints a line again it ends the old one, too. */
	return !goes_on && batch->bytes[0] == '\n';
}

static int
json_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct json *json = console->device;
	size_t used, piece;
	int result = begin(json, batch);

	if (result < 0)
		return result;
	used = (size_t)result;
	while (used < batch->size_bytes) {
		piece = piece_bytes(
		    json, batch->bytes + used, batch->size_bytes - used);
		result = put_piece(json, batch, batch->bytes + used, piece);
		if (result < 0)
			return used != 0 ? (int)used : result;
		used += (size_t)result;
	}
	return (int)used;
}

/*
 * A pipe without a reader sends SIGPIPE to the thread that writes, and a
 * terminal SIGTTOU to one in the background. The console's own thread has them
 * blocked; here it is any thread of the program.
 */
static int
write_blocked(struct lpk_console *console, struct lpk_batch *batch)
{
	const struct timespec now = {0};
	sigset_t pipe, both, old, pending;
	int result;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	both = pipe;
	sigaddset(&both, SIGTTOU);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &both, &old);
	result = json_write(console, batch);
	/* It was for this write, so nobody gets it. */
	if (batch->error == EPIPE && !sigismember(&pending, SIGPIPE))
		while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return result;
}

static int
json_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	const struct json *json = console->device;
	int saved = errno, result;

	result = json->signals ? write_blocked(console, batch) :
				 json_write(console, batch);
	errno = saved;
	return result;
}

const struct lpk_console_driver lpk_json_driver = {
    .name = "json",
    .device_bytes = sizeof(struct json),
    .option = json_option,
    .setup = json_setup,
    .exit = json_exit,
    .render = json_render,
    .write = json_write,
    .write_on_panic = json_write_on_panic,
    .reopen = json_reopen,
};
