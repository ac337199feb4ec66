#!/bin/sh
# SPDX-License-Identifier: MIT
# Public headers define nothing outside lpk_ and LPK_. What only appears when the
# program asks for short names is not seen here.
. "$(dirname "$0")/lib.sh"

verdict "$(find include/lpk -name '*.h' 2>/dev/null | sort | while read -r header; do
	${CC:-cc} -std=c11 -E -dD -Iinclude "$header" 2>/dev/null |
		awk -v header="$header" -f "$here/names.awk"
done | sort -u -t: -k1,1 -k2,2n)"
