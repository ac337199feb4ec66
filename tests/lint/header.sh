#!/bin/sh
# SPDX-License-Identifier: MIT
# A public header compiles alone, twice over, in strict C11 and in C++17, with
# and without the short names.
#
#   header.sh include/lpk/NAME.h

warnings="-Wall -Wextra -Wpedantic -pedantic-errors -Werror -Wundef"
name=${1#include/}
rc=0

# $@: compiler and flags
compiles() {
	printf '#include <%s>\n#include <%s>\nextern int lpk_alone;\n' "$name" "$name" |
		"$@" -Iinclude -fsyntax-only - || {
		echo "include/$name:1: does not compile alone with: $*"
		rc=1
	}
}

for short in -ULPK_SHORT_NAMES -DLPK_SHORT_NAMES; do
	# shellcheck disable=SC2086
	compiles ${CC:-cc} -std=c11 $warnings -Wstrict-prototypes $short -x c
	if command -v ${CXX:-c++} >/dev/null; then
		# shellcheck disable=SC2086
		compiles ${CXX:-c++} -std=c++17 $warnings $short -x c++
	else
		echo "no C++ compiler here (apt: g++)"
		[ $rc -eq 0 ] && rc=77
	fi
done
exit $rc
