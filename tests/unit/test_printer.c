/* SPDX-License-Identifier: MIT */
/* What the owner of a console does with it, and what the next one makes of it. */
#define LPK_SHORT_NAMES
#define LPK_DEFAULT_LOG log_
#include "stalled.h"

#include <setjmp.h>

#include <lpk/console.h>
#include <lpk/port.h>

#include "core/printer.h"
#include "core/ring.h"
#include "lpk_atomic.h"

#define ROOM 65536
#define GUARD 4096
#define LATER (lpk_now_ns() + UINT64_C(60000000000))
#define REPLAY "\n** replaying previous printk message **\n"

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console console;
static struct lpk_console_driver driver;
static struct lpk__printer printer;
static char lines[ROOM + LPK__RECORD_LINES + GUARD];
static char text[LPK__TEXT_ROOM];
static char panic_lines[LPK__RECORD_LINES + GUARD];
static char panic_text[LPK__TEXT_ROOM];

/* The device: what it got, and how it behaves. */
static char out[1 << 18];
static size_t out_bytes;
static struct lpk_batch last;
static unsigned int calls, zaps, locked, unlocked;
static unsigned int most_records;
static size_t takes;                            /* of each call */
static int answer;                              /* if not 0, it takes nothing */
static void (*safe_inside)(struct lpk_batch *); /* once */
static void (*unsafe_inside)(void);             /* once, some bytes are out */
static bool notices_alone, forgets;

static void
put_out(const char *bytes, size_t count)
{
	if (forgets)
		return;
	assert_true(out_bytes + count < sizeof(out));
	memcpy(out + out_bytes, bytes, count);
	out_bytes += count;
	out[out_bytes] = '\0';
}

static int
device_write(struct lpk_console *self, struct lpk_batch *batch)
{
	void (*inside)(struct lpk_batch *) = safe_inside;
	void (*unsafe)(void) = unsafe_inside;
	size_t count = batch->size_bytes < takes ? batch->size_bytes : takes;

	assert_ptr_equal(self, &console);
	calls++;
	last = *batch;
	if (batch->records > most_records)
		most_records = batch->records;
	if (batch->records != 0 && strncmp(batch->bytes, "** ", 3) == 0)
		notices_alone = false;
	if (answer != 0)
		return answer;
	if (inside != NULL) {
		safe_inside = NULL;
		put_out(batch->bytes, count / 2);
		assert_true(lpk_console_exit_unsafe(batch));
		inside(batch);
		if (!lpk_console_enter_unsafe(batch))
			return (int)(count / 2);
		put_out(batch->bytes + count / 2, count - count / 2);
		return (int)count;
	}
	if (unsafe != NULL) {
		unsafe_inside = NULL;
		put_out(batch->bytes, count / 2);
		unsafe();
		if (!lpk_console_can_proceed(batch))
			return (int)(count / 2);
		put_out(batch->bytes + count / 2, count - count / 2);
		return (int)count;
	}
	put_out(batch->bytes, count);
	return (int)count;
}

static void
device_lock(struct lpk_console *self)
{
	(void)self;
	locked++;
}

static void
device_unlock(struct lpk_console *self)
{
	(void)self;
	unlocked++;
}

static void
device_zap(struct lpk_console *self)
{
	(void)self;
	zaps++;
}

/* Interrupts the rendering of a batch, which no device has seen yet. */
static void (*render_inside)(void);

static size_t
text_render(struct lpk_console *self, const struct lpk_record *record,
    const char *line, char *to, size_t size_bytes)
{
	void (*inside)(void) = render_inside;
	int length = snprintf(to, size_bytes, "%s\n", line);

	(void)self;
	(void)record;
	render_inside = NULL;
	if (inside != NULL)
		inside();
	return (size_t)length;
}

/* As much as it may. */
static size_t
huge_render(struct lpk_console *self, const struct lpk_record *record,
    const char *line, char *to, size_t size_bytes)
{
	(void)self;
	(void)record;
	(void)line;
	memset(to, 'h', size_bytes);
	return size_bytes * 2;
}

/* The first is short, and long enough for the others to be lost. */
static size_t
lapped_render(struct lpk_console *self, const struct lpk_record *record,
    const char *line, char *to, size_t size_bytes)
{
	static const char first[] =
	    "as many bytes as there is room, but one more";
	int i;

	if (strcmp(line, "first") != 0)
		return huge_render(self, record, line, to, size_bytes);
	for (i = 0; i < 200; i++)
		pr_info("lap");
	memcpy(to, first, sizeof(first) - 1);
	return sizeof(first) - 1;
}

static void
make(uint32_t block_bytes, uint32_t blocks)
{
	small_log_free(&small);
	log_ = small_log_make(&small, block_bytes, blocks, 1);
	memset(&printer, 0, sizeof(printer));
	printer.console = &console;
	printer.log = log_;
	printer.feed.lines = lines;
	printer.panic.lines = panic_lines;
	printer.feed.text = text;
	printer.feed.room = ROOM;
}

static void
start(void)
{
	if ((driver.flags & LPK_DRIVER_SINGLE) != 0)
		printer.feed.room = 1;
	assert_int_equal(lpk__printer_open(&printer), LPK_OK);
	lpk_store_release(&printer.enabled, 1);
}

static int
setup(void **state)
{
	(void)state;
	driver = (struct lpk_console_driver){.name = "device",
	    .write = device_write,
	    .write_on_panic = device_write,
	    .lock = device_lock,
	    .unlock = device_unlock,
	    .zap_locks = device_zap};
	console = (struct lpk_console){.driver = &driver};
	out_bytes = 0;
	out[0] = '\0';
	calls = zaps = locked = unlocked = most_records = 0;
	takes = SIZE_MAX;
	answer = 0;
	safe_inside = NULL;
	unsafe_inside = NULL;
	render_inside = NULL;
	notices_alone = true;
	forgets = false;
	make(4096, 8);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return 0;
}

static void
get(struct lpk__hold *hold, enum lpk__prio prio)
{
	assert_int_equal(
	    lpk__owner_wait(&printer.owner, hold, prio, lpk_port_caller(), 0),
	    LPK__GOT);
	assert_true(lpk__printer_begin(&printer, hold));
}

static enum lpk__step
print(enum lpk__prio prio, enum lpk__how how, unsigned int steps)
{
	struct lpk__hold hold;
	enum lpk__step step = LPK__SOME;

	get(&hold, prio);
	while (step == LPK__SOME && steps-- != 0)
		step = lpk__printer_step(&printer, &hold, how, LATER);
	if (step != LPK__TAKEN)
		lpk__printer_end(&printer, &hold);
	return step;
}

static void
print_all(void)
{
	enum lpk__step step =
	    print(LPK__PRIO_NORMAL, LPK__BY_WRITE, UINT32_MAX);

	assert_int_equal(step, LPK__NOTHING);
}

static enum lpk__step
panic(bool force)
{
	return lpk__printer_panic(
	    &printer, panic_text, lpk_port_caller(), force, UINT64_MAX, LATER);
}

/* What the device got, without the times, which "[" and "] " enclose. */
static void
expect_out(const char *want)
{
	static char plain[sizeof(out)];
	size_t length = 0;
	const char *at = out;

	while (*at != '\0') {
		if (*at == '[' && strchr(at, ']') != NULL &&
		    strspn(at + 1, " 0123456789.") ==
			(size_t)(strchr(at, ']') - at - 1)) {
			at = strchr(at, ']') + 2;
			continue;
		}
		plain[length++] = *at++;
	}
	plain[length] = '\0';
	assert_string_equal(plain, want);
}

static unsigned long
counted(enum lpk__count which)
{
	return printer.counts[which];
}

static void
expect_closed(void)
{
	assert_int_equal(counted(LPK__PRINTED) + counted(LPK__SUPPRESSED) +
		counted(LPK__LOST),
	    lpk__printer_stored(&printer) - printer.first_seq);
}

static void
test_printer_partial_write_goes_on_at_the_byte(void **state)
{
	char want[4000] = "";
	int i;

	(void)state;
	start();
	for (i = 0; i < 20; i++) {
		pr_info("record %d", i);
		sprintf(want + strlen(want), "record %d\n", i);
	}
	takes = 7;
	/* Each time another owner. */
	while (print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1) == LPK__SOME)
		assert_int_equal(last.rest,
		    calls != 1 && (calls - 1) * 7 < out_bytes && calls > 1);
	expect_out(want);
	assert_int_equal(calls, (out_bytes + 6) / 7);
	assert_int_equal(counted(LPK__PRINTED), 20);
	assert_int_equal(counted(LPK__BYTES), out_bytes);
	assert_int_equal(counted(LPK__REPLAYED), 0);
	assert_int_equal(locked, calls);
	assert_int_equal(unlocked, calls);
	expect_closed();
}

static void
test_printer_device_that_takes_nothing_keeps_the_place(void **state)
{
	(void)state;
	start();
	pr_info("kept");
	answer = -LPK_EAGAIN;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 5), LPK__STUCK);
	assert_int_equal(counted(LPK__PRINTED), 0);
	answer = 0;
	print_all();
	expect_out("kept\n");
	expect_closed();
}

static void
test_printer_refused_records_are_counted_as_lost(void **state)
{
	(void)state;
	start();
	pr_info("one");
	pr_info("two");
	answer = -LPK_EIO;
	print_all();
	answer = 0;
	pr_info("three");
	print_all();
	expect_out("three\n");
	assert_int_equal(counted(LPK__REFUSED), 2);
	assert_int_equal(counted(LPK__LOST), 2);
	expect_closed();
}

static void
take_and_print(struct lpk_batch *batch)
{
	(void)batch;
	assert_int_equal(print(LPK__PRIO_EMERGENCY, LPK__BY_CALLER, UINT32_MAX),
	    LPK__NOTHING);
}

/* The first half of a batch, as the device got it before the takeover. */
static void
expect_after_half(const char *want)
{
	const char *at = strstr(out, "\n** replaying");

	assert_non_null(at);
	memmove(out, at, strlen(at) + 1);
	expect_out(want);
}

static void
test_printer_interrupted_record_is_printed_whole_again(void **state)
{
	(void)state;
	start();
	pr_info("first");
	print_all();
	pr_info("interrupted");
	safe_inside = take_and_print;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	pr_info("next");
	print_all();
	expect_after_half(REPLAY "interrupted\nnext\n");
	assert_int_equal(counted(LPK__REPLAYED), 1);
	assert_int_equal(counted(LPK__PRINTED), 3);
	assert_int_equal(counted(LPK__DIRECT), 1);
	assert_int_equal(zaps, 0);
	assert_int_equal(locked, unlocked);
	expect_closed();
}

static void
test_printer_interrupted_rest_is_printed_whole_again(void **state)
{
	(void)state;
	start();
	pr_info("interrupted in its second half");
	takes = 20;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__SOME);
	takes = SIZE_MAX;
	safe_inside = take_and_print;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	expect_after_half(REPLAY "interrupted in its second half\n");
	expect_closed();
}

/* Taken, and let go in good order without a step. */
static void
take_and_end(struct lpk_batch *batch)
{
	struct lpk__hold hold;

	(void)batch;
	get(&hold, LPK__PRIO_EMERGENCY);
	lpk__printer_end(&printer, &hold);
}

static void
test_printer_record_taken_twice_is_printed_whole_again(void **state)
{
	(void)state;
	start();
	pr_info("interrupted");
	safe_inside = take_and_end;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	print_all();
	expect_after_half(REPLAY "interrupted\n");
	expect_closed();
}

static void
test_printer_notice_of_a_replay_may_be_interrupted_too(void **state)
{
	(void)state;
	start();
	pr_info("interrupted");
	safe_inside = take_and_end;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	safe_inside = take_and_end;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	out_bytes = 0;
	print_all();
	expect_out(REPLAY "interrupted\n");
	assert_int_equal(counted(LPK__REPLAYED), 2);
	expect_closed();
}

static void
test_printer_accounts_of_an_interrupted_batch_count_once(void **state)
{
	int i;

	(void)state;
	make(256, 4);
	lpk_store_relaxed(&printer.quiet_below, LPK_INFO);
	start();
	for (i = 0; i < 60; i++)
		lpk_warn("lap %d", i);
	lpk_info("hidden");
	lpk_err("shown");
	lpk_info("hidden");
	safe_inside = take_and_print;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	assert_int_equal(counted(LPK__SUPPRESSED), 2);
	assert_true(counted(LPK__LOST) > 0);
	expect_closed();
	/* How many are missing is said again: the device may not have it. */
	assert_non_null(strstr(strstr(out, REPLAY), "messages dropped **\n"));
}

/* Stop writers in every block, so that the log has no room. */
static unsigned long
make_drops(int drops)
{
	static char filler[900];
	struct lpk__store stopped[32];
	struct lpk_log_stats stats;
	int count = 0, i;

	memset(filler, 'f', sizeof(filler) - 1);
	do {
		stalled_begin(log_, &stopped[count++], filler);
		lpk_log_stats(log_, &stats);
	} while (stats.blocks_pinned < 7 && count < 32);
	do {
		pr_info("%.800s", filler);
		lpk_log_stats(log_, &stats);
	} while (stats.dropped < (uint64_t)drops);
	for (i = 0; i < count; i++)
		stalled_finish(log_, &stopped[i]);
	return (unsigned long)stats.dropped;
}

/* How many records the notices since a place name, all together. */
static unsigned long
named(const char *at)
{
	unsigned long sum = 0;

	while ((at = strstr(at, "** ")) != NULL) {
		sum += strtoul(at + 3, NULL, 10);
		at = strchr(at, '\n');
	}
	return sum;
}

static void
test_printer_drops_of_the_log_are_told_once_more_after_a_takeover(void **state)
{
	unsigned long dropped;

	(void)state;
	start();
	dropped = make_drops(3);
	safe_inside = take_and_print;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	assert_int_equal(named(strstr(out, REPLAY)), dropped);
	out_bytes = 0;
	out[0] = '\0';
	pr_info("no more news");
	print_all();
	expect_out("no more news\n");
	expect_closed();
}

static void
panic_inside(void)
{
	assert_int_equal(panic(true), LPK__NOTHING);
}

static jmp_buf end_of_thread;

static void
end_thread(void)
{
	longjmp(end_of_thread, 1);
}

/* An owner whose thread ends in the middle; then the next one, by force. */
static void
print_and_end_thread(void)
{
	struct lpk__hold hold = {0};

	if (setjmp(end_of_thread) == 0) {
		print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1);
		fail();
	}
	lpk__owner_seize(
	    &printer.owner, &hold, LPK__PRIO_NORMAL, lpk_port_caller());
	assert_true(lpk__printer_begin(&printer, &hold));
	lpk__printer_end(&printer, &hold);
}

static void
test_printer_owner_lost_before_the_device_is_no_replay(void **state)
{
	(void)state;
	driver.render = text_render;
	start();
	pr_info("not yet on the device");
	render_inside = end_thread;
	print_and_end_thread();
	assert_int_equal(zaps, 1);
	print_all();
	expect_out("not yet on the device\n");
	assert_int_equal(counted(LPK__REPLAYED), 0);
	expect_closed();
}

static void
test_printer_owner_lost_in_the_device_is_a_replay(void **state)
{
	(void)state;
	start();
	pr_info("one");
	print_all();
	pr_info("two");
	unsafe_inside = end_thread;
	print_and_end_thread();
	assert_int_equal(zaps, 1);
	/* Nor does the one who is to say so live. */
	unsafe_inside = end_thread;
	print_and_end_thread();
	out_bytes = 0;
	print_all();
	expect_out(REPLAY "two\n");
	assert_int_equal(counted(LPK__REPLAYED), 2);
	expect_closed();
}

static void
test_printer_caller_that_lost_it_does_not_touch_the_device(void **state)
{
	(void)state;
	driver.render = text_render;
	start();
	pr_info("one");
	render_inside = panic_inside;
	assert_int_equal(
	    print(LPK__PRIO_NORMAL, LPK__BY_CALLER, 1), LPK__TAKEN);
	expect_out("one\n");
	assert_int_equal(calls, 1);
	expect_closed();
}

/* A seizure between rendering and sending, in the clothes of lock(). */
static void
seizing_lock(struct lpk_console *self)
{
	struct lpk__hold hold = {0};

	(void)self;
	driver.lock = device_lock;
	lpk__owner_seize(
	    &printer.owner, &hold, LPK__PRIO_EMERGENCY, lpk_port_caller());
	assert_true(lpk__printer_begin(&printer, &hold));
	lpk__printer_end(&printer, &hold);
}

static void
test_printer_lost_in_lock_neither_writes_nor_unlocks(void **state)
{
	(void)state;
	driver.lock = seizing_lock;
	start();
	pr_info("one");
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	assert_int_equal(calls, 0);
	assert_int_equal(zaps, 1);
	assert_int_equal(unlocked, 0);
	print_all();
	assert_int_equal(locked, 1);
	assert_int_equal(unlocked, 1);
	expect_closed();
}

static void
test_printer_open_line_is_as_the_device_has_it(void **state)
{
	(void)state;
	start();
	printk(KERN_INFO "begin,");
	print_all();
	/* Its end is rendered, and never sent: the line is still open. */
	printk(KERN_CONT " end\n");
	driver.lock = seizing_lock;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	print_all();
	assert_null(strchr(strchr(out, '[') + 1, '['));
	expect_out("begin, end\n");
	expect_closed();
}

static void
test_printer_panic_begins_behind_what_is_on_the_device(void **state)
{
	char before[ROOM];

	(void)state;
	start();
	pr_info("one");
	pr_info("two");
	print_all();
	out_bytes = 0;
	most_records = 0;
	pr_info("three");
	pr_info("four");
	memcpy(before, lines, sizeof(before));
	assert_int_equal(panic(false), LPK__NOTHING);
	expect_out("three\nfour\n");
	assert_int_equal(zaps, 0);
	assert_int_equal(most_records, 1);
	/* Another buffer than the one that a thread may be reading. */
	assert_memory_equal(before, lines, sizeof(before));
	pr_info("five");
	assert_int_equal(panic(false), LPK__NOTHING);
	expect_out("three\nfour\nfive\n");
	expect_closed();
}

static void
test_printer_panic_replays_what_it_interrupted(void **state)
{
	(void)state;
	start();
	pr_info("one");
	print_all();
	pr_info("two");
	pr_info("three");
	unsafe_inside = panic_inside;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	assert_int_equal(zaps, 1);
	/* The lock is another one by now. */
	assert_int_equal(locked, 2);
	assert_int_equal(unlocked, 1);
	expect_after_half(REPLAY "two\nthree\n");
	assert_int_equal(counted(LPK__PRINTED), 3);
	expect_closed();
}

static void
test_printer_panic_goes_on_with_the_open_line(void **state)
{
	(void)state;
	start();
	printk(KERN_INFO "begin,");
	print_all();
	printk(KERN_CONT " end\n");
	assert_int_equal(panic(false), LPK__NOTHING);
	assert_null(strchr(strchr(out, '[') + 1, '['));
	expect_out("begin, end\n");
}

static void
test_printer_panic_in_rendering_takes_no_notice_of_it(void **state)
{
	unsigned long dropped;

	(void)state;
	driver.render = text_render;
	start();
	dropped = make_drops(2);
	render_inside = panic_inside;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	assert_null(strstr(out, "replaying"));
	/* In the end, when it is all over, it says what was dropped. */
	printer.panic_ends = true;
	assert_int_equal(panic(true), LPK__NOTHING);
	assert_int_equal(named(out), dropped);
	expect_closed();
}

static void
test_printer_panic_without_force_leaves_it_to_its_owner(void **state)
{
	struct lpk__hold hold = {0};

	(void)state;
	start();
	pr_info("one");
	/* A thread that lives. */
	get(&hold, LPK__PRIO_NORMAL);
	assert_int_equal(lpk__printer_panic(&printer, panic_text,
			     lpk_port_caller() + 1, false, UINT64_MAX, LATER),
	    LPK__TAKEN);
	assert_int_equal(zaps, 0);
	assert_true(lpk__owner_can_proceed(&hold));
	lpk__printer_end(&printer, &hold);
	print_all();
	expect_out("one\n");
}

static void
test_printer_disabled_calls_nothing(void **state)
{
	struct lpk__hold hold = {0};

	(void)state;
	start();
	pr_info("one");
	lpk_store_relaxed(&printer.enabled, 0);
	assert_int_equal(lpk__owner_wait(&printer.owner, &hold,
			     LPK__PRIO_NORMAL, lpk_port_caller(), 0),
	    LPK__GOT);
	assert_false(lpk__printer_begin(&printer, &hold));
	assert_int_equal(lpk__owner_thread(&printer.owner), 0);
	assert_int_equal(panic(true), LPK__NOTHING);
	assert_int_equal(calls + zaps, 0);
}

static void
test_printer_single_driver_gets_notices_alone(void **state)
{
	int i;

	(void)state;
	make(256, 4);
	driver.flags = LPK_DRIVER_SINGLE;
	start();
	for (i = 0; i < 60; i++)
		pr_info("lap %d", i);
	print_all();
	assert_true(counted(LPK__LOST) > 0);
	assert_int_equal(named(out), counted(LPK__LOST));
	assert_true(notices_alone);
	assert_int_equal(most_records, 1);
	assert_int_equal(calls, counted(LPK__PRINTED) + 1);
	expect_closed();
}

static void
test_printer_callers_get_one_record_at_a_time(void **state)
{
	int i;

	(void)state;
	start();
	for (i = 0; i < 5; i++)
		pr_info("record %d", i);
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_CALLER, 3), LPK__SOME);
	assert_int_equal(counted(LPK__PRINTED), 3);
	assert_int_equal(most_records, 1);
	print_all();
	expect_closed();
}

static void
test_printer_missing_before_its_start_is_lost_also_if_interrupted(void **state)
{
	int i;

	(void)state;
	make(256, 4);
	for (i = 0; i < 60; i++)
		pr_info("lap %d", i);
	console.start = LPK_SEEK_SEQ;
	console.start_seq = 5;
	start();
	assert_int_equal(printer.first_seq, 5);
	safe_inside = take_and_print;
	assert_int_equal(print(LPK__PRIO_NORMAL, LPK__BY_WRITE, 1), LPK__TAKEN);
	expect_closed();
	assert_int_equal(named(strstr(out, REPLAY)), counted(LPK__LOST));
}

static void
test_printer_rendering_of_any_length_stays_in_its_buffer(void **state)
{
	int i;

	(void)state;
	make(256, 4);
	driver.render = huge_render;
	memset(lines + ROOM + LPK__RECORD_LINES, 'g', GUARD);
	memset(panic_lines + LPK__RECORD_LINES, 'g', GUARD);
	forgets = true;
	start();
	for (i = 0; i < 60; i++)
		pr_info("lap %d", i);
	print_all();
	for (i = 0; i < 60; i++)
		pr_info("lap %d", i);
	assert_int_equal(panic(true), LPK__NOTHING);
	for (i = 0; i < GUARD; i++) {
		assert_int_equal(lines[ROOM + LPK__RECORD_LINES + i], 'g');
		assert_int_equal(panic_lines[LPK__RECORD_LINES + i], 'g');
	}
	expect_closed();
}

static void
test_printer_notice_at_the_end_of_the_room_stays_in_its_buffer(void **state)
{
	const size_t room = 45;
	int i;

	(void)state;
	make(256, 4);
	driver.render = lapped_render;
	printer.feed.room = room;
	memset(lines + room + LPK__RECORD_LINES, 'g', GUARD);
	forgets = true;
	start();
	pr_info("first");
	print_all();
	assert_true(counted(LPK__LOST) > 0);
	for (i = 0; i < GUARD; i++)
		assert_int_equal(lines[room + LPK__RECORD_LINES + i], 'g');
	expect_closed();
}

static void
test_printer_open_line_gets_its_newline_when_asked(void **state)
{
	struct lpk__hold hold = {0};

	(void)state;
	start();
	printk(KERN_INFO "open");
	print_all();
	expect_out("open");
	get(&hold, LPK__PRIO_NORMAL);
	assert_int_equal(
	    lpk__printer_end_line(&printer, &hold, LPK__BY_WRITE, LATER),
	    LPK__SOME);
	assert_int_equal(
	    lpk__printer_end_line(&printer, &hold, LPK__BY_WRITE, LATER),
	    LPK__NOTHING);
	lpk__printer_end(&printer, &hold);
	expect_out("open\n");
	expect_closed();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_printer_partial_write_goes_on_at_the_byte),
	    CASE(test_printer_device_that_takes_nothing_keeps_the_place),
	    CASE(test_printer_refused_records_are_counted_as_lost),
	    CASE(test_printer_interrupted_record_is_printed_whole_again),
	    CASE(test_printer_interrupted_rest_is_printed_whole_again),
	    CASE(test_printer_record_taken_twice_is_printed_whole_again),
	    CASE(test_printer_notice_of_a_replay_may_be_interrupted_too),
	    CASE(test_printer_accounts_of_an_interrupted_batch_count_once),
	    CASE(
		test_printer_drops_of_the_log_are_told_once_more_after_a_takeover),
	    CASE(test_printer_owner_lost_before_the_device_is_no_replay),
	    CASE(test_printer_owner_lost_in_the_device_is_a_replay),
	    CASE(test_printer_caller_that_lost_it_does_not_touch_the_device),
	    CASE(test_printer_lost_in_lock_neither_writes_nor_unlocks),
	    CASE(test_printer_open_line_is_as_the_device_has_it),
	    CASE(test_printer_panic_begins_behind_what_is_on_the_device),
	    CASE(test_printer_panic_replays_what_it_interrupted),
	    CASE(test_printer_panic_goes_on_with_the_open_line),
	    CASE(test_printer_panic_in_rendering_takes_no_notice_of_it),
	    CASE(test_printer_panic_without_force_leaves_it_to_its_owner),
	    CASE(test_printer_disabled_calls_nothing),
	    CASE(test_printer_single_driver_gets_notices_alone),
	    CASE(test_printer_callers_get_one_record_at_a_time),
	    CASE(
		test_printer_missing_before_its_start_is_lost_also_if_interrupted),
	    CASE(test_printer_rendering_of_any_length_stays_in_its_buffer),
	    CASE(
		test_printer_notice_at_the_end_of_the_room_stays_in_its_buffer),
	    CASE(test_printer_open_line_gets_its_newline_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
