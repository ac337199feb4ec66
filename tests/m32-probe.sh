#!/bin/sh
# SPDX-License-Identifier: MIT
# Can $CC build and this machine run a 32-bit test program? Says why not.
#
#   m32-probe.sh SCRATCH-FOLDER

mkdir -p "$1" || exit 1
probe=$1/m32-probe
printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' >"$probe.c"
if ! ${CC:-cc} -m32 -o "$probe" "$probe.c" >/dev/null 2>&1; then
	echo "${CC:-cc} -m32 builds nothing (apt: gcc-multilib)"
	exit 1
fi
if ! "$probe" >/dev/null 2>&1; then
	echo "this machine runs no 32-bit program"
	exit 1
fi
if ! ${CC:-cc} -m32 -o "$probe" "$probe.c" -lcmocka >/dev/null 2>&1 &&
	! ${CC:-cc} -m32 -c -o "$probe.o" tests/support/cmocka_stand_in.c \
		>/dev/null 2>&1; then
	echo "no 32-bit cmocka, and its stand-in does not fit this cmocka.h"
	exit 1
fi
