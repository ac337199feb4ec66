#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual is complete: each public function (LPK_API) and macro (lpk_...) of
# include/lpk is named in a page of docs/man, has a page or a link of its own,
# and is called in an example of docs/examples. Links lead somewhere, and groff,
# where it is there, has nothing to say. Each limit of config.h is described.
. "$(dirname "$0")/lib.sh"

# named NAME FILE...: is it there, as a word, whatever the font?
named() {
	name=$1
	shift
	grep -Eq "(^|[^A-Za-z0-9_]|\\\\f[BIR])$name([^A-Za-z0-9_]|\$)" "$@" 2>/dev/null
}

# Public names, "file:line name". What begins with lpk__ is private.
public_names() {
	find include/lpk -name '*.h' | sort | while read -r header; do
		code_of "$header" | awk -v file="$header" '
			/^#[ \t]*define[ \t]+lpk_[a-z0-9]/ {
				sub(/^#[ \t]*define[ \t]+/, "")
				sub(/[^a-z0-9_].*/, "")
				print file ":" FNR, $0
				next
			}
			/^LPK_API / { open = 1 }
			# The name may be on the line after the type.
			open && match($0, /lpk_[a-z0-9_]+\(/) {
				print file ":" FNR, substr($0, RSTART, RLENGTH - 1)
				open = 0
			}' | awk '$2 !~ /^lpk__/'
	done
}

verdict "$(
	public_names | while read -r where name; do
		[ -f "docs/man/$name.3" ] ||
			echo "$where: $name has no docs/man/$name.3; write it, or a link (.so man3/lpk_PAGE.3)"
		named "$name" docs/man/*.3 ||
			echo "$where: $name is named in no page of docs/man; describe it in its header's"
		named "$name" docs/examples/*.c docs/examples/*.cc ||
			echo "$where: $name is called in no example; add docs/examples/$name.c"
	done
	find docs/man -name '*.[37]' 2>/dev/null | sort | while read -r page; do
		target=$(sed -n '1s|^\.so man[37]/||p' "$page")
		if [ -n "$target" ]; then
			name=${page##*/}
			name=${name%.*}
			[ -f "docs/man/$target" ] ||
				echo "$page:1: leads to $target, which is not there; correct it"
			named "$name" "docs/man/$target" ||
				echo "$page:1: $target says nothing of $name; remove the link"
		elif command -v groff >/dev/null; then
			groff -ww -man -z "$page" 2>&1 | sed 's/^[a-z]*: *//'
		fi
	done
	sed -n 's/^#ifndef \(LPK_[A-Z_]*\)$/\1/p' include/lpk/config.h |
		grep -v '_H$' | while read -r limit; do
		named "$limit" docs/man/lpk_config.3 ||
			echo "include/lpk/config.h:1: $limit is not in docs/man/lpk_config.3; describe it there"
	done
	find include/lpk -name '*.h' | sort | while read -r header; do
		name=${header##*/}
		[ -f "docs/man/lpk_${name%.h}.3" ] ||
			echo "$header:1: has no man page; write docs/man/lpk_${name%.h}.3"
	done
)"
