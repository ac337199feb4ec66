/* SPDX-License-Identifier: MIT */
/*
 * level.c - `lpk level`: ask a living process to change one of its consoles.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "hosted/control.h"
#include "lists.h"
#include "lpk_atomic.h"
#include "stat.h"
#include "tool.h"

/* How long an answer is waited for, and how often it is looked for. */
#define ANSWER_NS 1000000000
#define LOOK_NS 2000000

static const struct option names[] = {
    {"pid", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "usage: lpk level -p PID CONSOLE [LEVEL] [mode=poll|direct|panic]\n"
    "Change a console of a living process of this user. CONSOLE is its name,\n"
    "as lpk stat shows it; LEVEL is emerg, alert, crit, err, warn, notice,\n"
    "info, debug or 0 to 7: it shows that and what is more important.\n"
    "lpk level -p PID lists its consoles.\n";

struct wish {
	pid_t pid;
	const char *console;
	unsigned int level; /* + 2, so that 0 means: as it is */
	unsigned int mode;  /* + 1 */
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Is it the page that a process made for requests, which nobody can cut? */
static bool
is_control(int fd)
{
	static const char magic[16] = LPK__CONTROL_MAGIC;
	struct lpk__control control;
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 &&
	    fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    (status.st_uid == geteuid() || geteuid() == 0) &&
	    status.st_size >= LPK__CONTROL_BYTES &&
	    pread(fd, &control, sizeof(control), 0) == sizeof(control) &&
	    memcmp(control.magic, magic, sizeof(magic)) == 0 &&
	    control.version == LPK__CONTROL_VERSION &&
	    control.endian == LPK__ENDIAN_MARK;
}

static int
open_control(pid_t pid)
{
	char path[64], link[PATH_MAX], target[64];
	struct dirent *entry;
	int fd = -1, denied = 0;
	ssize_t length;
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	list = opendir(path);
	if (list == NULL) {
		complain("process %ld: %s", (long)pid, strerror(errno));
		return -1;
	}
	while (fd < 0 && (entry = readdir(list)) != NULL) {
		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		length = readlink(link, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';
		if (strncmp(target, "/memfd:lpk-control", 18) != 0)
			continue;
		fd = open(link, O_RDWR | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			denied = errno;
		if (fd >= 0 && !is_control(fd)) {
			close(fd);
			fd = -1;
		}
	}
	closedir(list);
	if (fd < 0 && denied != 0)
		complain("process %ld: %s", (long)pid, strerror(denied));
	else if (fd < 0)
		complain("process %ld: takes no requests: its log has no "
			 "region, or it has closed the descriptor",
		    (long)pid);
	return fd;
}

/* Wake who sleeps on the request; false when its time is over. */
static bool
wait_for_answer(struct lpk__control *control, unsigned int slot, uint32_t asked,
    uint32_t *answer)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	uint64_t until = now_ns() + ANSWER_NS;

	do {
		syscall(SYS_futex, &control->slot[slot].asked, FUTEX_WAKE,
		    INT_MAX, NULL, NULL, 0);
		nanosleep(&pause, NULL);
		/* Relaxed: a number that is all there is to know. */
		*answer = lpk_load32_relaxed(&control->slot[slot].answer);
		if (LPK__ASK_NUMBER(*answer) == LPK__ASK_NUMBER(asked) &&
		    (*answer & 0xff) != LPK__ANSWER_NONE)
			return true;
	} while (now_ns() < until);
	return false;
}

/* What is wished of a console of a process whose page is mapped. */
static int
ask(struct lpk__control *control, const struct console_view *view,
    const struct wish *wish)
{
	uint32_t answer, asked;

	/* One more than the last one's, whoever's that was. */
	asked = LPK__ASK(LPK__ASK_NUMBER(lpk_load32_relaxed(
			     &control->slot[view->slot].asked)) +
		1,
	    view->seq, wish->mode, wish->level);
	/* Never 0, which is what a slot begins with. */
	if (LPK__ASK_NUMBER(asked) == 0)
		asked |= (uint32_t)1 << 24;
	lpk_store32_relaxed(&control->slot[view->slot].asked, asked);
	if (!wait_for_answer(control, view->slot, asked, &answer)) {
		complain(
		    "console %s: the process has not taken it yet; it will "
		    "with the next record that is printed there",
		    view->name);
		return TOOL_PARTIAL;
	}
	if ((answer & 0xff) == LPK__ANSWER_DONE)
		return TOOL_COMPLETE;
	complain("console %s: refused: its driver cannot print so", view->name);
	return TOOL_UNUSABLE;
}

static int
ask_process(const struct wish *wish, const struct console_view *view)
{
	int fd = open_control(wish->pid), result;
	void *memory;

	if (fd < 0)
		return TOOL_UNUSABLE;
	memory = mmap(NULL, LPK__CONTROL_BYTES, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED || view->slot >= LPK_CONSOLES_MAX) {
		complain("process %ld: %s", (long)wish->pid,
		    memory == MAP_FAILED ? strerror(errno) :
					   "more consoles than there can be");
		close(fd);
		return TOOL_UNUSABLE;
	}
	/* One request at a time, of those who keep to the rules. */
	(void)flock(fd, LOCK_EX);
	result = ask(memory, view, wish);
	munmap(memory, LPK__CONTROL_BYTES);
	close(fd);
	return result;
}

static void
list_consoles(const struct console_view *views, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		printf("%s (%s): %s, %s, level %s\n", views[i].name,
		    views[i].driver, views[i].mode, views[i].state,
		    views[i].quiet_below >= 1 && views[i].quiet_below <= 8 ?
			level_name((unsigned int)views[i].quiet_below - 1) :
			"all");
	}
}

static int
change(const struct wish *wish)
{
	static struct sources sources;
	static struct console_view views[CONSOLES_MAX];
	const struct console_view *found = NULL;
	struct image *image = calloc(1, sizeof(*image));
	unsigned int count, i;
	int result;

	if (image == NULL || !source_add_pid(&sources, wish->pid) ||
	    !image_open(image, &sources.source[0])) {
		free(image);
		return TOOL_UNUSABLE;
	}
	count = stat_consoles(image, views);
	image_close(image);
	free(image);
	if (wish->console == NULL) {
		list_consoles(views, count);
		return TOOL_COMPLETE;
	}
	for (i = 0; i < count; i++) {
		if (strcmp(views[i].name, wish->console) != 0)
			continue;
		if (found != NULL) {
			complain("%s: several consoles have that name",
			    wish->console);
			return TOOL_UNUSABLE;
		}
		found = &views[i];
	}
	if (found == NULL) {
		complain("process %ld: has no console %s; it has:",
		    (long)wish->pid, wish->console);
		list_consoles(views, count);
		return TOOL_UNUSABLE;
	}
	result = ask_process(wish, found);
	return result;
}

/* "err", "7", "mode=direct". */
static bool
read_word(struct wish *wish, const char *word)
{
	static const char *const modes[] = {"poll", "direct", "panic"};
	uint32_t bits;
	unsigned int i;

	if (strncmp(word, "mode=", 5) == 0) {
		for (i = 0; i < 3; i++) {
			if (strcmp(word + 5, modes[i]) == 0)
				wish->mode = i + 1;
		}
		return wish->mode != 0;
	}
	if (strncmp(word, "level=", 6) == 0)
		word += 6;
	if (word[0] >= '0' && word[0] <= '7' && word[1] == '\0') {
		wish->level = (unsigned int)(word[0] - '0') + 2;
		return true;
	}
	if (strpbrk(word, "+,") != NULL || !levels_parse(word, &bits))
		return false;
	for (i = 0; i < 8; i++) {
		if (bits == (uint32_t)1 << i)
			wish->level = i + 2;
	}
	return wish->level != 0;
}

int
level_main(int argc, char **argv)
{
	struct wish wish = {0};
	bool good = true;
	int option;
	char *end;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return TOOL_COMPLETE;
	}
	while ((option = getopt_long(argc, argv, "p:h", names, NULL)) != -1) {
		if (option != 'p') {
			good = false;
			break;
		}
		wish.pid = (pid_t)strtol(optarg, &end, 10);
		good &= *end == '\0' && wish.pid > 0;
	}
	if (optind < argc)
		wish.console = argv[optind++];
	for (; good && optind < argc; optind++) {
		good = read_word(&wish, argv[optind]);
		if (!good)
			complain("%s: not a level, nor mode=poll, mode=direct "
				 "or mode=panic",
			    argv[optind]);
	}
	if (!good || wish.pid == 0 ||
	    (wish.console != NULL && wish.level == 0 && wish.mode == 0)) {
		fputs(help, stderr);
		return TOOL_UNUSABLE;
	}
	return change(&wish);
}
