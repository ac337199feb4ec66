#!/bin/sh
# SPDX-License-Identifier: MIT
# A function fits a screen: 70 lines, braces included. A file stays under 1,000.
. "$(dirname "$0")/lib.sh"

verdict "$(
	c_files liblog consoles include tests bench docs | while read -r file; do
		awk -v file="$file" -v most=70 '
			/^{/ { start = FNR }
			/^}/ {
				if (start && FNR - start + 1 > most)
					print file ":" start ": a function of " \
						FNR - start + 1 " lines; split it, " \
						most " are the most"
				start = 0
			}' "$file"
	done
	text_files | while read -r file; do
		awk -v file="$file" 'END {
			if (NR >= 1000)
				print file ":" NR ": " NR \
					" lines; split it by concern, 999 are the most"
		}' "$file"
	done
)"
