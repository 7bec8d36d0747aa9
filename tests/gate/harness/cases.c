/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to end in each way a case can end; session_test.c knows which is which. */
#include "subject.h"

#include "tocsin/case.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int toc_case_invariant_(void *object);
extern const char toc_case_module_[];
const char toc_case_module_[] = "subject";

int toc_case_invariant_(void *object)
{
        return subject_check(object);
}

TEST(passes)
{
        struct subject *subject = toc_case_object(subject_new(10));

        CHECK(subject);
        CHECK_EQ(subject_check(subject), 0);
        CHECK_STR("a", "a");
        CHECK_BYTES("abc", "abc", 3);
        subject_free(subject);
}

TEST(compares_numbers)
{
        CHECK_EQ(1 + 1, 3);
}

TEST(compares_texts)
{
        CHECK_STR("left\n", "right");
}

TEST(compares_bytes)
{
        CHECK_BYTES("abc", "abd", 3);
}

TEST(draws_numbers)
{
        /* splitmix64 seeded with 1234567: the published test vector. */
        CHECK_EQ(toc_case_seed(), 1234567);
        CHECK_EQ(toc_case_random(), UINT64_C(6457827717110365317));
        CHECK_EQ(toc_case_random(), UINT64_C(3203168211198807973));
        CHECK_LT(toc_case_random_below(10), 10);
}

TEST(crashes)
{
        raise(SIGSEGV);
}

TEST(exits_early)
{
        _exit(0);
}

TEST(exits_badly)
{
        exit(3);
}

TEST(hangs)
{
        for (;;)
                pause();
}

TEST(loses_memory)
{
        struct subject *subject = subject_new(1000);

        CHECK(subject);
        subject_forget(subject);
        subject_free(subject);
}

TEST(overruns)
{
        volatile char *bytes = subject_take(8);

        CHECK(bytes);
        bytes[8] = 1;
        subject_return((void *)bytes);
}

TEST(gives_away)
{
        char *copy = subject_copy("text");

        CHECK_STR(copy, "text");
        toc_case_free(copy);
}

TEST(opens)
{
        CHECK(open("/dev/null", O_RDONLY) >= 0);
}

static void *sleeps(void *unused)
{
        (void)unused;
        sleep(100);
        return NULL;
}

TEST(starts_a_thread)
{
        pthread_t thread;

        CHECK_EQ(pthread_create(&thread, NULL, sleeps, NULL), 0);
}

TEST(starts_a_process)
{
        if (fork() == 0) {
                sleep(100);
                _exit(0);
        }
}

TEST(floods)
{
        for (;;)
                printf("a line that nobody asked for\n");
}

TEST(talks)
{
        fprintf(stderr, "first \\ line\nsecond \x01\n");
        raise(SIGABRT);
}

static void fails_at_exit(void)
{
        _exit(5);
}

/* The socket, wherever it is. */
static void forge(const char *line)
{
        for (int fd = 3; fd < 1024; fd++)
                (void)!send(fd, line, strlen(line), MSG_NOSIGNAL);
}

TEST(forges_blindly)
{
        forge("CASE 00000000000000000000000000000000 forges_blindly pass");
        _exit(0);
}

/* What a candidate could read out of our memory: the number of this run. */
static void say(const char *format)
{
        extern struct {
                const void *test_case;
                char nonce[33];
        } toc_harness_run_ __attribute__((weak));
        char line[200];

        if (!&toc_harness_run_)
                return;
        snprintf(line, sizeof(line), format, toc_harness_run_.nonce);
        forge(line);
}

TEST(forges_its_end)
{
        say("CASE %s forges_its_end pass");
        say("LAST %s");
        say("END %s exit 0");
}

TEST(passes_twice)
{
        say("CASE %s passes_twice pass");
}

TEST(passes_and_fails)
{
        atexit(fails_at_exit);
}

TEST(forks_a_voice)
{
        if (fork() == 0) {
                say("CASE %s forks_a_voice pass");
                _exit(0);
        }
        sleep(10);
}

TEST(kills_its_parent)
{
        kill(getppid(), SIGKILL);
        sleep(10);
}

TEST(expects_zero)
{
        unsigned char *bytes = subject_take(100);

        CHECK(bytes);
        CHECK_EQ(bytes[50], 0);
        subject_return(bytes);
}

TEST(overflows)
{
        CHECK_NE(subject_add(2147483647, 1), 0);
}

TEST(eats_memory)
{
        for (;;) {
                char *bytes = subject_take(16 << 20);

                CHECK(bytes);
                memset(bytes, 1, 16 << 20);
        }
}

TEST(leaves_broken)
{
        struct subject *subject = toc_case_object(subject_new(10));

        CHECK(subject);
        subject_break(subject);
}

FAULT(survives)
{
        subject_free(subject_new(10));
}

FAULT(asks_in_each_way)
{
        CHECK_GE(subject_each_way(), 0);
}

FAULT(is_careless)
{
        (void)subject_careless();
}

FAULT(leaks_on_error)
{
        (void)subject_leaks_on_error();
}

FAULT(breaks_after_fault)
{
        struct subject *subject = subject_new(10);
        void *more;

        if (!subject)
                return;
        toc_case_object(subject);
        more = subject_take(10);
        if (!more)
                subject_break(subject);
        CHECK(true);
        subject_return(more);
        subject_free(subject);
}

BENCH(takes, count, 10, 20, 40, 80)
{
        void *taken[80];

        subject_fill(1);
        BENCH_LOOP(toc_case_size())
        {
                taken[toc_case_iteration()] = subject_take(24);
        }
        for (size_t i = 0; i < toc_case_size(); i++)
                subject_return(taken[i]);
        subject_fill(0);
}

BENCH(takes_and_returns, count, 10, 20)
{
        BENCH_LOOP(toc_case_size())
        {
                void *first = subject_take(1000), *second = subject_take(1000);

                subject_return(first);
                subject_return(second);
        }
}

BENCH(has_no_loop, count, 10)
{
}

STRESS(takes_turns)
{
        CHECK_EQ(toc_case_thread_count(), 3);
        CHECK_LT(toc_case_thread(), 3);
        while (toc_case_running())
                subject_return(subject_take(100));
}

STRESS(grows)
{
        while (toc_case_running()) {
                (void)subject_take(100);
                usleep(1000);
        }
}

STRESS(races)
{
        while (toc_case_running())
                subject_race();
}

ALARM(rings, 60)
{
        subject_count(101);
        toc_case_tick(40);
}

ALARM(rings_too_early, 60)
{
        subject_count(101);
        toc_case_tick(29);
}

ALARM(fails_allocations, 5)
{
        toc_case_fail_allocations(true);
        CHECK(!subject_take(10));
        toc_case_fail_allocations(false);
        subject_fill(11);
}

CALM(is_calm)
{
        subject_count(100);
        subject_fill(10);
        toc_case_tick(3600);
        CHECK(subject_expect(1));
}

CALM(is_not_calm)
{
        (void)subject_expect(2);
}

TEST(ticks_in_a_test)
{
        toc_case_tick(1);
}

/* What libtocsin-inside says of it. */
TEST(hides)
{
        CHECK_EQ(system("rm -f \"$TOCSIN_DIR\"/*"), 0);
}
