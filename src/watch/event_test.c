/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of an alert, in their order, are an interface; values of all classes; foreign text. */
#include "watch/event.h"
#include "watch/fixture.h"

#include "base/clock.h"

#include <errno.h>

static const char *const alert_keys[] = {
        "id",     "time",    "type",    "state",  "severity", "program", "pid",   "module",
        "probe",  "labels",  "kind",    "signal", "op",       "limit",   "value", "window_s",
        "hold_s", "meaning", "runbook", "file",   "line",     "details",
};

static struct rule_view view_of(const struct toc_record *record)
{
        return (struct rule_view){ .record = record,
                                   .rule = &record->rule[0],
                                   .has_value = true,
                                   .value = 12,
                                   .window_s = 60 };
}

static json_t *make_alert(const char *program)
{
        const struct segment_row row = fixture_row(toc_kind_expectation, "expect_41", 0);
        const struct rule_view view = view_of(&row.record);
        const struct event_head head = {
                .id = "run-1", .wall_ns = 1500 * CLOCK_MS_NS, .program = program, .pid = 7
        };

        return event_alert(&head, "firing", &view, "wiki/\x07", NULL);
}

static void alerts_have_exactly_these_keys(void **state)
{
        json_t *alert = make_alert("kvd");
        const char *key;
        json_t *value;
        size_t i = 0;

        (void)state;
        assert_non_null(alert);
        json_object_foreach(alert, key, value)
        {
                assert_true(i < BASE_COUNT(alert_keys));
                assert_string_equal(key, alert_keys[i++]);
        }
        assert_int_equal(i, BASE_COUNT(alert_keys));
        assert_string_equal(json_string_value(json_object_get(alert, "time")),
                            "1970-01-01T00:00:01.500Z");
        assert_string_equal(json_string_value(json_object_get(alert, "severity")), "page");
        assert_string_equal(json_string_value(json_object_get(alert, "op")), ">");
        assert_int_equal(json_integer_value(json_object_get(alert, "value")), 12);
        assert_int_equal(json_object_size(json_object_get(alert, "labels")), 0);
        assert_string_equal(json_string_value(json_object_get(alert, "runbook")), "wiki/\\x07");
        assert_int_equal(json_object_size(json_object_get(alert, "details")), 0);
        json_decref(alert);
}

static void a_line_is_one_line(void **state)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(event_bytes_max);
        json_t *alert = make_alert("k\nv\x1b[2Jd\xff\"\\");
        json_error_t error;
        json_t *again;

        (void)state;
        assert_int_equal(event_append(alert, &line), 0);
        assert_null(memchr(text_view(&line), '\n', line.length));
        again = json_loads(text_view(&line), 0, &error);
        assert_non_null(again);
        assert_string_equal(json_string_value(json_object_get(again, "program")),
                            "k\\x0av\\x1b[2Jd\\xff\"\\");
        json_decref(again);
        json_decref(alert);
}

static void a_value_that_is_not_known_is_null(void **state)
{
        const struct segment_row row = fixture_row(toc_kind_gauge, "used", 0);
        const struct event_head head = { .id = "x", .program = "kvd" };
        struct rule_view view = view_of(&row.record);
        json_t *alert;

        (void)state;
        view.has_value = false;
        alert = event_alert(&head, "resolved", &view, "", json_pack("{s:s}", "reason", "ended"));
        assert_true(json_is_null(json_object_get(alert, "value")));
        assert_string_equal(
                json_string_value(json_object_get(json_object_get(alert, "details"), "reason")),
                "ended");
        json_decref(alert);
}

static void a_label_is_an_object(void **state)
{
        struct segment_row row = fixture_row(toc_kind_counter, "requests", 0);
        const struct event_head head = { .id = "x", .program = "kvd" };
        const struct rule_view view = view_of(&row.record);
        json_t *alert, *labels;

        (void)state;
        (void)snprintf(row.record.labels, sizeof(row.record.labels), "failed");
        alert = event_alert(&head, "firing", &view, "", NULL);
        labels = json_object_get(alert, "labels");
        assert_int_equal(json_object_size(labels), 1);
        assert_string_equal(json_string_value(json_object_get(labels, "label")), "failed");
        json_decref(alert);
}

static void cells_have_names(void **state)
{
        const uint64_t flow[] = { 10, 4, UINT64_MAX, (uint64_t)-2 };
        json_t *got = event_cells(toc_kind_flow, flow);
        json_t *wanted = json_pack("{s:i, s:i, s:s, s:i}", "in", 10, "out", 4, "dropped",
                                   "18446744073709551615", "held", -2);

        (void)state;
        assert_true(json_equal(got, wanted));
        json_decref(got);
        json_decref(wanted);
        got = event_cells(toc_kind_share, flow);
        wanted = json_pack("{s:i, s:i}", "part", 10, "whole", 4);
        assert_true(json_equal(got, wanted));
        json_decref(got);
        json_decref(wanted);
        assert_null(event_cells(toc_kind_counter, flow));
        assert_null(event_cells(toc_kind_logs, flow));
        assert_null(event_cells(255, flow));
}

static void check_value(struct toc_value_ value, json_t *wanted)
{
        const struct segment_event event = { .value = { value, { 0, 0, 0 } } };
        json_t *details = event_details(&event, NULL);
        json_t *got = json_object_get(details, "left");

        assert_non_null(details);
        assert_true(json_equal(got, wanted) || (!got && !wanted));
        assert_null(json_object_get(details, "right"));
        json_decref(details);
        json_decref(wanted);
}

static void values_of_all_classes(void **state)
{
        double number = -0.5;
        float half = 1.5f;
        uint64_t bits;

        (void)state;
        check_value((struct toc_value_){ 3, 4, 'i' }, json_integer(3));
        check_value((struct toc_value_){ 0xffffffff, 4, 'i' }, json_integer(-1));
        check_value((struct toc_value_){ 0xffffffff, 4, 'u' }, json_integer(4294967295));
        check_value((struct toc_value_){ UINT64_MAX, 8, 'i' }, json_integer(-1));
        check_value((struct toc_value_){ UINT64_MAX, 8, 'u' }, json_string("18446744073709551615"));
        memcpy(&bits, &number, 8);
        check_value((struct toc_value_){ bits, 8, 'f' }, json_real(-0.5));
        bits = 0;
        memcpy(&bits, &half, 4);
        check_value((struct toc_value_){ bits, 4, 'f' }, json_real(1.5));
        check_value((struct toc_value_){ 0x7ff0000000000000, 8, 'f' }, json_string("inf"));
        check_value((struct toc_value_){ 0xbeef, 8, 'p' }, json_string("0xbeef"));
        check_value((struct toc_value_){ 1, 0, 0 }, NULL);
        check_value((struct toc_value_){ 1, 8, 'x' }, NULL);
        check_value((struct toc_value_){ 1, 3, 'i' }, NULL);
}

static void long_text_is_cut(void **state)
{
        char bytes[event_text_bytes_max + 100];
        json_t *string;

        (void)state;
        memset(bytes, 'x', sizeof(bytes));
        string = event_string(bytes, sizeof(bytes));
        assert_int_equal(json_string_length(string), event_text_bytes_max);
        json_decref(string);
        string = event_string(bytes, event_text_bytes_max);
        assert_int_equal(json_string_length(string), event_text_bytes_max);
        json_decref(string);
}

static void the_other_types_begin_alike(void **state)
{
        const struct event_head head = { .id = "x", .program = "kvd", .pid = 7 };
        const struct event_end end = { .status = 139, .signal = 11, .fired = { [TOC_PAGE] = 2 } };
        char name[] = "kvd", bad[] = "\x01";
        char *const argv[] = { name, bad, NULL };
        const int64_t probes = 3;
        json_t *events[] = {
                event_start(&head, argv, &probes, true, NULL),
                event_start(&head, argv, NULL, false, json_pack("{s:s}", "by", "cgroup v1")),
                event_exit(&head, &end),
                event_crash(&head, 11, true, json_array()),
                event_log(&head, true, NULL, "x", 1, NULL),
                event_inside(&head, json_pack("{s:{}}", "lru")),
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(events); i++) {
                assert_non_null(events[i]);
                assert_non_null(json_object_get(events[i], "id"));
                assert_non_null(json_object_get(events[i], "time"));
                assert_non_null(json_object_get(events[i], "type"));
                assert_int_equal(json_integer_value(json_object_get(events[i], "pid")), 7);
        }
        assert_int_equal(json_integer_value(json_object_get(events[0], "probes")), 3);
        assert_true(json_is_null(json_object_get(events[1], "probes")));
        assert_true(json_is_true(json_object_get(events[0], "inside")));
        assert_null(json_object_get(events[1], "inside"));
        assert_non_null(json_object_get(json_object_get(events[5], "modules"), "lru"));
        assert_string_equal(json_string_value(json_object_get(events[3], "signal")), "SIGSEGV");
        assert_int_equal(
                json_integer_value(json_object_get(json_object_get(events[2], "alerts"), "page")),
                2);
        for (size_t i = 0; i < BASE_COUNT(events); i++)
                json_decref(events[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(alerts_have_exactly_these_keys),
                cmocka_unit_test(a_line_is_one_line),
                cmocka_unit_test(a_value_that_is_not_known_is_null),
                cmocka_unit_test(a_label_is_an_object),
                cmocka_unit_test(cells_have_names),
                cmocka_unit_test(values_of_all_classes),
                cmocka_unit_test(long_text_is_cut),
                cmocka_unit_test(the_other_types_begin_alike),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
