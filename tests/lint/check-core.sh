#!/bin/sh
# SPDX-License-Identifier: MIT
# Build the freestanding core for one machine, with nothing but the compiler's
# own headers in reach, and compare the symbols that it leaves undefined with
# tests/lint/core-symbols-TARGET.txt (shell patterns, a line each).
#
#   O=BUILD check-core.sh TARGET SOURCE...

target=$1
shift
out=${O:-build}/bare/$target
private=$out/include

# The compiler's own headers are all there is on a bare machine.
own=
# The limits of a small board, as its port sets them.
board=docs/examples/cortex-m3/lpk_board.h

case $target in
x86_64)
	cc="${CC:-cc}" package=gcc atomic=ao
	flags="-m64 -fno-pie"
	own=$($cc -print-file-name=include 2>/dev/null)
	case $($cc --version 2>/dev/null) in
	*clang*) own=$($cc -print-resource-dir)/include ;;
	esac
	if [ "$(uname -m)" != x86_64 ]; then
		echo "this machine is no x86-64"
		exit 77
	fi
	;;
cortex-m3)
	cc=arm-none-eabi-gcc package=gcc-arm-none-eabi atomic=ao
	flags="-mcpu=cortex-m3 -mthumb -imacros $board"
	;;
cortex-m0)
	# No compare-and-swap on this core: interrupts are masked instead.
	cc=arm-none-eabi-gcc package=gcc-arm-none-eabi atomic=irq
	flags="-mcpu=cortex-m0 -mthumb -imacros $board"
	;;
riscv32)
	cc=riscv64-unknown-elf-gcc package=gcc-riscv64-unknown-elf atomic=ao
	flags="-march=rv32imac -mabi=ilp32 -imacros $board"
	;;
*)
	echo "no such target: $target"
	exit 2
	;;
esac

if ! command -v "${cc%% *}" >/dev/null; then
	echo "no ${cc%% *} here (apt: $package)"
	exit 77
fi
if [ $# -eq 0 ]; then
	echo "no sources"
	exit 1
fi

# libatomic_ops and stb are headers of the host: take those two, not all that
# lies beside them. atomic_ops.h wants an assert.h, which a bare machine lacks.
host=${HOST_INCLUDE:-/usr/include}
rm -rf "$out"
mkdir -p "$private/stb" || exit 1
cp -R "$host/atomic_ops.h" "$host/atomic_ops" "$private/" || exit 1
cp "$host/stb/stb_sprintf.h" "$private/stb/" || exit 1
echo '#define assert(condition) ((void)0)' >"$private/assert.h"
# A hosted compiler's limits.h goes on to that of libc: it finds an empty one.
[ -z "$own" ] || : >"$private/limits.h"

# compile SOURCE OBJECT
compile() {
	# shellcheck disable=SC2086
	$cc $flags ${own:+-nostdinc -isystem "$own"} -isystem "$private" \
		-std=c11 -ffreestanding -Os -fvisibility=hidden \
		-ffunction-sections -fdata-sections \
		-fno-stack-protector -fno-common -Wall -Wextra -Wpedantic -Werror \
		-fstack-usage -Iinclude -Iliblog -Iliblog/port/bare "-Iliblog/atomic/$atomic" \
		-c -o "$2" "$1" || exit 1
}

objects=
for source in "$@"; do
	object=$out/$(basename "$source" .c).o
	compile "$source" "$object"
	objects="$objects $object"
done
# The port that others copy must at least compile where they start from.
template=liblog/port/template.c
[ ! -f $template ] || compile $template "$out/template.port"

# shellcheck disable=SC2086
$cc $flags -nostdlib -no-pie -r -o "$out/core.linked" $objects || exit 1

list=$(dirname "$0")/core-symbols-$target.txt
bad=0
for symbol in $(${NM:-nm} -u "$out/core.linked" | awk '{ print $NF }'); do
	known=0
	while read -r pattern why; do
		# shellcheck disable=SC2254
		case $pattern in
		'' | '#'*) continue ;;
		esac
		# shellcheck disable=SC2254
		case $symbol in
		$pattern) known=1 ;;
		esac
	done <"$list"
	if [ $known -eq 0 ]; then
		users=$(for o in $objects; do
			${NM:-nm} -u "$o" | grep -qw -- "$symbol" && basename "$o" .o
		done | tr '\n' ' ')
		echo "liblog/core: needs $symbol (in ${users% }), which $list does not allow; do without it"
		bad=1
	fi
done
exit $bad
