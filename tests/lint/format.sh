#!/bin/sh
# SPDX-License-Identifier: MIT
# C sources are formatted as .clang-format says; `make format` applies it.
. "$(dirname "$0")/lib.sh"

if ! command -v clang-format >/dev/null; then
	echo "no clang-format here (apt: clang-format)"
	exit 77
fi
verdict "$(c_files liblog consoles include tests bench docs | while read -r file; do
	clang-format --dry-run -Werror "$file" 2>&1 | grep -E '^[^ ]+:[0-9]+:' |
		awk -F: -v file="$file" 'NR == 1 { first = $2 } $2 != last { lines++; last = $2 }
			END { if (NR) print file ":" first ": not formatted, " lines \
				" lines; run make format" }'
done)"
