/* SPDX-License-Identifier: MIT */
/*
 * The ring against a model of it that is too simple to be wrong: blocks that
 * hold lists of records, and readers that know what they have not had yet.
 * Then what only a look inside can show.
 */
#include "stalled.h"

#define OPS_MAX 80
#define MODEL_BLOCKS 4

struct model_record {
	uint32_t bytes;
	uint32_t block;
	bool kept;
	char fill;
};

struct model_block {
	bool used;
	bool open;
	uint32_t units;
	uint32_t count;
	unsigned long past;
};

struct model {
	const struct lpk_geometry *geometry;
	struct model_block block[MODEL_BLOCKS];
	int current[2];
	uint32_t hand;
	uint32_t records;
	struct model_record record[OPS_MAX];
};

/* A reader, and what the model says that it must still get. */
struct pair {
	struct lpk_reader reader;
	uint64_t seq;
	uint32_t first; /* all before it are settled */
	bool settled[OPS_MAX];
};

/* How a run begins: the words of every block, preset. */
struct start {
	bool preset;
	unsigned long life;
	unsigned long past;
	unsigned long order;
};

static const struct start fresh;
static struct pair steady, slow, sleepy, brief, kept[2][OPS_MAX];

static void
model_take(struct model *model, uint32_t number)
{
	struct model_block *block = &model->block[number];
	uint32_t i;

	for (i = 0; i < model->records; i++) {
		if (model->record[i].block == number)
			model->record[i].kept = false;
	}
	block->used = true;
	block->open = true;
	block->past += block->count;
	block->units = 0;
	block->count = 0;
}

static uint32_t
model_advance(struct model *model)
{
	for (;;) {
		uint32_t at = model->hand++ % model->geometry->blocks;
		struct model_block *block = &model->block[at];

		if (!block->used || !block->open) {
			model_take(model, at);
			return at;
		}
		block->open = false;
	}
}

static void
model_write(struct model *model, uint32_t lane, uint32_t bytes, char fill)
{
	uint32_t units = lpk__record_units(bytes);
	int at = model->current[lane];

	if (at >= 0 && model->block[at].open &&
	    (model->block[at].count == model->geometry->slots ||
		model->block[at].units + units > model->geometry->units))
		model->block[at].open = false;
	if (at < 0 || !model->block[at].open)
		at = (int)model_advance(model);
	model->current[lane] = at;
	model->block[at].units += units;
	model->block[at].count++;
	model->record[model->records++] = (struct model_record){
	    .bytes = bytes,
	    .block = (uint32_t)at,
	    .kept = true,
	    .fill = fill,
	};
}

static void
model_begin(
    struct model *model, const struct lpk_log *log, const struct start *start)
{
	struct lpk__head *head = lpk__head(log);
	uint32_t i;

	memset(model, 0, sizeof(*model));
	model->geometry = &log->geometry;
	model->current[0] = model->current[1] = -1;
	if (!start->preset)
		return;
	for (i = 0; i < log->geometry.blocks; i++) {
		struct lpk__block *block = lpk__block(log, i);

		block->life = start->life;
		block->past = start->past;
		block->final = 1;
		block->state = log->geometry.units + 1ul;
		model->block[i].used = true;
		model->block[i].past = start->past;
	}
	head->order = start->order;
}

static void
attach(struct pair *pair, const struct lpk_log *log, const struct model *model,
    enum lpk_seek where)
{
	uint32_t i;

	assert_int_equal(lpk_reader_open(&pair->reader, log, where), LPK_OK);
	pair->first = 0;
	pair->seq = 0;
	for (i = 0; i < model->geometry->blocks; i++) {
		/* The words of a block wrap, on 32-bit machines at 2^32. */
		unsigned long before = model->block[i].past;

		if (where == LPK_SEEK_NEXT)
			before += model->block[i].count;
		pair->seq += before;
	}
	for (i = 0; i < OPS_MAX; i++)
		pair->settled[i] = i < model->records &&
		    (where == LPK_SEEK_NEXT || !model->record[i].kept);
}

static uint32_t
model_lost(struct pair *pair, const struct model *model)
{
	uint32_t lost = 0, i;

	for (i = pair->first; i < model->records; i++) {
		if (!pair->settled[i] && !model->record[i].kept) {
			pair->settled[i] = true;
			lost++;
		}
	}
	return lost;
}

static void
expect_record(
    const struct got *got, const struct model_record *want, uint64_t seq)
{
	uint32_t i;

	assert_true(got->record.seq == seq);
	assert_int_equal(got->record.text_bytes, want->bytes);
	for (i = 0; i < want->bytes; i++)
		assert_int_equal(got->text[i], want->fill);
	assert_int_equal(got->text[want->bytes], '\0');
}

/* One call of the reader against the model; false at the end. */
static bool
step(struct pair *pair, const struct model *model)
{
	uint32_t lost = model_lost(pair, model);
	int result;
	struct got got;

	result = next(&pair->reader, &got);
	if (lost != 0) {
		assert_int_equal(result, -LPK_EPIPE);
		assert_int_equal(pair->reader.lost, lost);
		pair->seq += lost;
		return true;
	}
	while (pair->first < model->records && pair->settled[pair->first])
		pair->first++;
	if (pair->first == model->records) {
		assert_int_equal(result, -LPK_EAGAIN);
		return false;
	}
	assert_int_equal(result, LPK_OK);
	expect_record(&got, &model->record[pair->first], pair->seq);
	pair->settled[pair->first] = true;
	pair->seq++;
	return true;
}

static void
drain(struct pair *pair, const struct model *model)
{
	while (step(pair, model))
		;
}

/* A record of exactly these bytes; a drop is counted by the log. */
static void
store_payload(struct lpk_log *log, const char *payload, uint32_t bytes)
{
	struct lpk__store store;
	uint32_t first = 0;

	memcpy(&first, payload, bytes < 4 ? bytes : 4);
	if (!lpk__store_begin(
		log, &store, lpk__meta(bytes, LPK_INFO, 0, 0), 0, first))
		return;
	if (bytes > 4)
		lpk__words_write(
		    lpk__store_payload(&store), payload + 4, bytes - 4);
	lpk__store_end(log, &store);
}

static void
store(struct lpk_log *log, uint32_t lane, uint32_t bytes, char fill)
{
	char payload[LPK_TEXT_MAX];

	memset(payload, fill, bytes);
	lpk_thread_set_lane(lane);
	store_payload(log, payload, bytes);
}

static void
expect_accounts(const struct lpk_log *log, const struct model *model,
    const struct start *start)
{
	struct lpk_log_stats stats;
	unsigned long stored = 0, past = 0;
	uint32_t i;

	lpk_log_stats(log, &stats);
	for (i = 0; i < model->geometry->blocks; i++) {
		stored += model->block[i].past + model->block[i].count;
		past += model->block[i].past;
	}
	assert_int_equal(
	    stored - model->geometry->blocks * start->past, model->records);
	assert_true((unsigned long)stats.stored == stored);
	assert_true((unsigned long)stats.overwritten == past);
	assert_true(stats.dropped == 0 && stats.suppressed == 0);
	assert_int_equal(stats.blocks_pinned, 0);
}

/*
 * Write records of these sizes in turn. Readers: one that is always up to
 * date, one that makes a single call each time, one that sleeps to the end,
 * and two that are attached after each record and read at the end.
 */
static void
run_model(struct lpk_log *log, const uint32_t sizes[3], uint32_t lane_bits,
    uint32_t ops, const struct start *start)
{
	struct model model;
	uint32_t i;

	memset(log->region, 0, log->region_bytes);
	model_begin(&model, log, start);
	attach(&steady, log, &model, LPK_SEEK_OLDEST);
	attach(&slow, log, &model, LPK_SEEK_OLDEST);
	attach(&sleepy, log, &model, LPK_SEEK_NEXT);
	for (i = 0; i < ops; i++) {
		uint32_t bytes = sizes[i % 3],
			 lane = (lane_bits >> i % 3 & 1) % log->geometry.lanes;
		char fill = (char)('0' + i);

		store(log, lane, bytes, fill);
		model_write(&model, lane, bytes, fill);
		drain(&steady, &model);
		step(&slow, &model);
		attach(&brief, log, &model, LPK_SEEK_OLDEST);
		drain(&brief, &model);
		attach(&kept[0][i], log, &model, LPK_SEEK_OLDEST);
		attach(&kept[1][i], log, &model, LPK_SEEK_NEXT);
	}
	for (i = 0; i < ops; i++) {
		drain(&kept[0][i], &model);
		drain(&kept[1][i], &model);
	}
	drain(&slow, &model);
	drain(&sleepy, &model);
	expect_accounts(log, &model, start);
}

/* Bytes of a record of so many units, every remainder in turn. */
static uint32_t
bytes_of(uint32_t units, uint32_t turn)
{
	uint32_t most = units * 8 - LPK__RECORD_HEAD;

	return units == 3 ? turn % 5 : most - turn % 8;
}

static void
run_all_triples(uint32_t blocks, uint32_t lanes)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, blocks, lanes);
	uint32_t most = log->geometry.units, turn = 0, a, b, c, bits;
	uint32_t patterns = lanes == 1 ? 1 : 8;

	for (a = 3; a <= most; a++) {
		for (b = 3; b <= most; b++) {
			for (c = 3; c <= most; c++) {
				uint32_t sizes[3] = {bytes_of(a, turn),
				    bytes_of(b, turn / 8),
				    bytes_of(c, turn / 64)};

				bits = turn++ % patterns;
				run_model(log, sizes, bits, blocks * 5, &fresh);
			}
		}
	}
	small_log_free(&small);
}

static void
test_ring_256_byte_blocks_match_the_model(void **state)
{
	(void)state;
	run_all_triples(2, 1);
	run_all_triples(4, 1);
	run_all_triples(4, 2);
}

static void
run_all_bytes(uint32_t blocks, uint32_t lanes)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 512, blocks, lanes);
	uint32_t most = log->geometry.units * 8 - LPK__RECORD_HEAD, bytes;

	for (bytes = 0; bytes <= most; bytes++) {
		uint32_t sizes[3] = {bytes, most - bytes, 0};

		/* Long enough to come round twice. */
		run_model(log, sizes, bytes & 7, blocks * 6, &fresh);
	}
	for (bytes = 0; bytes <= most; bytes += 8) {
		uint32_t sizes[3] = {bytes, bytes, bytes};

		run_model(log, sizes, bytes >> 3 & 7, OPS_MAX, &fresh);
	}
	small_log_free(&small);
}

static void
test_ring_512_byte_blocks_match_the_model(void **state)
{
	(void)state;
	run_all_bytes(2, 1);
	run_all_bytes(4, 1);
	run_all_bytes(4, 2);
}

static void
run_starts(struct lpk_log *log, uint32_t patterns)
{
	static const uint32_t units[] = {3, 7, 12, 15};
	const unsigned long top = 0ul - 1;
	struct start start = {.preset = true};
	uint32_t i, life, turn = 0;
	long before;

	for (life = 0; life <= 12; life++) {
		start.life = (0ul - 12) + life * LPK__LIFE_STEP;
		if (start.life == LPK__LIFE_FRESH)
			continue;
		for (before = -1; before < 12; before++) {
			start.past = top - (unsigned long)before;
			start.order =
			    20 - LPK__ORDER_FIRST - (unsigned long)before;
			for (i = 0; i < 64; i += 3) {
				uint32_t sizes[3] = {
				    bytes_of(units[i & 3], turn),
				    bytes_of(units[i >> 2 & 3], turn),
				    bytes_of(units[i >> 4], turn)};

				run_model(
				    log, sizes, turn++ % patterns, 24, &start);
			}
		}
	}
}

static void
test_ring_counters_next_to_overflow_match_the_model(void **state)
{
	struct small_log small;

	(void)state;
	run_starts(small_log_make(&small, 256, 2, 1), 1);
	small_log_free(&small);
	run_starts(small_log_make(&small, 256, 4, 2), 8);
	small_log_free(&small);
}

static void
test_ring_random_sizes_and_lanes_match_the_model(void **state)
{
	uint64_t random = test_seed();
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 512, 4, 2);
	uint32_t most = log->geometry.units * 8 - LPK__RECORD_HEAD, round, i;
	struct model model;

	(void)state;
	for (round = 0; round < 1000; round++) {
		memset(log->region, 0, log->region_bytes);
		model_begin(&model, log, &fresh);
		attach(&steady, log, &model, LPK_SEEK_OLDEST);
		for (i = 0; i < OPS_MAX; i++) {
			uint32_t bytes = test_random(&random) % (most + 1);
			uint32_t lane = test_random(&random) & 1;

			store(log, lane, bytes, 'x');
			model_write(&model, lane, bytes, 'x');
			/* Now and then, and never to the end. */
			if (test_random(&random) % 3 != 0)
				step(&steady, &model);
		}
		drain(&steady, &model);
		expect_accounts(log, &model, &fresh);
	}
	small_log_free(&small);
}

static void
test_ring_record_that_fills_a_block_is_kept_whole(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 512, 2, 1);
	uint32_t most = log->geometry.units * 8 - LPK__RECORD_HEAD;
	struct lpk_reader reader;
	struct got got;
	int i;

	(void)state;
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	/* Far more than the kernel's ring took before such records stopped it. */
	for (i = 0; i < 2000; i++) {
		store(log, 0, most, (char)('a' + i % 26));
		assert_int_equal(next(&reader, &got), LPK_OK);
		assert_int_equal(got.record.text_bytes, most);
		assert_int_equal(got.text[most - 1], 'a' + i % 26);
	}
	assert_int_equal(got.record.seq, 1999);
	small_log_free(&small);
}

static void
test_ring_empty_records_are_records(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, 2, 1);
	struct lpk_reader reader;
	struct got got;
	int i;

	(void)state;
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	for (i = 0; i < 100; i++) {
		store(log, 0, 0, 0);
		expect_text(&reader, &got, "");
		assert_int_equal(got.record.seq, i);
	}
	expect_end(&reader);
	assert_int_equal(reader.lost_total, 0);
	small_log_free(&small);
}

/* Takes a block of 256 bytes to itself. */
static const char filler[] = "................................................"
			     "................................................";

static void
test_ring_unfinished_block_is_passed_over(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, 4, 1);
	struct lpk_log_stats stats;
	struct lpk_reader reader;
	struct lpk__store slot;
	struct got got;
	int i;

	(void)state;
	stalled_begin(log, &slot, "late");
	for (i = 0; i < 200; i++)
		store(log, 0, 4, 'x');
	lpk_log_stats(log, &stats);
	assert_int_equal(stats.stored, 201);
	assert_int_equal(stats.dropped, 0);
	assert_int_equal(stats.blocks_pinned, 1);
	/* What was pinned is still there when it is finished. */
	stalled_finish(log, &slot);
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	expect_text(&reader, &got, "late");
	lpk_log_stats(log, &stats);
	assert_int_equal(stats.blocks_pinned, 0);
	small_log_free(&small);
}

static void
test_ring_all_blocks_unfinished_drops_and_counts(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, 4, 1);
	struct lpk_log_stats stats;
	struct lpk_reader reader;
	struct lpk__store slot[4];
	struct got got;
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		stalled_begin(log, &slot[i], filler);
	for (i = 0; i < 1000; i++)
		store(log, 0, 4, 'x');
	lpk_log_stats(log, &stats);
	assert_int_equal(stats.stored, 4);
	assert_int_equal(stats.dropped, 1000);
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	expect_end(&reader);
	/* One writer goes on, and so does the log. */
	stalled_finish(log, &slot[2]);
	store(log, 0, 1, 'y');
	lpk_log_stats(log, &stats);
	assert_int_equal(stats.stored, 5);
	assert_int_equal(stats.dropped, 1000);
	assert_int_equal(next(&reader, &got), -LPK_EPIPE);
	assert_int_equal(reader.lost, 1);
	expect_text(&reader, &got, "y");
	for (i = 0; i < 4; i += i == 1 ? 2 : 1)
		stalled_finish(log, &slot[i]);
	for (i = 0; i < 3; i++)
		expect_text(&reader, &got, filler);
	expect_end(&reader);
	small_log_free(&small);
}

static void
test_ring_idle_lane_pins_no_memory(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, 4, 2);
	struct lpk_log_stats stats;
	struct lpk_reader reader;
	uint32_t kept_records = 0;
	struct got got;
	int i;

	(void)state;
	store(log, 1, 4, 'i');
	for (i = 0; i < 100; i++)
		store(log, 0, 4, 'b');
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	while (next(&reader, &got) == LPK_OK) {
		assert_string_equal(got.text, "bbbb");
		kept_records++;
	}
	lpk_log_stats(log, &stats);
	/* The busy lane has all the blocks, or all but the one it fills. */
	assert_true(kept_records > 3 * log->geometry.slots);
	assert_int_equal(stats.blocks_pinned, 0);
	small_log_free(&small);
}

static void
test_ring_writer_that_slept_lands_in_the_next_life(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, 2, 1);
	struct lpk__block *block;
	struct lpk__slot slot;
	struct lpk_reader reader;
	unsigned long life, at;
	struct got got;

	(void)state;
	store(log, 0, 4, 'a');
	block = lpk__block(log, (lpk__head(log)->lanes[0].current & 511) - 1);
	life = block->life;
	/* The writer has looked at the block, and sleeps here. */
	do {
		store(log, 0, 4, 'b');
	} while (block->life == life);
	lpk_reader_open(&reader, log, LPK_SEEK_NEXT);
	at = lpk_fetch_add_acquire(&block->state, LPK__COUNT_ONE | 3);
	assert_true(lpk__state_fits(&log->geometry, at, 3));
	slot.words =
	    lpk__block_words(log, block, (uint32_t)(at & LPK__OFFSET_MASK));
	slot.commit = &block->slots[at >> LPK__OFFSET_BITS];
	slot.value = lpk__slot_value((uint32_t)(at & LPK__OFFSET_MASK), 3);
	lpk__write64(slot.words, lpk_port_clock());
	lpk__write64(slot.words + 8 / sizeof(*slot.words),
	    lpk__pair(1, lpk__meta(2, LPK_INFO, 0, 0)));
	lpk__write64(slot.words + 16 / sizeof(*slot.words), 0);
	lpk__ring_commit(&slot);
	assert_int_equal(next(&reader, &got), LPK_OK);
	assert_int_equal(got.record.text_bytes, 2);
	expect_end(&reader);
	small_log_free(&small);
}

/* Add to a closed state what a crowd of late writers would. */
static void
hammer(
    const struct lpk_geometry *geometry, unsigned long closed, uint32_t units)
{
	/* In 32 bits the bound is that of 16 bits of records. */
	uint32_t times = sizeof(long) >= 8 ? 1u << 20 : 1u << 15;

	assert_false(lpk__state_open(geometry, closed));
	while (times-- != 0) {
		closed += LPK__COUNT_ONE | units;
		if (lpk__state_open(geometry, closed) ||
		    lpk__state_fits(geometry, closed, 1))
			fail();
	}
}

static void
test_ring_closed_block_hammered_stays_closed(void **state)
{
	uint32_t most = sizeof(long) >= 8 ? 524288 : 16384, bytes, units, count;

	(void)state;
	for (bytes = 256; bytes <= most; bytes *= 2) {
		struct lpk_geometry geometry = LPK__GEOMETRY(bytes, 4, 1);

		assert_true(LPK__GEOMETRY_OK(bytes, 4, 1));
		for (units = 1; units <= LPK__RECORD_UNITS_MAX; units += 26) {
			for (count = 0; count <= geometry.slots;
			     count += geometry.slots) {
				unsigned long closed = count * LPK__COUNT_ONE;

				/* Closed early, overrun by one, by many. */
				hammer(&geometry, closed + geometry.units + 1,
				    units);
				hammer(&geometry,
				    closed + geometry.units + units, units);
			}
			hammer(&geometry,
			    (geometry.slots + 1) * LPK__COUNT_ONE + units,
			    units);
		}
	}
}

static void
test_ring_shape_whose_closed_block_could_reopen_is_refused(void **state)
{
	(void)state;
	assert_true(LPK__GEOMETRY_OK(16384, 4, 1));
	assert_int_equal(LPK__GEOMETRY_OK(32768, 4, 1), sizeof(long) >= 8);
	assert_int_equal(LPK__GEOMETRY_OK(524288, 4, 1), sizeof(long) >= 8);
	assert_false(LPK__GEOMETRY_OK(1048576, 4, 1));
}

static void
test_ring_writer_looks_before_it_adds_to_a_closed_block(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 256, 4, 1);
	unsigned long before[4];
	struct lpk__store slot;
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		stalled_begin(log, &slot, filler);
	/* The first of these closes the last block. */
	store(log, 0, 4, 'x');
	for (i = 0; i < 4; i++)
		before[i] = lpk__block(log, (unsigned long)i)->state;
	for (i = 0; i < 100000; i++)
		store(log, 0, 4, 'x');
	for (i = 0; i < 4; i++)
		assert_true(
		    lpk__block(log, (unsigned long)i)->state == before[i]);
	small_log_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ring_256_byte_blocks_match_the_model),
	    cmocka_unit_test(test_ring_512_byte_blocks_match_the_model),
	    cmocka_unit_test(
		test_ring_counters_next_to_overflow_match_the_model),
	    cmocka_unit_test(test_ring_random_sizes_and_lanes_match_the_model),
	    cmocka_unit_test(test_ring_record_that_fills_a_block_is_kept_whole),
	    cmocka_unit_test(test_ring_empty_records_are_records),
	    cmocka_unit_test(test_ring_unfinished_block_is_passed_over),
	    cmocka_unit_test(test_ring_all_blocks_unfinished_drops_and_counts),
	    cmocka_unit_test(test_ring_idle_lane_pins_no_memory),
	    cmocka_unit_test(
		test_ring_writer_that_slept_lands_in_the_next_life),
	    cmocka_unit_test(test_ring_closed_block_hammered_stays_closed),
	    cmocka_unit_test(
		test_ring_shape_whose_closed_block_could_reopen_is_refused),
	    cmocka_unit_test(
		test_ring_writer_looks_before_it_adds_to_a_closed_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
