# SPDX-License-Identifier: MIT
# What single test programs need beyond the rules of the Makefile, which says
# what these names mean: LPKTEST_CFLAGS_NAME, LPKTEST_LDLIBS_NAME,
# LPKTEST_SRCS_NAME, LPKTEST_ARGS_NAME, LPKTEST_TIMEOUT_NAME,
# LPKTEST_SKIP_KIND_NAME. One block a program, in alphabetical order.
