/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a whole program cannot show for how long it was ready to wait for its reader
 * without a look at the clock, nor run out of memory at one moment: here poll is __wrap_poll. */
#include "inline/tell.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_NS (UINT64_C(3600) * 1000000000)

static int waits_ms[8]; /* of each poll since the test began */
static unsigned waits_count;
static bool is_read;
static int reader, saved_stderr;

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
        assert_int_equal(count, 1);
        assert_int_equal(fds->fd, STDERR_FILENO);
        assert_in_range(waits_count, 0, 7);
        waits_ms[waits_count++] = timeout_ms;
        fds->revents = is_read ? POLLOUT : 0;
        return is_read ? 1 : 0;
}

static int begin(void **state)
{
        int ends[2];

        (void)state;
        waits_count = 0;
        saved_stderr = dup(STDERR_FILENO);
        if (saved_stderr < 0 || pipe(ends))
                return -1;
        reader = ends[0];
        if (dup2(ends[1], STDERR_FILENO) < 0)
                return -1;
        return close(ends[1]);
}

static int end(void **state)
{
        (void)state;
        (void)dup2(saved_stderr, STDERR_FILENO); /* it was there before */
        (void)close(saved_stderr);
        return close(reader);
}

static void said(const char *text)
{
        char is[256] = "";

        assert_true(read(reader, is, sizeof(is) - 1) > 0);
        assert_string_equal(is, text);
}

/* However many rules ring at once, stop waits for one line. */
static void who_does_not_read_is_waited_for_once(void **state)
{
        struct tell tell = { .rang_ns = NULL };

        (void)state;
        is_read = false;
        tell_say(&tell, "one");
        tell_say(&tell, "two");
        tell_say(&tell, "three");
        is_read = true;
        tell_say(&tell, "four");
        said("tocsin: 3 more lines\ntocsin: four\n");
        tell_say(&tell, "five");
        said("tocsin: five\n");
        assert_int_equal(waits_count, 5);
        assert_int_equal(waits_ms[0], 1000);
        assert_int_equal(waits_ms[1], 0);
        assert_int_equal(waits_ms[2], 0);
        assert_int_equal(waits_ms[3], 0);
        assert_int_equal(waits_ms[4], 1000);
        tell_fini(&tell);
}

/* There was no memory for when it began to ring. */
static void a_lost_beginning_is_no_duration(void **state)
{
        struct toc_record record = { .kind = toc_kind_gauge,
                                     .module = "bell",
                                     .name = "weight",
                                     .runbook = "wiki",
                                     .rule[0] = { .meaning = "too heavy" } };
        struct rule_change change = {
                .from = RULE_FIRING,
                .now = { .record = &record, .rule = &record.rule[0], .state = RULE_OK }
        };
        struct tell tell = { .rang_ns = NULL };
        char is[256] = "";

        (void)state;
        is_read = true;
        tell_changes(&tell, NULL, 3 * HOUR_NS, &change, 1);
        assert_true(read(reader, is, sizeof(is) - 1) > 0);
        assert_non_null(strstr(is, "] bell.weight: resolved (too heavy)\n"));
        tell_fini(&tell);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(who_does_not_read_is_waited_for_once, begin, end),
                cmocka_unit_test_setup_teardown(a_lost_beginning_is_no_duration, begin, end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
