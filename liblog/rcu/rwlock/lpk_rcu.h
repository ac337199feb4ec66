/* SPDX-License-Identifier: MIT */
/*
 * lpk_rcu.h, a lock - the same promises where liburcu is not to be had (32-bit
 * builds, musl), or where a checker must see them (ThreadSanitizer does not
 * know what happens inside liburcu). Readers may wait for a synchronize.
 */
#ifndef LPK_RCU_H
#define LPK_RCU_H

#include <pthread.h>

extern pthread_rwlock_t lpk__rcu_lock __attribute__((visibility("hidden")));

#define lpk_rcu_read_lock() ((void)pthread_rwlock_rdlock(&lpk__rcu_lock))
#define lpk_rcu_read_unlock() ((void)pthread_rwlock_unlock(&lpk__rcu_lock))
#define lpk_rcu_synchronize()                                                  \
	((void)pthread_rwlock_wrlock(&lpk__rcu_lock),                          \
	    (void)pthread_rwlock_unlock(&lpk__rcu_lock))
#define lpk_rcu_dereference(pointer) (pointer)
#define lpk_rcu_publish(pointer, value)                                        \
	((void)pthread_rwlock_wrlock(&lpk__rcu_lock), (pointer) = (value),     \
	    (void)pthread_rwlock_unlock(&lpk__rcu_lock))
#define lpk_rcu_before_fork() ((void)pthread_rwlock_wrlock(&lpk__rcu_lock))
#define lpk_rcu_after_fork_parent()                                            \
	((void)pthread_rwlock_unlock(&lpk__rcu_lock))
/* Made anew: threads that waited for it are counted in it, and are not here. */
#define lpk_rcu_after_fork_child()                                             \
	((void)pthread_rwlock_unlock(&lpk__rcu_lock),                          \
	    (void)pthread_rwlock_init(&lpk__rcu_lock, NULL))

#endif /* LPK_RCU_H */
