/* SPDX-License-Identifier: Apache-2.0 */
/* order.h - in which order locks are taken, and whether two orders can meet: what the kernel's
 * lockdep does.
 *
 * A lock is known by the place that initialised it (return address and depth of the stack); so
 * what is learnt of one connection holds for the next. Of locks that were made at one place the
 * addresses count. If no initialisation was seen, a lock of a program or library is known by its
 * address; others are not checked: their memory may be given back without a word.
 *
 * An order is wrong if it goes round in a circle, unless one thread alone has taken all of it, or
 * all of it was taken under one other lock, or TOC_ANY_ORDER says that it is right. It is reported
 * once, before anybody waits. What happened before there was a second thread is not looked at.
 *
 * Threads: any. Errors: none: what finds no room is not checked. Limits: INSIDE_NODES places, and
 * those of order.c and graph.h. */
#ifndef INSIDE_ORDER_H
#define INSIDE_ORDER_H

#include "inside/inside.h"

#pragma GCC visibility push(hidden)

/* It begins to be, or ends. at, sp: of the function that initialises it, as for inside_site(). */
void order_made(const volatile void *lock, enum inside_lock kind, const void *at, const void *sp);
void order_ended(const volatile void *lock);

/* Its number; 0: there was no room. */
uint32_t order_node(const volatile void *lock, enum inside_lock kind);

/* The thread is about to wait for it, if it has to, and holds at least one. */
void order_check(struct inside_thread *page, const volatile void *lock, enum inside_lock kind,
                 const void *at);

/* In the child of a fork. */
void order_forked(void);

/* Another one whenever a lock has ended that this or that thread knew an order of. */
extern uint32_t order_generation_;

/* Nearly always one lock is held when another is taken, and those two were checked before. What a
 * thread has had checked of such pairs, by the inner one. */
static inline struct inside_pair *order_pair_of(const volatile void *lock)
{
        return &inside_local_.room->pairs[((uintptr_t)lock >> 4) % INSIDE_PAIRS];
}

/* The outer lock as a pair has it. */
static inline uint64_t order_outer(uint64_t lock)
{
        return lock ^ (uint64_t)__atomic_load_n(&order_generation_, __ATOMIC_RELAXED) << 32;
}

/* order_check() has nothing to say. */
static inline bool order_is_checked(const struct inside_thread *page, const volatile void *lock)
{
        const struct inside_pair *pair = order_pair_of(lock);

        return inside_held_count(page->locks) == 1 && pair->inner == (uintptr_t)lock &&
               pair->outer == order_outer(page->held[0].lock);
}

#pragma GCC visibility pop

#endif
