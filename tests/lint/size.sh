#!/bin/sh
# SPDX-License-Identifier: MIT
# Text, data and bss of the freestanding core on Cortex-M3, per object and in
# total, what of it a program links that only uses some roots, and the functions
# that use most stack, against size-budget.txt.
#
#   O=BUILD size.sh SOURCE...

out=${O:-build}/bare/cortex-m3
here=$(dirname "$0")

mkdir -p "${O:-build}"
sh "$here/check-core.sh" cortex-m3 "$@" >"${O:-build}/size.log"
rc=$?
# A symbol too many is not the business of this script; no objects are.
[ -f "$out/core.linked" ] && [ $rc -ne 77 ] || {
	cat "${O:-build}/size.log"
	exit $rc
}

budget() {
	awk -v key="$1" '$1 == key { print $2 }' "$here/size-budget.txt"
}

echo "Core on Cortex-M3, -Os:"
printf '%8s %8s %8s  %s\n' text data bss object
for object in "$out"/*.o; do
	arm-none-eabi-size "$object" | awk -v name="$(basename "$object" .o)" \
		'NR == 2 { printf "%8d %8d %8d  %s\n", $1, $2, $3, name }'
done | sort -rn
echo
arm-none-eabi-size "$out"/*.o |
	awk -v most="$(budget text)" 'NR > 1 { t += $1; d += $2; b += $3 }
		END {
			printf "%8d %8d %8d  total (budget: text %d)\n", t, d, b, most
			exit t > most
		}'
text_rc=$?

# What is left of it in a program that calls the functions named as roots.
roots=$(awk '$1 == "root" { printf " -Wl,-u,%s", $2 }' "$here/size-budget.txt")
# shellcheck disable=SC2086
arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb -nostdlib -r -Wl,--gc-sections $roots \
	-o "$out/roots.linked" "$out"/*.o &&
	arm-none-eabi-size "$out/roots.linked" |
	awk -v most="$(budget linked)" -v roots="$roots" 'NR > 1 {
		gsub(/-Wl,-u,/, "", roots)
		printf "%8d %8d %8d  linked for%s (budget: text %d)\n", \
			$1, $2, $3, roots, most
		exit $1 > most
	}'
linked_rc=$?

echo
echo "Stack, the five functions that use most:"
sed 's/.*[/:]\([^:]*:[0-9]*:[0-9]*:\)/\1/' "$out"/*.su | awk '
	{ split($1, part, ":"); printf "%8d  %s\n", $2, part[4] }' |
	sort -rn | head -n 5 | awk -v most="$(budget stack)" '
		{ print }
		NR == 1 { over = $1 > most }
		END { printf "          (budget: %d a function)\n", most; exit over }'
stack_rc=$?

[ $text_rc -eq 0 ] || echo "tests/lint/size-budget.txt: text is over its budget"
[ $linked_rc -eq 0 ] || echo "tests/lint/size-budget.txt: linked is over its budget"
[ $stack_rc -eq 0 ] || echo "tests/lint/size-budget.txt: stack is over its budget"
[ $text_rc -eq 0 ] && [ $linked_rc -eq 0 ] && [ $stack_rc -eq 0 ]
