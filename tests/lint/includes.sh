#!/bin/sh
# SPDX-License-Identifier: MIT
# The layers, by what they include. The core and the headers that it uses: only
# what a freestanding compiler has. Consoles: nothing of liblog/.
. "$(dirname "$0")/lib.sh"

# $1: file, $2: allowed <...> as an expression, $3: advice
system_includes() {
	awk -v file="$1" -v allowed="$2" -v advice="$3" '
		/^[ \t]*#[ \t]*include[ \t]*</ {
			name = $0
			sub(/^[^<]*</, "", name)
			sub(/>.*/, "", name)
			if (name !~ allowed)
				print file ":" FNR ": <" name "> " advice
		}' "$1"
}

freestanding='^(std(arg|bool|def|int|align)|limits|float|iso646)\.h$|^lpk/|^initializer_list$'
core="is not for the core; it has only what a freestanding compiler has"

verdict "$(
	c_files liblog/core | while read -r file; do
		case $file in
		*/format*) system_includes "$file" "$freestanding|^stb/stb_sprintf\.h\$" "$core" ;;
		*) system_includes "$file" "$freestanding" "$core" ;;
		esac
	done
	c_files include/lpk | grep -v '/hosted\.h$' | while read -r file; do
		system_includes "$file" "$freestanding" "is not for a header that the core includes; see hosted.h"
	done
	c_files liblog/atomic | while read -r file; do
		system_includes "$file" "$freestanding|^atomic_ops\.h\$|^stdatomic\.h\$" "$core"
	done
	c_files consoles | while read -r file; do
		awk -v file="$file" '
			/^[ \t]*#[ \t]*include/ && /liblog|lpk_atomic|core\/|hosted\/|atomic\/|port\/|\.\.\// {
				print file ":" FNR ": a console includes public headers" \
					" only, <lpk/...>; move what it needs there"
			}' "$file"
	done
)"
