/* SPDX-License-Identifier: MIT */
/*
 * harness.h - what the clients in clients_*.c are written with: a tiny ring,
 * writers, readers, flags. What every execution must satisfy is asserted by the
 * harness itself (lib_harness.c), so a client only says who does what.
 */
#ifndef MODEL_HARNESS_H
#define MODEL_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine.h"

/* Each writer has a number, and numbers its records. */
#define WRITERS 8
#define RECORDS 8 /* of one writer, at most */
#define CURSORS 2

/* Units of 8 bytes: the smallest record of the clients, and a larger one. */
#define SMALL 4u
#define LARGE 6u

/*
 * A ring of blocks that hold so many small records each; the last pinned ones
 * are as a claimer left them that died there. In setup only.
 */
void ring(uint32_t blocks, uint32_t lanes, uint32_t slots);
void ring_pin(uint32_t block);
/* Blocks that are full of a dead writer's unfinished records. */
void ring_fill(uint32_t block);
/* As it lies in static memory: not even its head is filled in. */
void ring_untouched(void);
/* Make every counter of the ring stand just below its overflow. */
void ring_near_overflow(void);

/* Store the writer's next record; false: dropped. */
bool put(unsigned int writer, uint32_t lane);
bool put_large(unsigned int writer, uint32_t lane);

/* A reader from the oldest record on. */
void reader_open(unsigned int cursor);
/* One record, or what there is; false: nothing to read now. */
bool reader_step(unsigned int cursor);
void reader_drain(unsigned int cursor);
/* Is the record among those read? */
bool reader_has(unsigned int cursor, unsigned int writer, unsigned int number);

/* Longer than readers wait for an unfinished record. */
void time_pass(void);

/* One-way signals between contexts: what came before is known behind. */
void flag_raise(unsigned int flag);
bool flag_seen(unsigned int flag);

/*
 * Assert what must hold when all contexts have ended: accounts, the state of
 * the blocks, each reader's account, and that the ring still works.
 */
void settle(void);
/* No call was dropped in this execution. */
void expect_no_drops(void);
void expect_drops(unsigned int count);

/* A mutant of put(): take the time after the reservation. */
extern bool harness_time_after;

extern const struct model_client *const clients[];
extern const size_t client_count;
const struct model_client *client_named(const char *name);

#endif /* MODEL_HARNESS_H */
