#!/bin/sh
# SPDX-License-Identifier: MIT
# The worked example of docs/PORTING.md builds, and, where there is a QEMU, logs
# from its main loop, an interrupt, a real NMI and HardFault.

set -eu
command -v arm-none-eabi-gcc >/dev/null || {
	echo "no arm-none-eabi-gcc here (apt: gcc-arm-none-eabi)"
	exit 77
}
scratch=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$scratch"' EXIT

sh docs/examples/cortex-m3/build.sh "$scratch" >"$scratch/built" 2>&1 || {
	cat "$scratch/built"
	exit 1
}
cat "$scratch/built"
if grep -q 'warning:' "$scratch/built"; then
	echo "the compiler warns"
	exit 1
fi
command -v qemu-system-arm >/dev/null || {
	echo "built; not run: no qemu-system-arm here (apt: qemu-system-arm)"
	exit 0
}
# It ends in HardFault, and stays there.
qemu-system-arm -M mps2-an385 -nographic -monitor none -serial stdio \
	-kernel "$scratch/cortex-m3.elf" </dev/null >"$scratch/said" 2>&1 &
pid=$!
tries=0
until grep -q HardFault "$scratch/said"; do
	tries=$((tries + 1))
	[ $tries -lt 60 ] || break
	sleep 0.5
done
cat "$scratch/said"
for expected in '   T1\] lpk .* on a Cortex-M3' '  S15\] systick: 500 ms' \
	'   S2\] NMI' '   S3\] HardFault, HFSR 40000000'; do
	grep -q "$expected" "$scratch/said" || {
		echo "did not say: $expected"
		exit 1
	}
done
