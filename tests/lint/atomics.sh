#!/bin/sh
# SPDX-License-Identifier: MIT
# Only lpk_atomic.h touches an atomic. Headers that programs include cannot have
# it: include/lpk/base.h may hold one load, for the level gate.
. "$(dirname "$0")/lib.sh"

verdict "$(c_files liblog consoles include | grep -v '/lpk_atomic\.h$' |
	while read -r file; do
		code_of "$file" | awk -v file="$file" '
			/(^|[^A-Za-z0-9_])(__atomic_|__sync_|__c11_atomic_|atomic_[a-z]|ATOMIC_|AO_|_Atomic)/ ||
			/include.*(stdatomic|atomic_ops)\.h/ {
				if (file == "include/lpk/base.h" &&
				    /__atomic_load_n/ && !used++)
					next
				print file ":" FNR ": an atomic outside lpk_atomic.h;" \
					" use (or add) an operation there"
			}'
	done)"
