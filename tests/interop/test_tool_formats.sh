#!/bin/sh
# SPDX-License-Identifier: MIT
# What lpk dmesg prints, other programs read: dmesg -F, a JSON parser, and
# systemd-journal-remote. Those that are not here are named.
. tests/interop/tool/setup.sh

write kinds
image=$scratch/kinds
missing=

# dmesg -F, which reads what -r prints.
if dmesg --version 2>/dev/null | grep -q util-linux; then
	expect 0 dmesg -r -f "$image"
	cp "$scratch/out" "$scratch/raw"
	count=$(wc -l <"$scratch/raw")
	dmesg --color=never -F "$scratch/raw" >"$scratch/theirs" || fail "dmesg -F"
	[ "$(wc -l <"$scratch/theirs")" -eq "$count" ] ||
		fail "dmesg -F shows other lines"
	for level in emerg alert crit err warn notice info debug; do
		dmesg --color=never -F "$scratch/raw" -l $level -t >"$scratch/theirs"
		grep -q "^at $level\$" "$scratch/theirs" ||
			fail "dmesg -F -l $level: $(cat "$scratch/theirs")"
	done
	# The same options, the same lines; but that theirs depend on the locale,
	# that an empty text loses its time, and that each line is a record.
	same() {
		awk '/Gott|line [a-z]/ { next }
			/^$|\] $/ { after = 1; next }
			!after
			{ after = 0 }' "$1"
	}
	for options in "" -t -d "-x -l err,emerg" "-d -t -l info" "-f daemon"; do
		# shellcheck disable=SC2086
		dmesg --color=never -F "$scratch/raw" $options >"$scratch/theirs"
		# shellcheck disable=SC2086
		expect 0 dmesg --force-prefix -f "$image" $options
		same "$scratch/out" >"$scratch/left"
		same "$scratch/theirs" >"$scratch/right"
		cmp -s "$scratch/left" "$scratch/right" ||
			fail "$options: $(diff "$scratch/left" "$scratch/right")"
	done
else
	missing="$missing util-linux"
fi

if command -v python3 >/dev/null; then
	expect 0 dmesg -J -f "$image"
	python3 - "$scratch/out" <<'END' || fail "-J"
import json, sys
records = json.load(open(sys.argv[1], encoding="utf-8"))["dmesg"]
assert [r["msg"] for r in records][:2] == ["at emerg", "at alert"]
assert [r["pri"] for r in records][:8] == list(range(8))
assert any("\x1b[2J" in r["msg"] for r in records)
assert any(r.get("fields") == {"DEVICE": "sda1", "COUNT": "3"} for r in records)
assert records[0]["subsystem"] == "writer" and records[0]["function"] == "levels"
assert all(a["time"] <= b["time"] for a, b in zip(records, records[1:]))
END
	expect 0 dmesg -o json -f "$image"
	python3 - "$scratch/out" <<'END' || fail "-o json"
import json, sys
records = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
assert [r["seq"] for r in records] == list(range(len(records)))
assert {r["level"] for r in records} >= {"emerg", "debug"}
assert any("gr\u00fc\u00df Gott" == r["msg"] for r in records)
END
	expect 0 dmesg -J -l emerg -g nothing -f "$image"
	python3 -m json.tool <"$scratch/out" >/dev/null || fail "-J of nothing"
else
	missing="$missing python3"
fi

remote=
for remote in /lib/systemd/systemd-journal-remote /usr/lib/systemd/systemd-journal-remote; do
	[ -x $remote ] && break
done
if [ -x "$remote" ] && command -v journalctl >/dev/null; then
	expect 0 dmesg -o export -f "$image"
	count=$(grep -c '^__REALTIME_TIMESTAMP=' "$scratch/out")
	"$remote" --output="$scratch/lpk.journal" - <"$scratch/out" \
		>"$scratch/said" 2>&1 || fail "systemd-journal-remote: $(cat "$scratch/said")"
	journalctl --file "$scratch/lpk.journal" -o cat >"$scratch/theirs" 2>&1
	grep -q '^at emerg$' "$scratch/theirs" || fail "journalctl: $(cat "$scratch/theirs")"
	grep -q '^line three$' "$scratch/theirs" || fail "lines of a message are gone"
	got=$(journalctl --file "$scratch/lpk.journal" -o json --all | wc -l)
	[ "$got" -eq "$count" ] || fail "journalctl has $got records, not $count"
	got=$(journalctl --file "$scratch/lpk.journal" -p err -o cat SYSLOG_IDENTIFIER=writer | wc -l)
	[ "$got" -ge 4 ] || fail "journalctl -p err: $got lines"
	journalctl --file "$scratch/lpk.journal" -o cat LPK_KV_DEVICE=sda1 |
		grep -q '^with pairs 1$' || fail "journalctl finds no pairs"
else
	missing="$missing systemd-journal-remote"
fi

if [ -n "$missing" ]; then
	echo "the rest passed; not here:$missing"
	exit 77
fi
exit 0
