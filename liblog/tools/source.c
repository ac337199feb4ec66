/* SPDX-License-Identifier: MIT */
/*
 * source.c - opening files; reading bytes of whatever was opened.
 */
#include "source.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "tool.h"

size_t
source_read(const struct source *source, uint64_t at, void *to, size_t bytes)
{
	char *target = to;
	size_t done = 0;

	if (at >= source->bytes)
		return 0;
	if (bytes > source->bytes - at)
		bytes = (size_t)(source->bytes - at);
	while (done < bytes) {
		ssize_t part = pread(source->fd, target + done, bytes - done,
		    (off_t)(source->base + at + done));

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			break;
		done += (size_t)part;
	}
	return done;
}

bool
source_has_magic(const struct source *source)
{
	static const char magic[16] = LPK__MAGIC;
	char found[sizeof(magic)];

	return source_read(source, 0, found, sizeof(found)) == sizeof(found) &&
	    memcmp(found, magic, sizeof(magic)) == 0;
}

bool
source_add(struct sources *sources, const char *name, int fd, uint64_t base,
    uint64_t bytes)
{
	struct source *source = &sources->source[sources->count];

	if (sources->count == SOURCES_MAX) {
		complain("%s: more than %d images", name, SOURCES_MAX);
		sources->partial = true;
		close(fd);
		return false;
	}
	snprintf(source->name, sizeof(source->name), "%s", name);
	source->fd = fd;
	source->base = base;
	source->bytes = bytes;
	source->pid = 0;
	source->dead = false;
	sources->count++;
	return true;
}

/* A regular file, and nothing that opening would set off. */
static int
open_regular(const char *path, uint64_t *bytes)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0) {
		complain("%s: %s", path, strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		complain("%s: not a regular file", path);
	} else {
		*bytes = (uint64_t)status.st_size;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

bool
source_add_file(struct sources *sources, const char *path)
{
	struct source *source = &sources->source[sources->count];
	char magic[SELFMAG] = "";
	uint64_t bytes;
	int fd = open_regular(path, &bytes);

	if (fd < 0)
		return false;
	if (pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	    memcmp(magic, ELFMAG, SELFMAG) == 0) {
		close(fd);
		return source_add_core(sources, path);
	}
	if (!source_add(sources, path, fd, 0, bytes))
		return false;
	if (source_has_magic(source))
		return true;
	complain("%s: not the image of a log", path);
	close(fd);
	sources->count--;
	return false;
}
