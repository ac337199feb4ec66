/* SPDX-License-Identifier: MIT */
/*
 * lib_proc.h - what the kernel says about a process: CPU time, and how often
 * its threads went to sleep and so woke up.
 */
#ifndef BENCH_LIB_PROC_H
#define BENCH_LIB_PROC_H

#include <stdint.h>
#include <sys/types.h>

/** bench_proc_cpu_ns() - CPU time of a process and of its children. */
uint64_t bench_proc_cpu_ns(pid_t process);

/**
 * bench_proc_switches() - Context switches of a process and of its children.
 * @except: thread that does not count; 0: none
 */
uint64_t bench_proc_switches(pid_t process, pid_t except);

#endif /* BENCH_LIB_PROC_H */
