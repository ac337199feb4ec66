#!/bin/sh
# SPDX-License-Identifier: MIT
# lpk sites: every call of a program once, however it was compiled, linked and
# stripped, in C and C++; and of a living process which calls are on.
. tests/interop/tool/setup.sh

source=tests/interop/tool/sites.c
pid=
trap 'kill $pid 2>/dev/null; rm -rf "$scratch"' EXIT

# The compilers that are there, of C and of C++.
compilers() {
	for compiler in "$@"; do
		command -v "${compiler%% *}" >/dev/null && echo "$compiler"
	done | sort -u
}
compilers "${CC:-cc}" gcc clang >"$scratch/c"
compilers "${CXX:-c++}" g++ clang++ >"$scratch/c++"

# build KIND COMPILER OUT FLAGS...: false where this machine cannot
build() {
	kind=$1 compiler=$2 out=$3
	shift 3
	language='-std=c11'
	[ "$kind" = c ] || language='-x c++ -std=c++17'
	# shellcheck disable=SC2086
	$compiler $own -Wall -Wextra -Werror $language "$source" -x none \
		-Iinclude -o "$scratch/$out" "$@" 2>"$scratch/said"
}

# calls KIND SUBSYSTEM: what must be listed, with what is not known of it cut off
calls() {
	line() {
		at=$(grep -n "$2" $source | sed 's/:.*//')
		# shellcheck disable=SC2086
		echo "$source:$at [$subsystem]$1" $3
	}
	subsystem=$2
	{
		line in_inline '"inline %d"' 'warn "inline %d"'
		line log_all '"one ' 'info "one \"quoted\" %d"'
		line log_all '"two"' 'debug "two"'
		line log_all '"three"' 'err "three"'
		line log_all '"four' 'crit "four\u000a"'
		line log_all '"never' 'emerg "never reached"'
		[ "$1" = c ] || {
			line in_shared_inline '"C++ inline"' 'warn "C++ inline"'
			line in_template '"C++ temp' 'warn "C++ template %d"'
			line 'operator()' '"C++ lambda"' 'warn "C++ lambda"'
			line method '"C++ method"' 'warn "C++ method"'
		}
	} | sort
}

# all_of KIND SUBSYSTEM FILE: exactly these are in a file
all_of() {
	calls "$1" "$2" >"$scratch/wanted"
	expect 0 sites "$scratch/$3" -g "\\[$2\\]"
	sort "$scratch/out" | diff "$scratch/wanted" - ||
		fail "$compiler, $3, $(cat "$scratch/flags")"
}

# each KIND FLAGS...: a program by each compiler, whole and stripped
each() {
	kind=$1
	shift
	echo "$*" >"$scratch/flags"
	# shellcheck disable=SC2086
	while read -r compiler; do
		build "$kind" "$compiler" program "$@" "$build/liblpk.a" \
			${LPK_LIBS:--lurcu-bp -pthread} -ldl || {
			echo "not here: $compiler $*"
			continue
		}
		all_of "$kind" program program
		strip "$scratch/program" || continue
		all_of "$kind" program program
		tried=$((tried + 1))
	done <"$scratch/$kind"
}

# What is read in a file does not depend on how that was built.
tried=0
for kind in c c++; do
	each $kind -O0
	each $kind -O2 -fPIE -pie
	each $kind -O2 -fno-pie -no-pie
	each $kind -O3 -static-pie
	each $kind -O2 -flto
	each $kind -O2 -fuse-ld=lld -Wl,-z,pack-relative-relocs
	each $kind -Os -static -ffunction-sections -fdata-sections -Wl,--gc-sections
	while read -r compiler; do
		for flags in '-O0' '-O2' '-O2 -m32' '-O2 -m32 -Wl,-Bsymbolic'; do
			echo "$flags" >"$scratch/flags"
			# shellcheck disable=SC2086
			build $kind "$compiler" module.so -DMODULE -fPIC -shared \
				-nostdlib $flags || {
				echo "not here: $compiler $flags -shared"
				continue
			}
			all_of $kind module module.so
			tried=$((tried + 1))
		done
	done <"$scratch/$kind"
done
echo "$tried programs and shared objects"
[ $tried -ge 8 ] || fail "that is less than any compiler can do"

# Options.
build c "${CC:-cc}" program "$build/liblpk.so" -Wl,-rpath,"$build" -ldl ||
	fail "$(cat "$scratch/said")"
expect 0 sites -l crit+ "$scratch/program"
lines 2
expect 0 sites "$scratch/program" -g 'log_all.*"t'
lines 2
expect 0 sites -J -g 'three|four' "$scratch/program"
shows '^   "sites": \[$' '"level": "crit", "format": "four\\u000a"' '"module": ".*/program"'
if command -v python3 >/dev/null; then
	python3 -c 'import json, sys
assert [s["line"] for s in json.load(sys.stdin)["sites"]]' <"$scratch/out" ||
		fail "not JSON: $(cat "$scratch/out")"
fi
expect 0 sites "$lpk"
lines 0
expect 2 sites
expect 2 sites --nonsense
expect 2 sites -l nonsense "$scratch/program"
expect 2 sites -g '(' "$scratch/program"
expect 2 sites $source
expect 2 sites "$scratch"
expect 2 sites -p 999999999
expect 2 sites -p nonsense
head -c 3000 "$scratch/program" >"$scratch/cut"
expect 2 sites "$scratch/cut"
expect 1 sites "$scratch/cut" "$scratch/program" -g '\[program\]'
lines 6

# is STATE CALL...: each call of a file, by a part of it, is in that state
is() {
	state=$1
	shift
	for call in "$@"; do
		[ "$(grep -c "$call" "$scratch/out")" -eq 1 ] &&
			grep "$call" "$scratch/out" | grep -q " $state \"" ||
			fail "'$call' is not $state once: $(cat "$scratch/out")"
	done
}

# wait_ready COUNT
wait_ready() {
	tries=0
	while [ "$(grep -c ready "$scratch/ready")" -lt "$1" ]; do
		kill -0 "$pid" 2>/dev/null || fail "it died: $(cat "$scratch/said")"
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || fail "it is never ready"
		sleep 0.05
	done
}

# living KIND: the program of that kind, with its module, gives their states
living() {
	more=
	[ "$1" = c ] || more='"C++.inline" "C++.template "C++.method"'
	: >"$scratch/ready"
	"$scratch/program" "$scratch/module.so" <"$scratch/input" \
		>"$scratch/ready" 2>"$scratch/said" &
	pid=$!
	exec 3>"$scratch/input"
	wait_ready 1
	"$lpk" sites -p $pid -g '\[(program|module)\]' >"$scratch/out" 2>"$scratch/err"
	status=$?
	for part in program module; do
		calls "$1" $part >"$scratch/wanted"
		sed -n "/\\[$part\\]/s/ [a-z?]* \"/ \"/p" "$scratch/out" | sort |
			diff "$scratch/wanted" - || fail "$1, $part of a process"
	done
	if [ $status -eq 1 ] && grep -q 'memory may not be read' "$scratch/err"; then
		echo "its memory cannot be read here: $(cat "$scratch/err")"
		is '?' 'program\].*"one' 'module\].*"one'
		kill $pid
		return
	fi
	[ $status -eq 0 ] || fail "status $status: $(cat "$scratch/err")"
	for part in program module; do
		for call in '"one' '"two' '"four' '"inline' $more; do
			is on "$part\\].*$call"
		done
		is off "$part\\].*\"three"
		[ "$1" = c ] || is off "$part\\].*\"C++ lambda"
		is new "$part\\].*\"never"
	done
	# Another filter: who was not reached since has not decided.
	echo >&3
	wait_ready 2
	rm "$scratch/program"
	expect 0 sites -J -p $pid -g '\[(program|module)\]'
	grep '"module"' "$scratch/out" >"$scratch/json"
	for part in program module; do
		grep -q "\"subsystem\": \"$part\"" "$scratch/json" || fail "no $part"
	done
	! grep '"subsystem": "program"' "$scratch/json" | grep -v '"state": "new"' ||
		fail "decided, unreached"
	grep '"subsystem": "module".*"one ' "$scratch/json" | grep -q '"state": "off"' ||
		fail "not off: $(cat "$scratch/json")"
	grep '"subsystem": "module".*"two"' "$scratch/json" | grep -q '"state": "on"' ||
		fail "not on: $(cat "$scratch/json")"
	exec 3>&-
	wait $pid || fail "the program ended with $?"
	pid=
}

mkfifo "$scratch/input"
for kind in c c++; do
	sed 1q "$scratch/$kind" >"$scratch/first"
	read -r compiler <"$scratch/first" || continue
	for flags in '-O2 -fPIE -pie' '-O0 -fno-pie -no-pie'; do
		# shellcheck disable=SC2086
		build $kind "$compiler" program $flags "$build/liblpk.so" \
			-Wl,-rpath,"$build" -ldl &&
			build $kind "$compiler" module.so -DMODULE -O1 -fPIC -shared ||
			fail "$(cat "$scratch/said")"
		living $kind
	done
done
