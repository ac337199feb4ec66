#!/bin/sh
# SPDX-License-Identifier: MIT
# Print the table of README: lpk, and what a program would use instead, from
# the JSON of bench/compare.c.
#
#   make bench && sh bench/readme_table.sh [OUT]
set -eu

here=$(dirname "$0")
json=${1:-$here/out}/compare.json

if [ ! -f "$json" ]; then
	echo "readme_table: no $json; run make bench first" >&2
	exit 1
fi

# rows WHAT COLUMNS: of the published message and one producer
rows() {
	awk -v want="$1" -v columns="$2" -f "$here/select.awk" "$json"
}

# "key": "value" of the environment
said() {
	sed -n "s/^ *\"$1\": \"\(.*\)\", *\$/\1/p" "$json" | sed 1q
}

quick=$(sed -n 's/^ *"quick": \(.*\),$/\1/p' "$json" | sed 1q)
command="make bench"
[ "$quick" != true ] || command="make bench QUICK=1"

echo "\`$command\` on $(said machine), $(said kernel), $(said compiler), on"
echo "$(said date | cut -dT -f1); ns a call: the median of bursts of 20 calls, and of single calls"
echo "one in a hundred and the slowest."
echo

first='message=int,_int64,_double producers=1'
{
	rows "scenario=call_site what=burst $first" "peer p50" | sed 's/^/burst /'
	rows "scenario=call_site what=single $first" "peer p99 max lost wakeups" |
		sed 's/^/single /'
	rows "scenario=throughput message=int,_int,_double producers=1" \
		"peer median cpu_ns_a_line lost" | sed 's/^/lines /'
} | awk '
	# Three digits, thousands parted.
	function number(value,    text, out) {
		if (value == "" || value == "nan")
			return "–"
		if (value < 9.95)
			return sprintf("%.1f", value)
		text = sprintf("%.0f", value)
		while (length(text) > 3) {
			out = "," substr(text, length(text) - 2) out
			text = substr(text, 1, length(text) - 3)
		}
		return text out
	}
	function lines(value) {
		return value == "" || value == "nan" ? "–" : \
			sprintf("%.2f", value / 1e6)
	}
	$1 == "burst" { name[++count] = $2; p50[$2] = $3 }
	$1 == "single" { p99[$2] = $3; most[$2] = $4; lost[$2] = $5 }
	$1 == "lines" { rate[$2] = $3; cpu[$2] = $4; lost[$2] += $5 }
	END {
		print "| logger | ns a call | times lpk | 1 in 100 | slowest |" \
			" million lines/s | CPU s a million | lost |"
		print "|---|---|---|---|---|---|---|---|"
		base = p50["lpk"]
		for (i = 1; i <= count; i++) {
			key = name[i]
			shown = key
			gsub(/_/, " ", shown)
			times = base > 0 && p50[key] != "nan" ? p50[key] / base : "nan"
			printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n",
				shown, number(p50[key]), number(times),
				number(p99[key]), number(most[key]),
				lines(rate[key]), lines(cpu[key] * 1000),
				number(lost[key] + 0) == "0.0" ? "0" : number(lost[key])
		}
	}'
echo
echo "libqb and the ring alone write no file: they keep the newest records. What libqb"
echo "lost is what it overwrote or, with several threads, dropped."
grep -o '"missing: [^"]*"' "$json" | tr -d '"' | sed 's/^/\nMissing in this run: /; s/Missing in this run: missing: /Missing in this run: /' || true
