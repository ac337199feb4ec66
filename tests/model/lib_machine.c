/* SPDX-License-Identifier: MIT */
/*
 * lib_machine.c - contexts, choices and the exploration of machine.h.
 *
 * Contexts are coroutines. They are made by makecontext() once and then entered
 * and left by _setjmp() and _longjmp(), which cost no system call: an abandoned
 * one is thrown back to the bottom of its stack.
 */
#undef _FORTIFY_SOURCE /* its longjmp() refuses to change stacks */
#include "machine.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK_BYTES (256 * 1024)
#define CHOICES_MAX 65536
/* More operations in one execution mean that it does not end. */
#define OPERATIONS_MAX 20000

enum mode { PLAIN, SEQUENTIAL, WEAK };
enum state { READY, ENDED, DEAD };

struct coroutine {
	jmp_buf here, bottom;
	ucontext_t first;
	enum state state;
	bool entered;
	bool nested;
	unsigned char stack[STACK_BYTES] __attribute__((aligned(64)));
};

struct choice {
	uint8_t taken;
	uint8_t count;
};

_Alignas(64) unsigned char model_arena[MODEL_ARENA_BYTES];

static struct coroutine coroutines[MODEL_CONTEXTS];
static unsigned int context_count, running;
static jmp_buf machine;   /* where contexts return to */
static jmp_buf execution; /* where a failure outside of them goes */
static bool in_context, in_execution;
static enum mode mode;
static const struct model_client *client;
static struct model_bounds budget;
static unsigned int next_context; /* chosen by the one that yields */
static unsigned int operations, deaths;

static struct choice choices[CHOICES_MAX];
static unsigned int choice_count; /* made so far in this execution */
static unsigned int choice_limit; /* given: follow these */
static uint64_t random_state;
static unsigned int odds_switch, odds_stale, odds_early;
static bool replaying;

static bool failed;
static char failure[200];

/* ------------------------------------------------------------------------- */
/* Choices. */

static uint32_t
roll(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

/* One time in so many; never for 0. */
static bool
lucky(unsigned int odds)
{
	return odds != 0 && roll() % odds == 0;
}

static unsigned int
choose(unsigned int count, unsigned int wish)
{
	struct choice *choice;

	if (choice_count == CHOICES_MAX)
		model_fail(__FILE__, __LINE__, "more choices than CHOICES_MAX");
	choice = &choices[choice_count++];
	if (choice_count > choice_limit)
		*choice = (struct choice){.taken = (uint8_t)wish};
	choice->count = (uint8_t)count;
	/* A replay of another version of the source may ask for too much. */
	if (choice->taken >= count)
		choice->taken = 0;
	return choice->taken;
}

unsigned int
model_choose(enum model_choice kind, unsigned int count)
{
	unsigned int *left =
	    kind == MODEL_STALE ? &budget.stale : &budget.early;
	unsigned int odds = kind == MODEL_STALE ? odds_stale : odds_early;
	unsigned int wish = 0;

	if (count == 1 || *left == 0)
		return 0;
	if (budget.random && lucky(odds))
		wish = 1 + roll() % (count - 1);
	wish = choose(count, wish);
	if (wish != 0)
		--*left;
	return wish;
}

/* To the next execution in depth-first order; false: that was the last. */
static bool
next_choices(void)
{
	while (choice_count > 0) {
		struct choice *last = &choices[choice_count - 1];

		if (++last->taken < last->count) {
			choice_limit = choice_count;
			return true;
		}
		choice_count--;
	}
	return false;
}

/* ------------------------------------------------------------------------- */
/* Coroutines. */

static void
leave(enum state state)
{
	coroutines[running].state = state;
	_longjmp(machine, 1);
}

static void
bottom(void)
{
	struct coroutine *own = &coroutines[running];

	if (_setjmp(own->bottom) == 0)
		_longjmp(machine, 1);
	client->context[running]();
	leave(ENDED);
}

/* Put the bottom frame on each stack. */
static void
make_coroutines(void)
{
	static bool made;
	ucontext_t back;

	if (made)
		return;
	made = true;
	for (running = 0; running < MODEL_CONTEXTS; running++) {
		struct coroutine *one = &coroutines[running];

		getcontext(&one->first);
		one->first.uc_stack.ss_sp = one->stack;
		one->first.uc_stack.ss_size = sizeof(one->stack);
		makecontext(&one->first, bottom, 0);
		if (_setjmp(machine) == 0)
			swapcontext(&back, &one->first);
	}
}

static void
enter(unsigned int context)
{
	running = context;
	model_memory_context(context);
	in_context = true;
	if (_setjmp(machine) == 0) {
		if (coroutines[running].entered)
			_longjmp(coroutines[running].here, 1);
		coroutines[running].entered = true;
		_longjmp(coroutines[running].bottom, 1);
	}
	in_context = false;
}

static void
yield_to(unsigned int context)
{
	next_context = context;
	if (_setjmp(coroutines[running].here) == 0)
		_longjmp(machine, 1);
}

/* ------------------------------------------------------------------------- */
/* What can happen before an operation. */

enum event { GO_ON, PREEMPT, NEST, DIE };

static void
happen(enum event event, unsigned int other)
{
	struct coroutine *own = &coroutines[running];

	switch (event) {
	case GO_ON:
		return;
	case PREEMPT:
		budget.preempt--;
		if (replaying)
			printf("  -- context %u runs\n", other);
		yield_to(other);
		return;
	case NEST:
		budget.nest--;
		own->nested = true;
		if (replaying)
			printf("  -- a handler in context %u\n", running);
		client->handler(running);
		if (replaying)
			printf("  -- the handler returns\n");
		own->nested = false;
		return;
	case DIE:
		budget.death--;
		deaths++;
		if (replaying)
			printf("  -- context %u dies\n", running);
		leave(DEAD);
	}
}

static unsigned int
wish_event(const enum event *events, unsigned int count)
{
	unsigned int i, at;

	if (!budget.random)
		return 0;
	at = roll() % count;
	for (i = 0; i < count; i++, at = (at + 1) % count) {
		if ((events[at] == PREEMPT && lucky(odds_switch)) ||
		    (events[at] == NEST && lucky(32)) ||
		    (events[at] == DIE && lucky(64)))
			return at;
	}
	return 0;
}

static void
before_operation(void)
{
	enum event events[MODEL_CONTEXTS + 3];
	unsigned int others[MODEL_CONTEXTS + 3], count = 0, i;

	if (++operations > OPERATIONS_MAX)
		model_fail(__FILE__, __LINE__, "it does not end");
	if (mode == PLAIN || !in_context)
		return;
	others[count] = running;
	events[count++] = GO_ON;
	for (i = 0; budget.preempt != 0 && i < context_count; i++) {
		if (i == running || coroutines[i].state != READY)
			continue;
		others[count] = i;
		events[count++] = PREEMPT;
	}
	if (budget.nest != 0 && (client->interruptible >> running & 1) != 0 &&
	    !coroutines[running].nested)
		events[count++] = NEST;
	if (budget.death != 0 && (client->mortal >> running & 1) != 0)
		events[count++] = DIE;
	if (count == 1)
		return;
	i = choose(count, wish_event(events, count));
	happen(events[i], others[i]);
}

/* ------------------------------------------------------------------------- */
/* Operations. */

static size_t
offset_of(const void *word)
{
	uintptr_t at = (uintptr_t)word - (uintptr_t)model_arena;

	if (at >= MODEL_ARENA_BYTES || at % 4 != 0)
		model_fail(__FILE__, __LINE__, "a word outside of the log");
	return at;
}

static enum model_order
order_at(enum model_kind kind, enum model_order order, const char *where,
    const char *function)
{
	return model_site(where, function, kind, order)->off ? MODEL_RELAXED :
							       order;
}

static void
show(const char *what, const char *where, const char *function,
    const void *word, unsigned long value, unsigned long more)
{
	char name[40] = "";

	if (!replaying)
		return;
	if (word != NULL)
		harness_name(name, sizeof(name), offset_of(word));
	printf("  %c%-5s %-18s %#lx", in_context ? '0' + (char)running : '-',
	    what, name, value);
	if (more != 0)
		printf(" %+ld", (long)more);
	printf("  (%s %s)\n", where, function);
}

static unsigned long
plain_load(const void *word, size_t bytes)
{
	unsigned long value;
	uint32_t half;

	if (bytes == sizeof(half)) {
		memcpy(&half, word, sizeof(half));
		return half;
	}
	memcpy(&value, word, sizeof(value));
	return value;
}

static void
plain_store(void *word, size_t bytes, unsigned long value)
{
	uint32_t half = (uint32_t)value;

	if (bytes == sizeof(half))
		memcpy(word, &half, sizeof(half));
	else
		memcpy(word, &value, sizeof(value));
}

unsigned long
model_load(const void *word, size_t bytes, enum model_order order,
    const char *where, const char *function)
{
	size_t offset = offset_of(word);
	unsigned long value;

	order = order_at(MODEL_OPERATION, order, where, function);
	before_operation();
	value = mode == WEAK ? model_weak_load(offset, word, bytes, order) :
			       plain_load(word, bytes);
	show("load", where, function, word, value, 0);
	return value;
}

void
model_store(void *word, size_t bytes, unsigned long value,
    enum model_order order, const char *where, const char *function)
{
	size_t offset = offset_of(word);

	order = order_at(MODEL_OPERATION, order, where, function);
	before_operation();
	if (mode == WEAK)
		model_weak_store(offset, word, bytes, value, order);
	else
		plain_store(word, bytes, value);
	show("store", where, function, word, value, 0);
}

unsigned long
model_add(void *word, unsigned long add, enum model_order order,
    const char *where, const char *function)
{
	size_t offset = offset_of(word);
	unsigned long old;

	order = order_at(MODEL_OPERATION, order, where, function);
	before_operation();
	if (mode == WEAK) {
		old = model_weak_add(offset, word, add, order);
	} else {
		old = plain_load(word, sizeof(add));
		plain_store(word, sizeof(add), old + add);
	}
	show("add", where, function, word, old, add);
	harness_watch(word, old, old + add);
	return old;
}

bool
model_cas(void *word, unsigned long from, unsigned long to,
    enum model_order order, const char *where, const char *function)
{
	size_t offset = offset_of(word);
	unsigned long found;

	order = order_at(MODEL_OPERATION, order, where, function);
	before_operation();
	if (mode == WEAK) {
		model_weak_cas(offset, word, from, to, order, &found);
	} else {
		found = plain_load(word, sizeof(to));
		if (found == from)
			plain_store(word, sizeof(to), to);
	}
	show(found == from ? "cas" : "cas no", where, function, word, found,
	    found == from ? to - from : 0);
	if (found == from)
		harness_watch(word, from, to);
	return found == from;
}

void
model_fence(enum model_order order, const char *where, const char *function)
{
	order = order_at(MODEL_FENCE, order, where, function);
	before_operation();
	if (mode == WEAK)
		model_weak_fence(order);
	show("fence", where, function, NULL, order, 0);
}

bool
model_check(bool condition, const char *where, const char *function)
{
	return condition ||
	    model_site(where, function, MODEL_CHECK, MODEL_RELAXED)->off;
}

uint64_t
model_known(void)
{
	return mode == WEAK ? model_weak_known() : UINT64_MAX;
}

void
model_learn(uint64_t events)
{
	if (mode == WEAK)
		model_weak_learn(events);
}

bool
model_is_weak(void)
{
	return budget.weak;
}

unsigned int
model_deaths(void)
{
	return deaths;
}

unsigned int
model_context(void)
{
	return running;
}

void
model_fail(const char *file, int line, const char *message)
{
	failed = true;
	snprintf(failure, sizeof(failure), "%s:%d: %s", file, line, message);
	if (in_context)
		leave(DEAD);
	if (in_execution)
		_longjmp(execution, 1);
	fprintf(stderr, "%s\n", failure);
	exit(1);
}

/* ------------------------------------------------------------------------- */
/* One execution, and all of them. */

static unsigned int
pick_ready(void)
{
	unsigned int ready[MODEL_CONTEXTS], count = 0, i;

	for (i = 0; i < context_count; i++) {
		if (coroutines[i].state == READY)
			ready[count++] = i;
	}
	if (count < 2)
		return count == 0 ? MODEL_CONTEXTS : ready[0];
	i = ready[choose(count, budget.random ? roll() % count : 0)];
	if (replaying)
		printf("  -- context %u runs\n", i);
	return i;
}

static void
run_contexts(bool weak)
{
	mode = weak ? WEAK : SEQUENTIAL;
	while (!failed && (next_context = pick_ready()) != MODEL_CONTEXTS) {
		do
			enter(next_context);
		while (!failed && coroutines[running].state == READY);
	}
	mode = PLAIN;
	if (weak)
		model_memory_flush();
}

static void
execute(const struct model_bounds *bounds)
{
	unsigned int i;

	choice_count = 0;
	operations = 0;
	deaths = 0;
	failed = false;
	budget = *bounds;
	for (i = 0; i < MODEL_CONTEXTS; i++) {
		coroutines[i].state = READY;
		coroutines[i].entered = false;
		coroutines[i].nested = false;
	}
	mode = PLAIN;
	memset(model_arena, 0, sizeof(model_arena));
	in_execution = true;
	if (_setjmp(execution) == 0) {
		if (bounds->weak)
			model_memory_reset();
		client->setup();
		run_contexts(bounds->weak);
		if (!failed)
			client->finish();
	}
	in_execution = false;
	mode = PLAIN;
}

static void
print_choices(const struct model_bounds *bounds)
{
	unsigned int i, run;

	while (choice_count > 0 && choices[choice_count - 1].taken == 0)
		choice_count--;
	printf("LPK_REPLAY=%s:%c%u.%u.%u.%u.%u:", client->name,
	    bounds->weak ? 'w' : 's', bounds->preempt, bounds->nest,
	    bounds->death, bounds->stale, bounds->early);
	for (i = 0; i < choice_count; i += run) {
		for (run = 1; i + run < choice_count &&
		     choices[i + run].taken == choices[i].taken;)
			run++;
		printf(run == 1 ? "%s%u" : "%s%ux%u", i == 0 ? "" : ",",
		    choices[i].taken, run);
	}
	printf("\n");
}

static void
start(const struct model_client *which)
{
	client = which;
	make_coroutines();
	context_count = 0;
	while (context_count < MODEL_CONTEXTS &&
	    client->context[context_count] != NULL)
		context_count++;
	choice_limit = 0;
}

/* Each walk has its own temper: restless or steady, up to date or not. */
static void
seed_walk(uint64_t seed)
{
	static const unsigned int switches[] = {2, 6, 20, 60};
	static const unsigned int stales[] = {2, 3, 8, 0};
	static const unsigned int earlies[] = {2, 4, 12, 0};

	random_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
	roll();
	odds_switch = switches[roll() % 4];
	odds_stale = stales[roll() % 4];
	odds_early = earlies[roll() % 4];
}

struct model_result
model_explore(const struct model_client *which,
    const struct model_bounds *bounds, bool quiet)
{
	struct model_result result = {0};

	start(which);
	for (;;) {
		if (bounds->random) {
			choice_limit = 0;
			seed_walk(bounds->seed + result.executions);
		}
		execute(bounds);
		result.executions++;
		if (failed)
			break;
		if (!bounds->random && !next_choices()) {
			result.complete = true;
			return result;
		}
		if (result.executions == bounds->executions)
			return result;
	}
	result.failed = true;
	snprintf(result.message, sizeof(result.message), "%s", failure);
	if (!quiet) {
		printf("FAILED %s, execution %llu: %s\n", client->name,
		    (unsigned long long)result.executions, failure);
		print_choices(bounds);
	}
	return result;
}

/* Choices as print_choices() wrote them. */
static void
parse_choices(const char *text)
{
	unsigned int taken, run;
	char *end;

	choice_limit = 0;
	while (*text != '\0') {
		taken = (unsigned int)strtoul(text, &end, 10);
		run = 1;
		if (*end == 'x')
			run = (unsigned int)strtoul(end + 1, &end, 10);
		while (run-- != 0 && choice_limit < CHOICES_MAX)
			choices[choice_limit++].taken = (uint8_t)taken;
		if (end == text)
			break;
		text = *end == ',' ? end + 1 : end;
	}
}

int
model_replay(const struct model_client *const *clients, size_t client_count)
{
	const char *text = getenv("LPK_REPLAY");
	struct model_bounds bounds = {0};
	char name[64], kind;
	int used = 0;
	size_t i;

	if (text == NULL)
		return -1;
	if (sscanf(text, "%63[^:]:%c%u.%u.%u.%u.%u:%n", name, &kind,
		&bounds.preempt, &bounds.nest, &bounds.death, &bounds.stale,
		&bounds.early, &used) < 7) {
		printf("LPK_REPLAY: not what a failing run printed\n");
		return 1;
	}
	bounds.weak = kind == 'w';
	for (i = 0; i < client_count; i++) {
		if (strcmp(clients[i]->name, name) != 0)
			continue;
		start(clients[i]);
		parse_choices(text + used);
		replaying = true;
		execute(&bounds);
		replaying = false;
		printf("%s\n", failed ? failure : "no failure");
		return failed;
	}
	printf("LPK_REPLAY: no client %s\n", name);
	return 1;
}
