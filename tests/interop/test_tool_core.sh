#!/bin/sh
# SPDX-License-Identifier: MIT
# lpk dmesg --core: the log in the core file of a stripped program, which lies in
# a memfd, or where it was from the start.
. tests/interop/tool/setup.sh

case $(cat /proc/sys/kernel/core_pattern) in
'|'* | */*)
	echo "core files go elsewhere here: $(cat /proc/sys/kernel/core_pattern)"
	exit 77
	;;
esac
strip "$scratch/writer" || exit 1
mkfifo "$scratch/input"
cd "$scratch" || exit 1

for region in memfd off; do
	rm -f core*
	# shellcheck disable=SC3045
	(ulimit -c unlimited && exec ./writer $region wait <input >ready 2>said) &
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
	expect 0 dmesg --core "$core"
	shows 'read: in the core$'
	[ "$(grep -c 'in the core' "$scratch/out")" -eq 1 ] || fail "more than once"
	# The file says itself what it is.
	expect 0 dmesg "$core"
	shows 'read: in the core$'
	expect 0 sites --core "$core"
	shows '"read: %s"$'
	size=$(wc -c <"$core")
	head -c $((size / 2)) "$core" >half
	"$lpk" dmesg --core half >out 2>err
	[ $? -le 2 ] || fail "half a core file is too much"
done
expect 2 dmesg --core "$lpk"
expect 2 dmesg --core ready
