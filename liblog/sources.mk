# SPDX-License-Identifier: MIT
# The lists of sources, for this tree's Makefile and for any other build that
# takes lpk in as source. Set LPK_ROOT to the folder that holds liblog/, with a
# trailing slash, when it is not the current one.
#
# A file dropped into a layer's folder belongs to that layer; the exceptions,
# where a build must choose one file of several, are spelled out.

LPK_ROOT ?=

# Freestanding: no libc beyond memcpy, memset, memmove, memcmp. Needs one of the
# files of CORE_FLOAT, one backend of liblog/atomic/ on the include path, and the
# functions of include/lpk/port.h.
CORE_SRCS := $(filter-out %/format_float_stb.c %/format_float_none.c, \
	$(sort $(wildcard $(LPK_ROOT)liblog/core/*.c)))

# %f, %e, %g: rendered, or (firmware) refused with a marked output.
CORE_FLOAT_HOSTED := $(wildcard $(LPK_ROOT)liblog/core/format_float_stb.c)
CORE_FLOAT_FIRMWARE := $(wildcard $(LPK_ROOT)liblog/core/format_float_none.c)

# What the core asks of a platform; liblog/port/template.c is the one to copy.
PORT_SRCS := $(wildcard $(LPK_ROOT)liblog/port/posix.c)

# Lifetimes of what threads share: urcu (liburcu) or rwlock, a lock where that
# is not to be had. The folder liblog/rcu/$(RCU) must be on the include path.
RCU ?= urcu

# POSIX: threads, registry, environment.
HOSTED_SRCS := $(sort $(wildcard $(LPK_ROOT)liblog/hosted/*.c)) $(PORT_SRCS) \
	$(sort $(wildcard $(LPK_ROOT)liblog/rcu/$(RCU)/*.c))

# One driver a file, written against the public headers alone.
CONSOLE_SRCS := $(sort $(wildcard $(LPK_ROOT)consoles/*.c))

# The tool: it reads logs, and has of the core what reading takes.
TOOL_SRCS := $(sort $(wildcard $(LPK_ROOT)liblog/tools/*.c))
TOOL_CORE_SRCS := $(patsubst %,$(LPK_ROOT)liblog/core/%.c,clock dict error \
	format format_float_stb format_ptr message names print reader render ring)

# lpk-run, and the library that it has loaded into the program that it runs.
RUNNER_SRCS := $(sort $(wildcard $(LPK_ROOT)liblog/tools/runner/*.c)) \
	$(LPK_ROOT)liblog/tools/run_child.c
PRELOAD_SRCS := $(sort $(wildcard $(LPK_ROOT)liblog/tools/preload/*.c))

# pkg-config names of the libraries that the hosted part is linked with.
HOSTED_PKGS := $(if $(filter urcu,$(RCU)),liburcu-bp)
# Libraries of the system that it is linked with.
HOSTED_LIBS := -pthread

# The program that `make demo` runs.
DEMO_SRC := $(wildcard $(LPK_ROOT)docs/examples/demo*.c)
