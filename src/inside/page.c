/* SPDX-License-Identifier: Apache-2.0 */
/* page.c - gives each thread a page to count in, and takes back those of threads that are gone.
 *
 * A thread does not say when it ends: what libc frees after its last destructor would have nowhere
 * to go. So a page is free when nobody with the id of its owner lives in this process any more. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "inside/inside.h"
#include "probe/guard.h"

extern void *__libc_stack_end; /* ld.so: where the stack of the first thread begins */

static struct {
        uint32_t owner[INSIDE_THREADS_MAX]; /* 0: free */
        uint32_t scan_at;                   /* pages at which to look for dead owners */
} pages = { .scan_at = 8 };

/* By the number of the page: memory that is private, for whoever has it. */
static struct inside_room *rooms[INSIDE_THREADS_MAX];

static bool is_dead(uint32_t thread)
{
        return syscall(SYS_tgkill, getpid(), thread, 0) == -1 && errno == ESRCH;
}

static void clean(struct inside_thread *page)
{
        page->here = (struct toc_here_){ page->here.entries, 0, 0, 0 };
        page->wait_number += page->wait_number & 1;
        page->call_number += page->call_number & 1;
        page->locks -= inside_held_count(page->locks);
        page->made_site = 0;
        page->self = 0;
}

/* The number of one. One that had the same id is gone; else one that is free. Those of threads that
 * ended with a lock say who has it, and are taken last. */
static uint32_t find_page(uint32_t thread, bool takes_held)
{
        uint32_t count = inside_region_pages();
        uint32_t free = 0;

        for (uint32_t i = 1; i < count; i++) {
                if (pages.owner[i] == thread) {
                        pages.owner[i] = 0;
                        free = i;
                        break;
                }
                if (!pages.owner[i] &&
                    (takes_held || !inside_held_count(inside_region_page_at(i)->locks)))
                        free = i;
        }
        if (free)
                pages.owner[free] = thread;
        return free;
}

static void release_dead(void)
{
        uint32_t count = inside_region_pages(), alive = 0;

        for (uint32_t i = 1; i < count; i++) {
                if (pages.owner[i] && is_dead(pages.owner[i]))
                        pages.owner[i] = 0;
                alive += pages.owner[i] != 0;
        }
        pages.scan_at = alive + alive / 4 + 8;
}

static uint32_t new_page(uint32_t thread)
{
        uint32_t number = inside_region_pages();

        if (!inside_region_page())
                return 0;
        pages.owner[number] = thread;
        return number;
}

/* 0: there is none. */
static uint32_t take_page(uint32_t thread)
{
        uint32_t number = find_page(thread, false);

        if (!number && inside_region_pages() >= pages.scan_at) {
                release_dead();
                number = find_page(thread, false);
        }
        if (!number)
                number = new_page(thread);
        return number ? number : find_page(thread, true);
}

/* Empty, whatever became of who had it before: another thread has seen other things, and it may
 * have died in the middle of them. NULL: there is no memory. */
static struct inside_room *take_room(uint32_t number)
{
        void *memory = rooms[number];

        if (memory)
                return memset(memory, 0, sizeof(struct inside_room));
        memory = mmap(NULL, sizeof(struct inside_room), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        rooms[number] = memory == MAP_FAILED ? NULL : memory;
        return rooms[number];
}

static uintptr_t stack_top(uint32_t thread)
{
        if (thread == (uint32_t)getpid())
                return (uintptr_t)__libc_stack_end;
#if defined(__x86_64__)
        uintptr_t top;

        __asm__("movq %%fs:0, %0" : "=r"(top)); /* libc keeps it at the top of the stack */
        return top;
#else
        return (uintptr_t)__builtin_thread_pointer();
#endif
}

struct inside_thread *inside_attach(void)
{
        struct guard guard = toc_guard_enter_();
        struct inside_local *local = &inside_local_;
        struct inside_thread *page = local->page; /* a handler may have come first */
        uint32_t number;

        if (!page) {
                local->thread = (uint32_t)syscall(SYS_gettid);
                local->top = stack_top(local->thread);
                number = take_page(local->thread);
                local->room = number ? take_room(number) : NULL;
                if (local->room) {
                        page = inside_region_page_at(number);
                        clean(page);
                        page->self = (uintptr_t)pthread_self();
                        inside_region_own(page, local->thread);
                } else {
                        pages.owner[number] = 0;
                        inside_.head->threads_unseen++;
                        page = inside_.crowd;
                }
                local->own = page == inside_.crowd ? NULL : page;
                local->here = local->own ? &page->here : &local->alone;
                local->name = local->own ? lock_find_name() : 0;
                __atomic_store_n(&local->page, page, __ATOMIC_RELAXED);
        }
        toc_guard_leave_(guard);
        return page;
}

/* The child has one thread; whatever the others held or waited for is not held here. */
void inside_page_forked(void)
{
        struct inside_local *local = &inside_local_;

        local->thread = (uint32_t)syscall(SYS_gettid);
        local->name = local->own ? lock_find_name() : 0;
        for (uint32_t i = 1; i < inside_region_pages(); i++) {
                struct inside_thread *page = inside_region_page_at(i);
                bool is_mine = page == local->page;

                pages.owner[i] = is_mine ? local->thread : 0;
                inside_region_own(page, pages.owner[i]);
                if (!is_mine)
                        clean(page);
        }
}

void inside_refresh(struct inside_local *local)
{
        struct timespec now = { 0 };
        int saved = errno;

        (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* cannot fail: the clock exists */
        local->epoch = (uint64_t)(now.tv_sec / INSIDE_EPOCH_S) << INSIDE_EPOCH_SHIFT;
        local->countdown = INSIDE_REFRESH;
        inside_region_publish();
        errno = saved;
}
