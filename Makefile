# SPDX-License-Identifier: MIT
# lpk: build, test, check, install. `make help` lists the targets.

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VERSION := 0.1.0
SONAME := liblpk.so.0

.PHONY: all
all: ## Build the libraries (liblpk.so, liblpk.a, liblpk-core.a, lpk.pc) and lpk

ifneq ($(filter deps deps-lint deps-interop deps-bench,$(MAKECMDGOALS)),)

# Installing comes first, and what it installs changes what the rest of this
# file finds: so the other goals of the command line run afterwards, each in a
# make of its own.
.NOTPARALLEL:
.PHONY: $(MAKECMDGOALS)
deps:
	@sh tests/deps.sh build
deps-lint:
	@sh tests/deps.sh lint
deps-interop:
	@sh tests/deps.sh interop
deps-bench:
	@sh tests/deps.sh bench
goals_after_deps := $(filter-out deps deps-lint deps-interop deps-bench,$(MAKECMDGOALS))
$(goals_after_deps): $(filter deps deps-lint deps-interop deps-bench,$(MAKECMDGOALS))
	@$(MAKE) $@

else

# ---------------------------------------------------------------------------
# What the command line may set. These lines are shown by `make help`.

## O=DIR        build in DIR (default: build)
O ?= build
## V=1          show the commands
V ?=
## CC=, CXX=    the compilers, gcc or clang
ifeq ($(origin CC),default)
CC := cc
endif
ifeq ($(origin CXX),default)
CXX := c++
endif
## CFLAGS=      optimisation and debugging (default: -O2 -g)
CFLAGS ?= -O2 -g
## M32=1        build for 32 bits
M32 ?=
## ATOMIC=      the backend of the atomics: ao (default), c11 or irq
ATOMIC ?= ao
## RCU=         lifetimes by liburcu: urcu (default), or a lock: rwlock
RCU ?= $(if $(filter-out 0,$(M32))$(filter tsan,$(SANITIZE)),rwlock,urcu)
## WERROR=1     treat warnings as errors
WERROR ?=
## T='unit/%'   check only the tests of these names
T ?=
## DESTDIR=, PREFIX=, BINDIR=, LIBDIR=, INCLUDEDIR=, MANDIR=  where to install
DESTDIR ?=
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man

AR ?= ar
NM ?= nm
INSTALL ?= install
# Set by the targets asan, ubsan and tsan for the make that they run.
SANITIZE ?=

include liblog/sources.mk
-include tests/sources.mk

Q := $(if $(filter-out 0,$(V)),,@)
# A make that another one runs is given TOP, the folder of the first.
TOP ?= $(O)
say = @printf '  %-6s %s\n' '$(1)' '$(patsubst $(TOP)/%,%,$(2))'

# ---------------------------------------------------------------------------
# Flags

m32 := $(if $(filter-out 0,$(M32)),-m32)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef \
	-Werror=implicit-function-declaration \
	$(if $(filter-out 0,$(WERROR)),-Werror)

sanitize_asan := -fsanitize=address -fno-omit-frame-pointer
sanitize_ubsan := -fsanitize=undefined -fno-sanitize-recover=all
sanitize_fuzz := $(sanitize_asan) $(sanitize_ubsan)
# Fences order nothing here but relaxed atomics: docs/ORDERING.md, section 2.
sanitize_tsan := -fsanitize=thread $(if $(findstring clang,$(CC)),,-Wno-tsan)
sanitize := $(sanitize_$(SANITIZE))

# What every compilation gets, whatever CFLAGS says.
BASE_FLAGS := -std=c11 $(WARNINGS) $(m32) -fvisibility=hidden $(sanitize) \
	-MMD -MP

# What a layer may see is its include path. Consoles are written against the
# public headers, as anybody's driver is.
atomic_dir := liblog/atomic/$(ATOMIC)
port_dir := liblog/port/posix
rcu_dir := liblog/rcu/$(RCU)
core_flags := -Wconversion -Iinclude -Iliblog -I$(atomic_dir) -I$(port_dir)
hosted_flags := $(core_flags) -I$(rcu_dir) -D_GNU_SOURCE= -D_FILE_OFFSET_BITS=64
console_flags := -Wconversion -Iinclude -D_GNU_SOURCE= -D_FILE_OFFSET_BITS=64
test_flags := -Iinclude -Iliblog -I$(atomic_dir) -I$(port_dir) -Itests/support -D_GNU_SOURCE=
layer_flags = $(if $(filter consoles/%,$(1)),$(console_flags),$(if \
	$(filter liblog/core/%,$(1)),$(core_flags),$(hosted_flags)))

hosted_pkg_cflags := $(if $(HOSTED_PKGS),$(shell pkg-config --cflags $(HOSTED_PKGS)))
hosted_pkg_libs := $(if $(HOSTED_PKGS),$(shell pkg-config --libs $(HOSTED_PKGS)))
hosted_flags += $(hosted_pkg_cflags)

LINK_FLAGS = $(m32) $(sanitize) $(CFLAGS) $(LDFLAGS)
LINK_LIBS = $(hosted_pkg_libs) $(HOSTED_LIBS) $(LDLIBS)

# Objects depend on the file flags, which changes when the way to build them
# does; libraries on the file sources, which changes when one comes or goes.
flags_now = $(CC) $(CXX) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS) \
	$(BASE_FLAGS) $(hosted_flags) $(ATOMIC)
$(O)/flags: text = $(flags_now)
$(O)/sources: text = $(LIB_SRCS) $(BARE_SRCS) $(TOOL_SRCS)
$(O)/flags $(O)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(text))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(text))' >$@
.PHONY: FORCE
FORCE:

# ---------------------------------------------------------------------------
# The libraries

LIB_SRCS := $(CORE_SRCS) $(CORE_FLOAT_HOSTED) $(HOSTED_SRCS) $(CONSOLE_SRCS)
BARE_SRCS := $(CORE_SRCS) $(CORE_FLOAT_FIRMWARE)

# $(call object_rules,NAME,FLAGS): how sources become objects under obj/NAME/.
# FLAGS come first: an include path there wins over the layer's.
define object_rules
$(O)/obj/$(1)/%.o: %.c $(O)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $(2) $$(BASE_FLAGS) $$(call layer_flags,$$<) $$(CPPFLAGS) \
		$$(CFLAGS) $(3) -c -o $$@ $$<
endef
objects = $(patsubst %.c,$(O)/obj/$(1)/%.o,$(2))

# $(call archive_rule,FILE,OBJECTS)
define archive_rule
$(1): $(2) $(O)/sources
	@mkdir -p $$(@D)
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $(2)
endef

$(eval $(call object_rules,static))
$(eval $(call object_rules,shared,-fPIC -ftls-model=initial-exec))
$(eval $(call object_rules,core,-Iliblog/port/bare,-ffreestanding -fno-stack-protector))

$(eval $(call archive_rule,$(O)/liblpk.a,$(call objects,static,$(LIB_SRCS))))
$(eval $(call archive_rule,$(O)/liblpk-core.a,$(call objects,core,$(BARE_SRCS))))

SHARED := $(O)/liblpk.so.$(VERSION)
shared_objects := $(call objects,shared,$(LIB_SRCS))
$(SHARED): $(shared_objects) liblog/lpk.map $(O)/sources
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-soname,$(SONAME) -Wl,--version-script,liblog/lpk.map \
		-Wl,-z,now -Wl,-z,nodelete -Wl,-z,defs $(LINK_FLAGS) -o $@ \
		$(shared_objects) $(LINK_LIBS)
$(O)/$(SONAME): $(SHARED)
	@ln -sf $(<F) $@
$(O)/liblpk.so: $(O)/$(SONAME)
	@ln -sf $(<F) $@

# Written afresh each time: it holds what the command line says.
$(O)/lpk.pc: liblog/lpk.pc.in FORCE
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' \
		-e 's|@LIBDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))|' \
		-e 's|@INCLUDEDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))|' \
		-e 's|@VERSION@|$(VERSION)|' -e 's|@PKGS@|$(HOSTED_PKGS)|' \
		-e 's|@LIBS@|$(HOSTED_LIBS)|' $< >$@

LIBRARIES := $(SHARED) $(O)/$(SONAME) $(O)/liblpk.so $(O)/liblpk.a \
	$(O)/liblpk-core.a
all: $(LIBRARIES) $(O)/lpk.pc $(O)/lpk $(O)/lpk-run $(O)/liblpk-syslog.so

# The tool. It logs nothing: of the core's files only what reads is kept, and
# its port is a file of its own.
$(eval $(call object_rules,tool,-Iliblog/port/bare,-ffunction-sections -fdata-sections))
tool_objects := $(call objects,tool,$(TOOL_SRCS) $(TOOL_CORE_SRCS))
$(O)/lpk: $(tool_objects) $(O)/sources
	$(call say,LD,$@)
	$(Q)$(CC) -Wl,--gc-sections $(LINK_FLAGS) -o $@ $(tool_objects) $(LDLIBS)

# What `lpk run` starts: it does log. And what it puts before syslog(3).
runner_objects := $(call objects,static,$(RUNNER_SRCS))
$(O)/lpk-run: $(runner_objects) $(O)/liblpk.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $(runner_objects) $(O)/liblpk.a $(LINK_LIBS)
preload_objects := $(call objects,shared,$(PRELOAD_SRCS))
$(O)/liblpk-syslog.so: $(preload_objects)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(LINK_FLAGS) -o $@ $(preload_objects) $(LDLIBS) -ldl

# ---------------------------------------------------------------------------
# Test programs. docs/TESTING.md says how to add one.
#
#   tests/unit/test_NAME.c      a cmocka program, linked with liblpk.a
#   tests/DIR/NAME.c            the same, for the other folders below
#   tests/DIR/NAME.sh           a test that is a script
#   tests/DIR/lib_NAME.c        linked into each program of its folder
#   tests/support/lib_NAME.c    linked into each program of all folders
#   tests/DIR/lpk_atomic.h      this folder's programs use a library of their
#                               own, built with this backend of the atomics
#
# and, in tests/sources.mk, for the program NAME (without .c):
#
#   LPKTEST_CFLAGS_NAME         flags, before those of the build
#   LPKTEST_LDLIBS_NAME         libraries
#   LPKTEST_SRCS_NAME           sources compiled for it, with its flags
#   LPKTEST_ARGS_NAME           its arguments
#   LPKTEST_TIMEOUT_NAME        seconds (default 300)
#   LPKTEST_SKIP_KIND_NAME      why it does not run in a build of that kind:
#                               asan, ubsan, tsan or m32

TEST_DIRS ?= unit hooked stress model crash interop
build_kind := $(or $(SANITIZE),$(if $(m32),m32))
test_prefix := $(if $(build_kind),$(build_kind)/)

test_sources = $(if $(filter unit,$(1)),$(wildcard tests/unit/test_*.c),$(filter-out \
	tests/$(1)/lib_%,$(wildcard tests/$(1)/*.c)))
# In this build by their short names, folder/name; T= chooses among them.
tests_of = $(patsubst tests/%.c,%,$(sort $(call test_sources,$(1))))
picked = $(if $(T),$(filter $(T),$(1)),$(1))
scripts_of = $(patsubst tests/%,%,$(sort $(wildcard tests/$(1)/*.sh)))

TESTS := $(call picked,$(foreach d,$(TEST_DIRS),$(call tests_of,$(d))))
TEST_SCRIPTS := $(if $(build_kind),,$(call picked,$(foreach \
	d,$(TEST_DIRS),$(call scripts_of,$(d)))))
TEST_PROGRAMS := $(patsubst %,$(O)/tests/%,$(TESTS))

# The -m32 build has no cmocka to link with on most machines: a stand-in then.
cmocka_stand_in := tests/support/cmocka_stand_in.c
ifneq ($(m32)$(filter -m32,$(CC) $(CFLAGS)),)
CMOCKA_LIBS := $(shell mkdir -p $(O) && echo 'int main(void) { return 0; }' | \
	$(CC) -m32 -x c -o $(O)/cmocka-probe - -lcmocka 2>/dev/null && echo -lcmocka)
cmocka_object := $(if $(filter -lcmocka,$(CMOCKA_LIBS)),,$(O)/tests/support/cmocka_stand_in.o)
else
CMOCKA_LIBS ?= -lcmocka
cmocka_object :=
endif

support_objects := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard tests/support/lib_*.c)))
helper_objects = $(patsubst %.c,$(O)/%.o,$(sort $(wildcard tests/$(1)/lib_*.c)))

# $(call test_dir,DIR): a folder with a backend of its own gets a library.
own_atomics = $(wildcard tests/$(1)/lpk_atomic.h)
library_of = $(if $(own_atomics),$(O)/variant/$(1)/liblpk.a,$(O)/liblpk.a)
define test_dir
ifneq ($(own_atomics),)
$(call object_rules,$(1),-Itests/$(1))
$(call archive_rule,$(call library_of,$(1)),$(call objects,$(1),$(LIB_SRCS)))
endif
$(call helper_objects,$(1)): $(O)/tests/$(1)/%.o: tests/$(1)/%.c $(O)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) -Itests/$(1) $$(BASE_FLAGS) $$(test_flags) $$(CPPFLAGS) $$(CFLAGS) \
		-c -o $$@ $$<
endef
$(foreach d,$(TEST_DIRS),$(eval $(call test_dir,$(d))))

$(O)/tests/support/%.o: tests/support/%.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_FLAGS) $(test_flags) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# $(call test_program,DIR/NAME,DIR,NAME)
define test_program
$(1)_objects := $(O)/tests/$(1).o \
	$(patsubst %.c,$(O)/tests/extra/$(3)/%.o,$(LPKTEST_SRCS_$(3)))
$$($(1)_objects): test_own_flags = $(LPKTEST_CFLAGS_$(3)) -Itests/$(2)
$(O)/tests/$(1).o: tests/$(1).c $(O)/flags tests/sources.mk
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(test_own_flags) $$(BASE_FLAGS) $$(test_flags) $$(CPPFLAGS) \
		$$(CFLAGS) -c -o $$@ $$<
$(O)/tests/extra/$(3)/%.o: %.c $(O)/flags tests/sources.mk
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(test_own_flags) $$(BASE_FLAGS) $$(call layer_flags,$$<) \
		$$(CPPFLAGS) $$(CFLAGS) -c -o $$@ $$<
$(O)/tests/$(1): $$($(1)_objects) $(call helper_objects,$(2)) $(support_objects) \
		$(cmocka_object) $(call library_of,$(2))
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LINK_FLAGS) -o $$@ $$^ $(LPKTEST_LDLIBS_$(3)) $$(CMOCKA_LIBS) \
		$$(LINK_LIBS)
endef
$(foreach t,$(TESTS),$(eval $(call test_program,$(t),$(patsubst \
	%/,%,$(dir $(t))),$(notdir $(t)))))
tests/sources.mk: ;

.PHONY: tests examples
tests: $(TEST_PROGRAMS) ## Build the test programs, run none

# Examples of the manual: compiled as a user would, then run.
EXAMPLES := $(call picked,$(patsubst docs/examples/%,example/%,$(basename $(sort \
	$(filter-out $(DEMO_SRC),$(wildcard docs/examples/*.c docs/examples/*.cc))))))
EXAMPLE_PROGRAMS := $(patsubst example/%,$(O)/examples/%,$(EXAMPLES))
$(O)/examples/%: docs/examples/%.c $(O)/flags $(O)/liblpk.a
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_FLAGS) -Iinclude $(CPPFLAGS) $(LINK_FLAGS) -MF $@.d -o $@ $< \
		$(O)/liblpk.a $(LINK_LIBS)
$(O)/examples/%: docs/examples/%.cc $(O)/flags $(O)/liblpk.a
	@mkdir -p $(@D)
	$(call say,CXX,$@)
	$(Q)$(CXX) -std=c++17 -Wall -Wextra -Wpedantic $(filter -Werror,$(WARNINGS)) \
		-MMD -MP -Iinclude $(CPPFLAGS) $(LINK_FLAGS) -MF $@.d -o $@ $< \
		$(O)/liblpk.a $(LINK_LIBS)

examples: $(EXAMPLE_PROGRAMS) ## Build the examples of docs/examples, run none

# ---------------------------------------------------------------------------
# Running them. A list of tests has a line for each:
#   name|seconds allowed|why it is skipped, if it is|command

define newline


endef
skip_reason = $(LPKTEST_SKIP_$(build_kind)_$(notdir $(1)))
list_test = $(test_prefix)$(1)|$(or $(LPKTEST_TIMEOUT_$(notdir $(1))),300)|$(call \
	skip_reason,$(1))|$(test_runner)$(O)/tests/$(1) $(LPKTEST_ARGS_$(notdir $(1)))
list_script = $(1)|600||sh tests/$(1)
list_example = $(1)|60||$(O)/examples/$(notdir $(1))
list_header = header/$(notdir $(1))|120||sh tests/lint/header.sh $(1)
lines = $(subst $(newline) ,$(newline),$(foreach l,$(1),$(call $(2),$(l))$(newline)))

HEADERS := $(sort $(wildcard include/lpk/*.h))

# What the scripts need to know of this build.
export CC CXX NM
TEST_ENV = LPK_BUILD='$(abspath $(O))' LPK_MAKE='$(MAKE)' \
	LPK_CFLAGS='$(m32) $(CFLAGS)' LPK_LIBS='$(LINK_LIBS)'
RUN_TESTS = @$(TEST_ENV) sh tests/run.sh

define checks_of_this_build
$(call lines,$(TESTS),list_test)$(call lines,$(TEST_SCRIPTS),list_script)
endef
define other_checks
$(call lines,$(EXAMPLES),list_example)$(call lines,$(call \
	picked_headers,),list_header)
endef
picked_headers = $(foreach h,$(HEADERS),$(if $(call picked,header/$(notdir $(h))),$(h)))

# A make of another kind of build (-m32) leaves its list for the one above it.
.PHONY: test-list
test-list: $(O)/flags $(TEST_PROGRAMS)
	$(file >$(O)/tests.list,$(checks_of_this_build))@:

symbols_line := $(if $(call picked,symbols),symbols|60||sh tests/lint/symbols.sh $(SHARED))
demo_line = $(if $(DEMO_SRC),$(if $(call picked,demo),demo|120||$(O)/demo))

.PHONY: check
check: ## Run all the tests: N passed, N failed, N skipped
check: test-list all $(EXAMPLE_PROGRAMS) $(if $(DEMO_SRC),$(O)/demo) check-m32-list
	$(file >$(O)/other.list,$(other_checks)$(symbols_line)$(newline)$(demo_line))@:
	$(RUN_TESTS) $(O)/results $(O)/tests.list $(O)/other.list $(O)/m32.list

# The tests of these folders once more, in 32 bits, where the compiler can.
M32_DIRS := unit hooked
m32_tests := $(call picked,$(foreach d,$(M32_DIRS),$(call tests_of,$(d))))
.PHONY: check-m32-list
check-m32-list:
	@mkdir -p $(O)
ifneq ($(m32)$(m32_tests),$(m32_tests))
	@: >$(O)/m32.list
else ifeq ($(m32_tests),)
	@: >$(O)/m32.list
else
	@if sh tests/m32-probe.sh '$(O)' >$(O)/m32.why; then \
		$(MAKE) O='$(O)/m32' TOP='$(TOP)' M32=1 TEST_DIRS='$(M32_DIRS)' test-list && \
		cp $(O)/m32/tests.list $(O)/m32.list; \
	else \
		echo "m32|1|$$(cat $(O)/m32.why)|true" >$(O)/m32.list; \
	fi
endif

# Those with the programs that receive what we print: rsyslogd, journald, ...
.PHONY: interop run-interop
interop: ## Tests against other programs (make deps-interop installs these)
	@$(MAKE) TEST_DIRS=interop run-interop
run-interop: test-list all
	$(RUN_TESTS) $(O)/results $(O)/tests.list

# All ways to die; `make check` has one moment of each.
## MOMENTS=     of death, for make crash (default: 200)
MOMENTS ?= 200
.PHONY: crash
crash: all ## All ways to die, at 200 moments, in 3 builds: docs/LASTWORDS.md
	@$(MAKE) TEST_DIRS=crash T=crash/matrix tests
	@$(TEST_ENV) sh tests/crash/table/lastwords.sh $(MOMENTS)

# ---------------------------------------------------------------------------
# Sanitizers: unit and stress tests, each kind in a build folder of its own.

SANITIZE_DIRS := unit stress
# ThreadSanitizer wants its shadow memory where address randomisation may put
# something else; -R switches that off where the system lets us.
no_aslr := $(if $(filter tsan,$(SANITIZE)),$(shell setarch -R true \
	2>/dev/null && echo 'setarch -R '))
test_runner := $(no_aslr)
sanitizer_options := ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 \
	UBSAN_OPTIONS=print_stacktrace=1 \
	TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1

.PHONY: asan ubsan tsan check-sanitized
asan: ## Unit and stress tests under AddressSanitizer
ubsan: ## Unit and stress tests under UndefinedBehaviorSanitizer
tsan: ## Unit and stress tests under ThreadSanitizer (atomics: c11)
asan ubsan tsan:
	@$(MAKE) O='$(O)/$@' TOP='$(TOP)' SANITIZE=$@ ATOMIC=$(if $(filter tsan,$@),c11,$(ATOMIC)) \
		TEST_DIRS='$(SANITIZE_DIRS)' check-sanitized
check-sanitized: test-list
	@$(TEST_ENV) $(sanitizer_options) sh tests/run.sh $(O)/results $(O)/tests.list

.PHONY: fuzz
fuzz: ## A million images with changed bytes, read under sanitizers (LPK_FUZZ_COUNT=)
	@LPK_FUZZ_COUNT=$${LPK_FUZZ_COUNT:-1000000} $(MAKE) O='$(O)/$@' TOP='$(TOP)' \
		SANITIZE=$@ TEST_DIRS=unit T='$(or $(T),unit/test_tool_image unit/test_tool_elf unit/test_dict)' \
		check-sanitized

# The same readers, by clang's fuzzer, which looks for what has not run yet.
## SECONDS=     for each fuzzer of make fuzz-guided (default: 60)
SECONDS ?= 60
GUIDED := $(patsubst tests/fuzz/%_fuzz.c,%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
guided_srcs_dict := $(LPKTEST_SRCS_test_dict)
guided_srcs_image := $(LPKTEST_SRCS_test_tool_image)
guided_flags := -g -O1 -DLPK_GRACE_NS=1000
guided_with := address,undefined -fno-sanitize-recover=all
guided_runs := $(GUIDED:%=fuzz-guided-%)
.PHONY: fuzz-guided $(guided_runs)
fuzz-guided: $(guided_runs) ## Hostile images by clang's coverage-guided fuzzer
$(guided_runs): fuzz-guided-%:
	@$(MAKE) O='$(O)/guided' TOP='$(TOP)' CC=clang \
		CFLAGS='$(guided_flags) -fsanitize=fuzzer-no-link,$(guided_with)' \
		'$(O)/guided/liblpk.a'
	$(call say,LD,$(O)/guided/$*)
	$(Q)clang -std=c11 $(guided_flags) -fsanitize=fuzzer,$(guided_with) \
		-Iinclude -Iliblog -I$(atomic_dir) -I$(port_dir) -D_GNU_SOURCE= \
		$(guided_srcs_$*) '$(O)/guided/liblpk.a' \
		$(LINK_LIBS) -pthread -o '$(O)/guided/$*'
	@mkdir -p '$(O)/guided/$*.corpus'
	$(Q)'$(O)/guided/$*' -max_len=192 -timeout=1 -rss_limit_mb=512 \
		-max_total_time=$(SECONDS) -print_final_stats=1 \
		-artifact_prefix='$(O)/guided/$*-' '$(O)/guided/$*.corpus'

# ---------------------------------------------------------------------------
# The freestanding core: what it needs, and how big it is

CORE_CHECK = O='$(O)' sh tests/lint/check-core.sh
core_target = core/$(1)|300||$(CORE_CHECK) $(1) $(BARE_SRCS)
CORE_TARGETS := x86_64 cortex-m3 cortex-m0 riscv32

.PHONY: check-core
check-core: ## Build the core for bare machines; compare what it needs with the lists
	@mkdir -p $(O)
	$(file >$(O)/core.list,$(call lines,$(call picked_core,),core_target))@:
	$(RUN_TESTS) $(O)/results $(O)/core.list
picked_core = $(foreach c,$(CORE_TARGETS),$(if $(call picked,core/$(c)),$(c)))

.PHONY: size
size: ## Size and stack of the core on Cortex-M3, against the budget
	@O='$(O)' sh tests/lint/size.sh $(BARE_SRCS)

# ---------------------------------------------------------------------------
# House rules

LINTS := $(sort $(filter-out header symbols check-core size lib werror,$(patsubst \
	tests/lint/%.sh,%,$(wildcard tests/lint/*.sh))))
list_lint = lint/$(1)|600||sh tests/lint/$(1).sh
picked_lints = $(foreach l,$(LINTS),$(if $(call picked,lint/$(l)),$(l)))
picked_werror = $(foreach c,gcc clang,$(if $(call picked,lint/werror-$(c)),$(c)))
list_werror = lint/werror-$(1)|600||sh tests/lint/werror.sh $(1)

.PHONY: lint
lint: ## The house rules: format, labels, layers, warnings of gcc and clang
	@mkdir -p $(O)
	$(file >$(O)/lint.list,$(call lines,$(call picked_lints,),list_lint)$(call \
		lines,$(call picked_werror,),list_werror))@:
	$(RUN_TESTS) $(O)/results $(O)/lint.list

.PHONY: format
format: ## Format the C sources and headers in place
	$(Q)find liblog consoles include tests bench docs -name '*.[ch]' \
		-exec clang-format -i {} +

# ---------------------------------------------------------------------------
# Demo and benchmarks

$(O)/demo: $(DEMO_SRC) $(O)/flags $(O)/liblpk.a
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_FLAGS) -Iinclude -D_GNU_SOURCE= $(CPPFLAGS) \
		$(LINK_FLAGS) -MF $@.d -o $@ $(DEMO_SRC) $(O)/liblpk.a $(LINK_LIBS)

.PHONY: demo
demo: $(O)/demo $(O)/lpk ## Threads and signals log to three consoles; then a crash, and its last words
	@$(O)/demo

# make bench QUICK=1 takes less than a minute.
export QUICK
BENCH_SRCS := $(filter-out bench/lib_%,$(sort $(wildcard bench/*.c)))
BENCH_PROGRAMS := $(patsubst bench/%.c,$(O)/bench/%,$(BENCH_SRCS))
bench_helpers := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard bench/lib_*.c)))
bench_flags = $(test_flags) -DBENCH_COMPILER='"$(CC)"' -DBENCH_FLAGS='"$(strip \
	-std=c11 $(m32) $(CPPFLAGS) $(CFLAGS) ATOMIC=$(ATOMIC))"'
$(O)/bench/%.o: bench/%.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_FLAGS) $(bench_flags) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(BENCH_PROGRAMS): %: %.o $(bench_helpers) $(O)/liblpk.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $^ $(LINK_LIBS) -lm

# What bench/compare.c compares lpk with: a program each, where its library is
# found; compare names those that are not there. (stdio and syslog(3) always are.)
PEER_PKG_spdlog := spdlog
PEER_PKG_glog := libglog
PEER_PKG_lttng := lttng-ust lttng-ctl
PEER_PKG_libqb := libqb
PEER_LIBS_lttng := -ldl
PEER_LIBS_glog := -lgflags
# Their headers want these.
PEER_CFLAGS_lttng := -Ibench/peers -Wno-pedantic -Wno-missing-prototypes
PEER_CFLAGS_libqb := -Wno-pedantic
peers_found = $(foreach p,spdlog glog lttng libqb,$(shell \
	pkg-config --exists $(PEER_PKG_$(p)) 2>/dev/null && echo $(p)))
PEERS := lpk stdio syslog $(if $(filter bench benchmarks $(O)/bench/%,$(MAKECMDGOALS)),$(peers_found))
PEER_PROGRAMS := $(PEERS:%=$(O)/bench/peers/%)
peer_pkg = $(if $(PEER_PKG_$(1)),$(shell pkg-config $(2) $(PEER_PKG_$(1))))
peer_helpers := $(O)/bench/peers/lib_peer.o $(patsubst %,$(O)/bench/lib_%.o,clock env \
	hist proc report)
$(O)/bench/peers/%.o: bench/peers/%.cc $(O)/flags
	@mkdir -p $(@D)
	$(call say,CXX,$@)
	$(Q)$(CXX) -std=c++17 -Wall -Wextra $(filter -Werror,$(WARNINGS)) $(m32) \
		-MMD -MP $(filter -I%,$(test_flags)) $(PEER_CFLAGS_$*) \
		$(call peer_pkg,$*,--cflags) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(O)/bench/peers/%.o: bench/peers/%.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE_FLAGS) $(bench_flags) $(PEER_CFLAGS_$*) \
		$(call peer_pkg,$*,--cflags) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(PEER_PROGRAMS): $(O)/bench/peers/%: $(O)/bench/peers/%.o $(peer_helpers) $(O)/liblpk.a
	$(call say,LD,$@)
	$(Q)$(if $(wildcard bench/peers/$*.cc),$(CXX),$(CC)) $(LINK_FLAGS) -o $@ $< \
		$(peer_helpers) $(if $(filter lpk,$*),$(O)/liblpk.a $(LINK_LIBS)) \
		$(call peer_pkg,$*,--libs) $(PEER_LIBS_$*) -lpthread -lm

.PHONY: bench bench-instructions benchmarks
benchmarks: $(BENCH_PROGRAMS) $(PEER_PROGRAMS) ## Build the benchmarks, run none
bench: $(BENCH_PROGRAMS) $(PEER_PROGRAMS) ## Figures as tables, JSON, plots and a page, into bench/out (QUICK=1: a minute)
	@sh bench/run.sh '$(O)/bench'
bench-instructions: $(O)/bench/instructions ## Instructions a call, against bench/instructions.txt
	@CC='$(CC)' sh bench/instructions.sh $(O)/bench/instructions || [ $$? -eq 77 ]

# ---------------------------------------------------------------------------
# Installation: install and uninstall read one list.

MANPAGES := $(sort $(wildcard docs/man/*.[137]))
# A line: what|where to|mode, or a symbolic link: ->target|where|link
manifest_file = $(1)|$(2)/$(notdir $(1))|$(3)$(newline)
manifest_man = $(1)|$(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))/$(notdir \
	$(1))|644$(newline)
define manifest
$(call manifest_file,$(SHARED),$(LIBDIR),755)->$(notdir $(SHARED))|$(LIBDIR)/$(SONAME)|link
->$(SONAME)|$(LIBDIR)/liblpk.so|link
$(call manifest_file,$(O)/lpk,$(BINDIR),755)$(call \
	manifest_file,$(O)/lpk-run,$(BINDIR),755)$(call \
	manifest_file,$(O)/liblpk-syslog.so,$(LIBDIR),755)$(call \
	manifest_file,$(O)/liblpk.a,$(LIBDIR),644)$(call \
	manifest_file,$(O)/liblpk-core.a,$(LIBDIR),644)$(call \
	manifest_file,$(O)/lpk.pc,$(LIBDIR)/pkgconfig,644)$(foreach \
	h,$(HEADERS),$(call manifest_file,$(h),$(INCLUDEDIR)/lpk,644))$(foreach \
	m,$(MANPAGES),$(call manifest_man,$(m)))
endef

.PHONY: install uninstall manifest
manifest:
	@mkdir -p $(O)
	$(file >$(O)/manifest,$(subst $(newline) ,$(newline),$(manifest)))@:
install: all manifest ## Install libraries, headers, tool, pkg-config file and manual
	@while IFS='|' read -r what where mode; do \
		[ -n "$$what" ] || continue; \
		mkdir -p "$(DESTDIR)$${where%/*}"; \
		case $$mode in \
		link) ln -sf "$${what#->}" "$(DESTDIR)$$where" ;; \
		*) $(INSTALL) -m $$mode "$$what" "$(DESTDIR)$$where" ;; \
		esac || exit 1; \
		echo "  INST   $(DESTDIR)$$where"; \
	done <$(O)/manifest
uninstall: manifest ## Remove what install installed, and folders left empty
	@while IFS='|' read -r what where mode; do \
		[ -n "$$what" ] || continue; \
		rm -f "$(DESTDIR)$$where" || exit 1; \
		dir=$${where%/*}; \
		while [ "$$dir" != "$(PREFIX)" ] && \
			rmdir "$(DESTDIR)$$dir" 2>/dev/null; do dir=$${dir%/*}; done; \
	done <$(O)/manifest
	@echo "  RM     lpk from $(DESTDIR)$(PREFIX)"

# ---------------------------------------------------------------------------

.PHONY: deps deps-lint deps-interop deps-bench
deps: ## Install what the demo and the tests need, by apt, dnf or apk
deps-lint: ## Install what lint, check-core and .ci/run need on top
deps-interop: ## Install the programs that interop tests the consoles with
deps-bench: ## Install what make bench draws with, and compares lpk with

.PHONY: symbols
symbols: $(SHARED) ## Write the checked list of exported symbols afresh
	$(Q)sh tests/lint/symbols.sh --write $(SHARED)

.PHONY: clean
clean: ## Remove the build folder
	$(Q)rm -rf '$(O)'

.PHONY: help
help: ## This list
	@echo 'Targets:'
	@sed -n 's/^\([a-z][a-z-]*\):[^#=]*## \(.*\)/\1|\2/p' Makefile | sort | \
		while IFS='|' read -r t d; do printf '  %-12s %s\n' "$$t" "$$d"; done
	@echo 'Variables:'
	@sed -n 's/^## /  /p' Makefile

-include $(shell find $(wildcard $(addprefix $(O)/,obj tests examples bench \
	demo.d)) /dev/null -name '*.d')

endif
