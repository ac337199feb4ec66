#!/bin/sh
# SPDX-License-Identifier: MIT
# lpk run: what a program that knows nothing of lpk prints, and what it sends to
# syslog(3), become records of a log; the rest is as if it ran alone.
. tests/interop/tool/setup.sh
. tests/interop/tool/victim.sh

# shellcheck disable=SC2086
${CC:-cc} $own -O2 -o "$scratch/plain" tests/interop/tool/plain.c || exit 1
# As distributions compile their programs.
# shellcheck disable=SC2086
${CC:-cc} $own -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -o "$scratch/fortified" \
	tests/interop/tool/plain.c || exit 1

# Each line, and each call, once; level and facility as they were given.
for program in plain fortified; do
	LPK_REGION=$scratch/image LPK_CONSOLE=null expect 7 run "$scratch/$program" exit
	lines 0
	expect 0 dmesg -x "$scratch/image"
	shows '^user  :info  : \[ *[0-9.]*\] on stdout$' \
		'^user  :err   : .*\] an error on stdout$' \
		'^user  :info  : .*\] in two parts$' \
		'^user  :notice: .*\] on stderr$' \
		'^daemon:warn  : .*\] tag\[[0-9]*\]: syslog 42 No such file' \
		'^mail  :crit  : .*\] tag\[[0-9]*\]: of mail$' \
		'^daemon:err   : .*\] tag\[[0-9]*\]: by vsyslog$' \
		"^user  :err   : .*\\] $program: after closelog\$" \
		'^user  :info  : .*\] without a newline$' \
		"exited with status 7\$"
	hides 'masked'
	lines 10
done
expect 0 dmesg -o json "$scratch/image"
shows '"text": "on stdout"\|on stdout'

# Levels of its streams; consoles by the environment, or else standard error.
LPK_CONSOLE=stdout,style=prio expect 7 run --stdout debug --stderr 3 \
	"$scratch/plain" exit
shows '^<15>\[.*on stdout$' '^<11>\[.*on stderr$'
expect 7 run "$scratch/plain" exit
lines 0
cp "$scratch/err" "$scratch/out"
shows '\] on stdout$' '\] on stderr$'

# Its end is ours.
LPK_CONSOLE=stdout expect 134 run "$scratch/plain" abort
shows 'without a newline$' 'was killed by signal 6 (ABRT)'
LPK_CONSOLE=stdout expect 0 run true
lines 0
expect 127 run "$scratch/nothing"
expect 126 run "$scratch"
expect 125 run
expect 125 run --stdout loud true
LPK_CONSOLE=stdout expect 0 run sh -c 'cat; echo done' </dev/null
shows '\] done$'

# A daemon that it leaves behind is not waited for.
LPK_CONSOLE=stdout expect 0 run sh -c 'sleep 300 & echo $!'
left=$(sed -n 's/.*\] \([0-9]*\)$/\1/p' "$scratch/out")
[ -n "$left" ] || fail "no pid in: $(cat "$scratch/out")"
kill "$left"

# Every line of many, in order, and a long one in pieces.
LPK_REGION=$scratch/many LPK_CONSOLE="file:$scratch/log" expect 0 run \
	sh -c 'i=0; while [ $i -lt 5000 ]; do echo "line $i"; i=$((i + 1)); done
	head -c 5000 /dev/zero | tr "\0" x'
[ "$(grep -c 'line [0-9]*$' "$scratch/log")" -eq 5000 ] || fail "not 5000 lines"
sed -n 's/.*line \([0-9]*\)$/\1/p' "$scratch/log" | sort -n -c -u || fail "not in order"
[ "$(grep 'xxx' "$scratch/log" | sed 's/^[^]]*\] //' | tr -d '\n' | wc -c)" -eq 5000 ] ||
	fail "a long line is not whole"

# Living, by dmesg -p; signals are passed on; and watched, when it is killed.
"$lpk" run sh -c 'echo ready $$; exec sleep 300' 2>"$scratch/err" &
runner=$!
eventually grep -q ready "$scratch/err"
expect 0 dmesg -p $runner
shows '\] ready [0-9]*$'
kill -TERM $runner
wait $runner
status=$?
[ $status -eq 143 ] || fail "SIGTERM: status $status"
LPK_CONSOLE=null "$lpk" watch "$lpk" run sh -c 'echo last words; exec sleep 300' \
	2>"$scratch/err" &
watcher=$!
stored() { "$lpk" dmesg -p "$watched" | grep -q 'last words$'; }
child_of() { watched=$(cat /proc/$watcher/task/$watcher/children) && [ -n "$watched" ]; }
if [ -r /proc/self/task/$$/children ] || [ -r /proc/$$/task/$$/children ]; then
	eventually child_of
	watched=${watched%% *}
	eventually stored
	sleeper=$(cat "/proc/$watched/task/$watched/children")
	kill -9 "$watched"
	wait $watcher
	status=$?
	[ $status -eq 137 ] || fail "watched: status $status"
	grep -q '\] last words$' "$scratch/err" || fail "lost: $(cat "$scratch/err")"
	# shellcheck disable=SC2086
	kill $sleeper
else
	kill $watcher
	wait $watcher
fi
exit 0
