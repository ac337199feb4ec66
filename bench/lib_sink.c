/* SPDX-License-Identifier: MIT */
/*
 * lib_sink.c - sinks, and the process that reads them.
 *
 * The reader is started once, as fork(2) makes the parent's pages copied when
 * they are written to next, which would be measured. It gets the descriptors
 * one after the other, and leaves its tally in memory that both share.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "lib_sink.h"
#include "lpk_atomic.h"

#define CHUNK 65536
#define MS UINT64_C(1000000)
/* How often a file is looked at: there is no event for it that costs nothing.*/
#define FOLLOW_NS 50000
/* What comes later than this after the end has been lost. */
#define QUIET_NS (300 * MS)
/* A serial line takes so many bytes at a time, about a millisecond's. */
#define FIFO_BYTES 16

struct shared {
	unsigned long wanted; /* lines; set before end */
	unsigned long end;    /* stop at these, or when it is quiet */
	unsigned long done;
	unsigned long taken; /* bytes */
	unsigned long hang_from_ms, hang_to_ms;
	struct bench_tally tally;
};

struct bench_reader {
	int socket;
	struct shared *shared;
};

struct order {
	enum bench_sink_kind kind;
	unsigned int baud;
};

/* ------------------------------------------------------------------------
 * The reader's side
 */

static void
sleep_until(uint64_t ns)
{
	struct timespec when = {
	    .tv_sec = (time_t)(ns / 1000000000),
	    .tv_nsec = (long)(ns % 1000000000),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) ==
	    EINTR)
		;
}

static void
hang(const struct shared *shared)
{
	uint64_t from = lpk_load_acquire(&shared->hang_from_ms) * MS;
	uint64_t to = lpk_load_relaxed(&shared->hang_to_ms) * MS;
	uint64_t now = bench_now_ns();

	if (now >= from && now < to)
		sleep_until(to);
}

/* Must what is still to be read be left there? */
static bool
stopped(const struct shared *shared)
{
	return lpk_load_acquire(&shared->end) != 0 &&
	    lpk_load_relaxed(&shared->wanted) == 0;
}

/* Nothing to read for now: is it the end? */
static bool
ended(const struct shared *shared, uint64_t *quiet_since)
{
	uint64_t now = bench_now_ns();

	if (lpk_load_acquire(&shared->end) == 0) {
		*quiet_since = now;
		return false;
	}
	return shared->tally.lines >= lpk_load_relaxed(&shared->wanted) ||
	    now - *quiet_since > QUIET_NS;
}

static void
take(struct shared *shared, const char *bytes, size_t count)
{
	bench_tally_add(&shared->tally, bytes, count, bench_ticks());
	lpk_store_release(
	    &shared->taken, lpk_load_relaxed(&shared->taken) + count);
}

static void
read_stream(struct shared *shared, int fd)
{
	static char bytes[CHUNK];
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	uint64_t quiet_since = bench_now_ns();
	ssize_t count;

	while (!stopped(shared)) {
		hang(shared);
		count = poll(&wait, 1, 1) > 0 ? read(fd, bytes, CHUNK) : 0;
		if (count > 0) {
			take(shared, bytes, (size_t)count);
			quiet_since = bench_now_ns();
		} else if (ended(shared, &quiet_since)) {
			return;
		}
	}
}

static void
read_file(struct shared *shared, int fd)
{
	static char bytes[CHUNK];
	uint64_t quiet_since = bench_now_ns();
	ssize_t count;

	while (!stopped(shared)) {
		count = read(fd, bytes, CHUNK);
		if (count > 0) {
			take(shared, bytes, (size_t)count);
			quiet_since = bench_now_ns();
			continue;
		}
		if (ended(shared, &quiet_since))
			return;
		sleep_until(bench_now_ns() + FOLLOW_NS);
	}
}

/* A byte has arrived when its last bit has. */
static void
read_line(struct shared *shared, int fd, unsigned int baud)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	uint64_t free_ns = bench_now_ns(), quiet_since = free_ns;
	const uint64_t byte_ns = UINT64_C(10000000000) / baud;
	const size_t most = baud >= 100000 ? FIFO_BYTES : FIFO_BYTES / 4;
	char bytes[FIFO_BYTES];
	ssize_t count;

	while (!stopped(shared)) {
		if (poll(&wait, 1, 0) <= 0) {
			if (ended(shared, &quiet_since))
				return;
			/* The line was idle: it does not make up for it. */
			if (poll(&wait, 1, 1) <= 0)
				continue;
			free_ns = bench_now_ns();
		}
		count = read(fd, bytes, most);
		if (count <= 0)
			continue;
		free_ns += (uint64_t)count * byte_ns;
		sleep_until(free_ns);
		take(shared, bytes, (size_t)count);
		quiet_since = bench_now_ns();
	}
}

static int
receive(int from, struct order *order)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control;
	struct iovec data = {.iov_base = order, .iov_len = sizeof(*order)};
	struct msghdr message = {
	    .msg_iov = &data,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) == sizeof(*order) &&
	    CMSG_FIRSTHDR(&message) != NULL)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void
reader_main(struct bench_reader *reader, int socket)
{
	struct shared *shared = reader->shared;
	struct order order;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 1000);
	signal(SIGINT, SIG_DFL);
	bench_pin(bench_cpus() - 1);
	while ((fd = receive(socket, &order)) >= 0) {
		if (order.kind == BENCH_SERIAL)
			read_line(shared, fd, order.baud);
		else if (order.kind == BENCH_FILE)
			read_file(shared, fd);
		else
			read_stream(shared, fd);
		lpk_store_release(&shared->done, 1);
		/* Until the parent is through with its end, too. */
		while (lpk_load_acquire(&shared->done) != 0)
			sleep_until(bench_now_ns() + MS);
		close(fd);
	}
	_exit(0);
}

/* ------------------------------------------------------------------------
 * The parent's side
 */

struct bench_reader *
bench_reader_start(void)
{
	struct bench_reader *reader = malloc(sizeof(*reader));
	int ends[2];
	pid_t pid;

	if (reader == NULL)
		bench_die("malloc");
	reader->shared = mmap(NULL, sizeof(struct shared),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reader->shared == MAP_FAILED)
		bench_die("mmap");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		bench_die("socketpair");
	pid = fork();
	if (pid < 0)
		bench_die("fork");
	if (pid == 0) {
		close(ends[0]);
		reader_main(reader, ends[1]);
	}
	close(ends[1]);
	reader->socket = ends[0];
	return reader;
}

static void
hand_over(const struct bench_reader *reader, const struct order *order, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control = {.bytes = {0}};
	struct iovec data = {
	    .iov_base = (void *)(uintptr_t)order, .iov_len = sizeof(*order)};
	struct msghdr message = {
	    .msg_iov = &data,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control),
	};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	if (sendmsg(reader->socket, &message, MSG_NOSIGNAL) < 0)
		bench_die("sendmsg");
	close(fd);
}

/* Returns the end to read from. */
static int
open_file(struct bench_sink *sink)
{
	snprintf(sink->path, sizeof(sink->path), "%s/lpk-bench-XXXXXX",
	    bench_options.out);
	sink->fd = mkostemp(sink->path, O_CLOEXEC | O_APPEND);
	if (sink->fd < 0)
		bench_die(sink->path);
	return open(sink->path, O_RDONLY | O_CLOEXEC);
}

static int
open_pipe(struct bench_sink *sink)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		bench_die("pipe2");
	sink->fd = ends[1];
	return ends[0];
}

/* Wide, so that nothing waits for the terminal's size; raw for a line. */
static int
open_terminal(struct bench_sink *sink, bool raw)
{
	int upper = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios settings;

	if (upper < 0 || grantpt(upper) != 0 || unlockpt(upper) != 0 ||
	    ptsname_r(upper, sink->path, sizeof(sink->path)) != 0)
		bench_die("posix_openpt");
	sink->fd = open(sink->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (sink->fd < 0 || tcgetattr(sink->fd, &settings) != 0)
		bench_die(sink->path);
	settings.c_lflag &= ~(tcflag_t)ECHO;
	if (raw)
		cfmakeraw(&settings);
	if (tcsetattr(sink->fd, TCSANOW, &settings) != 0)
		bench_die(sink->path);
	return upper;
}

void
bench_sink_open(struct bench_sink *sink, struct bench_reader *reader,
    enum bench_sink_kind kind, unsigned int baud)
{
	struct order order = {.kind = kind, .baud = baud};
	struct shared *shared = reader->shared;
	int from;

	sink->reader = reader;
	sink->kind = kind;
	if (kind == BENCH_FILE)
		from = open_file(sink);
	else if (kind == BENCH_PIPE)
		from = open_pipe(sink);
	else
		from = open_terminal(sink, kind == BENCH_SERIAL);
	if (from < 0)
		bench_die("sink");
	memset(shared, 0, offsetof(struct shared, tally));
	bench_tally_clear(&shared->tally);
	hand_over(reader, &order, from);
}

void
bench_sink_hang(const struct bench_sink *sink, uint64_t from_ns, uint64_t to_ns)
{
	struct shared *shared = sink->reader->shared;

	lpk_store_relaxed(&shared->hang_to_ms, (unsigned long)(to_ns / MS));
	lpk_store_release(&shared->hang_from_ms, (unsigned long)(from_ns / MS));
}

uint64_t
bench_sink_taken(const struct bench_sink *sink)
{
	return lpk_load_acquire(&sink->reader->shared->taken);
}

const struct bench_tally *
bench_sink_end(struct bench_sink *sink, uint64_t lines)
{
	struct shared *shared = sink->reader->shared;

	lpk_store_relaxed(&shared->wanted, (unsigned long)lines);
	lpk_store_release(&shared->end, 1);
	while (lpk_load_acquire(&shared->done) == 0)
		sleep_until(bench_now_ns() + MS / 5);
	return &shared->tally;
}

void
bench_sink_close(struct bench_sink *sink)
{
	close(sink->fd);
	sink->fd = -1;
	if (sink->kind == BENCH_FILE)
		unlink(sink->path);
	lpk_store_release(&sink->reader->shared->done, 0);
}
