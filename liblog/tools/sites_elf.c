/* SPDX-License-Identifier: MIT */
/*
 * sites_elf.c - the calls that are compiled into a program.
 *
 * Each has a static struct lpk_site in the program's data. It begins with words
 * that are 0 and the mark that LPK__SITE_MARK puts where the arguments are
 * planned later, and it holds pointers to strings of the same file: these
 * together are not found in anything else. No section and no symbol is
 * needed, so that what a linker or strip(1) leaves of the program is all that
 * it takes; a call that the compiler or linker dropped took its site along.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/filter.h"
#include "core/message.h"
#include "elf.h"
#include "sites.h"
#include "tool.h"

/* ---- sites in data ---- */

/* Members of struct lpk_site in pointers' widths; behind plan 16 bytes more. */
enum {
	WORD_STATE = 0,
	WORD_PLAN = 3,
	WORD_NEXT = 3,
	WORD_FORMAT = 4,
	WORD_PREFIX,
	WORD_SUBSYSTEM,
	WORD_FILE,
	WORD_FUNCTION,
	WORDS
};
#define PLAN_BYTES 16u
#define AT(number, word)                                                       \
	((number) * (word) + ((number) > WORD_PLAN - 1 ? PLAN_BYTES : 0))
#define AT_LINE(word) AT(WORDS, word)
#define SITE_BYTES(word) (AT_LINE(word) + 8)
#define SITE_BYTES_MAX SITE_BYTES(8)

_Static_assert(
    offsetof(struct lpk_site, plan) == WORD_PLAN * sizeof(unsigned long) &&
	offsetof(struct lpk_site, next) ==
	    AT(WORD_NEXT, sizeof(unsigned long)) &&
	offsetof(struct lpk_site, function) ==
	    AT(WORD_FUNCTION, sizeof(unsigned long)) &&
	offsetof(struct lpk_site, line) == AT_LINE(sizeof(unsigned long)) &&
	sizeof(struct lpk_site) == SITE_BYTES(sizeof(unsigned long)),
    "a site looks as it is read here: if not, draw a new mark");

/* A site as it is in a file. */
struct found {
	struct lpk__place place;
	uint64_t address;
	uint64_t file;   /* the pointer to its name */
	uint64_t offset; /* in the file */
	const struct elf *elf;
};

/* Each site of a file. */
typedef void found_fn(void *list, const struct found *found);

static uint64_t
member(const struct elf *elf, const unsigned char *site, unsigned int number)
{
	return elf_word(elf, site + AT(number, elf_word_bytes(elf)));
}

/* The mark as words of 64 bits or of 32. */
static bool
has_mark(const struct elf *elf, const unsigned char *site)
{
	static const uint64_t wide[] = {
	    LPK__SITE_MARK_0 | (uint64_t)LPK__SITE_MARK_1 << 32,
	    LPK__SITE_MARK_2 | (uint64_t)LPK__SITE_MARK_3 << 32};
	static const uint32_t narrow[] = {LPK__SITE_MARK_0, LPK__SITE_MARK_1,
	    LPK__SITE_MARK_2, LPK__SITE_MARK_3};

	return memcmp(site + WORD_PLAN * elf_word_bytes(elf),
		   elf->wide ? (const void *)wide : (const void *)narrow,
		   PLAN_BYTES) == 0;
}

/* A string of a site; "" where there is none. */
static bool
string(struct elf *elf, const unsigned char *site, unsigned int number,
    const char **text)
{
	uint64_t address = member(elf, site, number);

	*text = address == 0 ? "" : elf_string(elf, address);
	return *text != NULL;
}

/* Everything that a site has before its first call; relocations are done. */
static bool
read_site(struct elf *elf, const unsigned char *at, struct lpk__place *place)
{
	unsigned int line = AT_LINE(elf_word_bytes(elf)), i;
	struct lpk_site site = {.format = ""};

	memset(place, 0, sizeof(*place));
	for (i = WORD_STATE; i < WORD_PLAN; i++) {
		if (member(elf, at, i) != 0)
			return false;
	}
	if (member(elf, at, WORD_NEXT) != 0 ||
	    member(elf, at, WORD_FILE) == 0 ||
	    !string(elf, at, WORD_FORMAT, &place->format) ||
	    !string(elf, at, WORD_PREFIX, &place->prefix) ||
	    !string(elf, at, WORD_SUBSYSTEM, &place->subsystem) ||
	    !string(elf, at, WORD_FILE, &place->file) ||
	    !string(elf, at, WORD_FUNCTION, &place->function))
		return false;
	memcpy(&place->line, at + line, sizeof(place->line));
	site.format = place->format;
	site.level = at[line + 4];
	site.flags = place->flags = at[line + 5];
	place->level = (uint8_t)lpk__site_level(&site);
	return site.level <= LPK_DEBUG &&
	    site.flags <= (LPK_SITE_KERN | LPK_SITE_CONT | LPK_SITE_OPEN);
}

/* Those of a segment; relocated by the first mark that is found. */
static const char *
scan_segment(struct elf *elf, unsigned int number, bool *relocated,
    found_fn *tell, void *list)
{
	const struct elf_segment *segment = &elf->segments[number];
	unsigned int word = elf_word_bytes(elf);
	const unsigned char *memory = elf_segment_memory(elf, number);
	struct found found = {.elf = elf};
	const char *wrong;
	uint64_t at;

	if (memory == NULL)
		return "cannot be read";
	for (at = -segment->address & (word - 1);
	     at < segment->bytes && segment->bytes - at >= SITE_BYTES(word);
	     at += word) {
		if (!has_mark(elf, memory + at))
			continue;
		if (!*relocated) {
			wrong = elf_relocate(elf);
			if (wrong != NULL)
				return wrong;
			*relocated = true;
		}
		if (!read_site(elf, memory + at, &found.place))
			continue;
		found.address = segment->address + at;
		found.offset = segment->offset + at;
		found.file = member(elf, memory + at, WORD_FILE);
		tell(list, &found);
	}
	return NULL;
}

/* Returns NULL, or what is wrong. */
static const char *
scan(const struct source *source, found_fn *tell, void *list)
{
	static struct elf elf;
	const char *wrong = elf_open(&elf, source);
	bool relocated = false;
	unsigned int i;

	for (i = 0; i < elf.count && wrong == NULL; i++) {
		if (elf.segments[i].writable)
			wrong = scan_segment(&elf, i, &relocated, tell, list);
	}
	elf_close(&elf);
	return wrong;
}

static void
add_found(void *list, const struct found *found)
{
	site_list_add(list, &found->place, SITE_UNASKED);
}

bool
sites_of_binary(struct site_list *list, const struct source *source)
{
	const char *wrong;

	site_list_module(list, source->name);
	wrong = scan(source, add_found, list);
	if (wrong != NULL) {
		complain("%s: %s", source->name, wrong);
		list->partial = true;
	} else if (list->count == 0) {
		complain("%s: no calls of lpk are in it", source->name);
	}
	return wrong == NULL || list->count != 0;
}

/* ---- a process ---- */

/* A line of /proc/PID/maps with a file. */
struct mapping {
	uint64_t begin, end;
	uint64_t offset;
	dev_t device;
	ino_t inode;
	bool writable;
	bool code;
	bool done;
	char path[512];
};

struct process {
	struct site_list *list;
	pid_t pid;
	int memory; /* descriptor; negative: may not be read */
	struct mapping *mappings;
	size_t count;
	size_t room;
	const struct mapping *module; /* that is being scanned */
};

static bool
parse_mapping(struct mapping *mapping, char *line)
{
	unsigned int major_number, minor_number;
	unsigned long inode;
	char rights[8];
	int path = 0;

	memset(mapping, 0, sizeof(*mapping));
	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %lu %n",
		&mapping->begin, &mapping->end, rights, &mapping->offset,
		&major_number, &minor_number, &inode, &path) < 7 ||
	    inode == 0 || line[path] != '/')
		return false;
	mapping->device = makedev(major_number, minor_number);
	mapping->inode = inode;
	mapping->writable = strchr(rights, 'w') != NULL;
	mapping->code = strchr(rights, 'x') != NULL;
	snprintf(mapping->path, sizeof(mapping->path), "%s", line + path);
	return true;
}

static bool
read_mappings(struct process *process)
{
	struct mapping mapping, *more;
	char *line = NULL, path[64];
	size_t bytes = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)process->pid);
	maps = fopen(path, "re");
	if (maps == NULL)
		return false;
	while (getline(&line, &bytes, maps) > 0) {
		if (!parse_mapping(&mapping, line))
			continue;
		if (process->count == process->room) {
			size_t room = 2 * process->room + 64;

			more = realloc(process->mappings, room * sizeof(*more));
			if (more == NULL)
				break;
			process->mappings = more;
			process->room = room;
		}
		process->mappings[process->count++] = mapping;
	}
	free(line);
	fclose(maps);
	return process->count != 0;
}

static bool
same_file(const struct mapping *a, const struct mapping *b)
{
	return a->inode == b->inode && a->device == b->device;
}

/*
 * The file that is mapped, not one that took its name since. The kernel's link
 * to it takes more rights than its name does. The number of the device is not
 * compared: overlay and btrfs show others in maps than to stat(2).
 */
static int
open_mapped(const struct process *process, const struct mapping *mapping,
    uint64_t *bytes)
{
	char path[3][600];
	struct stat status;
	int i, fd;

	snprintf(path[0], sizeof(path[0]),
	    "/proc/%ld/map_files/%" PRIx64 "-%" PRIx64, (long)process->pid,
	    mapping->begin, mapping->end);
	snprintf(path[1], sizeof(path[1]), "/proc/%ld/root%s",
	    (long)process->pid, mapping->path);
	snprintf(path[2], sizeof(path[2]), "/proc/%ld/exe", (long)process->pid);
	for (i = 0; i < 3; i++) {
		/* Not open(2) at once: of a device that has effects. */
		if (stat(path[i], &status) != 0 || !S_ISREG(status.st_mode) ||
		    status.st_ino != mapping->inode)
			continue;
		fd = open(path[i], O_RDONLY | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			continue;
		*bytes = (uint64_t)status.st_size;
		return fd;
	}
	return -1;
}

/*
 * The state of a site at an address of the process. That it is this site is
 * seen by its pointers, which the process has moved as far as the site.
 */
static enum site_state
read_state(
    const struct process *process, const struct found *found, uint64_t address)
{
	unsigned int word = elf_word_bytes(found->elf);
	uint64_t mask = found->elf->wide ? UINT64_MAX : UINT32_MAX;
	unsigned char site[SITE_BYTES_MAX];
	uint32_t line;

	if (pread(process->memory, site, SITE_BYTES(word), (off_t)address) !=
	    (ssize_t)SITE_BYTES(word))
		return SITE_UNKNOWN;
	memcpy(&line, site + AT_LINE(word), sizeof(line));
	if (((member(found->elf, site, WORD_FILE) - found->file) & mask) !=
		((address - found->address) & mask) ||
	    line != found->place.line)
		return SITE_UNKNOWN;
	switch (member(found->elf, site, WORD_STATE)) {
	case LPK_SITE_NEW:
	case LPK__SITE_LISTED:
		return SITE_NEW;
	case LPK_SITE_OFF:
		return SITE_OFF;
	case LPK_SITE_ON:
		return SITE_ON;
	default:
		return SITE_UNKNOWN;
	}
}

/* Wherever its file is mapped to be written: dlmopen(3) may do so twice. */
static void
add_living(void *list, const struct found *found)
{
	struct process *process = list;
	enum site_state best = SITE_UNKNOWN, state;
	const struct mapping *mapping;
	size_t i;

	for (i = 0; i < process->count && process->memory >= 0; i++) {
		mapping = &process->mappings[i];
		if (!mapping->writable ||
		    !same_file(mapping, process->module) ||
		    found->offset < mapping->offset ||
		    found->offset - mapping->offset >=
			mapping->end - mapping->begin)
			continue;
		state = read_state(process, found,
		    mapping->begin + (found->offset - mapping->offset));
		best = state > best ? state : best;
	}
	if (best == SITE_UNKNOWN)
		process->list->partial = true;
	site_list_add(process->list, &found->place, best);
}

static void
add_module(struct process *process, const struct mapping *mapping)
{
	struct source source = {.fd = -1};
	const char *wrong = "gone, or another file by now";
	struct site_list *list = process->list;
	unsigned int modules = list->modules_count;
	size_t before = list->count;

	source.fd = open_mapped(process, mapping, &source.bytes);
	if (source.fd >= 0) {
		process->module = mapping;
		site_list_module(list, mapping->path);
		wrong = elf_kind(&source) < 0 ?
		    NULL :
		    scan(&source, add_living, process);
		close(source.fd);
		if (list->count == before && list->modules_count > modules)
			free(list->modules[--list->modules_count]);
	} else if (strncmp(mapping->path, "/memfd:", 7) == 0 ||
	    strncmp(mapping->path, "/dev/", 5) == 0) {
		return;
	}
	if (wrong != NULL) {
		complain("process %ld: %s: %s", (long)process->pid,
		    mapping->path, wrong);
		list->partial = true;
	}
}

/* Each file once, of those that hold code. */
static void
add_modules(struct process *process)
{
	struct mapping *mapping, *other;
	size_t i, j;

	for (i = 0; i < process->count; i++) {
		mapping = &process->mappings[i];
		if (!mapping->code || mapping->done)
			continue;
		for (j = i; j < process->count; j++) {
			other = &process->mappings[j];
			other->done |= same_file(mapping, other);
		}
		add_module(process, mapping);
	}
}

bool
sites_of_process(struct site_list *list, pid_t pid)
{
	struct process process = {.list = list, .pid = pid};
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	if (pid <= 0 || access(path, F_OK) != 0) {
		complain("process %ld: there is none", (long)pid);
		return false;
	}
	errno = 0;
	if (!read_mappings(&process)) {
		complain("process %ld: %s", (long)pid,
		    errno != 0 ? strerror(errno) : "it has no memory");
		return false;
	}
	snprintf(path, sizeof(path), "/proc/%ld/mem", (long)pid);
	process.memory = open(path, O_RDONLY | O_CLOEXEC);
	if (process.memory < 0)
		complain("process %ld: its memory may not be read, so that it "
			 "is not known which calls are on: %s",
		    (long)pid, strerror(errno));
	add_modules(&process);
	if (list->count == 0 && !list->partial)
		complain("process %ld: no calls of lpk are in it", (long)pid);
	if (process.memory >= 0)
		close(process.memory);
	free(process.mappings);
	return true;
}
