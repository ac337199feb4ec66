#!/bin/sh
# SPDX-License-Identifier: MIT
# Run the benchmarks of a build, one after the other:
#
#   sh bench/run.sh BUILD/bench
#
# Tables go to the output and to BENCH_OUT/*.txt, figures to BENCH_OUT/*.json
# (default: bench/out). Figures are no tests: what misses its target has an
# asterisk, and the exit status is 0. Another status means that a program could
# not run.
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

for program in first calls render; do
	"$programs/$program"
done

echo
echo "Results in $BENCH_OUT: $(cd "$BENCH_OUT" && echo ./*.json ./*.txt)"
echo "Took $(($(date +%s) - began)) s."
echo "* marks a figure that misses its target."
