/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to take one case from its fork to its end, and to say what it left behind. */
#include "case/harness.h"
#include "case/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tocsin.h"

enum { settle_rounds = 100, settle_us = 2000, tick_max_s = 86400 };

struct harness_run toc_harness_run_;

/* A candidate without probes brings neither; TSan has a thread of its own. */
extern struct toc_dso_ toc_dso_ __attribute__((weak, visibility("hidden")));
extern int64_t toc_attach_shared_(struct toc_dso_ *dso) __attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));
extern const struct toc_inside_ *toc_inside_(void) __attribute__((weak));

/* What lives, says ASan's allocator; and what the leak checker asks whoever defines it. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
static size_t allocated_before;

static __thread uint64_t random_state;
static __thread unsigned thread_index;
static __thread bool is_own_thread;
static uint64_t ticked_s;

uint32_t toc_child_kind_(void)
{
        return toc_harness_run_.test_case->kind;
}

void toc_child_demand_(unsigned kinds, const char *function)
{
        if (!(kinds & 1U << toc_child_kind_()))
                toc_case_fail_(toc_harness_run_.test_case->file, toc_harness_run_.test_case->line,
                               "%s is not for a case of this kind; see tocsin/case.h", function);
}

void toc_child_begin_thread_(unsigned index)
{
        thread_index = index;
        is_own_thread = true;
        random_state = toc_harness_run_.seed + index * UINT64_C(0x632be59bd9b4e019);
}

void toc_case_holds_(void)
{
        if (is_own_thread)
                toc_invariant_after_fault_();
}

/* ---- What a case may ask -------------------------------------------------- */

uint64_t toc_case_seed(void)
{
        return toc_harness_run_.seed;
}

uint64_t toc_case_random(void) /* splitmix64, by Sebastiano Vigna, public domain */
{
        uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        return z ^ z >> 31;
}

uint64_t toc_case_random_below(uint64_t end)
{
        if (!end)
                toc_case_fail_(toc_harness_run_.test_case->file, toc_harness_run_.test_case->line,
                               "toc_case_random_below(0): there is no such number");
        return toc_case_random() % end; /* the bias is end / 2^64 */
}

unsigned toc_case_thread(void)
{
        toc_child_demand_(1U << TOC_CASE_STRESS_, "toc_case_thread()");
        return thread_index;
}

unsigned toc_case_thread_count(void)
{
        toc_child_demand_(1U << TOC_CASE_STRESS_, "toc_case_thread_count()");
        return toc_harness_run_.threads ? (unsigned)toc_harness_run_.threads : 1;
}

void toc_case_tick(unsigned seconds)
{
        toc_child_demand_(1U << TOC_CASE_ALARM_ | 1U << TOC_CASE_CALM_, "toc_case_tick()");
        ticked_s += seconds;
        if (ticked_s > tick_max_s)
                toc_case_fail_(toc_harness_run_.test_case->file, toc_harness_run_.test_case->line,
                               "toc_case_tick(): more than %d seconds in one case", tick_max_s);
        (void)toc_wire_send_(toc_harness_run_.wire_fd, "TICK %s %u", toc_harness_run_.nonce,
                             seconds);
        toc_wire_await_go_();
}

void toc_case_fail_allocations(bool fails)
{
        toc_child_demand_(1U << TOC_CASE_ALARM_, "toc_case_fail_allocations()");
        toc_heap_fail_all_(fails);
}

/* ---- Life ----------------------------------------------------------------- */

/* A number that the seed chooses, so that it is not a constant of anybody's program. */
static void move_wire(void)
{
        int moved = fcntl(WIRE_FD, F_DUPFD_CLOEXEC, 100 + (int)(toc_harness_run_.seed % 400));

        if (moved < 0)
                moved = fcntl(WIRE_FD, F_DUPFD_CLOEXEC, 10);
        if (moved < 0)
                _exit(2);
        (void)close(WIRE_FD);
        toc_harness_run_.wire_fd = moved;
}

/* A thread that was joined, or is about to end, is still listed for a moment. */
static void say_left(const struct stress_left *before, int64_t live_before)
{
        struct stress_left after = toc_stress_look_();
        uint64_t threads_before = before->threads + (__tsan_init != NULL);
        int64_t live = toc_heap_count_().live_bytes - live_before;

        for (int i = 0; i < settle_rounds && after.threads > threads_before; i++) {
                (void)usleep(settle_us);
                after = toc_stress_look_();
        }
        (void)toc_wire_send_(
                toc_harness_run_.wire_fd, "DATA %s descriptors=%llu threads=%llu live_bytes=%llu",
                toc_harness_run_.nonce,
                (unsigned long long)(after.descriptors > before->descriptors
                                             ? after.descriptors - before->descriptors
                                             : 0),
                (unsigned long long)(after.threads > threads_before ? after.threads - threads_before
                                                                    : 0),
                (unsigned long long)(live > 0 ? live : 0));
}

/* It reads all memory that could hold a pointer, most of which is the sanitizer's own: 30 ms, of
 * which a gate has hundreds. Where no byte more lives than before the case, nothing is lost; but
 * for blocks of a constructor that a case frees to hide others, which could as well be kept. */
int __lsan_is_turned_off(void)
{
        return allocated_before && __sanitizer_get_current_allocated_bytes() <= allocated_before;
}

static void say_counts(void)
{
        struct heap_count count = toc_heap_count_();

        if (toc_child_kind_() == TOC_CASE_BENCH_)
                return; /* the loop's were said when it ended */
        (void)toc_wire_send_(toc_harness_run_.wire_fd, "DATA %s allocations=%llu fired=%llu",
                             toc_harness_run_.nonce, (unsigned long long)count.allocations,
                             (unsigned long long)count.fired);
}

_Noreturn void toc_child_run_(void)
{
        struct harness_run *run = &toc_harness_run_;
        struct stress_left before;
        int64_t live_before;

        move_wire();
        (void)toc_wire_send_(run->wire_fd, "BEGUN %s %d", run->nonce, (int)getpid());
        toc_child_begin_thread_(0);
        /* What the probes need once is not the case's. */
        if (&toc_dso_ && toc_attach_shared_)
                (void)toc_attach_shared_(&toc_dso_);
        if (toc_inside_) /* so that it is seen from the first call on */
                (void)toc_inside_();
        before = toc_stress_look_();
        live_before = toc_heap_count_().live_bytes;
        if (__sanitizer_get_current_allocated_bytes)
                allocated_before = __sanitizer_get_current_allocated_bytes();
        toc_heap_arm_();
        if (toc_child_kind_() == TOC_CASE_STRESS_)
                toc_stress_run_();
        else
                run->test_case->run();
        toc_case_check_invariant();
        toc_heap_disarm_();
        toc_bench_end_();
        say_counts();
        say_left(&before, live_before);
        (void)toc_wire_send_(run->wire_fd, "CASE %s %s pass", run->nonce, run->test_case->name);
        (void)toc_wire_send_(run->wire_fd, "LAST %s", run->nonce);
        toc_wire_await_go_();
        (void)close(run->wire_fd);
        exit(0); /* so that leak checkers look */
}
