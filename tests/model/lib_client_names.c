/* SPDX-License-Identifier: MIT */
/*
 * lib_client_names.c - the names of threads: two callers who share a place note
 * theirs, a third context reads a name whole or not at all.
 */
#include "harness.h"

#include <core/names.h>
#include <lpk/port.h>

#include <string.h>

#define ONE 1u
#define OTHER (ONE + LPK_NAMES_MAX) /* falls on the same place */

void
lpk_port_thread_name(char name[LPK_THREAD_NAME_BYTES])
{
	memset(name, 'a' + (int)model_context(), LPK_THREAD_NAME_BYTES - 1);
	name[LPK_THREAD_NAME_BYTES - 1] = '\0';
}

static void
note_one(void)
{
	lpk__name_note(lpk_default_log(), ONE);
}

static void
note_other(void)
{
	lpk__name_note(lpk_default_log(), OTHER);
}

static void
note_one_again(void)
{
	note_one();
	note_one();
}

/* Context 0 is one, context 1 the other. */
static void
find_both(void)
{
	char name[LPK_THREAD_NAME_BYTES];
	size_t length, i;

	lpk__name_find(lpk_default_log(), ONE, name);
	length = strlen(name);
	MODEL_ASSERT(length == 0 || length == LPK_THREAD_NAME_BYTES - 1);
	for (i = 0; i < length; i++)
		MODEL_ASSERT(name[i] == 'a' && "a torn name");
	lpk__name_find(lpk_default_log(), OTHER, name);
	length = strlen(name);
	MODEL_ASSERT(length == 0 || length == LPK_THREAD_NAME_BYTES - 1);
	for (i = 0; i < length; i++)
		MODEL_ASSERT(name[i] == 'b' && "a torn name");
}

static void
setup(void)
{
	ring(2, 1, 1);
}

const struct model_client names_client = {
    .name = "names",
    .setup = setup,
    .context = {note_one, note_other, find_both},
    .finish = find_both,
};

/*
 * A caller whose place is taken by another one between two notes. Not in the
 * plan of schedules.c: the place has no generation, so a reader that sleeps
 * over both may mix the names (LPK_REPLAY=renamed:s3.0.0.0.0:0x7,2,0x2,2,0x6,1,0,1).
 */
const struct model_client renamed_client = {
    .name = "renamed",
    .setup = setup,
    .context = {note_one_again, note_other, find_both},
    .finish = find_both,
};
