#!/bin/sh
# SPDX-License-Identifier: MIT
# The macros from C++17: the same texts for every kind of argument, and sites
# that need no guard, which would be a lock, at their first use.

set -eu
build=${LPK_BUILD:-$PWD/build}
cxx=${CXX:-c++}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

command -v "$cxx" >/dev/null || {
	echo "no C++ compiler here (apt: g++)"
	exit 77
}

for optimise in -O0 -O2; do
	# shellcheck disable=SC2086
	"$cxx" -std=c++17 -Wall -Wextra -Wpedantic -Werror ${LPK_CFLAGS:-} \
		"$optimise" -Iinclude -o "$scratch/program" \
		tests/interop/cxx_deferred.cc "$build/liblpk.a" \
		${LPK_LIBS:--lurcu-bp -pthread}
	"$scratch/program"
	if ${NM:-nm} -C "$scratch/program" | grep 'guard variable for .*lpk__'; then
		echo "a call site is initialised at run time, under a lock"
		exit 1
	fi
done
