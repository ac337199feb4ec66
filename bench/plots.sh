#!/bin/sh
# SPDX-License-Identifier: MIT
# Draw what the benchmarks have written, as SVG and PNG, with gnuplot:
#
#   sh bench/plots.sh OUT
#
# A plot whose program did not run is left out. Each is a file of plots/, and
# gets its data from OUT/*.json by select.awk.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$1
if ! command -v gnuplot >/dev/null; then
	echo "bench: no gnuplot, so no plots (make deps-bench installs it)" >&2
	exit 0
fi
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

# pick FILE.dat PROGRAM WANT COLUMNS [CURVE]
pick() {
	awk -v want="$3" -v columns="$4" -v curve="${5:-0}" \
		-f "$here/select.awk" "$out/$2.json" | {
		# A curve's title is no data.
		if [ -n "${5:-}" ]; then sed 1d; else cat; fi
	} >"$data/$1.dat"
	# gnuplot gives up at a file without a point.
	[ -s "$data/$1.dat" ] || echo nan nan nan nan nan >"$data/$1.dat"
}

# draw NAME WIDTH HEIGHT
draw() {
	font="font 'sans,12'"
	for kind in svg png; do
		case $kind in
		svg) terminal="svg size $2,$3 dynamic $font background '#ffffff'" ;;
		png) terminal="pngcairo size $2,$3 $font background '#ffffff'" ;;
		esac
		gnuplot -e "set terminal $terminal; folder = '$data'" \
			-e "set output '$out/$1.$kind'" \
			"$here/plots/style.gp" "$here/plots/$1.gp" || {
			echo "bench: gnuplot failed on $1" >&2
			rm -f "$out/$1.$kind"
			return 1
		}
	done
}

places="file pipe terminal serial_115200 serial_9600"
stats="p50 p99/max max"

if [ -f "$out/direct.json" ]; then
	steady="scenario=direct burst=0 producers=1 offered=1000"
	for mode in direct deferred "write(2)"; do
		name=${mode%(2)}
		[ "$name" = write ] && name=written
		pick "glance_$name" direct "$steady what=call mode=$mode" \
			"place $stats"
		pick "visible_$name" direct "$steady what=visible mode=$mode" \
			"place $stats"
		for place in $places; do
			pick "load_${mode}_$place" direct \
				"scenario=direct burst=0 producers=1 what=call \
				mode=$mode place=$place" "offered $stats"
			for offered in 0 1000; do
				pick "producers_${mode}_${offered}_$place" direct \
					"scenario=direct burst=0 what=call \
					offered=$offered mode=$mode \
					place=$place" "producers $stats"
			done
		done
		for place in $places hung; do
			pick "percentiles_${mode}_$place" direct \
				"$steady what=call mode=$mode place=$place" \
				place 1
		done
	done
	draw glance 900 520
	draw visible 900 520
	draw load 1000 640
	draw producers 1000 640
	draw percentiles 1000 560
fi

if [ -f "$out/any_context.json" ]; then
	for hertz in 1000 5000 10000 20000; do
		pick "any_context_$hertz" any_context \
			"producers=1 depth=1 hertz=$hertz" hertz 1
	done
	draw any_context 900 480
fi

if [ -f "$out/stuck.json" ]; then
	for phase in works hangs; do
		pick "stuck_call_$phase" stuck "what=call phase=$phase" phase 1
		for console in pipe stuck; do
			pick "stuck_${console}_$phase" stuck \
				"what=visible console=$console phase=$phase" \
				phase 1
		done
	done
	draw stuck 1000 480
fi

if [ -f "$out/overload.json" ]; then
	awk -v want="scenario=overload" -v columns="ring missing_percent told \
		calls" -f "$here/select.awk" "$out/overload.json" |
		awk '{ print $1, $2, 100 * $3 / $4 }' >"$data/overload.dat"
	draw overload 900 460
fi

if [ -f "$out/compare.json" ]; then
	number=0
	for peer in lpk lpk,_direct libqb_blackbox LTTng-UST spdlog,_async \
		spdlog glog stdio "write(2)" "syslog(3)"; do
		number=$((number + 1))
		pick "compare_$number" compare "what=single producers=1 \
			message=int,_int64,_double peer=$peer" peer 1
	done
	draw compare 1000 560
fi

if [ -f "$out/realtime.json" ]; then
	pick realtime realtime "what=call" "mode p50 p99/max max"
	draw realtime 1000 460
fi
