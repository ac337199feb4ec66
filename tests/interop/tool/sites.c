/* SPDX-License-Identifier: MIT */
/*
 * sites.c - a program with calls of each kind, for the test of `lpk sites`.
 * Also compiled as C++, and as a shared object that a program loads.
 *
 *	sites MODULE	load it, log, switch calls off, wait for a line; switch
 *			off more, log in the module alone, wait for another
 */
#ifdef MODULE
#define LPK_SUBSYSTEM "module"
#else
#define LPK_SUBSYSTEM "program"
#endif
#define LPK_SHORT_NAMES
#include <dlfcn.h>
#include <stdio.h>

#include <lpk/printk.h>
#include <lpk/sites.h>

#ifdef __cplusplus
#define EXPORT extern "C"
#else
#define EXPORT
#endif

EXPORT void log_all(int number);

static inline void
in_inline(int number)
{
	lpk_warn("inline %d", number);
}

#ifdef __cplusplus
inline void
in_shared_inline()
{
	lpk_warn("C++ inline");
}

template <typename T>
void
in_template(T value)
{
	lpk_warn("C++ template %d", static_cast<int>(value));
}

struct with_method {
	void
	method() const
	{
		auto lambda = [] { lpk_warn("C++ lambda"); };

		lpk_warn("C++ method");
		lambda();
	}
};

static void
log_more(void)
{
	in_shared_inline();
	in_template(1);
	in_template('c');
	with_method().method();
}
#else
static void
log_more(void)
{
}
#endif

EXPORT __attribute__((visibility("default"))) void
log_all(int number)
{
	lpk_info("one \"quoted\" %d", number);
	lpk_debug("two");
	lpk_err_ratelimited("three");
	printk(KERN_CRIT "four\n");
	in_inline(number);
	if (number < 0)
		lpk_emerg("never reached");
	log_more();
}

#ifndef MODULE
static void
wait_for_line(void)
{
	int byte;

	puts("ready");
	fflush(stdout);
	do
		byte = getchar();
	while (byte != EOF && byte != '\n');
}

int
main(int argc, char **argv)
{
	void (*module_log)(int) = NULL;
	void *module;
	size_t bad_at;

	log_all(argc);
	if (argc < 2)
		return 0;
	module = dlopen(argv[1], RTLD_NOW);
	if (module != NULL) {
		void *found = dlsym(module, "log_all");

		__builtin_memcpy(&module_log, &found, sizeof(found));
	}
	if (module_log == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	module_log(argc);
	if (lpk_control("format three -p; format \"lambda\" -p", &bad_at) !=
	    LPK_OK)
		return 1;
	log_all(argc);
	module_log(argc);
	wait_for_line();
	if (lpk_control("format one -p", &bad_at) != LPK_OK)
		return 1;
	module_log(argc);
	wait_for_line();
	return 0;
}
#endif
