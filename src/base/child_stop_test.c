/* SPDX-License-Identifier: Apache-2.0 */
/* Shows that none outlives its time, its caller's wish or its caller; and that waiting is heard. */
#include "base/child.h"
#include "base/file.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define LONG_NS (60 * CLOCK_S_NS) /* never reached unless something is broken */

/* Whether a process is gone within some seconds; a dead one that nobody has reaped counts. */
static bool is_gone(const char *pid)
{
        uint64_t start_ns = clock_monotonic_ns();

        while (clock_monotonic_ns() - start_ns < 10 * CLOCK_S_NS) {
                struct text stat BASE_SCOPE(text_fini) = TEXT_INIT(4096);
                char path[64];
                const char *name_end;
                int failed;

                (void)snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
                failed = file_read(AT_FDCWD, path, &stat);
                name_end = strrchr(text_view(&stat), ')');
                if (failed || !name_end || name_end[2] == 'Z' || name_end[2] == 'X')
                        return true;
                (void)poll(NULL, 0, 10);
        }
        return false;
}

static void deadline_kills_the_whole_group(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_request request = {
                .command = "sleep 1000 & echo $!; trap '' TERM HUP INT; sleep 1000; sleep 1000",
                .output = &output,
                .time_max_ns = 300 * CLOCK_MS_NS,
        };
        struct child_result result;

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_int_equal(result.end, CHILD_LATE);
        assert_false(child_succeeded(&result));
        assert_true(output.length > 1);
        assert_true(is_gone(strtok_r(output.bytes, "\n", &(char *){ NULL })));
}

static void smallest_deadline_is_kept(void **state)
{
        struct child_request request = { .command = "sleep 1000", .time_max_ns = 1 };
        struct child_result result;

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_int_equal(result.end, CHILD_LATE);
}

static void nothing_is_left_behind_after_a_normal_end(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_request request = {
                .command = "sleep 1000 & echo $!",
                .output = &output,
                .time_max_ns = LONG_NS,
        };
        struct child_result result;

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_true(child_succeeded(&result));
        assert_true(output.length > 1);
        assert_true(is_gone(strtok_r(output.bytes, "\n", &(char *){ NULL })));
}

static void stop_ends_it_before_its_time(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        int ends[2];
        struct child_request request = {
                .command = "sleep 1000",
                .output = &output,
                .time_max_ns = LONG_NS,
                .stop_fd = &ends[0],
        };
        struct child_result result;
        uint64_t start_ns = clock_monotonic_ns();

        (void)state;
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "", 1), 1);
        assert_int_equal(child_run(&request, &result), 0);
        assert_int_equal(result.end, CHILD_STOPPED);
        assert_true(clock_monotonic_ns() - start_ns < 30 * CLOCK_S_NS);
        assert_int_equal(read(ends[0], &(char){ 0 }, 1), 1); /* left for others to see */
        request.command = "echo on";
        assert_int_equal(child_run(&request, &result), 0); /* open, and nothing to read */
        assert_true(child_succeeded(&result));
        assert_string_equal(text_view(&output), "on\n");
        assert_int_equal(close(ends[0]) | close(ends[1]), 0);
}

static void told_to_end_it_may_say_a_last_word(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_request request = {
                .command = "trap 'echo bye; exit 3' TERM; sleep 1000 & wait",
                .output = &output,
                .time_max_ns = CLOCK_S_NS,
                .end_signal = SIGTERM,
                .end_max_ns = LONG_NS,
        };
        struct child_result result;

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_int_equal(result.end, CHILD_LATE);
        assert_string_equal(text_view(&output), "bye\n");
}

static void deaf_to_its_signal_it_is_killed(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_request request = {
                .command = "trap '' TERM; sleep 1000 & echo $!; sleep 1000; sleep 1000",
                .output = &output,
                .time_max_ns = 300 * CLOCK_MS_NS,
                .end_signal = SIGTERM,
                .end_max_ns = 200 * CLOCK_MS_NS,
        };
        struct child_result result;
        uint64_t start_ns = clock_monotonic_ns();

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_int_equal(result.end, CHILD_LATE);
        assert_true(clock_monotonic_ns() - start_ns >= 500 * CLOCK_MS_NS);
        assert_true(output.length > 1);
        assert_true(is_gone(strtok_r(output.bytes, "\n", &(char *){ NULL })));
}

static void child_dies_with_its_parent(void **state)
{
        char pid[32] = "";
        int report[2];
        pid_t middle;
        ssize_t length;

        (void)state;
        assert_int_equal(pipe(report), 0);
        middle = fork();
        if (middle == 0) {
                char path[64], command[128];
                struct child_request request = { .command = command, .time_max_ns = LONG_NS };
                struct child_result result;

                /* The child sees no pipe of ours, so it is handed one by its path. */
                (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), report[1]);
                (void)snprintf(command, sizeof(command), "echo $$ >%s; exec sleep 1000", path);
                _exit(child_run(&request, &result) ? 1 : 0);
        }
        assert_true(middle > 0);
        assert_int_equal(close(report[1]), 0);
        length = read(report[0], pid, sizeof(pid) - 1);
        assert_true(length > 1);
        pid[length - 1] = '\0';
        assert_int_equal(kill(middle, SIGKILL), 0);
        assert_int_equal(waitpid(middle, NULL, 0), middle);
        assert_true(is_gone(pid));
        assert_int_equal(close(report[0]), 0);
}

struct ticks {
        unsigned count;
        uint64_t last_ns;
        uint64_t shortest_ns;
};

static void count_tick(void *context)
{
        struct ticks *ticks = context;
        uint64_t now_ns = clock_monotonic_ns();

        if (now_ns - ticks->last_ns < ticks->shortest_ns)
                ticks->shortest_ns = now_ns - ticks->last_ns;
        ticks->last_ns = now_ns;
        ticks->count++;
}

/* Whether it is silent or never is: neither hastens nor holds up a tick. */
static void waiting_is_ticked(void **state)
{
        static const char *const commands[] = {
                "sleep 1000",
                "while :; do echo x; done",
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(commands); i++) {
                struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
                struct ticks ticks = { .last_ns = clock_monotonic_ns(), .shortest_ns = UINT64_MAX };
                struct child_request request = {
                        .command = commands[i],
                        .output = &output,
                        .time_max_ns = 5 * CHILD_TICK_NS + CHILD_TICK_NS / 2,
                        .tick = count_tick,
                        .tick_context = &ticks,
                };
                struct child_result result;

                assert_int_equal(child_run(&request, &result), 0);
                assert_int_equal(result.end, CHILD_LATE);
                assert_in_range(ticks.count, 2, 6); /* 5, on a machine with time for it */
                assert_true(ticks.shortest_ns > CHILD_TICK_NS / 2);
        }
}

static void who_is_quick_is_not_ticked(void **state)
{
        struct ticks ticks = { .count = 0 };
        struct child_request request = {
                .command = ":",
                .time_max_ns = LONG_NS,
                .tick = count_tick,
                .tick_context = &ticks,
        };
        struct child_result result;
        uint64_t start_ns = clock_monotonic_ns();

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_true(child_succeeded(&result));
        assert_true(!ticks.count || clock_monotonic_ns() - start_ns >= CHILD_TICK_NS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(deadline_kills_the_whole_group),
                cmocka_unit_test(smallest_deadline_is_kept),
                cmocka_unit_test(nothing_is_left_behind_after_a_normal_end),
                cmocka_unit_test(stop_ends_it_before_its_time),
                cmocka_unit_test(told_to_end_it_may_say_a_last_word),
                cmocka_unit_test(deaf_to_its_signal_it_is_killed),
                cmocka_unit_test(child_dies_with_its_parent),
                cmocka_unit_test(waiting_is_ticked),
                cmocka_unit_test(who_is_quick_is_not_ticked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
