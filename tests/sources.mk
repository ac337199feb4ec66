# SPDX-License-Identifier: MIT
# What single test programs need beyond the rules of the Makefile, which says
# what these names mean: LPKTEST_CFLAGS_NAME, LPKTEST_LDLIBS_NAME,
# LPKTEST_SRCS_NAME, LPKTEST_ARGS_NAME, LPKTEST_TIMEOUT_NAME,
# LPKTEST_SKIP_KIND_NAME. One block a program, in alphabetical order.

# A module finds the library in the program that loads it.
LPKTEST_LDLIBS_dlclose := -rdynamic -ldl -Wl,-u,lpk__module_gone \
	-Wl,-u,lpk__printk
LPKTEST_CFLAGS_kill_deferred := -DLPK_GRACE_NS=1000
LPKTEST_SRCS_kill_deferred := liblog/core/reader.c
LPKTEST_SKIP_tsan_kill_deferred := it judges processes by their memory

LPKTEST_SRCS_kill_image := liblog/tools/image.c liblog/tools/source.c \
	liblog/tools/source_core.c
LPKTEST_SKIP_tsan_kill_image := it judges processes by their memory

# It has a pause of its own, in place of the port's.
LPKTEST_LDLIBS_ownership := -Wl,-z,muldefs

# A reader that waits a microsecond, not ten milliseconds, for the unfinished.
LPKTEST_CFLAGS_parked := -DLPK_GRACE_NS=1000
LPKTEST_SRCS_parked := liblog/core/reader.c
LPKTEST_CFLAGS_reading := -DLPK_GRACE_NS=1000
LPKTEST_SRCS_reading := liblog/core/reader.c

# Steps through the code as it is, not through what a sanitizer makes of it.
LPKTEST_CFLAGS_step := -DLPK_GRACE_NS=1000
LPKTEST_SRCS_step := liblog/core/reader.c tests/hooked/lib_book.c
LPKTEST_SKIP_asan_step := single steps are for the plain build
LPKTEST_SKIP_ubsan_step := single steps are for the plain build
LPKTEST_SKIP_tsan_step := single steps are for the plain build

# It builds itself with sanitizers, for the rows that are about them.
LPKTEST_TIMEOUT_matrix := 600
LPKTEST_SKIP_asan_matrix := see its rows 27a and 27b (make crash)
LPKTEST_SKIP_ubsan_matrix := see its rows 27a and 27b (make crash)
LPKTEST_SKIP_tsan_matrix := see its rows 27a and 27b (make crash)

# The harness of the models is their port, whatever else is in the library.
LPKTEST_LDLIBS_mutants := -Wl,-z,muldefs
LPKTEST_LDLIBS_schedules := -Wl,-z,muldefs
LPKTEST_LDLIBS_weak := -Wl,-z,muldefs
# Half a minute each; LPK_MODEL_DEEP=1 takes most of an hour.
LPKTEST_TIMEOUT_mutants := 3600
LPKTEST_TIMEOUT_schedules := 3600
LPKTEST_TIMEOUT_weak := 3600

LPKTEST_SRCS_stopped := tests/hooked/lib_book.c

# A reader that waits a microsecond, not ten milliseconds, for the unfinished.
LPKTEST_CFLAGS_test_dict := -DLPK_GRACE_NS=1000
LPKTEST_SRCS_test_dict := tests/fuzz/dict_fuzz.c liblog/core/reader.c
LPKTEST_SKIP_tsan_test_dict := one thread: nothing for ThreadSanitizer to see

# It has a pause of its own, in place of the port's.
LPKTEST_LDLIBS_test_owner := -Wl,-z,muldefs

# Its children start threads, which ThreadSanitizer does not allow.
LPKTEST_SKIP_tsan_test_life := forks with threads, and threads in the children

# One thread, and some ten million calls of a reader.
LPKTEST_SKIP_tsan_test_ring := one thread: nothing for ThreadSanitizer to see

# lpk_init() wants a process of one thread, and ThreadSanitizer has one of its
# own.
LPKTEST_SKIP_tsan_test_durable := ThreadSanitizer has a thread of its own
LPKTEST_SKIP_tsan_test_region := ThreadSanitizer has a thread of its own
LPKTEST_SKIP_tsan_test_region_file := ThreadSanitizer has a thread of its own

# Parts of the tool, which is a program and no library.
LPKTEST_SRCS_test_tool_elf := $(patsubst %,liblog/tools/%.c,elf sites_elf \
	sites_list source source_core output_data lists)
LPKTEST_TIMEOUT_test_tool_elf := $(if $(LPK_FUZZ_COUNT),36000,300)
LPKTEST_SKIP_tsan_test_tool_elf := one thread: nothing for ThreadSanitizer to see
LPKTEST_SRCS_test_tool_image := tests/fuzz/image_fuzz.c $(patsubst \
	%,liblog/tools/%.c,image source source_core output output_data lists times)
LPKTEST_TIMEOUT_test_tool_image := $(if $(LPK_FUZZ_COUNT),36000,300)
LPKTEST_SKIP_tsan_test_tool_image := one thread: nothing for ThreadSanitizer to see
LPKTEST_SRCS_test_tool_lists := liblog/tools/lists.c
LPKTEST_SRCS_test_tool_times := liblog/tools/times.c
