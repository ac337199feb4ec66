/* SPDX-License-Identifier: MIT */
/*
 * lib_book.c - see lib_book.h.
 */
#include "lib_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lpk/format.h>
#include <lpk/port.h>
#include <lpk/printk.h>

#include "core/record.h"
#include "core/ring.h"

static char where[256];

/* A call is one of three kinds: text, or one of these sites. */
static const char *const formats[] = {"%c%05u:%.*s", "%c%05u=%0*u"};

void
book_at(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	lpk_vsnprintf(where, sizeof(where), format, arguments);
	va_end(arguments);
}

void
book_fail(const char *format, ...)
{
	char what[512], text[800];
	va_list arguments;
	int length;

	va_start(arguments, format);
	lpk_vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	/* It may run in a handler, and in a child that must not flush stdio. */
	length =
	    lpk_snprintf(text, sizeof(text), "\nFAIL at %s: %s\n", where, what);
	(void)!write(STDERR_FILENO, text, (size_t)length);
	_exit(1);
}

uint64_t
book_seed(void)
{
	const char *given = getenv("LPK_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : 20240229;

	printf("LPK_SEED=%llu\n", (unsigned long long)seed);
	return seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

uint32_t
book_random(uint64_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)((*seed >> 32) % below);
}

void
book_ring(struct lpk_log *log, uint32_t block_bytes, uint32_t blocks,
    uint32_t lanes, void *memory, size_t size_bytes)
{
	uint32_t i;

	book_check(lpk_log_init(log, "test", memory, size_bytes, block_bytes,
		       blocks, lanes) == LPK_OK);
	/* Of the generations and the order the library sees to it itself. */
	lpk_store_relaxed(&lpk__head(log)->hand, 0ul - 2);
	for (i = 0; i < blocks; i++)
		lpk_store_relaxed(&lpk__block(log, i)->past, 0ul - 3);
	/* No look at the clocks, unless a test wants one. */
	log->clock_due = (unsigned long)lpk_port_clock() + (~0ul >> 2);
}

void
book_start(struct book *book, struct lpk_log *log)
{
	uint32_t i;

	for (i = 0; i < 2; i++)
		book->sites[i] = (struct lpk_site){.state = LPK_SITE_ON,
		    .format = formats[i],
		    .file = "",
		    .function = "",
		    .level = LPK_INFO};
	book->log = log;
	book->calls = 0;
	book->clock = 0;
	book->filtered = 0;
	book->extra = 0;
	lpk_log_stats(log, &book->start);
}

uint32_t
book_begin(struct book *book, char context)
{
	uint32_t number = book->calls++;
	struct book_call *call = &book->call[number];

	if (number >= BOOK_CALLS)
		book_fail("the book is full");
	memset(call, 0, sizeof(*call));
	call->context = context;
	call->begin = ++book->clock;
	call->end = BOOK_OPEN;
	return number;
}

void
book_finish(struct book *book, uint32_t number)
{
	book->call[number].end = ++book->clock;
}

/* Lengths differ, so that blocks end in every way. */
static const char *
row_of(uint32_t number, int *length)
{
	static const char row[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "abcdefghijklmnopqrstuvwxyz";

	*length = (int)(number * 11 % 47);
	return row + number % 36;
}

int
book_text(
    const struct book *book, uint32_t number, char *text, size_t size_bytes)
{
	int length;
	const char *row = row_of(number, &length);
	char context = book->call[number].context;

	if (number % 3 == 2)
		return lpk_snprintf(text, size_bytes, "%c%05u=%0*u", context,
		    number, length, number);
	return lpk_snprintf(
	    text, size_bytes, "%c%05u:%.*s", context, number, length, row);
}

void
book_write(struct book *book, uint32_t number)
{
	char context = book->call[number].context;
	int length;
	const char *row = row_of(number, &length);
	const uint64_t bytes[] = {LPK__ARG(context), LPK__ARG(number),
	    LPK__ARG(length), LPK__ARG(row)};
	const uint64_t words[] = {LPK__ARG(context), LPK__ARG(number),
	    LPK__ARG(length), LPK__ARG(number)};

	if (number % 3 == 0)
		lpk_write(book->log, LPK_INFO, "%c%05u:%.*s", context, number,
		    length, row);
	else if (number % 3 == 1)
		lpk__log(book->log, &book->sites[0], formats[0], bytes, 4);
	else
		lpk__log(book->log, &book->sites[1], formats[1], words, 4);
}

uint32_t
book_log(struct book *book, char context)
{
	uint32_t number = book_begin(book, context);

	book_write(book, number);
	book_finish(book, number);
	return number;
}

void
book_open(struct book_reader *reader, struct book *book, int number,
    enum lpk_seek seek)
{
	uint32_t i;

	reader->book = book;
	reader->number = number;
	reader->opened = ++book->clock;
	reader->newest = 0;
	reader->read = 0;
	reader->late = 0;
	reader->lost = 0;
	reader->reports = 0;
	reader->reported = 0;
	for (i = 0; i < book->calls; i++)
		book->call[i].read[number] = false;
	book_check(lpk_reader_open(&reader->reader, book->log, seek) == LPK_OK);
	reader->next_seq = reader->reader.seq;
}

/* A record of the library's own: the seq counts it, the book does not. */
static void
take_report(struct book_reader *reader, const char *text)
{
	reader->next_seq++;
	reader->read++;
	reader->reports++;
	reader->reported += strtoul(text + 3, NULL, 10);
}

static void
check_record(struct book_reader *reader, const struct lpk_record *record,
    const char *text)
{
	struct book *book = reader->book;
	char expected[128];
	struct book_call *call;
	unsigned long number;

	if (text[0] == '\0')
		book_fail("an empty record");
	if (text[0] == '!' || strncmp(text, "lpk: ", 5) == 0) {
		take_report(reader, text);
		return;
	}
	number = strtoul(text + 1, NULL, 10);
	if (number >= book->calls)
		book_fail("a record that nobody logged: %s", text);
	call = &book->call[number];
	book_text(book, (uint32_t)number, expected, sizeof(expected));
	if (strcmp(text, expected) != 0)
		book_fail("torn: \"%s\", logged: \"%s\"", text, expected);
	if (call->read[reader->number])
		book_fail("read twice: %s", text);
	call->read[reader->number] = true;
	if (record->seq != reader->next_seq)
		book_fail("%s has seq %llu, not %llu", text,
		    (unsigned long long)record->seq,
		    (unsigned long long)reader->next_seq);
	reader->next_seq++;
	reader->read++;
	if ((record->flags & LPK_RECORD_LATE) != 0) {
		reader->late++;
		return;
	}
	/* Stored before another one was begun, but read after it? */
	if (call->end < reader->newest)
		book_fail("out of order: %s", text);
	if (call->begin > reader->newest)
		reader->newest = call->begin;
}

uint32_t
book_drain(struct book_reader *reader)
{
	char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;
	uint32_t before = reader->read;
	int result;

	for (;;) {
		result = lpk_reader_next(
		    &reader->reader, &record, text, sizeof(text));
		if (result == -LPK_EAGAIN)
			break;
		if (result == -LPK_EPIPE) {
			if (reader->reader.lost == 0)
				book_fail("a gap of nothing");
			reader->lost += (unsigned long)reader->reader.lost;
			reader->next_seq += reader->reader.lost;
		} else if (result == LPK_OK) {
			check_record(reader, &record, text);
		} else {
			book_fail("the reader says %d", result);
		}
	}
	return reader->read - before;
}

void
book_settle(struct book_reader *reader)
{
	const struct timespec moment = {.tv_nsec = 10000};
	uint32_t i, held;

	for (;;) {
		book_drain(reader);
		held = 0;
		for (i = 0; i < reader->reader.streams; i++) {
			if (reader->reader.stream[i].held_since != 0)
				held++;
		}
		if (held == 0)
			return;
		nanosleep(&moment, NULL);
	}
}

unsigned long
book_dropped(const struct book *book)
{
	struct lpk_log_stats now;

	lpk_log_stats(book->log, &now);
	return (unsigned long)(now.dropped - book->start.dropped);
}

void
book_close(const struct book_reader *reader, uint32_t pending)
{
	const struct book *book = reader->book;
	unsigned long stored, outcome, all, calls;
	struct lpk_log_stats now;

	lpk_log_stats(book->log, &now);
	/* In words of the machine: counters start next to their overflow. */
	stored = (unsigned long)(now.stored - book->start.stored);
	outcome = stored +
	    (unsigned long)(now.suppressed - book->start.suppressed) +
	    (unsigned long)(now.dropped - book->start.dropped);
	/* A full dictionary is reported by a record, once. */
	calls = book->calls - book->filtered + book->extra +
	    lpk__head(book->log)->dict_full;
	if (calls != outcome)
		book_fail("%lu calls, %lu stored, suppressed or dropped", calls,
		    outcome);
	all = (unsigned long)now.stored;
	outcome = (unsigned long)reader->next_seq + pending;
	if (all != outcome)
		book_fail("%lu stored, %lu accounted (%u read, %lu lost, "
			  "%u pending)",
		    all, outcome, reader->read, reader->lost, pending);
}

bool
book_hold(struct book *book, struct book_hold *hold, char context)
{
	char text[128];
	struct lpk__slot slot;
	uint32_t bytes;

	hold->number = book_begin(book, context);
	hold->time = lpk_port_clock();
	bytes = (uint32_t)book_text(book, hold->number, text, sizeof(text));
	if (!lpk__ring_reserve(book->log,
		lpk_port_lane() % book->log->geometry.lanes,
		lpk__record_units(bytes), &slot)) {
		book_finish(book, hold->number);
		return false;
	}
	hold->words = slot.words;
	hold->commit = slot.commit;
	hold->value = slot.value;
	return true;
}

void
book_unhold(struct book *book, const struct book_hold *hold)
{
	struct lpk__slot slot = {hold->words, hold->commit, hold->value};
	struct {
		uint64_t time;
		uint32_t caller;
		uint32_t meta;
		uint32_t site;
		char text[128];
	} record;
	uint32_t bytes;

	bytes = (uint32_t)book_text(
	    book, hold->number, record.text, sizeof(record.text));
	record.time = hold->time;
	record.caller = lpk_port_caller();
	record.meta = lpk__meta(bytes, LPK_INFO, 0, 0);
	record.site = 0;
	lpk__words_write(slot.words, &record, LPK__RECORD_HEAD + bytes);
	lpk__ring_commit(&slot);
	book_finish(book, hold->number);
}
