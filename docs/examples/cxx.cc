/* SPDX-License-Identifier: MIT */
/* The same calls from C++17: a constructor of a global object logs too. */
#include <string>
#include <thread>

#include <unistd.h>

#include <lpk/consoles.h>

#define LPK_SUBSYSTEM "cxx"
#include <lpk/printk.h>

namespace
{

struct Early {
	Early()
	{
		lpk_info("a global object is constructed");
	}
};

Early early;

} // namespace

int
main()
{
	std::string name = "worker";
	struct lpk_console console;
	struct lpk_console_stats stats; /* also a function: say struct */

	std::thread thread([&name] {
		lpk_printk_kv(LPK_NOTICE, LPK_KV("NAME", name.c_str()),
		    "hello from thread %s", name.c_str());
	});
	thread.join();
	lpk_fd_console(&console, STDOUT_FILENO);
	if (lpk_console_register(&console) != LPK_OK)
		return 1;
	lpk_console_flush(&console, UINT64_MAX);
	lpk_console_stats(&console, &stats);
	lpk_console_unregister(&console, UINT64_MAX);
	return stats.printed != 2;
}
