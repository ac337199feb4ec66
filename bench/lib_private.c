/* SPDX-License-Identifier: MIT */
/*
 * lib_private.c - a mount namespace and the daemons in it. glibc's syslog(3)
 * writes to /dev/log and nowhere else: in the namespace /dev is a folder of
 * links to what is in the real one, a socket of ours, and a /dev/shm of ours.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib_bench.h"
#include "lib_private.h"

#define TRIES 1000
#define TRY_NS 10000000
/* What the largest log of a run takes, twice. */
#define ROOM_BYTES (UINT64_C(1) << 30)

static bool entered;

static void
nap(void)
{
	const struct timespec time = {.tv_nsec = TRY_NS};

	nanosleep(&time, NULL);
}

static void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	close(fd);
}

/* Root may have a mount namespace as it is; others with users of their own. */
static bool
unshare_mounts(void)
{
	unsigned int user = geteuid(), group = getegid();
	char map[64];

	if (unshare(CLONE_NEWNS) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", user);
	put("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", group);
	put("/proc/self/gid_map", map);
	return true;
}

/* /dev becomes a folder of links; the devices stay where they were. */
static bool
replace_dev(void)
{
	static const char old[] = "/run/dev";
	struct dirent *entry;
	char from[320], to[320], target[256];
	ssize_t length;
	DIR *all;

	if (mkdir(old, 0755) != 0 ||
	    mount("/dev", old, NULL, MS_BIND | MS_REC, NULL) != 0 ||
	    mount("none", "/dev", "tmpfs", 0, "mode=755") != 0)
		return false;
	all = opendir(old);
	while (all != NULL && (entry = readdir(all)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    strcmp(entry->d_name, "log") == 0)
			continue;
		if (strcmp(entry->d_name, "shm") == 0)
			continue;
		snprintf(from, sizeof(from), "%s/%s", old, entry->d_name);
		snprintf(to, sizeof(to), "/dev/%s", entry->d_name);
		length = readlink(from, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';
		(void)!symlink(length > 0 ? target : from, to);
	}
	if (all != NULL)
		closedir(all);
	/* What is left there is gone with the namespace. */
	return mkdir("/dev/shm", 0777) == 0 &&
	    mount("none", "/dev/shm", "tmpfs", 0, "mode=1777") == 0;
}

/* The folder for results may be one that is hidden from here on. */
static void
keep_results(void)
{
	static char path[64];
	int fd = open(bench_options.out, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		bench_die(bench_options.out);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	bench_options.out = path;
}

const char *
bench_private_enter(void)
{
	keep_results();
	if (!unshare_mounts())
		return "no right to a mount namespace of its own";
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/run", "tmpfs", 0, "mode=755") != 0 ||
	    !replace_dev())
		return "no right to mount in a namespace of its own";
	entered = true;
	return NULL;
}

/* ------------------------------------------------------------------------
 * Daemons
 */

static const char *
find_program(const char *name)
{
	static const char *const folders[] = {
	    "/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"};
	static char path[128];
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* In the child: end with the parent, be quiet, run on the last CPU. */
static void
become_daemon(const char *folder, const char *log)
{
	char path[512];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	bench_pin(bench_cpus() - 1);
	snprintf(path, sizeof(path), "%s/%s", folder, log);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

/* Until there is a socket at @path; false when the daemon ended. */
static bool
wait_for(const char *path, struct bench_daemon *daemon)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (access(path, F_OK) == 0)
			return true;
		if (waitpid(daemon->id, NULL, WNOHANG) != 0) {
			daemon->id = 0;
			return false;
		}
		nap();
	}
	bench_daemon_stop(daemon);
	return false;
}

void
bench_daemon_stop(struct bench_daemon *daemon)
{
	int i;

	if (daemon->id == 0)
		return;
	kill(daemon->id, SIGTERM);
	for (i = 0; i < TRIES / 2; i++) {
		if (waitpid(daemon->id, NULL, WNOHANG) != 0)
			break;
		nap();
	}
	if (i == TRIES / 2) {
		kill(daemon->id, SIGKILL);
		waitpid(daemon->id, NULL, 0);
	}
	daemon->id = 0;
}

/* Its name, and what in its own words looks like a version. */
static void
name_version(struct bench_daemon *daemon, const char *program, const char *word)
{
	char command[200], line[256] = "", *save = NULL, *at;
	const char *slash = strrchr(program, '/');
	FILE *says;

	snprintf(command, sizeof(command), "%s %s 2>&1", program, word);
	says = popen(command, "re");
	if (says != NULL) {
		(void)!fgets(line, sizeof(line), says);
		pclose(says);
	}
	at = strtok_r(line, " ,\n", &save);
	while (at != NULL && (at[0] < '0' || at[0] > '9'))
		at = strtok_r(NULL, " ,\n", &save);
	snprintf(daemon->name, sizeof(daemon->name), "%s %s",
	    slash != NULL ? slash + 1 : program, at != NULL ? at : "");
}

static bool
write_configuration(const char *path, const struct bench_daemon *daemon)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return false;
	fprintf(file,
	    "main_queue(queue.type=\"FixedArray\" queue.size=\"500000\" "
	    "queue.dequeueBatchSize=\"1024\")\n"
	    "module(load=\"imuxsock\" sysSock.use=\"off\")\n"
	    "input(type=\"imuxsock\" Socket=\"/dev/log\" "
	    "RateLimit.Interval=\"0\")\n"
	    "action(type=\"omfile\" file=\"%s\")\n",
	    daemon->path);
	return fclose(file) == 0;
}

/* What any receiver must do, and nothing else. */
static void
drain(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int from = socket(AF_UNIX, SOCK_DGRAM, 0);
	char line[8192 + 1];
	ssize_t bytes;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || bind(from, (struct sockaddr *)&at, sizeof(at)) != 0)
		_exit(1);
	for (;;) {
		bytes = recv(from, line, sizeof(line) - 1, 0);
		if (bytes <= 0)
			continue;
		line[bytes++] = '\n';
		(void)!write(fd, line, (size_t)bytes);
	}
}

static bool
start_receiver(struct bench_daemon *daemon, const char *folder,
    const char *program, const char *configuration)
{
	char pid[512];

	snprintf(pid, sizeof(pid), "%s/rsyslog.pid", folder);
	if (program != NULL)
		name_version(daemon, program, "-v");
	else
		snprintf(daemon->name, sizeof(daemon->name),
		    "a process that drains the socket (no rsyslogd here)");
	daemon->id = fork();
	if (daemon->id == 0) {
		become_daemon(folder, "rsyslogd.said");
		if (program == NULL)
			drain(daemon->path);
		execl(program, "rsyslogd", "-n", "-f", configuration, "-i", pid,
		    (char *)NULL);
		_exit(127);
	}
	return daemon->id > 0 && wait_for("/dev/log", daemon);
}

const char *
bench_syslog_start(struct bench_daemon *daemon, const char *folder)
{
	const char *program = find_program("rsyslogd");
	char configuration[512];

	memset(daemon, 0, sizeof(*daemon));
	if (!entered)
		return "no right to a mount namespace of its own, and so "
		       "no receiver at /dev/log";
	snprintf(daemon->path, sizeof(daemon->path), "%s/syslog", folder);
	snprintf(
	    configuration, sizeof(configuration), "%s/rsyslog.conf", folder);
	if (program != NULL && write_configuration(configuration, daemon) &&
	    start_receiver(daemon, folder, program, configuration))
		return NULL;
	return start_receiver(daemon, folder, NULL, NULL) ?
	    NULL :
	    "no receiver at /dev/log";
}

const char *
bench_lttng_start(struct bench_daemon *daemon, const char *folder)
{
	const char *program = find_program("lttng-sessiond");
	char socket_path[512];

	memset(daemon, 0, sizeof(*daemon));
	if (program == NULL || find_program("lttng") == NULL)
		return "no lttng-sessiond or lttng here (apt: lttng-tools)";
	program = find_program("lttng-sessiond");
	if (geteuid() == 0 && !entered &&
	    access("/run/lttng/client-lttng-sessiond", F_OK) == 0)
		return "a session daemon of the system is running";
	setenv("LTTNG_HOME", folder, 1);
	if (geteuid() == 0)
		snprintf(socket_path, sizeof(socket_path),
		    "/run/lttng/client-lttng-sessiond");
	else
		snprintf(socket_path, sizeof(socket_path),
		    "%s/.lttng/client-lttng-sessiond", folder);
	snprintf(daemon->path, sizeof(daemon->path), "%s", folder);
	name_version(daemon, "lttng", "--version");
	daemon->id = fork();
	if (daemon->id == 0) {
		become_daemon(folder, "lttng.said");
		execl(program, "lttng-sessiond", "--no-kernel", (char *)NULL);
		_exit(127);
	}
	return wait_for(socket_path, daemon) ? NULL :
					       "lttng-sessiond did not start";
}

/* ------------------------------------------------------------------------ */

const char *
bench_folder_make(void)
{
	static char folder[PATH_MAX + 32];
	const char *parent = bench_tmpfs();
	char absolute[PATH_MAX];
	struct statvfs about;

	/* A container's may be small. */
	if (statvfs(parent, &about) != 0 ||
	    (uint64_t)about.f_bavail * about.f_frsize < ROOM_BYTES)
		parent = bench_options.out;
	if (realpath(parent, absolute) == NULL)
		bench_die(parent);
	snprintf(folder, sizeof(folder), "%s/lpk-bench-XXXXXX", absolute);
	if (mkdtemp(folder) == NULL)
		bench_die(folder);
	return folder;
}

static int
remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
	(void)about;
	(void)kind;
	(void)at;
	remove(path);
	return 0;
}

void
bench_folder_remove(const char *folder)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
