/* SPDX-License-Identifier: MIT */
/*
 * elf.h - the memory of a program as its executable file or shared object
 * describes it: what is loaded where, after the relocations that need no other
 * file. 32 and 64 bits, in the byte order of this machine. Sections and symbols
 * may have been stripped. No byte of the file is trusted.
 */
#ifndef LPK_TOOLS_ELF_H
#define LPK_TOOLS_ELF_H

#include "source.h"

struct elf_segment {
	uint64_t address;
	uint64_t offset;       /* in the file */
	uint64_t bytes;        /* that are in the file */
	unsigned char *memory; /* NULL: not read yet */
	bool writable;
	bool bad; /* cannot be read */
};

#define ELF_SEGMENTS_MAX 32

struct elf {
	struct source source;
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	unsigned int count;
	unsigned int machine;
	bool wide;        /* 64 bits */
	uint64_t dynamic; /* address of the dynamic section */
	uint64_t dynamic_bytes;
};

/* What a file is by its first bytes: ET_EXEC, ET_DYN, ...; negative: no ELF. */
int elf_kind(const struct source *source);

/*
 * Read what is loaded where; the memory is read when it is asked for. Returns
 * NULL, or what is wrong. The source stays the caller's.
 */
const char *elf_open(struct elf *elf, const struct source *source);

/* Apply the relocations. Returns NULL, or what is wrong. */
const char *elf_relocate(struct elf *elf);

/* So many bytes at an address; NULL when they are not all in the file. */
unsigned char *elf_at(struct elf *elf, uint64_t address, uint64_t bytes);

/* The string at an address; NULL when there is none. */
const char *elf_string(struct elf *elf, uint64_t address);

/* All of a segment, or NULL. */
unsigned char *elf_segment_memory(struct elf *elf, unsigned int segment);

/* Of a pointer in the file, and the pointer itself. */
static inline unsigned int
elf_word_bytes(const struct elf *elf)
{
	return elf->wide ? 8 : 4;
}
uint64_t elf_word(const struct elf *elf, const unsigned char *at);

void elf_close(struct elf *elf);

#endif /* LPK_TOOLS_ELF_H */
