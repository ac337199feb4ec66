#!/bin/sh
# SPDX-License-Identifier: MIT
# Build the example for a Cortex-M3, in the folder named (default: build):
#
#   docs/examples/cortex-m3/build.sh [FOLDER]
#
# Run it:  qemu-system-arm -M mps2-an385 -nographic -kernel FOLDER/cortex-m3.elf

set -eu
out=${1:-build}
cd "$(dirname "$0")/../../.."
case $out in /*) ;; *) out=$PWD/$out ;; esac
board=docs/examples/cortex-m3
mkdir -p "$out/private"

# libatomic_ops is a header here; take it alone, not all of the host's headers.
# It wants an assert.h, which a bare machine lacks.
cp -R /usr/include/atomic_ops.h /usr/include/atomic_ops "$out/private/"
echo '#define assert(condition) ((void)0)' >"$out/private/assert.h"

# The core, without floating point: what CORE_SRCS and CORE_FLOAT_FIRMWARE of
# liblog/sources.mk name.
core=$(find liblog/core -name '*.c' ! -name format_float_stb.c | sort)

# shellcheck disable=SC2086
arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb -std=c11 -Os -ffreestanding \
	-ffunction-sections -fdata-sections -Wall -Wextra -Wpedantic \
	-DLPK_CONFIG_FILE='"lpk_board.h"' \
	-Iinclude -Iliblog -Iliblog/atomic/ao -Iliblog/port/bare \
	-I$board -isystem "$out/private" \
	-nostdlib -nostartfiles -Wl,--gc-sections -T $board/link.ld \
	-o "$out/cortex-m3.elf" $core $board/port.c $board/main.c \
	$board/string.c -lgcc
arm-none-eabi-size "$out/cortex-m3.elf"
