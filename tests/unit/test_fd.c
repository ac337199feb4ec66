/* SPDX-License-Identifier: MIT */
/*
 * The driver of descriptors: pipes, files, sockets, terminals, each a real one;
 * readers that stop or go; what it leaves alone of what it was given.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <lpk/consoles.h>

#include "hosted/panic.h"

static struct lpk_console console;
static size_t bite_bytes; /* of a slow reader */

static void
forget_environment(void)
{
	static const char *const names[] = {"NO_COLOR", "CLICOLOR_FORCE",
	    "FORCE_COLOR", "JOURNAL_STREAM", "INVOCATION_ID",
	    "SYSTEMD_EXEC_PID"};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	setenv("TERM", "xterm", 1);
}

static int
setup(void **state)
{
	(void)state;
	memset(&console, 0, sizeof(console));
	bite_bytes = 777;
	forget_environment();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (console.driver != NULL && console.driver->exit != NULL)
		console.driver->exit(&console);
	return 0;
}

/* The driver opened on a descriptor. */
static void
open_on(int fd)
{
	assert_int_equal(lpk_fd_console(&console, fd), LPK_OK);
	assert_int_equal(console.driver->setup(&console), LPK_OK);
}

/* It waits so long for its device; not long enough for a test to be slow. */
#define PATIENCE_NS 20000000

static int
put_bytes(const char *bytes, size_t size)
{
	struct lpk_batch batch = {.bytes = bytes,
	    .size_bytes = size,
	    .records = 1,
	    .deadline_ns = lpk_now_ns() + PATIENCE_NS};
	int result = console.driver->write(&console, &batch);

	if (result == -LPK_EAGAIN)
		/* Not before its time was up. */
		assert_true(lpk_now_ns() >= batch.deadline_ns);
	return result;
}

static int
put(const char *text)
{
	return put_bytes(text, strlen(text));
}

static int
put_on_panic(const char *text)
{
	struct lpk_batch batch = {.bytes = text,
	    .size_bytes = strlen(text),
	    .records = 1,
	    .deadline_ns = lpk_now_ns() + PATIENCE_NS};
	int result;

	errno = 4711;
	result = console.driver->write_on_panic(&console, &batch);
	assert_int_equal(errno, 4711);
	return result;
}

static void
expect_read(int fd, const char *want)
{
	char got[4096];
	size_t length = 0;

	while (length < strlen(want)) {
		ssize_t count = read(fd, got + length, strlen(want) - length);

		assert_true(count > 0);
		length += (size_t)count;
	}
	assert_memory_equal(got, want, length);
}

static void
expect_no_more(int fd)
{
	struct pollfd device = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&device, 1, 0), 0);
}

/* A terminal: what is written to the one end, the other reads. */
static int
open_terminal(int *screen)
{
	struct termios raw;
	char name[64];
	int keyboard = posix_openpt(O_RDWR | O_NOCTTY);

	if (keyboard < 0 || grantpt(keyboard) != 0 || unlockpt(keyboard) != 0 ||
	    ptsname_r(keyboard, name, sizeof(name)) != 0)
		return -1;
	*screen = open(name, O_RDWR | O_NOCTTY);
	if (*screen < 0 || tcgetattr(*screen, &raw) != 0)
		return -1;
	cfmakeraw(&raw);
	raw.c_iflag |= IXON;
	tcsetattr(*screen, TCSANOW, &raw);
	return keyboard;
}

/* ------------------------------------------------------------------------
 * What can be opened, and in which words */

static void
test_fd_bad_descriptor_is_refused(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(lpk_fd_console(NULL, 1), -LPK_EINVAL);
	assert_int_equal(lpk_fd_console(&console, -1), -LPK_EINVAL);
	assert_int_equal(lpk_fd_console(&console, 1000000), -LPK_EINVAL);
	assert_int_equal(pipe(ends), 0);
	/* Open, but not for writing; then not open any more. */
	assert_int_equal(lpk_fd_console(&console, ends[0]), LPK_OK);
	assert_int_equal(console.driver->setup(&console), -LPK_EINVAL);
	assert_null(console.device);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(console.driver->setup(&console), -LPK_EINVAL);
}

static void
test_fd_words_are_checked(void **state)
{
	static const char *const bad[] = {
	    "", "x", "-1", " 1", "1 ", "1x", "+1", "99999999999"};
	void *device = calloc(1, lpk_fd_driver.device_bytes);
	unsigned int i;

	(void)state;
	console.driver = &lpk_fd_driver;
	console.device = device;
	assert_int_equal(lpk_fd_driver.option(&console, "", "17"), LPK_OK);
	assert_int_equal(console.number, 17);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    lpk_fd_driver.option(&console, "", bad[i]), -LPK_EINVAL);
	assert_int_equal(
	    lpk_fd_driver.option(&console, "journal", "no"), LPK_OK);
	assert_int_equal(
	    lpk_fd_driver.option(&console, "journal", "maybe"), -LPK_EINVAL);
	assert_int_equal(
	    lpk_fd_driver.option(&console, "rotate", "1"), -LPK_ENOENT);
	assert_int_equal(lpk_stderr_driver.option(&console, "", ""), LPK_OK);
	assert_int_equal(console.number, 2);
	assert_int_equal(
	    lpk_stdout_driver.option(&console, "", "1"), -LPK_EINVAL);
	assert_int_equal(
	    lpk_stdout_driver.option(&console, "journal", "no"), LPK_OK);
	assert_int_equal(console.number, 1);
	console.driver = NULL;
	free(device);
}

/* ------------------------------------------------------------------------
 * Pipes */

static char big[300000];

/* Numbered lines, so that a reader sees whether one byte is amiss. */
static void
make_big(void)
{
	size_t length = 0;
	int i = 0;

	while (length < sizeof(big) - 64)
		length += (size_t)sprintf(big + length, "%d %.*s\n", i, i % 40,
		    "........................................"),
		    i++;
	memset(big + length, '\n', sizeof(big) - length);
}

/* Reads slowly, in odd bites (or packets, which have no rest), and compares. */
static void *
read_big(void *argument)
{
	int fd = *(int *)argument;
	char bite[8192];
	size_t length = 0;
	ssize_t count;

	while (
	    length < sizeof(big) && (count = read(fd, bite, bite_bytes)) > 0) {
		if (memcmp(bite, big + length, (size_t)count) != 0)
			return NULL;
		length += (size_t)count;
	}
	return length == sizeof(big) ? big : NULL;
}

/* Every byte of it, in order, whatever the device takes at a time. */
static void
put_big(int from)
{
	pthread_t thread;
	size_t done = 0;
	void *same;

	make_big();
	/* Until it is full, with nobody reading. */
	for (;;) {
		int result = put_bytes(big + done, sizeof(big) - done);

		if (result == -LPK_EAGAIN)
			break;
		assert_true(result > 0);
		done += (size_t)result;
		assert_true(done < sizeof(big));
	}
	assert_int_equal(pthread_create(&thread, NULL, read_big, &from), 0);
	while (done < sizeof(big)) {
		int result = put_bytes(big + done, sizeof(big) - done);

		assert_true(result > 0 || result == -LPK_EAGAIN);
		if (result > 0)
			done += (size_t)result;
	}
	pthread_join(thread, &same);
	assert_ptr_equal(same, big);
}

static void
pipe_resumes_at_the_byte(int flags)
{
	int ends[2];

	assert_int_equal(pipe2(ends, flags), 0);
	fcntl(ends[0], F_SETFL, 0);
	open_on(ends[1]);
	put_big(ends[0]);
	/* Inherited flags are somebody else's. */
	assert_int_equal(
	    fcntl(ends[1], F_GETFL) & (O_NONBLOCK | O_APPEND | O_DIRECT),
	    flags & (O_NONBLOCK | O_APPEND | O_DIRECT));
	close(ends[0]);
	close(ends[1]);
}

static void
test_fd_full_pipe_resumes_at_the_byte(void **state)
{
	(void)state;
	pipe_resumes_at_the_byte(0);
}

static void
test_fd_full_nonblocking_pipe_resumes_at_the_byte(void **state)
{
	(void)state;
	pipe_resumes_at_the_byte(O_NONBLOCK);
}

/* A pipe that keeps packets apart is not opened anew; poll(2) must do. */
static void
test_fd_full_shared_pipe_resumes_at_the_byte(void **state)
{
	int ends[2];

	(void)state;
	if (pipe2(ends, O_DIRECT) != 0)
		skip();
	close(ends[0]);
	close(ends[1]);
	bite_bytes = 8192;
	pipe_resumes_at_the_byte(O_DIRECT);
}

/* After su(1) what was opened before may not be opened anew. */
static void
test_fd_full_pipe_of_another_user_is_not_waited_for(void **state)
{
	int ends[2], status;
	pid_t child;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe(ends), 0);
	make_big();
	child = fork();
	if (child == 0) {
		int result;

		if (setresuid(65534, 65534, 65534) != 0)
			_exit(1);
		open_on(ends[1]);
		while ((result = put_bytes(big, sizeof(big))) > 0)
			;
		while (put_on_panic("x") == 1)
			;
		_exit(result != -LPK_EAGAIN);
	}
	/* Killed by the driver of the tests if it hangs. */
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	close(ends[0]);
	close(ends[1]);
}

static void
test_fd_full_pipe_does_not_hold_a_panic_up(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_on(ends[1]);
	make_big();
	while (put_bytes(big, sizeof(big)) != -LPK_EAGAIN)
		;
	/* The last page has room for little. */
	while (put_on_panic("x") == 1)
		;
	assert_int_equal(put_on_panic("no room\n"), -LPK_EAGAIN);
	close(ends[0]);
	close(ends[1]);
}

/* Nothing but write(2): what could block is left out. */
static void
test_fd_write_only_panic_takes_what_cannot_block(void **state)
{
	int ends[2], pair[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_on(ends[1]);
	lpk__write_only_enter();
	assert_int_equal(put_on_panic("one\n"), 4);
	lpk__write_only_exit();
	expect_read(ends[0], "one\n");
	make_big();
	while (put_bytes(big, sizeof(big)) != -LPK_EAGAIN)
		;
	lpk__write_only_enter();
	while (put_on_panic("x") == 1)
		;
	assert_int_equal(put_on_panic("no room\n"), -LPK_EAGAIN);
	lpk__write_only_exit();
	close(ends[0]);
	close(ends[1]);
	console.driver->exit(&console);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	open_on(pair[1]);
	lpk__write_only_enter();
	assert_int_equal(put_on_panic("never\n"), -LPK_EIO);
	lpk__write_only_exit();
	close(pair[0]);
	close(pair[1]);
}

static bool
is_pending(int number)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, number);
}

static void
test_fd_closed_pipe_refuses_and_kills_nobody(void **state)
{
	sigset_t set, before;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_on(ends[1]);
	close(ends[0]);
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(put("to nobody\n"), -LPK_EIO);
	assert_int_equal(put_on_panic("to nobody\n"), -LPK_EIO);
	/* Ours leaves no trace, and one that was there stays. */
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	assert_int_equal(put_on_panic("to nobody\n"), -LPK_EIO);
	assert_false(is_pending(SIGPIPE));
	raise(SIGPIPE);
	assert_int_equal(put_on_panic("to nobody\n"), -LPK_EIO);
	assert_true(is_pending(SIGPIPE));
	signal(SIGPIPE, SIG_IGN);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
	close(ends[1]);
}

/* Two writers into one pipe: the lines of neither are torn. */
static void
test_fd_lines_in_a_shared_pipe_stay_whole(void **state)
{
	enum { LINES = 4000 };
	char line[128], want[128];
	int ends[2], ours = 0, theirs = 0;
	pid_t child;
	FILE *from;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		int i;

		for (i = 0; i < LINES; i++) {
			sprintf(line, "theirs %060d\n", i);
			if (write(ends[1], line, strlen(line)) < 0)
				_exit(1);
		}
		_exit(0);
	}
	if (fork() == 0) {
		size_t length = 0, done = 0;
		int i;

		open_on(ends[1]);
		for (i = 0; i < LINES; i++)
			length +=
			    (size_t)sprintf(big + length, "ours %033d\n", i);
		while (done < length) {
			int result = put_bytes(big + done, length - done);

			done += result > 0 ? (size_t)result : 0;
		}
		_exit(0);
	}
	close(ends[1]);
	from = fdopen(ends[0], "r");
	while (fgets(line, sizeof(line), from) != NULL) {
		if (line[0] == 't')
			sprintf(want, "theirs %060d\n", theirs++);
		else
			sprintf(want, "ours %033d\n", ours++);
		assert_string_equal(line, want);
	}
	assert_int_equal(ours, LINES);
	assert_int_equal(theirs, LINES);
	fclose(from);
	while (wait(NULL) > 0)
		;
}

/* ------------------------------------------------------------------------
 * Files */

static void
file_is_shared(int flags)
{
	char path[] = "/tmp/lpk-test-fd-XXXXXX", got[64] = "";
	int shell, fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "before\n", 7), 7);
	shell = open(path, O_WRONLY | flags);
	unlink(path);
	if ((flags & O_APPEND) == 0)
		assert_int_equal(lseek(shell, 7, SEEK_SET), 7);
	open_on(shell);
	/* (echo a; program; echo b) >file */
	assert_int_equal(write(shell, "a\n", 2), 2);
	assert_int_equal(put("one\n"), 4);
	assert_int_equal(put_on_panic("two\n"), 4);
	assert_int_equal(write(shell, "b\n", 2), 2);
	assert_int_equal(pread(fd, got, sizeof(got) - 1, 0), 19);
	assert_string_equal(got, "before\na\none\ntwo\nb\n");
	close(shell);
	close(fd);
}

static void
test_fd_file_keeps_the_position_it_shares(void **state)
{
	(void)state;
	file_is_shared(0);
}

static void
test_fd_appended_file_is_appended_to(void **state)
{
	(void)state;
	file_is_shared(O_APPEND);
}

static void
test_fd_full_disk_keeps_the_place(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	if (fd < 0)
		skip();
	open_on(fd);
	assert_int_equal(put("no room\n"), -LPK_ENOSPC);
	assert_int_equal(put_on_panic("no room\n"), -LPK_ENOSPC);
	close(fd);
}

static void
test_fd_file_of_the_largest_size_kills_nobody(void **state)
{
	struct rlimit limit = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
	FILE *file = tmpfile();
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		signal(SIGXFSZ, SIG_DFL);
		setrlimit(RLIMIT_FSIZE, &limit);
		open_on(fileno(file));
		if (put("0123456789abc\n") != 10 ||
		    put("abc\n") != -LPK_ENOSPC ||
		    put_on_panic("abc\n") != -LPK_ENOSPC)
			_exit(1);
		_exit(0);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	fclose(file);
}

/* ------------------------------------------------------------------------
 * Sockets */

static void
test_fd_full_stream_socket_resumes_at_the_byte(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	open_on(ends[1]);
	assert_int_not_equal(console.batch_bytes, 1);
	put_big(ends[0]);
	assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	close(ends[0]);
	/* No SIGPIPE either. */
	assert_int_equal(put("to nobody\n"), -LPK_EIO);
	assert_int_equal(put_on_panic("to nobody\n"), -LPK_EIO);
	close(ends[1]);
}

static void
test_fd_datagram_socket_gets_records_one_by_one(void **state)
{
	int ends[2], result, sent = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	open_on(ends[1]);
	/* Less than a record's: one record. */
	assert_int_equal(console.batch_bytes, 1);
	while ((result = put("a record\n")) == 9)
		sent++;
	assert_int_equal(result, -LPK_EAGAIN);
	assert_true(sent > 0);
	assert_int_equal(put_on_panic("a record\n"), -LPK_EAGAIN);
	while (sent-- > 0) {
		char got[64];

		assert_int_equal(recv(ends[0], got, sizeof(got), 0), 9);
	}
	assert_int_equal(put_on_panic("a record\n"), 9);
	close(ends[0]);
	close(ends[1]);
}

/* ------------------------------------------------------------------------
 * Terminals */

static void
test_fd_stopped_terminal_resumes_at_the_byte(void **state)
{
	static char filler[4000];
	int screen, keyboard = open_terminal(&screen), result;

	(void)state;
	if (keyboard < 0)
		skip();
	open_on(screen);
	assert_true(console.colours);
	assert_int_equal(put("before\n"), 7);
	expect_read(keyboard, "before\n");
	/* ^S, from the keyboard; it takes a moment to get to the driver. */
	assert_int_equal(write(keyboard, "\023", 1), 1);
	while (put_on_panic("x") == 1)
		expect_read(keyboard, "x");
	assert_int_equal(put("held\n"), -LPK_EAGAIN);
	assert_int_equal(put_on_panic("held\n"), -LPK_EAGAIN);
	assert_int_equal(write(keyboard, "\021", 1), 1);
	while ((result = put_on_panic("goes on\n")) == -LPK_EAGAIN)
		;
	assert_int_equal(result, 8);
	expect_read(keyboard, "goes on\n");
	expect_no_more(keyboard);
	/* And with nobody reading. */
	memset(filler, '.', sizeof(filler));
	while ((result = put_bytes(filler, sizeof(filler))) > 0)
		;
	assert_int_equal(result, -LPK_EAGAIN);
	assert_int_equal(fcntl(screen, F_GETFL) & O_NONBLOCK, 0);
	close(screen);
	close(keyboard);
}

static void
test_fd_slow_terminal_gets_every_byte(void **state)
{
	int screen, keyboard = open_terminal(&screen);

	(void)state;
	if (keyboard < 0)
		skip();
	open_on(screen);
	put_big(keyboard);
	close(screen);
	close(keyboard);
}

static void
test_fd_hung_up_terminal_refuses(void **state)
{
	int screen, keyboard = open_terminal(&screen);

	(void)state;
	if (keyboard < 0)
		skip();
	open_on(screen);
	close(keyboard);
	assert_int_equal(put("to nobody\n"), -LPK_EIO);
	assert_int_equal(put_on_panic("to nobody\n"), -LPK_EIO);
	close(screen);
}

/* To open the upper end anew would make another terminal. */
static void
test_fd_upper_end_of_a_terminal_is_written_to(void **state)
{
	int screen, keyboard = open_terminal(&screen);

	(void)state;
	if (keyboard < 0)
		skip();
	open_on(keyboard);
	assert_int_equal(put("typed\n"), 6);
	expect_read(screen, "typed\n");
	assert_int_equal(put_on_panic("in fear\n"), 8);
	expect_read(screen, "in fear\n");
	close(screen);
	close(keyboard);
}

/* In a session of its own, in the background of its terminal. */
static int
background_writer(int keyboard, const char *name)
{
	struct termios terminal;
	int screen, status;
	pid_t child;

	close(keyboard);
	setsid();
	screen = open(name, O_RDWR);
	if (screen < 0 || tcgetattr(screen, &terminal) != 0)
		return 77;
	terminal.c_lflag |= TOSTOP;
	tcsetattr(screen, TCSANOW, &terminal);
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		open_on(screen);
		_exit(put("by thread\n") != 10 ||
		    put_on_panic("by panic\n") != 9);
	}
	if (waitpid(child, &status, WUNTRACED) != child)
		return 1;
	if (WIFSTOPPED(status))
		kill(child, SIGKILL);
	return status != 0;
}

static void
test_fd_background_process_is_not_stopped(void **state)
{
	int screen, keyboard = open_terminal(&screen), status;
	char name[64];
	pid_t child;

	(void)state;
	if (keyboard < 0)
		skip();
	assert_int_equal(ptsname_r(keyboard, name, sizeof(name)), 0);
	close(screen);
	/* Or it would be hung up when the child is done. */
	screen = open(name, O_RDWR | O_NOCTTY);
	child = fork();
	if (child == 0)
		_exit(background_writer(keyboard, name));
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	expect_read(keyboard, "by thread\nby panic\n");
	close(screen);
	close(keyboard);
}

/* ------------------------------------------------------------------------
 * Descriptors that come and go */

/* The number of the driver's own description: the one that was not there. */
static int
own_number(int from)
{
	while (fcntl(from, F_GETFD) >= 0)
		from++;
	return from;
}

static void
test_fd_reused_number_gets_no_log(void **state)
{
	int ends[2], number, others, guess;
	FILE *file = tmpfile();
	struct stat is;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	guess = own_number(3);
	open_on(ends[1]);
	assert_true(fcntl(guess, F_GETFD) >= 0);
	/* A daemon closes all it does not know; another file gets the number */
	number = dup2(fileno(file), guess);
	assert_int_equal(number, guess);
	assert_int_equal(put_on_panic("by panic\n"), 9);
	assert_int_equal(put("by thread\n"), 10);
	expect_read(ends[0], "by panic\nby thread\n");
	assert_int_equal(fstat(number, &is), 0);
	assert_int_equal(is.st_size, 0);
	/* Then the inherited number becomes another file, too. */
	others = dup2(fileno(file), ends[1]);
	assert_int_equal(put("own copy\n"), 9);
	expect_read(ends[0], "own copy\n");
	console.driver->exit(&console);
	memset(&console, 0, sizeof(console));
	/* And exit() closed what was its own. */
	assert_true(fcntl(number, F_GETFD) >= 0);
	close(number);
	close(others);
	close(ends[0]);
	fclose(file);
}

static void
test_fd_gone_for_good_is_refused(void **state)
{
	int ends[2], guess;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	guess = own_number(3);
	open_on(ends[1]);
	close(guess);
	close(ends[1]);
	assert_int_equal(put("x\n"), -LPK_EIO);
	assert_int_equal(put_on_panic("x\n"), -LPK_EIO);
	close(ends[0]);
}

/* In a child: it plays with its standard streams. */
static int
redirect_stderr(int first, int second)
{
	int guess;

	dup2(first, STDERR_FILENO);
	close(STDIN_FILENO);
	guess = own_number(3);
	console.driver = &lpk_stderr_driver;
	if (console.driver->setup(&console) != LPK_OK ||
	    fcntl(STDIN_FILENO, F_GETFD) >= 0)
		return 1;
	put("one\n");
	dup2(second, STDERR_FILENO);
	put("two\n");
	console.driver->reopen(&console);
	put("three\n");
	dup2(first, STDERR_FILENO);
	/* Not asked, but it has nothing else. */
	close(guess);
	put("four\n");
	return 0;
}

static void
test_fd_stderr_follows_when_it_is_told_to(void **state)
{
	int first[2], second[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(first), 0);
	assert_int_equal(pipe(second), 0);
	child = fork();
	if (child == 0)
		_exit(redirect_stderr(first[1], second[1]));
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	expect_read(first[0], "one\ntwo\nfour\n");
	expect_read(second[0], "three\n");
	close(first[0]);
	close(first[1]);
	close(second[0]);
	close(second[1]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_fd_bad_descriptor_is_refused),
	    CASE(test_fd_words_are_checked),
	    CASE(test_fd_full_pipe_resumes_at_the_byte),
	    CASE(test_fd_full_nonblocking_pipe_resumes_at_the_byte),
	    CASE(test_fd_full_shared_pipe_resumes_at_the_byte),
	    CASE(test_fd_full_pipe_of_another_user_is_not_waited_for),
	    CASE(test_fd_full_pipe_does_not_hold_a_panic_up),
	    CASE(test_fd_write_only_panic_takes_what_cannot_block),
	    CASE(test_fd_closed_pipe_refuses_and_kills_nobody),
	    CASE(test_fd_lines_in_a_shared_pipe_stay_whole),
	    CASE(test_fd_file_keeps_the_position_it_shares),
	    CASE(test_fd_appended_file_is_appended_to),
	    CASE(test_fd_full_disk_keeps_the_place),
	    CASE(test_fd_file_of_the_largest_size_kills_nobody),
	    CASE(test_fd_full_stream_socket_resumes_at_the_byte),
	    CASE(test_fd_datagram_socket_gets_records_one_by_one),
	    CASE(test_fd_stopped_terminal_resumes_at_the_byte),
	    CASE(test_fd_slow_terminal_gets_every_byte),
	    CASE(test_fd_hung_up_terminal_refuses),
	    CASE(test_fd_upper_end_of_a_terminal_is_written_to),
	    CASE(test_fd_background_process_is_not_stopped),
	    CASE(test_fd_reused_number_gets_no_log),
	    CASE(test_fd_gone_for_good_is_refused),
	    CASE(test_fd_stderr_follows_when_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
