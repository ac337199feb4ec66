#!/bin/sh
# SPDX-License-Identifier: MIT
# Scripts are at least shell: their own interpreter parses them.
. "$(dirname "$0")/lib.sh"

verdict "$(text_files | while read -r file; do
	case $(head -n 1 "$file") in
	'#!'*bash*) shell=bash ;;
	'#!/bin/sh'*) shell=sh ;;
	*) case $file in *.sh) shell=sh ;; *) continue ;; esac ;;
	esac
	command -v "$shell" >/dev/null || continue
	message=$($shell -n "$file" 2>&1) ||
		echo "$file:1: $shell -n finds: $message; correct the syntax"
done)"
