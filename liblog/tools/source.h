/* SPDX-License-Identifier: MIT */
/*
 * source.h - where the bytes of an image come from: a file, the memory of a
 * process, a core file. They are read by pread(2) alone, so that nothing that
 * happens to the file harms the reader.
 */
#ifndef LPK_TOOLS_SOURCE_H
#define LPK_TOOLS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct source {
	char name[256]; /* for messages */
	int fd;
	uint64_t base;  /* of the image in the file */
	uint64_t bytes; /* from there on */
	pid_t pid;      /* that it was asked of; 0: none */
	bool dead;      /* what a core file shows does not change */
};

/* Several images may be in one process or core file. */
#define SOURCES_MAX 64
struct sources {
	struct source source[SOURCES_MAX];
	unsigned int count;
	bool partial; /* some could not be taken */
};

/* Read bytes of an image; fewer when it ends before. */
size_t source_read(
    const struct source *source, uint64_t at, void *to, size_t bytes);

/* Is there the magic of an image? */
bool source_has_magic(const struct source *source);

/*
 * Open an image, and add what is found. They say what is wrong on standard
 * error and return false. A file that is a core file is taken as one.
 */
bool source_add_file(struct sources *sources, const char *path);
bool source_add_core(struct sources *sources, const char *path);
bool source_add_pid(struct sources *sources, pid_t pid);

/* Shared by the three: add one; the descriptor is taken over. */
bool source_add(struct sources *sources, const char *name, int fd,
    uint64_t base, uint64_t bytes);

#endif /* LPK_TOOLS_SOURCE_H */
