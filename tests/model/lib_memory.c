/* SPDX-License-Identifier: MIT */
/*
 * lib_memory.c - the weak memory of machine.h: messages, views and fences.
 */
#include "machine.h"

#include <string.h>

/* Locations that one execution may touch, and messages for each. */
#define LOCATIONS 256
#define MESSAGES 128
#define VIEWS 2048
/* Time between two messages; others can be placed in between. */
#define STEP 64

/* How far each location is seen, and which events are known. */
struct view {
	uint64_t known;
	int16_t time[LOCATIONS];
};

struct message {
	unsigned long value;
	const struct view *view; /* NULL: publishes nothing but itself */
	int16_t time;
	bool taken; /* a read-modify-write stands right behind it */
};

struct location {
	void *word;
	size_t bytes;
	unsigned int count;
	struct message message[MESSAGES]; /* in modification order */
};

struct context {
	struct view current;
	struct view acquirable;
	const struct view *released; /* by the last release fence */
};

static struct location locations[LOCATIONS];
static unsigned int location_count;
static uint16_t location_of[MODEL_ARENA_BYTES / 4]; /* + 1; 0: untouched */
static struct view views[VIEWS];
static unsigned int view_count;
static struct context contexts[MODEL_CONTEXTS];
static struct context *me;
static struct view full_fences; /* what seq_cst fences have passed on */

void
model_memory_reset(void)
{
	unsigned int i;

	memset(location_of, 0, sizeof(location_of));
	location_count = 0;
	view_count = 0;
	for (i = 0; i < MODEL_CONTEXTS; i++)
		contexts[i] = (struct context){0};
	full_fences = (struct view){0};
	me = &contexts[0];
}

void
model_memory_context(unsigned int context)
{
	me = &contexts[context];
}

static void
put_value(void *word, size_t bytes, unsigned long value)
{
	uint32_t half = (uint32_t)value;

	if (bytes == sizeof(half))
		memcpy(word, &half, sizeof(half));
	else
		memcpy(word, &value, sizeof(value));
}

void
model_memory_flush(void)
{
	unsigned int i;

	for (i = 0; i < location_count; i++) {
		struct location *at = &locations[i];

		put_value(
		    at->word, at->bytes, at->message[at->count - 1].value);
	}
}

static unsigned int
find_location(size_t offset, const void *word, size_t bytes)
{
	struct location *at;
	uint32_t half;

	if (location_of[offset / 4] != 0)
		return location_of[offset / 4] - 1u;
	if (location_count == LOCATIONS)
		model_fail(__FILE__, __LINE__, "more locations than LOCATIONS");
	at = &locations[location_count++];
	location_of[offset / 4] = (uint16_t)location_count;
	/* The arena is not const; a load hands in what it may only read. */
	at->word = model_arena + offset;
	at->bytes = bytes;
	at->count = 1;
	at->message[0] = (struct message){0};
	if (bytes == sizeof(half)) {
		memcpy(&half, word, sizeof(half));
		at->message[0].value = half;
	} else {
		memcpy(&at->message[0].value, word, sizeof(unsigned long));
	}
	return location_count - 1;
}

static void
join(struct view *restrict to, const struct view *restrict from)
{
	unsigned int i;

	to->known |= from->known;
	for (i = 0; i < LOCATIONS; i++)
		to->time[i] =
		    to->time[i] > from->time[i] ? to->time[i] : from->time[i];
}

static struct view *
snapshot(const struct view *view)
{
	if (view_count == VIEWS)
		model_fail(__FILE__, __LINE__, "more views than VIEWS");
	views[view_count] = *view;
	return &views[view_count++];
}

static void
see(unsigned int at, const struct message *message, bool acquire)
{
	if (me->current.time[at] < message->time)
		me->current.time[at] = message->time;
	if (me->acquirable.time[at] < message->time)
		me->acquirable.time[at] = message->time;
	if (message->view == NULL)
		return;
	join(&me->acquirable, message->view);
	if (acquire)
		join(&me->current, message->view);
}

/* The oldest message that this context may still read. */
static unsigned int
oldest(unsigned int at)
{
	const struct location *location = &locations[at];
	unsigned int i = location->count - 1;

	while (i > 0 && location->message[i - 1].time >= me->current.time[at])
		i--;
	return i;
}

/* Is there a time between a message and the next one? */
static bool
has_room(const struct location *location, unsigned int i)
{
	return i + 1 == location->count ||
	    location->message[i + 1].time - location->message[i].time > 1;
}

static struct message *
insert_behind(unsigned int at, unsigned int i, unsigned long value)
{
	struct location *location = &locations[at];
	struct message *message = &location->message[i + 1];
	int time;

	if (location->count == MESSAGES)
		model_fail(__FILE__, __LINE__, "more messages than MESSAGES");
	if (i + 1 == location->count) {
		time = location->message[i].time + STEP;
		/* Whole steps, so that there is room in between again. */
		time -= time % STEP;
	} else {
		time = (location->message[i].time + message->time) / 2;
		memmove(message + 1, message,
		    (location->count - i - 1) * sizeof(*message));
	}
	location->count++;
	*message = (struct message){.value = value, .time = (int16_t)time};
	me->current.time[at] = (int16_t)time;
	if (me->acquirable.time[at] < time)
		me->acquirable.time[at] = (int16_t)time;
	return message;
}

unsigned long
model_weak_load(
    size_t offset, const void *word, size_t bytes, enum model_order order)
{
	unsigned int at = find_location(offset, word, bytes);
	const struct location *location = &locations[at];
	unsigned int last = location->count - 1;
	unsigned int pick = model_choose(MODEL_STALE, last - oldest(at) + 1);

	see(at, &location->message[last - pick], order == MODEL_ACQUIRE);
	return location->message[last - pick].value;
}

void
model_weak_store(size_t offset, void *word, size_t bytes, unsigned long value,
    enum model_order order)
{
	unsigned int at = find_location(offset, word, bytes);
	const struct location *location = &locations[at];
	unsigned int i, pick, count = 0, first = oldest(at);
	uint8_t place[MESSAGES];
	struct message *message;

	for (i = location->count; i-- > first;) {
		if (!location->message[i].taken && has_room(location, i))
			place[count++] = (uint8_t)i;
	}
	pick = model_choose(MODEL_EARLY, count);
	message = insert_behind(at, place[pick], value);
	message->view =
	    order == MODEL_RELEASE ? snapshot(&me->current) : me->released;
}

/* The write half of a read-modify-write of message i. */
static void
modify(unsigned int at, unsigned int i, unsigned long value)
{
	struct location *location = &locations[at];
	const struct view *base = location->message[i].view;
	struct message *message;
	struct view *both;

	location->message[i].taken = true;
	message = insert_behind(at, i, value);
	message->view = base != NULL ? base : me->released;
	if (base != NULL && me->released != NULL && base != me->released) {
		both = snapshot(base);
		join(both, me->released);
		message->view = both;
	}
}

unsigned long
model_weak_add(
    size_t offset, void *word, unsigned long add, enum model_order order)
{
	unsigned int at = find_location(offset, word, sizeof(add));
	const struct location *location = &locations[at];
	unsigned int i, pick, count = 0, first = oldest(at);
	uint8_t place[MESSAGES];
	unsigned long found;

	for (i = location->count; i-- > first;) {
		if (!location->message[i].taken && has_room(location, i))
			place[count++] = (uint8_t)i;
	}
	pick = place[model_choose(MODEL_STALE, count)];
	found = location->message[pick].value;
	see(at, &location->message[pick], order == MODEL_ACQUIRE);
	modify(at, pick, found + add);
	return found;
}

bool
model_weak_cas(size_t offset, void *word, unsigned long from, unsigned long to,
    enum model_order order, unsigned long *found)
{
	unsigned int at = find_location(offset, word, sizeof(to));
	const struct location *location = &locations[at];
	unsigned int i, pick, count = 0, first = oldest(at);
	uint8_t place[MESSAGES];

	for (i = location->count; i-- > first;) {
		if (location->message[i].value != from ||
		    (!location->message[i].taken && has_room(location, i)))
			place[count++] = (uint8_t)i;
	}
	pick = place[model_choose(MODEL_STALE, count)];
	*found = location->message[pick].value;
	see(at, &location->message[pick],
	    *found == from && order == MODEL_ACQUIRE);
	if (*found != from)
		return false;
	modify(at, pick, to);
	return true;
}

void
model_weak_fence(enum model_order order)
{
	if (order == MODEL_ACQUIRE || order == MODEL_FULL)
		me->current = me->acquirable;
	if (order == MODEL_FULL) {
		join(&full_fences, &me->current);
		join(&me->current, &full_fences);
		join(&me->acquirable, &full_fences);
	}
	if (order == MODEL_RELEASE || order == MODEL_FULL)
		me->released = snapshot(&me->current);
}

uint64_t
model_weak_known(void)
{
	return me->current.known;
}

void
model_weak_learn(uint64_t events)
{
	me->current.known |= events;
	me->acquirable.known |= events;
}
