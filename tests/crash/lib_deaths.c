/* SPDX-License-Identifier: MIT */
/*
 * lib_deaths.c - ways to die.
 */
#include "crash.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <lpk/consoles.h>
#include <lpk/init.h>
#include <lpk/panic.h>

/* A number that no compiler knows. */
static volatile uintptr_t near_null = 16;
static volatile int zero;

void
die_null(void)
{
	*(volatile int *)near_null = 1;
}

void
die_abort(void)
{
	abort();
}

void
die_assert(void)
{
	assert(zero == 1);
}

void
die_fpe(void)
{
	zero = (int)near_null / zero;
}

void
die_ill(void)
{
	__builtin_trap();
}

/* A file that somebody else cuts. */
void
die_bus(void)
{
	int fd = open("cut", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	volatile char *memory;

	if (fd < 0 || ftruncate(fd, 4096) != 0)
		_exit(99);
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED || ftruncate(fd, 0) != 0)
		_exit(99);
	memory[0] = 1;
}

static void
filter_calls(const int *numbers, int count, uint32_t action)
{
	struct sock_filter filter[32], *at = filter;
	struct sock_fprog program = {.filter = filter};
	int i;

	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    (uint32_t)offsetof(struct seccomp_data, nr));
	for (i = 0; i < count; i++) {
		*at++ = (struct sock_filter)BPF_JUMP(
		    BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)numbers[i], 0, 1);
		*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
	}
	*at++ =
	    (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)(at - filter);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(99);
}

void
die_sys(void)
{
	const int numbers[] = {SYS_getpriority};

	filter_calls(numbers, 1, SECCOMP_RET_TRAP);
	syscall(SYS_getpriority, 0, 0);
}

static int
deeper(volatile char *above)
{
	volatile char here[512];

	here[0] = (char)(above[0] + 1);
	return zero == 0 ? deeper(here) + here[0] : 0;
}

void
die_overflow(void)
{
	const struct rlimit limit = {1 << 20, 1 << 20};
	volatile char here[1] = {0};

	setrlimit(RLIMIT_STACK, &limit);
	deeper(here);
}

/* The heap finds out itself, with its lock held. */
void
die_heap(void)
{
	size_t *volatile block = malloc(2000), *volatile next = malloc(2000);

	memset(block, 0x41, 2064);
	free(next);
	free(block);
	free(malloc(3000));
	abort();
}

static atomic_int held;

static int
hold_loader(struct dl_phdr_info *info, size_t size, void *cookie)
{
	(void)info;
	(void)size;
	(void)cookie;
	atomic_fetch_add(&held, 1);
	for (;;)
		pause();
	return 0;
}

static void *
loader_holder(void *cookie)
{
	dl_iterate_phdr(hold_loader, cookie);
	return NULL;
}

static void *
stderr_holder(void *cookie)
{
	flockfile(stderr);
	return (void *)(intptr_t)hold_loader(NULL, 0, cookie);
}

void
die_under_locks(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, loader_holder, NULL);
	pthread_create(&thread, NULL, stderr_holder, NULL);
	while (atomic_load(&held) < 2)
		sched_yield();
	die_null();
}

void
die_kill(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

void
die_oom(void)
{
	size_t bytes = (size_t)256 << 20;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory != MAP_FAILED)
		memset(memory, 1, bytes);
	_exit(98);
}

void
die_exit_now(void)
{
	_exit(7);
}

void
die_exec(void)
{
	execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
	_exit(99);
}

static void
at_exit(void)
{
	if (!page->bare)
		log_some(DYING, 5);
}

/* What the last of the program's own code logs is to be there, too. */
__attribute__((destructor)) static void
destroyed(void)
{
	if (page == NULL || page->bare || page->at_death[DYING] == 0)
		return;
	log_some(DYING, 5);
	page->at_death[DYING] = atomic_load(&page->acked[DYING]);
}

void
die_exit(void)
{
	atexit(at_exit);
	exit(7);
}

void
die_shut_down(void)
{
	lpk_shutdown(lpk_now_ns() + 1000000000);
	log_some(DYING, 5);
	snapshot_again();
	die_null();
}

static atomic_int together;

static void *
other_one(void *cookie)
{
	(void)cookie;
	log_some(FORKED, 5);
	atomic_fetch_add(&together, 1);
	while (atomic_load(&together) < 2)
		;
	die_fpe();
	return NULL;
}

void
die_two(void)
{
	volatile unsigned int spin = page->random % 64;
	pthread_t thread;

	pthread_create(&thread, NULL, other_one, NULL);
	while (atomic_load(&together) < 1)
		sched_yield();
	snapshot_again();
	atomic_fetch_add(&together, 1);
	while (spin != 0)
		spin--;
	die_null();
}

void
die_blocked(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	die_null();
}

void
die_strict(void)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
		_exit(99);
	die_null();
}

void
die_filtered(void)
{
	const int numbers[] = {SYS_openat, SYS_tgkill, SYS_kill,
	    SYS_rt_tgsigqueueinfo, SYS_mmap, SYS_clone};

	filter_calls(numbers, sizeof(numbers) / sizeof(numbers[0]),
	    SECCOMP_RET_KILL_PROCESS);
	die_null();
}

/* Wherever the first logger is at the moment. */
void
die_logger(void)
{
	syscall(SYS_tgkill, getpid(), atomic_load(&page->first), SIGSEGV);
	for (;;)
		pause();
}

static void
forked_child(void)
{
	struct lpk_options options = LPK_OPTIONS_INIT;
	char region[256];

	snprintf(region, sizeof(region), "%s/inner", page->folder);
	options.region = region;
	if (lpk_init(&options) != LPK_OK)
		_exit(99);
	log_some(FORKED, 100);
	die_null();
}

/* Its death is not ours, and what it logs is not in our log. */
void
die_fork(void)
{
	pid_t pid;
	int status;

	pid = fork();
	if (pid == 0) {
		if (!page->bare)
			forked_child();
		die_null();
	}
	waitpid(pid, &status, 0);
	atomic_store(&page->inner, status + 1);
	log_some(DYING, 5);
	while (acked_by_all() < LOGGERS * RECORDS)
		sched_yield();
	snapshot_again();
	exit(0);
}

void
die_vfork(void)
{
	pid_t pid = vfork();
	int status;

	if (pid == 0) {
		die_null();
		_exit(99);
	}
	waitpid(pid, &status, 0);
	atomic_store(&page->inner, status + 1);
	if (!page->bare && lpk_panicking())
		_exit(99);
	log_some(DYING, 5);
	while (acked_by_all() < LOGGERS * RECORDS)
		sched_yield();
	snapshot_again();
	exit(0);
}

void
die_deadlock(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	atomic_store(&page->calls_parent, 1);
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&mutex);
	_exit(99);
}

void
die_wait(void)
{
	call_parent();
}

/* A console's thread dies; there must be something for it to print. */
void
die_elsewhere(void)
{
	for (;;) {
		log_some(DYING, 1);
		usleep(1000);
	}
}

void
die_beside_sleeper(void)
{
	while (!page->bare && atomic_load(&asleep) == 0) {
		log_some(DYING, 1);
		usleep(1000);
	}
	snapshot_again();
	die_null();
}

static void
previous(int number, siginfo_t *info, void *context)
{
	(void)context;
	atomic_store(&page->previous, info->si_code > 0 ? number : -number);
	signal(number, SIG_DFL);
}

void
before_previous(void)
{
	struct sigaction action = {
	    .sa_sigaction = previous, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaction(SIGSEGV, &action, NULL);
}

static void
simple(int number)
{
	atomic_store(&page->previous, number);
	signal(number, SIG_DFL);
}

void
die_signal_replaced(void)
{
	signal(SIGSEGV, simple);
	die_null();
}

void
die_signal_rearmed(void)
{
	signal(SIGSEGV, simple);
	if (!page->bare && lpk_panic_rearm() != 1)
		_exit(99);
	die_null();
}

static struct sigaction handed_on;

static void
polite(int number, siginfo_t *info, void *context)
{
	atomic_store(&page->previous, number);
	if (handed_on.sa_flags & SA_SIGINFO)
		handed_on.sa_sigaction(number, info, context);
	else
		signal(number, SIG_DFL);
}

/* It calls what it was installed over, and that is us again. */
void
die_signal_chained(void)
{
	struct sigaction action = {
	    .sa_sigaction = polite, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaction(SIGSEGV, &action, &handed_on);
	if (!page->bare && lpk_panic_rearm() != 1)
		_exit(99);
	die_null();
}

/* As a library does that had a handler for a while, and knows no siginfo. */
void
die_signal_restored(void)
{
	void (*old)(int) = signal(SIGSEGV, simple);

	signal(SIGSEGV, old);
	die_null();
}

/* A library that is loaded, used and unloaded, as a plug-in's. */
void
die_unloaded(void)
{
	struct lpk_options options = LPK_OPTIONS_INIT;
	int (*init)(const struct lpk_options *);
	int (*add)(const char *);
	int (*write)(struct lpk_log *, unsigned int, const char *, ...);
	char path[512], words[512];
	void *library;
	uint32_t seq;

	snprintf(path, sizeof(path), "%s/liblpk.so", page->library);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		_exit(99);
	}
	*(void **)(void *)&init = dlsym(library, "lpk_init");
	*(void **)(void *)&add = dlsym(library, "lpk_consoles_add");
	*(void **)(void *)&write = dlsym(library, "lpk_write");
	snprintf(path, sizeof(path), "%s/log", page->folder);
	options.region = path;
	snprintf(words, sizeof(words), "fd:%d,name=a;file:%s/b,name=b",
	    page->fd_a, page->folder);
	if (page->bare)
		die_null();
	if (init(&options) != 0 || add(words) != 2)
		_exit(99);
	for (seq = 0; seq < 100; seq++) {
		write(NULL, LPK_ERR, "#%u:%u;%.*s<", FORKED, seq,
		    (int)((seq * 7 + FORKED) % 60),
		    ".........................................................."
		    "..");
		atomic_store(&page->acked[FORKED], seq + 1);
	}
	dlclose(library);
	snapshot_again();
	die_null();
}

void
die_panic(void)
{
	lpk_panic("last words of %d", (int)getpid());
}

/* Init lives on, and its consoles with it. */
void
die_survived(void)
{
	raise(SIGABRT);
	if (!page->bare && lpk_panicking())
		_exit(98);
	log_some(DYING, 5);
	while (acked_by_all() < LOGGERS * RECORDS)
		sched_yield();
	snapshot_again();
	exit(7);
}

/* Files of more than so many bytes are refused from now on. */
void
after_limit(void)
{
	const struct rlimit limit = {8192, 8192};

	setrlimit(RLIMIT_FSIZE, &limit);
}

static void
bad_dump(struct lpk_dumper *dumper, enum lpk_dump_reason reason,
    struct lpk_dump_iter *iter)
{
	(void)dumper;
	(void)reason;
	(void)iter;
	die_null();
}

void
after_dumper(void)
{
	static struct lpk_dumper dumper = {
	    .dump = bad_dump, .most = LPK_DUMP_PANIC};

	lpk_dumper_register(&dumper);
}
