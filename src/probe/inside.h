/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what libtocsin-inside publishes, and how libtocsin finds it.
 *
 * The library writes a segment of its own (segment.h), without rows, joined with the program's by
 * pid. Its extents, each there once but THREAD:
 *
 *     header | INSIDE | MODULES | SITES | NODES | FINDINGS | THREAD | THREAD | ...
 *
 * A site is a place in the code that makes something that lives on: heap, descriptors or threads.
 * What became of it is added up by every thread in cells of its own; readers sum them over all
 * THREAD extents, those of threads that have ended included: one thread may free what another made.
 *
 * Nothing here holds a time: the reader owns the clock. What goes on (waits, calls) has a number
 * that is another one each time, so that a reader knows whether it is still the same.
 *
 * A writer may die at any instruction. A reader copies, checks, and believes nothing. */
#ifndef TOCSIN_INSIDE_H
#define TOCSIN_INSIDE_H

#include <stdint.h>

#include "probe/segment.h"

enum {
        SEGMENT_INSIDE = 16,          /* struct inside_head */
        SEGMENT_INSIDE_MODULES = 17,  /* count struct inside_module */
        SEGMENT_INSIDE_SITES = 18,    /* count struct inside_site */
        SEGMENT_INSIDE_NODES = 19,    /* count struct inside_node */
        SEGMENT_INSIDE_FINDINGS = 20, /* count struct inside_finding */
        SEGMENT_INSIDE_THREAD = 21,   /* struct inside_thread; owner: its id, stale if it is gone */
};

enum {
        INSIDE_VERSION = 2,
        INSIDE_MODULES = 64,
        INSIDE_SITES = 1024,
        INSIDE_NODES = 1024,
        INSIDE_FINDINGS = 64,
        INSIDE_THREADS_MAX = 768, /* of one process; those beyond are not seen */
        INSIDE_STACK = 14,
        INSIDE_HELD = 16,
        INSIDE_NAME = 24,
};

/* Module 0 is the program: whatever no TOC_ENTER is around. The last one stands for all modules
 * that found no room. */
enum { INSIDE_PROGRAM = 0, INSIDE_OTHER_MODULES = INSIDE_MODULES - 1 };

enum inside_flag {
        INSIDE_HAS_HEAP = 1,          /* heap is accounted */
        INSIDE_FOREIGN_ALLOCATOR = 2, /* malloc is not libc's: no check for double free */
        INSIDE_HAS_LOCKS = 4,
        INSIDE_HAS_DESCRIPTORS = 8,
        INSIDE_HAS_CALLS = 16,
        INSIDE_HAS_THREADS = 32,
};

struct inside_head {
        uint32_t version; /* INSIDE_VERSION */
        uint32_t flags;   /* enum inside_flag */
        uint32_t modules; /* how many are ready; only grows */
        uint32_t sites;   /* highest ready + 1; only grows */
        uint32_t nodes;
        uint32_t epoch_s;        /* length of an epoch: INSIDE_EPOCH_S */
        uint64_t secret;         /* of the canaries, see inside_unmark() */
        uint64_t findings_made;  /* may run past INSIDE_FINDINGS: the first ones are kept */
        uint64_t threads_unseen; /* threads that found no room */
        uint64_t sites_full;     /* sites that found no room: counted as "elsewhere" */
        uint64_t foreign_frees;  /* blocks freed that were not made here */
        uint64_t reserved[8];
};

struct inside_module {
        uint32_t is_ready;      /* stored last */
        char name[INSIDE_NAME]; /* terminated; module 0: "" */
        uint32_t reserved;
};

enum inside_kind { INSIDE_HEAP = 1, INSIDE_DESCRIPTOR = 2, INSIDE_THREAD_KIND = 3 };

/* Sites kind * INSIDE_MODULES - INSIDE_MODULES + module are "elsewhere in the module": they have no
 * stack. Others follow, INSIDE_FIRST_SITE and on. */
enum { INSIDE_KINDS = 3, INSIDE_FIRST_SITE = INSIDE_KINDS * INSIDE_MODULES };

struct inside_site {
        uint32_t is_ready; /* stored last */
        uint32_t kind;     /* enum inside_kind */
        uint32_t module;
        uint32_t depth;
        uint64_t stack[INSIDE_STACK]; /* return addresses, innermost first: the caller of malloc */
};

enum inside_lock {
        INSIDE_MUTEX = 1,
        INSIDE_RECURSIVE = 2, /* a mutex that its owner may take again */
        INSIDE_READ = 3,      /* of a rwlock */
        INSIDE_WRITE = 4,
        INSIDE_SPIN = 5,
        INSIDE_CONDITION = 6, /* waits only */
        INSIDE_JOIN = 7,      /* waits only: `lock` is the `self` of the thread */
        INSIDE_SEMAPHORE = 8, /* waits only */
};

/* What the order of locks is known of: one lock, or all that one place in the code initialises. */
struct inside_node {
        uint32_t is_ready;
        uint32_t kind;
        uint64_t lock; /* the first of them that was seen */
        uint64_t made; /* return address of its initialisation; 0: none was seen (a static one) */
        uint64_t reserved;
};

enum inside_finding_kind {
        INSIDE_LOCK_ORDER =
                1, /* stack[0] takes lock[1] while it holds lock[0]; stack[1] has done it
                                 * the other way round, or the way round through others */
        INSIDE_SELF_DEADLOCK =
                2, /* stack[0] takes lock[0], which this thread holds since stack[1] */
        INSIDE_OVERFLOW =
                3, /* stack[0] frees lock[0], size bytes, made at site: its end is broken */
        INSIDE_DOUBLE_FREE = 4, /* stack[0] frees lock[0], which is free */
        INSIDE_UNLOCK = 5,      /* stack[0] releases lock[0], which nobody holds */
};

/* Written once: is_ready is stored last. */
struct inside_finding {
        uint32_t is_ready;
        uint32_t kind;
        uint32_t thread;
        uint32_t module;
        uint32_t site; /* 0: none */
        uint32_t node[2];
        uint32_t depth[2];
        uint32_t reserved;
        uint64_t lock[2];
        uint64_t size;
        uint64_t stack[2][INSIDE_STACK];
};

struct inside_held {
        uint64_t lock;
        uint64_t at;     /* return address of the call that took it */
        uint32_t number; /* how many locks the thread had taken then: another one each time */
        uint16_t node;   /* 0: not asked for */
        uint16_t kind;   /* enum inside_lock */
};

/* live: INSIDE_ONE for each that has been made and has not ended, plus their bytes: so one addition
 * counts both, and the sum over all threads is right though each of them may be negative. Of more
 * than 2^26 blocks or 2^38 bytes the number of blocks is wrong. */
enum { INSIDE_LIVE_SHIFT = 38 };
#define INSIDE_ONE (UINT64_C(1) << INSIDE_LIVE_SHIFT)

struct inside_cells {
        uint64_t live;
        uint64_t made;
};

static inline uint64_t inside_live_bytes(uint64_t live)
{
        return live & (INSIDE_ONE - 1);
}

static inline uint64_t inside_live_count(uint64_t live)
{
        return live >> INSIDE_LIVE_SHIFT;
}

/* Reads and writes of a module, by one thread. */
struct inside_io {
        uint64_t reads, read_bytes;
        uint64_t writes, written_bytes;
        uint64_t errors;   /* but EAGAIN, EINTR and the like */
        uint64_t shorts;   /* fewer bytes than asked for, written */
        uint64_t timed;    /* how many of the calls were timed ... */
        uint64_t timed_ns; /* ... and how long they took */
};

enum inside_call {
        INSIDE_CALL_READ = 1,
        INSIDE_CALL_WRITE = 2,
        INSIDE_CALL_CONNECT = 3,
        INSIDE_CALL_ACCEPT = 4,
        INSIDE_CALL_SYNC = 5,
        INSIDE_CALL_POLL = 6,
};

/* One thread: what it does now, and what it has counted. */
struct inside_thread {
        struct toc_here_ here;

        /* It waits if wait_number is odd; each wait has the next odd number. */
        uint64_t wait_number;
        uint64_t wait_lock;
        uint64_t wait_at;   /* return address of the call */
        uint32_t wait_kind; /* enum inside_lock */
        uint32_t wait_node; /* 0: not known */

        /* It is in a call if call_number is odd. */
        uint64_t call_number;
        uint64_t call_at;
        uint32_t call_kind; /* enum inside_call */
        int32_t call_fd;

        uint64_t locks;     /* inside_held_count() and inside_taken() of it */
        uint32_t made_site; /* where the thread was made; 0: not known */
        uint32_t reserved1;
        uint64_t self; /* its pthread_t, which another one may have when it has ended: then 0 */
        uint64_t wait_mutex; /* of a wait for a condition: what is to be held again */
        uint64_t reserved[2];
        struct inside_held held[INSIDE_HELD];
        struct inside_io io[INSIDE_MODULES];
        struct inside_cells cells[INSIDE_SITES];
};

/* How many entries of `held` count; whoever reads a foreign one has to bound it. */
static inline uint32_t inside_held_count(uint64_t locks)
{
        return locks & 0xff;
}

/* How many locks it has ever taken. */
static inline uint64_t inside_taken(uint64_t locks)
{
        return locks >> 8;
}

enum { INSIDE_TAKEN = 1 << 8 };

/* In front of every block of the heap that was made here; the user's bytes follow at once. Behind
 * size bytes, if size <= INSIDE_TAIL_MAX, comes one more, INSIDE_TAIL. */
struct inside_block {
        uint64_t size_and_epoch; /* size: 40 bits; epoch: 24 bits above INSIDE_EPOCH_SHIFT */
        uint64_t mark;           /* see inside_unmark() */
};

enum {
        INSIDE_BLOCK_BYTES = 16,
        INSIDE_TAIL_MAX = 64 << 10,
        INSIDE_TAIL = 0xf9, /* what no text ends with: it is in no ASCII and no UTF-8 */
        INSIDE_EPOCH_S = 5,
        INSIDE_EPOCH_SHIFT = 40,
        INSIDE_SITE_SHIFT = 48, /* above the address */
        INSIDE_ALIGNED = 1,
        INSIDE_FREED = 2,
};

/* The canary: the user's address and the secret are both in the mark, and nobody can write it who
 * does not know both. What is left without them: the site, above INSIDE_SITE_SHIFT, and below it
 * INSIDE_ALIGNED if malloc's block begins more than INSIDE_BLOCK_BYTES before the user's bytes,
 * INSIDE_FREED if it was freed and is kept for the next one; if anything else is there, then it is
 * no block. secret: below INSIDE_SITE_SHIFT. */
static inline uint64_t inside_unmark(uint64_t mark, uint64_t address, uint64_t secret)
{
        return mark ^ address ^ secret;
}

static inline uint64_t inside_unmark_rest(uint64_t left)
{
        return left & ((UINT64_C(1) << INSIDE_SITE_SHIFT) - 1);
}

_Static_assert(sizeof(struct inside_block) == INSIDE_BLOCK_BYTES, "inside format");
_Static_assert(sizeof(struct inside_site) == 128, "inside format");
_Static_assert(sizeof(struct inside_module) == 32, "inside format");
_Static_assert(sizeof(struct inside_held) == 24, "inside format");
_Static_assert(sizeof(struct inside_cells) == 16, "inside format");
_Static_assert(sizeof(struct inside_io) == 64, "inside format");

/* How libtocsin finds it: the weak function toc_inside_(). */
struct toc_inside_ {
        uint32_t version;
        int64_t here_offset; /* from the thread pointer to a thread's struct toc_here_ * */
        struct toc_here_ *(*enter)(
                struct toc_entry_ *entry); /* asks for its module; NULL: no room */
};

#endif
