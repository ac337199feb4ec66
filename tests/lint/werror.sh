#!/bin/sh
# SPDX-License-Identifier: MIT
# Everything builds without a warning.
#
#   werror.sh gcc|clang

cc=$1
if ! command -v "$cc" >/dev/null; then
	echo "no $cc here (apt: $cc)"
	exit 77
fi
MAKEFLAGS='' ${LPK_MAKE:-make} --no-print-directory -j"$(nproc)" O="${LPK_BUILD:-build}/werror-$cc" CC="$cc" \
	WERROR=1 T= all tests examples benchmarks
