# SPDX-License-Identifier: MIT
# Read a header after `cc -E -dD`, and report each name that it defines outside
# lpk_ and LPK_: macros, functions, objects, types, tags and enumerators.

function bad(name, kind) {
	if (name != "" && name !~ /^_*(lpk_|LPK_)/)
		print header ":" line ": " kind " " name \
			" is outside lpk_ and LPK_; rename it"
}

# A declaration at file scope, without the contents of its braces.
function declaration(text,   parts, count, i) {
	gsub(/[ \t]+/, " ", text)
	while (match(text, /__(attribute|asm|declspec)__ *\(/) || \
	       match(text, /(_Alignas|_Static_assert|__asm) *\(/))
		text = substr(text, 1, RSTART - 1) \
			after_parentheses(substr(text, RSTART + RLENGTH))
	if (text ~ /extern "C"/ || text ~ /^[ {};]*$/)
		return
	if (match(text, /(struct|union|enum) [A-Za-z_0-9]+ *\{/)) {
		split(substr(text, RSTART, RLENGTH), parts, /[ {]+/)
		bad(parts[2], parts[1])
	}
	gsub(/\{[^}]*\}/, "", text)
	sub(/ *[=;{].*/, "", text)
	if (text ~ /^ *(struct|union|enum)( [A-Za-z_0-9]+)? *$/)
		return
	if (match(text, /\( *\* *[A-Za-z_0-9]+/)) {
		text = substr(text, RSTART, RLENGTH)
	} else {
		sub(/\(.*/, "", text)
		gsub(/\[[^\]]*\]/, "", text)
	}
	sub(/ +$/, "", text)
	if (match(text, /[A-Za-z_0-9]+$/))
		bad(substr(text, RSTART), "the name")
}

function after_parentheses(text,   depth, i, c) {
	depth = 1
	for (i = 1; i <= length(text) && depth > 0; i++) {
		c = substr(text, i, 1)
		depth += (c == "(") - (c == ")")
	}
	return substr(text, i)
}

function enumerators(text,   parts, count, i) {
	count = split(text, parts, ",")
	for (i = 1; i <= count; i++) {
		sub(/^[ \t]+/, "", parts[i])
		sub(/[ \t=].*/, "", parts[i])
		bad(parts[i], "the enumerator")
	}
}

/^# [0-9]+ "/ {
	next_line = $2
	file = $3
	gsub(/"/, "", file)
	mine = file == header
	next
}
{
	if (!mine)
		next
	line = next_line++
}
/^#define / {
	name = $2
	sub(/\(.*/, "", name)
	bad(name, "macro")
	next
}
/^#/ { next }
{
	rest = $0
	while (rest != "") {
		c = substr(rest, 1, 1)
		rest = substr(rest, 2)
		if (c == "{") {
			if (depth++ == 0) {
				is_enum = pending ~ /enum[ A-Za-z_0-9]*$/
				is_body = pending ~ /\)[ \t]*$/
				pending = pending "{"
				inside = ""
				continue
			}
		} else if (c == "}") {
			if (--depth == 0) {
				if (is_enum)
					enumerators(inside)
				pending = pending "}"
				if (is_body) {
					declaration(pending)
					pending = ""
				}
				continue
			}
		} else if (c == ";" && depth == 0) {
			declaration(pending)
			pending = ""
			continue
		}
		if (depth == 0)
			pending = pending c
		else
			inside = inside c
	}
	pending = pending " "
	inside = inside " "
}
