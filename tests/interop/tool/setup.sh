# SPDX-License-Identifier: MIT
# Sourced by the tests of the tool: a scratch folder, the writer, and helpers.

set -u
build=${LPK_BUILD:-$PWD/build}
own=${LPK_CFLAGS:-}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset LPK_REGION LPK_CONSOLE LPK_LOG NO_COLOR CLICOLOR_FORCE FORCE_COLOR 2>/dev/null || true
LC_ALL=C
TZ=UTC
LPK_LOG=debug
export LC_ALL TZ LPK_LOG
lpk=$build/lpk

# shellcheck disable=SC2086
${CC:-cc} $own -std=c11 -Iinclude -o "$scratch/writer" tests/interop/tool/writer.c \
	"$build/liblpk.so" -Wl,-rpath,"$build" -pthread || exit 1

fail() {
	echo "$*"
	exit 1
}

# An image of a process that was killed: write KIND, into $scratch/KIND
write() {
	"$scratch/writer" "$scratch/$1" "$1" 2>"$scratch/said" >/dev/null
	[ $? -eq 137 ] || fail "the writer: $(cat "$scratch/said")"
}

# expect STATUS ARGUMENTS...: run lpk; what it printed is in out and err
expect() {
	want=$1
	shift
	"$lpk" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	got=$?
	[ $got -eq "$want" ] || fail "lpk $*: exit status $got, not $want:" \
		"$(cat "$scratch/err")"
}

# lines COUNT: so many lines were printed
lines() {
	got=$(wc -l <"$scratch/out")
	[ "$got" -eq "$1" ] || fail "$got lines, not $1: $(cat "$scratch/out")"
}

# shows PATTERN...: each is on some line of what was printed
shows() {
	for pattern in "$@"; do
		grep -q -e "$pattern" "$scratch/out" ||
			fail "nothing matches '$pattern' in: $(cat "$scratch/out")"
	done
}

hides() {
	for pattern in "$@"; do
		! grep -q -e "$pattern" "$scratch/out" ||
			fail "something matches '$pattern' in: $(cat "$scratch/out")"
	done
}
