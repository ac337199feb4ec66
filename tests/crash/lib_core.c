/* SPDX-License-Identifier: MIT */
/*
 * lib_core.c - what a core file says about the signal.
 */
#include "crash.h"

#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_SIGINFO 0x53494749

static bool
find_siginfo(const char *notes, size_t bytes, siginfo_t *info)
{
	size_t at = 0, name, description;
	ElfW(Nhdr) note;

	while (at + sizeof(note) <= bytes) {
		memcpy(&note, notes + at, sizeof(note));
		name = at + sizeof(note);
		description = name + ((note.n_namesz + 3u) & ~3u);
		at = description + ((note.n_descsz + 3u) & ~3u);
		if (at > bytes)
			return false;
		if (note.n_type == NOTE_SIGINFO &&
		    note.n_descsz >= sizeof(*info)) {
			memcpy(info, notes + description, sizeof(*info));
			return true;
		}
	}
	return false;
}

bool
core_read(const char *path, struct core_info *info)
{
	size_t bytes, i;
	char *core = read_whole(path, &bytes);
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;
	siginfo_t signal;
	bool found = false;

	if (core == NULL || bytes < sizeof(header)) {
		free(core);
		return false;
	}
	memcpy(&header, core, sizeof(header));
	for (i = 0; i < header.e_phnum && !found; i++) {
		size_t at = header.e_phoff + i * header.e_phentsize;

		if (at + sizeof(segment) > bytes)
			break;
		memcpy(&segment, core + at, sizeof(segment));
		found = segment.p_type == PT_NOTE &&
		    segment.p_offset + segment.p_filesz <= bytes &&
		    find_siginfo(
			core + segment.p_offset, segment.p_filesz, &signal);
	}
	free(core);
	if (!found)
		return false;
	info->signo = signal.si_signo;
	info->code = signal.si_code;
	info->address = (uint64_t)(uintptr_t)signal.si_addr;
	return true;
}
