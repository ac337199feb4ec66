/* SPDX-License-Identifier: MIT */
/*
 * machine.h - a machine that runs the contexts of a client one operation at a
 * time, and explores what they can do.
 *
 * Contexts are coroutines; before each atomic operation the machine may let
 * another one run (a preemption), run a handler on the same stack (a nested
 * call), or never come back (a death). Memory is either sequentially
 * consistent or that of C11 without promises:
 *
 *   - each location keeps all the messages (stores) of the execution, in
 *     modification order; each carries a view, that is, how far its writer had
 *     released the other locations;
 *   - a context has a view of what it has seen (current), of what an acquire
 *     fence would let it see, and of what its last release fence publishes;
 *   - a load may read any message that is not older than the current view; a
 *     store may be placed anywhere behind it, but not between a
 *     read-modify-write and what that read; a read-modify-write reads a message
 *     that no other one has read, stands next to it, and hands its view on (a
 *     release sequence).
 *
 * Every choice of an execution is recorded. A failing execution prints its
 * choices; LPK_REPLAY=client:mode:choices runs just that one, and shows each
 * operation.
 */
#ifndef MODEL_MACHINE_H
#define MODEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model_order { MODEL_RELAXED, MODEL_ACQUIRE, MODEL_RELEASE, MODEL_FULL };

/* The operations of lpk_atomic.h. */
unsigned long model_load(const void *word, size_t bytes, enum model_order order,
    const char *where, const char *function);
void model_store(void *word, size_t bytes, unsigned long value,
    enum model_order order, const char *where, const char *function);
unsigned long model_add(void *word, unsigned long add, enum model_order order,
    const char *where, const char *function);
bool model_cas(void *word, unsigned long from, unsigned long to,
    enum model_order order, const char *where, const char *function);
void model_fence(
    enum model_order order, const char *where, const char *function);
bool model_check(bool condition, const char *where, const char *function);

/* ------------------------------------------------------------------------- */
/* What a client is. */

#define MODEL_CONTEXTS 4

/* All that contexts share lies here, cleared before each execution. */
#define MODEL_ARENA_BYTES 8192
extern unsigned char model_arena[MODEL_ARENA_BYTES];

struct model_client {
	const char *name;
	void (*setup)(void);
	void (*context[MODEL_CONTEXTS])(void); /* NULL behind the last */
	void (*handler)(unsigned int context); /* the nested call */
	unsigned int interruptible; /* contexts that may nest it, a bit each */
	unsigned int mortal;        /* contexts that may die, a bit each */
	void (*finish)(void);       /* when all have ended */
};

/* How far to go, for the whole of one execution. */
struct model_bounds {
	bool weak;   /* the memory of C11, not a sequential one */
	bool random; /* walk at random, do not enumerate */
	unsigned int preempt, nest, death;
	unsigned int stale;  /* loads that do not read the newest message */
	unsigned int early;  /* stores that are not last in their order */
	uint64_t executions; /* at most; 0: until all are done */
	uint64_t seed;
};

struct model_result {
	uint64_t executions;
	bool complete; /* there are no others within the bounds */
	bool failed;
	char message[200];
};

/* Explores; a failure is printed with its choices unless quiet. */
struct model_result model_explore(const struct model_client *client,
    const struct model_bounds *bounds, bool quiet);

/* LPK_REPLAY, if it names one of the clients: the exit status, else -1. */
int model_replay(
    const struct model_client *const *clients, size_t client_count);

/* ------------------------------------------------------------------------- */
/* For the harness. */

/* End this execution as a failure. */
_Noreturn void model_fail(const char *file, int line, const char *message);
#define MODEL_ASSERT(condition)                                                \
	((condition) ? (void)0 : model_fail(__FILE__, __LINE__, #condition))

/* Events that the running context knows of, because they happened before. */
uint64_t model_known(void);
void model_learn(uint64_t events);

bool model_is_weak(void);
unsigned int model_deaths(void);
unsigned int model_context(void);

/* Supplied by the harness: told of each read-modify-write. */
void harness_watch(const void *word, unsigned long old, unsigned long new_);
/* Supplied by the harness: the name of a word, for a replay. */
void harness_name(char *to, size_t size_bytes, size_t arena_offset);

/* ------------------------------------------------------------------------- */
/* Sites: the operations and checks met so far (lib_sites.c). */

#define MODEL_SITES_MAX 512

enum model_kind { MODEL_OPERATION, MODEL_FENCE, MODEL_CHECK };

struct model_site {
	const char *where;    /* file:line */
	const char *function; /* in which it stands */
	enum model_kind kind;
	enum model_order order;
	bool off;       /* this is the mutant of the day */
	char label[64]; /* LMM label, or function/checkN */
};

extern struct model_site model_sites[MODEL_SITES_MAX];
extern size_t model_site_count;

struct model_site *model_site(const char *where, const char *function,
    enum model_kind kind, enum model_order order);

/* Give the sites their labels, from the source. */
void model_label_sites(void);

/* Can the site be weakened, and is it the library's? */
bool model_site_mutable(const struct model_site *site);

/* ------------------------------------------------------------------------- */
/* Between the files of the machine. */

enum model_choice { MODEL_STALE, MODEL_EARLY };

/* Which of count alternatives; 0 is the ordinary one. */
unsigned int model_choose(enum model_choice kind, unsigned int count);

void model_memory_reset(void);
void model_memory_flush(void); /* the last of each order becomes the value */
void model_memory_context(unsigned int context);
unsigned long model_weak_load(
    size_t offset, const void *word, size_t bytes, enum model_order order);
void model_weak_store(size_t offset, void *word, size_t bytes,
    unsigned long value, enum model_order order);
unsigned long model_weak_add(
    size_t offset, void *word, unsigned long add, enum model_order order);
bool model_weak_cas(size_t offset, void *word, unsigned long from,
    unsigned long to, enum model_order order, unsigned long *found);
void model_weak_fence(enum model_order order);
uint64_t model_weak_known(void);
void model_weak_learn(uint64_t events);

#endif /* MODEL_MACHINE_H */
