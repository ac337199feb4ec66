/* SPDX-License-Identifier: MIT */
/*
 * backtrace.c - the calls that led to a panic, as records.
 *
 * The C library's backtrace() loads the unwinder the first time, which it must
 * not do in a panic; so it is called once when the handlers are installed. Not
 * every C library has it.
 */
#include <dlfcn.h>

#include <lpk/printk.h>

#include "panic.h"

#define FRAMES_MAX 64

int backtrace(void **frames, int most) __attribute__((weak));

void
lpk__backtrace_warm(void)
{
	void *frame[2];
	Dl_info info;

	if (backtrace != NULL)
		backtrace(frame, 2);
	dladdr((void *)(uintptr_t)&lpk__backtrace_warm, &info);
}

/* The last part of a path. */
static const char *
file_of(const char *path)
{
	const char *file = path;

	for (; *path != '\0'; path++) {
		if (*path == '/')
			file = path + 1;
	}
	return file;
}

void
lpk__backtrace_log(void)
{
	static void *frames[FRAMES_MAX];
	int count = backtrace != NULL ? backtrace(frames, FRAMES_MAX) : 0, i;
	Dl_info info;

	if (count == 0)
		lpk_emerg("panic: this C library has no backtrace()");
	for (i = 0; i < count; i++) {
		unsigned long address = (unsigned long)frames[i];

		if (dladdr(frames[i], &info) == 0)
			lpk_emerg("panic: #%d %lx", i, address);
		else if (info.dli_sname != NULL)
			lpk_emerg("panic: #%d %lx %s+0x%lx (%s+0x%lx)", i,
			    address, info.dli_sname,
			    address - (unsigned long)info.dli_saddr,
			    file_of(info.dli_fname),
			    address - (unsigned long)info.dli_fbase);
		else
			lpk_emerg("panic: #%d %lx (%s+0x%lx)", i, address,
			    file_of(info.dli_fname),
			    address - (unsigned long)info.dli_fbase);
	}
}
