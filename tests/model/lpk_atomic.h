/* SPDX-License-Identifier: MIT */
/*
 * lpk_atomic.h, backend model - every atomic operation of the library is a
 * call of the machine in machine.h, which schedules the contexts, plays a weak
 * memory, and can weaken one ordering or switch off one check at a time.
 */
#ifndef LPK_ATOMIC_H
#define LPK_ATOMIC_H

#include "machine.h"

#define LPK__QUOTED(x) #x
#define LPK__QUOTE(x) LPK__QUOTED(x)
/* Where an operation stands in the source: what a mutant is named by. */
#define LPK__WHERE __FILE__ ":" LPK__QUOTE(__LINE__), __func__

#define LPK__LOAD(p, order) model_load((p), sizeof(*(p)), (order), LPK__WHERE)
#define LPK__STORE(p, v, order)                                                \
	model_store((p), sizeof(*(p)), (v), (order), LPK__WHERE)

#define lpk_load_relaxed(p) LPK__LOAD((p), MODEL_RELAXED)
#define lpk_load_acquire(p) LPK__LOAD((p), MODEL_ACQUIRE)
#define lpk_store_relaxed(p, v) LPK__STORE((p), (v), MODEL_RELAXED)
#define lpk_store_release(p, v) LPK__STORE((p), (v), MODEL_RELEASE)
#define lpk_fetch_add_relaxed(p, v)                                            \
	model_add((p), (v), MODEL_RELAXED, LPK__WHERE)
#define lpk_fetch_add_acquire(p, v)                                            \
	model_add((p), (v), MODEL_ACQUIRE, LPK__WHERE)
#define lpk_cas_relaxed(p, from, to)                                           \
	model_cas((p), (from), (to), MODEL_RELAXED, LPK__WHERE)
#define lpk_cas_acquire(p, from, to)                                           \
	model_cas((p), (from), (to), MODEL_ACQUIRE, LPK__WHERE)
#define lpk_cas_release(p, from, to)                                           \
	(lpk_fence_release(), lpk_cas_relaxed((p), (from), (to)))
#define lpk_load32_relaxed(p) ((uint32_t)LPK__LOAD((p), MODEL_RELAXED))
#define lpk_load32_acquire(p) ((uint32_t)LPK__LOAD((p), MODEL_ACQUIRE))
#define lpk_store32_relaxed(p, v) LPK__STORE((p), (v), MODEL_RELAXED)
#define lpk_store32_release(p, v) LPK__STORE((p), (v), MODEL_RELEASE)
#define lpk_fence_acquire() model_fence(MODEL_ACQUIRE, LPK__WHERE)
#define lpk_fence_release() model_fence(MODEL_RELEASE, LPK__WHERE)
#define lpk_fence_full() model_fence(MODEL_FULL, LPK__WHERE)
/* Orders only together with a membarrier(2), which no client here calls. */
#define lpk_fence_light() ((void)0)

#define lpk_check(condition) model_check((condition), LPK__WHERE)

#endif /* LPK_ATOMIC_H */
