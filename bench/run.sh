#!/bin/sh
# SPDX-License-Identifier: MIT
# Run the benchmarks of a build, one after the other:
#
#   sh bench/run.sh BUILD/bench
#
# Tables go to the output and to BENCH_OUT/*.txt, figures to BENCH_OUT/*.json,
# plots and a page of all of it beside them (default: bench/out). BENCH_ONLY
# names the programs to run; the others' figures of last time stay. Figures are
# no tests: what misses its target has an asterisk, and the exit status is 0.
# Another status means that a program could not run.
set -eu

here=$(dirname "$0")
programs=$1
BENCH_OUT=${BENCH_OUT:-$here/out}
export BENCH_OUT
mkdir -p "$BENCH_OUT"

began=$(date +%s)
busy=$(awk '{ print ($1 > 0.5) }' /proc/loadavg 2>/dev/null || echo 0)
[ "$busy" = 0 ] || echo "bench: this machine is busy ($(cut -d' ' -f1 \
	/proc/loadavg) running): the figures will say so" >&2

# What the report shows first comes first.
all="direct stuck overload any_context crash first calls render compare \
	realtime cost growth"
# shellcheck disable=SC2086
set -- ${BENCH_ONLY:-$all}
number=0
failed=
for program; do
	number=$((number + 1))
	echo "bench: $number of $#: $program, after $(($(date +%s) - began)) s" >&2
	"$programs/$program" || failed="$failed $program"
done

echo "bench: plots and page" >&2
sh "$here/plots.sh" "$BENCH_OUT" || failed="$failed plots"
sh "$here/report.sh" "$BENCH_OUT" || failed="$failed report"

echo
[ ! -f "$BENCH_OUT/summary.txt" ] || cat "$BENCH_OUT/summary.txt"
echo
echo "Results in $BENCH_OUT: report.html, *.txt, *.json, *.svg, *.png"
echo "Took $(($(date +%s) - began)) s."
echo "* marks a figure that misses its target."
if [ -n "$failed" ]; then
	echo "Could not run:$failed"
	exit 1
fi
