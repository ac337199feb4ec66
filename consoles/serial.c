/* SPDX-License-Identifier: MIT */
/*
 * serial.c - the console on a serial line.
 *
 * The line is slow, and the kernel's buffer in front of it is large: what is in
 * there cannot be taken back by a panic that has something more important to
 * print. So the driver keeps little of it in there, by what TIOCOUTQ says and,
 * since adapters and pseudo-terminals say little, by its own clock.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/format.h>

#define SECOND_NS UINT64_C(1000000000)
#define MS_NS UINT64_C(1000000)

enum {
	/* What may wait in the kernel: so many ms of the line's time... */
	QUEUE_MS = 20,
	/* ...within these limits. */
	QUEUE_LEAST = 64,
	QUEUE_MOST = 4096,
	/* Of a UART's own buffer, of which nobody tells. */
	FIFO_BYTES = 64,
	/* What exit() gives a line that does not move. */
	STALL_MS = 200,
	DRAIN_MOST_MS = 2000,
	RATE_MOST = 20000000
};

/*
 * The kernel's struct termios2, for rates that have no name. The header that
 * has it cannot be included together with <termios.h>. Where the kernel's
 * differs from this one its ioctl has another number, and is not known.
 */
struct line_settings {
	unsigned int c_iflag;
	unsigned int c_oflag;
	unsigned int c_cflag;
	unsigned int c_lflag;
	unsigned char c_line;
	unsigned char c_cc[19];
	unsigned int c_ispeed;
	unsigned int c_ospeed;
};

#define GET_SETTINGS _IOR('T', 0x2A, struct line_settings)
#define SET_SETTINGS _IOW('T', 0x2B, struct line_settings)
#define RATE_BY_NUMBER 0010000u /* BOTHER */

struct serial_device {
	/* What option() was told. */
	char path[PATH_MAX];
	uint32_t rate; /* 0: what the line has */
	char parity;   /* n, o, e */
	uint8_t bits;
	bool flow;

	int fd; /* -1: hung up */
	dev_t rdev;
	uint32_t bytes_per_second;
	uint32_t queue_bytes; /* what may wait in the kernel */
	uint64_t empty_ns;    /* when all of it will have left, by the rate */

	bool torn;     /* the device took part of the last record */
	bool mid_line; /* the last byte was no newline */

	/* The line that a record left open, as rendered. */
	bool line_open;
	uint32_t caller;

	/* What the line had. */
	struct termios before;
	struct line_settings settings_before;
	bool has_settings;
};

/* ------------------------------------------------------------------------
 * Words
 */

/* "115200n8r": a rate; then, as far as given, parity, bits, flow control. */
static bool
line_of(struct serial_device *device, const char *word)
{
	uint32_t rate = 0;
	char parity = 'n';
	uint8_t bits = 8;
	bool flow = false;

	for (; *word >= '0' && *word <= '9'; word++) {
		rate = rate * 10 + (uint32_t)(*word - '0');
		if (rate > RATE_MOST)
			return false;
	}
	if (*word != '\0') {
		parity = *word++;
		if (parity != 'n' && parity != 'o' && parity != 'e')
			return false;
	}
	if (*word != '\0') {
		if (*word != '7' && *word != '8')
			return false;
		bits = (uint8_t)(*word++ - '0');
	}
	if (*word == 'r') {
		flow = true;
		word++;
	}
	if (rate == 0 || *word != '\0')
		return false;
	device->rate = rate;
	device->parity = parity;
	device->bits = bits;
	device->flow = flow;
	return true;
}

/* "/dev/ttyS0", or "ttyS0" as on the kernel's command line. */
static bool
path_of(struct serial_device *device, const char *value)
{
	const char *folder = strchr(value, '/') == NULL ? "/dev/" : "";
	int length = lpk_snprintf(
	    device->path, sizeof(device->path), "%s%s", folder, value);

	return value[0] != '\0' && (size_t)length < sizeof(device->path);
}

static int
serial_option(struct lpk_console *console, const char *key, const char *value)
{
	struct serial_device *device = console->device;
	bool good;

	if (key[0] == '\0')
		good = path_of(device, value);
	else if (key[0] >= '0' && key[0] <= '9')
		good = value[0] == '\0' && line_of(device, key);
	else
		return -LPK_ENOENT;
	return good ? LPK_OK : -LPK_EINVAL;
}

/* ------------------------------------------------------------------------
 * The line
 */

static const struct rate_name {
	uint32_t rate;
	speed_t name;
} rate_names[] = {
    {50, B50},
    {75, B75},
    {110, B110},
    {134, B134},
    {150, B150},
    {200, B200},
    {300, B300},
    {600, B600},
    {1200, B1200},
    {1800, B1800},
    {2400, B2400},
    {4800, B4800},
    {9600, B9600},
    {19200, B19200},
    {38400, B38400},
    {57600, B57600},
    {115200, B115200},
    {230400, B230400},
    {460800, B460800},
    {500000, B500000},
    {576000, B576000},
    {921600, B921600},
    {1000000, B1000000},
    {1152000, B1152000},
    {1500000, B1500000},
    {2000000, B2000000},
    {2500000, B2500000},
    {3000000, B3000000},
    {3500000, B3500000},
    {4000000, B4000000},
};

enum { RATE_NAMES = sizeof(rate_names) / sizeof(rate_names[0]) };

/* The line's rate; 0 when it cannot be told. */
static uint32_t
rate_now(int fd)
{
	struct line_settings settings;
	struct termios named;
	size_t i;

	if (ioctl(fd, GET_SETTINGS, &settings) == 0)
		return settings.c_ospeed;
	if (tcgetattr(fd, &named) != 0)
		return 0;
	for (i = 0; i < RATE_NAMES; i++)
		if (rate_names[i].name == cfgetospeed(&named))
			return rate_names[i].rate;
	return 0;
}

static bool
set_nameless_rate(int fd, uint32_t rate)
{
	struct line_settings settings;

	if (ioctl(fd, GET_SETTINGS, &settings) != 0)
		return false;
	settings.c_cflag &= ~(unsigned int)(CBAUD | CIBAUD);
	settings.c_cflag |= RATE_BY_NUMBER;
	settings.c_ispeed = rate;
	settings.c_ospeed = rate;
	return ioctl(fd, SET_SETTINGS, &settings) == 0;
}

/* Raw, and nothing that the line may do on its own. */
static void
make_raw(const struct serial_device *device, struct termios *raw)
{
	cfmakeraw(raw);
	raw->c_iflag &= ~(tcflag_t)(IXOFF | IXANY);
	raw->c_lflag &= ~(tcflag_t)TOSTOP;
	raw->c_cflag |= CLOCAL;
	raw->c_cflag &= ~(tcflag_t)(HUPCL | CRTSCTS);
	if (device->rate == 0)
		return;
	raw->c_cflag &= ~(tcflag_t)(CSIZE | CSTOPB | PARENB | PARODD | CMSPAR);
	raw->c_cflag |= device->bits == 7 ? CS7 : CS8;
	if (device->parity != 'n')
		raw->c_cflag |= PARENB;
	if (device->parity == 'o')
		raw->c_cflag |= PARODD;
	if (device->flow)
		raw->c_cflag |= CRTSCTS;
}

/*
 * Drivers do what they can of what they are asked for, and report success. A
 * rate that is off by more than a UART forgives, or another parity, would make
 * garbage of every byte.
 */
static bool
was_set(const struct serial_device *device, int fd, const struct termios *want)
{
	const tcflag_t flags = CSIZE | PARENB | PARODD | CRTSCTS;
	uint32_t rate = rate_now(fd), off;
	struct termios got;

	if (tcgetattr(fd, &got) != 0 ||
	    (got.c_cflag & flags) != (want->c_cflag & flags))
		return false;
	off = rate > device->rate ? rate - device->rate : device->rate - rate;
	return device->rate == 0 || (uint64_t)off * 100 <= device->rate * 3ull;
}

static bool
set_line(const struct serial_device *device, int fd)
{
	struct termios raw = device->before;
	size_t i = 0;

	make_raw(device, &raw);
	while (i < RATE_NAMES && rate_names[i].rate != device->rate)
		i++;
	if (i < RATE_NAMES) {
		cfsetispeed(&raw, rate_names[i].name);
		cfsetospeed(&raw, rate_names[i].name);
	}
	if (tcsetattr(fd, TCSANOW, &raw) != 0)
		return false;
	if (i == RATE_NAMES && device->rate != 0 &&
	    !set_nameless_rate(fd, device->rate))
		return false;
	return was_set(device, fd, &raw);
}

/* A line that is our own terminal may be set from the background, too. */
static void
block_ttou(sigset_t *before)
{
	sigset_t ttou;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &ttou, before);
}

/* Bytes a second: a start bit, the data, parity, a stop bit. */
static void
set_pace(struct serial_device *device, uint32_t rate)
{
	uint32_t bits = 10;

	if (device->rate != 0)
		bits = 2u + device->bits + (device->parity != 'n');
	device->bytes_per_second = rate >= bits ? rate / bits : 1;
	device->queue_bytes = device->bytes_per_second * QUEUE_MS / 1000;
	if (device->queue_bytes < QUEUE_LEAST)
		device->queue_bytes = QUEUE_LEAST;
	if (device->queue_bytes > QUEUE_MOST)
		device->queue_bytes = QUEUE_MOST;
}

static int
open_line(struct serial_device *device)
{
	/* O_NONBLOCK: neither wait for a carrier, nor for the line later. */
	int flags = O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
	int result = LPK_OK, fd = open(device->path, flags);
	struct stat at;
	sigset_t before;

	if (fd < 0)
		return -errno;
	block_ttou(&before);
	/* Not a terminal, or a line that cannot do what was asked for. */
	if (fstat(fd, &at) != 0 || tcgetattr(fd, &device->before) != 0)
		result = errno == ENOTTY ? -LPK_EINVAL : -errno;
	device->has_settings = result == LPK_OK &&
	    ioctl(fd, GET_SETTINGS, &device->settings_before) == 0;
	if (result == LPK_OK && !set_line(device, fd)) {
		(void)tcsetattr(fd, TCSANOW, &device->before);
		result = -LPK_EINVAL;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result != LPK_OK) {
		close(fd);
		return result;
	}
	set_pace(device, rate_now(fd));
	device->rdev = at.st_rdev;
	device->empty_ns = 0;
	device->fd = fd;
	return LPK_OK;
}

static void
restore_line(const struct serial_device *device)
{
	sigset_t before;

	block_ttou(&before);
	if (!device->has_settings ||
	    ioctl(device->fd, SET_SETTINGS, &device->settings_before) != 0)
		(void)tcsetattr(device->fd, TCSANOW, &device->before);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/*
 * A line that hung up never comes back under this descriptor; and as long as it
 * is open, an adapter that is plugged in again gets another name.
 */
static void
hang_up(struct serial_device *device)
{
	int fd = device->fd;

	device->fd = -1;
	close(fd);
}

/* Programs that become daemons close all they find, and open others. */
static bool
still_ours(struct serial_device *device)
{
	struct stat at;

	if (device->fd < 0)
		return false;
	if (fstat(device->fd, &at) == 0 && S_ISCHR(at.st_mode) &&
	    at.st_rdev == device->rdev)
		return true;
	device->fd = -1;
	return false;
}

/* ------------------------------------------------------------------------
 * Rendering
 */

/* As consoles without a render() of their own have them. */
static const char *
colour_of(unsigned int level)
{
	static const char *const colours[] = {"\033[1;37;41m", "\033[1;31m",
	    "\033[1;31m", "\033[31m", "\033[33m", "\033[1m", "", "\033[2m"};

	return colours[level & 7];
}

struct lines {
	char *out;
	size_t size_bytes;
	size_t bytes; /* may be more than fit */
};

static void
append(struct lines *lines, const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes && lines->bytes + i < lines->size_bytes; i++)
		lines->out[lines->bytes + i] = text[i];
	lines->bytes += bytes;
}

/* Behind an open line goes the text alone; a prefix ends at "] ". */
static size_t
prefix_of(const char *line, size_t bytes)
{
	size_t at = 0;

	while (at + 1 < bytes && (line[at] != ']' || line[at + 1] != ' '))
		at++;
	return at + 2 <= bytes ? at + 2 : 0;
}

/* Each newline in bytes of text becomes two; returns how many there were. */
static size_t
spread(char *text, size_t bytes, size_t size_bytes)
{
	size_t newlines = 0, from, to;

	for (from = 0; from < bytes; from++)
		newlines += text[from] == '\n';
	for (to = bytes + newlines; from-- > 0;) {
		char c = text[from];

		if (--to < size_bytes)
			text[to] = c;
		if (c == '\n' && --to < size_bytes)
			text[to] = '\r';
	}
	return newlines;
}

/* The record without its last newline. */
static void
append_record(struct lines *lines, const struct lpk_console *console,
    const struct lpk_record *record, const char *text, bool behind)
{
	size_t room, bytes, shown, prefix;
	char *at;

	room = lines->bytes < lines->size_bytes ?
	    lines->size_bytes - lines->bytes :
	    0;
	at = lines->out + (lines->size_bytes - room);
	bytes = lpk_record_print(record, text, console->style, at, room);
	/* What did not fit is only counted; a NUL took the last byte. */
	shown = bytes < room ? bytes : room - (room != 0);
	prefix = behind ? prefix_of(at, shown) : 0;
	memmove(at, at + prefix, shown - prefix);
	if (bytes < room)
		shown--;
	lines->bytes += bytes - 1 - prefix + spread(at, shown - prefix, room);
}

static size_t
serial_render(struct lpk_console *console, const struct lpk_record *record,
    const char *text, char *out, size_t size_bytes)
{
	struct serial_device *device = console->device;
	const char *colour = console->colours ? colour_of(record->level) : "";
	/* A line of /dev/kmsg is a whole record. */
	uint32_t flags = console->style == LPK_STYLE_KMSG ? 0 : record->flags;
	bool behind = device->line_open && (flags & LPK_RECORD_CONT) != 0 &&
	    record->caller == device->caller;
	struct lines lines = {.out = out, .size_bytes = size_bytes};

	if (device->line_open && !behind)
		append(&lines, "\r\n", 2);
	append(&lines, colour, strlen(colour));
	append_record(&lines, console, record, text, behind);
	if (colour[0] != '\0')
		append(&lines, "\033[0m", 4);
	device->line_open = (flags & LPK_RECORD_OPEN) != 0;
	device->caller = record->caller;
	if (!device->line_open)
		append(&lines, "\r\n", 2);
	return lines.bytes;
}

/* ------------------------------------------------------------------------
 * Writing
 */

static uint64_t
time_of(const struct serial_device *device, uint64_t bytes)
{
	return bytes * SECOND_NS / device->bytes_per_second;
}

/* Bytes that have not left yet: by what the kernel says, or by the clock. */
static uint64_t
kernel_queue(const struct serial_device *device)
{
	int bytes = 0;

	if (ioctl(device->fd, TIOCOUTQ, &bytes) != 0 || bytes < 0)
		return 0;
	return (uint64_t)bytes;
}

static uint64_t
queue_of(const struct serial_device *device, uint64_t now_ns)
{
	uint64_t kernels = kernel_queue(device), ours = 0;

	if (device->empty_ns > now_ns)
		ours = (device->empty_ns - now_ns) * device->bytes_per_second /
		    SECOND_NS;
	return kernels > ours ? kernels : ours;
}

static void
account(struct serial_device *device, const char *bytes, size_t count)
{
	uint64_t now_ns = lpk_now_ns();

	if (count == 0)
		return;
	if (device->empty_ns < now_ns)
		device->empty_ns = now_ns;
	device->empty_ns += time_of(device, count);
	device->mid_line = bytes[count - 1] != '\n';
}

/* Rounded up: poll(2) knows no less than a millisecond. */
static int
ms_until(uint64_t when_ns, uint64_t deadline_ns)
{
	uint64_t now_ns = lpk_now_ns();
	uint64_t until = when_ns < deadline_ns ? when_ns : deadline_ns;

	if (until <= now_ns)
		return 0;
	until = (until - now_ns) / MS_NS + 1;
	return until < INT_MAX ? (int)until : INT_MAX;
}

/*
 * Wait until a time, or for an event; until the deadline at most. False when
 * the line hung up, with errno, or when the console was taken from us.
 */
static bool
pause_line(const struct serial_device *device, const struct lpk_batch *batch,
    short events, uint64_t until_ns)
{
	struct pollfd wait = {.fd = device->fd, .events = events};
	int ms = ms_until(until_ns, batch->deadline_ns);

	errno = EAGAIN;
	if (ms == 0 || !lpk_console_exit_unsafe(batch))
		return false;
	poll(&wait, 1, ms);
	errno = EAGAIN;
	if (!lpk_console_enter_unsafe(batch))
		return false;
	if ((wait.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		errno = EIO;
	return errno == EAGAIN;
}

/* Some of the bytes; -1 and errno, EAGAIN at the deadline. */
static ssize_t
put(struct serial_device *device, const struct lpk_batch *batch,
    const char *bytes, size_t size_bytes)
{
	for (;;) {
		ssize_t count = write(device->fd, bytes, size_bytes);

		if (count > 0) {
			account(device, bytes, (size_t)count);
			return count;
		}
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno != EAGAIN)
			return -1;
		if (!pause_line(device, batch, POLLOUT, UINT64_MAX))
			return -1;
	}
}

/* What came before this record ends in the middle of a line. */
static bool
end_torn(struct serial_device *device, const struct lpk_batch *batch)
{
	if (batch->rest)
		return true;
	if (device->torn && device->mid_line &&
	    put(device, batch, "\r\n", 2) != 2)
		return false;
	device->torn = false;
	return true;
}

/* Wait until a part of the queue has left, and return what fits behind it. */
static size_t
room_in_queue(
    struct serial_device *device, const struct lpk_batch *batch, size_t left)
{
	size_t most = device->queue_bytes, least = most / 4;
	uint64_t now_ns, queue;

	if (left < least)
		least = left;
	for (;;) {
		now_ns = lpk_now_ns();
		queue = queue_of(device, now_ns);
		if (queue + least <= most) {
			most -= (size_t)queue;
			return left < most ? left : most;
		}
		if (!pause_line(device, batch, 0,
			now_ns + time_of(device, queue + least - most)))
			return 0;
	}
}

static int
result_of(struct lpk_batch *batch, size_t sent, int error)
{
	if (error != EAGAIN)
		batch->error = error;
	return sent != 0 ? (int)sent : -LPK_EAGAIN;
}

static int
serial_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct serial_device *device = console->device;
	size_t sent = 0, left = batch->size_bytes, room;
	ssize_t count;
	int error = 0;

	if (!still_ours(device)) {
		error = -open_line(device);
		if (error != 0)
			return result_of(batch, 0, error);
		console->bytes_per_second = device->bytes_per_second;
	}
	if (!end_torn(device, batch))
		error = errno;
	while (error == 0 && left != 0) {
		room = room_in_queue(device, batch, left);
		count = room == 0 ?
		    -1 :
		    put(device, batch, batch->bytes + sent, room);
		if (count < 0) {
			error = errno;
			break;
		}
		sent += (size_t)count;
		left -= (size_t)count;
	}
	if (!lpk_console_can_proceed(batch))
		return 0;
	if (sent != 0)
		device->torn = left != 0;
	if (error != 0 && error != EAGAIN)
		hang_up(device);
	return result_of(batch, sent, error == 0 ? EAGAIN : error);
}

/* Until the line has all of it: what is in the kernel may die with us. */
static void
drain(struct serial_device *device, const struct lpk_batch *batch)
{
	uint64_t queue;

	while ((queue = kernel_queue(device)) != 0)
		if (!pause_line(device, batch, 0,
			lpk_now_ns() + time_of(device, queue)))
			break;
}

static int
serial_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	struct serial_device *device = console->device;
	int saved = errno, error = EAGAIN;
	size_t sent = 0, left = batch->size_bytes;
	ssize_t count;

	if (still_ours(device) && end_torn(device, batch)) {
		while (left != 0) {
			count = put(device, batch, batch->bytes + sent, left);
			if (count < 0) {
				error = errno;
				break;
			}
			sent += (size_t)count;
			left -= (size_t)count;
		}
		if (sent != 0)
			device->torn = left != 0;
		if (left == 0)
			drain(device, batch);
	}
	errno = saved;
	return result_of(batch, sent, error);
}

static void
close_line(struct serial_device *device)
{
	uint64_t now_ns = lpk_now_ns();
	uint64_t ms =
	    time_of(device, queue_of(device, now_ns) + FIFO_BYTES) / MS_NS +
	    STALL_MS;
	struct lpk_batch none = {.deadline_ns = now_ns +
		(ms < DRAIN_MOST_MS ? ms : DRAIN_MOST_MS) * MS_NS};

	if (device->mid_line && put(device, &none, "\r\n", 2) == 2)
		device->line_open = false;
	drain(device, &none);
	if (kernel_queue(device) == 0)
		pause_line(device, &none, 0,
		    lpk_now_ns() + time_of(device, FIFO_BYTES));
	/*
	 * Or close() would wait for it, half a minute. Where the kernel says
	 * that there is nothing close() does not wait; a pseudo-terminal says
	 * so at all times, and would throw away what its reader has not got.
	 */
	if (kernel_queue(device) != 0)
		(void)tcflush(device->fd, TCOFLUSH);
	restore_line(device);
	close(device->fd);
	device->fd = -1;
}

static void
serial_exit(struct lpk_console *console)
{
	struct serial_device *device = console->device;

	if (still_ours(device))
		close_line(device);
}

static void
serial_reopen(struct lpk_console *console)
{
	struct serial_device *device = console->device;

	if (still_ours(device))
		close_line(device);
	/* When it fails, write() tries again. */
	if (open_line(device) == LPK_OK)
		console->bytes_per_second = device->bytes_per_second;
}

static int
serial_setup(struct lpk_console *console)
{
	struct serial_device *device = console->device;
	int result;

	device->fd = -1;
	if (device->path[0] == '\0')
		return -LPK_EINVAL;
	result = open_line(device);
	if (result == LPK_OK)
		console->bytes_per_second = device->bytes_per_second;
	return result;
}

const struct lpk_console_driver lpk_serial_driver = {
    .name = "serial",
    .flags = LPK_DRIVER_SINGLE,
    .device_bytes = sizeof(struct serial_device),
    .option = serial_option,
    .setup = serial_setup,
    .exit = serial_exit,
    .render = serial_render,
    .write = serial_write,
    .write_on_panic = serial_write_on_panic,
    .reopen = serial_reopen,
};
