#!/bin/sh
# SPDX-License-Identifier: MIT
# Each lint must find what it is for: feed each a tree with one thing wrong, and
# expect a finding at that file and line; and a tree with nothing wrong, and
# expect silence.

lints=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree
rc=0

# put PATH: write standard input to a file of the tree, under an SPDX line that
# keeps the line numbers of what follows one higher than in the text below; man
# pages as they are.
put() {
	mkdir -p "$tree/$(dirname "$1")"
	case $1 in
	*.c | *.h) echo '/* SPDX-License-Identifier: MIT */' ;;
	*.sh) echo '# SPDX-License-Identifier: MIT' ;;
	*.[37]) ;;
	*) echo ;;
	esac >"$tree/$1"
	cat >>"$tree/$1"
}

good_tree() {
	rm -rf "$tree"
	mkdir -p "$tree"
	cp "$lints/../../.clang-format" "$tree/"
	put include/lpk/base.h <<'END'
#ifndef LPK_BASE_H
#define LPK_BASE_H
#include <stddef.h>
#define LPK_LOAD_RELAXED(p) __atomic_load_n((p), __ATOMIC_RELAXED)
enum lpk_level { LPK_EMERG, LPK_ALERT };
typedef void (*lpk_callback)(void *data);
struct lpk_thing {
	int plain;
};
extern const struct lpk_thing lpk_things[4] __attribute__((aligned(4)));
int lpk_thing_get(const struct lpk_thing *thing) __attribute__((pure));
LPK_API void
lpk_thing_put(int plain);
#define lpk_put_one() lpk_thing_put(1)
#define lpk__hidden() lpk_thing_put(2)
static inline int lpk_thing_plain(const struct lpk_thing *thing)
{
	return thing->plain;
}
#ifdef LPK_SHORT_NAMES
#define printk lpk_printk
#endif
#endif
END
	put liblog/core/good.c <<'END'
#include <stddef.h>

#include "good.h"

/* An AO_load or #if in a comment is none: "atomic_load". */
int good(int *p)
{
	/* LMM(good:A) before B of another. Pairs with good:B. */
	lpk_atomic_store(p, "AO_store");
	/*
	 * LMM(good:B) a sentence that is long. Pairs with
	 * good:A, and good:B: so that. See LMM(function:letter).
	 */
	return lpk_atomic_load(p);
}
END
	put liblog/core/good.h <<'END'
#include <stdint.h>
END
	put liblog/atomic/ao/lpk_atomic.h <<'END'
#include <atomic_ops.h>
#define lpk_atomic_load(p) AO_load(p)
END
	put consoles/good.c <<'END'
#include <unistd.h>

#include <lpk/base.h>
END
	put docs/ORDERING.md <<'END'
| access | orders | pairs with |
|---|---|---|
| `good:A` | that | `good:B` |
END
	put tests/good.sh <<'END'
true
END
	put include/lpk/config.h <<'END'
#ifndef LPK_CONFIG_H
#define LPK_CONFIG_H
#ifndef LPK_THINGS_MAX
#define LPK_THINGS_MAX 4
#endif
#endif
END
	good_docs
}

# lpk_no_page has no page of its own, lpk_unnamed one that does not name it, and
# lpk_no_example no example; the good headers declare none of them.
good_docs() {
	put docs/man/lpk_base.3 <<'END'
.\" SPDX-License-Identifier: MIT
.TH LPK_BASE 3
.SH NAME
lpk_base \- things
.SH SYNOPSIS
.BI "void lpk_thing_put(int " plain );
.br
\fBlpk_put_one\fR(), \fBlpk_no_page\fR(), \fBlpk_no_example\fR()
END
	put docs/man/lpk_config.3 <<'END'
.\" SPDX-License-Identifier: MIT
.TH LPK_CONFIG 3
.SH NAME
lpk_config \- \fBLPK_THINGS_MAX\fR
END
	for page in thing_put put_one no_example; do
		echo '.so man3/lpk_base.3' | put "docs/man/lpk_$page.3"
	done
	put docs/man/lpk_unnamed.3 <<'END'
.\" SPDX-License-Identifier: MIT
.TH NOTHING 3
.SH NAME
nothing \- at all
END
	put docs/examples/hello.c <<'END'
#include <lpk/base.h>

int
main(void)
{
	lpk_thing_put(1); /* lpk_put_one(), lpk_no_page(), lpk_unnamed() */
	return 0;
}
END
	{
		echo '```c'
		sed 1d "$tree/docs/examples/hello.c"
		echo '```'
		echo
		echo '```'
		echo '[code](has/no/links)'
		echo '```'
		echo
		echo '[design](docs/ORDERING.md#part) and [more](https://example.org/)'
	} | put README.md
}

# bad LINT PATH LINE: with standard input as that file, the lint must report that
# line. $tree is that of good_tree otherwise.
bad() {
	good_tree
	put "$2"
	found=$(sh "$lints/$1.sh" "$tree" 2>&1)
	status=$?
	[ $status -eq 77 ] && return
	if [ $status -ne 1 ]; then
		echo "tests/lint/$1.sh:1: exits $status for a bad $2, not 1"
		rc=1
	elif ! printf '%s\n' "$found" | grep -q "^$2:$3: "; then
		echo "tests/lint/$1.sh:1: does not report $2:$3, but: $found"
		rc=1
	fi
}

good_tree
if command -v clang-format >/dev/null; then
	find "$tree" -name '*.[ch]' -exec clang-format -i {} +
fi
for lint in atomics conditionals format includes labels length man names \
	readme shell spdx whitespace; do
	found=$(sh "$lints/$lint.sh" "$tree" 2>&1)
	status=$?
	if [ $status -ne 0 ] && [ $status -ne 77 ]; then
		echo "tests/lint/$lint.sh:1: finds fault with a good tree: $found"
		rc=1
	fi
done

bad atomics liblog/core/bad.c 3 <<'END'
/* AO_load */
long x = AO_load(&y);
END
bad atomics include/lpk/base.h 3 <<'END'
#define LPK_ONE(p) __atomic_load_n(p, 0)
#define LPK_TWO(p) __atomic_load_n(p, 0)
END
bad atomics consoles/bad.c 2 <<'END'
#include <stdatomic.h>
END
bad conditionals liblog/hosted/bad.c 3 <<'END'
/* #if in a comment */
# ifdef __linux__
END
bad format liblog/core/bad.c 2 <<'END'
int  f( void ){return 1;}
END
bad includes liblog/core/bad.c 2 <<'END'
#include <unistd.h>
END
bad includes include/lpk/bad.h 2 <<'END'
#include <pthread.h>
END
bad includes consoles/bad.c 2 <<'END'
#include "../liblog/core/ring.h"
END
bad labels liblog/hosted/bad.c 2 <<'END'
/* LMM(good:A) a second time */
END
bad labels liblog/core/bad.c 2 <<'END'
/* Pairs with missing:Z. */
END
bad labels liblog/core/bad.c 3 <<'END'
/* Pairs with good:A, good:B and
 * missing:Q. */
END
bad labels liblog/core/bad.c 2 <<'END'
/* LMM(bad:A) in no table */
END
bad labels liblog/core/bad.c 2 <<'END'
/* LMM(bad) has no letter */
END
bad labels liblog/core/bad.c 2 <<'END'
/* Pairs with nothing at all. */
END
bad labels docs/ORDERING.md 3 <<'END'
| `good:A` | that | `good:B` |
| `gone:A` | that | `good:B` |
END
{
	echo 'int f(void)'
	echo '{'
	seq 69 | sed 's/.*/	;/'
	echo '}'
} >"$scratch/long"
bad length liblog/core/bad.c 3 <"$scratch/long"
seq 999 >"$scratch/long"
bad length docs/bad.md 1000 <"$scratch/long"
for name in no_page unnamed no_example; do
	echo "LPK_API int lpk_$name(void);" >"$scratch/line"
	bad man include/lpk/base.h 2 <"$scratch/line"
done
bad man include/lpk/base.h 3 <<'END'
LPK_API struct lpk_thing *
lpk_bad(void);
END
bad man include/lpk/base.h 2 <<'END'
#define lpk_bad(x) lpk_thing_put(x)
END
bad man include/lpk/config.h 1 <<'END'
#ifndef LPK_BAD_MAX
#define LPK_BAD_MAX 1
#endif
END
bad man include/lpk/bad.h 1 <<'END'
/* A header without a page. */
END
bad man docs/man/lpk_thing_get.3 1 <<'END'
.so man3/lpk_gone.3
END
bad man docs/man/lpk_bad.3 1 <<'END'
.so man3/lpk_base.3
END
if command -v groff >/dev/null; then
	bad man docs/man/lpk_bad.7 3 <<'END'
.\" SPDX-License-Identifier: MIT
.TH LPK_BAD 7
.nonsense
END
fi
bad readme README.md 3 <<'END'
```c
int main(void) { return 1; }
```
END
bad readme docs/bad.md 2 <<'END'
[one](ORDERING.md) and [two](gone.md)
END
for line in '#define BAD 1' 'int bad(void);' 'struct bad { int x; };' \
	'typedef int (*bad_fn)(void);' 'enum lpk_e { LPK_A, BAD };' \
	'extern int lpk_a, *bad;' 'typedef unsigned bad_t;'; do
	echo "$line" >"$scratch/line"
	bad names include/lpk/bad.h 2 <"$scratch/line"
done
bad shell tests/bad.sh 1 <<'END'
if true; then
END
bad spdx liblog/bad.mk 1 <<'END'
X := 1
END
printf 'int x; \n' >"$scratch/line"
bad whitespace liblog/core/bad.c 2 <"$scratch/line"
printf 'int x;' >"$scratch/line"
bad whitespace liblog/core/bad.c 1 <"$scratch/line"

# The checks of `make check` and `make check-core` that are no lints.
# refuses WHAT COMMAND...: run in the tree, the command must fail with WHAT.
refuses() {
	what=$1
	shift
	found=$(cd "$tree" && O=out "$@" 2>&1)
	status=$?
	[ $status -eq 77 ] && return
	if [ $status -ne 1 ]; then
		echo "$2:1: exits $status, not 1, for what it must refuse: $found"
		rc=1
	elif ! printf '%s\n' "$found" | grep -q "$what"; then
		echo "$2:1: does not report $what, but: $found"
		rc=1
	fi
}

good_tree
put include/lpk/bad.h <<'END'
size_t lpk_bad(void);
END
refuses include/lpk/bad.h sh "$lints/header.sh" include/lpk/bad.h
put include/lpk/bad.h <<'END'
void lpk_bad(int class);
END
refuses c++17 sh "$lints/header.sh" include/lpk/bad.h

put liblog/core/bad.c <<'END'
unsigned long strlen(const char *);
unsigned long lpk_bad(const char *s);
unsigned long lpk_bad(const char *s)
{
	return strlen(s);
}
END
refuses "needs strlen (in bad)" sh "$lints/check-core.sh" x86_64 liblog/core/bad.c
sed -i 's/^unsigned long strlen/#include <string.h>\n&/' "$tree/liblog/core/bad.c"
refuses "string.h" sh "$lints/check-core.sh" x86_64 liblog/core/bad.c

rm "$tree/liblog/core/good.c" "$tree/consoles/good.c"
put liblog/hosted/bad.c <<'END'
#include <stdlib.h>
void lpk_panic_now(void);
static void *(*volatile allocate)(size_t) = malloc;
__attribute__((noinline)) static void *bad(void)
{
	return allocate(1);
}
void lpk_panic_now(void)
{
	if (bad() != NULL)
		abort();
}
END
refuses "malloc() < allocate < bad < lpk_panic_now" sh "$lints/panic-symbols.sh" .

put exported.c <<'END'
int lpk_one(void);
int lpk_one(void) { return 1; }
END
mkdir -p "$tree/tests/lint"
echo lpk_two >"$tree/tests/lint/symbols.txt"
if (cd "$tree" && ${CC:-cc} -shared -fPIC -o exported.so exported.c); then
	refuses "^+lpk_one" sh "$lints/symbols.sh" exported.so
	refuses "^-lpk_two" sh "$lints/symbols.sh" exported.so
fi

exit $rc
