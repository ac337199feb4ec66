# SPDX-License-Identifier: MIT
# A benchmark's JSON as HTML: what=environment gives the machine, what=notes a
# list, else the figures as a table.

function value_of(text, key,    at, rest) {
	at = index(text, "\"" key "\": ")
	if (at == 0)
		return ""
	rest = substr(text, at + length(key) + 4)
	if (substr(rest, 1, 1) == "\"") {
		rest = substr(rest, 2)
		# Up to a quote that is not escaped.
		match(rest, /^([^"\\]|\\.)*/)
		rest = substr(rest, 1, RLENGTH)
		gsub(/\\"/, "\"", rest)
		gsub(/\\\\/, "\\", rest)
	} else {
		sub(/[,}].*/, "", rest)
	}
	return rest == "null" ? "" : rest
}

function html(text) {
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	return text
}

# Three digits and a unit.
function digits(value) {
	return sprintf(value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f", value)
}

function time(ns) {
	if (ns == "")
		return "&ndash;"
	if (ns < 999.5)
		return digits(ns) " ns"
	if (ns < 999500)
		return digits(ns / 1e3) " &micro;s"
	if (ns < 999500000)
		return digits(ns / 1e6) " ms"
	return digits(ns / 1e9) " s"
}

function cell(text) {
	printf "<td>%s</td>", text
}

function latency(    i) {
	cell(html(value_of($0, "kind")))
	cell(value_of($0, "cpus"))
	for (i = 1; i <= stats; i++)
		cell(time(value_of($0, stat[i])))
	cell(value_of($0, "minor_faults") "/" value_of($0, "major_faults"))
	cell(value_of($0, "preempted"))
	cell(value_of($0, "lost") + value_of($0, "dropped"))
	cell(html(value_of($0, "remark")))
}

function scalar() {
	cell(html(value_of($0, "kind")))
	cell(value_of($0, "cpus"))
	printf "<td colspan=\"%d\" class=\"l\">%.6g (%.6g to %.6g) %s</td>", stats,
		value_of($0, "median"), value_of($0, "min"),
		value_of($0, "max"), html(value_of($0, "unit"))
	cell(value_of($0, "minor_faults") "/" value_of($0, "major_faults"))
	cell(value_of($0, "preempted"))
	cell(value_of($0, "lost") + value_of($0, "dropped"))
	cell(html(value_of($0, "remark")))
}

BEGIN {
	stats = split("mean p50 p90 p99 p99.9 p99.99 max", stat, " ")
	table = what != "environment" && what != "notes"
	if (what == "environment")
		print "<table class=\"env\">"
	if (what == "notes")
		print "<ul>"
}

what == "environment" && /^    "[a-z_]*": ".*", $/ && !/^    "notes"/ {
	key = $0
	sub(/^ *"/, "", key)
	sub(/".*/, "", key)
	if (key != "cpu_ticks")
		printf "<tr><th>%s</th><td>%s</td></tr>\n", key,
			html(value_of($0, key))
}

what == "notes" && /^    "notes": \[/ {
	text = $0
	sub(/^ *"notes": \["/, "", text)
	sub(/"\]$/, "", text)
	count = split(text, note, /", "/)
	for (i = 1; i <= count; i++) {
		gsub(/\\"/, "\"", note[i])
		if (note[i] != "" && note[i] !~ /"notes": \[\]/)
			printf "<li>%s</li>\n", html(note[i])
	}
}

table && /^ *\{"group": / {
	group = value_of($0, "group")
	if (group != last_group) {
		if (last_group != "")
			print "</table>"
		printf "<h4>%s</h4>\n<table><tr><th></th><th></th><th>CPU</th>", \
			html(group)
		for (i = 1; i <= stats; i++)
			printf "<th>%s</th>", stat[i]
		print "<th>faults</th><th>preempted</th><th>lost</th><th></th></tr>"
	}
	name = value_of($0, "name")
	note_text = value_of($0, "note")
	printf "<tr>"
	if (group != last_group || name != last_name)
		printf "<th>%s%s</th>", html(name), note_text == "" ? "" : \
			"<br><small>" html(note_text) "</small>"
	else
		printf "<th></th>"
	if (index($0, "\"samples\": "))
		latency()
	else
		scalar()
	print "</tr>"
	last_group = group
	last_name = name
}

/^  "ratios": \[/ {
	in_ratios = 1
}

table && in_ratios && /^    \{"name": / {
	if (!ratios++) {
		if (last_group != "")
			print "</table>"
		print "<h4>Ratios</h4>\n<table>"
		last_group = "ratios"
	}
	printf "<tr><td>%s</td><td class=\"l\">%s / %s</td></tr>\n",
		value_of($0, "ratio"), html(value_of($0, "name")),
		html(value_of($0, "by"))
}

END {
	if (what == "environment" || (table && last_group != ""))
		print "</table>"
	if (what == "notes")
		print "</ul>"
}
