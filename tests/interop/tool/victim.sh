# SPDX-License-Identifier: MIT
# Sourced after setup.sh by tests that do things to a process: the victim, and
# waiting for what it says.

ulimit -c 0
unset LPK_WATCH LPK_RUN LD_PRELOAD INIT 2>/dev/null || true
victim=$scratch/victim
# shellcheck disable=SC2086
${CC:-cc} $own -std=c11 -Iinclude -o "$victim" tests/interop/tool/victim.c \
	"$build/liblpk.so" -Wl,-rpath,"$build" -pthread || exit 1

# eventually COMMAND...: until it succeeds, for a while
eventually() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "it never came true: $*"
		sleep 0.05
	done
}

# The pid that a victim, or what started it, said in $scratch/$1
ready() {
	eventually grep -q '^ready ' "$scratch/$1"
	sed -n 's/^ready //p' "$scratch/$1"
}
