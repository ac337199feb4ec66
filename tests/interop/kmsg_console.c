/* SPDX-License-Identifier: MIT */
/*
 * The kmsg console and the kernel of this machine: what it writes to /dev/kmsg
 * is read from /dev/kmsg. More lines than the kernel takes at once must all
 * arrive, whatever printk.devkmsg says.
 */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <lpk/consoles.h>

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
			    __LINE__, #what);                                  \
			exit(1);                                               \
		}                                                              \
	} while (0)

static struct small_log small;
static struct lpk_log *log_;
static int kernel;
static char line[16384];
/* Others write there, too. */
static char ident[64];

static int
skip_here(const char *why, int error)
{
	printf("/dev/kmsg cannot be opened for %s here: %s\n", why,
	    strerror(error));
	return 77;
}

/* The next line of ours there; the text behind the name. */
static const char *
next_line(unsigned int *priority)
{
	struct pollfd wait = {.fd = kernel, .events = POLLIN};
	ssize_t count;
	char *text;

	for (;;) {
		count = read(kernel, line, sizeof(line) - 1);
		if (count < 0 && errno == EAGAIN) {
			if (poll(&wait, 1, 60000) <= 0)
				return "(nothing for a minute)";
			continue;
		}
		if (count < 0 && errno == EPIPE)
			continue;
		CHECK(count > 0);
		line[count] = '\0';
		text = strchr(line, ';');
		CHECK(text != NULL && sscanf(line, "%u,", priority) == 1);
		if (strncmp(text + 1, ident, strlen(ident)) != 0)
			continue;
		text[strcspn(text, "\n")] = '\0';
		return text + 1 + strlen(ident);
	}
}

static void
expect(unsigned int priority, const char *want)
{
	unsigned int level = 0;
	const char *text = next_line(&level);

	if (strcmp(text, want) != 0 || level != priority) {
		fprintf(stderr, "<%u>\"%s\" came, not <%u>\"%s\"\n", level,
		    text, priority, want);
		exit(1);
	}
}

static void
run(struct lpk_console *console)
{
	char text[LPK_TEXT_MAX];
	struct lpk_console_stats stats;
	unsigned int level = 0;
	int i;

	lpk_info("not for the kernel");
	lpk_err("disk %d on fire", 3);
	expect(1 << 3 | LPK_ERR, "disk 3 on fire");
	lpk_crit("two\nlines \033[31m");
	expect(1 << 3 | LPK_CRIT, "two");
	expect(1 << 3 | LPK_CRIT, "lines \\x5cx1b[31m");
	/* The longest that there is, and none that the kernel refuses. */
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	lpk_emerg("%s", text);
	CHECK(strstr(next_line(&level), "xxx<truncated>") != NULL);
	CHECK(level == (1 << 3 | LPK_EMERG));
	for (i = 0; i < 10; i++)
		lpk_err("one of many: %d", i);
	for (i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "one of many: %d", i);
		expect(1 << 3 | LPK_ERR, text);
	}
	CHECK(lpk_console_flush(console, lpk_now_ns() + 60000000000) == LPK_OK);
	lpk_console_stats(console, &stats);
	CHECK(stats.printed == 13 && stats.suppressed == 1);
	CHECK(stats.lost == 0);
}

int
main(void)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	struct lpk_console *console;
	char words[128], error[256] = "";

	if (fd < 0)
		return skip_here("writing", errno);
	close(fd);
	kernel = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kernel < 0 || lseek(kernel, 0, SEEK_END) < 0)
		return skip_here("reading", errno);
	log_ = small_log_make(&small, 65536, 4, 1);
	snprintf(ident, sizeof(ident), "lpk-test-%ld: ", (long)getpid());
	snprintf(
	    words, sizeof(words), "kmsg,ident=lpk-test-%ld", (long)getpid());
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	console->log = log_;
	CHECK(lpk_console_register(console) == LPK_OK);
	run(console);
	CHECK(lpk_console_unregister(console, lpk_now_ns() + 60000000000) ==
	    LPK_OK);
	lpk_console_free(console);
	small_log_free(&small);
	return 0;
}
