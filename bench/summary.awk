# SPDX-License-Identifier: MIT
# When direct printing begins to hurt, as a table: text, or HTML with -v html=1.
# Input: lines of select.awk with
#	place mode what producers offered burst made calls lost p50 p99/max max
# Of the console that hangs, the slowest call counts: one is enough.

# Two digits and a unit.
function time(ns,    unit) {
	if (ns == "" || ns == "nan")
		return "-"
	unit = html ? "&micro;s" : "us"
	if (ns < 995)
		return sprintf("%.0f ns", ns)
	if (ns < 995000)
		return plain(ns / 1e3) " " unit
	if (ns < 995000000)
		return plain(ns / 1e6) " ms"
	return plain(ns / 1e9) " s"
}

function plain(value) {
	return sprintf(value < 9.95 ? "%.1f" : "%.0f", value)
}

function cell(text, wide) {
	if (html)
		printf "<td>%s</td>", text
	else
		printf "  %-" wide "s", text
}

function both(place, producers, offered,    key) {
	key = place " call " producers " " offered
	if (!(("direct " key) in p99))
		return "-"
	return time(p99["direct " key]) (held["direct " key] ? "*" : "") " / " \
		time(p99["deferred " key]) (held["deferred " key] ? "*" : "")
}

function seen(place,    key) {
	key = place " visible 1 1000"
	if (!(("direct " key) in p50))
		return "-"
	return time(p50["direct " key]) " / " time(p50["deferred " key])
}

function gone(place,    key) {
	key = "deferred " place " call 1 0"
	if (!(key in share))
		return "-"
	return sprintf("%.0f %%", 100 * share[key])
}

$6 == 0 {
	key = $2 " " $1 " " $3 " " $4 " " $5
	p50[key] = $10
	p99[key] = $1 == "hung" ? $12 : $11
	held[key] = $5 > 0 && $7 < 0.95 * $5
	share[key] = $8 > 0 ? $9 / $8 : 0
	if (!($1 in known)) {
		known[$1] = 1
		place[++places] = $1
	}
}

END {
	count = split("100/s|1000/s|10000/s|flat out|2 producers|4 producers|" \
		"16 producers|until visible|lost, flat out", head, "|")
	split("1 1 1 1 2 4 16", producers, " ")
	split("100 1000 10000 0 1000 1000 1000", offered, " ")
	if (html)
		printf "<table><tr><th></th>"
	else
		printf "%-15s", "direct/deferred"
	for (i = 1; i <= count; i++) {
		if (html)
			printf "<th>%s</th>", head[i]
		else
			printf "  %-16s", head[i]
	}
	print html ? "</tr>" : ""
	for (k = 1; k <= places; k++) {
		name = place[k]
		gsub(/_/, " ", name)
		printf html ? "<tr><th>%s</th>" : "%-15s", name
		for (i = 1; i <= 7; i++)
			cell(both(place[k], producers[i], offered[i]), 16)
		cell(seen(place[k]), 16)
		cell(gone(place[k]), 16)
		print html ? "</tr>" : ""
	}
	if (html)
		print "</table>"
}
