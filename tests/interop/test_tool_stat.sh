#!/bin/sh
# SPDX-License-Identifier: MIT
# lpk stat: the accounts of a living process, and of those that ended in each of
# the ways there are; a console that lags, and why; images that lie.
. tests/interop/tool/setup.sh
. tests/interop/tool/victim.sh

pid=
trap '[ -z "$pid" ] || kill -9 "$pid"; rm -rf "$scratch"' EXIT
mkfifo "$scratch/input"

# One console that prints, one that prints little, one whose disk is full.
INIT=1 LPK_CONSOLE="file:$scratch/log,name=all;fd:7,name=few,level=err;fd:8,name=full" \
	"$victim" say one two die read <"$scratch/input" >"$scratch/said" \
	7>"$scratch/few" 8>/dev/full &
pid=$!
exec 3>"$scratch/input"
ready said >/dev/null
echo three >&3
echo 'err four' >&3

# Four, and one about the disk.
settled() {
	"$lpk" stat -p "$pid" >"$scratch/out" 2>"$scratch/err" &&
		grep -q '  printed 5, suppressed 0, lost 0 (refused 0)' "$scratch/out" &&
		grep -q '  printed 1, suppressed 4, lost 0 (refused 0)' "$scratch/out" &&
		grep -q 'last error ENOSPC' "$scratch/out"
}
eventually settled
shows "^victim\[$pid\]: live$" '^log: stored [4-9], dropped 0, ' \
	' blocks of [0-9]* bytes: [0-9]* used, 0 pinned$' '^  lane 0 ' \
	'^console all (file): poll, running, level all$' \
	'^console few (fd): poll, running, level err$' \
	'^console full (fd): poll, [a-z]*, level all$' \
	'^  lag [1-9][0-9]* records, [0-9]*\.[0-9]\{6\} s.*ENOSPC$'

expect 0 stat -J -p "$pid"
lines 1
shows '"state": "live"' '"name": "few", "driver": "fd", "mode": "poll"' \
	'"error": "ENOSPC"'
if command -v python3 >/dev/null; then
	python3 -m json.tool "$scratch/out" >/dev/null || fail "no JSON: $(cat "$scratch/out")"
fi

# Again and again, to its end.
"$lpk" stat -w 0.1 -p "$pid" >"$scratch/often" 2>&1 3>&- &
watcher=$!
three_times() { [ "$(grep -c ': live$' "$scratch/often")" -ge 3 ]; }
eventually three_times
exec 3>&-
wait "$pid"
pid=
wait $watcher || fail "stat -w ended with $?: $(cat "$scratch/often")"

# How it ended.
for how in exit kill segv; do
	INIT=1 LPK_REGION=$scratch/$how "$victim" say word die $how 0 \
		>/dev/null 2>&1
	expect 0 stat "$scratch/$how"
	shows '^log: stored [1-9][0-9]*, '
done
expect 0 stat -f "$scratch/exit"
shows ': clean: it ended by exit$'
expect 0 stat -f "$scratch/kill"
shows ': gone without a word$'
expect 0 stat -f "$scratch/segv"
shows ': panic by signal 11 (SEGV) in thread [0-9]* victim$'
expect 0 stat -J "$scratch/segv"
shows '"signal": 11, "thread": [1-9]'
expect 1 stat "$scratch/segv" "$scratch/nothing"
expect 2 stat "$scratch/nothing"
expect 2 stat
expect 2 stat -p 999999999
expect 2 stat -w nonsense "$scratch/segv"

# Words of the head that say anything at all.
command -v python3 >/dev/null || exit 0
python3 - "$lpk" "$scratch/kill" "$scratch/bad" <<'END'
import random, subprocess, sys

lpk, good, bad = sys.argv[1:]
image = open(good, "rb").read()
for seed in range(200):
    dice = random.Random(seed)
    data = bytearray(image)
    for _ in range(dice.choice((1, 8, 200, 2000))):
        at = dice.randrange(64, 70000)
        data[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
    open(bad, "wb").write(data)
    for option in ([], ["-J"]):
        done = subprocess.run([lpk, "stat", *option, bad], capture_output=True,
                              timeout=60)
        if done.returncode not in (0, 1, 2):
            sys.exit(f"image {seed}: status {done.returncode}")
        if any(byte not in b"\n" and not 32 <= byte < 127 for byte in done.stdout):
            sys.exit(f"image {seed}: control bytes in {done.stdout!r}")
END
