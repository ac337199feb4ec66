/* SPDX-License-Identifier: MIT */
/*
 * What a port supplies, called here as the core calls it: lpk_port_clock(),
 * lpk_port_clock_hz(), lpk_port_clock_pair(), lpk_port_caller(),
 * lpk_port_lane(), lpk_port_thread_name(), lpk_port_wake(), lpk_port_idle(),
 * lpk_port_alive(), lpk_port_pause(). Something like this is a first test of a port of your own.
 */
#include <stdio.h>

#include <lpk/port.h>
#include <lpk/reader.h>

int
main(void)
{
	static struct lpk_reader reader;
	char name[LPK_THREAD_NAME_BYTES] = ""; /* left alone if there is none */
	struct lpk_clock_pair pair;
	uint64_t first = lpk_port_clock(), second = lpk_port_clock();

	lpk_port_clock_pair(&pair);
	lpk_port_thread_name(name);
	printf("clock: %s, caller: %s, lane: %s, name: \"%.*s\"\n",
	    second >= first && pair.raw >= second ? "goes forward" :
						    "GOES BACK",
	    lpk_port_caller() != 0 ? "known" : "ZERO",
	    lpk_port_lane() == lpk_port_lane() ? "stays" : "CHANGES",
	    LPK_THREAD_NAME_BYTES - 1, name);
	lpk_port_pause(0);
	if (!lpk_port_alive(lpk_port_caller()))
		return 1;
	/* Waking when nobody sleeps does nothing. */
	lpk_port_wake(lpk_default_log());
	/* Called for readers with a descriptor only: an empty log is idle. */
	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_NEXT);
	if (lpk_reader_eventfd(&reader) >= 0) {
		if (lpk_port_idle(&reader))
			return 1;
		lpk_reader_close(&reader);
	}
	return second < first || pair.raw < second ||
	    lpk_port_clock_hz() == 0 || lpk_port_caller() == 0 ||
	    lpk_port_lane() != lpk_port_lane() || name[sizeof(name) - 1] != 0;
}
