#!/bin/sh
# SPDX-License-Identifier: MIT
# Instructions a call, counted by callgrind, against bench/instructions.txt:
#
#   sh bench/instructions.sh PROGRAM            compare; 1 when one is over
#   sh bench/instructions.sh --write PROGRAM    write the budget afresh
#
# Exit status: 0 within 5 % of the budget, 1 over it, 77 skipped. A count below
# the budget by more than that passes and is pointed out: lower the budget then.
set -eu

budget=$(dirname "$0")/instructions.txt
out=${BENCH_OUT:-$(dirname "$0")/out}
calls=10000
write=
if [ "${1-}" = --write ]; then
	write=yes
	shift
fi
program=$1

if ! command -v valgrind >/dev/null; then
	echo "SKIP bench-instructions: no valgrind here (apt: valgrind)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 77
fi
# Another compiler makes other code: its counts are shown, not judged.
compiler="$(${CC:-cc} -dumpmachine) $(${CC:-cc} --version | sed -n 1p)"
machine=$(${CC:-cc} -dumpmachine)

# Prints the path and its instructions a call, one decimal.
count() {
	file=$(mktemp)
	if ! valgrind --tool=callgrind --toggle-collect=measured \
		--callgrind-out-file="$file" "$program" "$1" >"$file.log" 2>&1; then
		cat "$file.log" >&2
		rm -f "$file" "$file.log"
		return 1
	fi
	awk -v path="$1" -v calls=$calls '/^(summary|totals):/ {
			printf "%s %.1f\n", path, $2 / calls; exit }' "$file"
	rm -f "$file" "$file.log"
}

mkdir -p "$out"
paths='loop words packed text disabled next_text next_words next_mixed print'
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
for path in $paths; do
	count "$path" >>"$counts" || exit 1
done

if [ -n "$write" ]; then
	{
		echo '# SPDX-License-Identifier: MIT'
		echo '# Instructions a call, the loop around it taken off; see bench/README.md.'
		echo "# Written by \`sh bench/instructions.sh --write PROGRAM\`."
		echo "compiler $compiler"
		awk '$1 == "loop" { loop = $2; next } { print $1, $2 - loop }' "$counts"
	} >"$budget"
fi

judged=yes
if ! grep -qxF "compiler $compiler" "$budget"; then
	judged=
	echo "SKIP the comparison: the budget is for" \
		"$(sed -n 's/^compiler //p' "$budget"), this is $compiler"
fi

status=0
awk -v judged="$judged" -v json="$out/instructions.json" -v machine="$machine" \
	-v compiler="$compiler" '
	BEGIN { printf "%-12s %14s %8s\n", "path", "instructions", "budget"
		printf "{\n  \"machine\": \"%s\",\n  \"compiler\": \"%s\",\n" \
			"  \"paths\": [", machine, compiler >json }
	NR == FNR { if ($1 !~ /^(#|compiler)/) budget[$1] = $2; next }
	$1 == "loop" { loop = $2; next }
	{
		n = $2 - loop
		mark = ""
		if (judged != "" && !($1 in budget)) { mark = "* no budget"; bad = 1 }
		else if (judged != "" && n > budget[$1] * 1.05) { mark = "* over"; bad = 1 }
		else if (judged != "" && n < budget[$1] * 0.95) mark = "below: lower the budget"
		printf "%-12s %14.1f %8s  %s\n", $1, n, budget[$1], mark
		if (judged == "") skipped++
		else if (mark ~ /^\*/) failed++
		else passed++
		printf "%s\n    {\"path\": \"%s\", \"instructions\": %.1f, \"budget\": %s}", \
			comma, $1, n, $1 in budget ? budget[$1] : "null" >json
		comma = ","
	}
	END { print "\n  ]\n}" >json
		printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
		exit bad }' "$budget" "$counts" || status=1
exit $status
