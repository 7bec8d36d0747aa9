/* SPDX-License-Identifier: Apache-2.0 */
/* Shows each form in which a server says when to come back, and who is asked again at all. */
#include "forge/retry.h"
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Wed, 21 Oct 2015 07:28:00 GMT */
#define NOW_NS (UINT64_C(1445412480) * CLOCK_S_NS)

static const struct {
        const char *name;
        const char *value;
        uint64_t after_ns;
} waits[] = {
        { "retry-after", "7", 7 * CLOCK_S_NS },
        { "Retry-After", "1.5", 1500 * CLOCK_MS_NS },
        { "RETRY-AFTER", ".25", 250 * CLOCK_MS_NS },
        { "retry-after", "0.0000000001", 0 },
        { "retry-after", "2.", 2 * CLOCK_S_NS },
        { "retry-after", "0", 0 },
        { "retry-after", "Wed, 21 Oct 2015 07:28:09 GMT", 9 * CLOCK_S_NS },
        { "retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", 0 },
        { "retry-after", "Wed, 21 Oct 2015 07:13:00 GMT", 0 },
        { "retry-after", "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "retry-after", "Wed, 21 Oct 2099 07:28:00 GMT", RETRY_AFTER_MAX_NS },
        { "retry-after", "86400", RETRY_AFTER_MAX_NS },
        { "retry-after", "86401", RETRY_AFTER_MAX_NS },
        { "retry-after", "99999999999999999999999999999999999", RETRY_AFTER_MAX_NS },
        { "retry-after-ms", "1500", 1500 * CLOCK_MS_NS },
        { "retry-after-ms", "0.5", 500 * CLOCK_US_NS },
        { "retry-after", "soon", 0 },
        { "retry-after", "-5", 0 },
        { "retry-after", "1.2.3", 0 },
        { "retry-after", ".", 0 },
        { "retry-after", "", 0 },
        { "retry-before", "7", 0 },
};

static void each_form_of_a_wait(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(waits); i++) {
                struct retry_hints hints = { RETRY_UNSAID, false, 0 };

                retry_take_header(&hints, waits[i].name, waits[i].value, NOW_NS);
                if (hints.after_ns != waits[i].after_ns)
                        print_message("# %s: %s\n", waits[i].name, waits[i].value);
                assert_int_equal(hints.after_ns, waits[i].after_ns);
                assert_int_equal(hints.wish, RETRY_UNSAID);
        }
}

static void milliseconds_count_in_any_order(void **state)
{
        struct retry_hints hints = { RETRY_UNSAID, false, 0 };

        (void)state;
        retry_take_header(&hints, "retry-after", "1", NOW_NS);
        retry_take_header(&hints, "retry-after-ms", "1200", NOW_NS);
        assert_int_equal(hints.after_ns, 1200 * CLOCK_MS_NS);
        retry_take_header(&hints, "retry-after", "9", NOW_NS);
        assert_int_equal(hints.after_ns, 1200 * CLOCK_MS_NS);
}

static void statuses(void **state)
{
        static const long worth[] = { 408, 409, 429, 500, 502, 503, 504, 529, 599 };
        static const long vain[] = { 204, 301, 400, 401, 402, 403, 404, 413, 422 };
        const struct retry_hints none = { RETRY_UNSAID, false, 0 };
        struct retry_hints asked = none;

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(worth); i++)
                assert_true(retry_is_worth_status(worth[i], &none));
        for (size_t i = 0; i < BASE_COUNT(vain); i++)
                assert_false(retry_is_worth_status(vain[i], &none));
        retry_take_header(&asked, "X-Should-Retry", "true", NOW_NS);
        assert_true(retry_is_worth_status(400, &asked));
        retry_take_header(&asked, "x-should-retry", "false", NOW_NS);
        assert_false(retry_is_worth_status(503, &asked));
        retry_take_header(&asked, "x-should-retry", "perhaps", NOW_NS);
        assert_false(retry_is_worth_status(503, &asked)); /* as before */
}

static void broken_transfers(void **state)
{
        (void)state;
        assert_true(retry_is_worth_code(CURLE_COULDNT_CONNECT));
        assert_true(retry_is_worth_code(CURLE_COULDNT_RESOLVE_HOST));
        assert_true(retry_is_worth_code(CURLE_PARTIAL_FILE));
        assert_true(retry_is_worth_code(CURLE_GOT_NOTHING));
        assert_true(retry_is_worth_code(CURLE_RECV_ERROR));
        assert_true(retry_is_worth_code(CURLE_SSL_CONNECT_ERROR));
        assert_true(retry_is_worth_code(CURLE_OPERATION_TIMEDOUT));
        assert_false(retry_is_worth_code(CURLE_PEER_FAILED_VERIFICATION));
        assert_false(retry_is_worth_code(CURLE_URL_MALFORMAT));
}

static void backoff_doubles_up_to_its_limit(void **state)
{
        static const uint64_t whole_ms[] = { 500, 1000, 2000, 4000, 8000, 8000, 8000 };

        (void)state;
        for (unsigned n = 0; n < BASE_COUNT(whole_ms); n++) {
                assert_int_equal(retry_backoff_ns(n, 0), whole_ms[n] * CLOCK_MS_NS);
                assert_in_range(retry_backoff_ns(n, UINT64_MAX), whole_ms[n] * CLOCK_MS_NS / 4 * 3,
                                whole_ms[n] * CLOCK_MS_NS / 4 * 3 + CLOCK_MS_NS);
                assert_in_range(retry_backoff_ns(n, UINT64_C(1) << 63),
                                whole_ms[n] * CLOCK_MS_NS / 8 * 7,
                                whole_ms[n] * CLOCK_MS_NS / 8 * 7 + CLOCK_MS_NS);
        }
        assert_int_equal(retry_backoff_ns(UINT32_MAX, 0), RETRY_MAX_NS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_form_of_a_wait),
                cmocka_unit_test(milliseconds_count_in_any_order),
                cmocka_unit_test(statuses),
                cmocka_unit_test(broken_transfers),
                cmocka_unit_test(backoff_doubles_up_to_its_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
