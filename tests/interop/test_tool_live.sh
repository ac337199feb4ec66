#!/bin/sh
# SPDX-License-Identifier: MIT
# lpk dmesg -p: the log of a living process, wherever that lies; following it to
# its end, without losing or doubling a line.
. tests/interop/tool/setup.sh

mkfifo "$scratch/input"
pid=
follower=
new=
trap 'kill $pid $follower $new 2>/dev/null; rm -rf "$scratch"' EXIT

# start REGION: the writer waits for lines; $pid is its own
start() {
	: >"$scratch/ready"
	"$scratch/writer" "$1" wait <"$scratch/input" >"$scratch/ready" 2>"$scratch/said" &
	exec 3>"$scratch/input"
	while ! grep -q ready "$scratch/ready"; do
		kill -0 $! 2>/dev/null || fail "no writer: $(cat "$scratch/said")"
		sleep 0.05
	done
	pid=$(sed -n 's/ready //p' "$scratch/ready")
}

# Its input ends, and so does it.
stop() {
	exec 3>&-
	wait "$pid" 2>/dev/null
	pid=
}

# until PATTERN FILE: wait for it, for a while
until_shown() {
	tries=0
	while ! grep -q -e "$1" "$2"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "no '$1' in: $(cat "$2")"
		sleep 0.05
	done
}

for region in memfd "$scratch/file" off; do
	start "$region"
	echo one >&3
	tries=0
	while :; do
		"$lpk" dmesg -p "$pid" >"$scratch/out" 2>"$scratch/err"
		status=$?
		if [ $status -eq 2 ] && [ "$region" = off ]; then
			echo "its memory cannot be read here: $(cat "$scratch/err")"
			break
		fi
		[ $status -eq 0 ] || fail "$region: status $status: $(cat "$scratch/err")"
		grep -q 'read: one$' "$scratch/out" && break
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "$region: the line is not shown"
		sleep 0.05
	done
	stop
done
expect 2 dmesg -p 999999999
expect 2 dmesg -p nonsense
expect 2 dmesg -p $$

# Followed from the beginning, and only what is new.
start "$scratch/followed"
echo before >&3
tries=0
until "$lpk" dmesg -p "$pid" | grep -q 'read: before$'; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || fail "the first line is not shown"
	sleep 0.05
done
"$lpk" dmesg -w -p "$pid" >"$scratch/all" 2>&1 3>&- &
follower=$!
"$lpk" dmesg -W -f "$scratch/followed" >"$scratch/new" 2>&1 3>&- &
new=$!
until_shown 'read: before$' "$scratch/all"
# The second has no line to show that it has begun.
sleep 1
number=0
while [ $number -lt 500 ]; do
	echo "line $number" >&3
	number=$((number + 1))
done
until_shown 'read: line 499$' "$scratch/all"
stop
# They end when the process has ended and all is read.
wait "$follower" || fail "-w ended with $?"
wait "$new" || fail "-W ended with $?"
follower=
new=
[ "$(grep -c 'read: line' "$scratch/all")" -eq 500 ] || fail "-w: not 500 lines"
sed -n 's/.*read: line //p' "$scratch/all" | sort -n -c -u || fail "-w: order"
[ "$(wc -l <"$scratch/new")" -eq 500 ] ||
	fail "-W: $(wc -l <"$scratch/new") lines, not 500"
