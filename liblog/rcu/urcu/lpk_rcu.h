/* SPDX-License-Identifier: MIT */
/*
 * lpk_rcu.h, liburcu - lifetimes of what threads look at while other threads
 * take it away. The bulletproof flavour: threads of the program are readers
 * without knowing it. Threads only: never in a handler, never in a panic.
 */
#ifndef LPK_RCU_H
#define LPK_RCU_H

#include <urcu/urcu-bp.h>

#define lpk_rcu_read_lock() urcu_bp_read_lock()
#define lpk_rcu_read_unlock() urcu_bp_read_unlock()
#define lpk_rcu_synchronize() urcu_bp_synchronize_rcu()
#define lpk_rcu_dereference(pointer) rcu_dereference(pointer)
#define lpk_rcu_publish(pointer, value) rcu_set_pointer(&(pointer), (value))
#define lpk_rcu_before_fork() urcu_bp_before_fork()
#define lpk_rcu_after_fork_parent() urcu_bp_after_fork_parent()
#define lpk_rcu_after_fork_child() urcu_bp_after_fork_child()

#endif /* LPK_RCU_H */
