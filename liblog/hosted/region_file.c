/* SPDX-License-Identifier: MIT */
/*
 * region_file.c - a region with a name: made where nobody else can have put
 * anything in the way, locked for as long as its process lives, and shown
 * under its name only when it is whole.
 *
 * The lock of a file says that its session lives. Who finds one that is not
 * locked takes the lock, and then alone may rename it; who comes second finds
 * it locked, or renamed, and looks again. A file is locked before it has its
 * name, so no live session is ever taken for a dead one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <lpk/format.h>

#include "core/log.h"
#include "region.h"

#define SHM "shm:"
/* How often another process may get in between. */
#define TRIES 16

int
lpk__region_error(int number)
{
	switch (number) {
	case ENOSPC:
	case EFBIG:
	case EDQUOT:
		return -LPK_ENOSPC;
	case ENOMEM:
		return -LPK_ENOMEM;
	case ENOSYS:
		return -LPK_ENOSYS;
	case ELOOP:
	case ENOTDIR:
	case ENAMETOOLONG:
		return -LPK_EINVAL;
	default:
		return -LPK_EIO;
	}
}

/* Nobody but this user, root, and this user's own group may write to it. */
static bool
folder_is_ours(int folder, mode_t refused)
{
	struct stat status;

	if (fstat(folder, &status) != 0 || !S_ISDIR(status.st_mode) ||
	    (status.st_uid != geteuid() && status.st_uid != 0))
		return false;
	if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != getegid())
		return false;
	return (status.st_mode & refused) == 0;
}

/* /dev/shm/lpk-UID, made if need be; others can have made it too. */
static int
open_shm(int *folder)
{
	char path[64];

	lpk_snprintf(
	    path, sizeof(path), "/dev/shm/lpk-%lu", (unsigned long)geteuid());
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return lpk__region_error(errno);
	*folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*folder < 0)
		return lpk__region_error(errno);
	return folder_is_ours(*folder, 077) ? LPK_OK : -LPK_EINVAL;
}

static int
open_path(int *folder, const char *path, size_t length)
{
	char text[4096];

	if (length >= sizeof(text))
		return -LPK_EINVAL;
	memcpy(text, path, length);
	text[length] = '\0';
	*folder = open(text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*folder < 0)
		return errno == ENOENT ? -LPK_EINVAL : lpk__region_error(errno);
	return folder_is_ours(*folder, S_IWOTH) ? LPK_OK : -LPK_EINVAL;
}

static int
open_folder(struct lpk__region_file *file, const char *where)
{
	const char *slash = strrchr(where, '/');
	const char *name = slash != NULL ? slash + 1 : where;
	bool shm = strncmp(where, SHM, sizeof(SHM) - 1) == 0;

	if (shm)
		name = where + sizeof(SHM) - 1;
	else if (slash == NULL)
		return -LPK_EINVAL;
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL ||
	    strlen(name) >= sizeof(file->name) - 4)
		return -LPK_EINVAL;
	memcpy(file->name, name, strlen(name) + 1);
	if (shm)
		return open_shm(&file->folder);
	return open_path(
	    &file->folder, where, slash == where ? 1 : (size_t)(slash - where));
}

/* So that a full disk is found now, not by a store into the mapping. */
static int
fill_up(int fd, size_t bytes)
{
	static const char zeros[4096];
	size_t at;

	if (fallocate(fd, 0, 0, (off_t)bytes) == 0)
		return LPK_OK;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return lpk__region_error(errno);
	for (at = 0; at < bytes; at += sizeof(zeros)) {
		size_t part =
		    bytes - at < sizeof(zeros) ? bytes - at : sizeof(zeros);

		if (pwrite(fd, zeros, part, (off_t)at) != (ssize_t)part)
			return errno == 0 ? -LPK_EIO : lpk__region_error(errno);
	}
	return LPK_OK;
}

int
lpk__region_file_make(
    struct lpk__region_file *file, const char *where, size_t bytes)
{
	uint64_t random = 0;
	int result;

	file->fd = -1;
	file->folder = -1;
	file->durable = false;
	file->scratch[0] = '\0';
	result = open_folder(file, where);
	if (result != LPK_OK)
		goto failed;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint64_t)getpid();
	lpk_snprintf(file->scratch, sizeof(file->scratch), ".%s.%llx",
	    file->name, (unsigned long long)random);
	file->fd = openat(file->folder, file->scratch,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file->fd < 0) {
		file->scratch[0] = '\0';
		result = lpk__region_error(errno);
		goto failed;
	}
	if (fchmod(file->fd, 0600) != 0 ||
	    flock(file->fd, LOCK_EX | LOCK_NB) != 0)
		result = -LPK_EIO;
	else
		result = fill_up(file->fd, bytes);
	if (result == LPK_OK)
		return LPK_OK;
failed:
	lpk__region_file_drop(file);
	return result;
}

void
lpk__region_file_drop(struct lpk__region_file *file)
{
	if (file->scratch[0] != '\0')
		unlinkat(file->folder, file->scratch, 0);
	if (file->fd >= 0)
		close(file->fd);
	if (file->folder >= 0)
		close(file->folder);
	file->fd = -1;
	file->folder = -1;
	file->scratch[0] = '\0';
}

bool
lpk__region_file_on_disk(const struct lpk__region_file *file)
{
	struct statfs status;
	uint32_t type;

	if (fstatfs(file->fd, &status) != 0)
		return false;
	type = (uint32_t)status.f_type;
	return type != TMPFS_MAGIC && type != RAMFS_MAGIC &&
	    type != HUGETLBFS_MAGIC;
}

static void
number_name(char *to, size_t size, const char *name, unsigned int number)
{
	if (number == 0)
		lpk_snprintf(to, size, "%s", name);
	else
		lpk_snprintf(to, size, "%s.%u", name, number);
}

/* name -> name.1 -> name.2 ..., as far as there are any. */
static int
shift(const struct lpk__region_file *file, unsigned int keep)
{
	char from[256], to[256];
	struct stat status;
	unsigned int last;

	for (last = 1; last < keep; last++) {
		number_name(to, sizeof(to), file->name, last);
		if (fstatat(file->folder, to, &status, AT_SYMLINK_NOFOLLOW) !=
		    0)
			break;
	}
	for (; last > 0; last--) {
		number_name(from, sizeof(from), file->name, last - 1);
		number_name(to, sizeof(to), file->name, last);
		if (renameat(file->folder, from, file->folder, to) != 0)
			return lpk__region_error(errno);
	}
	return LPK_OK;
}

/* Whoever wrote to a file of another kind would not thank us for its name. */
static bool
is_log(int fd)
{
	static const char magic[16] = LPK__MAGIC;
	char found[sizeof(magic)];
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_uid == geteuid() &&
	    pread(fd, found, sizeof(found), 0) == (ssize_t)sizeof(found) &&
	    memcmp(found, magic, sizeof(magic)) == 0;
}

/* Is it still what the name means? */
static bool
is_named(const struct lpk__region_file *file, int fd)
{
	struct stat status, named;

	return fstat(fd, &status) == 0 &&
	    fstatat(file->folder, file->name, &named, AT_SYMLINK_NOFOLLOW) ==
	    0 &&
	    status.st_dev == named.st_dev && status.st_ino == named.st_ino;
}

/* Put the session before out of the way. -LPK_EAGAIN: look again. */
static int
retire(const struct lpk__region_file *file, unsigned int keep)
{
	int fd = openat(file->folder, file->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return errno == ENOENT ? -LPK_EAGAIN : -LPK_EINVAL;
	if (!is_log(fd))
		result = -LPK_EINVAL;
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		result = errno == EWOULDBLOCK ? -LPK_EBUSY : -LPK_EIO;
	else if (!is_named(file, fd))
		result = -LPK_EAGAIN;
	else
		result = shift(file, keep);
	close(fd);
	return result == LPK_OK ? -LPK_EAGAIN : result;
}

/* Only where nothing has the name. */
static int
name_it(const struct lpk__region_file *file)
{
	if (syscall(SYS_renameat2, file->folder, file->scratch, file->folder,
		file->name, RENAME_NOREPLACE) == 0)
		return LPK_OK;
	if (errno == EEXIST)
		return -LPK_EAGAIN;
	/* A file system that cannot: two steps, of which the first decides. */
	if (linkat(file->folder, file->scratch, file->folder, file->name, 0) !=
	    0)
		return errno == EEXIST ? -LPK_EAGAIN : lpk__region_error(errno);
	unlinkat(file->folder, file->scratch, 0);
	return LPK_OK;
}

int
lpk__region_file_publish(struct lpk__region_file *file, unsigned int keep)
{
	int result = -LPK_EAGAIN, tries;

	for (tries = 0; tries < TRIES && result == -LPK_EAGAIN; tries++) {
		result = name_it(file);
		if (result == -LPK_EAGAIN)
			result = retire(file, keep);
	}
	if (result != LPK_OK) {
		lpk__region_file_drop(file);
		return result == -LPK_EAGAIN ? -LPK_EBUSY : result;
	}
	/* It has its name, whatever the disk says to that. */
	if (file->durable)
		(void)fsync(file->folder);
	close(file->folder);
	file->folder = -1;
	file->scratch[0] = '\0';
	return LPK_OK;
}
