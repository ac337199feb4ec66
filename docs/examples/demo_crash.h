/* SPDX-License-Identifier: MIT */
/*
 * demo_crash.h - the demo's end: a program that dies in the middle of its work.
 */
#ifndef DEMO_CRASH_H
#define DEMO_CRASH_H

#include <stdbool.h>

/*
 * Start ourselves again as the program that dies, and prove that nothing of
 * what it said is gone. False when something is.
 */
bool demo_crash(void);

/* What runs there: "demo --die FOLDER LINE". Does not return. */
int demo_crash_main(char **arguments);

#endif /* DEMO_CRASH_H */
