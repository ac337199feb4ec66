/* SPDX-License-Identifier: MIT */
/*
 * kill_image.c - a process is killed at a random moment while its threads log
 * into a region. The tool's reader finds there every record whose call had
 * returned, once, in the order of its thread, and no record that is torn.
 *
 * LPK_SEED gives a run's seed back.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lpk/init.h>
#include <lpk/printk.h>

#include "fixture.h"
#include "hosted/region.h"
#include "tools/image.h"
#include "tools/tool.h"

#define RUNS 200
#define THREADS 4
#define RECORDS 3000
#define KILL_WITHIN_NS 1500000

/* What outlives the process besides its log. */
struct shared {
	atomic_int fd; /* of the region; 0: not yet */
	atomic_int go;
	atomic_uint running;
	atomic_uint returned[THREADS];
};

static struct shared *shared;
static char folder[] = "/tmp/lpk-kill-XXXXXX";
static char file[64];
static uint32_t choice;
static unsigned int killed_within, records;

void
complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
}

static void
demand(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "kill_image: %s\n", what);
	exit(1);
}

/* By a timer, which interrupts whatever instruction is being executed. */
static void
kill_soon(void)
{
	struct sigevent event = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	struct itimerspec when = {
	    .it_value.tv_nsec = 1 + (long)(choice >> 8) % KILL_WITHIN_NS};
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
	    timer_settime(timer, 0, &when, NULL) != 0)
		kill(getpid(), SIGKILL);
}

/* Records of every kind and of many sizes, each with its thread and number. */
static void
log_one(int thread, unsigned int number)
{
	static const char filling[] =
	    "........................................"
	    "........................................";
	int length = (int)(number * 7 % (sizeof(filling) - 1));

	switch (number % 3) {
	case 0:
		lpk_info("%d:%u;", thread, number);
		break;
	case 1:
		lpk_info("%d:%u;%.*s", thread, number, length, filling);
		break;
	default:
		lpk_write(NULL, LPK_INFO, "%d:%u;%.*s", thread, number, length,
		    filling);
		break;
	}
}

static void *
user(void *cookie)
{
	int thread = (int)(intptr_t)cookie;
	unsigned int number;

	atomic_fetch_add(&shared->running, 1);
	while (atomic_load(&shared->running) < THREADS)
		sched_yield();
	if (thread == 0)
		kill_soon();
	for (number = 0; number < RECORDS; number++) {
		log_one(thread, number);
		atomic_store(&shared->returned[thread], number + 1);
	}
	return NULL;
}

static void
child(void)
{
	struct lpk_options options = LPK_OPTIONS_INIT;
	pthread_t threads[THREADS];
	intptr_t i;

	options.region = choice % 2 ? file : "memfd";
	if (lpk_init(&options) != LPK_OK)
		_exit(1);
	atomic_store(&shared->fd, lpk__region_fd());
	while (atomic_load(&shared->go) == 0)
		sched_yield();
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, user, (void *)i);
	for (;;)
		pause();
}

/* The tail must be what the number says. */
static void
check_text(const char *text, unsigned int *next_number)
{
	unsigned int number;
	int thread, length = 0;
	size_t want;

	demand(sscanf(text, "%d:%u;%n", &thread, &number, &length) == 2 &&
		length != 0 && thread >= 0 && thread < THREADS,
	    "a text that no call has");
	want = number % 3 == 0 ? 0 : number * 7 % 80;
	demand(
	    strlen(text + length) == want && strspn(text + length, ".") == want,
	    "a text that is torn");
	demand(number >= next_number[thread], "not in order, or twice");
	demand(number == next_number[thread] ||
		number >= atomic_load(&shared->returned[thread]),
	    "a gap before a call that returned");
	next_number[thread] = number + 1;
	records++;
}

static void
check_image(int fd)
{
	unsigned int next_number[THREADS] = {0}, returned;
	struct source source = {.name = "image", .fd = fd};
	static struct image image;
	struct stat status;
	struct got got;
	int thread, result;

	demand(fstat(fd, &status) == 0, "no image");
	source.bytes = (uint64_t)status.st_size;
	demand(image_open(&image, &source), "an image that is refused");
	demand(!image.cut && image.reader.eager, "it seems to live");
	while ((result = next(&image.reader, &got)) == LPK_OK)
		check_text(got.text, next_number);
	demand(result == -LPK_EAGAIN, "something was lost");
	for (thread = 0; thread < THREADS; thread++) {
		returned = atomic_load(&shared->returned[thread]);
		demand(next_number[thread] >= returned,
		    "a call's record is missing");
		killed_within += returned != 0 && returned < RECORDS;
	}
	image_close(&image);
}

static void
run(uint32_t random)
{
	char path[64];
	int status, fd;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	choice = random;
	pid = fork();
	demand(pid >= 0, "no child");
	if (pid == 0)
		child();
	while (atomic_load(&shared->fd) == 0) {
		sched_yield();
		demand(waitpid(pid, &status, WNOHANG) == 0, "no region");
	}
	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)pid,
	    atomic_load(&shared->fd));
	fd = open(choice % 2 ? file : path, O_RDONLY | O_CLOEXEC);
	demand(fd >= 0, "the region cannot be opened");
	atomic_store(&shared->go, 1);
	demand(waitpid(pid, &status, 0) == pid, "no end of the child");
	demand(
	    WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "another end");
	check_image(fd);
	close(fd);
	unlink(file);
}

int
main(void)
{
	uint64_t state = test_seed();
	int i;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	demand(shared != MAP_FAILED && mkdtemp(folder) != NULL, "no memory");
	snprintf(file, sizeof(file), "%s/log", folder);
	for (i = 0; i < RUNS; i++)
		run(test_random(&state));
	rmdir(folder);
	printf("%d runs, %u threads killed within, %u records\n", RUNS,
	    killed_within, records);
	demand(killed_within >= RUNS / 4, "too few were killed within");
	return 0;
}
