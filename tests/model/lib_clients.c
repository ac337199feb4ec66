/* SPDX-License-Identifier: MIT */
/*
 * lib_clients.c - the clients: who writes and reads what, on rings so small
 * that every block is recycled within a few records. What must hold is asserted
 * by the harness. Plain code with bounded loops.
 */
#include "harness.h"

static void
put_0(void)
{
	put(0, 0);
}

static void
put_0_twice(void)
{
	put(0, 0);
	put(0, 0);
}

static void
put_0_thrice(void)
{
	put_0_twice();
	put(0, 0);
}

static void
put_1(void)
{
	put(1, 0);
}

static void
put_1_twice(void)
{
	put(1, 0);
	put(1, 0);
}

static void
put_1_thrice(void)
{
	put_1_twice();
	put(1, 0);
}

static void
put_1_four_times(void)
{
	put_1_twice();
	put_1_twice();
}

static void
put_2(void)
{
	put(2, 0);
}

static void
put_1_in_lane_1(void)
{
	put(1, 1);
}

static void
put_1_in_lane_1_twice(void)
{
	put(1, 1);
	put(1, 1);
}

/* A handler is a writer of its own, in the lane of what it interrupts. */
static void
handler(unsigned int context)
{
	put(4 + context, 0);
}

static void
read_three(void)
{
	int i;

	for (i = 0; i < 3; i++)
		reader_step(0);
}

/* As a console would: what there is, then once more later. */
static void
read_late(void)
{
	reader_drain(0);
	time_pass();
	reader_drain(0);
	time_pass();
	reader_drain(0);
}

static void
two_blocks(void)
{
	ring(2, 1, 1);
	reader_open(0);
}

static void
three_blocks(void)
{
	ring(4, 1, 1);
	ring_pin(3);
	reader_open(0);
}

static void
two_lanes(void)
{
	ring(4, 2, 1);
	ring_pin(3);
	reader_open(0);
}

static void
two_record_blocks(void)
{
	ring(2, 1, 2);
	reader_open(0);
}

static void
near_overflow(void)
{
	ring(2, 1, 1);
	ring_near_overflow();
	reader_open(0);
}

/* Two writers in two blocks. */
static const struct model_client two_writers = {
    .name = "two_writers",
    .setup = two_blocks,
    .context = {put_0_twice, put_1_twice},
    .finish = settle,
};

static const struct model_client three_writers = {
    .name = "three_writers",
    .setup = two_blocks,
    .context = {put_0, put_1, put_2},
    .finish = settle,
};

static const struct model_client three_writers_three_blocks = {
    .name = "three_writers_three_blocks",
    .setup = three_blocks,
    .context = {put_0, put_1_twice, put_2},
    .finish = settle,
};

static const struct model_client nested = {
    .name = "nested",
    .setup = two_blocks,
    .context = {put_0_twice, put_1},
    .handler = handler,
    .interruptible = 3,
    .finish = settle,
};

static const struct model_client nested_three_blocks = {
    .name = "nested_three_blocks",
    .setup = three_blocks,
    .context = {put_0_twice, put_1},
    .handler = handler,
    .interruptible = 3,
    .finish = settle,
};

/* A reader is lapped by one writer. */
static const struct model_client lapped = {
    .name = "lapped",
    .setup = two_blocks,
    .context = {put_0_thrice, read_three},
    .finish = settle,
};

static const struct model_client read_two = {
    .name = "read_two",
    .setup = two_blocks,
    .context = {put_0_twice, put_1, read_three},
    .finish = settle,
};

/* Who takes the block over is not who fills it, while its old life is read. */
static void
handed_over_setup(void)
{
	two_blocks();
	put(2, 0);
	put(2, 0);
}

static void
read_one(void)
{
	reader_step(0);
}

static const struct model_client handed_over = {
    .name = "handed_over",
    .setup = handed_over_setup,
    .context = {read_one, put_0, put_1},
    .finish = settle,
};

/* More blocks to read than a reader merges at once. */
static void
backlog_setup(void)
{
	int i;

	ring(8, 2, 1);
	reader_open(0);
	for (i = 0; i < 3; i++) {
		put(2, 0);
		put(3, 1);
	}
}

static const struct model_client backlog = {
    .name = "backlog",
    .setup = backlog_setup,
    .context = {put_0_twice, put_1_in_lane_1, read_three},
    .finish = settle,
};

/* A log in zeroed memory, used by two at once. */
static void
first_use_setup(void)
{
	ring(2, 1, 1);
	ring_untouched();
	reader_open(0);
}

static const struct model_client first_use = {
    .name = "first_use",
    .setup = first_use_setup,
    .context = {put_0, put_1},
    .finish = settle,
};

static const struct model_client read_nested = {
    .name = "read_nested",
    .setup = two_blocks,
    .context = {put_0_twice, read_three},
    .handler = handler,
    .interruptible = 3,
    .finish = settle,
};

/* One may die anywhere; the other goes on, and so does who comes later. */
static const struct model_client dead = {
    .name = "dead",
    .setup = two_blocks,
    .context = {put_0, put_1_twice},
    .mortal = 1,
    .finish = settle,
};

static const struct model_client dead_read = {
    .name = "dead_read",
    .setup = three_blocks,
    .context = {put_0_twice, put_1, read_late},
    .mortal = 1,
    .finish = settle,
};

/* A writer sleeps over several lives of the block that it found. */
static const struct model_client sleeper = {
    .name = "sleeper",
    .setup = two_blocks,
    .context = {put_0, put_1_thrice},
    .finish = settle,
};

static const struct model_client sleeper_overflow = {
    .name = "sleeper_overflow",
    .setup = near_overflow,
    .context = {put_0_twice, put_1_four_times, read_three},
    .finish = settle,
};

/* A reservation straddles the end of a block that others still fill. */
static void
put_0_straddling(void)
{
	put(0, 0);
	put_large(0, 0);
}

static const struct model_client straddling = {
    .name = "straddling",
    .setup = two_record_blocks,
    .context = {put_0_straddling, put_1_twice},
    .finish = settle,
};

static const struct model_client straddling_read = {
    .name = "straddling_read",
    .setup = two_record_blocks,
    .context = {put_0_straddling, put_1, read_three},
    .finish = settle,
};

/* Unfinished records are passed over and come late. */
static const struct model_client late = {
    .name = "late",
    .setup = two_record_blocks,
    .context = {put_0_twice, put_1, read_late},
    .finish = settle,
};

/* Blocks on two lanes. */
static const struct model_client lanes = {
    .name = "lanes",
    .setup = two_lanes,
    .context = {put_0_twice, put_1_in_lane_1_twice},
    .finish = settle,
};

static const struct model_client lanes_read = {
    .name = "lanes_read",
    .setup = two_lanes,
    .context = {put_0, put_1_in_lane_1, read_three},
    .finish = settle,
};

/* An idle lane's open block, with room in it, is closed by the hand. */
static void
idle_setup(void)
{
	ring(4, 2, 2);
	ring_pin(3);
	reader_open(0);
	put(2, 1);
	put(3, 0);
	put(3, 0);
	put(3, 0);
}

static void
idle_finish(void)
{
	expect_no_drops();
	settle();
	put_0_thrice();
	put_0();
	reader_open(1);
	reader_drain(1);
	/* What the idle lane held has made room for newer records. */
	MODEL_ASSERT(!reader_has(1, 2, 0));
}

static const struct model_client idle_lane = {
    .name = "idle_lane",
    .setup = idle_setup,
    .context = {put_0_thrice, put_1_in_lane_1},
    .finish = idle_finish,
};

/* Who has seen the flag writes behind who raised it. */
static void
put_0_and_tell(void)
{
	put(0, 0);
	flag_raise(0);
}

static void
put_1_when_told(void)
{
	if (flag_seen(0))
		put(1, 1);
}

static const struct model_client cause = {
    .name = "cause",
    .setup = two_lanes,
    .context = {put_0_and_tell, put_1_when_told, read_three},
    .finish = settle,
};

/* Every block is pinned: calls are dropped, and do not wear out the state. */
static void
pinned_setup(void)
{
	ring(2, 1, 1);
	ring_fill(0);
	ring_fill(1);
	reader_open(0);
}

static void
put_0_seven_times(void)
{
	put_0_thrice();
	put_0_thrice();
	put(0, 0);
}

static void
put_1_seven_times(void)
{
	put_1_four_times();
	put_1_twice();
	put(1, 0);
}

static void
pinned_finish(void)
{
	expect_drops(14);
}

static const struct model_client pinned = {
    .name = "pinned",
    .setup = pinned_setup,
    .context = {put_0_seven_times, put_1_seven_times},
    .finish = pinned_finish,
};

extern const struct model_client clock_client, names_client, renamed_client;

const struct model_client *const clients[] = {
    &two_writers,
    &three_writers,
    &three_writers_three_blocks,
    &nested,
    &nested_three_blocks,
    &lapped,
    &read_two,
    &handed_over,
    &backlog,
    &first_use,
    &read_nested,
    &dead,
    &dead_read,
    &sleeper,
    &sleeper_overflow,
    &straddling,
    &straddling_read,
    &late,
    &lanes,
    &lanes_read,
    &idle_lane,
    &cause,
    &pinned,
    &clock_client,
    &names_client,
    &renamed_client,
};
const size_t client_count = sizeof(clients) / sizeof(clients[0]);
