/* SPDX-License-Identifier: Apache-2.0 */
/* fault_bank.c - locks that block each other, could do so, or are held for too long. */
#include "faults.h"

#include <errno.h>
#include <stdlib.h>

#include <tocsin.h>

TOC_MODULE(bank, "Accounts with a lock each");

static pthread_mutex_t checking = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t savings = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t credit = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void lock(pthread_mutex_t *mutex)
{
        if (pthread_mutex_lock(mutex))
                exit(9);
}

static void unlock(pthread_mutex_t *mutex)
{
        if (pthread_mutex_unlock(mutex))
                exit(9);
}

/* Each is a function of its own: names must be told. Between two locks there is time to meet. */
#define TRANSFER(name, first, second)      \
        static FAULTS_SITE void name(void) \
        {                                  \
                TOC_ENTER(bank);           \
                                           \
                lock(&(first));            \
                faults_pause_ms(100);      \
                lock(&(second));           \
                unlock(&(second));         \
                unlock(&(first));          \
        }
TRANSFER(transfer_save, checking, savings)
TRANSFER(transfer_spend, savings, checking)
TRANSFER(transfer_borrow, savings, credit)
TRANSFER(transfer_repay, credit, checking)
TRANSFER(transfer_charge, checking, credit)

/* One lock at a time, as everybody does before it goes wrong. */
static FAULTS_SITE void deposit(pthread_mutex_t *account)
{
        TOC_ENTER(bank);

        lock(account);
        unlock(account);
}

static void deposit_until_begun(void)
{
        while (!faults_has_begun()) {
                deposit(&checking);
                deposit(&savings);
                deposit(&credit);
                faults_pause_ms(5);
        }
}

static void *work_once(void *argument)
{
        void (*const *transfer)(void) = argument;

        deposit_until_begun();
        (*transfer)();
        return NULL;
}

static void *work_always(void *argument)
{
        void (*const *transfer)(void) = argument;

        for (;;) {
                (*transfer)();
                faults_pause_ms(
                        300); /* nobody shall wait for ever only because others are quicker */
        }
        return NULL;
}

enum { worker_max = 3 };

static void join(pthread_t thread)
{
        if (pthread_join(thread, NULL))
                exit(9);
}

static void together(void *(*work)(void *), void (**transfers)(void), size_t count)
{
        pthread_t threads[worker_max];

        for (size_t i = 0; i < count; i++)
                threads[i] = faults_thread(work, &transfers[i]);
        for (size_t i = 0; i < count; i++)
                join(threads[i]);
}

static void one_after_another(void (**transfers)(void), size_t count)
{
        for (size_t i = 0; i < count; i++)
                join(faults_thread(work_once, &transfers[i]));
}

void deadlock_abba(void)
{
        static void (*transfers[])(void) = { transfer_save, transfer_spend };

        together(work_once, transfers, 2);
}

void deadlock_abba_not(void)
{
        static void (*transfers[])(void) = { transfer_save, transfer_save };

        together(work_always, transfers, 2);
}

void deadlock_three(void)
{
        static void (*transfers[])(void) = { transfer_save, transfer_borrow, transfer_repay };

        together(work_once, transfers, 3);
}

void deadlock_three_not(void)
{
        static void (*transfers[])(void) = { transfer_save, transfer_borrow, transfer_charge };

        together(work_always, transfers, 3);
}

static void *deposit_once(void *unused)
{
        (void)unused;
        deposit(&checking);
        return NULL;
}

static FAULTS_SITE void close_branch(bool unlocks_first)
{
        pthread_t clerk;
        TOC_ENTER(bank);

        lock(&checking);
        clerk = faults_thread(deposit_once, NULL);
        if (unlocks_first)
                unlock(&checking);
        join(clerk);
        if (!unlocks_first)
                unlock(&checking);
}

void deadlock_join(void)
{
        deposit_until_begun();
        close_branch(false);
}

void deadlock_join_not(void)
{
        for (;;) {
                close_branch(true);
                faults_pause_ms(1);
        }
}

static pthread_cond_t has_money = PTHREAD_COND_INITIALIZER;
static bool is_rich;

static FAULTS_SITE void *await_money(void *unused)
{
        TOC_ENTER(bank);

        lock(&savings);
        lock(&checking);
        while (!is_rich)
                if (pthread_cond_wait(&has_money, &checking))
                        exit(9);
        unlock(&checking);
        unlock(&savings);
        return unused;
}

static FAULTS_SITE void bring_money(bool unlocks_first)
{
        TOC_ENTER(bank);

        lock(&checking);
        is_rich = true;
        if (pthread_cond_signal(&has_money))
                exit(9);
        if (unlocks_first)
                unlock(&checking);
        lock(&savings);
        unlock(&savings);
        if (!unlocks_first)
                unlock(&checking);
}

static void wake(bool unlocks_first)
{
        pthread_t client = faults_thread(await_money, NULL);

        faults_begin();
        bring_money(unlocks_first);
        join(client);
}

void deadlock_woken(void)
{
        wake(false);
}

void deadlock_woken_not(void)
{
        wake(true);
}

void order_only(void)
{
        static void (*transfers[])(void) = { transfer_save, transfer_spend };

        one_after_another(transfers, 2);
}

void order_only_not(void)
{
        static void (*transfers[])(void) = { transfer_save, transfer_save };

        one_after_another(transfers, 2);
}

static void save_through_gate(void)
{
        lock(&gate);
        transfer_save();
        unlock(&gate);
}

static void spend_through_gate(void)
{
        lock(&gate);
        transfer_spend();
        unlock(&gate);
}

void order_gate(void)
{
        static void (*transfers[])(void) = { save_through_gate, spend_through_gate };

        together(work_once, transfers, 2);
}

/* ---- One lock ---------------------------------------------------------------------------*/

/* Not the same as deposit(): compilers make one function of two. */
static FAULTS_SITE void report_line(pthread_mutex_t *mutex)
{
        static unsigned lines;
        TOC_ENTER(bank);

        lock(mutex);
        lines++;
        unlock(mutex);
}

static FAULTS_SITE void report_all(pthread_mutex_t *mutex)
{
        TOC_ENTER(bank);

        lock(mutex);
        report_line(mutex);
        unlock(mutex);
}

void self_deadlock(void)
{
        deposit_until_begun();
        report_all(&checking);
}

void self_deadlock_not(void)
{
        static pthread_mutex_t recursive;
        pthread_mutexattr_t attributes;

        if (pthread_mutexattr_init(&attributes) ||
            pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE) ||
            pthread_mutex_init(&recursive, &attributes))
                exit(9);
        faults_begin();
        report_all(&recursive);
}

static FAULTS_SITE void audit(unsigned time_ms)
{
        TOC_ENTER(bank);

        lock(&checking);
        faults_pause_ms(time_ms);
        unlock(&checking);
        faults_pause_ms(20); /* or nobody else would ever get it */
}

static void *deposit_always(void *unused)
{
        for (;;) {
                deposit(&checking);
                faults_pause_ms(5);
        }
        return unused;
}

static void audit_among(unsigned time_ms, unsigned times)
{
        for (unsigned i = 0; i < 3; i++)
                (void)faults_thread(deposit_always, NULL);
        faults_begin();
        for (unsigned i = 0; i < times; i++)
                audit(time_ms);
}

void lock_held(void)
{
        audit_among(3000, 1);
}

void lock_held_not(void)
{
        audit_among(50, 100);
}

/* ---- A lock that nobody gives back ----------------------------------------------------- */

static pthread_mutex_t vault;

/* EOWNERDEAD: whoever had it has ended. */
static FAULTS_SITE void open_vault(void)
{
        TOC_ENTER(bank);
        int error = pthread_mutex_lock(&vault);

        if (error && (error != EOWNERDEAD || pthread_mutex_consistent(&vault)))
                exit(9);
}

static void *leave_open(void *unused)
{
        open_vault();
        return unused;
}

static void leave_vault(int robustness)
{
        pthread_mutexattr_t attributes;

        if (pthread_mutexattr_init(&attributes) ||
            pthread_mutexattr_setrobust(&attributes, robustness) ||
            pthread_mutex_init(&vault, &attributes))
                exit(9);
        faults_begin();
        if (pthread_join(faults_thread(leave_open, NULL), NULL))
                exit(9);
        open_vault();
        unlock(&vault);
}

void lock_left(void)
{
        leave_vault(PTHREAD_MUTEX_STALLED);
}

void lock_left_not(void)
{
        leave_vault(PTHREAD_MUTEX_ROBUST);
}

/* ---- One lock for all -------------------------------------------------------------------*/

static FAULTS_SITE void counter_serve(void)
{
        TOC_ENTER(bank);

        lock(&savings);
        faults_pause_ms(20);
        unlock(&savings);
}

/* idle_ms: away from the lock. Without it, whoever gives a lock back has it again before anybody
 * else is awake. */
static void *serve_always(void *idle_ms)
{
        faults_begin();
        for (;;) {
                counter_serve();
                faults_pause_ms((unsigned)(uintptr_t)idle_ms);
        }
        return NULL;
}

static void queue_up(unsigned threads, unsigned idle_ms)
{
        for (unsigned i = 0; i < threads; i++)
                (void)faults_thread(serve_always, (void *)(uintptr_t)idle_ms);
}

void convoy(void)
{
        queue_up(8, 1);
}

void convoy_not(void)
{
        queue_up(3, 30);
}
