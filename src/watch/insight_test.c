/* SPDX-License-Identifier: Apache-2.0 */
/* Analysers on pictures made by hand: numbers are computed beside them. */
#include "watch/blocked.h"
#include "watch/growth.h"
#include "watch/leak.h"
#include "watch/locks.h"
#include "watch/picture_fixture.h"
#include "watch/spin.h"

#include "base/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

static struct insight insight;
static struct locks locks;
static struct spin spin;
static struct growth growth;

static int begin(void **state)
{
        (void)state;
        memset(&insight, 0, sizeof(insight));
        memset(&locks, 0, sizeof(locks));
        memset(&spin, 0, sizeof(spin));
        memset(&growth, 0, sizeof(growth));
        if (picture_new(0, &picture))
                return -1;
        picture->module_count = 3;
        picture->at_ns = 1000 * CLOCK_S_NS;
        return 0;
}

static int end(void **state)
{
        (void)state;
        picture_free(&picture);
        return 0;
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void glance(uint64_t ms)
{
        picture->at_ns += ms * CLOCK_MS_NS;
        locks_glance(&locks, picture, &insight);
}

/* ---- Locks ---------------------------------------------------------------- */

static void a_circle_of_three_is_a_deadlock_of_three(void **state)
{
        struct picture_thread *threads[] = { thread(11, 1), thread(12, 1), thread(13, 2) };
        const uint64_t of[] = { LOCK_A, LOCK_B, LOCK_C };

        (void)state;
        for (int i = 0; i < 3; i++) {
                holds(threads[i], of[i], 1);
                waits(threads[i], of[(i + 1) % 3]);
        }
        glance(100);
        assert_int_equal(insight.value[1][INSIGHT_deadlock], 0); /* it may be a torn look */
        glance(100);
        glance(100);
        assert_int_equal(insight.value[1][INSIGHT_deadlock], 2);
        assert_int_equal(insight.value[2][INSIGHT_deadlock], 1);
        assert_int_equal(insight.value[1][INSIGHT_lock_wait_ms], 0); /* it is told once */
        threads[2]->wait_number = 2;
        glance(100);
        assert_int_equal(insight.value[1][INSIGHT_deadlock], 0);
}

static void a_circle_that_moves_is_none(void **state)
{
        struct picture_thread *left = thread(11, 1), *right = thread(12, 1);

        (void)state;
        holds(left, LOCK_A, 1);
        holds(right, LOCK_B, 1);
        for (uint64_t i = 0; i < 20; i++) {
                left->wait_number = right->wait_number = 2 * i;
                waits(left, LOCK_B);
                waits(right, LOCK_A);
                glance(100);
                assert_int_equal(insight.value[1][INSIGHT_deadlock], 0);
        }
}

static void who_waits_for_itself_is_stuck(void **state)
{
        struct picture_thread *alone = thread(11, 2);

        (void)state;
        holds(alone, LOCK_A, 1);
        waits(alone, LOCK_A);
        glance(100);
        glance(200);
        assert_int_equal(insight.value[2][INSIGHT_deadlock], 1);
}

static void a_condition_is_no_lock(void **state)
{
        struct picture_thread *idle = thread(11, 1);

        (void)state;
        waits(idle, LOCK_A);
        idle->wait_kind = INSIDE_CONDITION;
        glance(100);
        glance(60000);
        assert_int_equal(insight.value[1][INSIGHT_lock_wait_ms], 0);
        assert_int_equal(insight.value[1][INSIGHT_deadlock], 0);
}

/* The module that keeps it is blamed, and only for as long as one holding lasts. */
static void a_lock_that_is_kept_is_the_holders(void **state)
{
        struct picture_thread *holder = thread(11, 2), *waiter = thread(12, 1);

        (void)state;
        holds(holder, LOCK_A, 7);
        waits(waiter, LOCK_A);
        glance(100);
        for (int i = 0; i < 5; i++)
                glance(300);
        assert_int_equal(insight.value[2][INSIGHT_lock_wait_ms], 1500);
        assert_int_equal(insight.value[1][INSIGHT_lock_wait_ms], 0);
        holder->held[0].number = 8; /* given back and taken again */
        glance(100);
        assert_int_equal(insight.value[2][INSIGHT_lock_wait_ms], 0);
        holder->held_count = 0; /* nobody has it, and it waits all the same */
        glance(100);
        for (int i = 0; i < 5; i++)
                glance(400);
        assert_int_equal(insight.value[1][INSIGHT_lock_wait_ms], 2000);
}

/* The machine was suspended: nobody had the time to give anything back. */
static void a_machine_that_stood_still_kept_no_lock(void **state)
{
        struct picture_thread *holder = thread(11, 2), *waiter = thread(12, 1);

        (void)state;
        holds(holder, LOCK_A, 7);
        waits(waiter, LOCK_A);
        glance(100);
        glance(60000);
        assert_int_equal(insight.value[2][INSIGHT_lock_wait_ms], 0);
        glance(100);
        assert_int_equal(insight.value[2][INSIGHT_lock_wait_ms], 0);
}

static void a_convoy_is_the_fewest_of_a_second(void **state)
{
        (void)state;
        holds(thread(10, 1), LOCK_A, 1);
        for (uint32_t i = 0; i < 5; i++)
                waits(thread(20 + i, 1), LOCK_A);
        for (int i = 0; i < 9; i++)
                glance(100);
        assert_int_equal(insight.value[1][INSIGHT_lock_waiters], 0);
        glance(100);
        assert_int_equal(insight.value[1][INSIGHT_lock_waiters], 5);
        picture->threads[2].wait_number = picture->threads[3].wait_number = 2;
        glance(100);
        assert_int_equal(insight.value[1][INSIGHT_lock_waiters], 3);
}

/* ---- Spins ---------------------------------------------------------------- */

static void run_for(struct picture_thread *runner, uint64_t ms, uint64_t cpu_ms, uint64_t waited_ms)
{
        picture->at_ns += ms * CLOCK_MS_NS;
        runner->cpu_ns += cpu_ms * CLOCK_MS_NS;
        runner->waited_ns += waited_ms * CLOCK_MS_NS;
        spin_glance(&spin, picture, &insight);
}

static void a_module_that_never_comes_back_spins(void **state)
{
        struct picture_thread *runner = thread(11, 1);

        (void)state;
        runner->cpu_ns = 1;
        run_for(runner, 100, 0, 0);
        run_for(runner, 100, 100, 0);
        run_for(runner, 100, 50, 50); /* another had the core, so this was full speed */
        assert_int_equal(insight.value[1][INSIGHT_spin_ms], 0);
        run_for(runner, 100, 100, 0);
        assert_int_equal(insight.value[1][INSIGHT_spin_ms], 300);
        runner->entries++;
        run_for(runner, 100, 100, 0);
        assert_int_equal(insight.value[1][INSIGHT_spin_ms], 0);
}

/* It is caught waiting, and what it waits is known a glance later. */
static void full_speed_on_a_busy_machine_is_full_speed(void **state)
{
        struct picture_thread *runner = thread(11, 1);

        (void)state;
        runner->cpu_ns = 1;
        run_for(runner, 100, 0, 0);
        run_for(runner, 100, 60, 0);
        run_for(runner, 100, 60, 80);
        run_for(runner, 100, 60, 0);
        run_for(runner, 100, 60, 80);
        assert_int_equal(insight.value[1][INSIGHT_spin_ms], 400);
}

static void whose_heart_beats_does_not_spin(void **state)
{
        struct picture_thread *runner = thread(11, 1);

        (void)state;
        runner->cpu_ns = 1;
        for (int i = 0; i < 50; i++) {
                spin.beats += (uint64_t)(i % 2);
                run_for(runner, 100, 100, 0);
                assert_int_equal(insight.value[1][INSIGHT_spin_ms], 0);
        }
        for (int i = 0; i < 4; i++)
                run_for(runner, 100, 100, 0);
        assert_in_range(insight.value[1][INSIGHT_spin_ms], 300, 500);
}

static void half_speed_is_no_spin(void **state)
{
        struct picture_thread *runner = thread(11, 1);

        (void)state;
        runner->cpu_ns = 1;
        for (int i = 0; i < 50; i++) {
                run_for(runner, 100, 60, 0); /* nobody else wanted the core */
                assert_int_equal(insight.value[1][INSIGHT_spin_ms], 0);
        }
}

/* It wanted to run all the while, and nothing ran. */
static void a_machine_that_stood_still_does_not_spin(void **state)
{
        struct picture_thread *runner = thread(11, 1);

        (void)state;
        runner->cpu_ns = 1;
        run_for(runner, 100, 1, 0);
        run_for(runner, 2000, 0, 2000);
        assert_int_equal(insight.value[1][INSIGHT_spin_ms], 0);
        run_for(runner, 100, 100, 0);
        assert_int_equal(insight.value[1][INSIGHT_spin_ms], 0);
}

static void a_compressor_may_compute_for_a_while(void **state)
{
        struct picture_thread *runner = thread(11, 0);

        (void)state;
        runner->cpu_ns = 1;
        run_for(runner, 100, 0, 0);
        for (int i = 0; i < 49; i++)
                run_for(runner, 100, 100, 0);
        assert_int_equal(insight.value[0][INSIGHT_spin_ms], 0);
        run_for(runner, 100, 100, 0);
        assert_int_equal(insight.value[0][INSIGHT_spin_ms], 5000);
        runner->io_calls++; /* it has written, and be it inside libc */
        run_for(runner, 100, 100, 0);
        assert_int_equal(insight.value[0][INSIGHT_spin_ms], 0);
}

static void time_is_the_modules_that_was_seen(void **state)
{
        struct picture_thread *runner = thread(11, 1);

        (void)state;
        runner->cpu_ns = 1;
        for (int second = 0; second < 12; second++) {
                for (int i = 0; i < 10; i++) {
                        runner->module = i < 3 ? 1 : 2;
                        run_for(runner, 100, 50, 0);
                }
                spin_see(&spin, picture, &insight);
        }
        /* 3 of 10 times 50 of 100 ms; 7 of 10. */
        assert_int_equal(insight.value[1][INSIGHT_cpu_permille], 150);
        assert_int_equal(insight.value[2][INSIGHT_cpu_permille], 350);
}

/* ---- Calls ---------------------------------------------------------------- */

/* Of this very process: descriptors are looked up in /proc. */
static int64_t blocked_after(const char *path, uint64_t ms, uint64_t looks)
{
        struct picture_thread *caller = thread(11, 1);
        struct blocked blocked = { 0 };
        int fd = path ? open(path, O_RDONLY) : eventfd(0, 0);

        assert_true(fd >= 0);
        picture->pid = getpid();
        caller->call_number = 5;
        caller->call_kind = INSIDE_CALL_READ;
        caller->call_fd = fd;
        blocked_glance(&blocked, picture, &insight);
        for (uint64_t i = 0; i < looks; i++) {
                picture->at_ns += ms / looks * CLOCK_MS_NS;
                blocked_glance(&blocked, picture, &insight);
        }
        (void)close(fd);
        return insight.value[1][INSIGHT_blocked_ms];
}

static void a_file_that_does_not_answer_is_told(void **state)
{
        (void)state;
        assert_int_equal(blocked_after("/proc/self/exe", 6000, 6), 6000);
        assert_int_equal(blocked_after("/proc/self/exe", 900, 6), 0);
        assert_int_equal(blocked_after("/proc/self/exe", 6000, 1), 0); /* all stood still */
}

static void whoever_waits_for_others_is_not(void **state)
{
        (void)state;
        assert_int_equal(blocked_after(NULL, 60000, 60), 0);
}

/* ---- Growth --------------------------------------------------------------- */

static uint32_t site_of(enum inside_kind kind, uint32_t module)
{
        uint32_t number = INSIDE_FIRST_SITE + 5;

        picture->sites[number] =
                (struct inside_site){ .is_ready = 1, .kind = kind, .module = module };
        picture->site_count = number + 1;
        return number;
}

/* live(t) is what is open at second t. */
static int64_t descriptors_after(int seconds, int (*live)(int))
{
        uint32_t site = site_of(INSIDE_DESCRIPTOR, 1);
        int64_t most = 0;

        for (int t = 1; t <= seconds; t++) {
                picture->cells[site].live = (uint64_t)live(t);
                growth_see(&growth, picture, &insight);
                if (insight.value[1][INSIGHT_descriptors] > most)
                        most = insight.value[1][INSIGHT_descriptors];
        }
        return most;
}

static int one_a_second(int t)
{
        return t;
}

/* Of those that stay, sixty. */
static int six_a_minute(int t)
{
        return 60 + t / 10;
}

static int up_and_down(int t)
{
        return t % 25;
}

static int warms_up(int t)
{
        return t < 20 ? t : 20;
}

static int one_step(int t)
{
        return t < 15 ? 3 : 30;
}

/* What PostgreSQL's background writer has been seen to do: files that it keeps open. */
static int cache_of_files(int t)
{
        const int at[] = { 4, 54, 63, 69, 72 };

        return at[t / 10 < 4 ? t / 10 : 4];
}

/* Connections of a morning: seven times as many after twenty minutes, and 1024 is enough. */
static int morning(int t)
{
        return 50 + (t < 1200 ? t : 1200) / 4;
}

static void what_is_never_closed_rings_before_the_end(void **state)
{
        (void)state;
        growth.files_limit = 624;
        assert_int_equal(descriptors_after(39, one_a_second), 0);
        memset(&growth, 0, sizeof(growth));
        growth.files_limit = 624;
        /* Floors 1, 10, 20, 30 of the windows that end at 10, 20, 30, 40: 9 in ten seconds at
         * least, so there are less than 540 + 60 to go, with 40 open. */
        assert_int_equal(descriptors_after(40, one_a_second), 40);
        memset(&growth, 0, sizeof(growth));
        growth.files_limit = 640;
        assert_int_equal(descriptors_after(40, one_a_second), 0);
}

/* Floors of the windows: 60, 90, 120 ... 210. */
static void what_is_never_closed_rings_without_an_end_too(void **state)
{
        (void)state;
        growth.files_limit = 1 << 20;
        assert_int_equal(descriptors_after(1799, six_a_minute), 0);
        memset(&growth, 0, sizeof(growth));
        growth.files_limit = 1 << 20;
        assert_int_equal(descriptors_after(1800, six_a_minute), 240);
}

static void threads_have_an_end_of_their_own(void **state)
{
        uint32_t site = site_of(INSIDE_THREAD_KIND, 1);

        (void)state;
        for (uint64_t t = 1; t <= 40; t++) {
                picture->cells[site].live = 2 * t; /* 768 are there in seven minutes */
                growth_see(&growth, picture, &insight);
                assert_int_equal(insight.value[1][INSIGHT_threads], t < 40 ? 0 : 80);
        }
}

static void what_comes_back_is_silent(void **state)
{
        int (*const harmless[])(int) = { up_and_down, warms_up, one_step, cache_of_files, morning };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(harmless); i++) {
                memset(&growth, 0, sizeof(growth));
                growth.files_limit = 1024;
                assert_int_equal(descriptors_after(3600, harmless[i]), 0);
        }
}

static void memory_has_to_rise_five_times(void **state)
{
        uint32_t site = site_of(INSIDE_HEAP, 2);

        (void)state;
        growth.window_s = 10;
        for (uint64_t t = 1; t <= 60; t++) {
                picture->cells[site].bytes = t * 8192; /* 80 KiB a window */
                growth_see(&growth, picture, &insight);
                if (t < 60)
                        assert_int_equal(insight.value[2][INSIGHT_growth], 0);
        }
        assert_int_equal(insight.value[2][INSIGHT_growth], 50 * 8192 - 8192 + 8192);
}

/* ---- Nobody is trusted ---------------------------------------------------- */

static void fill_with_anything(void)
{
        picture->thread_count = random_word() % 64;
        for (uint32_t i = 0; i < picture->thread_count; i++) {
                struct picture_thread *one = &picture->threads[i];

                *one = (struct picture_thread){
                        .id = (uint32_t)random_word() % 8,
                        .number = (uint32_t)random_word() % INSIDE_THREADS_MAX,
                        .module = (uint32_t)random_word() % INSIDE_MODULES,
                        .entries = random_word(),
                        .wait_number = random_word(),
                        .wait_lock = random_word() % 8,
                        .wait_kind = (uint32_t)random_word() % 10,
                        .held_count = (uint32_t)random_word() % (INSIDE_HELD + 1),
                        .cpu_ns = random_word(),
                };
                for (uint32_t k = 0; k < INSIDE_HELD; k++)
                        one->held[k].lock = random_word() % 8;
        }
        picture->site_count = (uint32_t)random_word() % (INSIDE_SITES + 1);
        for (uint32_t i = 0; i < picture->site_count; i++) {
                picture->sites[i] =
                        (struct inside_site){ .is_ready = random_word() % 2,
                                              .kind = 1 + (uint32_t)random_word() % INSIDE_KINDS,
                                              .module = (uint32_t)random_word() % INSIDE_MODULES };
                picture->cells[i].live = random_word();
                picture->cells[i].bytes = random_word();
        }
}

static void anything_is_borne(void **state)
{
        struct leak *leak = NULL;

        (void)state;
        assert_int_equal(leak_new(0, heapscan_run, &leak), 0);
        for (int i = 0; i < 200; i++) {
                fill_with_anything();
                glance(random_word() % 1000);
                spin_glance(&spin, picture, &insight);
                spin_see(&spin, picture, &insight);
                growth_see(&growth, picture, &insight);
                leak_see(leak, picture, &insight); /* of no process: it never looks */
        }
        leak_free(&leak);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(a_circle_of_three_is_a_deadlock_of_three),
                TRIAL(a_circle_that_moves_is_none),
                TRIAL(who_waits_for_itself_is_stuck),
                TRIAL(a_condition_is_no_lock),
                TRIAL(a_lock_that_is_kept_is_the_holders),
                TRIAL(a_machine_that_stood_still_kept_no_lock),
                TRIAL(a_convoy_is_the_fewest_of_a_second),
                TRIAL(a_module_that_never_comes_back_spins),
                TRIAL(full_speed_on_a_busy_machine_is_full_speed),
                TRIAL(whose_heart_beats_does_not_spin),
                TRIAL(half_speed_is_no_spin),
                TRIAL(a_machine_that_stood_still_does_not_spin),
                TRIAL(a_compressor_may_compute_for_a_while),
                TRIAL(time_is_the_modules_that_was_seen),
                TRIAL(a_file_that_does_not_answer_is_told),
                TRIAL(whoever_waits_for_others_is_not),
                TRIAL(what_is_never_closed_rings_before_the_end),
                TRIAL(what_is_never_closed_rings_without_an_end_too),
                TRIAL(threads_have_an_end_of_their_own),
                TRIAL(what_comes_back_is_silent),
                TRIAL(memory_has_to_rise_five_times),
                TRIAL(anything_is_borne),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
