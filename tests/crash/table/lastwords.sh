#!/bin/sh
# SPDX-License-Identifier: MIT
# All ways to die, many moments each, with each kind of build: the table goes to
# docs/LASTWORDS.md. Run by `make crash`.
#
#   lastwords.sh [MOMENTS [FILE]]

moments=${1:-200}
file=${2:-docs/LASTWORDS.md}
build=${LPK_BUILD:-$PWD/build}
make=${LPK_MAKE:-make}
table=$build/crash/table.md
mkdir -p "$build/crash"

# kind NAME ARGUMENTS...: the matrix once more, in a build of its own
kind() {
	name=$1
	shift
	$make O="$build/crash/$name" TOP="$build" TEST_DIRS=crash T=crash/matrix \
		CMOCKA_LIBS= "$@" tests >"$build/crash/$name.log" 2>&1 || {
		echo "crash: no build $name, see $build/crash/$name.log" >&2
		return 1
	}
	builds="$builds $name=$build/crash/$name/tests/crash/matrix"
}

builds="dynamic=$build/tests/crash/matrix"
kind static RCU=rwlock LDFLAGS=-static
if command -v musl-gcc >/dev/null; then
	machine=$(${CC:-cc} -print-multiarch 2>/dev/null)
	kind musl RCU=rwlock LDFLAGS=-static \
		CC="musl-gcc -idirafter /usr/include -idirafter /usr/include/$machine" \
		CFLAGS="-O2 -g -Wno-sign-conversion -Wno-overflow"
else
	echo "crash: no musl-gcc here (apt: musl-tools)" >&2
fi
kind asan SANITIZE=asan
kind tsan SANITIZE=tsan ATOMIC=c11

# shellcheck disable=SC2086
"$build/tests/crash/matrix" -n "$moments" -o "$table" $builds
rc=$?
[ -s "$table" ] || exit 1

{
	cat <<'END_OF_HEAD'
# Last words

What is left of the log after each way to die, as counted by `make crash`, which
writes this page. A child's eight threads, and the one that dies, log through a
pipe and a file; each call that has returned is noted in memory that the child
shares with its parent, and so is what had returned when it died. The parent
reads the pipe and the file, has `lpk dmesg` read the image, and demands:

- **all** in memory: each record whose call returned, whenever that was;
- **all** on a console: each record whose call had returned when it died;
- **already printed**: what a console got before, and nothing torn but the last
  line;
- **newest**: why it died, the records around it, and how much was skipped;
- of each thread its records in order, once, whole, without a gap; a record
  printed twice only where a line says so;
- the wait status, and in the core the signal, its code and its address, as of
  the same death without lpk;
- an end within the panic's time (2 seconds, and 2 more for a slow console), and
  a margin for a busy machine.

`committed` are calls that returned, `found` the records in memory, of all runs;
a call that was cut short by the death may have stored its record, so there may
be more found than committed. The last columns say how many deaths of that kind
the build died, each at another moment.

END_OF_HEAD
	cat "$table"
	cat <<'END_OF_TAIL'

Where a thread overflows its stack before it ever logged (8) there is no
alternate stack for a handler, as without lpk, but as there is a handler the
kernel kills with a signal of its own, and the core has neither code nor address;
`lpk_thread_init()` gives such a thread a stack. A thread in strict seccomp (21a)
may only read and write: without `LPK_INIT_SANDBOX` it is killed where its last
words would begin. While another handler has taken the place of ours (26b),
nothing of ours runs; `lpk_panic_rearm()` takes it back (26d). The forked child
of 23a has 100 records in a log of its own. In 29 the log overflows many times
over before the death. Under ThreadSanitizer (27b) there is no region: it has a
thread of its own before main(). A process 1 does not die of a signal that it
sends to itself: what abort() does next is a second panic (35b), and where
nothing comes it goes on (35c).
END_OF_TAIL
	printf '\nBuilds: dynamic and static are %s, with %s;\n' \
		"$(getconf GNU_LIBC_VERSION 2>/dev/null || echo 'the C library')" \
		"$(${CC:-cc} --version | sed 1q)"
	printf 'musl is static. Linux %s, %s.\n' "$(uname -r | sed 's/-.*//')" "$(uname -m)"
} >"$file"
exit $rc
