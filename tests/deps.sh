#!/bin/sh
# SPDX-License-Identifier: MIT
# Install what lpk needs, by the package manager of the distribution: exactly
# what is missing, and nothing when nothing is.
#
#   deps.sh build    what the demo and the tests need
#   deps.sh lint     what lint, check-core, the sanitizers and the budget of
#                    instructions need on top
#   deps.sh interop  the programs that the consoles are tested with
#   deps.sh bench    what the benchmarks draw and count with, load the machine
#                    with, and compare with
#
# Without the right to install it prints the command to run, and exits 1.

set -u
what=${1:-build}

say() {
	echo "deps: $*"
}

if command -v apt-get >/dev/null; then
	manager=apt-get
elif command -v dnf >/dev/null; then
	manager=dnf
elif command -v apk >/dev/null; then
	manager=apk
else
	say "no apt-get, dnf or apk here. Install by hand: a C11 and a C++17" \
		"compiler, pkg-config, libatomic_ops, liburcu, cmocka, stb"
	exit 1
fi

# The packages that hold what `make $1` needs. A compiler or pkg-config that is
# there already, from wherever, is not installed again.
wanted() {
	command -v cc >/dev/null || echo "$compiler"
	command -v c++ >/dev/null || echo "$compiler_cxx"
	command -v pkg-config >/dev/null || echo "$pkg_config"
	echo "$libraries"
	if [ "$(uname -m)" = x86_64 ]; then
		echo "$libraries_m32"
	fi
}

case $manager in
apt-get)
	compiler=gcc compiler_cxx=g++ pkg_config=pkg-config
	libraries="libc6-dev libatomic-ops-dev liburcu-dev libcmocka-dev libstb-dev"
	libraries_m32=gcc-multilib
	lint="clang clang-format libclang-rt-dev gcc-arm-none-eabi
		gcc-riscv64-unknown-elf valgrind"
	interop="rsyslog logrotate systemd systemd-journal-remote socat
		util-linux python3 jq lnav"
	bench="gnuplot-nox valgrind libspdlog-dev libgoogle-glog-dev
		liblttng-ust-dev liblttng-ctl-dev lttng-tools libqb-dev
		rsyslog stress-ng"
	is_installed() {
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
	}
	install_command="apt-get install -y --no-install-recommends"
	;;
dnf)
	compiler=gcc compiler_cxx=gcc-c++ pkg_config=pkgconf-pkg-config
	libraries="glibc-devel libatomic_ops-devel userspace-rcu-devel
		libcmocka-devel stb_sprintf-devel"
	libraries_m32="glibc-devel.i686 libgcc.i686"
	lint="clang clang-tools-extra compiler-rt libasan libubsan libtsan
		arm-none-eabi-gcc-cs valgrind"
	interop="rsyslog logrotate systemd systemd-journal-remote socat
		util-linux python3 jq lnav"
	bench="gnuplot valgrind spdlog-devel glog-devel lttng-ust-devel
		lttng-tools libqb-devel rsyslog stress-ng"
	is_installed() {
		rpm -q "$1" >/dev/null 2>&1
	}
	install_command="dnf install -y --setopt=install_weak_deps=False"
	;;
apk)
	compiler=gcc compiler_cxx=g++ pkg_config=pkgconf
	libraries="musl-dev linux-headers libatomic_ops-dev userspace-rcu-dev
		cmocka-dev stb"
	libraries_m32=
	lint="clang clang-extra-tools compiler-rt gcc-arm-none-eabi
		gcc-riscv-none-elf valgrind"
	# There is no systemd.
	interop="rsyslog logrotate socat util-linux python3 jq lnav"
	bench="gnuplot valgrind spdlog-dev glog-dev lttng-ust-dev lttng-tools
		libqb-dev rsyslog stress-ng"
	is_installed() {
		apk info -e "$1" >/dev/null 2>&1
	}
	install_command="apk add"
	;;
esac

case $what in
build) packages=$(wanted) ;;
lint) packages=$lint ;;
interop) packages=$interop ;;
bench) packages=$bench ;;
*)
	say "build, lint, interop or bench, not $what"
	exit 2
	;;
esac

missing=
for package in $packages; do
	is_installed "$package" || missing="$missing $package"
done
missing=${missing# }
if [ -z "$missing" ]; then
	say "all there already ($what)"
	exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
	sudo=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	sudo="sudo -n"
else
	say "missing: $missing"
	say "no right to install them. As root, run:"
	echo
	echo "    $install_command $missing"
	echo
	exit 1
fi

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# Package managers talk much; they are heard when something went wrong.
quietly() {
	$sudo env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 </dev/null
}

say "installing with $manager: $missing"
case $manager in
apt-get)
	wait_for_lock="-o DPkg::Lock::Timeout=300"
	# Without package lists, or with old ones, the first attempt fails.
	# shellcheck disable=SC2086
	quietly $install_command $wait_for_lock $missing || {
		say "refreshing the package lists first"
		quietly apt-get update && quietly $install_command $wait_for_lock $missing
	}
	;;
*)
	# shellcheck disable=SC2086
	quietly $install_command $missing
	;;
esac || {
	cat "$log"
	say "the installation failed, see above. The command was:"
	echo
	echo "    $install_command $missing"
	echo
	exit 1
}
say "done"
