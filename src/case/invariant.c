/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to ask the contract's invariant of the objects that a case named, when it matters: after
 * an injected fault and at the end.
 *
 * Addresses are kept inverted, so that an object that was lost is still a leak to a leak checker.
 */
#include "case/glue.h"
#include "case/harness.h"

#include <stdatomic.h>

enum { object_max = 64 };

static _Atomic uintptr_t objects[object_max]; /* ~address; 0: free */
static _Atomic unsigned object_count;
static uint64_t asked_at_fired;

void *toc_case_object_add_(void *object)
{
        uintptr_t kept = ~(uintptr_t)object;

        if (!object)
                return object;
        for (unsigned i = 0; i < object_max; i++)
                if (atomic_load(&objects[i]) == kept)
                        return object;
        for (unsigned i = 0; i < object_max; i++) {
                uintptr_t none = 0;

                if (atomic_compare_exchange_strong(&objects[i], &none, kept)) {
                        atomic_fetch_add(&object_count, 1);
                        return object;
                }
        }
        toc_case_fail_(__FILE_NAME__, __LINE__, "more than %d objects in toc_case_object()",
                       object_max);
}

void toc_case_object_gone(void *object)
{
        toc_invariant_forget_(object);
}

void toc_invariant_forget_(const void *object)
{
        if (!atomic_load_explicit(&object_count, memory_order_relaxed) || !object)
                return;
        for (unsigned i = 0; i < object_max; i++) {
                uintptr_t kept = ~(uintptr_t)object;

                if (atomic_compare_exchange_strong(&objects[i], &kept, 0))
                        atomic_fetch_sub(&object_count, 1);
        }
}

void toc_case_check_invariant(void)
{
        asked_at_fired = toc_heap_count_().fired;
        toc_heap_disarm_();
        for (unsigned i = 0; i < object_max; i++) {
                uintptr_t kept = atomic_load(&objects[i]);
                int broken = kept ? toc_case_invariant_((void *)~kept) : 0;

                if (!broken)
                        continue;
                (void)toc_wire_send_(toc_harness_run_.wire_fd, "DATA %s broken=%d",
                                     toc_harness_run_.nonce, broken);
                toc_case_fail_(toc_harness_run_.test_case->file, toc_harness_run_.test_case->line,
                               "the invariant of %s does not hold: it returned %d",
                               toc_case_module_, broken);
        }
        toc_heap_arm_();
}

void toc_invariant_after_fault_(void)
{
        if (toc_heap_count_().fired != asked_at_fired)
                toc_case_check_invariant();
}
