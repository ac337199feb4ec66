/* SPDX-License-Identifier: MIT */
/*
 * control.c - requests of other programs to the consoles of this one.
 */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "slot.h"

#define MEMFD_NAME "lpk-control"
/* Descriptors from here on are left alone by most who use small numbers. */
#define FD_LOWEST 64

/* As <linux/futex.h> has them, where it is new enough. */
struct futex_one {
	uint64_t value;
	uint64_t address;
	uint32_t flags;
	uint32_t unused;
};
struct futex_time {
	int64_t seconds;
	int64_t ns;
};
#define FUTEX_OF_32_BITS 2u

/* Set while there is one thread, and never taken back. */
static struct lpk__control *control;
static int control_fd = -1;
static dev_t control_device;
static ino_t control_inode;

/* The requests that were taken last. */
static unsigned long taken[LPK_CONSOLES_MAX];

static int
make_memfd(void)
{
	struct stat status;
	int fd = memfd_create(MEMFD_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int high;

	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FD_LOWEST);
	if (high >= 0) {
		close(fd);
		fd = high;
	}
	/* Nobody can cut it: to look at it is never a fault. */
	if (fchmod(fd, 0600) == 0 && ftruncate(fd, LPK__CONTROL_BYTES) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ==
		0 &&
	    fstat(fd, &status) == 0) {
		control_fd = fd;
		control_device = status.st_dev;
		control_inode = status.st_ino;
		return fd;
	}
	close(fd);
	return -1;
}

static struct lpk__control *
make(void)
{
	static const char magic[16] = LPK__CONTROL_MAGIC;
	struct lpk__control *fresh;
	int fd = make_memfd();

	if (fd < 0)
		return NULL;
	fresh = mmap(NULL, LPK__CONTROL_BYTES, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (fresh == MAP_FAILED) {
		close(fd);
		control_fd = -1;
		return NULL;
	}
	fresh->version = LPK__CONTROL_VERSION;
	fresh->endian = LPK__ENDIAN_MARK;
	fresh->count = LPK_CONSOLES_MAX;
	memcpy(fresh->magic, magic, sizeof(magic));
	return fresh;
}

void
lpk__control_begin(void)
{
	if (control == NULL)
		control = make();
}

void
lpk__control_forked(void)
{
	struct stat status;

	if (control == NULL)
		return;
	/* A program may have closed it, and have another by that number. */
	if (control_fd >= 0 && fstat(control_fd, &status) == 0 &&
	    status.st_dev == control_device && status.st_ino == control_inode)
		close(control_fd);
	control_fd = -1;
	munmap(control, LPK__CONTROL_BYTES);
	memset(taken, 0, sizeof(taken));
	control = make();
}

/* May it be done? No value of it is trusted. */
static bool
obey(struct lpk__console_slot *slot, uint32_t asked)
{
	struct lpk_console *console = slot->printer.console;
	size_t number = (size_t)(slot - lpk__slots);
	unsigned long seq = lpk_load_relaxed(
	    &lpk__head(lpk__slot_log(slot))->consoles[number].seq);
	unsigned int mode = LPK__ASK_MODE(asked);
	unsigned int level = LPK__ASK_LEVEL(asked);
	bool done = true;

	/* Of a console that was here before: not for this one. */
	if (LPK__ASK_SEQ(asked) != (seq & 0xff))
		return false;
	if (level != 0)
		done = lpk_console_set_level(console, level - 1) == LPK_OK;
	if (mode != 0 && done)
		done = lpk_console_set_mode(console,
			   (enum lpk_console_mode)(mode - 1)) == LPK_OK;
	lpk__slot_publish(slot);
	return done;
}

void
lpk__control_look(struct lpk__console_slot *slot)
{
	size_t number = (size_t)(slot - lpk__slots);
	unsigned long before;
	uint32_t asked;

	if (control == NULL)
		return;
	/* Relaxed: all of a request is in its one word. */
	asked = lpk_load32_relaxed(&control->slot[number].asked);
	before = lpk_load_relaxed(&taken[number]);
	if (LPK_LIKELY(asked == before) ||
	    !lpk_cas_relaxed(&taken[number], before, asked))
		return;
	lpk_store32_relaxed(&control->slot[number].answer,
	    LPK__ANSWER(asked,
		obey(slot, asked) ? LPK__ANSWER_DONE : LPK__ANSWER_REFUSED));
}

/* What a futex waits on: the low half of a word. */
static uintptr_t
low_half(const unsigned long *word)
{
	const unsigned long one = 1;
	uintptr_t at = (uintptr_t)word;

	return *(const unsigned char *)&one == 1 ? at : at + sizeof(one) - 4;
}

/* False when the kernel cannot. */
static bool
wait_for_two(const unsigned long *word, unsigned long value,
    const uint32_t *asked, unsigned long before, uint64_t deadline_ns)
{
	const struct futex_one futexes[] = {
	    {(uint32_t)value, low_half(word), FUTEX_OF_32_BITS, 0},
	    {(uint32_t)before, (uintptr_t)asked, FUTEX_OF_32_BITS, 0},
	};
	const struct futex_time until = {
	    .seconds = (int64_t)(deadline_ns / 1000000000),
	    .ns = (int64_t)(deadline_ns % 1000000000),
	};

	return syscall(SYS_futex_waitv, futexes, 2, 0,
		   deadline_ns == UINT64_MAX ? NULL : &until,
		   CLOCK_MONOTONIC) >= 0 ||
	    (errno != ENOSYS && errno != EPERM);
}

void
lpk__control_wait(struct lpk__console_slot *slot, unsigned long *word,
    unsigned long value, uint64_t deadline_ns)
{
	size_t number = (size_t)(slot - lpk__slots);

	if (control == NULL ||
	    !wait_for_two(word, value, &control->slot[number].asked,
		lpk_load_relaxed(&taken[number]), deadline_ns))
		lpk__futex_wait(word, value, deadline_ns);
}
