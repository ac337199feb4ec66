#!/bin/sh
# SPDX-License-Identifier: MIT
# The first C block of README.md is docs/examples/hello.c, which is compiled and
# run by the tests; what README and docs refer to in the tree is there.
. "$(dirname "$0")/lib.sh"

[ -f README.md ] || exit 0
example=docs/examples/hello.c

# The first block of a file that begins with ```c, "line:text" a line.
c_block() {
	awk '/^```c$/ && !seen { seen = on = 1; next } /^```$/ { on = 0 }
		on { print FNR ":" $0 }' "$1"
}

verdict "$(
	# Without the licence line, which is for the compiler's eyes alone.
	sed 1d $example >"${TMPDIR:-/tmp}/lpk-readme.$$"
	c_block README.md | sed 's/^[0-9]*://' |
		cmp -s - "${TMPDIR:-/tmp}/lpk-readme.$$" ||
		echo "README.md:$(c_block README.md | sed -n '1s/:.*//p'): the C block is not $example; copy it from there"
	rm -f "${TMPDIR:-/tmp}/lpk-readme.$$"

	# [text](target): files of this tree
	for file in README.md docs/*.md; do
		awk -v file="$file" '
			/^```/ { code = !code }
			code { next }
			{
				rest = $0
				while (match(rest, /\]\([^)#]+/)) {
					print FNR, substr(rest, RSTART + 2, RLENGTH - 2)
					rest = substr(rest, RSTART + RLENGTH)
				}
			}' "$file" | while read -r line target; do
			case $target in
			*://*) continue ;;
			esac
			[ -e "$(dirname "$file")/$target" ] ||
				echo "$file:$line: leads to $target, which is not there; correct it"
		done
	done
)"
