#!/bin/sh
# SPDX-License-Identifier: MIT
# Install into a folder, build and run a C and a C++ program against it with
# nothing but pkg-config to go by, uninstall, and find the folder empty.

set -eu
build=${LPK_BUILD:-$PWD/build}
make=${LPK_MAKE:-make}
own=${LPK_CFLAGS:-} # a library of 32 bits wants programs of 32 bits
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The make that runs this test must not lend its options to the one run here.
unset MAKEFLAGS MAKELEVEL MFLAGS T 2>/dev/null || true

command -v pkg-config >/dev/null || {
	echo "no pkg-config here (apt: pkg-config)"
	exit 77
}

cat >"$scratch/program.c" <<'END'
#include <lpk/printk.h>

#include <stdio.h>

int main(void)
{
	lpk_info("installed, %d", 42);
	return puts(lpk_version()) < 0;
}
END
cp "$scratch/program.c" "$scratch/program.cpp"

# $1: the folder; $2...: settings for make
round() {
	root=$1
	shift
	$make O="$build" "$@" install >"$scratch/log" 2>&1 || {
		cat "$scratch/log"
		exit 1
	}
	[ -f "$root/include/lpk/printk.h" ] || {
		echo "no header under $root"
		exit 1
	}
	programs "$root"
	$make O="$build" "$@" uninstall >/dev/null
	if [ -n "$(find "$root" -mindepth 1)" ]; then
		echo "left behind by uninstall:"
		find "$root" -mindepth 1
		exit 1
	fi
}

programs() {
	PKG_CONFIG_PATH=$(dirname "$(find "$1" -name lpk.pc)")
	export PKG_CONFIG_PATH
	libs=$(dirname "$PKG_CONFIG_PATH")
	flags=$(pkg-config --cflags --libs lpk)
	version=$(pkg-config --modversion lpk)
	# shellcheck disable=SC2086
	${CC:-cc} $own -std=c11 -pedantic-errors -o "$scratch/c" "$scratch/program.c" $flags
	run "$scratch/c" LD_LIBRARY_PATH="$libs"
	# shellcheck disable=SC2086
	${CXX:-c++} $own -std=c++17 -pedantic-errors -o "$scratch/cpp" "$scratch/program.cpp" $flags
	run "$scratch/cpp" LD_LIBRARY_PATH="$libs"
	# The static library, whose own needs pkg-config knows.
	static=$(pkg-config --static --libs lpk | sed 's/-llpk/-l:liblpk.a/')
	# shellcheck disable=SC2046,SC2086
	${CC:-cc} $own -std=c11 -o "$scratch/static" "$scratch/program.c" \
		$(pkg-config --cflags lpk) $static
	run "$scratch/static"
}

# $1: program; $2: an environment variable for it
run() {
	printed=$(env ${2:+"$2"} "$1")
	[ "$printed" = "$version" ] || {
		echo "${1##*/} prints '$printed'; lpk.pc says '$version'"
		exit 1
	}
}

mkdir "$scratch/root" "$scratch/multi" "$scratch/stage"
round "$scratch/root" PREFIX="$scratch/root"
round "$scratch/multi" PREFIX="$scratch/multi" LIBDIR="$scratch/multi/lib/arch"

# A packager's staging folder: everything is below it, nothing names it.
$make O="$build" DESTDIR="$scratch/stage" PREFIX=/usr install >/dev/null
if grep -q "$scratch" "$scratch/stage/usr/lib/pkgconfig/lpk.pc"; then
	echo "lpk.pc names the staging folder"
	exit 1
fi
$make O="$build" DESTDIR="$scratch/stage" PREFIX=/usr uninstall >/dev/null
left=$(find "$scratch/stage" ! -type d)
[ -z "$left" ] || {
	echo "left behind by uninstall: $left"
	exit 1
}
