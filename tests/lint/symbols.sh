#!/bin/sh
# SPDX-License-Identifier: MIT
# The shared library exports what tests/lint/symbols.txt lists, no more, no less.
#
#   symbols.sh [--write] LIBRARY

list=tests/lint/symbols.txt

exported() {
	${NM:-nm} -D --defined-only "$1" |
		awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort
}

if [ "$1" = --write ]; then
	exported "$2" >$list
	exit
fi

scratch=$(mktemp) || exit 1
trap 'rm -f "$scratch"' EXIT
exported "$1" >"$scratch"
if ! diff -u $list "$scratch"; then
	echo "$list:1: + is exported but not listed, - is listed but gone." \
		"If that is meant: make symbols, and a line in docs/CHANGES.md"
	exit 1
fi
