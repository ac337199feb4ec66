/* SPDX-License-Identifier: MIT */
/*
 * Programs that `lpk sites` lists the calls of: made by hand, in both widths,
 * with every kind of pointer; cut short, and changed at random.
 *
 * LPK_SEED gives a run's seed back, LPK_FUZZ_COUNT sets how many files with
 * changes are read.
 */
#include "fixture.h"

#include <elf.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lpk/printk.h>

#include "tools/elf.h"
#include "tools/sites.h"
#include "tools/tool.h"

#define DEFAULT_COUNT 20000
#define FILE_BYTES 0x700u
#define DATA 0x600u   /* the site, in the file */
#define MOVED 0x1000u /* of the data's addresses against the file */
#define STRINGS 0x500u

static char said[512];

void
complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
}

/* A file in the making; wide is 64 bits. */
struct program {
	unsigned char bytes[FILE_BYTES];
	bool wide;
	unsigned int word;
	int fd;
};

static void
put(struct program *program, size_t at, unsigned int bytes, uint64_t value)
{
	uint32_t value32 = (uint32_t)value;
	uint16_t value16 = (uint16_t)value;

	if (bytes == 8)
		memcpy(program->bytes + at, &value, 8);
	else if (bytes == 4)
		memcpy(program->bytes + at, &value32, 4);
	else
		memcpy(program->bytes + at, &value16, 2);
}

static void
put_header(struct program *program, unsigned int machine)
{
	static const uint16_t endian = 1;
	unsigned char *ident = program->bytes;

	memcpy(ident, ELFMAG, SELFMAG);
	ident[EI_CLASS] = program->wide ? ELFCLASS64 : ELFCLASS32;
	ident[EI_DATA] =
	    *(const unsigned char *)&endian != 0 ? ELFDATA2LSB : ELFDATA2MSB;
	put(program, 16, 2, ET_DYN);
	put(program, 18, 2, machine);
	/* e_phoff, e_phentsize, e_phnum */
	put(program, program->wide ? 32 : 28, program->word, 64);
	put(program, program->wide ? 54 : 42, 2, program->wide ? 56 : 32);
	put(program, program->wide ? 56 : 44, 2, 3);
}

static void
put_segment(struct program *program, unsigned int number, uint32_t type,
    uint32_t flags, uint64_t at, uint64_t address, uint64_t bytes)
{
	unsigned int word = program->word;
	size_t to = 64 + number * (program->wide ? 56 : 32);

	put(program, to, 4, type);
	put(program, to + (program->wide ? 4 : 24), 4, flags);
	to += program->wide ? 8 : 4;
	put(program, to, word, at);
	put(program, to + word, word, address);
	put(program, to + 3 * word, word, bytes);
}

/* What is at a pointer of the site, of which the first is 0. */
static size_t
pointer_at(const struct program *program, unsigned int number)
{
	return DATA + 4 * program->word + 16 + number * program->word;
}

static void
put_site(struct program *program)
{
	size_t mark = DATA + 3 * program->word, line = pointer_at(program, 5);

	if (program->wide) {
		put(program, mark, 8,
		    LPK__SITE_MARK_0 | (uint64_t)LPK__SITE_MARK_1 << 32);
		put(program, mark + 8, 8,
		    LPK__SITE_MARK_2 | (uint64_t)LPK__SITE_MARK_3 << 32);
	} else {
		put(program, mark, 4, LPK__SITE_MARK_0);
		put(program, mark + 4, 4, LPK__SITE_MARK_1);
		put(program, mark + 8, 4, LPK__SITE_MARK_2);
		put(program, mark + 12, 4, LPK__SITE_MARK_3);
	}
	put(program, line, 4, 42);
	program->bytes[line + 4] = LPK_WARN;
}

#define STRING_BYTES 16
static const char strings[5][STRING_BYTES] = {
    "format %d", "prefix", "subsystem", "file.c", "function"};

static void
put_dynamic(
    struct program *program, unsigned int entry, uint64_t tag, uint64_t value)
{
	size_t at = 0x120 + entry * 2 * program->word;

	put(program, at, program->word, tag);
	put(program, at + program->word, program->word, value);
}

/* With addends for 64 bits; in place for 32, as x86 has them. */
static void
put_relocation(struct program *program, unsigned int number, uint32_t kind,
    uint32_t symbol, uint64_t addend)
{
	unsigned int word = program->word;
	size_t place = pointer_at(program, number);
	size_t at = 0x200 + number * (program->wide ? 3 : 2) * word;

	put(program, at, word, place + MOVED);
	put(program, at + word, word,
	    program->wide ? (uint64_t)symbol << 32 | kind :
			    (uint64_t)(symbol << 8 | kind));
	if (program->wide)
		put(program, at + 2 * word, word, addend);
	else
		put(program, place, word, addend);
}

/* The third pointer is by a symbol, the others are relative. */
static void
make(struct program *program, bool wide)
{
	size_t symbol = 0x300 + (wide ? 24 : 16);
	unsigned int i;

	memset(program, 0, sizeof(*program));
	program->wide = wide;
	program->word = wide ? 8 : 4;
	put_header(program, wide ? EM_X86_64 : EM_386);
	put_segment(program, 0, PT_LOAD, PF_R, 0, 0, DATA);
	put_segment(program, 1, PT_LOAD, PF_R | PF_W, DATA, DATA + MOVED,
	    FILE_BYTES - DATA);
	put_segment(
	    program, 2, PT_DYNAMIC, PF_R, 0x120, 0x120, 8 * program->word);
	put_dynamic(program, 0, wide ? DT_RELA : DT_REL, 0x200);
	put_dynamic(program, 1, wide ? DT_RELASZ : DT_RELSZ,
	    5 * (wide ? 3u : 2u) * program->word);
	put_dynamic(program, 2, DT_SYMTAB, 0x300);
	put(program, symbol + (wide ? 6 : 14), 2, 7);
	put(program, symbol + (wide ? 8 : 4), program->word,
	    STRINGS + STRING_BYTES);
	memcpy(program->bytes + STRINGS, strings, sizeof(strings));
	put_site(program);
	for (i = 0; i < 5; i++)
		put_relocation(program, i,
		    i == 2 ? R_X86_64_64 : R_X86_64_RELATIVE, i == 2,
		    i == 2 ? STRING_BYTES : STRINGS + i * STRING_BYTES);
	program->fd = memfd_create("program", MFD_CLOEXEC);
	assert_true(program->fd >= 0);
}

static bool
list(struct program *program, struct site_list *sites, size_t bytes)
{
	struct source source = {.fd = program->fd, .bytes = bytes};

	memset(sites, 0, sizeof(*sites));
	said[0] = '\0';
	assert_int_equal(
	    pwrite(program->fd, program->bytes, FILE_BYTES, 0), FILE_BYTES);
	assert_int_equal(ftruncate(program->fd, (off_t)bytes), 0);
	snprintf(source.name, sizeof(source.name), "program");
	return sites_of_binary(sites, &source);
}

static void
assert_listed(const struct site_list *sites)
{
	const struct lpk__place *place = &sites->sites[0].place;

	assert_int_equal(sites->count, 1);
	assert_string_equal(place->format, strings[0]);
	assert_string_equal(place->prefix, strings[1]);
	assert_string_equal(place->subsystem, strings[2]);
	assert_string_equal(place->file, strings[3]);
	assert_string_equal(place->function, strings[4]);
	assert_int_equal(place->line, 42);
	assert_int_equal(place->level, LPK_WARN);
}

static void
test_elf_of_each_width_is_listed(void **state)
{
	struct program program;
	struct site_list sites;
	int wide;

	(void)state;
	for (wide = 0; wide < 2; wide++) {
		make(&program, wide);
		assert_true(list(&program, &sites, FILE_BYTES));
		assert_listed(&sites);
		site_list_free(&sites);
		close(program.fd);
	}
}

static void
test_elf_not_relocated_at_run_time_is_listed(void **state)
{
	struct program program;
	struct site_list sites;
	unsigned int i;
	int wide;

	(void)state;
	for (wide = 0; wide < 2; wide++) {
		make(&program, wide);
		put(&program, 16, 2, ET_EXEC);
		put(&program, 18, 2, 0x7777);
		memset(program.bytes + 0x120, 0, 8 * program.word);
		for (i = 0; i < 5; i++)
			put(&program, pointer_at(&program, i), program.word,
			    STRINGS + i * STRING_BYTES);
		assert_true(list(&program, &sites, FILE_BYTES));
		assert_listed(&sites);
		site_list_free(&sites);
		close(program.fd);
	}
}

static void
test_elf_symbol_of_another_file_leaves_it_out(void **state)
{
	struct program program;
	struct site_list sites;

	(void)state;
	make(&program, true);
	put(&program, 0x300 + 24 + 6, 2, SHN_UNDEF);
	assert_true(list(&program, &sites, FILE_BYTES));
	assert_int_equal(sites.count, 1);
	assert_string_equal(sites.sites[0].place.subsystem, "");
	assert_string_equal(sites.sites[0].place.file, strings[3]);
	site_list_free(&sites);
	close(program.fd);
}

static void
test_elf_that_cannot_be_listed_says_why(void **state)
{
	struct program program;
	struct site_list sites;

	(void)state;
	make(&program, true);
	put(&program, 16, 2, ET_REL);
	assert_false(list(&program, &sites, FILE_BYTES));
	assert_non_null(strstr(said, "neither an executable file"));
	site_list_free(&sites);
	put(&program, 16, 2, ET_DYN);
	put(&program, 18, 2, 0x7777);
	assert_false(list(&program, &sites, FILE_BYTES));
	assert_non_null(strstr(said, "machine"));
	site_list_free(&sites);
	program.bytes[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	assert_false(list(&program, &sites, FILE_BYTES));
	assert_non_null(strstr(said, "byte order"));
	site_list_free(&sites);
	close(program.fd);
}

static void
test_elf_cut_short_lists_nothing(void **state)
{
	struct program program;
	struct site_list sites;
	size_t bytes;
	int wide;

	(void)state;
	for (wide = 0; wide < 2; wide++) {
		make(&program, wide);
		for (bytes = 0; bytes < FILE_BYTES; bytes++) {
			assert_false(list(&program, &sites, bytes));
			assert_int_equal(sites.count, 0);
			assert_true(said[0] != '\0');
			site_list_free(&sites);
		}
		close(program.fd);
	}
}

/* Where a change has an effect: headers, tables, strings, the site. */
static size_t
place_to_change(uint64_t *seed)
{
	static const struct {
		unsigned int from, bytes;
	} parts[] = {{0, 64}, {64, 168}, {0x120, 64}, {0x200, 120}, {0x300, 48},
	    {STRINGS, 80}, {DATA, 96}};
	size_t part = test_random(seed) % 7;

	return parts[part].from + test_random(seed) % parts[part].bytes;
}

static void
test_elf_changed_at_random_is_survived(void **state)
{
	const char *text = getenv("LPK_FUZZ_COUNT");
	unsigned long left =
	    text != NULL ? strtoul(text, NULL, 0) : DEFAULT_COUNT;
	unsigned long listed = 0, refused = 0;
	uint64_t seed = test_seed();
	struct program original[2], changed;
	struct site_list sites;
	unsigned int edits;
	size_t at;
	FILE *null = fopen("/dev/null", "w");

	(void)state;
	assert_non_null(null);
	make(&original[0], false);
	make(&original[1], true);
	for (; left != 0; left--) {
		changed = original[left & 1];
		for (edits = 1 + test_random(&seed) % 4; edits != 0; edits--)
			changed.bytes[place_to_change(&seed)] =
			    (unsigned char)(test_random(&seed) % 3 == 0 ?
				    0xff :
				    test_random(&seed));
		if (list(&changed, &sites, FILE_BYTES))
			listed++;
		else
			refused++;
		site_list_sort(&sites);
		for (at = 0; at < sites.count; at++) {
			const struct lpk__place *place = &sites.sites[at].place;

			fprintf(null, "%s%s%s%s%s", place->format,
			    place->prefix, place->subsystem, place->file,
			    place->function);
		}
		site_list_free(&sites);
	}
	fclose(null);
	printf("%lu listed, %lu refused\n", listed, refused);
	assert_true(listed != 0 && refused != 0);
	close(original[0].fd);
	close(original[1].fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_elf_of_each_width_is_listed),
	    cmocka_unit_test(test_elf_not_relocated_at_run_time_is_listed),
	    cmocka_unit_test(test_elf_symbol_of_another_file_leaves_it_out),
	    cmocka_unit_test(test_elf_that_cannot_be_listed_says_why),
	    cmocka_unit_test(test_elf_cut_short_lists_nothing),
	    cmocka_unit_test(test_elf_changed_at_random_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
