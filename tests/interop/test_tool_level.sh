#!/bin/sh
# SPDX-License-Identifier: MIT
# lpk level: a console of a process that sleeps changes at once; what it shows
# from then on is what was asked; others may ask nothing.
. tests/interop/tool/setup.sh
. tests/interop/tool/victim.sh

pid=
trap '[ -z "$pid" ] || kill -9 "$pid"; rm -rf "$scratch"' EXIT
mkfifo "$scratch/input"

INIT=1 LPK_CONSOLE="file:$scratch/log,name=log,level=err;null,name=twin;null,name=twin" \
	"$victim" say zero die read <"$scratch/input" >"$scratch/said" &
pid=$!
exec 3>"$scratch/input"
ready said >/dev/null

expect 0 level -p "$pid"
lines 3
shows '^log (file): poll, running, level err$' '^twin (null): poll, '

# 0, or 1 where the kernel cannot wake it; then the next record does.
change() {
	"$lpk" level -p "$pid" "$@" >"$scratch/out" 2>"$scratch/err"
	status=$?
	if [ $status -eq 1 ]; then
		echo "err nudge" >&3
	elif [ $status -ne 0 ]; then
		fail "level $*: status $status: $(cat "$scratch/err")"
	fi
}
# is PATTERN: what the list says of it
is() {
	is_so() { "$lpk" level -p "$pid" | grep -q "$1"; }
	eventually is_so "$1"
}

echo "one" >&3
echo "err two" >&3
eventually grep -q 'read: two' "$scratch/log"
! grep -q 'read: one' "$scratch/log" || fail "level=err shows info"
# Long enough for its thread to sleep for good.
sleep 0.2
change log info
is '^log .* level info$'
echo "three" >&3
eventually grep -q 'read: three' "$scratch/log"
change log err mode=direct
is '^log (file): direct, running, level err$'
echo "four" >&3
echo "err five" >&3
eventually grep -q 'read: five' "$scratch/log"
! grep -q 'read: four' "$scratch/log" || fail "level err shows info"
change log mode=panic
is '^log (file): panic, '
echo "err six" >&3
sleep 0.2
! grep -q 'read: six' "$scratch/log" || fail "mode=panic prints"
# What came meanwhile is printed then; nobody has to log for that.
change log mode=poll
is '^log (file): poll, '
eventually grep -q 'read: six' "$scratch/log"

# Many times, and two at once.
number=0
while [ $number -lt 50 ]; do
	"$lpk" level -p "$pid" log debug >/dev/null 2>&1 &
	other=$!
	"$lpk" level -p "$pid" log mode=poll >/dev/null 2>&1
	first=$?
	wait $other || [ $? -eq 1 ] || fail "two at once: $?"
	[ $first -le 1 ] || fail "two at once: $first"
	number=$((number + 1))
done
is '^log (file): poll, running, level debug$'

# The child of a fork has consoles of its own; nothing of its parent's.
expect 2 level -p "$pid" nothing err
grep -q 'has no console nothing' "$scratch/err" || fail "not said: $(cat "$scratch/err")"
expect 2 level -p "$pid" twin err
grep -q 'several consoles' "$scratch/err" || fail "not said: $(cat "$scratch/err")"
expect 2 level -p "$pid" log
expect 2 level -p "$pid" log nonsense
expect 2 level -p "$pid" log err+
expect 2 level -p "$pid" log mode=nonsense
expect 2 level -p 999999999 log err
expect 2 level -p $$ log err
expect 2 level
grep -q '/memfd:lpk-control' "/proc/$pid/maps" || fail "there is no page for requests"

# Another user.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	cp "$lpk" "$scratch/lpk"
	chmod 755 "$scratch" "$scratch/lpk"
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$scratch/lpk" level -p "$pid" log emerg >"$scratch/out" 2>&1
	[ $? -eq 2 ] || fail "another user may: $(cat "$scratch/out")"
	is '^log (file): poll, running, level debug$'
fi
exec 3>&-
wait "$pid"
status=$?
pid=
[ $status -eq 0 ] || fail "the process ended with $status"
