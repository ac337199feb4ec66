/* SPDX-License-Identifier: MIT */
/*
 * main.c - a firmware that logs from its main loop, from an interrupt, from a
 * non-maskable one and from HardFault, and prints from the main loop.
 */
#include <lpk/format.h>
#include <lpk/printk.h>
#include <lpk/reader.h>

#include "board.h"

extern uint32_t stack_top[], data_start[], data_end[], data_image[];
extern uint32_t bss_start[], bss_end[];

volatile uint32_t board_ms;

static struct lpk_reader reader, last_reader;
static uint64_t next_seq; /* of the first record that is not printed yet */
static char text[LPK_TEXT_MAX + 1];
static char line[2 * LPK_TEXT_MAX];

static void
uart_put(const char *bytes)
{
	for (; *bytes != '\0'; bytes++) {
		while (UART_STATE & UART_TX_FULL)
			;
		UART_DATA = (unsigned char)*bytes;
	}
}

/* The console: print what there is. */
static void
print_log(struct lpk_reader *from)
{
	struct lpk_record record;
	int result;

	while ((result = lpk_reader_next(from, &record, text, sizeof(text))) !=
	    -LPK_EAGAIN) {
		if (result == LPK_OK)
			lpk_record_print(&record, text, LPK_STYLE_CALLER, line,
			    sizeof(line));
		else
			lpk_snprintf(line, sizeof(line),
			    "** %lu printk messages dropped **\n",
			    (unsigned long)from->lost);
		uart_put(line);
		if (result == LPK_OK)
			next_seq = record.seq + 1;
	}
}

static void
on_systick(void)
{
	board_ms++;
	if (board_ms % 100 == 0)
		lpk_info("systick: %lu ms", (unsigned long)board_ms);
	if (board_ms == 250)
		SCB_ICSR = ICSR_NMIPENDSET;
}

static void
on_nmi(void)
{
	lpk_crit("NMI, in the middle of something");
}

/*
 * The last words. The main loop may have been interrupted in the middle of a
 * step of its reader: another one goes on where it was.
 */
static void
on_hardfault(void)
{
	lpk_emerg("HardFault, HFSR %08lx", (unsigned long)REGISTER(0xe000ed2c));
	lpk_reader_open(&last_reader, lpk_default_log(), LPK_SEEK_OLDEST);
	lpk_reader_seek(&last_reader, LPK_SEEK_SEQ, next_seq);
	print_log(&last_reader);
	for (;;)
		;
}

static void
on_reset(void)
{
	uint32_t *from = data_image, *to;

	for (to = data_start; to < data_end;)
		*to++ = *from++;
	for (to = bss_start; to < bss_end;)
		*to++ = 0;
	UART_BAUDDIV = 16;
	UART_CTRL = 1;
	SYSTICK_LOAD = BOARD_HZ / 1000 - 1;
	SYSTICK_VAL = 0;
	SYSTICK_CTRL = 7;
	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	lpk_notice("lpk %s on a Cortex-M3", lpk_version());
	while (board_ms < 500)
		print_log(&reader);
	/* There is nothing at this address. */
	REGISTER(0xc0000000) = 0;
}

__attribute__((section(".vectors"), used)) static const struct {
	void *stack;
	void (*handler[15])(void);
} vectors = {
    stack_top,
    {on_reset, on_nmi, on_hardfault, [14] = on_systick},
};
