#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/examples/image.py, which knows docs/FORMAT.md and nothing else, reads the
# images of killed processes as the tool does: text and deferred records.
. tests/interop/tool/setup.sh

command -v python3 >/dev/null || {
	echo "no python3 here (apt: python3)"
	exit 77
}

# Times may differ by what the two round differently: a microsecond or two.
compare() {
	python3 - "$@" <<'END'
import sys
mine, theirs = (open(name, encoding="latin-1").read().splitlines()
                for name in sys.argv[1:3])
if len(mine) != len(theirs):
    sys.exit(f"{len(mine)} lines of the tool, {len(theirs)} of image.py")
for a, b in zip(mine, theirs):
    left, right = a.split(",", 3), b.split(",", 3)
    if len(left) == 4 and left[2].isdigit() and right[2].isdigit():
        if abs(int(left[2]) - int(right[2])) <= 2:
            right[2] = left[2]
    if left != right:
        sys.exit(f"tool:     {a}\nimage.py: {b}")
print(len(mine), "lines agree")
END
}

for kind in kinds storm; do
	write $kind
	expect 0 dmesg -f "$scratch/$kind" -o kmsg
	python3 docs/examples/image.py "$scratch/$kind" >"$scratch/python" ||
		fail "image.py ended with $?"
	compare "$scratch/out" "$scratch/python" || exit 1
done
if python3 docs/examples/image.py /etc/passwd 2>/dev/null; then
	fail "image.py takes anything for an image"
fi
exit 0
