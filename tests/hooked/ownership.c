/* SPDX-License-Identifier: MIT */
/*
 * ownership.c - the word that says who owns a console: every transition from
 * every state against a model of it, and each of them interrupted before and
 * after each of its atomic operations by a handler that changes the word too,
 * as another thread would, or as a handler on top of the owner does.
 *
 * The model knows states as fields and not as bits, and has no steps: what an
 * interrupted operation did must be what it does before the handler's or after
 * it. A wait is made of many steps; of it the invariants are asserted.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lpk/port.h>

#include "core/owner.h"
#include "lib_book.h"
#include "lib_hook.h"

/* A word, taken apart. */
struct state {
	int prio;
	int waits;
	bool unsafe;
	bool forced;
	uint32_t thread;
	unsigned long generation;
};

enum op { TRY, WAIT, SEIZE, RELEASE, PROCEED, EXIT, ENTER, COME, GO };

struct act {
	enum op op;
	int prio;            /* of who asks */
	unsigned int rounds; /* WAIT */
	bool reserved;       /* TRY: by who waits already */
	uint32_t thread;     /* who asks */
	bool lets_go;        /* at once, if it got it */
};

/* Results: of enum lpk__got, or false and true. */
struct outcome {
	int result;
	struct state state;
};

#define GENERATIONS (~0ul >> 28)
/* Steps of one operation, whatever happened; 32-bit places are no fewer. */
#define STEPS_TRY 80
#define STEPS_ROUND 100
/* More rounds than these nobody waits for a reservation. */
#define ROUNDS_RESERVED 40
/* Of the places of a handler that is interrupted itself, one in so many. */
#define DEEP 7

static uint32_t self, other, third, gone;
static unsigned int pauses;
static struct lpk__owner owner;
static struct lpk__hold first; /* of the owner at the start */
static uint64_t runs, transitions, deep_runs;

/* In place of the port's: nobody gets on meanwhile but who interrupts. */
void
lpk_port_pause(unsigned int round)
{
	(void)round;
	pauses++;
}

static unsigned long
word_of(const struct state *state)
{
	return (unsigned long)state->prio | (unsigned long)state->waits << 2 |
	    (unsigned long)state->unsafe << 4 |
	    (unsigned long)state->forced << 5 |
	    (unsigned long)state->thread << 6 | state->generation << 28;
}

static struct state
state_of(unsigned long word)
{
	return (struct state){
	    .prio = (int)(word & 3),
	    .waits = (int)(word >> 2 & 3),
	    .unsafe = (word >> 4 & 1) != 0,
	    .forced = (word >> 5 & 1) != 0,
	    .thread = (uint32_t)(word >> 6 & 0x3fffff),
	    .generation = word >> 28,
	};
}

static bool
same(const struct state *a, const struct state *b)
{
	return word_of(a) == word_of(b);
}

/* ------------------------------------------------------------------------
 * The model.
 */

static struct state
taken(struct state state, int prio, uint32_t thread)
{
	if (state.waits <= prio)
		state.waits = 0;
	state.prio = prio;
	state.unsafe = true;
	state.thread = thread;
	state.generation = (state.generation + 1) & GENERATIONS;
	return state;
}

static struct state
free_again(struct state state)
{
	state.prio = 0;
	state.unsafe = false;
	state.thread = 0;
	return state;
}

static struct outcome
model_try(struct state state, const struct act *act)
{
	struct outcome busy = {LPK__BUSY, state};

	if (state.prio == 0 && state.waits > act->prio)
		return busy;
	if (state.prio == 0 && state.waits == act->prio && !act->reserved)
		return busy;
	if (state.prio != 0 && (state.unsafe || state.prio >= act->prio)) {
		if (state.thread == act->thread)
			busy.result = LPK__OURS;
		return busy;
	}
	return (struct outcome){LPK__GOT, taken(state, act->prio, act->thread)};
}

/* When nobody else does anything meanwhile. */
static struct outcome
model_wait(struct state state, const struct act *act)
{
	struct act asks = *act;
	struct outcome at_once;
	struct state next;

	asks.reserved = false;
	at_once = model_try(state, &asks);
	if (at_once.result != LPK__BUSY)
		return at_once;
	if (state.prio == 0) {
		/* Who has it reserved does not come. */
		state.waits = 0;
		return model_try(state, &asks);
	}
	if (state.thread == gone) {
		next = taken(state, act->prio, act->thread);
		next.forced |= state.unsafe;
		return (struct outcome){LPK__GOT, next};
	}
	/* It was asked for, and nobody asks any more. */
	if (act->rounds != 0 && act->prio > state.prio &&
	    act->prio > state.waits)
		state.waits = 0;
	return (struct outcome){LPK__BUSY, state};
}

static struct outcome
model_owner(struct state state, const struct act *act, bool ours)
{
	struct outcome no = {false, state}, yes = {true, state};
	bool wanted = state.waits > state.prio;

	if (!ours)
		return no;
	no.state = free_again(state);
	switch (act->op) {
	case RELEASE:
		yes.state = free_again(state);
		return yes;
	case PROCEED:
		return wanted && !state.unsafe ? no : yes;
	case EXIT:
		yes.state.unsafe = false;
		return yes;
	default:
		yes.state.unsafe = true;
		return wanted ? no : yes;
	}
}

static bool
is_first(const struct state *state)
{
	return state->prio != 0 && first.owner != NULL &&
	    (word_of(state) & ~0x3cul) == first.mine;
}

static struct outcome
model(struct state state, const struct act *act)
{
	struct state next;

	switch (act->op) {
	case TRY:
		return model_try(state, act);
	case WAIT:
		return model_wait(state, act);
	case SEIZE:
		next = taken(state, act->prio, act->thread);
		next.waits = 0;
		next.forced |= state.unsafe;
		return (struct outcome){LPK__GOT, next};
	case COME:
		if (state.prio != 0 && state.prio < act->prio &&
		    state.waits < act->prio)
			state.waits = act->prio;
		return (struct outcome){true, state};
	case GO:
		state.waits = 0;
		return (struct outcome){true, state};
	default:
		return model_owner(state, act, is_first(&state));
	}
}

static bool
acquires(const struct act *act)
{
	return act->op == TRY || act->op == WAIT || act->op == SEIZE;
}

/* The model, and the release that follows in the same breath. */
static struct outcome
model_whole(struct state state, const struct act *act)
{
	struct outcome outcome = model(state, act);

	if (acquires(act) && act->lets_go && outcome.result == LPK__GOT)
		outcome.state = free_again(outcome.state);
	return outcome;
}

/* ------------------------------------------------------------------------
 * The real thing.
 */

static unsigned long
look(void)
{
	return __atomic_load_n(&owner.word, __ATOMIC_RELAXED);
}

static void
put(unsigned long word)
{
	__atomic_store_n(&owner.word, word, __ATOMIC_RELAXED);
}

static int
perform(const struct act *act, struct lpk__hold *hold)
{
	uint32_t caller =
	    act->thread == self ? self | LPK_CALLER_HANDLER : act->thread;
	enum lpk__prio prio = (enum lpk__prio)act->prio;
	struct outcome outcome;

	switch (act->op) {
	case TRY:
		hold->waiting = act->reserved;
		return (int)lpk__owner_try(&owner, hold, prio, caller);
	case WAIT:
		return (int)lpk__owner_wait(
		    &owner, hold, prio, caller, act->rounds);
	case SEIZE:
		lpk__owner_seize(&owner, hold, prio, caller);
		return LPK__GOT;
	case RELEASE:
		return lpk__owner_release(hold);
	case PROCEED:
		return lpk__owner_can_proceed(hold);
	case EXIT:
		return lpk__owner_exit_unsafe(hold);
	case ENTER:
		return lpk__owner_enter_unsafe(hold);
	default:
		/* Others who ask and give up, one step each. */
		outcome = model(state_of(look()), act);
		put(word_of(&outcome.state));
		return outcome.result;
	}
}

static int
perform_whole(const struct act *act, struct lpk__hold *hold)
{
	int result = perform(act, hold);

	if (acquires(act) && act->lets_go && result == LPK__GOT)
		lpk__owner_release(hold);
	return result;
}

/* What an owner who still is one, or is not, is told from here on. */
static void
check_next(const struct lpk__hold *hold, bool ours)
{
	static const enum op ops[] = {PROCEED, EXIT, ENTER, RELEASE};
	unsigned long before = look();
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct act act = {.op = ops[i]};
		struct lpk__hold copy = *hold;
		struct outcome want = model_owner(state_of(before), &act, ours);
		int result = perform(&act, &copy);

		if (result != want.result || look() != word_of(&want.state))
			book_fail("operation %d says %d, %#lx becomes %#lx",
			    (int)act.op, result, before, look());
		put(before);
	}
}

static void
begin(const struct state *state)
{
	put(word_of(state));
	first = (struct lpk__hold){0};
	if (state->prio == 0)
		return;
	first.owner = &owner;
	first.mine = word_of(state) & ~0x3cul;
	first.prio = (uint8_t)state->prio;
}

static void
at(const struct state *state, const struct act *act, const struct act *inner,
    uint32_t place, uint32_t top)
{
	book_at("prio %d waits %d unsafe %d of %u, operation %d prio %d by %u "
		"(rounds %u, reserved %d), handler's %d prio %d by %u (%d), "
		"places %u %d",
	    state->prio, state->waits, state->unsafe, state->thread,
	    (int)act->op, act->prio, act->thread, act->rounds, act->reserved,
	    inner != NULL ? (int)inner->op : -1,
	    inner != NULL ? inner->prio : 0, inner != NULL ? inner->thread : 0,
	    inner != NULL ? inner->lets_go : 0, place, (int)top);
}

/* ------------------------------------------------------------------------
 * One after the other.
 */

static void
walk_one(const struct state *state, const struct act *act)
{
	const struct hook_plan never = {
	    {HOOK_NEVER, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};
	struct outcome want;
	struct lpk__hold hold = {0};
	uint32_t steps;
	bool owned;
	int result;

	transitions++;
	at(state, act, NULL, 0, 0);
	begin(state);
	want = model(*state, act);
	if (!acquires(act))
		hold = first;
	pauses = 0;
	hook_begin(&never);
	result = perform(act, &hold);
	steps = hook_end();
	book_check(pauses <= act->rounds + ROUNDS_RESERVED);
	if (result != want.result || look() != word_of(&want.state))
		book_fail("%d and not %d, %#lx became %#lx and not %#lx",
		    result, want.result, word_of(state), look(),
		    word_of(&want.state));
	if (acquires(act)) {
		owned = state->prio != 0;
		if (result == LPK__GOT) {
			book_check(look() == (hold.mine | (look() & 0x3c)));
			book_check(hold.prio == act->prio && !hold.waiting);
			/* By force: the owner has not agreed. */
			book_check(hold.forced ==
			    (owned &&
				(act->op == SEIZE ||
				    (act->op == WAIT && state->thread == gone &&
					(state->unsafe ||
					    state->prio >= act->prio)))));
			check_next(&hold, true);
		}
		if (owned)
			check_next(&first, result != LPK__GOT);
		book_check(hold.waiting == false || act->op == TRY);
	}
	book_check(steps <=
	    (act->op == WAIT ? (act->rounds + ROUNDS_RESERVED) * STEPS_ROUND :
			       STEPS_TRY));
}

/* All that can be asked of a state. */
static void
walk_state(const struct state *state)
{
	static const unsigned int rounds[] = {0, 1, 3, 4, 12};
	struct act act = {.thread = self};
	size_t i;

	for (act.prio = 1; act.prio <= 3; act.prio++) {
		for (i = 0; i < 2; i++) {
			act.op = TRY;
			act.reserved = i != 0;
			walk_one(state, &act);
		}
		act.reserved = false;
		act.op = SEIZE;
		walk_one(state, &act);
		act.op = WAIT;
		for (i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
			act.rounds = rounds[i];
			walk_one(state, &act);
		}
		act.rounds = 0;
	}
	act.prio = 0;
	for (i = RELEASE; i <= ENTER && state->prio != 0; i++) {
		act.op = (enum op)i;
		walk_one(state, &act);
	}
}

/* Calls a function with every state of a generation. */
static void
every_state(unsigned long generation, bool forced,
    void (*function)(const struct state *state))
{
	const uint32_t threads[] = {self, other, gone};
	struct state state;
	size_t i, unsafe;

	for (state.waits = 0; state.waits <= 3; state.waits++) {
		state = (struct state){.waits = state.waits,
		    .generation = generation,
		    .forced = forced};
		function(&state);
		for (i = 0; i < 9; i++) {
			state.prio = (int)(i / 3) + 1;
			state.thread = threads[i % 3];
			for (unsafe = 0; unsafe < 2; unsafe++) {
				state.unsafe = unsafe != 0;
				function(&state);
			}
		}
	}
}

/* ------------------------------------------------------------------------
 * One in the middle of the other.
 */

static struct {
	const struct act *act;
	struct lpk__hold hold;
	struct state before;
	struct state after;
	int result;
	bool ran;
} inner;

/* On top of that, one that is done at once. */
static const struct act *deep;
static bool deep_ran;

static void
on_hook(int level)
{
	struct lpk__hold *hold = &inner.hold, top = {0};

	if (level > 1) {
		deep_ran = true;
		perform_whole(deep, &top);
		return;
	}
	inner.ran = true;
	inner.before = state_of(look());
	if (!acquires(inner.act))
		hold = &first;
	inner.result = perform_whole(inner.act, hold);
	inner.after = state_of(look());
}

/* What the handler did is what it does when nothing is in the middle. */
static void
check_inner(void)
{
	struct outcome want = model_whole(inner.before, inner.act);

	if (inner.result != want.result || !same(&inner.after, &want.state))
		book_fail("the handler's says %d and not %d, %#lx became %#lx "
			  "and not %#lx",
		    inner.result, want.result, word_of(&inner.before),
		    word_of(&inner.after), word_of(&want.state));
}

static bool
explained(const struct outcome *one, int result)
{
	struct state now = state_of(look());

	return one->result == result && same(&one->state, &now);
}

/* One step each: either of the two came first. */
static void
check_order(const struct state *state, const struct act *act, int result)
{
	const struct act let_go = {.op = RELEASE};
	struct outcome outer = model(*state, act), after;
	struct outcome in = model_whole(outer.state, inner.act), last;

	after = (struct outcome){outer.result, in.state};
	if (in.result == inner.result && explained(&after, result))
		return;
	in = model_whole(*state, inner.act);
	last = model(in.state, act);
	if (in.result == inner.result && explained(&last, result))
		return;
	/* Who lets go for a waiter does so though it waits no longer. */
	if ((act->op == PROCEED || act->op == ENTER) && outer.result == false) {
		last = model(in.state, &let_go);
		last.result = false;
		if (in.result == inner.result && explained(&last, result))
			return;
	}
	book_fail("%d and in the handler %d, %#lx became %#lx: neither order "
		  "explains it",
	    result, inner.result, word_of(state), look());
}

static bool
would_get(const struct state *state, const struct act *act)
{
	struct act asks = *act;

	asks.op = TRY;
	return model_try(*state, &asks).result == LPK__GOT;
}

/* Many steps: what must be so whatever came when. */
static void
check_wait(const struct state *state, const struct act *act, int result)
{
	struct state now = state_of(look());

	if (result == LPK__GOT)
		return;
	/* Somebody else has it, or had it all the time. */
	book_check(now.prio == 0 || now.thread != act->thread ||
	    now.prio != act->prio || state->thread == act->thread ||
	    inner.act->thread == act->thread);
	book_check(!would_get(state, act) || !would_get(&inner.after, act));
}

static bool
is_ours(const struct lpk__hold *hold)
{
	return hold->owner != NULL && (look() & ~0x3cul) == hold->mine &&
	    (look() & 3) != 0;
}

/* At most one believes it, and each other one is told at its next check. */
static void
check_beliefs(const struct lpk__hold *hold, const struct act *act, int result)
{
	bool outer_got = acquires(act) && result == LPK__GOT;
	bool inner_got = acquires(inner.act) && inner.result == LPK__GOT;
	int owners = 0;

	if (first.owner != NULL) {
		owners += is_ours(&first);
		check_next(&first, is_ours(&first));
	}
	if (outer_got) {
		owners += is_ours(hold);
		check_next(hold, is_ours(hold));
		book_check(hold->mine != first.mine);
		/* Unless it was taken, and then by the handler. */
		book_check(is_ours(hold) || inner_got || deep_ran);
	}
	if (inner_got) {
		owners += is_ours(&inner.hold);
		check_next(&inner.hold, is_ours(&inner.hold));
		book_check(inner.hold.mine != first.mine);
		if (outer_got)
			book_check(inner.hold.mine != hold->mine);
	}
	book_check(owners == ((look() & 3) != 0));
}

/* Returns false when there is no such place. */
static bool
interrupt_at(const struct state *state, const struct act *act,
    const struct hook_plan *plan)
{
	struct lpk__hold hold = {0};
	uint32_t steps;
	int result;

	at(state, act, inner.act, plan->at[0], plan->at[1]);
	begin(state);
	memset(&inner.hold, 0, sizeof(inner.hold));
	inner.ran = false;
	deep_ran = false;
	if (!acquires(act))
		hold = first;
	hook_begin(plan);
	result = perform(act, &hold);
	steps = hook_end();
	if (!inner.ran)
		return false;
	runs++;
	deep_runs += deep_ran;
	if (!deep_ran) {
		check_inner();
		if (act->op == WAIT)
			check_wait(state, act, result);
		else
			check_order(state, act, result);
	}
	if (state->waits == 0 && inner.act->op != COME)
		book_check((look() & 0xc) == 0);
	check_beliefs(&hold, act, result);
	book_check(steps <=
	    (act->op == WAIT ? (act->rounds + ROUNDS_RESERVED) * STEPS_ROUND :
			       STEPS_TRY));
	return true;
}

/* One in so many places of the handler is interrupted by a panic. */
static void
interrupt_twice(
    const struct state *state, const struct act *act, uint32_t place)
{
	const struct act panic = {
	    .op = SEIZE, .prio = 3, .thread = self, .lets_go = true};
	const struct act waiter = {.op = WAIT,
	    .prio = 3,
	    .thread = self,
	    .rounds = 2,
	    .lets_go = true};
	struct hook_plan plan = {{place, 0, HOOK_NEVER, HOOK_NEVER}};

	for (plan.at[1] = (uint32_t)(runs % DEEP);; plan.at[1] += DEEP) {
		deep = plan.at[1] / DEEP % 2 ? &panic : &waiter;
		interrupt_at(state, act, &plan);
		if (!deep_ran)
			break;
	}
}

static void
interrupt_by(
    const struct state *state, const struct act *act, const struct act *by)
{
	struct hook_plan plan = {{0, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};

	inner.act = by;
	for (; interrupt_at(state, act, &plan); plan.at[0]++)
		interrupt_twice(state, act, plan.at[0]);
}

/* By everything that may run there. */
static void
interrupt(const struct state *state, const struct act *act)
{
	const uint32_t threads[] = {self, third};
	struct act by = {0};
	size_t i;
	int op;

	for (i = 0; i < 12; i++) {
		by = (struct act){.prio = (int)(i / 4) + 1,
		    .thread = threads[i % 2],
		    .rounds = 2,
		    /* A handler is done before who it interrupted goes on. */
		    .lets_go = i % 2 == 0 || i % 4 == 1};
		for (op = TRY; op <= SEIZE; op++) {
			/* By force: a panic, and nobody else. */
			if (op == SEIZE && by.prio != 3)
				continue;
			if (i % 4 == 2)
				continue;
			by.op = (enum op)op;
			interrupt_by(state, act, &by);
		}
		if (i % 4 != 0)
			continue;
		by.op = COME;
		interrupt_by(state, act, &by);
	}
	by = (struct act){.op = GO};
	interrupt_by(state, act, &by);
	/* The owner itself, on another CPU. */
	for (op = RELEASE; op <= ENTER; op++) {
		if (state->prio == 0 || state->thread != other ||
		    !acquires(act))
			continue;
		by = (struct act){.op = (enum op)op};
		interrupt_by(state, act, &by);
	}
}

static void
interrupt_state(const struct state *state)
{
	struct act act = {.thread = self};
	int op;

	for (act.prio = 1; act.prio <= 3; act.prio++) {
		act.op = TRY;
		act.reserved = false;
		interrupt(state, &act);
		act.reserved = true;
		interrupt(state, &act);
		act.reserved = false;
		act.op = SEIZE;
		interrupt(state, &act);
		/* Nobody has it, for long: a wait for the one who should. */
		if (state->prio == 0 && state->waits >= act.prio)
			continue;
		act.op = WAIT;
		act.rounds = 5;
		interrupt(state, &act);
		act.rounds = 0;
	}
	if (state->prio == 0 || state->thread != self)
		return;
	act.prio = 0;
	for (op = RELEASE; op <= ENTER; op++) {
		act.op = (enum op)op;
		interrupt(state, &act);
	}
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *
note_thread(void *argument)
{
	__atomic_store_n((uint32_t *)argument, (uint32_t)syscall(SYS_gettid),
	    __ATOMIC_RELEASE);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return NULL;
}

static uint32_t
make_thread(pthread_t *thread)
{
	uint32_t id = 0;

	book_check(pthread_create(thread, NULL, note_thread, &id) == 0);
	while (__atomic_load_n(&id, __ATOMIC_ACQUIRE) == 0)
		usleep(100);
	return id;
}

int
main(void)
{
	pthread_t threads[3];

	setvbuf(stdout, NULL, _IOLBF, 0);
	self = (uint32_t)syscall(SYS_gettid);
	gone = make_thread(&threads[0]);
	pthread_join(threads[0], NULL);
	while (lpk_port_alive(gone))
		usleep(100);
	pthread_mutex_lock(&gate);
	other = make_thread(&threads[1]);
	third = make_thread(&threads[2]);
	hook_signal(on_hook);
	every_state(7 & GENERATIONS, false, walk_state);
	every_state(GENERATIONS, true, walk_state);
	printf("%llu transitions\n", (unsigned long long)transitions);
	every_state(GENERATIONS - 1, false, interrupt_state);
	printf("%llu interrupted, %llu of them twice\n",
	    (unsigned long long)runs, (unsigned long long)deep_runs);
	book_check(transitions > 1000 && runs - deep_runs > 100000);
	book_check(deep_runs > 10000);
	pthread_mutex_unlock(&gate);
	pthread_join(threads[1], NULL);
	pthread_join(threads[2], NULL);
	return 0;
}
