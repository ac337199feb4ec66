#!/bin/sh
# SPDX-License-Identifier: MIT
# An outside driver has what lpk's own have: docs/examples/driver.c, compiled
# with nothing but what is installed, prints through itself.

set -eu
build=${LPK_BUILD:-$PWD/build}
make=${LPK_MAKE:-make}
own=${LPK_CFLAGS:-} # a library of 32 bits wants programs of 32 bits
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset MAKEFLAGS MAKELEVEL MFLAGS T LPK_CONSOLE 2>/dev/null || true

command -v pkg-config >/dev/null || {
	echo "no pkg-config here (apt: pkg-config)"
	exit 77
}
root=$scratch/root
$make O="$build" PREFIX="$root" install >"$scratch/log" 2>&1 || {
	cat "$scratch/log"
	exit 1
}
# Far from the sources: no header of theirs is found by chance.
cp docs/examples/driver.c "$scratch/"
cd "$scratch"
PKG_CONFIG_PATH=$root/lib/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046,SC2086
${CC:-cc} $own -std=c11 -Wall -Wextra -Wpedantic -Werror -o driver driver.c \
	$(pkg-config --cflags --libs lpk)
: >lines
LD_LIBRARY_PATH=$root/lib ./driver "$scratch/lines" >said
grep -q '^1 printed, ' said
grep -q '^\[ *[0-9.]*\] out through a driver of 40 lines$' lines
[ "$(wc -l <lines)" -eq 1 ]
# What cannot be opened is an error, not a crash.
if LD_LIBRARY_PATH=$root/lib ./driver /nowhere/at/all 2>/dev/null; then
	echo "it opened /nowhere/at/all"
	exit 1
fi
echo "compiled with the installed headers alone; 1 line through it"
