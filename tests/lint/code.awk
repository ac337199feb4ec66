# SPDX-License-Identifier: MIT
# Blank out the comments and the contents of the strings of a C file; the lines
# stay where they are. The names of included files stay too.
{
	line = $0
	out = ""
	keep = line ~ /^[ \t]*#[ \t]*include/
	while (line != "") {
		two = substr(line, 1, 2)
		one = substr(line, 1, 1)
		if (comment) {
			if (two == "*/") {
				comment = 0
				line = substr(line, 3)
				out = out " "
			} else {
				line = substr(line, 2)
			}
		} else if (two == "/*") {
			comment = 1
			line = substr(line, 3)
		} else if (two == "//" && !keep) {
			line = ""
		} else if ((one == "\"" || one == "'") && !keep) {
			out = out one
			line = substr(line, 2)
			while (line != "" && substr(line, 1, 1) != one)
				line = substr(line, substr(line, 1, 1) == "\\" ? 3 : 2)
			out = out one
			line = substr(line, 2)
		} else if (match(line, /^[^\/"']+/)) {
			out = out substr(line, 1, RLENGTH)
			line = substr(line, RLENGTH + 1)
		} else {
			out = out one
			line = substr(line, 2)
		}
	}
	print out
}
