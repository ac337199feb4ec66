#!/bin/sh
# SPDX-License-Identifier: MIT
# lpk dmesg --core: the log in the core file of a stripped program, which lies in
# a memfd, or where it was from the start; the library shared, and static. Where
# it lies in a file, core files do not have it, and the note says so.
. tests/interop/tool/setup.sh

case $(cat /proc/sys/kernel/core_pattern) in
'|'* | */*)
	echo "core files go elsewhere here: $(cat /proc/sys/kernel/core_pattern)"
	exit 77
	;;
esac
# The libraries that a static one wants, where pkg-config knows of them.
needs=$(pkg-config --libs liburcu-bp 2>/dev/null)
# shellcheck disable=SC2086
link() { # name, flags
	name=$1
	shift
	${CC:-cc} $own -std=c11 -Iinclude "$@" -o "$scratch/$name" \
		tests/interop/tool/writer.c "$build/liblpk.a" $needs -pthread \
		2>"$scratch/said"
}
writers=writer
link writer-a && writers="$writers writer-a"
link writer-static -static && writers="$writers writer-static"
link writer-nopie -no-pie && writers="$writers writer-nopie"
cp "$build/liblpk.so" "$scratch/liblpk.so.0" || exit 1
strip "$scratch/liblpk.so.0" || exit 1
LD_LIBRARY_PATH=$scratch
export LD_LIBRARY_PATH
cd "$scratch" || exit 1
mkdir -m 700 logs
filter=

# die WRITER REGION: $core is what is left of it
die() {
	rm -f core* input
	mkfifo input
	: >ready
	# shellcheck disable=SC3045
	(
		ulimit -c unlimited
		[ -z "$filter" ] || echo "$filter" >/proc/self/coredump_filter
		exec ./"$1" "$2" wait <input >ready 2>said
	) &
	writer=$!
	exec 3>input
	echo "in the core" >&3
	tries=0
	until grep -q ready ready; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "no writer: $(cat said)"
		sleep 0.05
	done
	sleep 0.5
	# Not by SIGQUIT, which a shell makes its background ignore.
	kill -ABRT $writer
	wait $writer
	exec 3>&-
	core=$(find . -name 'core*' | head -n 1)
	if [ -z "$core" ]; then
		echo "no core file is written here"
		exit 77
	fi
}

for program in $writers; do
	strip "$program" || exit 1
	for region in memfd off; do
		die "$program" $region
		expect 0 dmesg --core "$core"
		shows 'read: in the core$'
		[ "$(grep -c 'in the core' "$scratch/out")" -eq 1 ] ||
			fail "$program: more than once"
		# The file says itself what it is.
		expect 0 dmesg "$core"
		shows 'read: in the core$'
		expect 0 sites --core "$core"
		shows '"read: %s"$'
	done
	# Bit 3 of its coredump_filter is not set by default.
	die "$program" logs/log
	expect 2 dmesg --core "$core"
	grep -q 'the log was in a file' err ||
		fail "$program: not found by its note: $(cat err)"
	expect 0 dmesg -f logs/log
	shows 'read: in the core$'
done
# Without the page that has the note (bit 4) the log is found all the same.
filter=0x23
die writer memfd
expect 0 dmesg --core "$core"
shows 'read: in the core$'
# With all that there is, it is found in its file's mapping, once.
filter=0x3f
die writer logs/log
expect 0 dmesg --core "$core"
[ "$(grep -c 'in the core' "$scratch/out")" -eq 1 ] || fail "a file: more than once"
filter=
die writer memfd
size=$(wc -c <"$core")
head -c $((size / 2)) "$core" >half
"$lpk" dmesg --core half >out 2>err
[ $? -le 2 ] || fail "half a core file is too much"
expect 2 dmesg --core "$lpk"
expect 2 dmesg --core ready
