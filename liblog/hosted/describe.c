/* SPDX-License-Identifier: MIT */
/*
 * describe.c - consoles described in words: LPK_CONSOLE, and the same strings
 * through the API.
 *
 *     words       = description *( ";" description )
 *     description = driver [ ":" target ] *( "," key [ "=" value ] )
 *
 * A backslash takes the meaning from a comma, a semicolon, or itself.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/format.h>

#include "core/rules.h"
#include "slot.h"

#define DRIVERS_MAX 44
#define WORDS_BYTES 1024

static const struct lpk_console_driver *drivers[DRIVERS_MAX] = {
    &lpk_stderr_driver, &lpk_stdout_driver, &lpk_fd_driver, &lpk_file_driver,
    &lpk_serial_driver, &lpk_syslog_driver, &lpk_journald_driver,
    &lpk_netconsole_driver, &lpk_kmsg_driver, &lpk_json_driver, &lpk_ram_driver,
    &lpk_null_driver};

/* A console with what it needs, in one piece of memory. */
struct made {
	struct lpk_console console;
	char filter[WORDS_BYTES];
	_Alignas(max_align_t) unsigned char device[];
};

/* One description on its way in. */
struct reading {
	char words[WORDS_BYTES]; /* cut into strings */
	struct made *made;
	char *error;
	size_t error_bytes;
};

static const struct lpk_console_driver *
find_driver(const char *name)
{
	const struct lpk_console_driver *found = NULL;
	int i;

	lpk__registry_lock();
	for (i = 0; i < DRIVERS_MAX && drivers[i] != NULL; i++) {
		if (strcmp(drivers[i]->name, name) == 0)
			found = drivers[i];
	}
	lpk__registry_unlock();
	return found;
}

int
lpk_driver_register(const struct lpk_console_driver *driver)
{
	int result = -LPK_ENOSPC, i;

	if (driver == NULL || driver->name == NULL || driver->name[0] == '\0' ||
	    strpbrk(driver->name, ":,;\\") != NULL)
		return -LPK_EINVAL;
	lpk__registry_lock();
	for (i = 0; i < DRIVERS_MAX; i++) {
		if (drivers[i] == NULL) {
			drivers[i] = driver;
			result = LPK_OK;
			break;
		}
		if (strcmp(drivers[i]->name, driver->name) == 0) {
			result = -LPK_EBUSY;
			break;
		}
	}
	lpk__registry_unlock();
	return result;
}

/* All names, for who mistyped one. */
static void
list_drivers(char *text, size_t bytes)
{
	size_t used = 0;
	int i, length;

	lpk__registry_lock();
	for (i = 0; i < DRIVERS_MAX && drivers[i] != NULL; i++) {
		length = lpk_snprintf(text + used, bytes - used, "%s%s",
		    i == 0 ? "" : ", ", drivers[i]->name);
		if (length < 0 || (size_t)length >= bytes - used)
			break;
		used += (size_t)length;
	}
	lpk__registry_unlock();
}

static int LPK_PRINTF(3, 4)
    fail(struct reading *reading, int result, const char *format, ...)
{
	va_list arguments;

	if (reading->error != NULL && reading->error_bytes != 0) {
		va_start(arguments, format);
		lpk_vsnprintf(
		    reading->error, reading->error_bytes, format, arguments);
		va_end(arguments);
	}
	return result;
}

static int
word_of(const char *value, const char *const *words)
{
	int i;

	for (i = 0; words[i] != NULL; i++) {
		if (strcmp(value, words[i]) == 0)
			return i;
	}
	return -1;
}

static int
set_level(struct lpk_console *console, const char *value)
{
	int level = lpk__level_word(value, strlen(value));

	if (level <= 0)
		return -LPK_EINVAL;
	console->quiet_below = (uint8_t)level;
	return LPK_OK;
}

static int
set_colour(struct lpk_console *console, const char *value)
{
	static const char *const words[] = {
	    "no", "yes", "auto", "never", "always", NULL};
	int word = word_of(value, words);

	if (word < 0)
		return -LPK_EINVAL;
	/* "auto" is what the driver finds out for itself. */
	if (word != 2)
		console->colours = word == 1 || word == 4;
	return LPK_OK;
}

static int
set_filter(struct made *made, const char *value)
{
	char *at;

	if (strlen(value) >= sizeof(made->filter))
		return -LPK_EINVAL;
	strcpy(made->filter, value);
	for (at = made->filter; (at = strchr(at, '+')) != NULL;)
		*at = ',';
	made->console.filter = made->filter;
	return LPK_OK;
}

/* What every console knows; -LPK_ENOENT: ask its driver. */
static int
common_option(struct made *made, const char *key, const char *value)
{
	static const char *const modes[] = {"poll", "direct", "panic", NULL};
	static const char *const starts[] = {"oldest", "next", "clear", NULL};
	static const char *const styles[] = {
	    "text", "caller", "prio", "kmsg", NULL};
	struct lpk_console *console = &made->console;
	int word;

	if (strcmp(key, "level") == 0)
		return set_level(console, value);
	if (strcmp(key, "colour") == 0 || strcmp(key, "color") == 0)
		return set_colour(console, value);
	if (strcmp(key, "filter") == 0)
		return set_filter(made, value);
	if (strcmp(key, "name") == 0) {
		if (value[0] == '\0' || strlen(value) >= sizeof(console->name))
			return -LPK_EINVAL;
		memset(console->name, 0, sizeof(console->name));
		strcpy(console->name, value);
		return LPK_OK;
	}
	if (strcmp(key, "mode") == 0) {
		word = word_of(value, modes);
		console->mode = (enum lpk_console_mode)word;
	} else if (strcmp(key, "start") == 0) {
		word = word_of(value, starts);
		console->start = (enum lpk_seek)word;
	} else if (strcmp(key, "style") == 0) {
		word = word_of(value, styles);
		console->style = (enum lpk_style)word;
	} else {
		return -LPK_ENOENT;
	}
	return word < 0 ? -LPK_EINVAL : LPK_OK;
}

/* Cut at the next separator, and take the backslashes out before it. */
static char *
cut(char *words, char separator)
{
	char *to = words, *from = words;

	while (*from != '\0' && *from != separator) {
		if (*from == '\\' && from[1] != '\0')
			from++;
		*to++ = *from++;
	}
	words = *from == '\0' ? NULL : from + 1;
	*to = '\0';
	return words;
}

static int
take_option(struct reading *reading, const char *key, const char *value)
{
	struct lpk_console *console = &reading->made->console;
	const struct lpk_console_driver *driver = console->driver;
	int result = -LPK_ENOENT;

	if (key[0] != '\0')
		result = common_option(reading->made, key, value);
	if (result == -LPK_ENOENT && driver->option != NULL)
		result = driver->option(console, key, value);
	if (result == LPK_OK)
		return LPK_OK;
	if (key[0] == '\0')
		return fail(reading, -LPK_EINVAL,
		    "%s: \"%.128s\" is no target for it; see lpk-%s(7)",
		    driver->name, value, driver->name);
	if (result == -LPK_ENOENT)
		return fail(reading, -LPK_EINVAL,
		    "%s: \"%.128s\" is not an option of it; see lpk-%s(7)",
		    driver->name, key, driver->name);
	return fail(reading, -LPK_EINVAL,
	    "%s: \"%.64s=%.128s\" makes no sense; see lpk-%s(7)", driver->name,
	    key, value, driver->name);
}

static int
take_options(struct reading *reading, char *words)
{
	char *next, *value, nothing[1] = "";
	int result = LPK_OK;

	for (; words != NULL && result == LPK_OK; words = next) {
		next = cut(words, ',');
		if (words[0] == '\0')
			continue;
		value = strchr(words, '=');
		if (value == words)
			return fail(reading, -LPK_EINVAL,
			    "\"%.128s\" has no key", words);
		if (value != NULL)
			*value++ = '\0';
		result = take_option(
		    reading, words, value != NULL ? value : nothing);
	}
	return result;
}

/* The driver's name, and the console for it. */
static int
take_driver(struct reading *reading, const char *name)
{
	const struct lpk_console_driver *driver = find_driver(name);
	char known[256] = "";
	struct made *made;

	if (driver == NULL) {
		list_drivers(known, sizeof(known));
		return fail(reading, -LPK_ENOENT,
		    "\"%.64s\" is not a console; there are %s", name, known);
	}
	made = calloc(1, sizeof(*made) + driver->device_bytes);
	if (made == NULL)
		return fail(reading, -LPK_ENOMEM, "out of memory");
	made->console.driver = driver;
	made->console.device = made->device;
	made->console.made = made;
	reading->made = made;
	return LPK_OK;
}

int
lpk_console_new(struct lpk_console **console, const char *words, char *error,
    size_t error_bytes)
{
	struct reading reading = {.error = error, .error_bytes = error_bytes};
	char *options, *target;
	int result;

	if (console == NULL || words == NULL)
		return -LPK_EINVAL;
	while (*words == ' ')
		words++;
	if (strlen(words) >= sizeof(reading.words))
		return fail(&reading, -LPK_EINVAL, "too long");
	strcpy(reading.words, words);
	options = cut(reading.words, ',');
	target = strchr(reading.words, ':');
	if (target != NULL)
		*target++ = '\0';
	result = take_driver(&reading, reading.words);
	if (result == LPK_OK)
		lpk_snprintf(reading.made->console.name,
		    sizeof(reading.made->console.name), "%s%s%s", reading.words,
		    target != NULL ? ":" : "", target != NULL ? target : "");
	/* Without one, the driver hears of its default. */
	if (result == LPK_OK &&
	    (target != NULL || reading.made->console.driver->option != NULL))
		result =
		    take_option(&reading, "", target != NULL ? target : "");
	if (result == LPK_OK)
		result = take_options(&reading, options);
	if (result != LPK_OK) {
		free(reading.made);
		return result;
	}
	*console = &reading.made->console;
	return LPK_OK;
}

void
lpk_console_free(struct lpk_console *console)
{
	if (console != NULL && console->printer == NULL)
		free(console->made);
}

/* The words are anybody's: what a terminal would obey is not for it. */
static void
complain(const char *words, const char *error)
{
	char text[768], *at;

	lpk_snprintf(text, sizeof(text) - 1, "lpk: console \"%.200s%s\": %s",
	    words, strlen(words) > 200 ? "..." : "", error);
	for (at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 127)
			*at = '?';
	}
	strcpy(at, "\n");
	(void)!write(STDERR_FILENO, text, strlen(text));
}

static bool
add(const char *words)
{
	struct lpk_console *console;
	char error[384] = "";
	int result = lpk_console_new(&console, words, error, sizeof(error));

	if (result == LPK_OK) {
		result = lpk_console_register(console);
		if (result == LPK_OK)
			return true;
		/* A driver may return any errno; the numbers are the same. */
		lpk_snprintf(error, sizeof(error), "%s; see lpk-%s(7)",
		    strerror(-result), console->driver->name);
		lpk_console_free(console);
	}
	complain(words, error);
	return false;
}

/* The length of the first description. */
static size_t
first_of(const char *words)
{
	size_t at = 0;

	while (words[at] != '\0' && words[at] != ';') {
		if (words[at] == '\\' && words[at + 1] != '\0')
			at++;
		at++;
	}
	return at;
}

int
lpk_consoles_add(const char *words)
{
	char one[WORDS_BYTES];
	int count = 0;
	size_t length;

	for (; words != NULL && *words != '\0'; words += length) {
		while (*words == ';' || *words == ' ')
			words++;
		length = first_of(words);
		if (length >= sizeof(one)) {
			complain("...", "too long");
			continue;
		}
		memcpy(one, words, length);
		one[length] = '\0';
		if (length != 0)
			count += add(one);
	}
	return count;
}

void
lpk__consoles_from_environment(void)
{
	lpk_consoles_add(secure_getenv("LPK_CONSOLE"));
}
