/* SPDX-License-Identifier: MIT */
/*
 * fd.c - the console on a file descriptor: a terminal, a pipe, a socket, a
 * file. Drivers fd:N, stderr and stdout.
 *
 * The descriptor is inherited: its flags are shared with the shell and with
 * whoever else has it, so they are left alone. A terminal or a pipe is opened
 * anew, which makes a description with flags of its own. A regular file is
 * not: a description of its own would have a position of its own, and would
 * write over what others put there. A socket cannot be, but send(2) has a flag.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/format.h>

/* Below it are those that programs close, and expect to get back. */
#define LOWEST_FD 3
/* What a terminal that is not ours is given at once: a line or two. */
#define SHARED_TTY_BYTES 256

/* /dev/null on Linux, which takes everything at once. */
#define NULL_DEVICE makedev(1, 3)

/* How bytes get into a descriptor without waiting there. */
enum way {
	WAY_OWN,    /* opened anew, with O_NONBLOCK */
	WAY_FILE,   /* a regular one, or such: never waits for a reader */
	WAY_SOCKET, /* MSG_DONTWAIT */
	WAY_SHARED  /* flags are somebody else's: poll(2) before each write */
};

struct place {
	volatile sig_atomic_t fd; /* the driver's own number, negative: none */
	enum way way;
	mode_t kind; /* S_IFMT of it */
	dev_t dev;
	ino_t ino;
};

enum journal { JOURNAL_AUTO, JOURNAL_NO, JOURNAL_PREFIX };

struct fd_device {
	struct place place;
	enum journal journal;
	bool allocated; /* by setup() */
	/* The console's, while another one stands in for it. */
	const struct lpk_console_driver *driver;
};

/* ------------------------------------------------------------------------
 * The environment */

static bool
is_set(const char *name)
{
	const char *value = secure_getenv(name);

	return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

static bool
wants_colours(int fd)
{
	const char *term = secure_getenv("TERM");
	const char *no = secure_getenv("NO_COLOR");

	if (no != NULL && no[0] != '\0')
		return false;
	if (is_set("CLICOLOR_FORCE") || is_set("FORCE_COLOR"))
		return true;
	return isatty(fd) && (term == NULL || strcmp(term, "dumb") != 0);
}

/*
 * Is this descriptor the one that systemd connected to the journal? The
 * variable alone says little: it is inherited further than the descriptor.
 */
static bool
is_journal_stream(int fd)
{
	const char *stream = secure_getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat is;
	char more;

	return stream != NULL &&
	    sscanf(stream, "%llu:%llu%c", &dev, &ino, &more) == 2 &&
	    fstat(fd, &is) == 0 && is.st_dev == dev && is.st_ino == ino;
}

/*
 * A pipe that a service, or its script, writes to leads to the journal as a
 * rule, through a filter. A terminal's shell inherits the same variables from
 * a service further up, and its pipes lead elsewhere: hence the process id.
 */
static bool
is_pipe_of_service(int fd)
{
	const char *main_pid = secure_getenv("SYSTEMD_EXEC_PID");
	struct stat is;
	long pid;

	if (secure_getenv("JOURNAL_STREAM") == NULL &&
	    secure_getenv("INVOCATION_ID") == NULL)
		return false;
	pid = main_pid != NULL ? atol(main_pid) : getpid();
	return fstat(fd, &is) == 0 && S_ISFIFO(is.st_mode) &&
	    (pid == getpid() || pid == getppid());
}

/* ------------------------------------------------------------------------
 * Opening */

/* What is behind a number, as it is. Any context. */
static bool
describe(struct place *place, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat is;

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(fd, &is) != 0)
		return false;
	place->fd = fd;
	place->kind = is.st_mode & S_IFMT;
	place->dev = is.st_dev;
	place->ino = is.st_ino;
	if (place->kind == S_IFSOCK)
		place->way = WAY_SOCKET;
	else if (place->kind == S_IFREG || place->kind == S_IFBLK ||
	    (place->kind == S_IFCHR && is.st_rdev == NULL_DEVICE))
		place->way = WAY_FILE;
	else
		place->way = WAY_SHARED;
	return true;
}

/* Any context. */
static bool
same(const struct place *place, int fd)
{
	struct stat is;

	return fd >= 0 && fstat(fd, &is) == 0 && is.st_dev == place->dev &&
	    is.st_ino == place->ino && (is.st_mode & S_IFMT) == place->kind;
}

/* Out of the way of programs that close 0, 1 or 2 to get that number back. */
static int
out_of_the_way(int fd)
{
	int higher;

	if (fd < 0 || fd >= LOWEST_FD)
		return fd;
	higher = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD);
	close(fd);
	return higher;
}

static int
open_name(const struct place *place, const char *name, int flags)
{
	int fd = open(name,
	    O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | (flags & O_APPEND));

	if (fd >= 0 && !same(place, fd)) {
		close(fd);
		fd = -1;
	}
	return out_of_the_way(fd);
}

/*
 * A terminal or a pipe once more. Others are better left as they are: to open
 * the upper end of a pseudo-terminal makes a new one, a packet pipe becomes a
 * stream, and what a device does when it is opened nobody knows.
 */
static int
open_anew(const struct place *place)
{
	int number = place->fd, flags = fcntl(number, F_GETFL), fd = -1;
	unsigned int upper;
	char name[64];

	if (place->kind == S_IFIFO ?
		(flags & O_DIRECT) != 0 :
		(!isatty(number) || ioctl(number, TIOCGPTN, &upper) == 0))
		return -1;
	lpk_snprintf(name, sizeof(name), "/proc/self/fd/%d", number);
	fd = open_name(place, name, flags);
	if (fd < 0 && ttyname_r(number, name, sizeof(name)) == 0)
		fd = open_name(place, name, flags);
	return fd;
}

static int
open_place(struct place *place, int number)
{
	int fd = -1;

	if (!describe(place, number))
		return -LPK_EINVAL;
	if (place->way == WAY_SHARED)
		fd = open_anew(place);
	if (fd >= 0)
		place->way = WAY_OWN;
	else
		/* A number of our own, whatever becomes of the other one. */
		fd = fcntl(number, F_DUPFD_CLOEXEC, LOWEST_FD);
	place->fd = fd;
	return fd >= 0 ? LPK_OK : -LPK_EIO;
}

/*
 * The number means something else now, as after dup2(2), or ours is gone. Our
 * number stays where it can: a panic may be writing to it.
 */
static void
fd_reopen(struct lpk_console *console)
{
	struct fd_device *device = console->device;
	bool ours = same(&device->place, device->place.fd);
	int old = device->place.fd;
	struct place place;

	if (open_place(&place, (int)console->number) != LPK_OK)
		return;
	if (ours && dup3(place.fd, old, O_CLOEXEC) == old) {
		close(place.fd);
		place.fd = old;
	}
	device->place = place;
	if (ours && place.fd != old)
		close(old);
}

/*
 * Programs that turn into daemons close every descriptor that they do not
 * know, and get the number again for a file of theirs: so ours is looked at
 * before each write. Without it there is still the inherited one; 0 to 2 are
 * what they are meant to be, others only if they are what they were.
 *
 * Any context.
 */
static bool
find_place(const struct lpk_console *console, struct place *found)
{
	const struct fd_device *device = console->device;

	if (same(&device->place, device->place.fd)) {
		*found = device->place;
		return true;
	}
	return (console->number < LOWEST_FD ||
		   same(&device->place, (int)console->number)) &&
	    describe(found, (int)console->number);
}

/* ------------------------------------------------------------------------
 * Writing. Any context from here on. */

/* What a write may do to the caller beside writing. */
struct guard {
	sigset_t before;
	sigset_t pending;
	int cancel;
};

static void
guard_begin(struct guard *guard)
{
	sigset_t set;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard->cancel);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGXFSZ);
	/* Blocked, it lets a background process write to its terminal. */
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &set, &guard->before);
	sigemptyset(&guard->pending);
	sigpending(&guard->pending);
}

/* What our write raised is ours; what was waiting before is not. */
static void
guard_swallow(const struct guard *guard, int error)
{
	int number = error == EPIPE ? SIGPIPE : error == EFBIG ? SIGXFSZ : 0;
	struct timespec now = {0, 0};
	sigset_t set;

	if (number == 0 || sigismember(&guard->pending, number))
		return;
	sigemptyset(&set);
	sigaddset(&set, number);
	while (sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR)
		;
}

static void
guard_end(const struct guard *guard)
{
	int ignored;

	pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
	pthread_setcancelstate(guard->cancel, &ignored);
}

/*
 * How much to write at once. Into a pipe: what goes in whole or not at all, in
 * lines, so that those of others do not come in between. Into a terminal that
 * is not ours: little, as a write of more than there is room for waits; in a
 * panic one byte, for which there is room when poll(2) says so.
 */
static size_t
portion(const struct place *place, const char *bytes, size_t size, bool panic)
{
	size_t most = PIPE_BUF;
	const char *end;

	if (place->way == WAY_FILE || place->way == WAY_SOCKET ||
	    (place->way == WAY_OWN && place->kind != S_IFIFO))
		return size;
	if (place->way == WAY_SHARED && place->kind == S_IFCHR)
		most = panic ? 1 : SHARED_TTY_BYTES;
	if (size <= most)
		return size;
	end = memrchr(bytes, '\n', most);
	return end != NULL ? (size_t)(end - bytes) + 1 : most;
}

static int
left_ms(const struct lpk_batch *batch)
{
	uint64_t now = lpk_now_ns(), left;

	if (now >= batch->deadline_ns)
		return 0;
	left = (batch->deadline_ns - now) / 1000000 + 1;
	return left < INT_MAX ? (int)left : INT_MAX;
}

/* Until there is room. @again: poll(2) has just said so, and was wrong. */
static bool
wait_for(const struct place *place, const struct lpk_batch *batch, bool again)
{
	struct pollfd device = {.fd = place->fd, .events = POLLOUT};
	int ready, left = left_ms(batch);

	if (again && left == 0)
		return false;
	if (!lpk_console_exit_unsafe(batch))
		return false;
	/* A terminal that has room for half of a line's end, for instance. */
	if (again)
		poll(NULL, 0, 1);
	do
		ready = poll(&device, 1, left);
	while (ready < 0 && errno == EINTR && (left = left_ms(batch)) != 0);
	if (!lpk_console_enter_unsafe(batch))
		return false;
	return ready > 0;
}

static ssize_t
put_portion(const struct place *place, const char *bytes, size_t size)
{
	if (place->way == WAY_SOCKET)
		return send(
		    place->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(place->fd, bytes, size);
}

/* What an error of write(2) means for the records. */
static int
verdict(const struct place *place, int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return -LPK_ENOSPC;
	case EAGAIN:
	case ENOMEM:
	case ENOBUFS:
		return -LPK_EAGAIN;
	case EIO:
		/* A disk may recover; a terminal hung up for good. */
		return place->way == WAY_FILE ? -LPK_EAGAIN : -LPK_EIO;
	default:
		return -LPK_EIO;
	}
}

/* Returns the bytes that went out; when some did not, @error says why. */
static size_t
put(const struct place *place, const struct lpk_batch *batch, bool panic,
    int *error)
{
	bool ask = place->way == WAY_SHARED, again = false;
	size_t done = 0;

	*error = 0;
	while (done < batch->size_bytes && lpk_console_can_proceed(batch)) {
		const char *bytes = batch->bytes + done;
		ssize_t count;

		if (ask && !wait_for(place, batch, again)) {
			*error = EAGAIN;
			break;
		}
		count = put_portion(place, bytes,
		    portion(place, bytes, batch->size_bytes - done, panic));
		*error = count > 0 ? 0 : count == 0 ? EIO : errno;
		if (count > 0)
			done += (size_t)count;
		else if (*error != EAGAIN && *error != EINTR)
			break;
		again = ask && *error == EAGAIN;
		ask = place->way == WAY_SHARED || *error == EAGAIN;
	}
	return done;
}

static int
fd_put(struct lpk_console *console, struct lpk_batch *batch, bool panic)
{
	struct place place;
	struct guard guard;
	size_t done = 0;
	int error;

	if (!find_place(console, &place)) {
		batch->error = EBADF;
		return -LPK_EIO;
	}
	guard_begin(&guard);
	done = put(&place, batch, panic, &error);
	guard_swallow(&guard, error);
	guard_end(&guard);
	/* What is wrong shows again when the rest is written. */
	if (done != 0 || error == 0)
		return (int)done;
	if (!lpk_console_can_proceed(batch))
		return 0;
	batch->error = error;
	return verdict(&place, error);
}

static int
fd_write(struct lpk_console *console, struct lpk_batch *batch)
{
	const struct fd_device *device = console->device;

	if (!same(&device->place, device->place.fd) &&
	    (console->number < LOWEST_FD ||
		same(&device->place, (int)console->number)))
		fd_reopen(console);
	return fd_put(console, batch, false);
}

/*
 * By write(2) alone, and without a look whether the number is still ours. What
 * might wait for its device is left out.
 */
static int
fd_write_only(const struct lpk_console *console, struct lpk_batch *batch)
{
	const struct place *place =
	    &((const struct fd_device *)console->device)->place;
	ssize_t count;

	if (place->fd < 0 || (place->way != WAY_OWN && place->way != WAY_FILE))
		return -LPK_EIO;
	count = write(place->fd, batch->bytes,
	    portion(place, batch->bytes, batch->size_bytes, true));
	if (count > 0)
		return (int)count;
	batch->error = count == 0 ? EIO : errno;
	return verdict(place, batch->error);
}

static int
fd_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	int before = errno, result;

	result = lpk_panic_write_only() ? fd_write_only(console, batch) :
					  fd_put(console, batch, true);
	errno = before;
	return result;
}

/* ------------------------------------------------------------------------
 * Under systemd */

/* More of a text than this is rendered piece by piece. */
#define PIECE_BYTES 64
/* "[    5.123456] " and a newline; each byte may become "\x00". */
#define PIECE_LINE_BYTES (PIECE_BYTES * 4 + 64)

struct sink {
	char *to;
	size_t room;
	size_t bytes; /* of all, written or not */
};

static void
put_bytes(struct sink *sink, const char *bytes, size_t size)
{
	size_t fits = sink->bytes < sink->room ? sink->room - sink->bytes : 0;

	if (fits > size)
		fits = size;
	if (fits != 0)
		memcpy(sink->to + sink->bytes, bytes, fits);
	sink->bytes += size;
}

static bool
goes_on(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Not through the middle of a character. */
static size_t
piece_of(const char *text, size_t size)
{
	size_t piece = PIECE_BYTES;

	if (size <= piece)
		return size;
	while (piece > PIECE_BYTES - 3 && goes_on(text[piece]))
		piece--;
	return goes_on(text[piece]) ? PIECE_BYTES : piece;
}

/* As a console line has it, without what a line begins and ends with. */
static void
put_escaped(struct sink *sink, const char *text, size_t size)
{
	struct lpk_record record = {.text_bytes = 0};
	char line[PIECE_LINE_BYTES];
	size_t prefix =
	    lpk_record_print(&record, "", LPK_STYLE_TEXT, line, sizeof(line)) -
	    1;

	while (size != 0) {
		size_t piece = piece_of(text, size);

		record.text_bytes = (uint32_t)piece;
		put_bytes(sink, line + prefix,
		    lpk_record_print(
			&record, text, LPK_STYLE_TEXT, line, sizeof(line)) -
			prefix - 1);
		text += piece;
		size -= piece;
	}
}

/*
 * "<6>text", for each line of it, as sd-daemon(3) has it. The journal adds the
 * time. Not LPK_STYLE_PRIO: the journal takes no facility in there.
 */
static size_t
prefix_render(struct lpk_console *console, const struct lpk_record *record,
    const char *text, char *out, size_t size_bytes)
{
	char prefix[3] = {'<', (char)('0' + (record->level & 7)), '>'};
	struct sink sink = {.to = out, .room = size_bytes};
	size_t left = record->text_bytes;

	(void)console;
	for (;;) {
		const char *end = memchr(text, '\n', left);
		size_t line = end != NULL ? (size_t)(end - text) : left;

		put_bytes(&sink, prefix, sizeof(prefix));
		put_escaped(&sink, text, line);
		put_bytes(&sink, "\n", 1);
		if (end == NULL)
			return sink.bytes;
		text = end + 1;
		left -= line + 1;
	}
}

/*
 * The journal's own protocol carries more than lines. Where a descriptor turns
 * out to be the journal's, setup() puts that driver in this one's place, until
 * exit().
 */
static struct lpk_console_driver stand_in; /* journald's, but for exit() */

struct stand_in_device {
	struct fd_device *fd;
	max_align_t device[];
};

static struct stand_in_device *
stand_in_of(const struct lpk_console *console)
{
	return (struct stand_in_device *)((char *)console->device -
	    offsetof(struct stand_in_device, device));
}

static void
step_back(struct lpk_console *console)
{
	struct stand_in_device *other = stand_in_of(console);

	console->driver = other->fd->driver;
	console->device = other->fd;
	free(other);
}

static void fd_exit(struct lpk_console *console);

static void
stand_in_exit(struct lpk_console *console)
{
	if (lpk_journald_driver.exit != NULL)
		lpk_journald_driver.exit(console);
	step_back(console);
	fd_exit(console);
}

static void
stand_in_init(void)
{
	stand_in = lpk_journald_driver;
	stand_in.exit = stand_in_exit;
}

/* In a changed root it may be out of reach, while the stream is not. */
static bool
journal_answers(void)
{
	static const struct sockaddr_un journal = {
	    .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool answers = fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&journal, sizeof(journal)) ==
		0;

	if (fd >= 0)
		close(fd);
	return answers;
}

static bool
become_journald(struct lpk_console *console)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct stand_in_device *other;

	if (!journal_answers())
		return false;
	other = calloc(1, sizeof(*other) + lpk_journald_driver.device_bytes);
	if (other == NULL)
		return false;
	pthread_once(&once, stand_in_init);
	other->fd = console->device;
	console->driver = &stand_in;
	console->device = other->device;
	if (stand_in.setup == NULL || stand_in.setup(console) == LPK_OK)
		return true;
	step_back(console);
	return false;
}

static const struct lpk_console_driver prefix_driver;

/* True: the journal has the console. A style asked for is left alone. */
static bool
adapt_to_systemd(struct lpk_console *console)
{
	struct fd_device *device = console->device;
	bool stream = device->journal == JOURNAL_AUTO &&
	    is_journal_stream((int)console->number);

	device->driver = console->driver;
	if (console->style != LPK_STYLE_TEXT || device->journal == JOURNAL_NO)
		return false;
	if (!stream && device->journal != JOURNAL_PREFIX &&
	    !is_pipe_of_service((int)console->number))
		return false;
	console->colours = false;
	if (stream && become_journald(console))
		return true;
	console->driver = &prefix_driver;
	return false;
}

/* ------------------------------------------------------------------------
 * The drivers */

static void
give_back(struct lpk_console *console)
{
	struct fd_device *device = console->device;

	if (device->driver != NULL)
		console->driver = device->driver;
	if (!device->allocated)
		return;
	console->device = NULL;
	free(device);
}

static void
fd_exit(struct lpk_console *console)
{
	struct fd_device *device = console->device;

	if (device == NULL)
		return;
	if (same(&device->place, device->place.fd))
		close(device->place.fd);
	device->place.fd = -1;
	give_back(console);
}

/* A message of a datagram socket is one record. */
static bool
keeps_boundaries(const struct place *place)
{
	socklen_t bytes = sizeof(int);
	int type = SOCK_STREAM;

	return place->way == WAY_SOCKET &&
	    getsockopt(place->fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 &&
	    type != SOCK_STREAM;
}

static int
fd_setup(struct lpk_console *console)
{
	struct fd_device *device = console->device;
	int result;

	if (device == NULL) {
		device = calloc(1, sizeof(*device));
		if (device == NULL)
			return -LPK_ENOMEM;
		device->allocated = true;
		console->device = device;
	}
	device->place.fd = -1;
	if (adapt_to_systemd(console))
		return LPK_OK;
	result = console->number >= 0 && console->number <= INT_MAX ?
	    open_place(&device->place, (int)console->number) :
	    -LPK_EINVAL;
	if (result != LPK_OK)
		give_back(console);
	else if (keeps_boundaries(&device->place))
		console->batch_bytes = 1;
	return result;
}

static int
common_option(struct lpk_console *console, const char *key, const char *value)
{
	static const char *const words[] = {"auto", "no", "prefix"};
	struct fd_device *device = console->device;
	int i;

	if (strcmp(key, "journal") != 0)
		return -LPK_ENOENT;
	for (i = JOURNAL_AUTO; i <= JOURNAL_PREFIX; i++) {
		if (strcmp(value, words[i]) == 0) {
			device->journal = (enum journal)i;
			return LPK_OK;
		}
	}
	return -LPK_EINVAL;
}

static int
fd_option(struct lpk_console *console, const char *key, const char *value)
{
	char *end;

	if (key[0] != '\0')
		return common_option(console, key, value);
	if (value[0] < '0' || value[0] > '9')
		return -LPK_EINVAL;
	errno = 0;
	console->number = strtol(value, &end, 10);
	if (*end != '\0' || errno != 0 || console->number > INT_MAX)
		return -LPK_EINVAL;
	console->colours = wants_colours((int)console->number);
	return LPK_OK;
}

static int
std_option(
    struct lpk_console *console, const char *key, const char *value, int number)
{
	if (key[0] != '\0')
		return common_option(console, key, value);
	console->number = number;
	console->colours = wants_colours(number);
	return value[0] == '\0' ? LPK_OK : -LPK_EINVAL;
}

static int
stderr_option(struct lpk_console *console, const char *key, const char *value)
{
	return std_option(console, key, value, STDERR_FILENO);
}

static int
stdout_option(struct lpk_console *console, const char *key, const char *value)
{
	return std_option(console, key, value, STDOUT_FILENO);
}

static int
stderr_setup(struct lpk_console *console)
{
	console->number = STDERR_FILENO;
	return fd_setup(console);
}

static int
stdout_setup(struct lpk_console *console)
{
	console->number = STDOUT_FILENO;
	return fd_setup(console);
}

const struct lpk_console_driver lpk_fd_driver = {
    .name = "fd",
    .flags = LPK_DRIVER_WRITE_ONLY,
    .device_bytes = sizeof(struct fd_device),
    .option = fd_option,
    .setup = fd_setup,
    .exit = fd_exit,
    .write = fd_write,
    .write_on_panic = fd_write_on_panic,
    .reopen = fd_reopen,
};

const struct lpk_console_driver lpk_stderr_driver = {
    .name = "stderr",
    .flags = LPK_DRIVER_WRITE_ONLY,
    .device_bytes = sizeof(struct fd_device),
    .option = stderr_option,
    .setup = stderr_setup,
    .exit = fd_exit,
    .write = fd_write,
    .write_on_panic = fd_write_on_panic,
    .reopen = fd_reopen,
};

const struct lpk_console_driver lpk_stdout_driver = {
    .name = "stdout",
    .flags = LPK_DRIVER_WRITE_ONLY,
    .device_bytes = sizeof(struct fd_device),
    .option = stdout_option,
    .setup = stdout_setup,
    .exit = fd_exit,
    .write = fd_write,
    .write_on_panic = fd_write_on_panic,
    .reopen = fd_reopen,
};

/* In place of each of them, for a pipe that leads to the journal. */
static const struct lpk_console_driver prefix_driver = {
    .name = "fd",
    .flags = LPK_DRIVER_WRITE_ONLY,
    .exit = fd_exit,
    .render = prefix_render,
    .write = fd_write,
    .write_on_panic = fd_write_on_panic,
    .reopen = fd_reopen,
};

int
lpk_fd_console(struct lpk_console *console, int fd)
{
	if (console == NULL || fcntl(fd, F_GETFD) < 0)
		return -LPK_EINVAL;
	*console = (struct lpk_console){
	    .driver = &lpk_fd_driver,
	    .number = fd,
	    .colours = wants_colours(fd),
	};
	return LPK_OK;
}
