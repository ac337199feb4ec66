#!/bin/sh
# SPDX-License-Identifier: MIT
# lpk dmesg on the file of a killed process: the options that dmesg has too, and
# its own; exit statuses.
. tests/interop/tool/setup.sh

write kinds
image=$scratch/kinds

expect 0 dmesg -f "$image"
shows '^\[ *[0-9]*\.[0-9]\{6\}\] at emerg$' '\] line one$' '^ *line two$' \
	'\] hostile \\x1b\[2J \\x0d \\x08 \\x7f \\xff' 'grüß Gott' '<truncated>$' \
	'\] with pairs 1$' '\] a newline at its end$' '192\.168\.0\.1 00:1b:44:11:3a:b7'
expect 0 dmesg "$image"
shows 'at emerg'

# Which records.
expect 0 dmesg -f "$image" -l err
lines 2
shows 'at err' 'hostile'
expect 0 dmesg -f "$image" -l err+
lines 5
expect 0 dmesg -f "$image" -l +debug,emerg
lines 2
expect 0 dmesg -f "$image" -f daemon
lines 1
shows 'of a daemon'
expect 0 dmesg -f "$image" --facility daemon,user
lines 2
expect 0 dmesg -f "$image" -u
lines 2
expect 0 dmesg -f "$image" -k
hides 'of a daemon'
expect 0 dmesg -f "$image" -g '^AT '
lines 0
expect 0 dmesg -f "$image" -g '^at (warn|err)'
lines 2
expect 0 dmesg -f "$image" -g '^A[T ]|^at debug'
lines 1
expect 0 dmesg -f "$image" -n 1
lines 1
shows 'newline at its end'
expect 0 dmesg -f "$image" -l info -n 2
lines 2
expect 0 dmesg -f "$image" -n 0
lines 0
expect 0 dmesg -f "$image" -n 100000 -g 'at '
shows 'at emerg'
expect 0 dmesg -f "$image" --after 6
hides 'at info'
shows 'at debug'
session=$("$lpk" dmesg -o export -n 1 "$image" | sed -n 's/^LPK_SESSION=//p')
expect 0 dmesg -f "$image" --after "$session:6"
hides 'at info'
expect 0 dmesg -f "$image" --after "00000000000000000000000000000000:6"
shows 'at info'
expect 0 dmesg -f "$image" --since -1h --until now
shows 'at emerg'
expect 0 dmesg -f "$image" --since +1h
lines 0
expect 0 dmesg -f "$image" --until yesterday
lines 0

# How they are shown.
expect 0 dmesg -f "$image" -x -l emerg,notice
shows '^kern  :emerg : \[' '^daemon:notice: \['
expect 0 dmesg -f "$image" -t -n 1
shows '^a newline'
expect 0 dmesg -f "$image" -d -l emerg
shows '^\[ *[0-9.]* <    0\.000000>\] at emerg$'
expect 0 dmesg -f "$image" -T -l emerg
shows '^\[[A-Z][a-z][a-z] [A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]\{8\} [0-9]\{4\}\] at emerg$'
expect 0 dmesg -f "$image" --time-format iso -l emerg
shows '^[0-9]\{4\}-[0-9][0-9]-[0-9][0-9]T[0-9:]\{8\},[0-9]\{6\}+00:00 at emerg$'
expect 0 dmesg -f "$image" -e
shows '^\[[A-Z][a-z][a-z][ 0-9][0-9] [0-9][0-9]:[0-9][0-9]\] at emerg$' \
	'^\[  +0\.[0-9]\{6\}\] at alert$'
expect 0 dmesg -f "$image" --time-format raw --time-format iso -l emerg
shows '^\[ *[0-9.]*\] 2.*,.* at emerg$'
expect 0 dmesg -f "$image" --force-prefix
shows '\] line two$'
expect 0 dmesg -f "$image" --noescape -l err
shows "$(printf '\033')"
expect 0 dmesg -f "$image" --color=always -l err
shows "$(printf '\033\\[31m')"
expect 0 dmesg -f "$image" -L=always -l err
shows "$(printf '\033\\[31m')"
expect 0 dmesg -f "$image" -H -P -l emerg
hides "$(printf '\033')"
FORCE_COLOR=1 expect 0 dmesg -f "$image" -l emerg
shows "$(printf '\033')"
FORCE_COLOR=1 NO_COLOR=1 expect 0 dmesg -f "$image" -l emerg
hides "$(printf '\033')"

# Lost stretches are shown where they are, and numbers go on behind them.
write storm
expect 0 dmesg -f "$scratch/storm" -o kmsg
first=$(sed -n '1s/^[0-9]*,\([0-9]*\),.*/\1/p' "$scratch/out")
last=$(sed -n '$s/^[0-9]*,\([0-9]*\),.*/\1/p' "$scratch/out")
[ "$last" -eq 79999 ] || fail "the last of 80000 records is $last"
lines $((last - first + 1))
expect 0 dmesg -f "$scratch/storm" -o json -n 1
shows '"thread": "storm[0-3]"' '"subsystem": "writer"\|text'

# Several at once.
expect 0 dmesg -f "$image" -f "$scratch/storm" -g '^at |3:1999[0-9]'
shows 'writer\[[0-9]*\]: at emerg' 'writer\[[0-9]*\]: 3:19999'
sed 's/^\[ *\([0-9.]*\)\].*/\1/' "$scratch/out" | sort -n -c ||
	fail "not merged by time"

# What cannot be read.
expect 2 dmesg -f "$scratch/nothing"
expect 2 dmesg -f /etc/passwd
expect 2 dmesg -f /dev/null
expect 2 dmesg
expect 2 dmesg --clear -f "$image"
grep -q 'does not clear' "$scratch/err" || fail "-C is not refused with a word"
expect 2 dmesg -f "$image" -l nonsense
expect 2 dmesg -f "$image" -g '('
expect 2 dmesg -f "$image" --since someday
expect 1 dmesg -f "$image" -f "$scratch/nothing"
shows 'at emerg'
head -c 100000 "$image" >"$scratch/cut"
expect 1 dmesg -f "$scratch/cut"
shows 'at emerg'
head -c 100 "$image" >"$scratch/cut"
expect 2 dmesg -f "$scratch/cut"

# The calls that were made.
expect 0 sites -f "$image"
shows 'writer.c:[0-9]* \[writer\]levels emerg "at emerg"$' \
	'"%d %i %u %x %X %o %c"$'
expect 2 sites
expect 0 --help
expect 0 --version
expect 2 nonsense
