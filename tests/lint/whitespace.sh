#!/bin/sh
# SPDX-License-Identifier: MIT
# No white space at the end of a line, and a newline at the end of a file.
. "$(dirname "$0")/lib.sh"

verdict "$(text_files | while read -r file; do
	awk -v file="$file" '/[ \t\r]$/ {
		print file ":" FNR ": white space at the end of the line; remove it"
	}' "$file"
	[ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ] &&
		echo "$file:$(wc -l <"$file"): no newline at the end; add it"
done)"
