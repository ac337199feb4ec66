/* SPDX-License-Identifier: MIT */
/*
 * source_core.c - logs in a core file. First those that a note in the first
 * page of an executable or library leads to; then the magic is looked for in
 * all that was written of the process's memory, for logs that a program made
 * itself, and where the page is missing. No symbols are needed.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "hosted/anchor.h"
#include "source.h"
#include "tool.h"

#define CHUNK ((size_t)1 << 20)
/* A region begins at a cache line, as it is on machines with core files. */
#define STEP 64u
#define MAGIC_BYTES 16u
#define HEADERS_MAX 1000000u
/* Of an executable, and of its first page. */
#define INNER_HEADERS_MAX 64u
#define INNER_NOTES_MAX 4096u
#define NOTE_OWNER "lpk"
#define NOTE_ANCHOR 0x6b70u

struct core {
	const struct source *file;
	bool wide;
	uint64_t at; /* of the program headers */
	uint64_t step;
	uint64_t count;
	bool absent; /* a log is not in the file, though the process had it */
};

struct part {
	uint64_t address; /* in the process */
	uint64_t memory;  /* bytes there */
	uint64_t at;
	uint64_t bytes;
};

/* A program header of a type; both classes of ELF. */
static bool
read_program_header(const struct source *file, bool wide, uint64_t at,
    uint32_t type, struct part *part)
{
	Elf64_Phdr long_header;
	Elf32_Phdr short_header;

	if (wide) {
		if (source_read(file, at, &long_header, sizeof(long_header)) !=
			sizeof(long_header) ||
		    long_header.p_type != type)
			return false;
		part->address = long_header.p_vaddr;
		part->memory = long_header.p_memsz;
		part->at = long_header.p_offset;
		part->bytes = long_header.p_filesz;
	} else {
		if (source_read(file, at, &short_header,
			sizeof(short_header)) != sizeof(short_header) ||
		    short_header.p_type != type)
			return false;
		part->address = short_header.p_vaddr;
		part->memory = short_header.p_memsz;
		part->at = short_header.p_offset;
		part->bytes = short_header.p_filesz;
	}
	return true;
}

static bool
read_part(const struct core *core, uint64_t number, struct part *part)
{
	uint64_t size = core->file->bytes;

	if (!read_program_header(core->file, core->wide,
		core->at + number * core->step, PT_LOAD, part))
		return false;
	if (part->at >= size)
		part->bytes = 0;
	else if (part->bytes > size - part->at)
		part->bytes = size - part->at;
	return true;
}

/* Where an address of the process is in the file; from there on. */
static bool
find_address(const struct core *core, uint64_t address, struct part *found)
{
	struct part part;
	uint64_t i, skip;

	for (i = 0; i < core->count; i++) {
		if (!read_part(core, i, &part) || address < part.address ||
		    address - part.address >= part.memory)
			continue;
		skip = address - part.address;
		if (skip > part.bytes)
			skip = part.bytes;
		found->address = address;
		found->memory = part.memory - (address - part.address);
		found->at = part.at + skip;
		found->bytes = part.bytes - skip;
		return true;
	}
	return false;
}

static bool
is_magic(const unsigned char *at)
{
	static const char magic[16] = LPK__MAGIC;

	return memcmp(at, magic, sizeof(magic)) == 0;
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
	return *count <= HEADERS_MAX;
}

/* Add one, unless it is there. */
static bool
add(struct sources *sources, const struct source *file, uint64_t at,
    uint64_t bytes)
{
	unsigned int i;
	int own;

	for (i = 0; i < sources->count; i++) {
		if (sources->source[i].dead && sources->source[i].base == at &&
		    strcmp(sources->source[i].name, file->name) == 0)
			return true;
	}
	own = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0 || !source_add(sources, file->name, own, at, bytes))
		return false;
	sources->source[sources->count - 1].dead = true;
	return true;
}

static bool
search(struct sources *sources, const struct source *file,
    const struct part *part, unsigned char *buffer)
{
	uint64_t at;
	size_t i, got;
	bool found = false;

	for (at = 0; at < part->bytes; at += CHUNK) {
		got = part->bytes - at < CHUNK ? (size_t)(part->bytes - at) :
						 CHUNK;
		got = source_read(file, part->at + at, buffer, got);
		for (i = 0; i + MAGIC_BYTES <= got; i += STEP) {
			if (buffer[i] != 'l' || !is_magic(buffer + i))
				continue;
			found |= add(sources, file, part->at + at + i,
			    part->bytes - at - i);
		}
	}
	return found;
}

/* Where the anchor of a library's default log says that the log is. */
static bool
follow_anchor(struct sources *sources, struct core *core, uint64_t address)
{
	static const char magic[16] = LPK__ANCHOR_MAGIC;
	const struct source *file = core->file;
	unsigned char anchor[sizeof(magic) + 8];
	const size_t word = core->wide ? 8 : 4;
	unsigned char first[MAGIC_BYTES];
	uint64_t region = 0;
	uint32_t narrow;
	struct part part;

	if (!find_address(core, address, &part) ||
	    part.bytes < sizeof(magic) + word ||
	    source_read(file, part.at, anchor, sizeof(magic) + word) !=
		sizeof(magic) + word ||
	    memcmp(anchor, magic, sizeof(magic)) != 0)
		return false;
	if (core->wide) {
		memcpy(&region, anchor + sizeof(magic), sizeof(region));
	} else {
		memcpy(&narrow, anchor + sizeof(magic), sizeof(narrow));
		region = narrow;
	}
	if (!find_address(core, region, &part))
		return false;
	if (part.bytes == 0)
		core->absent = true;
	/* Nothing was stored where there is none. */
	if (source_read(file, part.at, first, sizeof(first)) < sizeof(first) ||
	    part.bytes < sizeof(first) || !is_magic(first))
		return false;
	return add(sources, file, part.at, part.bytes);
}

/* The notes of an executable or library, in what the core file has of it. */
static bool
follow_notes(struct sources *sources, struct core *core, const struct part *at)
{
	unsigned char notes[INNER_NOTES_MAX];
	size_t got, next = 0;
	bool found = false;
	Elf32_Nhdr note;
	int32_t away;

	got = at->bytes < sizeof(notes) ? (size_t)at->bytes : sizeof(notes);
	got = source_read(core->file, at->at, notes, got);
	while (got - next >= sizeof(note)) {
		size_t name = next + sizeof(note), body;

		memcpy(&note, notes + next, sizeof(note));
		if (note.n_namesz > got || note.n_descsz > got)
			break;
		body = name + ((note.n_namesz + 3u) & ~(size_t)3);
		next = body + ((note.n_descsz + 3u) & ~(size_t)3);
		if (next > got)
			break;
		if (note.n_type != NOTE_ANCHOR ||
		    note.n_namesz != sizeof(NOTE_OWNER) ||
		    note.n_descsz != sizeof(away) ||
		    memcmp(notes + name, NOTE_OWNER, sizeof(NOTE_OWNER)) != 0)
			continue;
		memcpy(&away, notes + body, sizeof(away));
		found |= follow_anchor(sources, core,
		    at->address + body + (uint64_t)(int64_t)away);
	}
	return found;
}

/* Does a part begin as an executable does, and has it a note of ours? */
static bool
follow_executable(
    struct sources *sources, struct core *core, const struct part *part)
{
	struct source inner = *core->file;
	uint64_t at, step, count, i, first = 0;
	struct part header;
	bool wide, found = false;

	inner.base += part->at;
	inner.bytes = part->bytes;
	if (!read_header(&inner, &wide, &at, &step, &count) ||
	    wide != core->wide || count > INNER_HEADERS_MAX)
		return false;
	/* Its addresses are what they were when it was linked. */
	for (i = count; i > 0; i--) {
		if (read_program_header(
			&inner, wide, at + (i - 1) * step, PT_LOAD, &header) &&
		    header.at == 0)
			first = header.address;
	}
	for (i = 0; i < count; i++) {
		if (!read_program_header(
			&inner, wide, at + i * step, PT_NOTE, &header) ||
		    header.at >= part->bytes ||
		    header.bytes > part->bytes - header.at)
			continue;
		header.address += part->address - first;
		header.at += part->at;
		found |= follow_notes(sources, core, &header);
	}
	return found;
}

static bool
is_core(const struct source *file)
{
	/* At the same place in both classes. */
	Elf32_Ehdr header;

	return source_read(file, 0, &header, sizeof(header)) ==
	    sizeof(header) &&
	    header.e_type == ET_CORE;
}

static bool
search_all(struct sources *sources, const struct source *file)
{
	struct core core = {.file = file};
	unsigned char *buffer = malloc(CHUNK);
	bool found = false;
	struct part part;
	uint64_t i;

	if (buffer == NULL || !is_core(file) ||
	    !read_header(file, &core.wide, &core.at, &core.step, &core.count)) {
		complain("%s: not a core file of a machine like this one",
		    file->name);
		free(buffer);
		return false;
	}
	for (i = 0; i < core.count; i++) {
		if (read_part(&core, i, &part))
			found |= follow_executable(sources, &core, &part);
	}
	for (i = 0; i < core.count; i++) {
		if (read_part(&core, i, &part))
			found |= search(sources, file, &part, buffer);
	}
	if (!found && core.absent)
		complain("%s: the log was in a file, which is not in the core "
			 "file; read it with -f",
		    file->name);
	else if (!found)
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
