/* SPDX-License-Identifier: MIT */
/*
 * session.c - who wrote a region: process, boot, program, and a number that no
 * other region has. Descriptors and numbers only, so that the child of a fork
 * may ask too.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "region.h"

/* The beginning of a small file of /proc, as a string. */
static bool
slurp(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t length;

	if (fd < 0)
		return false;
	length = read(fd, text, size - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* "pid (name) S ..."; a name may hold anything, so count from its end. */
static void
read_stat(struct lpk__session *session, unsigned int *threads)
{
	char text[1024];
	char *at;
	int field;

	*threads = 0;
	if (!slurp("/proc/self/stat", text, sizeof(text)))
		return;
	at = strrchr(text, ')');
	for (field = 2; at != NULL && field < 20; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return;
	*threads = (unsigned int)strtoul(at, &at, 10);
	strtol(at, &at, 10); /* itrealvalue */
	session->started = strtoull(at, NULL, 10);
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
read_boot(struct lpk__session *session)
{
	char text[64];
	const char *at = text;
	size_t i;

	if (!slurp("/proc/sys/kernel/random/boot_id", text, sizeof(text)))
		return;
	for (i = 0; i < 2 * sizeof(session->boot); at++) {
		int value = digit(*at);

		if (*at == '-')
			continue;
		if (value < 0)
			return;
		session->boot[i / 2] |=
		    (unsigned char)(i % 2 == 0 ? value << 4 : value);
		i++;
	}
}

static void
make_id(struct lpk__session *session)
{
	struct timespec now;
	uint64_t mix[2];

	if (getrandom(session->id, sizeof(session->id), GRND_NONBLOCK) ==
	    (ssize_t)sizeof(session->id))
		return;
	/* Before the system has random numbers: told apart by time and pid. */
	clock_gettime(CLOCK_REALTIME, &now);
	mix[0] = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	mix[1] = (uint64_t)session->pid << 32 ^ (uintptr_t)session;
	memcpy(session->id, mix, sizeof(mix));
}

/* The note of a program's linker; the loader is not asked. */
static void
note_build(struct lpk__session *session, const char *at, size_t bytes)
{
	while (bytes >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)at;
		size_t name = (note->n_namesz + 3u) & ~(size_t)3;
		size_t body = (note->n_descsz + 3u) & ~(size_t)3;
		size_t whole = sizeof(*note) + name + body;

		if (whole > bytes)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    note->n_descsz <= sizeof(session->build)) {
			session->build_bytes = note->n_descsz;
			memcpy(session->build, at + sizeof(*note) + name,
			    note->n_descsz);
			return;
		}
		at += whole;
		bytes -= whole;
	}
}

static void
read_build(struct lpk__session *session)
{
	uintptr_t base = 0, table = (uintptr_t)getauxval(AT_PHDR);
	const ElfW(Phdr) *header = (const void *)table;
	unsigned long count = getauxval(AT_PHNUM), i;
	bool placed = false;

	for (i = 0; header != NULL && i < count; i++) {
		if (header[i].p_type == PT_PHDR) {
			base = table - header[i].p_vaddr;
			placed = true;
		}
	}
	for (i = 0; placed && i < count; i++) {
		if (header[i].p_type == PT_NOTE && session->build_bytes == 0)
			note_build(session,
			    (const char *)(base + header[i].p_vaddr),
			    header[i].p_memsz);
	}
}

void
lpk__session_describe(struct lpk__session *session, unsigned int *threads)
{
	const char *name = program_invocation_short_name;
	unsigned int count;

	session->pid = (uint32_t)getpid();
	read_stat(session, threads != NULL ? threads : &count);
	make_id(session);
	if (session->program[0] != '\0')
		return;
	read_boot(session);
	read_build(session);
	if (name != NULL)
		memcpy(session->program, name,
		    strnlen(name, sizeof(session->program) - 1));
}
