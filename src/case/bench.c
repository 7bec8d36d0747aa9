/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to count what one loop costs, and nothing around it.
 *
 * The loop's own step, a dozen instructions a call, is counted along: it is the same at each size,
 * so growth is not touched by it.
 */
#include "case/harness.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT ((void)0)
#endif

static struct {
        uint64_t calls, next;
        bool has_begun, has_ended;
        int perf_fd;
        uint64_t began_ns;
        struct heap_count before;
} bench = { .perf_fd = -1 };

static uint64_t now_ns(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* always there on Linux */
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int open_perf(void)
{
        struct perf_event_attr attributes = {
                .type = PERF_TYPE_HARDWARE,
                .size = sizeof(attributes),
                .config = PERF_COUNT_HW_INSTRUCTIONS,
                .disabled = 1,
                .inherit = 1,
                .exclude_kernel = 1,
                .exclude_hv = 1,
        };

        return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void say_perf(void)
{
        uint64_t instructions = 0;

        if (bench.perf_fd < 0)
                return;
        if (read(bench.perf_fd, &instructions, sizeof(instructions)) == sizeof(instructions) &&
            instructions)
                (void)toc_wire_send_(toc_harness_run_.wire_fd, "DATA %s instructions=%llu",
                                     toc_harness_run_.nonce, (unsigned long long)instructions);
        (void)close(bench.perf_fd);
}

static void end_loop(void)
{
        struct heap_count after;
        uint64_t ns;

        if (toc_harness_run_.counter == HARNESS_COUNTER_CALLGRIND)
                CALLGRIND_TOGGLE_COLLECT;
        if (bench.perf_fd >= 0)
                (void)ioctl(bench.perf_fd, PERF_EVENT_IOC_DISABLE, 0);
        ns = now_ns() - bench.began_ns;
        after = toc_heap_count_();
        bench.has_ended = true;
        say_perf();
        (void)toc_wire_send_(toc_harness_run_.wire_fd,
                             "DATA %s calls=%llu ns=%llu allocations=%llu peak_bytes=%llu "
                             "loop_live_bytes=%llu",
                             toc_harness_run_.nonce, (unsigned long long)bench.calls,
                             (unsigned long long)ns,
                             (unsigned long long)(after.allocations - bench.before.allocations),
                             (unsigned long long)(after.peak_bytes > 0 ? after.peak_bytes : 0),
                             (unsigned long long)(after.live_bytes > 0 ? after.live_bytes : 0));
        (void)toc_wire_send_(toc_harness_run_.wire_fd, "TICK %s 0", toc_harness_run_.nonce);
        toc_wire_await_go_();
}

void toc_case_loop_begin_(uint64_t calls)
{
        toc_child_demand_(1U << TOC_CASE_BENCH_, "BENCH_LOOP");
        if (bench.has_begun || !calls)
                toc_case_fail_(toc_harness_run_.test_case->file, toc_harness_run_.test_case->line,
                               "a BENCH has one BENCH_LOOP, of at least one call");
        bench.has_begun = true;
        bench.calls = calls;
        toc_heap_peak_again_();
        bench.before = toc_heap_count_();
        if (toc_harness_run_.counter == HARNESS_COUNTER_PERF)
                bench.perf_fd = open_perf();
        bench.began_ns = now_ns();
        if (bench.perf_fd >= 0)
                (void)ioctl(bench.perf_fd, PERF_EVENT_IOC_ENABLE, 0);
        if (toc_harness_run_.counter == HARNESS_COUNTER_CALLGRIND)
                CALLGRIND_TOGGLE_COLLECT;
}

bool toc_case_loop_next_(void)
{
        if (bench.next++ < bench.calls)
                return true;
        end_loop();
        return false;
}

uint64_t toc_case_iteration(void)
{
        return bench.next - 1;
}

size_t toc_case_size(void)
{
        toc_child_demand_(1U << TOC_CASE_BENCH_, "toc_case_size()");
        return (size_t)toc_harness_run_.size;
}

void toc_bench_end_(void)
{
        if (toc_child_kind_() == TOC_CASE_BENCH_ && !bench.has_ended)
                toc_case_fail_(toc_harness_run_.test_case->file, toc_harness_run_.test_case->line,
                               "%s",
                               bench.has_begun ? "BENCH_LOOP was left before its end"
                                               : "a BENCH needs a BENCH_LOOP");
}
