#!/bin/sh
# SPDX-License-Identifier: MIT
# Durable mode against a loss of power: a process keeps its log on a file system
# of its own, whose disk is a file. That is copied while the process runs, and
# has what the disk would have: each record that was stored before the last
# write to the disk began. Without the mode nothing is promised.
. tests/interop/tool/setup.sh

disk=$scratch/disk
copy=$scratch/copy
mounted=$scratch/mounted
log=$mounted/logs/log
writer=

# What this started and mounted, whatever happened.
clean_up() {
	[ -z "$writer" ] || kill -KILL "$writer"
	exec 3>&-
	for folder in "$scratch/mounted" "$scratch/after"; do
		! mountpoint -q "$folder" || umount "$folder" || umount -l "$folder"
	done
	rm -rf "$scratch"
}
trap clean_up EXIT

if [ "$(id -u)" -ne 0 ]; then
	echo "only root can mount a file system"
	exit 77
fi
for tool in mkfs.ext4 mountpoint truncate; do
	command -v $tool >/dev/null && continue
	echo "there is no $tool"
	exit 77
done
mkdir "$mounted" "$scratch/after"
truncate -s 24M "$disk"
mkfs.ext4 -q -F "$disk" || fail "mkfs.ext4"
if ! mount -o loop "$disk" "$mounted" 2>"$scratch/said"; then
	echo "no loop device can be mounted here: $(tail -n 1 "$scratch/said")"
	exit 77
fi

# A number of the file at an offset: bytes, offset
number() {
	od -An -tu"$1" -j"$2" -N"$1" "$log" | tr -d ' '
}

# When the last write began: behind the words of the state.
synced() {
	number 8 $(($(number 4 44) + 3 * $(number 4 24)))
}

# begin WORDS: a process whose log is on the disk; it logs what comes on 3
begin() {
	rm -f "$scratch/input"
	mkfifo "$scratch/input"
	: >"$scratch/ready"
	LPK_REGION=$log$1 "$scratch/writer" memfd wait <"$scratch/input" \
		>"$scratch/ready" 2>"$scratch/said" &
	writer=$!
	exec 3>"$scratch/input"
	tries=0
	until grep -q ready "$scratch/ready"; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "no writer: $(cat "$scratch/said")"
		sleep 0.05
	done
}

# store NAME: two hundred records, all of them in the log when it returns
store() {
	i=0
	while [ $i -lt 200 ]; do
		echo "$1 $i" >&3
		i=$((i + 1))
	done
	tries=0
	until "$lpk" dmesg -f "$log" 2>/dev/null | grep -q "$1 199\$"; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "not stored: $1"
		sleep 0.05
	done
}

# A write begins, and ends; what was stored before may have been too late for it.
next_sync() {
	before=$(synced)
	echo "something else" >&3
	tries=0
	until [ "$(synced)" != "$before" ]; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "nothing is written"
		sleep 0.05
	done
}

# cut: the power goes; what is on the disk then is in out
cut() {
	cp "$disk" "$copy" || fail "cp"
	mount -o loop "$copy" "$scratch/after" || fail "the copy is no file system"
	"$lpk" dmesg -f "$scratch/after/logs/log" >"$scratch/out" 2>"$scratch/err"
	umount "$scratch/after"
}

end() {
	kill -KILL "$writer"
	wait "$writer"
	writer=
	exec 3>&-
	rm -f "$log"*
}

mkdir -m 700 "$mounted/logs"
sync -f "$mounted"
begin ,sync=20
for round in one two three; do
	store "$round"
	next_sync
	next_sync
	cut
	found=$(grep -c "read: $round [0-9]*\$" "$scratch/out")
	[ "$found" -eq 200 ] || fail "round $round: $found of 200 are on the disk:" \
		"$(cat "$scratch/err")"
done
# Of earlier rounds, too, each once.
found=$(grep -c 'read: [a-z]* [0-9]*$' "$scratch/out")
[ "$found" -eq 600 ] || fail "$found of 600 are on the disk"
end

begin ''
store plain
[ "$(synced)" -eq 0 ] || fail "a promise that nobody asked for"
cut
echo "without the mode $(grep -c 'read: plain' "$scratch/out") of 200" \
	"were on the disk; nothing is promised"
end
