#!/bin/sh
# SPDX-License-Identifier: MIT
# lpk watch: whatever way a program ends, what no console had printed is shown,
# the image is there, and so is its status; one that hangs is told of, and ended.
. tests/interop/tool/setup.sh
. tests/interop/tool/victim.sh

pid=
trap '[ -z "$pid" ] || kill -9 "$pid"; rm -rf "$scratch"' EXIT

# died STATUS ARGUMENTS...: what is said is in err
died() {
	expect "$@"
	cp "$scratch/err" "$scratch/out"
}

died 137 watch "$victim" say first second die kill
shows 'victim\[[0-9]*\]: [23] messages that no console has printed' \
	'\] said: first$' '\] said: second$' 'was killed by signal 9 (KILL)$'
died 139 watch -- "$victim" say third die segv
shows '\] said: third$' 'was killed by signal 11 (SEGV)'
INIT=1 died 134 watch "$victim" say fourth die abort
shows 'said: fourth$' 'was killed by signal 6 (ABRT)'
died 3 watch "$victim" say fifth die exit 3
shows '\] said: fifth$' 'exited with status 3$'
died 0 watch "$victim" say mother die child
shows '\] said: mother$' "\\] the child's word$"

# What a console has printed is not said again.
LPK_CONSOLE="file:$scratch/log" died 3 watch "$victim" say printed die exit 3
hides 'printed'
grep -q 'said: printed' "$scratch/log" || fail "the console has printed nothing"
# A console in memory, or none, has shown it to nobody.
LPK_CONSOLE="null;ram" died 3 watch "$victim" say shown die exit 3
shows 'said: shown$'

# However early it dies.
number=0
while [ $number -lt 100 ]; do
	died 137 watch "$victim" say "early $number" die kill
	shows "said: early $number\$"
	number=$((number + 1))
done

# Saved, and those that were saved before are kept.
died 137 watch --save "$scratch/image" "$victim" say old die kill
died 137 watch --save "$scratch/image" "$victim" say new die kill
expect 0 dmesg -f "$scratch/image"
shows 'said: new$'
hides 'said: old$'
expect 0 dmesg -f "$scratch/image.1"
shows 'said: old$'
[ "$(stat -c %a "$scratch/image")" = 600 ] || fail "others may read the image"

# Programs without a log, and no programs.
died 0 watch true
shows 'had no log'
died 5 watch sh -c 'exit 5'
died 127 watch "$scratch/nothing"
died 126 watch "$scratch"
died 125 watch
died 125 watch --abort true
LPK_REGION=off died 137 watch "$victim" say unseen die kill
hides 'unseen'

# Signals are passed on.
for signal in TERM:15 HUP:1 USR1:10; do
	name=${signal%:*}
	number=${signal#*:}
	: >"$scratch/said"
	"$lpk" watch "$victim" say "until $name" die stop >"$scratch/said" \
		2>"$scratch/out" &
	pid=$!
	ready said >/dev/null
	kill -$name $pid
	wait $pid
	status=$?
	pid=
	[ $status -eq $((128 + number)) ] || fail "$name: status $status"
	shows "said: until $name\$" "was killed by signal $number ($name)\$"
done

# A process that runs already, killed.
: >"$scratch/said"
INIT=1 "$victim" say running die stop >"$scratch/said" &
pid=$!
ready said >/dev/null
"$lpk" watch --save "$scratch/image" -p $pid >"$scratch/out" 2>&1 &
watcher=$!
holds() { ls -l /proc/$watcher/fd | grep -q memfd:lpk; }
eventually holds
kill -9 $pid
wait $watcher || fail "watch -p ended with $?: $(cat "$scratch/out")"
pid=
shows 'said: running$' 'has ended$'
expect 0 dmesg -f "$scratch/image"
shows 'said: running$'
died 2 watch -p 999999999

# A hang, told of with what its thread waits for, and ended.
died 134 watch --hang 0.5 --abort "$victim" say before die hang
shows 'no sign of life for' '\] said: before$' '^  thread [0-9]* victim: S' \
	'is ended by SIGABRT$' 'was killed by signal 6 (ABRT)'

# One that is stopped does not hang; one that goes on is no news of a death.
: >"$scratch/said"
"$lpk" watch --hang 0.3 "$victim" say quiet die stop >"$scratch/said" \
	2>"$scratch/out" &
watcher=$!
pid=$(ready said)
kill -STOP "$pid"
sleep 1
before=$(grep -c 'no sign of life' "$scratch/out")
sleep 1
[ "$(grep -c 'no sign of life' "$scratch/out")" -eq "$before" ] ||
	fail "a stopped process is said to hang"
kill -CONT "$pid"
kill -9 "$pid"
wait $watcher
pid=
