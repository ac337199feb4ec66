#!/bin/sh
# SPDX-License-Identifier: MIT
# Run the tests of some lists, a line for each, and count them.
#
#   run.sh RESULTS LIST...
#
# A line of a list is name|seconds allowed|why it is skipped|command. The output
# of each goes to RESULTS/name.log, and is shown when the test fails. A test
# passes with 0 and is skipped with 77, its last line saying why.

results=$1
pid=
trap '[ -z "$pid" ] || kill "$pid"; exit 130' INT TERM
shift
passed=0 failed=0 skipped=0

# The reason that a skipped test gave: the last line that it printed.
last_line() {
	grep -v '^[[:space:]]*$' "$1" | tail -n 1
}

run_one() { # name seconds skip command
	log=$results/$1.log
	start=$(date +%s)
	mkdir -p "${log%/*}"
	if [ -n "$3" ]; then
		echo "$3" >"$log"
		rc=77
	else
		timeout -k 10 "$2" sh -c "$4" >"$log" 2>&1 </dev/null &
		pid=$!
		wait "$pid"
		rc=$?
		pid=
	fi
	case $rc in
	0)
		passed=$((passed + 1))
		took=$(($(date +%s) - start))
		[ $took -lt 3 ] && took= || took=" ($took s)"
		echo "PASS $1$took"
		;;
	77)
		skipped=$((skipped + 1))
		echo "SKIP $1: $(last_line "$log")"
		;;
	*)
		failed=$((failed + 1))
		case $rc in
		124 | 137) why="no end within $2 seconds, or killed" ;;
		*) why="exit status $rc" ;;
		esac
		echo "FAIL $1: $why; $log:"
		sed 's/^/     | /' "$log" | tail -n 100
		;;
	esac
}

mkdir -p "$results"
cat "$@" >"$results/list" || exit 1
while IFS='|' read -r name seconds skip command; do
	[ -n "$name" ] || continue
	run_one "$name" "$seconds" "$skip" "$command"
done <"$results/list"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
