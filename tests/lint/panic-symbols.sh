#!/bin/sh
# SPDX-License-Identifier: MIT
# What a crash may run calls nothing but what tests/lint/panic-symbols.txt lists
# (shell patterns, a line each; the rest of a line says why): no lock, no heap,
# no stdio.
#
# The library is compiled with a section for each function, and calls are
# followed through the relocations, from the handler, lpk_panic_now() and the
# callbacks of the drivers that a panic uses. What is called through a pointer
# of a driver is not followed, for these are roots themselves.
. "$(dirname "$0")/lib.sh"

list=$here/panic-symbols.txt
for tool in "${CC:-cc}" readelf; do
	if ! command -v "${tool%% *}" >/dev/null; then
		echo "no ${tool%% *} here"
		exit 77
	fi
done

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

sources=$(ls liblog/core/*.c liblog/hosted/*.c liblog/port/posix.c \
	liblog/rcu/urcu/*.c consoles/*.c 2>/dev/null | grep -v format_float_none)
for source in $sources; do
	object=$scratch/$(echo "$source" | tr / _).o
	# shellcheck disable=SC2046
	${CC:-cc} -std=c11 -O2 -fPIC -ftls-model=initial-exec \
		-fvisibility=hidden -ffunction-sections -fdata-sections \
		-fno-reorder-functions -D_GNU_SOURCE= -Iinclude -Iliblog \
		-Iliblog/atomic/ao -Iliblog/port/posix -Iliblog/rcu/urcu \
		$(pkg-config --cflags liburcu-bp 2>/dev/null) \
		-c -o "$object" "$source" || exit 1
	echo "OBJECT $source"
	readelf -SsrW "$object"
done >"$scratch/objects"

# Callbacks that a panic calls, as the drivers name them.
roots=$(sed -n 's/^[[:space:]]*\.\(write_on_panic\|render\|zap_locks\) = \([a-z0-9_]*\),.*/\2/p' \
	consoles/*.c 2>/dev/null | sort -u)

verdict "$(awk -v list="$list" -v roots="handler lpk_panic_now $roots" '
	# A node is "file section"; what it refers to is one, or a name.
	function resolve(file, name) {
		if (name ~ /^\./)
			return file " " name
		if ((file " " name) in local)
			return local[file " " name]
		if (name in global)
			return global[name]
		return name
	}
	function followed(section) {
		return section ~ /^\.text/ ||
			(section ~ /^\.(data|rodata)/ && section !~ /_driver$/)
	}

	FILENAME == list {
		if ($1 != "" && $1 !~ /^#/) {
			pattern = $1
			gsub(/[.]/, "[.]", pattern)
			gsub(/[*]/, ".*", pattern)
			allowed[pattern]
		}
		next
	}
	$1 == "OBJECT" { file = $2; mode = ""; next }
	/^Section Headers:/ { mode = "sections"; next }
	/^Relocation section/ {
		mode = "relocations"
		from = $3
		sub(/^.\.rela?/, "", from)
		sub(/.$/, "", from)
		next
	}
	/^Symbol table/ { mode = "symbols"; next }
	mode == "sections" && match($0, /^ *\[ *[0-9]+\]/) {
		number = substr($0, RSTART, RLENGTH)
		gsub(/[^0-9]/, "", number)
		split(substr($0, RSTART + RLENGTH), words, " ")
		section[file " " number] = words[1]
		next
	}
	mode == "relocations" && $3 ~ /^R_/ && followed(from) {
		edges[file " " from] = edges[file " " from] " " $5
		next
	}
	mode == "symbols" && $1 ~ /^[0-9]+:$/ && $7 ~ /^[0-9]+$/ && $8 != "" {
		node = file " " section[file " " $7]
		if ($5 == "LOCAL")
			local[file " " $8] = node
		else
			global[$8] = node
		if ($4 == "FUNC")
			named[$8] = named[$8] "\n" node
	}
	END {
		count = split(roots, root, " ")
		for (i = 1; i <= count; i++) {
			if (!(root[i] in named)) {
				print "tests/lint/panic-symbols.sh:1: there is no " \
					root[i] "() to begin with"
				continue
			}
			found = split(named[root[i]], nodes, "\n")
			for (j = 2; j <= found; j++) {
				if (nodes[j] in via)
					continue
				queue[++last] = nodes[j]
				via[nodes[j]] = ""
			}
		}
		for (first = 1; first <= last; first++) {
			node = queue[first]
			split(node, part, " ")
			found = split(edges[node], names, " ")
			for (j = 1; j <= found; j++) {
				to = resolve(part[1], names[j])
				if (to in via)
					continue
				via[to] = node
				if (to !~ / /)
					outside[to] = node
				else if (followed(substr(to, index(to, " ") + 1)))
					queue[++last] = to
			}
		}
		for (name in outside) {
			good = 0
			for (pattern in allowed)
				if (name ~ ("^" pattern "$"))
					good = 1
			if (good)
				continue
			split(outside[name], part, " ")
			path = ""
			for (node = outside[name]; node != ""; node = via[node]) {
				step = node
				sub(/^.* \.[a-z.]*\./, "", step)
				path = path " < " step
			}
			print part[1] ":1: a crash may call " name "()" path \
				"; do without it, or list it in tests/lint/panic-symbols.txt"
		}
	}' "$list" "$scratch/objects" | sort)"
