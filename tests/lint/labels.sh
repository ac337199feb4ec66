#!/bin/sh
# SPDX-License-Identifier: MIT
# The labels of ordered accesses, written LMM(function:letter) in a comment: each
# is unique, each that a "Pairs with function:letter" names exists, and
# docs/ORDERING.md lists exactly those that exist, in the rows of its tables.
. "$(dirname "$0")/lib.sh"

doc=docs/ORDERING.md
[ -f "$doc" ] || doc=/dev/null
# shellcheck disable=SC2046
verdict "$(awk -v doc="$doc" '
	function at() { return FILENAME ":" FNR ": " }
	function is_label(word) { return word ~ /^[a-z][a-z0-9_]*:[A-Z][A-Z]?$/ }

	FILENAME == doc {
		if ($0 !~ /^[ \t]*\|/)
			next
		rest = $0
		while (match(rest, /[a-z][a-z0-9_]*:[A-Z][A-Z]?/)) {
			word = substr(rest, RSTART, RLENGTH)
			if (!(word in listed))
				listed[word] = at()
			rest = substr(rest, RSTART + RLENGTH)
		}
		next
	}

	FNR == 1 { pairing = 0; before = "" }
	{
		rest = $0
		while (match(rest, /LMM\([^)]*\)/)) {
			word = substr(rest, RSTART + 4, RLENGTH - 5)
			rest = substr(rest, RSTART + RLENGTH)
			if (word == "function:letter")
				continue # how the convention itself is written
			if (!is_label(word))
				print at() "LMM(" word ") is no label;" \
					" write LMM(function:LETTER)"
			else if (word in label)
				print at() "label " word " stands at " label[word] \
					" too; give this one the next free letter"
			else
				label[word] = FILENAME ":" FNR
		}

		# "Pairs with a:X, b:Y and c:Z." may run over lines.
		count = split($0, words, /[ \t]+/)
		for (i = 1; i <= count; i++) {
			word = words[i]
			if (word == "" || word == "*" || word == "/*")
				continue
			if (tolower(before) == "pairs" && word == "with") {
				pairing = 1
				named = 0
				from = at()
			} else if (pairing) {
				ends = word ~ /[.;:]$/ || word == "*/"
				gsub(/^[^a-z]+|[^A-Za-z]+$/, "", word)
				if (is_label(word)) {
					named++
					if (!((at() word) in refers))
						refers[at() word] = word
				} else if (word != "and" && word != "") {
					ends = 1
				}
				if (ends) {
					pairing = 0
					if (!named)
						print from "Pairs with names no label;" \
							" write Pairs with function:LETTER."
				}
			}
			before = word
		}
	}

	END {
		for (r in refers)
			if (!(refers[r] in label))
				print substr(r, 1, length(r) - length(refers[r])) \
					"Pairs with " refers[r] ", which does not exist;" \
					" name the label that it orders against"
		for (l in label)
			if (!(l in listed))
				print label[l] ": label " l " is in no table of" \
					" docs/ORDERING.md; add its row"
		for (l in listed)
			if (!(l in label))
				print listed[l] "label " l " is nowhere in liblog/;" \
					" correct or remove the row"
	}' $(c_files liblog) "$doc" | sort -t: -k1,1 -k2,2n)"
