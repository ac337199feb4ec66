#!/bin/sh
# SPDX-License-Identifier: MIT
# The console on standard error under systemd: a real systemd-journald, in a
# mount namespace of its own, and systemd-cat, which connects a program to it
# as the service manager does. Where standard error is the journal's stream the
# records come by the journal's own protocol; through a pipe, with prefixes.

set -eu
build=${LPK_BUILD:-$PWD/build}
make=${LPK_MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS T 2>/dev/null || true

skip() {
	echo "$1"
	exit 77
}

journald=
for folder in /lib/systemd /usr/lib/systemd; do
	[ ! -x $folder/systemd-journald ] || journald=$folder/systemd-journald
done
[ -n "$journald" ] || skip "no systemd-journald here (make deps-interop)"
command -v systemd-cat >/dev/null || skip "no systemd-cat here"
command -v unshare >/dev/null || skip "no unshare here (apt: util-linux)"

if [ "${1:-}" != inside ]; then
	$make O="$build" "$build/tests/interop/fd_console" >/dev/null
	unshare -m true 2>/dev/null || skip "mount namespaces need privileges"
	exec unshare -m sh "$0" inside
fi

# From here on in the namespace.
program=$build/tests/interop/fd_console
scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$scratch"' EXIT
mount -t tmpfs tmpfs /run 2>/dev/null || skip "nothing can be mounted here"
mkdir -p /run/log/journal /run/systemd/journal
"$journald" >"$scratch/journald" 2>&1 &
server=$!
tries=0
until [ -S /run/systemd/journal/socket ] && [ -S /run/systemd/journal/stdout ]; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || skip "systemd-journald does not run here"
	sleep 0.1
done
# It may make its sockets and then find that it cannot go on.
sleep 0.5
if ! kill -0 "$server" 2>/dev/null; then
	server=
	skip "systemd-journald does not run here"
fi
unset INVOCATION_ID SYSTEMD_EXEC_PID JOURNAL_STREAM

# $1: how many entries, $2: a field that each of them must have, $3: how it came
expect() {
	tries=0
	while :; do
		journalctl --directory=/run/log/journal --no-pager -q -o export \
			"_TRANSPORT=$3" >"$scratch/export" 2>/dev/null || true
		got=$(grep -ac '^MESSAGE=message [0-9]*$' "$scratch/export" || true)
		[ "$got" != "$1" ] || break
		tries=$((tries + 1))
		[ $tries -lt 100 ] || {
			echo "the journal has $got of $1 messages by $3"
			cat "$scratch/export"
			exit 1
		}
		sleep 0.1
	done
	got=$(grep -ac "^$2\$" "$scratch/export" || true)
	[ "$got" = "$1" ] || {
		echo "$got of $1 messages have $2"
		cat "$scratch/export"
		exit 1
	}
}

# What the service manager sets, and systemd-cat of old does not.
cat >"$scratch/service" <<'END'
JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)
export JOURNAL_STREAM
eval "$1"
END

# The stream itself: entries by the journal's own protocol.
systemd-cat sh "$scratch/service" "exec $program log stderr 5"
expect 5 PRIORITY=6 journal
# Behind a filter: <6> at the beginning of each line.
systemd-cat --priority=warning sh "$scratch/service" \
	"$program log stderr 3 2>&1 | cat"
expect 3 PRIORITY=6 stdout
# As it was asked for: a line like any other.
systemd-cat --priority=warning sh "$scratch/service" \
	"exec $program log stderr,journal=no 1"
tries=0
until journalctl --directory=/run/log/journal --no-pager -q -o export \
	_TRANSPORT=stdout PRIORITY=4 2>/dev/null |
	grep -aq '^MESSAGE=\[ *[0-9.]*\] message 0$'; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || {
		echo "journal=no: no such line in the journal"
		exit 1
	}
	sleep 0.1
done
echo "5 entries by the journal's own protocol, 3 with prefixes, 1 line"
