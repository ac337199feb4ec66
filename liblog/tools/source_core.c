/* SPDX-License-Identifier: MIT */
/*
 * source_core.c - logs in a core file: the magic is looked for in all that was
 * written of the process's memory. No symbols are needed.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "source.h"
#include "tool.h"

#define CHUNK ((size_t)1 << 20)
/* A region begins at a cache line, as it is on machines with core files. */
#define STEP 64u
#define MAGIC_BYTES 16u
#define HEADERS_MAX 1000000u

struct part {
	uint64_t at;
	uint64_t bytes;
};

/* What a program header says of the file; both classes of ELF. */
static bool
read_part(const struct source *file, bool wide, uint64_t at, struct part *part)
{
	Elf64_Phdr long_header;
	Elf32_Phdr short_header;

	if (wide) {
		if (source_read(file, at, &long_header, sizeof(long_header)) !=
			sizeof(long_header) ||
		    long_header.p_type != PT_LOAD)
			return false;
		part->at = long_header.p_offset;
		part->bytes = long_header.p_filesz;
	} else {
		if (source_read(file, at, &short_header,
			sizeof(short_header)) != sizeof(short_header) ||
		    short_header.p_type != PT_LOAD)
			return false;
		part->at = short_header.p_offset;
		part->bytes = short_header.p_filesz;
	}
	if (part->at >= file->bytes)
		return false;
	if (part->bytes > file->bytes - part->at)
		part->bytes = file->bytes - part->at;
	return true;
}

static bool
is_magic(const unsigned char *at)
{
	static const char magic[16] = LPK__MAGIC;

	return memcmp(at, magic, sizeof(magic)) == 0;
}

static bool
search(struct sources *sources, const struct source *file,
    const struct part *part, unsigned char *buffer)
{
	uint64_t at;
	size_t i, got;
	bool found = false;
	int own;

	for (at = 0; at < part->bytes; at += CHUNK) {
		got = part->bytes - at < CHUNK ? (size_t)(part->bytes - at) :
						 CHUNK;
		got = source_read(file, part->at + at, buffer, got);
		for (i = 0; i + MAGIC_BYTES <= got; i += STEP) {
			if (buffer[i] != 'l' || !is_magic(buffer + i))
				continue;
			own = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
			if (own < 0 ||
			    !source_add(sources, file->name, own,
				part->at + at + i, part->bytes - at - i))
				continue;
			sources->source[sources->count - 1].dead = true;
			found = true;
		}
	}
	return found;
}

/* Where the program headers are. */
static bool
read_header(const struct source *file, bool *wide, uint64_t *at, uint64_t *step,
    uint64_t *count)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr narrow;
		Elf64_Ehdr wide;
	} header;
	const uint16_t one = 1;
	unsigned char order =
	    *(const unsigned char *)&one == 1 ? ELFDATA2LSB : ELFDATA2MSB;
	Elf64_Shdr section;

	memset(&header, 0, sizeof(header));
	if (source_read(file, 0, &header, sizeof(header)) <
		sizeof(header.narrow) ||
	    memcmp(header.ident, ELFMAG, SELFMAG) != 0 ||
	    header.ident[EI_DATA] != order)
		return false;
	*wide = header.ident[EI_CLASS] == ELFCLASS64;
	*at = *wide ? header.wide.e_phoff : header.narrow.e_phoff;
	*step = *wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	*count = *wide ? header.wide.e_phnum : header.narrow.e_phnum;
	/* More than fit the field: the first section has the number. */
	if (*count == PN_XNUM && *wide &&
	    source_read(file, header.wide.e_shoff, &section, sizeof(section)) ==
		sizeof(section))
		*count = section.sh_info;
	return (*wide ? header.wide.e_type : header.narrow.e_type) == ET_CORE &&
	    *count <= HEADERS_MAX;
}

static bool
search_all(struct sources *sources, const struct source *file)
{
	unsigned char *buffer = malloc(CHUNK);
	uint64_t at, step, count, i;
	struct part part;
	bool wide, found = false;

	if (buffer == NULL || !read_header(file, &wide, &at, &step, &count)) {
		complain("%s: not a core file of a machine like this one",
		    file->name);
		free(buffer);
		return false;
	}
	for (i = 0; i < count; i++) {
		if (read_part(file, wide, at + i * step, &part))
			found |= search(sources, file, &part, buffer);
	}
	if (!found)
		complain("%s: no log was found in it", file->name);
	free(buffer);
	return found;
}

bool
source_add_core(struct sources *sources, const char *path)
{
	struct source file = {.base = 0};
	struct stat status;
	bool found;

	file.fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file.fd < 0 || fstat(file.fd, &status) != 0 ||
	    !S_ISREG(status.st_mode)) {
		complain("%s: %s", path,
		    file.fd < 0 ? strerror(errno) : "not a regular file");
		if (file.fd >= 0)
			close(file.fd);
		return false;
	}
	strncpy(file.name, path, sizeof(file.name) - 1);
	file.bytes = (uint64_t)status.st_size;
	found = search_all(sources, &file);
	close(file.fd);
	return found;
}
