/* SPDX-License-Identifier: Apache-2.0 */
/* Ids: the same for firing and resolved, another one the next time, never one of another run. */
#include "watch/alert.h"
#include "watch/fixture.h"

#include "base/clock.h"

#include <errno.h>

static struct toc_record record;

static struct rule_view view_of(uint32_t row, uint32_t slot)
{
        return (struct rule_view){
                .row = row, .slot = slot, .record = &record, .rule = &record.rule[0]
        };
}

static void firing_and_resolved_bear_one_id(void **state)
{
        const struct rule_view rule = view_of(3, 1);
        const struct alert *open = NULL;
        char first[alert_id_bytes];
        struct alert_book book;
        struct alert closed;

        (void)state;
        alert_book_init(&book, "run-Ab12Cd", 1000 * CLOCK_S_NS);
        assert_int_equal(alert_open(&book, 7, &rule, 5, &open), 0);
        (void)snprintf(first, sizeof(first), "%s", open->id);
        assert_string_equal(first, "3e8-Ab12Cd-1");
        assert_int_equal(alert_close(&book, 7, &rule, &closed), 0);
        assert_string_equal(closed.id, first);
        assert_int_equal(closed.began_ns, 5);
        assert_int_equal(alert_close(&book, 7, &rule, &closed), -ENOENT);
        assert_int_equal(alert_open(&book, 7, &rule, 9, &open), 0);
        assert_string_not_equal(open->id, first);
        alert_book_fini(&book);
}

static void alerts_of_others_are_not_touched(void **state)
{
        enum { many = 100 };
        struct alert_book book;
        const struct alert *open;
        struct alert closed;

        (void)state;
        record.rule[0].severity = TOC_PAGE;
        alert_book_init(&book, "run-Ab12Cd", 0);
        for (uint32_t i = 0; i < many; i++) {
                const struct rule_view rule = view_of(i / 2, i % 2);

                assert_int_equal(alert_open(&book, i % 3, &rule, i, &open), 0);
        }
        assert_int_equal(book.fired[TOC_PAGE], many);
        for (uint32_t i = 0; i < many; i++) {
                const struct rule_view rule = view_of(i / 2, i % 2);

                assert_int_equal(alert_close(&book, i % 3 + 1, &rule, &closed), -ENOENT);
                assert_int_equal(alert_close(&book, i % 3, &rule, &closed), 0);
                assert_int_equal(closed.began_ns, i);
        }
        assert_int_equal(book.count, 0);
        alert_book_fini(&book);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(firing_and_resolved_bear_one_id),
                cmocka_unit_test(alerts_of_others_are_not_touched),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
