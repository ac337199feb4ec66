/* SPDX-License-Identifier: MIT */
/*
 * demo_consoles.h - the consoles of the demo: the terminal that it runs in, a
 * file that takes everything, and a serial line as slow as a real one.
 */
#ifndef DEMO_CONSOLES_H
#define DEMO_CONSOLES_H

#include <stdbool.h>

/* False, and a line on standard error: the terminal is not to be had. */
bool demo_consoles_start(void);

/* What each of them has printed, and how far it is behind. */
void demo_consoles_table(void);

/* Wait for the terminal, a second at most. */
void demo_consoles_settle(void);

/*
 * Let go of them: the slow one gets a second, and says what it left. True if
 * each one's account closes.
 */
bool demo_consoles_end(void);

#endif /* DEMO_CONSOLES_H */
