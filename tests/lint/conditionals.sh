#!/bin/sh
# SPDX-License-Identifier: MIT
# A port is another file, not an #if: no conditional compilation in a .c file.
. "$(dirname "$0")/lib.sh"

verdict "$(c_files liblog consoles bench docs | grep '\.c$' |
	while read -r file; do
		code_of "$file" | awk -v file="$file" '
			/^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else|endif)/ {
				print file ":" FNR ": conditional compilation;" \
					" choose between files, or put it into a header"
			}'
	done)"
