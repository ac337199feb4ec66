# SPDX-License-Identifier: MIT
# Sourced by every lint of this folder. A lint takes the root of the tree that
# it looks at (default: here), and prints a line for each finding:
#   file:line: what is wrong; what to do
# It exits 1 if it printed any.

here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-.}" || exit 2

# The C files of some folders, sorted; folders that are not there are none.
c_files() {
	find "$@" -type f -name '*.[ch]' 2>/dev/null | sort
}

# All text of the tree that people write.
text_files() {
	find Makefile README.md .clang-format .gitignore .ci liblog consoles \
		include tests bench docs -type f \
		! -path 'bench/out/*' ! -name '*.png' ! -name '*.svg' \
		! -name '*.bin' 2>/dev/null | sort
}

# The code of a file: comments are blanked out, lines stay where they are.
code_of() {
	awk -f "$here/code.awk" "$1"
}

# $1: the findings
verdict() {
	[ -z "$1" ] && exit 0
	printf '%s\n' "$1"
	exit 1
}
