/* SPDX-License-Identifier: MIT */
/*
 * musl.h - included before everything where an old musl lacks statx(2), which
 * musl has since 1.2.5.
 */
#ifndef TESTS_CRASH_MUSL_H
#define TESTS_CRASH_MUSL_H

#include <sys/stat.h>

#ifndef STATX_BTIME
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STATX_BTIME 0x800u

struct statx_timestamp {
	int64_t tv_sec;
	uint32_t tv_nsec;
	int32_t reserved;
};

struct statx {
	uint32_t stx_mask;
	uint32_t unused[19];
	struct statx_timestamp stx_btime;
	uint64_t more[20];
};

static inline int
statx(int fd, const char *path, int flags, unsigned int mask, struct statx *is)
{
	return (int)syscall(SYS_statx, fd, path, flags, mask, is);
}
#endif

#endif /* TESTS_CRASH_MUSL_H */
