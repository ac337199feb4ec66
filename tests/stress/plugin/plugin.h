/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PLUGIN_H
#define TESTS_PLUGIN_H

#include <lpk/log.h>

#define PLUGIN_API __attribute__((visibility("default")))
#define PLUGIN_SITES 16

/* A record from each of its sites, then its destructor's. */
PLUGIN_API void plugin_log(struct lpk_log *log, int number);

#endif /* TESTS_PLUGIN_H */
