#!/bin/sh
# SPDX-License-Identifier: MIT
# Make one page of all results: OUT/report.html, which needs no network.
#
#   sh bench/report.sh OUT
#
# A program that left no JSON is not in it; a plot that was not drawn neither.
set -eu

here=$(dirname "$0")
out=$1

plot() {
	[ -f "$out/$1.svg" ] || return 0
	echo "<figure>"
	sed -n '/<svg/,$p' "$out/$1.svg"
	echo "</figure>"
}

# A table of text, or of HTML with $1 = 1.
summary() {
	[ -f "$out/direct.json" ] || return 0
	awk -v want=scenario=direct -v columns="place mode what producers \
		offered burst made calls lost p50 p99/max max" \
		-f "$here/select.awk" "$out/direct.json" |
		awk -v html="$1" -f "$here/summary.awk"
}

summary_for_people() {
	cat <<'END'
When direct printing begins to hurt: the slowest call in a hundred, direct /
deferred, by load (1 producer) and by producers (1000 lines/s of all together).
Until visible: half of the lines, at 1000 lines/s. Lost: of deferred lines.
Hung, a pipe whose reader stops: the slowest call of all.
* the caller was held up: fewer lines were logged than were offered.

END
	summary 0
}

# section PROGRAM TITLE TEXT PLOT...; its figures are shown when open=" open"
open=
section() {
	json=$out/$1.json
	[ -f "$json" ] || return 0
	program=$1
	echo "<h2 id=\"$1\">$2</h2>"
	echo "<p>$3</p>"
	if [ "$1" = direct ]; then
		echo "<h3>When direct printing begins to hurt</h3>"
		echo "<p>The slowest call in a hundred, direct / deferred, by the
lines a second that one producer offers, and by producers, at 1000 lines/s of
all together. Until visible: half of the lines, at 1000 lines/s. Lost: of
deferred lines, when logging flat out. Hung, a pipe whose reader stops: the
slowest call of all. An asterisk: the caller was held up, and
logged fewer lines than were offered.</p>"
		summary 1
	fi
	shift 3
	for name; do
		plot "$name"
	done
	echo "<details$open><summary>Figures of <code>$program</code></summary>"
	awk -v what=notes -f "$here/report.awk" "$json"
	awk -v what=figures -f "$here/report.awk" "$json"
	echo "<details><summary>Machine and build in this run</summary>"
	awk -v what=environment -f "$here/report.awk" "$json"
	echo "</details></details>"
}

head_of_page() {
	cat <<'END'
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<title>lpk: benchmarks</title>
<style>
body { font: 15px/1.5 sans-serif; max-width: 1060px; margin: 2em auto;
	padding: 0 1em; color: #222; background: #fff }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2em }
figure { margin: 1em 0 } figure svg { max-width: 100%; height: auto }
table { border-collapse: collapse; font-size: 12px; margin: .5em 0 }
th, td { padding: .1em .5em; text-align: right; white-space: nowrap;
	border-bottom: 1px solid #eee; font-variant-numeric: tabular-nums }
th:first-child, td:last-child, td:nth-child(2), .env td, .env th, td.l
	{ text-align: left }
.env td, td:last-child { white-space: normal }
details { margin: .5em 0; overflow-x: auto } summary { cursor: pointer }
small { font-weight: normal; color: #555 }
</style></head><body>
<h1>lpk: direct against deferred printing</h1>
<p>Each figure is of single calls where not said otherwise; what a figure is
and how it was made stands in <code>bench/README.md</code>. Ratios within one
run are the result: absolute times are those of the machine below. A dash is a
percentile that has too few samples.</p>
END
}

{
	head_of_page
	for program in direct stuck overload any_context crash first calls \
		render compare realtime cost growth; do
		if [ -f "$out/$program.json" ]; then
			awk -v what=environment -f "$here/report.awk" \
				"$out/$program.json"
			break
		fi
	done
	section direct "Direct against deferred" \
		"The same lines at the same rates onto the same consoles: printed by
whoever logs them, or by the console's own thread. What deferred printing costs
in return is time until a line is visible, and what the ring cannot hold when
the console is too slow for long: both are below." \
		glance visible load producers percentiles
	section stuck "A stuck console" \
		"Three consoles on one log; the write of one of them does not return
for some seconds. The others, and the callers, should not notice." stuck
	section overload "Overload" \
		"Ten times what the console takes: how much is lost, by size of the
ring, and whether the console was told of exactly that." overload
	section any_context "Any context" \
		"Signal handlers that log, and interrupt logging, and each other." \
		any_context
	open=" open"
	section crash "A crash" \
		"Lines whose call had returned, and that a process took with it when
it died: with the console's thread alone, with <code>lpk_panic_install()</code>,
and printed direct." crash
	open=
	section calls "What a call costs" \
		"Paths of the library one by one, and what else a program might do."
	section first "First calls" "What is paid once."
	section render "Lines a second" "From the first call until the flush returns."
	section compare "What one might use instead" \
		"The published harnesses, for each logger in turn in one run, into
files on one file system: bursts of 20 calls with pauses between them, and lines
a second until the flush has returned. Each as its users are told to set it up
when it has to be fast; records that it lost are counted, not forgiven." compare
	section realtime "A real-time thread" \
		"What a call costs a thread of <code>SCHED_FIFO</code> while the
machine is loaded; the longest call counts. Bars go from the median to the
maximum, a cross is one call in a hundred." realtime
	section cost "Memory, sleep, CPU" \
		"Bytes of a record; how often the threads of idle consoles wake up;
CPU time of a million lines, whoever spends it."
	section growth "Growth" \
		"What grows, and what the caller notices of it. A row that is a
quarter dearer than the first of its group is marked."
	echo "</body></html>"
} >"$out/report.html.new"
mv "$out/report.html.new" "$out/report.html"

if [ -f "$out/direct.json" ]; then
	summary_for_people >"$out/summary.txt"
fi
