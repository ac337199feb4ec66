#!/bin/sh
# SPDX-License-Identifier: MIT
# Each file that is built or run names its licence on its first line (scripts:
# on the second, after #!).
. "$(dirname "$0")/lib.sh"

verdict "$(text_files | grep -E '(\.[ch]|\.cpp|\.mk|\.sh|\.py|\.map|\.awk|Makefile|/run)$' |
	while read -r file; do
		awk 'FNR == 1 && /^#!/ { next }
			{ ok = /SPDX-License-Identifier: MIT/; exit }
			END { exit !ok }' "$file" ||
			echo "$file:1: no SPDX tag; put /* SPDX-License-Identifier: MIT */ (or #) on line one"
	done)"
