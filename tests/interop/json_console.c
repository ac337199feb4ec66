/* SPDX-License-Identifier: MIT */
/*
 * The json console, read back by Python's parser, and by jq and lnav if they are
 * there: what hostile calls logged must come back as it was, each line must be
 * valid, and lost records must be accounted for. json_check.py compares.
 */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/hosted.h>

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
			    __LINE__, #what);                                  \
			exit(1);                                               \
		}                                                              \
	} while (0)

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console *console;
static char folder[64] = "/tmp/lpk-json-XXXXXX";
static char json[128], expected[128];
static FILE *want;

static void
start(const char *options)
{
	char words[256], error[256] = "";

	snprintf(words, sizeof(words), "json:%s%s", json, options);
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	console->log = log_;
	CHECK(lpk_console_register(console) == LPK_OK);
}

static void
flush(void)
{
	CHECK(lpk_console_flush(console, lpk_now_ns() + 60000000000) == LPK_OK);
}

static void
stop(void)
{
	CHECK(lpk_console_unregister(console, lpk_now_ns() + 60000000000) ==
	    LPK_OK);
	lpk_console_free(console);
}

/* A line of what is expected: level, text, keys and values, all of it hex. */
static void
put_hex(const char *bytes, size_t count)
{
	size_t i;

	fputc(' ', want);
	for (i = 0; i < count; i++)
		fprintf(want, "%02x", (unsigned char)bytes[i]);
}

static void
expect(int level, const char *text)
{
	size_t bytes = strlen(text);

	/* A newline at the end belongs to the call, not to the text. */
	if (bytes > 0 && text[bytes - 1] == '\n')
		bytes--;
	fprintf(want, "%d", level);
	put_hex(text, bytes);
}

static void
say(int level, const char *text)
{
	lpk_write(log_, (enum lpk_level)level, "%s", text);
	expect(level, text);
	fputc('\n', want);
}

static void
say_kv(const char *text, const char *key, const char *value, const char *other)
{
	lpk_printk_kv(LPK_INFO, LPK_KV(key, value, "SECOND", "x", key, other),
	    "%s", text);
	expect(LPK_INFO, text);
	put_hex(key, strlen(key));
	put_hex(value, strlen(value));
	put_hex("SECOND", 6);
	put_hex("x", 1);
	put_hex(key, strlen(key));
	put_hex(other, strlen(other));
	fputc('\n', want);
}

static void
on_signal(int number)
{
	(void)number;
	lpk_handler_enter();
	say(LPK_CRIT, "from a handler");
	lpk_handler_exit();
}

static void
say_bytes(void)
{
	char one[2] = "", all[256 * 3], pair[3] = "";
	int i, at = 0;

	for (i = 1; i < 256; i++) {
		one[0] = (char)i;
		say(i % 8, one);
		say_kv("byte", "KEY", one, "again");
		if (i != '\n')
			all[at++] = (char)i;
	}
	all[at] = '\0';
	say(LPK_INFO, all);
	say_kv(all, "KEY", all, "\"}],\\");
	for (i = 0xc0; i < 256; i++) {
		pair[0] = (char)i;
		pair[1] = (char)(i * 7);
		if (pair[1] == '\0')
			pair[1] = 'x';
		say(LPK_DEBUG, pair);
	}
}

/* Any bytes; and text that is nearly UTF-8, now and then cut or bent. */
static void
say_random(void)
{
	static const char *const pieces[] = {"\xc3\xa9", "\xe2\x82\xac",
	    "\xf0\x9f\x98\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\xbd",
	    "\xf4\x90\x80\x80", "\xef\xbf\xbf", "\xe2\x80\xa8", "\\u0000",
	    "\",\"msg\":\"", "{}", "\x1b[31m", "plain text ", "\xf0\x90"};
	const size_t count = sizeof(pieces) / sizeof(pieces[0]);
	uint64_t seed = test_seed();
	char text[600];
	int i;

	for (i = 0; i < 3000; i++) {
		size_t bytes = 0, most = test_random(&seed) % 500;

		while (bytes < most) {
			const char *piece = pieces[test_random(&seed) % count];

			if (i % 2 == 0) {
				text[bytes++] =
				    (char)(test_random(&seed) % 255 + 1);
				continue;
			}
			strcpy(text + bytes, piece);
			bytes += strlen(piece) - (test_random(&seed) % 9 == 0);
		}
		text[bytes] = '\0';
		say(i % 8, text);
		if (i % 100 == 99)
			flush();
	}
}

/* More than the log holds while the console is away. */
static uint64_t
lose_some(void)
{
	struct lpk_console_stats stats;
	int i;

	start("");
	flush();
	CHECK(
	    lpk_console_suspend(console, lpk_now_ns() + 60000000000) == LPK_OK);
	for (i = 0; i < 20000; i++)
		lpk_write(log_, LPK_INFO, "number %d", i);
	CHECK(lpk_console_resume(console) == LPK_OK);
	flush();
	lpk_console_stats(console, &stats);
	CHECK(stats.lost > 0 && stats.printed > 0 && stats.refused == 0);
	stop();
	return stats.lost;
}

static bool
run(const char *format, ...)
{
	char command[1024];
	va_list arguments;
	int status;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	status = system(command);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* With the format file that we ship: has each line become a record there? */
static void
check_lnav(void)
{
	CHECK(run(
	    "HOME=%s lnav -i docs/examples/lpk-lnav.json >/dev/null", folder));
	CHECK(run("test \"$(HOME=%s lnav -n -c ';SELECT count(*) AS n, "
		  "max(seq) AS last FROM lpk_json WHERE log_level IS NOT NULL "
		  "AND log_body = json_extract(log_raw_text, \"$.msg\")' "
		  "-c ':write-csv-to -' %s | tail -n 1)\" = "
		  "\"$(wc -l <%s),$(($(wc -l <%s) - 1))\"",
	    folder, json, json, json));
}

int
main(void)
{
	bool jq = run("jq --version >/dev/null 2>&1");
	bool lnav = run("lnav -V >/dev/null 2>&1");
	uint64_t lost;

	if (!run("python3 -c 'import json' >/dev/null 2>&1")) {
		puts("no python3 here to parse JSON with (apt: python3)");
		return 77;
	}
	CHECK(mkdtemp(folder) != NULL);
	snprintf(json, sizeof(json), "%s/log.json", folder);
	snprintf(expected, sizeof(expected), "%s/expected", folder);
	want = fopen(expected, "w");
	CHECK(want != NULL);
	log_ = small_log_make(&small, 65536, 8, 1);

	start("");
	lpk_thread_set_name("m\xc3\xa4in \"x\"");
	say_bytes();
	say_random();
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	stop();
	fclose(want);
	CHECK(run("python3 tests/interop/json_check.py %s %s", json, expected));
	if (jq)
		CHECK(run("jq -es 'map(select(.level == \"crit\" and "
			  ".handler)) | length == 1' %s >/dev/null",
		    json));
	if (lnav)
		check_lnav();
	CHECK(truncate(json, 0) == 0);
	lost = lose_some();
	CHECK(run("python3 tests/interop/json_check.py %s lost=%llu", json,
	    (unsigned long long)lost));
	small_log_free(&small);
	CHECK(run("rm -rf %s", folder));
	printf("read back by python3%s%s\n", jq ? ", jq" : "; no jq here",
	    lnav ? ", lnav" : "; no lnav here");
	return 0;
}
