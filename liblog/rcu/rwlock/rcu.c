/* SPDX-License-Identifier: MIT */
/*
 * rcu.c - the lock that stands in for liburcu.
 */
#include "lpk_rcu.h"

pthread_rwlock_t lpk__rcu_lock = PTHREAD_RWLOCK_INITIALIZER;
