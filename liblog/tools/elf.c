/* SPDX-License-Identifier: MIT */
/*
 * elf.c - reading executable files and shared objects.
 *
 * Headers of both widths are brought into the wide form once they are read.
 * Section headers are not looked at: a program runs without them.
 */
#include "elf.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* More than any program loads, and less than harms the machine. */
#define LOADED_MAX (UINT64_C(1) << 32)
#define STRING_MAX 65536u

/* ---- headers ---- */

static bool
is_ours(const unsigned char *ident)
{
	uint16_t one = 1;
	unsigned char low;

	memcpy(&low, &one, 1);
	return memcmp(ident, ELFMAG, SELFMAG) == 0 &&
	    ident[EI_DATA] == (low ? ELFDATA2LSB : ELFDATA2MSB) &&
	    (ident[EI_CLASS] == ELFCLASS32 || ident[EI_CLASS] == ELFCLASS64);
}

int
elf_kind(const struct source *source)
{
	unsigned char ident[EI_NIDENT + 2];
	uint16_t type;

	if (source_read(source, 0, ident, sizeof(ident)) != sizeof(ident) ||
	    memcmp(ident, ELFMAG, SELFMAG) != 0)
		return -1;
	/* e_type is at the same place in both widths. */
	memcpy(&type, ident + EI_NIDENT, sizeof(type));
	return is_ours(ident) ? type : ET_NONE;
}

static bool
read_header(struct elf *elf, Elf64_Ehdr *header)
{
	Elf32_Ehdr narrow;

	if (source_read(&elf->source, 0, &narrow, sizeof(narrow)) !=
		sizeof(narrow) ||
	    !is_ours(narrow.e_ident))
		return false;
	elf->wide = narrow.e_ident[EI_CLASS] == ELFCLASS64;
	if (elf->wide)
		return source_read(&elf->source, 0, header, sizeof(*header)) ==
		    sizeof(*header);
	header->e_type = narrow.e_type;
	header->e_machine = narrow.e_machine;
	header->e_phoff = narrow.e_phoff;
	header->e_phentsize = narrow.e_phentsize;
	header->e_phnum = narrow.e_phnum;
	return true;
}

static bool
read_program(const struct elf *elf, uint64_t at, Elf64_Phdr *program)
{
	Elf32_Phdr narrow;

	if (elf->wide)
		return source_read(&elf->source, at, program,
			   sizeof(*program)) == sizeof(*program);
	if (source_read(&elf->source, at, &narrow, sizeof(narrow)) !=
	    sizeof(narrow))
		return false;
	program->p_type = narrow.p_type;
	program->p_flags = narrow.p_flags;
	program->p_offset = narrow.p_offset;
	program->p_vaddr = narrow.p_vaddr;
	program->p_filesz = narrow.p_filesz;
	return true;
}

static const char *
add_program(struct elf *elf, const Elf64_Phdr *program, uint64_t *loaded)
{
	struct elf_segment *segment = &elf->segments[elf->count];

	if (program->p_type == PT_DYNAMIC) {
		elf->dynamic = program->p_vaddr;
		elf->dynamic_bytes = program->p_filesz;
	}
	if (program->p_type != PT_LOAD || program->p_filesz == 0)
		return NULL;
	if (program->p_offset > elf->source.bytes ||
	    program->p_filesz > elf->source.bytes - program->p_offset)
		return "cut short";
	if (program->p_vaddr > UINT64_MAX - program->p_filesz)
		return "damaged";
	*loaded += program->p_filesz;
	if (elf->count == ELF_SEGMENTS_MAX || *loaded > LOADED_MAX)
		return "too large";
	segment->address = program->p_vaddr;
	segment->offset = program->p_offset;
	segment->bytes = program->p_filesz;
	segment->writable = (program->p_flags & PF_W) != 0;
	elf->count++;
	return NULL;
}

const char *
elf_open(struct elf *elf, const struct source *source)
{
	const char *wrong = NULL;
	uint64_t loaded = 0;
	Elf64_Ehdr header;
	Elf64_Phdr program;
	unsigned int i;

	memset(elf, 0, sizeof(*elf));
	elf->source = *source;
	if (!read_header(elf, &header))
		return "not an ELF file of this byte order";
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return "neither an executable file nor a shared object";
	elf->machine = header.e_machine;
	if (header.e_phentsize !=
	    (elf->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return "damaged";
	for (i = 0; i < header.e_phnum && wrong == NULL; i++) {
		if (header.e_phoff > elf->source.bytes ||
		    !read_program(elf,
			header.e_phoff + (uint64_t)i * header.e_phentsize,
			&program))
			return "cut short";
		wrong = add_program(elf, &program, &loaded);
	}
	return wrong;
}

void
elf_close(struct elf *elf)
{
	unsigned int i;

	for (i = 0; i < elf->count; i++)
		free(elf->segments[i].memory);
	elf->count = 0;
}

/* ---- memory ---- */

unsigned char *
elf_segment_memory(struct elf *elf, unsigned int number)
{
	struct elf_segment *segment = &elf->segments[number];

	if (segment->memory != NULL || segment->bad)
		return segment->memory;
	segment->memory = malloc((size_t)segment->bytes);
	if (segment->memory != NULL &&
	    source_read(&elf->source, segment->offset, segment->memory,
		(size_t)segment->bytes) != segment->bytes) {
		free(segment->memory);
		segment->memory = NULL;
	}
	segment->bad = segment->memory == NULL;
	return segment->memory;
}

/* What is there, and how many bytes of it; NULL: nothing. */
static unsigned char *
find(struct elf *elf, uint64_t address, uint64_t *left)
{
	unsigned char *memory;
	unsigned int i;

	for (i = 0; i < elf->count; i++) {
		uint64_t at = address - elf->segments[i].address;

		if (address < elf->segments[i].address ||
		    at >= elf->segments[i].bytes)
			continue;
		memory = elf_segment_memory(elf, i);
		*left = elf->segments[i].bytes - at;
		return memory != NULL ? memory + at : NULL;
	}
	return NULL;
}

unsigned char *
elf_at(struct elf *elf, uint64_t address, uint64_t bytes)
{
	uint64_t left;
	unsigned char *at = find(elf, address, &left);

	return at != NULL && bytes <= left ? at : NULL;
}

const char *
elf_string(struct elf *elf, uint64_t address)
{
	uint64_t left;
	unsigned char *at = find(elf, address, &left);

	if (at == NULL)
		return NULL;
	if (left > STRING_MAX)
		left = STRING_MAX;
	return memchr(at, '\0', (size_t)left) != NULL ? (const char *)at : NULL;
}

uint64_t
elf_word(const struct elf *elf, const unsigned char *at)
{
	uint64_t wide;
	uint32_t narrow;

	if (elf->wide) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return narrow;
}

static void
put_word(struct elf *elf, uint64_t address, uint64_t word)
{
	unsigned char *at = elf_at(elf, address, elf_word_bytes(elf));
	uint32_t narrow = (uint32_t)word;

	if (at != NULL && elf->wide)
		memcpy(at, &word, sizeof(word));
	else if (at != NULL)
		memcpy(at, &narrow, sizeof(narrow));
}

/* ---- relocations ---- */

/* Of all kinds only those that pointers in data have. */
static const struct machine {
	unsigned int machine;
	bool wide;
	unsigned int relative;
	unsigned int absolute;
} machines[] = {
    {EM_X86_64, true, R_X86_64_RELATIVE, R_X86_64_64},
    {EM_X86_64, false, R_X86_64_RELATIVE, R_X86_64_32},
    {EM_386, false, R_386_RELATIVE, R_386_32},
    {EM_AARCH64, true, R_AARCH64_RELATIVE, R_AARCH64_ABS64},
    {EM_ARM, false, R_ARM_RELATIVE, R_ARM_ABS32},
    {EM_RISCV, true, R_RISCV_RELATIVE, R_RISCV_64},
    {EM_RISCV, false, R_RISCV_RELATIVE, R_RISCV_32},
    {EM_PPC64, true, R_PPC64_RELATIVE, R_PPC64_ADDR64},
    {EM_PPC, false, R_PPC_RELATIVE, R_PPC_ADDR32},
    {EM_S390, true, R_390_RELATIVE, R_390_64},
};
#define MACHINES (sizeof(machines) / sizeof(*machines))

static const struct machine *
machine_of(const struct elf *elf)
{
	size_t i;

	for (i = 0; i < MACHINES; i++) {
		if (machines[i].machine == elf->machine &&
		    machines[i].wide == elf->wide)
			return &machines[i];
	}
	return NULL;
}

/* What the dynamic section says. */
struct dynamic {
	uint64_t rela, rela_bytes;
	uint64_t rel, rel_bytes;
	uint64_t symbols;
};

static void
read_dynamic(struct elf *elf, struct dynamic *dynamic)
{
	unsigned int word = elf_word_bytes(elf);
	uint64_t at, value;
	unsigned char *entry;

	memset(dynamic, 0, sizeof(*dynamic));
	for (at = 0; at < elf->dynamic_bytes; at += 2 * word) {
		entry = elf_at(elf, elf->dynamic + at, 2 * word);
		if (entry == NULL || elf_word(elf, entry) == DT_NULL)
			break;
		value = elf_word(elf, entry + word);
		switch (elf_word(elf, entry)) {
		case DT_RELA:
			dynamic->rela = value;
			break;
		case DT_RELASZ:
			dynamic->rela_bytes = value;
			break;
		case DT_REL:
			dynamic->rel = value;
			break;
		case DT_RELSZ:
			dynamic->rel_bytes = value;
			break;
		case DT_SYMTAB:
			dynamic->symbols = value;
			break;
		default:
			break;
		}
	}
}

/* Where a symbol is; false when that is in another file. */
static bool
symbol_find(struct elf *elf, uint64_t symbols, uint64_t number, uint64_t *value)
{
	size_t bytes = elf->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	unsigned char *at = elf_at(elf, symbols + number * bytes, bytes);
	Elf64_Sym wide;
	Elf32_Sym narrow;

	if (at == NULL)
		return false;
	if (elf->wide) {
		memcpy(&wide, at, sizeof(wide));
		*value = wide.st_value;
		return wide.st_shndx != SHN_UNDEF;
	}
	memcpy(&narrow, at, sizeof(narrow));
	*value = narrow.st_value;
	return narrow.st_shndx != SHN_UNDEF;
}

/* A table of relocations, with addends or with these in their places. */
static const char *
relocate_table(struct elf *elf, const struct dynamic *dynamic, bool addends)
{
	const struct machine *machine = machine_of(elf);
	unsigned int word = elf_word_bytes(elf);
	uint64_t bytes = addends ? dynamic->rela_bytes : dynamic->rel_bytes;
	uint64_t step = addends ? 3 * word : 2 * word, at;
	unsigned char *table, *target;

	if (bytes < step)
		return NULL;
	if (machine == NULL)
		return "for a machine that is not known here";
	table = elf_at(elf, addends ? dynamic->rela : dynamic->rel, bytes);
	if (table == NULL)
		return "damaged: its relocations are not there";
	for (at = 0; bytes - at >= step; at += step) {
		uint64_t offset = elf_word(elf, table + at), value;
		uint64_t info = elf_word(elf, table + at + word), addend;
		uint64_t kind = elf->wide ? info & UINT32_MAX : info & 0xff;

		if (kind != machine->relative && kind != machine->absolute)
			continue;
		target = elf_at(elf, offset, word);
		if (target == NULL)
			continue;
		addend =
		    elf_word(elf, addends ? table + at + 2 * word : target);
		if (kind == machine->relative)
			put_word(elf, offset, addend);
		else if (symbol_find(elf, dynamic->symbols,
			     info >> (elf->wide ? 32 : 8), &value))
			put_word(elf, offset, value + addend);
	}
	return NULL;
}

/*
 * Of packed relative relocations (DT_RELR) nothing is to be done: what they
 * find in place is the address already, as this memory begins at 0.
 */
const char *
elf_relocate(struct elf *elf)
{
	struct dynamic dynamic;
	const char *wrong;

	read_dynamic(elf, &dynamic);
	wrong = relocate_table(elf, &dynamic, true);
	return wrong != NULL ? wrong : relocate_table(elf, &dynamic, false);
}
