/* SPDX-License-Identifier: MIT */
/*
 * writer.c - what the tests of the tool read: logs with every kind of record.
 *
 *   writer REGION kinds     a few of each kind, then dies
 *   writer REGION storm     four threads, the ring goes round, then dies
 *   writer REGION wait      says "ready PID", logs a line for each that it
 *                           reads, and dies at the end of its input
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/hosted.h>
#include <lpk/init.h>

#define LPK_SUBSYSTEM "writer"
#include <lpk/printk.h>

#define THREADS 4
#define RECORDS 20000

static void
levels(void)
{
	lpk_emerg("at emerg");
	lpk_alert("at alert");
	lpk_crit("at crit");
	lpk_err("at err");
	lpk_warn("at warn");
	lpk_notice("at notice");
	lpk_info("at info");
	lpk_debug("at debug");
}

static void
arguments(void)
{
	const char *volatile null = NULL;
	static const unsigned char ip[] = {192, 168, 0, 1};
	static const unsigned char mac[] = {0, 0x1b, 0x44, 0x11, 0x3a, 0xb7};

	lpk_info("none, 100%%");
	lpk_info("%d %i %u %x %X %o %c", -1, -2, 3u, 0xbeefu, 0xbeefu, 8u, 'c');
	lpk_info("%ld %lu %lx %lld %llu", -1l, 2ul, 0xfffffffful, -3ll, ~0ull);
	lpk_info("%hhd %hhu %hd %hu", (signed char)-56, (unsigned char)200,
	    (short)-25536, (unsigned short)40000);
	lpk_info(
	    "[%5d] [%-5d] [%05d] [%+d] [% d] [%.3d]", 42, 42, 42, 42, 42, 42);
	lpk_info("[%*d] [%-*d] [%.*d]", 6, 1, 6, 2, 3, 3);
	lpk_info("%#x %#o [%8.3x]", 255u, 8u, 255u);
	lpk_info("%s and [%8s] [%-8s] [%.2s] [%.*s]", "text", "right", "left",
	    "cut", 3, "abcdef");
	lpk_info("%s", null);
	lpk_info(
	    "%f %.2f %e %g %10.3f", 1.5, 2.345, 12345.678, 0.0001, 3.14159);
	lpk_info("%p %p", (void *)0xdeadUL, NULL);
	lpk_info("%pI4 %pM %*ph", (const void *)ip, (const void *)mac, 3,
	    (const void *)mac);
	lpk_info("%zu %zd %td %jd", (size_t)7, (ssize_t)-7, (ptrdiff_t)-8,
	    (intmax_t)9);
}

static void
texts(void)
{
	char big[3000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	lpk_write(NULL, LPK_INFO, "a text of its own");
	lpk_write(NULL, LPK_WARN, "line one\nline two\nline three");
	lpk_write(
	    NULL, LPK_ERR, "hostile \033[2J \r \b \x7f \xff \xc2\x9b back\\");
	lpk_write(NULL, LPK_INFO, "gr\xc3\xbc\xc3\x9f Gott");
	lpk_write(NULL, LPK_INFO, "%s", big);
	lpk_write(NULL, LPK_INFO, "%s", "");
	lpk_inject(NULL, LPK_NOTICE, 3, "of a daemon", 11);
	lpk_inject(NULL, LPK_INFO, 1, "of a user", 9);
	lpk_printk_kv(LPK_INFO, LPK_KV("DEVICE", "sda1", "COUNT", "3"),
	    "with pairs %d", 1);
	lpk_handler_enter();
	lpk_info("in a handler");
	lpk_handler_exit();
	lpk_info("a newline at its end\n");
}

static void *
storm(void *cookie)
{
	int thread = (int)(intptr_t)cookie, i;
	char name[16];

	snprintf(name, sizeof(name), "storm%d", thread);
	lpk_thread_set_name(name);
	for (i = 0; i < RECORDS; i++) {
		if (i % 3 == 0)
			lpk_write(NULL, LPK_INFO, "%d:%d text", thread, i);
		else
			lpk_info("%d:%d deferred %s", thread, i, "with text");
	}
	return NULL;
}

static void
wait_for_lines(void)
{
	char line[256];

	printf("ready %ld\n", (long)getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		lpk_info("read: %s", line);
	}
}

int
main(int argc, char **argv)
{
	struct lpk_options options = LPK_OPTIONS_INIT;
	pthread_t threads[THREADS];
	intptr_t i;
	int result;

	if (argc != 3)
		return 2;
	options.region = argv[1];
	result = lpk_init(&options);
	if (result != LPK_OK) {
		fprintf(stderr, "%s: %s\n", argv[1], lpk_strerror(result));
		return 1;
	}
	if (strcmp(argv[2], "kinds") == 0) {
		levels();
		arguments();
		texts();
	} else if (strcmp(argv[2], "storm") == 0) {
		for (i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, storm, (void *)i);
		for (i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	} else {
		wait_for_lines();
	}
	raise(SIGKILL);
	return 1;
}
