/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what the files of libtocsin-inside share. Private to src/inside.
 *
 * Everything here runs inside other people's processes, in the middle of their malloc and their
 * locks: libc only, and of it nothing that allocates, locks or keeps a descriptor. No function of
 * ours calls one that we stand in for; the next one behind us is asked by its pointer (real.h).
 *
 * Threads and signal handlers: any. Slow paths hold the guard (probe/guard.h), which blocks
 * signals; hot ones write only what belongs to their thread. Errors: none goes up; what cannot be
 * seen is counted in struct inside_head. errno is left alone. After fork the child has a copy of
 * everything at the same addresses, so nobody has to look twice at a pointer. */
#ifndef INSIDE_INSIDE_H
#define INSIDE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inside/magazine.h"
#include "probe/inside.h"

#pragma GCC visibility push(hidden)

enum { INSIDE_CACHE = 256, INSIDE_REFRESH = 64, INSIDE_PAIRS = 512, INSIDE_SEEN = 128 };

/* Absent: everybody passes through for ever. */
enum inside_state { INSIDE_ASLEEP, INSIDE_STARTING, INSIDE_READY, INSIDE_ABSENT };

struct inside {
        enum inside_state state;
        uint64_t secret;
        uint32_t flags; /* enum inside_flag */
        struct inside_head *head;
        struct inside_module *modules;
        struct inside_site *sites;
        struct inside_node *nodes;
        struct inside_finding *findings;
        struct inside_thread *crowd; /* of all threads that found no page of their own */
        bool is_published;           /* there is a segment that a watcher can read */
};
extern struct inside inside_;

/* Of locks whose order was checked: see order.h. Both 0: none. */
struct inside_pair {
        uint64_t outer, inner;
};

/* What a thread with a page of its own keeps to itself besides, and nobody else sees. Not as
 * thread-local variables: those lie on the thread's stack, of which a program may have ordered the
 * least there is. */
struct inside_room {
        struct magazines magazines;
        struct inside_pair pairs[INSIDE_PAIRS];
        uint64_t seen[INSIDE_SEEN]; /* order.c */
};

/* What a thread keeps to itself. */
struct inside_local {
        struct toc_here_ *here;     /* TOC_ENTER reads it (struct toc_inside_); NULL as page */
        struct inside_thread *page; /* NULL: not attached */
        struct inside_thread *own;  /* the same, but NULL if it shares the crowd's */
        struct inside_room *room;   /* NULL as own */
        uint32_t thread;            /* its id */
        int name;                   /* in a mutex that it takes; 0: libc takes it, or NULL as own */
        uint64_t epoch; /* << INSIDE_EPOCH_SHIFT; as old as the last refresh, at most INSIDE_REFRESH
                           blocks */
        int32_t countdown;            /* to the next refresh */
        uint32_t is_busy;             /* we are at work ourselves: pass everything through */
        uintptr_t top;                /* of its stack */
        struct toc_here_ alone;       /* where it is if it shares the crowd's page */
        uint64_t cache[INSIDE_CACHE]; /* a site by its key: 48 bits of the key, 16 of the site */
};
extern __thread struct inside_local inside_local_;

#define INSIDE_SLOW(x) __builtin_expect(!!(x), 0)

/* ---- Life ---- start.c */

/* Called by the first function of ours that is called, and by the constructor; finds what stands
 * behind us. While it runs, state is INSIDE_STARTING and everybody passes through. */
void inside_start(void);

static inline bool inside_is_ready(void)
{
        return __builtin_expect(inside_.state == INSIDE_READY, 1);
}

/* As above, but begins it if nobody has. */
static inline bool inside_is_awake(void)
{
        if (INSIDE_SLOW(inside_.state == INSIDE_ASLEEP))
                inside_start();
        return inside_is_ready();
}

/* Each part's, called once by inside_start(): resolves its real functions with dlsym(RTLD_NEXT). */
void inside_heap_start(void);
void inside_jemalloc_start(void);
void inside_plugin_start(void);
void inside_fork_start(void);
void inside_lock_start(void);
void inside_descriptor_start(void);
void inside_call_start(void);
void inside_thread_start(void);
void inside_join_start(void);

/* From now on the child of a fork calls inside_region_forked() before other handlers. fork.c */
void inside_fork_watch(void);

/* Of the calling thread, while its destructors run: gives back what it kept of the heap. */
void inside_heap_thread_end(void);

/* inside_local.name of the calling thread; 0: libc does with a mutex what we do not know. */
int lock_find_name(void);

/* In the child of a fork, with the guard held, after the memory has become its own. */
void inside_lock_forked(void);
void inside_thread_forked(void);

/* ---- Memory that is published ---- region.c */

/* Makes everything but pages of threads; false: there is no memory at all. */
bool inside_region_open(void);

/* Under the guard. A page for one more thread; NULL: there is no room. */
struct inside_thread *inside_region_page(void);
uint32_t inside_region_pages(void);
struct inside_thread *inside_region_page_at(uint32_t number);
void inside_region_own(struct inside_thread *page, uint32_t thread);

/* In the child of a fork: it gets a copy, which nobody reads yet. */
void inside_region_forked(void);

/* Whoever forked may exec at once; so a child makes its segment when it has shown that it stays:
 * slow paths call this. */
void inside_region_publish(void);

/* ---- Threads ---- page.c */

/* Never NULL. */
struct inside_thread *inside_attach(void);

/* In the child of a fork. */
void inside_page_forked(void);

static inline struct inside_thread *inside_page(void)
{
        struct inside_thread *page = inside_local_.page;

        return __builtin_expect(page != NULL, 1) ? page : inside_attach();
}

/* A page of which more than one thread writes: cells only, and those atomically. */
static inline bool inside_is_crowd(const struct inside_thread *page)
{
        return INSIDE_SLOW(page == inside_.crowd);
}

static inline void inside_add(struct inside_thread *page, uint64_t *cell, uint64_t n)
{
        if (inside_is_crowd(page))
                (void)__atomic_fetch_add(cell, n, __ATOMIC_RELAXED);
        else
                toc_add_at_(cell, n);
}

/* How many entries of page->held there are to look at; others can write to the segment, too. */
static inline uint32_t inside_holds(const struct inside_thread *page)
{
        uint32_t count = inside_held_count(page->locks);

        return count < INSIDE_HELD ? count : INSIDE_HELD;
}

/* From now on it waits for that, until inside_wait_end(). Not for the crowd. */
static inline void inside_wait_begin(struct inside_thread *page, enum inside_lock kind,
                                     const volatile void *lock, const void *at)
{
        if (inside_is_crowd(page))
                return;
        page->wait_lock = (uintptr_t)lock;
        page->wait_at = (uintptr_t)at;
        page->wait_kind = kind;
        page->wait_node = 0;
        /* A wait that was left by longjmp or cancellation did not end: this one begins all the
         * same. */
        __atomic_store_n(&page->wait_number, (page->wait_number + 1) | 1, __ATOMIC_RELEASE);
}

static inline void inside_wait_end(struct inside_thread *page)
{
        if (!inside_is_crowd(page))
                __atomic_store_n(&page->wait_number, (page->wait_number + 1) & ~UINT64_C(1),
                                 __ATOMIC_RELEASE);
}

/* ---- Modules ---- module.c */

struct toc_here_ *inside_enter(struct toc_entry_ *entry);

/* Where this thread is, which has that page or shares it. */
static inline uint32_t inside_module(const struct inside_thread *page)
{
        (void)page; /* whoever has one has attached, so here is there */
        return __atomic_load_n(&inside_local_.here->module, __ATOMIC_RELAXED) % INSIDE_MODULES;
}

/* ---- Sites ---- site.c
 *
 * A call path is known by its return address and the depth of the stack there, which together
 * tell nearly all of them apart without walking it (Mytkowicz, Coughlin, Diwan: "Inferred call path
 * profiling", OOPSLA 2009). So the callers of a wrapper such as xmalloc are told apart for the
 * price of a subtraction; the stack is walked once, when a path is seen first. */

/* One word that tells a path from all others of the thread, if sp is as it is, or of all threads if
 * it is the depth: 36 bits of an address are enough to tell one place from another. */
static inline uint64_t inside_path(enum inside_kind kind, uint32_t module, const void *at,
                                   uintptr_t sp)
{
        return ((uintptr_t)at ^ (uint64_t)sp << 41 ^ (uint64_t)module << 38 ^
                (uint64_t)(kind - INSIDE_HEAP) << 36) *
               UINT64_C(0x9e3779b97f4a7c15);
}

uint32_t inside_site_find(enum inside_kind kind, uint32_t module, const void *at, const void *sp);

enum { INSIDE_SITE_UNKNOWN = 1 << 16 };

/* If it is in the thread's cache, else INSIDE_SITE_UNKNOWN or more: without a call, nothing has to
 * be kept. */
static inline uint64_t inside_site_known(uint64_t path)
{
        return inside_local_.cache[path >> 56] ^ (path & ~UINT64_C(0xffff));
}

/* at: the return address; sp: inside_sp() of the function that asks. */
static inline uint32_t inside_site(struct inside_thread *page, enum inside_kind kind,
                                   const void *at, const void *sp)
{
        uint32_t module = inside_module(page);
        uint64_t path = inside_path(kind, module, at, (uintptr_t)sp);
        uint64_t site = inside_site_known(path);

        if (__builtin_expect(site < INSIDE_SITE_UNKNOWN, 1))
                return (uint32_t)site;
        site = inside_site_find(kind, module, at, sp);
        inside_local_.cache[path >> 56] = (path & ~UINT64_C(0xffff)) | site;
        return (uint32_t)site;
}

/* For inside_site(): where the frame of the caller ends, which is the same all through a function.
 * The stack pointer is not: two reads of it may be on either side of a push. */
static inline __attribute__((always_inline)) const void *inside_sp(void)
{
        return __builtin_dwarf_cfa();
}

/* Return addresses from `at` on, innermost first; only { at } where the stack has no end in sight.
 * Takes microseconds a frame, no lock and no memory. */
uint32_t inside_stack(const void *at, uint64_t *out, uint32_t max);

/* In a plain base register: an indexed add to a word that was added to a moment ago waits for
 * it. */
static inline struct inside_cells *inside_cells_of(struct inside_thread *page, uint32_t site)
{
        struct inside_cells *cells = &page->cells[site];

        __asm__("" : "+r"(cells));
        return cells;
}

static inline void inside_made(struct inside_thread *page, uint32_t site, uint64_t bytes)
{
        struct inside_cells *cells = inside_cells_of(page, site);

        inside_add(page, &cells->live, INSIDE_ONE + bytes);
        inside_add(page, &cells->made, 1);
}

static inline void inside_ended(struct inside_thread *page, uint32_t site, uint64_t bytes)
{
        inside_add(page, &page->cells[site].live, 0 - (INSIDE_ONE + bytes));
}

/* Every INSIDE_REFRESH-th block: the epoch, and inside_region_publish(). */
void inside_refresh(struct inside_local *local);

/* ---- Findings ---- finding.c */

/* Room for one, to be filled in and then given to inside_finding_done(); NULL: there is none. */
struct inside_finding *inside_finding_new(enum inside_finding_kind kind);
void inside_finding_done(struct inside_finding *finding);

#pragma GCC visibility pop

#define INSIDE_PUBLIC __attribute__((visibility("default")))

#endif
