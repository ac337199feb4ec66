/* SPDX-License-Identifier: MIT */
/*
 * file.c - the console on a file by its name: rotated by size and age, followed
 * when somebody else rotates it, and patient when the disk is full. A FIFO or a
 * device will do, too.
 *
 * The descriptor keeps its number for good: a new file is put under it with
 * dup3(2). So a panic that takes the console over from a thread half way
 * through a rotation writes to the old file or to the new one, never to a
 * descriptor that is closed.
 */
#define _FILE_OFFSET_BITS 64

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/format.h>

enum {
	/* A record's text, every byte of it escaped, and what is around it. */
	LINE_BYTES = 4 * LPK_TEXT_MAX + 256,
	/* Room for the number behind the name of a rotated file. */
	NUMBER_BYTES = 12,
	KEEP_DEFAULT = 5,
	KEEP_MOST = 9999
};

#define SECOND_NS UINT64_C(1000000000)
/* How often it is looked whether the name still leads to the file. */
#define LOOK_NS SECOND_NS
/* How long another process may take to rotate. */
#define ROTATING_NS (SECOND_NS / 1000)
/* After a rotation that failed. */
#define ROTATE_AGAIN_NS (10 * SECOND_NS)

struct file_device {
	/* What option() was told. */
	char path[PATH_MAX];
	mode_t perm;
	bool perm_given;
	uint64_t rotate_bytes; /* 0: not by size */
	uint64_t rotate_age_s; /* 0: not by age */
	unsigned int keep;
	unsigned int sync_below; /* batches of a level below this one */

	/* The file that is open. */
	int fd;
	bool regular;
	dev_t dev;
	ino_t ino;
	uint64_t size_bytes;
	int64_t born_s; /* since 1970 */

	bool failing;           /* the last write did */
	bool foreign_end;       /* somebody else left a line there torn */
	uint64_t look_ns;       /* look at the name from then on */
	uint64_t missing_ns;    /* the name leads nowhere since then; 0: no */
	uint64_t not_before_ns; /* rotate no earlier */

	/*
	 * The line at the file's end that lacks its newline yet, and how much
	 * of it must be put once more, the file having lost it.
	 */
	size_t line_bytes;
	size_t again_bytes;
	char line[LINE_BYTES];

	char old_name[PATH_MAX + NUMBER_BYTES];
	char new_name[PATH_MAX + NUMBER_BYTES];
};

/* ------------------------------------------------------------------------
 * Words
 */

/* A number and the letter behind it; false when there is no number. */
static bool
number_of(const char **text, uint64_t *number)
{
	const char *at = *text;
	uint64_t n = 0;

	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (n > UINT32_MAX)
			return false;
		n = n * 10 + (uint64_t)(*at - '0');
	}
	*text = at;
	*number = n;
	return true;
}

/* The factor that a letter stands for, and a step past it. */
static uint64_t
unit_of(const char **text, const char *letters, const uint64_t *factors)
{
	const char *found = **text == '\0' ? NULL : strchr(letters, **text);

	if (found == NULL)
		return 1;
	++*text;
	return factors[found - letters];
}

static bool
keep_of(const char *value, unsigned int *keep)
{
	uint64_t n;

	if (!number_of(&value, &n) || *value != '\0' || n < 1 || n > KEEP_MOST)
		return false;
	*keep = (unsigned int)n;
	return true;
}

/* "10M*5": bytes, and how many old files there are to be. */
static bool
rotate_of(struct file_device *device, const char *value)
{
	static const uint64_t factors[] = {
	    1u << 10, 1u << 10, 1u << 20, 1u << 20, 1u << 30, 1u << 30};
	uint64_t n;

	if (!number_of(&value, &n) || n == 0)
		return false;
	n *= unit_of(&value, "kKmMgG", factors);
	if (*value == '*') {
		if (!keep_of(value + 1, &device->keep))
			return false;
	} else if (*value != '\0') {
		return false;
	}
	device->rotate_bytes = n;
	return true;
}

/* "1d", "12h", "90m", "30" seconds. */
static bool
age_of(struct file_device *device, const char *value)
{
	static const uint64_t factors[] = {1, 60, 3600, 86400, 604800};
	uint64_t n;

	if (!number_of(&value, &n) || n == 0)
		return false;
	n *= unit_of(&value, "smhdw", factors);
	if (*value != '\0')
		return false;
	device->rotate_age_s = n;
	return true;
}

static bool
perm_of(struct file_device *device, const char *value)
{
	unsigned int perm = 0;

	if (*value == '\0')
		return false;
	for (; *value != '\0'; value++) {
		if (*value < '0' || *value > '7' || perm > 0777)
			return false;
		perm = perm * 8 + (unsigned int)(*value - '0');
	}
	if (perm > 0777)
		return false;
	device->perm = (mode_t)perm;
	device->perm_given = true;
	return true;
}

static bool
sync_of(struct file_device *device, const char *value)
{
	static const char *const levels[] = {
	    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"};
	unsigned int level;

	if (strcmp(value, "never") == 0) {
		device->sync_below = 0;
		return true;
	}
	if (strcmp(value, "batch") == 0) {
		device->sync_below = UINT8_MAX + 1;
		return true;
	}
	for (level = 0; level < 8; level++) {
		const char number[] = {(char)('0' + level), '\0'};

		if (strcmp(value, levels[level]) == 0 ||
		    strcmp(value, number) == 0) {
			device->sync_below = level + 1;
			return true;
		}
	}
	return false;
}

static int
file_option(struct lpk_console *console, const char *key, const char *value)
{
	struct file_device *device = console->device;
	bool good;

	if (key[0] == '\0') {
		size_t length = strlen(value);

		good = length != 0 && length < sizeof(device->path);
		if (good)
			memcpy(device->path, value, length + 1);
	} else if (strcmp(key, "rotate") == 0) {
		good = rotate_of(device, value);
	} else if (strcmp(key, "age") == 0) {
		good = age_of(device, value);
	} else if (strcmp(key, "keep") == 0) {
		good = keep_of(value, &device->keep);
	} else if (strcmp(key, "perm") == 0) {
		good = perm_of(device, value);
	} else if (strcmp(key, "fsync") == 0) {
		good = sync_of(device, value);
	} else {
		return -LPK_ENOENT;
	}
	return good ? LPK_OK : -LPK_EINVAL;
}

/* ------------------------------------------------------------------------
 * The name and the file
 */

static bool
is_open_file(const struct file_device *device, const struct stat *at)
{
	return at->st_dev == device->dev && at->st_ino == device->ino;
}

/* Open what the name leads to, or make it; -1 and errno. */
static int
open_path(const struct file_device *device)
{
	/* O_NONBLOCK is for FIFOs and terminals; regular files ignore it. */
	int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(device->path, flags), higher;

	if (fd < 0 && errno == ENOENT) {
		fd = open(device->path, flags | O_CREAT, device->perm);
		/* What the operator asked for is not the umask's to change. */
		if (fd >= 0 && device->perm_given)
			(void)fchmod(fd, device->perm);
	}
	if (fd >= 0 && fd <= STDERR_FILENO) {
		/* Where somebody's printf() would find it. */
		higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(fd);
		fd = higher;
	}
	return fd;
}

/*
 * What statx(2) says, laid out as in the kernel's linux/stat.h. Not every C
 * library has the call; and some that do have no place for that header.
 */
struct birth {
	uint32_t mask;
	uint32_t others[19];
	int64_t born_s;
	uint64_t more[21];
};
#define MASK_BIRTH 0x800u

_Static_assert(
    offsetof(struct birth, born_s) == 80 && sizeof(struct birth) == 256,
    "the kernel's layout");

/*
 * When the file came to be. Its file system may not know; then when it was
 * last written to, which is as far back as can be told.
 */
static int64_t
born_at(int fd, const struct stat *at)
{
	struct birth is;

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, MASK_BIRTH, &is) == 0 &&
	    (is.mask & MASK_BIRTH) != 0 && is.born_s > 0)
		return is.born_s;
	return at->st_mtime;
}

/*
 * Does a line at the end lack its newline? A process may have died there; but
 * one that lives and is writing has a file that grows: see mend().
 */
static bool
ends_torn(const struct file_device *device)
{
	struct stat same;
	char last = '\n';
	int fd;

	if (!device->regular || device->size_bytes == 0)
		return false;
	fd = open(device->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &same) != 0 || !is_open_file(device, &same) ||
	    (uint64_t)same.st_size != device->size_bytes ||
	    pread(fd, &last, 1, same.st_size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

/* From here on fd is the file. Takes fd, whatever happens. */
static bool
adopt(struct file_device *device, int fd)
{
	struct stat at;

	if (fstat(fd, &at) != 0) {
		close(fd);
		return false;
	}
	if (device->fd < 0) {
		device->fd = fd;
	} else {
		int moved = dup3(fd, device->fd, O_CLOEXEC);

		close(fd);
		if (moved < 0)
			return false;
	}
	device->regular = S_ISREG(at.st_mode);
	device->dev = at.st_dev;
	device->ino = at.st_ino;
	device->size_bytes = (uint64_t)at.st_size;
	device->born_s = born_at(device->fd, &at);
	device->foreign_end = false;
	device->missing_ns = 0;
	device->look_ns = lpk_now_ns() + LOOK_NS;
	return true;
}

/* So that the names last, not only what the files hold. */
static void
sync_folder(struct file_device *device)
{
	char *slash;
	int fd;

	if (device->sync_below == 0)
		return;
	memcpy(device->old_name, device->path, strlen(device->path) + 1);
	slash = strrchr(device->old_name, '/');
	slash[slash == device->old_name] = '\0';
	fd = open(device->old_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* What the file at hand ends with must be put into it again. */
static void
put_line_again(struct file_device *device)
{
	if (device->line_bytes > LINE_BYTES)
		device->line_bytes = 0;
	device->again_bytes = device->line_bytes;
}

/*
 * Go on with what the name leads to now. Fails when it cannot be opened: the
 * old file is better than none. A line that is not whole yet will be, in the
 * new file.
 */
static bool
follow(struct file_device *device)
{
	int fd = open_path(device);
	struct stat at;
	bool other;

	if (fd < 0)
		return false;
	other = fstat(fd, &at) != 0 || !is_open_file(device, &at);
	if (other && device->fd >= 0) {
		if (device->line_bytes != 0)
			(void)!write(device->fd, "\n", 1);
		if (device->sync_below != 0)
			(void)fdatasync(device->fd);
	}
	if (!adopt(device, fd))
		return false;
	if (other)
		put_line_again(device);
	sync_folder(device);
	return true;
}

/*
 * Once a second: was the file renamed or removed?
 *
 * logrotate(8) renames first and makes the new file a moment later, and takes a
 * file that it finds there for somebody else's. So a name that leads nowhere is
 * left alone for a second.
 */
static void
look(struct file_device *device)
{
	uint64_t now_ns = lpk_now_ns();
	struct stat at;

	/* A line is completed where it began, if that can be done. */
	if (device->line_bytes != 0 && !device->failing)
		return;
	if (!device->regular || (now_ns < device->look_ns && !device->failing))
		return;
	device->look_ns = now_ns + LOOK_NS;
	if (stat(device->path, &at) == 0) {
		device->missing_ns = 0;
		if (!is_open_file(device, &at))
			follow(device);
	} else if (errno == ENOENT) {
		if (device->missing_ns == 0)
			device->missing_ns = now_ns;
		else if (now_ns - device->missing_ns >= LOOK_NS)
			follow(device);
	}
}

/*
 * Is the descriptor still ours, and what happened to its file? Programs that
 * become daemons close all they find; what they open next must not get our
 * lines.
 */
static bool
still_ours(struct file_device *device)
{
	struct stat at;

	if (device->fd < 0)
		return false;
	if (fstat(device->fd, &at) != 0) {
		/* An error of its file system, which write() will have, too. */
		if (errno != EBADF)
			return true;
		device->fd = -1;
		return false;
	}
	if (!is_open_file(device, &at)) {
		device->fd = -1;
		return false;
	}
	if (!device->regular)
		return true;
	/* Emptied in place, and the beginning of a line with it? */
	if ((uint64_t)at.st_size < device->size_bytes)
		put_line_again(device);
	if ((uint64_t)at.st_size != device->size_bytes)
		device->foreign_end = false;
	device->size_bytes = (uint64_t)at.st_size;
	return true;
}

/* ------------------------------------------------------------------------
 * Rotation
 */

static void
numbered(const struct file_device *device, char *name, unsigned int number)
{
	if (number == 0)
		lpk_snprintf(name, PATH_MAX, "%s", device->path);
	else
		lpk_snprintf(name, PATH_MAX + NUMBER_BYTES, "%s.%u",
		    device->path, number);
}

/* x.log.1 becomes x.log.2 and so on; in the end x.log becomes x.log.1. */
static bool
shift(struct file_device *device)
{
	unsigned int number = 1;
	struct stat at;

	/* Up to the first gap: what is beyond it need not move. */
	for (; number < device->keep; number++) {
		numbered(device, device->new_name, number);
		if (lstat(device->new_name, &at) != 0)
			break;
	}
	for (; number > 0; number--) {
		numbered(device, device->old_name, number - 1);
		numbered(device, device->new_name, number);
		if (renameat(AT_FDCWD, device->old_name, AT_FDCWD,
			device->new_name) != 0)
			return false;
	}
	return true;
}

/*
 * Rotate, unless another process that writes to the file is doing so: whoever
 * has the lock on the file that the name leads to may rename it. The lock is
 * taken on a description of its own; the other one may be shared with a child.
 */
static bool
rotate_locked(struct file_device *device, int fd)
{
	struct stat at;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return false;
	if (lstat(device->path, &at) != 0)
		return false;
	if (is_open_file(device, &at) && !shift(device))
		return false;
	return follow(device);
}

static bool
rotate(struct file_device *device, struct lpk_batch *batch)
{
	uint64_t now_ns = lpk_now_ns();
	bool done;
	int fd;

	if (now_ns < device->not_before_ns)
		return false;
	fd = open(device->path,
	    O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	done = fd >= 0 && rotate_locked(device, fd);
	/* The lines matter more than the size: they go on where they went. */
	if (!done && (errno == EWOULDBLOCK || errno == ENOENT)) {
		device->not_before_ns = now_ns + ROTATING_NS;
	} else if (!done) {
		device->not_before_ns = now_ns + ROTATE_AGAIN_NS;
		batch->error = errno;
	}
	if (fd >= 0)
		close(fd);
	return done;
}

static bool
too_old(const struct file_device *device)
{
	struct timespec now;

	if (device->rotate_age_s == 0 || device->size_bytes == 0)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	/* A clock that was set back makes it young, not old. */
	return (int64_t)now.tv_sec > device->born_s &&
	    (uint64_t)((int64_t)now.tv_sec - device->born_s) >=
	    device->rotate_age_s;
}

/* Up to and with the last newline in size bytes, or the first one. */
static size_t
last_line(const char *bytes, size_t size_bytes)
{
	const char *end = memrchr(bytes, '\n', size_bytes);

	return end == NULL ? 0 : (size_t)(end - bytes) + 1;
}

static size_t
first_line(const char *bytes, size_t size_bytes)
{
	const char *end = memchr(bytes, '\n', size_bytes);

	return end == NULL ? size_bytes : (size_t)(end - bytes) + 1;
}

/* How much of the batch goes into the file, a new one when need be. */
static size_t
share(struct file_device *device, struct lpk_batch *batch)
{
	uint64_t room;
	size_t size;

	if (!device->regular)
		return batch->size_bytes;
	if (device->line_bytes == 0 && too_old(device))
		rotate(device, batch);
	if (device->rotate_bytes == 0)
		return batch->size_bytes;
	for (;;) {
		room = device->rotate_bytes > device->size_bytes ?
		    device->rotate_bytes - device->size_bytes :
		    0;
		if (batch->size_bytes <= room)
			return batch->size_bytes;
		if (device->line_bytes != 0)
			break;
		size = last_line(batch->bytes, (size_t)room);
		if (size != 0)
			return size;
		if (device->size_bytes == 0)
			break;
		if (!rotate(device, batch))
			return batch->size_bytes;
	}
	return first_line(batch->bytes, batch->size_bytes);
}

/* ------------------------------------------------------------------------
 * Writing
 */

/* Remember what the file ends with. */
static void
account(struct file_device *device, const char *bytes, size_t size_bytes)
{
	size_t whole = last_line(bytes, size_bytes);
	size_t left = size_bytes - whole;

	if (device->size_bytes == 0 && device->regular &&
	    !lpk_panic_write_only()) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		device->born_s = now.tv_sec;
	}
	device->size_bytes += size_bytes;
	if (whole != 0)
		device->line_bytes = 0;
	if (device->line_bytes <= LINE_BYTES &&
	    left <= LINE_BYTES - device->line_bytes)
		memcpy(device->line + device->line_bytes, bytes + whole, left);
	device->line_bytes += left;
}

static bool
wait_for_room(const struct file_device *device, const struct lpk_batch *batch)
{
	struct pollfd wait = {.fd = device->fd, .events = POLLOUT};
	uint64_t now_ns = lpk_now_ns(), ms;

	if (now_ns >= batch->deadline_ns)
		return false;
	ms = (batch->deadline_ns - now_ns) / 1000000 + 1;
	if (!lpk_console_exit_unsafe(batch))
		return false;
	poll(&wait, 1, ms < INT_MAX ? (int)ms : INT_MAX);
	return lpk_console_enter_unsafe(batch);
}

/*
 * Put bytes on the device. Returns how many; -1 and errno. Fewer than asked
 * for, or EAGAIN: the deadline has passed, or the device was taken over.
 */
static ssize_t
put(const struct file_device *device, const struct lpk_batch *batch,
    const char *bytes, size_t size_bytes)
{
	for (;;) {
		ssize_t count = write(device->fd, bytes, size_bytes);

		if (count >= 0)
			return count;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || device->regular ||
		    lpk_panic_write_only())
			return -1;
		if (!wait_for_room(device, batch)) {
			errno = EAGAIN;
			return -1;
		}
	}
}

/* Make the end of the file one that the batch can follow. */
static bool
mend(struct file_device *device, const struct lpk_batch *batch)
{
	ssize_t count;
	struct stat at;

	/* Where it grew since, another process was in the middle of a line. */
	if (device->foreign_end && !lpk_panic_write_only() &&
	    (fstat(device->fd, &at) != 0 ||
		(uint64_t)at.st_size != device->size_bytes))
		device->foreign_end = false;
	if (device->foreign_end) {
		count = put(device, batch, "\n", 1);
		if (count < 0)
			return false;
		device->size_bytes++;
		device->foreign_end = false;
	}
	while (device->again_bytes != 0) {
		count = put(device, batch,
		    device->line + device->line_bytes - device->again_bytes,
		    device->again_bytes);
		if (count < 0)
			return false;
		device->size_bytes += (size_t)count;
		device->again_bytes -= (size_t)count;
	}
	return true;
}

/* Nothing is ever refused for good: a disk that fails may be replaced. */
static int
failed(struct file_device *device, struct lpk_batch *batch, int error)
{
	device->failing = true;
	if (error == EAGAIN)
		return -LPK_EAGAIN;
	batch->error = error;
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return -LPK_ENOSPC;
	default:
		return -LPK_EAGAIN;
	}
}

static int
put_share(struct file_device *device, struct lpk_batch *batch, size_t size)
{
	ssize_t count = -1;

	if (mend(device, batch))
		count = put(device, batch, batch->bytes, size);
	if (count < 0)
		return failed(device, batch, errno);
	device->failing = false;
	account(device, batch->bytes, (size_t)count);
	return (int)count;
}

/* Did the level of the batch ask for it? fsync(2) on a FIFO is no error. */
static void
sync_file(const struct file_device *device, struct lpk_batch *batch)
{
	if (batch->level < device->sync_below && fdatasync(device->fd) != 0 &&
	    errno != EINVAL && errno != EROFS)
		batch->error = errno;
}

/* The file that the name leads to, as a rule. */
static bool
have_file(struct file_device *device)
{
	if (!still_ours(device))
		return follow(device);
	look(device);
	return true;
}

static int
file_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct file_device *device = console->device;
	int count;

	if (!have_file(device))
		return failed(device, batch, errno);
	count = put_share(device, batch, share(device, batch));
	if (count > 0 && batch->level < device->sync_below) {
		/* A disk may take its time; nothing of ours is touched. */
		if (lpk_console_exit_unsafe(batch)) {
			sync_file(device, batch);
			lpk_console_enter_unsafe(batch);
		}
	}
	return count;
}

/* The signals that a write() to a file, pipe or terminal may raise. */
static void
hold_signals(sigset_t *before)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGPIPE);
	sigaddset(&held, SIGXFSZ);
	sigaddset(&held, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &held, before);
}

/* Take back what the write raised, where it would now be delivered. */
static void
release_signals(const sigset_t *before, int error)
{
	const struct timespec none = {0, 0};
	int number = error == EPIPE ? SIGPIPE : error == EFBIG ? SIGXFSZ : 0;
	sigset_t raised;

	if (number != 0 && sigismember(before, number) == 0) {
		sigemptyset(&raised);
		sigaddset(&raised, number);
		sigtimedwait(&raised, NULL, &none);
	}
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* By write(2) alone, to the file that was the right one the last time. */
static int
file_write_only(struct file_device *device, struct lpk_batch *batch)
{
	if (device->fd < 0)
		return -LPK_EIO;
	return put_share(device, batch, batch->size_bytes);
}

/*
 * No rotation. To follow the name takes only calls that a signal handler may
 * make, and this may be all that ever prints: see LPK_MODE_DIRECT.
 */
static int
file_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	struct file_device *device = console->device;
	int count = -LPK_EAGAIN, saved = errno;
	sigset_t before;

	if (lpk_panic_write_only()) {
		count = file_write_only(device, batch);
		errno = saved;
		return count;
	}
	hold_signals(&before);
	if (have_file(device)) {
		count = put_share(device, batch, batch->size_bytes);
		if (count > 0)
			sync_file(device, batch);
	} else {
		batch->error = errno;
	}
	release_signals(&before, batch->error);
	errno = saved;
	return count;
}

static void
file_reopen(struct lpk_console *console)
{
	follow(console->device);
}

/* ------------------------------------------------------------------------
 * Opening
 */

/* The program may change its folder; the file stays where it is. */
static bool
make_absolute(struct file_device *device)
{
	size_t length;

	if (device->path[0] == '/')
		return true;
	if (getcwd(device->old_name, PATH_MAX) == NULL)
		return false;
	length = strlen(device->old_name);
	if (length + 1 + strlen(device->path) >= sizeof(device->path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	lpk_snprintf(
	    device->old_name + length, PATH_MAX - length, "/%s", device->path);
	memcpy(device->path, device->old_name, sizeof(device->path));
	return true;
}

/* Is there somebody who may read from the FIFO some day? */
static bool
is_fifo(const struct file_device *device)
{
	struct stat at;

	return stat(device->path, &at) == 0 && S_ISFIFO(at.st_mode);
}

static int
file_setup(struct lpk_console *console)
{
	struct file_device *device = console->device;
	bool rotates = device->rotate_bytes != 0 || device->rotate_age_s != 0;
	struct stat at;
	int fd;

	device->fd = -1;
	if (device->path[0] == '\0')
		return -LPK_EINVAL;
	if (device->keep == 0)
		device->keep = KEEP_DEFAULT;
	if (!device->perm_given)
		device->perm = 0640;
	if (!make_absolute(device))
		return -errno;
	/* A link would be renamed, and what it leads to not. */
	if (rotates && lstat(device->path, &at) == 0 && !S_ISREG(at.st_mode))
		return -LPK_EINVAL;
	fd = open_path(device);
	if (fd < 0) {
		int error = errno;

		/* Nobody reads from the FIFO yet; no room for a new file yet. */
		if ((error == ENXIO && is_fifo(device)) || error == ENOSPC ||
		    error == EDQUOT)
			return LPK_OK;
		return -error;
	}
	if (!adopt(device, fd))
		return -LPK_EIO;
	device->foreign_end = ends_torn(device);
	sync_folder(device);
	return LPK_OK;
}

static void
file_exit(struct lpk_console *console)
{
	struct file_device *device = console->device;

	if (!still_ours(device))
		return;
	if (device->sync_below != 0)
		(void)fdatasync(device->fd);
	close(device->fd);
	device->fd = -1;
}

const struct lpk_console_driver lpk_file_driver = {
    .name = "file",
    .flags = LPK_DRIVER_WRITE_ONLY,
    .device_bytes = sizeof(struct file_device),
    .option = file_option,
    .setup = file_setup,
    .exit = file_exit,
    .write = file_write,
    .write_on_panic = file_write_on_panic,
    .reopen = file_reopen,
};
