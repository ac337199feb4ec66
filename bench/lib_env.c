/* SPDX-License-Identifier: MIT */
/*
 * lib_env.c - the machine: its CPUs, its description, what it did to us.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib_bench.h"

static cpu_set_t allowed;
static unsigned int allowed_count;

static void
look_for_cpus(void)
{
	if (allowed_count != 0)
		return;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		bench_die("sched_getaffinity");
	allowed_count = (unsigned int)CPU_COUNT(&allowed);
}

unsigned int
bench_cpus(void)
{
	look_for_cpus();
	return allowed_count;
}

int
bench_cpu(unsigned int index)
{
	int cpu;

	look_for_cpus();
	index %= allowed_count;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed) && index-- == 0)
			return cpu;
	}
	return 0;
}

void
bench_pin(unsigned int index)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(bench_cpu(index), &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		bench_die("sched_setaffinity");
}

void
bench_usage_now(struct bench_usage *usage)
{
	struct rusage now;

	getrusage(RUSAGE_THREAD, &now);
	usage->minor_faults = (uint64_t)now.ru_minflt;
	usage->major_faults = (uint64_t)now.ru_majflt;
	usage->preempted = (uint64_t)now.ru_nivcsw;
}

void
bench_usage_add(struct bench_usage *sum, const struct bench_usage *since)
{
	struct bench_usage now;

	bench_usage_now(&now);
	sum->minor_faults += now.minor_faults - since->minor_faults;
	sum->major_faults += now.major_faults - since->major_faults;
	sum->preempted += now.preempted - since->preempted;
}

const char *
bench_tmpfs(void)
{
	return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : bench_options.out;
}

void *
bench_alloc(size_t bytes)
{
	void *memory = malloc(bytes);

	if (memory == NULL)
		bench_die("malloc");
	memset(memory, 1, bytes);
	memset(memory, 0, bytes);
	return memory;
}

/* The first line of a file, or what follows a word in it. */
static void
from_file(const char *path, const char *word, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	char line[512], *at;

	snprintf(text, size, "unknown");
	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, word, strlen(word)) != 0)
			continue;
		at = line + strlen(word);
		at += strspn(at, " \t:");
		at[strcspn(at, "\n")] = '\0';
		snprintf(text, size, "%s", at);
		break;
	}
	fclose(file);
}

void
bench_environment(
    void (*say)(void *to, const char *key, const char *value), void *to)
{
	char text[512], model[256];
	struct utsname name;
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	say(to, "date", text);
	from_file("/proc/cpuinfo", "model name", model, sizeof(model));
	snprintf(text, sizeof(text), "%s, %ld CPUs, %u allowed", model,
	    sysconf(_SC_NPROCESSORS_ONLN), bench_cpus());
	say(to, "machine", text);
	uname(&name);
	snprintf(text, sizeof(text), "%s %s %s", name.sysname, name.release,
	    name.machine);
	say(to, "kernel", text);
	say(to, "compiler", BENCH_COMPILER " " __VERSION__);
	say(to, "flags", BENCH_FLAGS);
	snprintf(text, sizeof(text), "threads on CPUs %d and %d", bench_cpu(0),
	    bench_cpu(1));
	say(to, "pinning", text);
	snprintf(text, sizeof(text),
	    "%s, %.4f ns a tick, step %.1f ns, a reading %.1f ns (taken off)",
	    BENCH_TICKS_NAME, bench_clock.ns, bench_clock.step * bench_clock.ns,
	    bench_clock.overhead * bench_clock.ns);
	say(to, "clock", text);
	snprintf(text, sizeof(text),
	    "a loop without memory took %.2f (median) and %.2f (p90) times its "
	    "fastest",
	    bench_speed_at(0.5), bench_speed_at(0.9));
	say(to, "speed", text);
	from_file("/proc/loadavg", "", text, sizeof(text));
	say(to, "load", text);
	from_file("/proc/stat", "cpu ", text, sizeof(text));
	say(to, "cpu_ticks", text);
}
