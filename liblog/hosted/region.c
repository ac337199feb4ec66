/* SPDX-License-Identifier: MIT */
/*
 * region.c - other memory in the place of the default log's: a memfd or a file,
 * mapped at the same addresses, so that every pointer into the log stays right.
 *
 * That is done while this thread is the only one and takes no signal. From
 * then on nothing here is called but around a fork: the parent's memory is not
 * inherited, and the child gets memory of its own at the same addresses before
 * fork() returns in it. A child that was made without the handlers of fork
 * (_Fork, clone) has a hole there: it faults when it logs, which is better than
 * writing to its parent's log.
 */
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lpk/init.h>

#include "anchor.h"
#include "announce.h"
#include "control.h"
#include "core/dict.h"
#include "core/log.h"
#include "durable.h"
#include "page.h"
#include "port_fast.h"

#define MEMFD_NAME "lpk"
/* Descriptors from here on are left alone by most who use small numbers. */
#define FD_LOWEST 64

/* Changed only while there is one thread. */
static struct {
	bool there;
	bool inherited; /* made by a fork, not by this process's wish */
	bool handlers;  /* of fork, registered */
	bool on_disk;
	int fd; /* -1: none, or not ours any more */
	dev_t device;
	ino_t inode;
	unsigned int flags;
	struct lpk__session session; /* as the region has it */
} region = {.fd = -1};

static __thread sigset_t mask_before __attribute__((tls_model("initial-exec")));

bool
lpk__region_there(void)
{
	return region.there;
}

bool
lpk__region_on_disk(void)
{
	return region.there && region.on_disk;
}

/* The descriptor, if it is still the one that we opened. */
static int
own_fd(void)
{
	struct stat status;

	if (region.fd >= 0 && fstat(region.fd, &status) == 0 &&
	    status.st_dev == region.device && status.st_ino == region.inode)
		return region.fd;
	return -1;
}

int
lpk__region_fd(void)
{
	return own_fd();
}

void
lpk__region_state(
    unsigned long state, unsigned long signal_number, unsigned long caller)
{
	struct lpk__head *head = lpk__head(&lpk__default_log);

	/* Relaxed: for programs that look when this one is dead. */
	lpk_store_relaxed(&head->state_signal, signal_number);
	lpk_store_relaxed(&head->state_caller, caller);
	lpk_store_relaxed(&head->state, state);
}

static size_t
mapped_bytes(void)
{
	return LPK__PAGES(lpk__default_log.region_bytes);
}

static void
block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

/* What is in use: pages that nothing was stored to stay untouched. */
static void
copy_log(unsigned char *to)
{
	const struct lpk_log *log = &lpk__default_log;
	const struct lpk_geometry *geometry = &log->geometry;
	size_t used = lpk__head(log)->dict_used;
	uint32_t i;

	if (used > geometry->dict_bytes)
		used = geometry->dict_bytes;
	memcpy(to, log->region, LPK_HEAD_BYTES + used);
	for (i = 0; i < geometry->blocks; i++) {
		const struct lpk__block *block = lpk__block(log, i);
		size_t at =
		    (size_t)((const unsigned char *)block - log->region);
		size_t units = block->state & LPK__OFFSET_MASK;

		if (block->life == LPK__LIFE_FRESH)
			continue;
		if (units > geometry->units)
			units = geometry->units;
		memcpy(to + at, block, geometry->data_offset + units * 8);
	}
}

/* Now that the memory is there: who may have it, and who may not. */
static void
protect(void *memory)
{
	(void)madvise(memory, mapped_bytes(), MADV_DONTFORK);
	if (region.flags & LPK_INIT_NODUMP)
		(void)madvise(memory, mapped_bytes(), MADV_DONTDUMP);
	if (region.flags & LPK_INIT_LOCKED)
		(void)mlock(memory, mapped_bytes());
}

/* A memfd of the right size; pages come when they are written to. */
static int
make_memfd(void)
{
	int fd = memfd_create(MEMFD_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int high;

	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FD_LOWEST);
	if (high >= 0) {
		close(fd);
		fd = high;
	}
	if (ftruncate(fd, (off_t)mapped_bytes()) == 0)
		return fd;
	close(fd);
	return -1;
}

/* From now on nobody can cut it, or write to it but through our mapping. */
static void
seal(int fd)
{
	(void)fcntl(
	    fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE);
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL);
}

static void
remember(int fd)
{
	struct stat status;

	region.fd = fd;
	if (fd < 0 || fstat(fd, &status) != 0)
		return;
	region.device = status.st_dev;
	region.inode = status.st_ino;
}

static void
before_fork(void)
{
	if (region.there)
		block_signals(&mask_before);
}

static void
after_fork_parent(void)
{
	if (region.there)
		pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
}

/*
 * The numbers that call sites have got are in the parent's dictionary, which we
 * read from its file: it holds all that was entered before the fork. Without
 * it the sites are entered again.
 */
static void
inherit_dictionary(int fd)
{
	struct lpk_log *log = &lpk__default_log;
	size_t bytes = log->geometry.dict_bytes;
	unsigned long *used = &lpk__head(log)->dict_used;
	off_t at = (unsigned char *)used - log->region;

	if (pread(fd, used, sizeof(*used), at) == (ssize_t)sizeof(*used)) {
		if (*used < bytes)
			bytes = *used;
		if (pread(fd, log->region + LPK_HEAD_BYTES, bytes,
			LPK_HEAD_BYTES) == (ssize_t)bytes)
			return;
	}
	*used = 0;
	log->epoch = 0;
}

/* Memory at the address of the log, or, where that was taken, elsewhere. */
static void
map_anew(int fd)
{
	struct lpk_log *log = &lpk__default_log;
	int kind = fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	void *memory = mmap(log->region, mapped_bytes(), PROT_READ | PROT_WRITE,
	    kind | MAP_FIXED_NOREPLACE, fd, 0);

	if (memory == MAP_FAILED)
		memory = mmap(
		    NULL, mapped_bytes(), PROT_READ | PROT_WRITE, kind, fd, 0);
	if (memory == MAP_FAILED)
		_exit(127); /* no memory: the program could not go on either */
	log->blocks = (unsigned char *)memory + (log->blocks - log->region);
	log->region = memory;
	lpk__anchor_set(memory);
}

/* A session of its own. */
static void
after_fork_child(void)
{
	struct lpk_log *log = &lpk__default_log;
	int old, fresh;

	if (!region.there)
		return;
	old = own_fd();
	fresh = make_memfd();
	map_anew(fresh);
	region.inherited = true;
	region.on_disk = false;
	lpk__durable_forked();
	inherit_dictionary(old);
	if (old >= 0)
		close(old); /* and with the last one goes the file's lock */
	lpk__head_fill(log);
	lpk__session_describe(&region.session, NULL);
	lpk__head(log)->session = region.session;
	protect(log->region);
	if (fresh >= 0)
		seal(fresh);
	remember(fresh);
	lpk__control_forked();
	lpk__announce(fresh);
	pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
}

/* A copy of the log in memory of a file. */
static int
copy_to(int fd, void **copy)
{
	unsigned char *memory;
	unsigned int threads;

	lpk__session_describe(&region.session, &threads);
	if (threads != 1)
		return threads == 0 ? -LPK_ENOSYS : -LPK_EBUSY;
	memory = mmap(
	    NULL, mapped_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return lpk__region_error(errno);
	lpk__head_fill(&lpk__default_log);
	copy_log(memory);
	memcpy(memory + offsetof(struct lpk__head, session), &region.session,
	    sizeof(region.session));
	*copy = memory;
	return LPK_OK;
}

/* The copy takes the place of the log, all at once. */
static int
put_in_place(void *copy, int fd)
{
	void *place = lpk__default_log.region;

	if (mremap(copy, mapped_bytes(), mapped_bytes(),
		MREMAP_MAYMOVE | MREMAP_FIXED, place) != place) {
		munmap(copy, mapped_bytes());
		return -LPK_EIO;
	}
	if (own_fd() >= 0)
		close(region.fd); /* of the memory that a fork left here */
	remember(fd);
	return LPK_OK;
}

static int
begin_memfd(void)
{
	int fd = make_memfd(), result;
	void *copy;

	if (fd < 0)
		return lpk__region_error(errno);
	result = copy_to(fd, &copy);
	if (result == LPK_OK)
		result = put_in_place(copy, fd);
	if (result == LPK_OK)
		seal(fd);
	else
		close(fd);
	return result;
}

/* What can be found under a name is a whole log. */
static int
begin_file(const char *where, unsigned int keep, bool durable)
{
	struct lpk__region_file file;
	int result = lpk__region_file_make(&file, where, mapped_bytes());
	bool on_disk;
	void *copy;

	if (result != LPK_OK)
		return result;
	on_disk = lpk__region_file_on_disk(&file);
	file.durable = durable;
	result = durable && !on_disk ? -LPK_EINVAL : copy_to(file.fd, &copy);
	if (result != LPK_OK) {
		lpk__region_file_drop(&file);
		return result;
	}
	if (durable && fsync(file.fd) != 0) {
		result = lpk__region_error(errno);
		lpk__region_file_drop(&file);
	} else {
		result = lpk__region_file_publish(&file, keep);
	}
	if (result != LPK_OK) {
		munmap(copy, mapped_bytes());
		return result;
	}
	region.on_disk = on_disk;
	return put_in_place(copy, file.fd);
}

/* A limit of this process on files is told by a signal, too: not to the user. */
static void
swallow(int number, const sigset_t *pending_before)
{
	const struct timespec at_once = {0};
	sigset_t one;

	if (sigismember(pending_before, number))
		return;
	sigemptyset(&one);
	sigaddset(&one, number);
	while (sigtimedwait(&one, NULL, &at_once) > 0)
		;
}

static bool
pages_fit(void)
{
	long page = sysconf(_SC_PAGESIZE);

	return page > 0 && LPK__PAGE_BYTES % (unsigned long)page == 0 &&
	    (uintptr_t)lpk__default_log.region % (unsigned long)page == 0;
}

/* With all signals held back. */
void
lpk__region_see_to_forks(void)
{
	if (!region.handlers)
		region.handlers = pthread_atfork(before_fork, after_fork_parent,
				      after_fork_child) == 0;
}

static int
begin(const char *where, unsigned int keep, unsigned int flags)
{
	bool durable = (flags & LPK__INIT_DURABLE) != 0;
	int result;

	region.on_disk = false;
	if (strcmp(where, "memfd") == 0)
		result = durable ? -LPK_EINVAL : begin_memfd();
	else
		result = begin_file(where, keep, durable);
	if (result != LPK_OK)
		return result;
	region.flags = flags;
	region.there = true;
	region.inherited = false;
	protect(lpk__default_log.region);
	lpk__control_begin();
	lpk__announce(region.fd);
	lpk__region_see_to_forks();
	return LPK_OK;
}

int
lpk__region_begin(const char *where, unsigned int keep, unsigned int flags)
{
	sigset_t before, pending;
	int result;

	if (where == NULL)
		where = "memfd";
	if (strcmp(where, "off") == 0)
		return (flags & LPK__INIT_DURABLE) != 0 ? -LPK_EINVAL : LPK_OK;
	if (region.there && !region.inherited)
		return -LPK_EBUSY;
	if (!pages_fit())
		return -LPK_ENOSYS;
	sigpending(&pending);
	block_signals(&before);
	result = begin(where, keep, flags);
	swallow(SIGXFSZ, &pending);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

/* The last of the program's own code; a death leaves the region as it was. */
__attribute__((destructor(101))) static void
region_end(void)
{
	if (!region.there)
		return;
	lpk__region_state(LPK__STATE_CLEAN, 0, 0);
	lpk__durable_end();
}
