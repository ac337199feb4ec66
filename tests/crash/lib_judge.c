/* SPDX-License-Identifier: MIT */
/*
 * lib_judge.c - what is on a console and in the image: whole lines, in order,
 * once, and none missing.
 */
#include "crash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void
wrong(struct tally *tally, const char *line, const char *what)
{
	if (tally->wrong[0] == '\0')
		snprintf(tally->wrong, sizeof(tally->wrong), "%s: \"%.100s\"",
		    what, line);
}

/* Behind the time, or the line itself. */
static const char *
text_of(const char *line)
{
	const char *end;

	if (line[0] != '[')
		return line;
	end = strstr(line, "] ");
	return end != NULL ? end + 2 : NULL;
}

/* The tail must be what the number says. */
static bool
is_record(const char *text, unsigned int *id, uint32_t *seq)
{
	size_t dots, want;
	int length = 0;

	if (sscanf(text, "#%u:%u;%n", id, seq, &length) != 2 || length == 0 ||
	    *id >= IDS)
		return false;
	want = (*seq * 7 + *id) % 60;
	dots = strspn(text + length, ".");
	return dots == want && strcmp(text + length + dots, "<") == 0;
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void
take_record(
    struct tally *tally, const char *line, unsigned int id, uint32_t seq)
{
	if (seq < tally->next[id] && tally->back[id]) {
		tally->back[id] = false;
		tally->next[id] = seq;
	}
	if (seq < tally->next[id])
		wrong(tally, line, "not in order, or twice");
	else if (seq > tally->next[id] && !tally->gaps)
		wrong(tally, line, "a gap before it");
	tally->next[id] = seq + 1;
	if (tally->seen[id] < seq + 1)
		tally->seen[id] = seq + 1;
	tally->records++;
}

static bool
take_notice(struct tally *tally, const char *line, const char *text)
{
	int i;

	if (begins(text, "** replaying")) {
		for (i = 0; i < IDS; i++)
			tally->back[i] = true;
		tally->replays++;
		tally->cut = false;
		return true;
	}
	if (begins(text, "** skipped")) {
		tally->gaps = true;
		tally->skips++;
		return true;
	}
	if (begins(text, "** ") && strstr(text, "dropped **") != NULL) {
		if (!tally->gaps)
			wrong(tally, line, "records were dropped");
		tally->drops++;
		return true;
	}
	return false;
}

static void
take_line(struct tally *tally, const char *line)
{
	const char *text = text_of(line);
	unsigned int id;
	uint32_t seq;

	/* One in front of a replay is there to end what was cut. */
	if (line[0] == '\0')
		return;
	if (text != NULL && take_notice(tally, line, text))
		return;
	if (tally->cut)
		wrong(tally, tally->line_before, "torn");
	tally->cut = false;
	if (text != NULL && is_record(text, &id, &seq)) {
		take_record(tally, line, id, seq);
	} else if (text != NULL && begins(text, "panic: ")) {
		if (tally->panics++ == 0)
			sscanf(text, "panic: %31s", tally->first_panic);
	} else if (text == NULL ||
	    (!begins(text, "lpk: ") && !begins(text, "last words of "))) {
		tally->cut = true;
		snprintf(tally->line_before, sizeof(tally->line_before),
		    "%.60s", line);
	}
}

void
tally_text(struct tally *tally, const char *text, size_t bytes)
{
	const char *end = text + bytes, *newline;
	char line[4096];
	size_t length;

	while (text < end) {
		newline = memchr(text, '\n', (size_t)(end - text));
		length = (size_t)((newline != NULL ? newline : end) - text);
		if (length >= sizeof(line))
			length = sizeof(line) - 1;
		memcpy(line, text, length);
		line[length] = '\0';
		take_line(tally, line);
		if (newline == NULL && !tally->cut) {
			tally->cut = true;
			memcpy(tally->line_before, "(no end)", 9);
		}
		text = newline != NULL ? newline + 1 : end;
	}
}

void
tally_check(struct run *run, const struct tally *tally, enum want want,
    const char *where)
{
	bool image = strcmp(where, "memory") == 0;
	uint32_t least;
	int i;

	if (want == WANT_NOTHING)
		return;
	if (tally->wrong[0] != '\0')
		run_wrong(run, "%s: %s", where, tally->wrong);
	/* A slow line ends where its time did. */
	if (tally->cut && want == WANT_ALL)
		run_wrong(run, "%s: ends in \"%s\"", where, tally->line_before);
	for (i = 0; i < IDS && want == WANT_ALL; i++) {
		least = image ? atomic_load(&run->page->acked[i]) :
				run->page->at_death[i];
		if (i == FORKED && run->page->inner != 0)
			least = 0;
		if (tally->seen[i] < least)
			run_wrong(run, "%s: %u of %u records of %d", where,
			    tally->seen[i], least, i);
	}
	if (want == WANT_TAIL && tally->panics == 0)
		run_wrong(run, "%s: no word of why it died", where);
	/*
	 * Others go round the ring in milliseconds, and may do so between the
	 * last words and the fault. A console then says that something is
	 * missing; what it was about is logged behind the fault, and is there.
	 */
	if (want == WANT_TAIL && !image && tally->skips + tally->drops == 0 &&
	    tally->seen[DYING] < run->page->at_death[DYING])
		run_wrong(run, "%s: no last words", where);
}

char *
read_whole(const char *path, size_t *bytes)
{
	size_t room = 1 << 20, used = 0, got;
	char *text = malloc(room);
	FILE *file = fopen(path, "r");

	*bytes = 0;
	if (file == NULL || text == NULL) {
		free(text);
		return NULL;
	}
	while ((got = fread(text + used, 1, room - used, file)) != 0) {
		used += got;
		if (used == room)
			text = realloc(text, room *= 2);
		if (text == NULL)
			abort();
	}
	fclose(file);
	*bytes = used;
	return text;
}

bool
judge_console(struct run *run, struct tally *tally, bool pipe_a)
{
	enum want want = pipe_a ? run->death->a : run->death->b;
	char path[256], *text;
	size_t bytes;

	tally->gaps = want == WANT_TAIL || (run->death->flags & FLOOD) != 0;
	if (pipe_a) {
		tally_text(tally, run->drained, run->drained_bytes);
		tally_check(run, tally, want, "pipe");
		return true;
	}
	snprintf(path, sizeof(path), "%s/b", run->page->folder);
	text = read_whole(path, &bytes);
	if (text == NULL) {
		if (want != WANT_NOTHING)
			run_wrong(run, "no file");
		return false;
	}
	tally_text(tally, text, bytes);
	tally_check(run, tally, want, "file");
	free(text);
	return true;
}

/* Read by the tool, as anybody would. */
bool
judge_image(struct run *run, struct tally *tally, const char *arguments)
{
	char command[1024], path[256], *text;
	size_t bytes;
	int status;

	tally->gaps = (run->death->flags & FLOOD) != 0;
	snprintf(path, sizeof(path), "%s/said", run->page->folder);
	snprintf(command, sizeof(command),
	    "'%s' dmesg -t %s >'%s' 2>'%s.errors'", lpk_path(), arguments, path,
	    path);
	status = system(command);
	text = read_whole(path, &bytes);
	if (text == NULL || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		run_wrong(run, "lpk dmesg %s: status %x", arguments, status);
		free(text);
		return false;
	}
	tally_text(tally, text, bytes);
	tally_check(run, tally, run->death->memory, "memory");
	free(text);
	return true;
}
