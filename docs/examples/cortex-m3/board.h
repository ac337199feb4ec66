/* SPDX-License-Identifier: MIT */
/*
 * board.h - the few registers of the MPS2 board with a Cortex-M3 (the AN385
 * image, which QEMU emulates) that this example touches.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#define BOARD_HZ 25000000u

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define SYSTICK_CTRL REGISTER(0xe000e010)
#define SYSTICK_LOAD REGISTER(0xe000e014)
#define SYSTICK_VAL REGISTER(0xe000e018)

#define SCB_ICSR REGISTER(0xe000ed04)
#define ICSR_NMIPENDSET (1u << 31)
#define ICSR_PENDSTSET (1u << 26)

#define UART_DATA REGISTER(0x40004000)
#define UART_STATE REGISTER(0x40004004)
#define UART_CTRL REGISTER(0x40004008)
#define UART_BAUDDIV REGISTER(0x40004010)
#define UART_TX_FULL 1u

/* Milliseconds since the start, counted by the SysTick handler of main.c. */
extern volatile uint32_t board_ms;

#endif /* BOARD_H */
