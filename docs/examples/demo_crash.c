/* SPDX-License-Identifier: MIT */
/*
 * demo_crash.c - last words. Four threads log; one of them writes to address 0.
 * What each call had stored when it returned is counted in a file that parent
 * and child share, and compared with what `lpk dmesg` finds afterwards.
 */
#include "demo_crash.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/init.h>
#include <lpk/printk.h>

#define WORKERS 4
#define RECORDS 3000 /* of the first worker; then it dies */
#define PACE_US 50

/* Calls that have returned, in memory that outlives the child. */
struct told {
	_Atomic uint64_t calls[WORKERS];
};

static struct told *told;
static char folder[] = "/tmp/lpk-demo-XXXXXX";

static struct told *
share(const char *where)
{
	char path[128];
	void *memory;
	int fd;

	snprintf(path, sizeof(path), "%s/told", where);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(struct told)) != 0)
		return NULL;
	memory = mmap(NULL, sizeof(struct told), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

/* ------------------------------------------------------------------------
 * The program that dies
 */

static void *
work(void *argument)
{
	size_t number = (size_t)(uintptr_t)argument;
	volatile int *nowhere = NULL;
	unsigned int i;

	for (i = 0; number != 0 || i < RECORDS; i++) {
		lpk_info("worker %zu record %u", number, i);
		atomic_fetch_add(&told->calls[number], 1);
		usleep(PACE_US);
	}
	lpk_err("worker 0 is about to write to address 0");
	*nowhere = 1;
	return NULL;
}

int
demo_crash_main(char **arguments)
{
	struct lpk_options options = LPK_OPTIONS_INIT;
	struct rlimit none = {0, 0};
	char region[128], words[512];
	pthread_t worker;
	uintptr_t i;

	setrlimit(RLIMIT_CORE, &none);
	told = share(arguments[0]);
	snprintf(region, sizeof(region), "%s/log", arguments[0]);
	options.region = region;
	if (told == NULL || lpk_init(&options) != LPK_OK)
		return 1;
	snprintf(words, sizeof(words),
	    "stderr,level=err,name=terminal;file:%s/lines,name=file;"
	    "serial:%s,115200n8,level=err,name=serial",
	    arguments[0], arguments[1]);
	lpk_consoles_add(words);
	for (i = 0; i < WORKERS; i++)
		pthread_create(&worker, NULL, work, (void *)i);
	pause();
	return 1;
}

/* ------------------------------------------------------------------------
 * Its parent
 */

static uint64_t
lines_with(FILE *stream, const char *words)
{
	char line[512];
	uint64_t count = 0;

	while (stream != NULL && fgets(line, sizeof(line), stream) != NULL)
		count += strstr(line, words) != NULL;
	return count;
}

static uint64_t
in_file(void)
{
	char path[128];
	uint64_t count;
	FILE *stream;

	snprintf(path, sizeof(path), "%s/lines", folder);
	stream = fopen(path, "r");
	count = lines_with(stream, " record ");
	if (stream != NULL)
		fclose(stream);
	return count;
}

/* By the tool that was built beside us. */
static uint64_t
in_memory(const char *program)
{
	char copy[4096], command[4400];
	uint64_t count;
	FILE *stream;

	snprintf(copy, sizeof(copy), "%s", program);
	snprintf(command, sizeof(command),
	    "'%s/lpk' dmesg -f %s/log 2>/dev/null", dirname(copy), folder);
	printf("\n$ %s | grep -c 'worker .* record'\n", command);
	fflush(stdout);
	stream = popen(command, "r");
	count = lines_with(stream, " record ");
	if (stream != NULL)
		pclose(stream);
	printf("%" PRIu64 "\n", count);
	return count;
}

/* What comes out of the serial line is printed as it comes. */
static void
listen_to(int line)
{
	char bytes[256];
	ssize_t got;

	puts("\nOut of the serial line came:");
	while ((got = read(line, bytes, sizeof(bytes))) > 0)
		fwrite(bytes, 1, (size_t)got, stdout);
	fflush(stdout);
}

static bool
judge(const char *program, int status)
{
	uint64_t committed = 0, found, printed;
	bool good;
	int i;

	for (i = 0; i < WORKERS; i++)
		committed += atomic_load(&told->calls[i]);
	printf("It died of signal %d, %s.\n",
	    WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	    WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "NO SIGNAL");
	found = in_memory(program);
	printed = in_file();
	/* A call that was cut short may have stored its record. */
	good = WIFSIGNALED(status) && found >= committed &&
	    found <= committed + WORKERS && printed <= found;
	printf("%" PRIu64 " committed, %" PRIu64 " found in memory, %" PRIu64
	       " in the file%s\n",
	    committed, found, printed, good ? "" : "   RECORDS ARE MISSING");
	return good;
}

static void
tidy(void)
{
	static const char *const names[] = {"told", "log", "lines"};
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

bool
demo_crash(void)
{
	char program[4096] = "";
	int line = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int status = 0, held;
	bool good = false;
	pid_t child;

	if (line < 0 || grantpt(line) != 0 || unlockpt(line) != 0 ||
	    mkdtemp(folder) == NULL)
		return false;
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		return false;
	/* Held open, so that what is in the line outlives its writer. */
	held = open(ptsname(line), O_RDWR | O_NOCTTY | O_CLOEXEC);
	told = share(folder);
	puts("\nNow a program like this one writes to address 0:\n");
	fflush(stdout);
	child = fork();
	if (child == 0) {
		execl(program, program, "--die", folder, ptsname(line),
		    (char *)NULL);
		_exit(127);
	}
	if (child > 0 && told != NULL && waitpid(child, &status, 0) == child) {
		fcntl(line, F_SETFL, O_NONBLOCK);
		listen_to(line);
		good = judge(program, status);
	}
	close(held);
	close(line);
	tidy();
	return good;
}
