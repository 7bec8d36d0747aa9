/* SPDX-License-Identifier: Apache-2.0 */
/* crowd.c - one process of many, for watch_bench.c: fifty probes of all kinds with a rule each,
 * used by several threads. None of the rules rings while nobody stops the process.
 *
 * usage: crowd THREADS. Ends with its parent. */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <tocsin.h>

enum { thread_max = 64, pause_ns = 200000000 };

TOC_MODULE(crowd, "One of many processes that are watched");

#define RULE(signal) TOC_ALERT(signal, >, 1000000000, TOC_NOTE, "exists to be judged")
#define COUNTER(n)   TOC_COUNTER(per_second_##n, "Counts all the time", RULE(per_second));
#define MINUTE(n)    TOC_COUNTER(per_minute_##n, "Counts all the time", RULE(per_minute));
#define HOUR(n)      TOC_COUNTER(per_hour_##n, "Counts all the time", RULE(per_hour));
#define GAUGE(n)     TOC_GAUGE(gauge_##n, "Is set all the time", RULE(value));
#define GROWTH(n)    TOC_GAUGE(growing_##n, "Is set all the time", RULE(growth));
#define LEVEL(n)     TOC_LEVEL(level_##n, "Raised and lowered", RULE(value));
#define TIMER(n)     TOC_TIMER(timer_##n, "Observes all the time", RULE(p99_us));
#define SIZES(n)     TOC_SIZES(sizes_##n, "Observes all the time", RULE(p999));
#define SHARE(n)     TOC_SHARE(share_##n, "Fails now and then", RULE(permille));
#define BURN(n)                                                                 \
        TOC_SHARE(burn_##n, "Fails now and then",                               \
                  TOC_ALERT(burn_fast, >, 900, TOC_NOTE, "exists to be judged", \
                            .objective_permille = 999));
#define HEARTBEAT(n) TOC_HEARTBEAT(heart_##n, "Beats all the time", RULE(silent_ms));
#define OPERATION(n) TOC_OPERATION(operation_##n, "Begins and ends", RULE(oldest_ms));
#define FLOW(n)      TOC_FLOW(flow_##n, "In and out", RULE(lost));

#define FOUR(what) what(1) what(2) what(3) what(4)

FOUR(COUNTER)
FOUR(MINUTE)
FOUR(HOUR)
FOUR(GAUGE)
FOUR(LEVEL)
FOUR(TIMER)
FOUR(SHARE)
FOUR(HEARTBEAT)
FOUR(OPERATION)
FOUR(FLOW)
GROWTH(1)
GROWTH(2)
SIZES(1)
SIZES(2)
BURN(1)
BURN(2)

static void use_counters(uint64_t turn)
{
#define USE(n) \
        toc_count(per_second_##n), toc_count(per_minute_##n), toc_add(per_hour_##n, turn % 9);
        FOUR(USE)
#undef USE
#define USE(n)                                                      \
        toc_raise(level_##n, 1), toc_set(gauge_##n, (int64_t)turn); \
        toc_beat(heart_##n), toc_lower(level_##n, 1);
        FOUR(USE)
#undef USE
        toc_set(growing_1, (int64_t)turn);
        toc_set(growing_2, (int64_t)turn);
}

static void use_others(uint64_t turn)
{
        int64_t value = (int64_t)(turn * UINT64_C(2654435761) % 50000000);

#define USE(n)                                        \
        {                                             \
                TOC_OPERATION_SCOPE(operation_##n);   \
                toc_in(flow_##n, 1);                  \
                toc_observe(timer_##n, value);        \
                toc_share(share_##n, turn % 64 == n); \
                toc_out(flow_##n, 1);                 \
        }
        FOUR(USE)
#undef USE
        toc_observe(sizes_1, value);
        toc_observe(sizes_2, value);
        toc_share(burn_1, turn % 99 == 0);
        toc_share(burn_2, turn % 99 == 1);
        (void)TOC_EXPECT(value >= 0, TOC_NOTE, "exists to be judged");
        (void)TOC_EXPECT_CMP(value, <, 50000000, TOC_NOTE, "exists to be judged");
        TOC_REACHED(TOC_NOTE, "exists to be judged");
        if (turn % 1000 == 999)
                (void)TOC_ERROR(-1, RULE(per_minute), "turn %d is one of those", (int)turn);
}

static void *use(void *unused)
{
        const struct timespec pause = { .tv_nsec = pause_ns };

        (void)unused;
        for (uint64_t turn = 0;; turn++) {
                use_counters(turn);
                use_others(turn);
                if (turn % 16 == 0)
                        (void)nanosleep(&pause, NULL); /* early is as good */
        }
        return NULL;
}

int main(int argc, char **argv)
{
        int threads = argc == 2 ? atoi(argv[1]) : 0;
        pthread_t thread;

        if (threads < 1 || threads > thread_max || prctl(PR_SET_PDEATHSIG, SIGKILL))
                return 2;
        for (int i = 1; i < threads; i++)
                if (pthread_create(&thread, NULL, use, NULL))
                        return 3;
        (void)use(NULL); /* does not return */
        return 0;
}
