/* SPDX-License-Identifier: Apache-2.0 */
/* lock_order.c - scenarios of orders: which of them could end in a deadlock, lock_test.py knows. */
#include "locks.h"

#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <tocsin.h>

TOC_MODULE(ledger, "Locks that are taken in every order.");

enum { rounds = 10, crowd = 1000, flood = 3000 };

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
                       c = PTHREAD_MUTEX_INITIALIZER, gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t one, two, three; /* made at one place */

/* Takes the second while it holds the first, and gives both back. */
static void both(pthread_mutex_t *first, pthread_mutex_t *second)
{
        locks_lock(first);
        locks_lock(second);
        locks_unlock(second);
        locks_unlock(first);
}

#define TAKES(name, first, second)                                                         \
        static LOCKS_SITE void name(void)                                                  \
        {                                                                                  \
                for (int i = 0; i < rounds; i++) {                                         \
                        if (pthread_mutex_lock(&(first)) || pthread_mutex_lock(&(second))) \
                                exit(9);                                                   \
                        locks_unlock(&(second));                                           \
                        locks_unlock(&(first));                                            \
                }                                                                          \
        }
TAKES(take_ab, a, b)
TAKES(take_ba, b, a)
TAKES(take_bc, b, c)
TAKES(take_ca, c, a)
TAKES(take_one_two, one, two)
TAKES(take_two_one, two, one)
TAKES(take_two_three, two, three)
TAKES(take_three_one, three, one)

/* Before there is a second thread, nothing counts. */
static void nothing(void)
{
}

static void abba(void)
{
        for (int i = 0; i < 3; i++) {
                locks_do(take_ab);
                locks_do(take_ba);
        }
        LOCKS_SAY(a);
        LOCKS_SAY(b);
}

static void abab(void)
{
        locks_do(take_ab);
        locks_do(take_ab);
}

static void three_way(void)
{
        locks_do(take_ab);
        locks_do(take_bc);
        locks_do(take_ca);
        locks_do(take_ab);
}

static void two_circles(void)
{
        three_way();
        locks_do(take_ba);
}

static void gated_ab(void)
{
        locks_lock(&gate);
        take_ab();
        locks_unlock(&gate);
}

static void gated_ba(void)
{
        locks_lock(&gate);
        take_ba();
        locks_unlock(&gate);
}

static void gated(void)
{
        locks_do(gated_ab);
        locks_do(gated_ba);
}

static void gated_not_always(void)
{
        gated();
        locks_do(take_ba);
}

static pthread_rwlock_t open_gate = PTHREAD_RWLOCK_INITIALIZER;

static void read_gated_ab(void)
{
        if (pthread_rwlock_rdlock(&open_gate))
                exit(9);
        take_ab();
        (void)pthread_rwlock_unlock(&open_gate); /* it was taken */
}

static void read_gated_ba(void)
{
        if (pthread_rwlock_rdlock(&open_gate))
                exit(9);
        take_ba();
        (void)pthread_rwlock_unlock(&open_gate); /* it was taken */
}

static void gated_by_readers(void)
{
        locks_do(read_gated_ab);
        locks_do(read_gated_ba);
}

static void both_ways(void)
{
        take_ab();
        take_ba();
        take_ab();
}

static void one_thread(void)
{
        locks_do(both_ways);
}

static void one_thread_then_another(void)
{
        locks_do(both_ways);
        locks_do(take_ab);
}

static void before_threads(void)
{
        take_ba();
        locks_do(take_ab);
}

/* ---- Places and instances ---------------------------------------------------------------*/

static void one_then_a(void)
{
        both(&one, &a);
}

static void a_then_two(void)
{
        both(&a, &two);
}

static void class_by_place(void)
{
        locks_make(&one);
        locks_make(&two);
        locks_do(one_then_a);
        locks_do(a_then_two);
}

static void instances(void)
{
        locks_make(&one);
        locks_make(&two);
        locks_do(take_one_two);
        locks_do(take_two_one);
        locks_do(take_one_two);
}

static void instances_in_order(void)
{
        locks_make(&one);
        locks_make(&two);
        locks_make(&three);
        locks_do(take_one_two);
        locks_do(take_two_three);
        locks_do(take_one_two);
}

static void philosophers(void)
{
        locks_make(&one);
        locks_make(&two);
        locks_make(&three);
        locks_do(take_one_two);
        locks_do(take_two_three);
        locks_do(take_three_one);
}

static void gated_one_two(void)
{
        locks_lock(&gate);
        take_one_two();
        locks_unlock(&gate);
}

static void gated_two_one(void)
{
        locks_lock(&gate);
        take_two_one();
        locks_unlock(&gate);
}

static void gated_instances(void)
{
        locks_make(&one);
        locks_make(&two);
        locks_do(gated_one_two);
        locks_do(gated_two_one);
}

static void renew(pthread_mutex_t *lock)
{
        if (pthread_mutex_destroy(lock))
                exit(9);
        locks_make(lock);
}

static void instances_renewed(void)
{
        locks_make(&one);
        locks_make(&two);
        locks_do(take_one_two);
        renew(&one);
        renew(&two);
        locks_do(take_two_one);
}

static void instances_forgotten(void)
{
        locks_make(&one);
        locks_make(&two);
        locks_do(take_one_two);
        locks_make(&one); /* nobody said that the old one is gone */
        locks_do(take_two_one);
}

static void a_then_one(void)
{
        both(&a, &one);
}

static void other_place(void)
{
        locks_make(&one);
        locks_do(one_then_a);
        if (pthread_mutex_destroy(&one) || pthread_mutex_init(&one, NULL))
                exit(9);
        locks_do(a_then_one);
}

/* The thread has known the order of the two addresses. */
static void one_then_a_remade(void)
{
        one_then_a();
        if (pthread_mutex_destroy(&one) || pthread_mutex_init(&one, NULL))
                exit(9);
        one_then_a();
}

static void remade(void)
{
        locks_make(&one);
        locks_do(one_then_a_remade);
        locks_do(a_then_one);
}

/* As a std::mutex does it: it begins and ends without a word. */
static pthread_mutex_t *fleeting[2];

static void take_fleeting(void)
{
        both(fleeting[0], fleeting[1]);
}

static void take_fleeting_back(void)
{
        both(fleeting[1], fleeting[0]);
}

static void not_initialised(void)
{
        static const pthread_mutex_t initial = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_t *memory = malloc(2 * sizeof *memory);

        if (!memory)
                exit(9);
        memory[0] = memory[1] = initial;
        fleeting[0] = &memory[0];
        fleeting[1] = &memory[1];
        locks_do(take_fleeting);
        memory[0] = memory[1] = initial; /* others, by now */
        locks_do(take_fleeting_back);
}

static void many(void)
{
        static pthread_mutex_t some[flood];

        locks_do(nothing);
        for (int i = 0; i < flood; i++) {
                if (i < crowd)
                        locks_make(&some[i]);
                both(&gate, &some[i]);
                if (i > 0)
                        both(&some[i - 1], &some[i]);
        }
}

/* ---- Ways of taking -----------------------------------------------------------------------*/

static void try_both(pthread_mutex_t *first, pthread_mutex_t *second)
{
        locks_lock(first);
        if (pthread_mutex_trylock(second))
                exit(9);
        locks_unlock(second);
        locks_unlock(first);
}

static void try_ab(void)
{
        try_both(&a, &b);
}

static void try_ba(void)
{
        try_both(&b, &a);
}

static void tried(void)
{
        locks_do(try_ab);
        locks_do(try_ba);
        locks_do(take_ab);
}

static void tried_a_then_b(void)
{
        if (pthread_mutex_trylock(&a))
                exit(9);
        locks_lock(&b);
        locks_unlock(&b);
        locks_unlock(&a);
}

static void from_tried(void)
{
        locks_do(tried_a_then_b);
        locks_do(take_ba);
}

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

static void read_then_a(void)
{
        if (pthread_rwlock_rdlock(&table))
                exit(9);
        locks_lock(&a);
        locks_unlock(&a);
        if (pthread_rwlock_unlock(&table))
                exit(9);
}

static void a_then_write(void)
{
        locks_lock(&a);
        if (pthread_rwlock_wrlock(&table) || pthread_rwlock_unlock(&table))
                exit(9);
        locks_unlock(&a);
}

static void readers_and_writers(void)
{
        locks_do(read_then_a);
        locks_do(a_then_write);
}

static void read_again(void)
{
        if (pthread_rwlock_rdlock(&table) || pthread_rwlock_rdlock(&table) ||
            pthread_rwlock_unlock(&table) || pthread_rwlock_unlock(&table))
                exit(9);
}

static void reads_again(void)
{
        locks_do(read_again);
        locks_do(read_again);
}

static pthread_spinlock_t left, right;

static void spin_left_right(void)
{
        if (pthread_spin_lock(&left) || pthread_spin_lock(&right) || pthread_spin_unlock(&right) ||
            pthread_spin_unlock(&left))
                exit(9);
}

static void spin_right_left(void)
{
        if (pthread_spin_lock(&right) || pthread_spin_lock(&left) || pthread_spin_unlock(&left) ||
            pthread_spin_unlock(&right))
                exit(9);
}

static void spins(void)
{
        if (pthread_spin_init(&left, 0) || pthread_spin_init(&right, 0))
                exit(9);
        locks_do(spin_left_right);
        locks_do(spin_right_left);
}

static mtx_t here, there;

static void c11_here_there(void)
{
        if (mtx_lock(&here) || mtx_lock(&there) || mtx_unlock(&there) || mtx_unlock(&here))
                exit(9);
}

static void c11_there_here(void)
{
        if (mtx_lock(&there) || mtx_lock(&here) || mtx_unlock(&here) || mtx_unlock(&there))
                exit(9);
}

static void c11(void)
{
        if (mtx_init(&here, mtx_plain) || mtx_init(&there, mtx_plain))
                exit(9);
        locks_do(c11_here_there);
        locks_do(c11_there_here);
}

static void any_ba(void)
{
        TOC_ANY_ORDER("b is taken by one thread only, which the test knows");
        take_ba();
}

static void any_order(void)
{
        locks_do(take_ab);
        locks_do(any_ba);
}

/* The mutex is given back and taken again while b is held. */
static void wait_with_b(void)
{
        static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
        static const struct timespec past = { 1, 0 };

        locks_lock(&a);
        locks_lock(&b);
        (void)pthread_cond_timedwait(&condition, &a, &past); /* it is late */
        locks_unlock(&b);
        locks_unlock(&a);
}

static void taken_after_waiting(void)
{
        locks_do(wait_with_b);
        locks_do(take_ab);
}

#define ROW(name)           \
        {                   \
#name, name \
        }
const struct locks_scenario locks_order[] = {
        ROW(abba),
        ROW(abab),
        ROW(three_way),
        ROW(two_circles),
        ROW(gated),
        ROW(gated_not_always),
        ROW(gated_by_readers),
        ROW(one_thread),
        ROW(one_thread_then_another),
        ROW(before_threads),
        ROW(class_by_place),
        ROW(instances),
        ROW(instances_in_order),
        ROW(philosophers),
        ROW(gated_instances),
        ROW(instances_renewed),
        ROW(instances_forgotten),
        ROW(other_place),
        ROW(remade),
        ROW(not_initialised),
        ROW(many),
        ROW(tried),
        ROW(from_tried),
        ROW(readers_and_writers),
        ROW(reads_again),
        ROW(spins),
        ROW(c11),
        ROW(any_order),
        ROW(taken_after_waiting),
        { 0 },
};
