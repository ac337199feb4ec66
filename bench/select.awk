# SPDX-License-Identifier: MIT
# Take figures out of a benchmark's JSON, which has one figure on a line:
#
#   awk -v want='scenario=direct what=call' -v columns='mode p50 max' \
#       -f select.awk direct.json
#
# prints the columns of the figures that are wanted, "nan" where there is none;
# a word of want may end in several values: mode=direct|deferred, and blanks in
# a value are underscores. p99/max is p99, or max where there is none. With -v curve=1 the distribution of each follows its
# title (the columns): share, 1/(1-share), ns; two empty lines part them.

function value_of(key,    at, rest) {
	at = index($0, "\"" key "\": ")
	if (at == 0)
		return "nan"
	rest = substr($0, at + length(key) + 4)
	if (substr(rest, 1, 1) == "\"") {
		rest = substr(rest, 2)
		rest = substr(rest, 1, index(rest, "\"") - 1)
		gsub(/ /, "_", rest)
	} else {
		sub(/[,}].*/, "", rest)
	}
	return rest == "null" || rest == "" ? "nan" : rest
}

function column_of(keys,    i, key, count, value) {
	count = split(keys, key, "/")
	value = "nan"
	for (i = 1; i <= count && value == "nan"; i++)
		value = value_of(key[i])
	return value
}

function is_wanted(    i, k, pair, values, good) {
	for (i = 1; i <= wants; i++) {
		split(wanted[i], pair, "=")
		good = 0
		for (k = split(pair[2], values, "|"); k > 0; k--)
			if (value_of(pair[1]) == values[k])
				good = 1
		if (!good)
			return 0
	}
	return 1
}

function print_curve(    text, points, point, i, count, share) {
	text = $0
	if (!sub(/.*"curve": \[\[/, "", text))
		return
	sub(/\]\].*/, "", text)
	count = split(text, points, /\], \[/)
	for (i = 1; i <= count; i++) {
		split(points[i], point, ", ")
		share = point[1] + 0
		# The maximum: at the place of its sample.
		if (share >= 1)
			share = 1 - 1 / value_of("samples")
		if (share < 1)
			print share, 1 / (1 - share), point[2]
	}
}

BEGIN {
	wants = split(want, wanted, " ")
	names = split(columns, name, " ")
}

/^ *\{"group": / {
	if (!is_wanted())
		next
	line = ""
	for (i = 1; i <= names; i++)
		line = line (i == 1 ? "" : " ") column_of(name[i])
	print line
	if (curve) {
		print_curve()
		print "\n"
	}
}
