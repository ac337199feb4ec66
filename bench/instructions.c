/* SPDX-License-Identifier: MIT */
/*
 * instructions.c - the paths whose instructions bench/instructions.sh counts.
 * Under `valgrind --tool=callgrind --toggle-collect=measured` one path is run
 * COUNT times, after a warm-up that is not counted. Instructions are the same
 * on a noisy machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lpk/printk.h>
#include <lpk/reader.h>

#include "lib_ticks.h"

#define MESSAGE "Logging int: %d, int: %lld, double: %f"
#define COUNT 10000
#define WARM_UP 8000

/* Writers go round this one, as they do in a program. */
LPK_LOG_DEFINE(ring, 65536, 4, 1);
/* Readers find here all that was written. */
LPK_LOG_DEFINE(kept, 65536, 64, 1);

static struct lpk_log *to = &ring;

static char forty[] = "Lorem ipsum dolor sit amet, consectetur";
static struct lpk_reader reader;
static struct lpk_record record;
static char text[LPK_TEXT_MAX + 2];
static char line[4096];

static void
next(void)
{
	if (lpk_reader_next(&reader, &record, text, sizeof(text)) != LPK_OK) {
		fputs("instructions: nothing to read\n", stderr);
		exit(1);
	}
}

/* NAME_path() runs the statement, which may use i, count times. */
#define PATH(name, ...)                                                        \
	static void name##_path(int count)                                     \
	{                                                                      \
		int i;                                                         \
                                                                               \
		for (i = 0; i < count; i++) {                                  \
			__VA_ARGS__;                                           \
			bench_keep();                                          \
		}                                                              \
	}

PATH(loop, )
PATH(words, lpk_printk_to(to, LPK_INFO, MESSAGE, i, i * 3ll, i / 2.0))
PATH(packed,
    lpk_printk_to(to, LPK_INFO, "Logging int: %d, int: %lld, string: %s", i,
	i * 3ll, forty))
PATH(mixed,
    lpk_printk_to(to, LPK_INFO, "Iteration: %d string: %s at %p, %x", i, forty,
	(void *)forty, (unsigned int)i))
PATH(text, lpk_write(to, LPK_INFO, MESSAGE, i, i * 3ll, i / 2.0))
PATH(disabled, lpk_printk_to(to, LPK_DEBUG, MESSAGE, i, i * 3ll, i / 2.0))
PATH(next_text, next())
PATH(next_words, next())
PATH(next_mixed, next())
PATH(print,
    (void)lpk_record_print(&record, text, LPK_STYLE_TEXT, line, sizeof(line)))

struct path {
	const char *name;
	void (*run)(int count);
	void (*before)(int count); /* uncounted: what the reader reads */
};

static const struct path paths[] = {
    {"loop", loop_path, NULL},
    {"words", words_path, NULL},
    {"packed", packed_path, NULL},
    {"text", text_path, NULL},
    {"disabled", disabled_path, NULL},
    {"next_text", next_text_path, text_path},
    {"next_words", next_words_path, words_path},
    {"next_mixed", next_mixed_path, mixed_path},
    {"print", print_path, text_path},
};

void measured(void (*run)(int count));

__attribute__((noinline)) void
measured(void (*run)(int count))
{
	run(COUNT);
	bench_keep();
}

int
main(int argc, char **argv)
{
	const struct path *path = NULL;
	size_t i;

	for (i = 0; argc == 2 && i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (strcmp(argv[1], paths[i].name) == 0)
			path = &paths[i];
	}
	if (path == NULL) {
		fputs("usage: instructions PATH\n", stderr);
		return 2;
	}
	if (path->before != NULL) {
		to = &kept;
		path->before(WARM_UP + COUNT + 1);
		lpk_reader_open(&reader, to, LPK_SEEK_OLDEST);
		next();
	}
	path->run(WARM_UP);
	measured(path->run);
	return 0;
}
