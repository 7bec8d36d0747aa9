/* SPDX-License-Identifier: Apache-2.0 */
/* lock.c - every lock of the program: who holds it, who waits, and in which order they come. Here:
 * what is held; mutexes, other locks, conditions and C11's names for it all have files of their
 * own.
 *
 * A lock is tried first; only who has to wait says so. Nothing reads a clock: the watcher does. */
#include "inside/lock.h"

#include <errno.h>

#include "inside/real.h"
#include "probe/guard.h"

struct lock_real lock_real;

/* Locks that found no room in the page. */
static __thread uint32_t unlisted;

/* valgrind puts its own functions in the place of libc's, with whose help helgrind sees a lock. */
static bool is_libc(void)
{
        return inside_is_of_one_object(dlsym(RTLD_NEXT, "pthread_mutex_lock"),
                                       dlsym(RTLD_DEFAULT, "gnu_get_libc_version")) &&
               !dlsym(RTLD_DEFAULT, "_vgnU_freeres");
}

void inside_lock_start(void)
{
#define X(type, name, ...) INSIDE_REAL(lock_real.name, #name);
#include "inside/lock.def"
#undef X
        /* Of conditions there are two kinds; the old one lies first for whoever does not say. */
        INSIDE_REAL_OF(lock_real.pthread_cond_wait, "pthread_cond_wait", "GLIBC_2.3.2");
        INSIDE_REAL_OF(lock_real.pthread_cond_timedwait, "pthread_cond_timedwait", "GLIBC_2.3.2");
        lock_real.is_libc = is_libc();
        inside_.flags |= INSIDE_HAS_LOCKS;
}

/* What the thread that forked holds, the child holds. */
void inside_lock_forked(void)
{
        order_forked();
}

struct inside_thread *lock_awake(void)
{
        if (!inside_is_awake())
                return NULL;
        (void)inside_page();
        return inside_local_.own;
}

/* ---- What is held ---------------------------------------------------------------------*/

/* Those that another thread has released. */
static void drop_holes(struct inside_thread *page)
{
        uint32_t count = inside_holds(page), kept = 0;

        for (uint32_t i = 0; i < count; i++) {
                if (!page->held[i].lock)
                        continue;
                if (kept != i)
                        page->held[kept] = page->held[i];
                kept++;
        }
        __atomic_store_n(&page->locks, page->locks - inside_held_count(page->locks) + kept,
                         __ATOMIC_RELEASE);
}

/* INSIDE_HELD: nowhere. */
static uint32_t find_held(const struct inside_thread *page, const volatile void *lock)
{
        for (uint32_t i = inside_holds(page); i-- > 0;)
                if (page->held[i].lock == (uintptr_t)lock)
                        return i;
        return INSIDE_HELD;
}

__attribute__((noinline)) void lock_push_slowly(struct inside_thread *page,
                                                const volatile void *lock, enum inside_lock kind,
                                                const void *at)
{
        bool is_nested = lock_is_nested(kind, lock);

        if (is_nested && find_held(page, lock) < INSIDE_HELD)
                return;
        if (inside_held_count(page->locks) >= INSIDE_HELD)
                drop_holes(page);
        if (inside_held_count(page->locks) >= INSIDE_HELD || (is_nested && unlisted)) {
                unlisted++;
                return;
        }
        lock_put(page, page->locks, lock, kind, at);
}

__attribute__((noinline)) bool lock_pop_deep(struct inside_thread *page, const volatile void *lock)
{
        uint32_t place = find_held(page, lock);

        if (place == INSIDE_HELD) {
                if (!unlisted)
                        return false;
                unlisted--;
                return true;
        }
        if (lock_is_nested(page->held[place].kind, lock))
                return true;
        page->held[place].lock = 0;
        drop_holes(page);
        return true;
}

__attribute__((cold)) struct lock_owner lock_find_owner(const volatile void *lock)
{
        struct lock_owner owner = { .lock = (uintptr_t)lock };
        struct guard guard = toc_guard_enter_();

        for (uint32_t i = 1; i < inside_region_pages() && !owner.held; i++) {
                struct inside_thread *page = inside_region_page_at(i);
                uint32_t place = page == inside_local_.own ? INSIDE_HELD : find_held(page, lock);

                if (place == INSIDE_HELD)
                        continue;
                owner.held = &page->held[place];
                owner.number = owner.held->number;
        }
        toc_guard_leave_(guard);
        return owner;
}

/* Its thread may be at work there: then it is another lock's entry by now, or one taken later. */
__attribute__((cold)) void lock_disown(const struct lock_owner *owner)
{
        uint64_t lock = owner->lock;

        if (owner->held && owner->held->number == owner->number)
                (void)__atomic_compare_exchange_n(&owner->held->lock, &lock, 0, false,
                                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* ---- Waiting --------------------------------------------------------------------------*/

/* What the lock itself says of its owner goes for more than what we have seen. */
static bool is_own(const struct inside_thread *page, const volatile void *lock,
                   enum inside_lock kind, const struct inside_held **held)
{
        uint32_t place = find_held(page, lock);

        if (place == INSIDE_HELD || kind == INSIDE_READ || kind == INSIDE_RECURSIVE)
                return false;
        *held = &page->held[place];
        if (kind == INSIDE_WRITE) /* who holds it for writing is told so */
                return (*held)->kind == INSIDE_READ;
        if (kind != INSIDE_MUTEX)
                return true;
        return ((const volatile pthread_mutex_t *)lock)->__data.__owner ==
               (int)inside_local_.thread;
}

__attribute__((cold)) void lock_wait(struct inside_thread *page, enum inside_lock kind,
                                     const volatile void *lock, bool for_ever, const void *at)
{
        uint32_t node = order_node(lock, kind);
        const struct inside_held *held;
        struct inside_finding *finding = NULL;

        if (for_ever && is_own(page, lock, kind, &held))
                finding = inside_finding_new(INSIDE_SELF_DEADLOCK);
        if (finding) {
                finding->lock[0] = (uintptr_t)lock;
                finding->node[0] = node;
                finding->depth[0] = inside_stack(at, finding->stack[0], INSIDE_STACK);
                finding->depth[1] = 1;
                finding->stack[1][0] = held->at;
                inside_finding_done(finding);
        }
        inside_wait_begin(page, kind, lock, at);
        page->wait_node = node;
        inside_region_publish();
}
