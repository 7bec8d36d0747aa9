/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule in words, for who is woken by it and has never seen tocsin.h: "more than 1000 a minute,
 * for 5 minutes".
 */
#include "cli/rules.h"
#include "rule/rule.h"
#include "rule/signal.h"

#include <inttypes.h>

void rules_append_duration(struct text *into, uint64_t n, bool is_ms)
{
        static const struct {
                uint64_t ms;
                const char *name;
        } units[] = {
                { 86400000, "day" }, { 3600000, "hour" },  { 60000, "minute" },
                { 1000, "second" },  { 1, "millisecond" },
        };
        uint64_t ms = is_ms || n > UINT64_MAX / 1000 ? n : n * 1000;
        size_t i = 0;

        while (i + 1 < BASE_COUNT(units) && (ms < units[i].ms || ms % units[i].ms))
                i++;
        text_printf(into, "%" PRIu64 " %s%s", (uint64_t)(ms / units[i].ms), units[i].name,
                    ms == units[i].ms ? "" : "s");
}

/* "more than", before a number. */
static const char *than(unsigned op)
{
        static const char *const words[8] = {
                [TOC_ABOVE_] = "more than", [TOC_ABOVE_ | TOC_EQUAL_] = "at least",
                [TOC_BELOW_] = "less than", [TOC_BELOW_ | TOC_EQUAL_] = "at most",
                [TOC_EQUAL_] = "exactly",   [TOC_ABOVE_ | TOC_BELOW_] = "anything but",
        };

        return words[op & 7] ? words[op & 7] : "?";
}

/* {window} stands for the window, {limit} for comparison and limit, {time} for the same as a
 * duration in the unit that ends the signal's name, {own} for ", counted over ..." if the rule has
 * a window of its own. */
static const struct {
        uint8_t kind; /* 0: any */
        uint8_t signal;
        const char *form;
} forms[] = {
        { toc_kind_expectation, toc_signal_total, "any miss within {window}" },
        { toc_kind_counter, toc_signal_total, "{limit} since the start" },
        { 0, toc_signal_total, "{limit} reports since the start" },
        { toc_kind_counter, toc_signal_per_minute, "{limit} a minute{own}" },
        { 0, toc_signal_per_minute, "{limit} reports a minute{own}" },
        { 0, toc_signal_per_second, "{limit} a second, over {window}" },
        { 0, toc_signal_per_hour, "{limit} an hour{own}" },
        { 0, toc_signal_value, "its value is {limit}" },
        { 0, toc_signal_growth,
          "its floor rose by {limit} in each of the last five times {window}" },
        { 0, toc_signal_exhausts_s,
          "it grows, and if it goes on like that reaches {capacity} in {time}" },
        { 0, toc_signal_p50_us, "one in 2 takes {time} (over {window})" },
        { 0, toc_signal_p90_us, "one in 10 takes {time} (over {window})" },
        { 0, toc_signal_p99_us, "one in 100 takes {time} (over {window})" },
        { 0, toc_signal_p999_us, "one in 1000 takes {time} (over {window})" },
        { 0, toc_signal_max_us, "any takes {time} (over {window})" },
        { 0, toc_signal_p50, "one in 2 is {limit} (over {window})" },
        { 0, toc_signal_p90, "one in 10 is {limit} (over {window})" },
        { 0, toc_signal_p99, "one in 100 is {limit} (over {window})" },
        { 0, toc_signal_p999, "one in 1000 is {limit} (over {window})" },
        { 0, toc_signal_max, "any is {limit} (over {window})" },
        { 0, toc_signal_permille, "{limit} of 1000 (over {window})" },
        { 0, toc_signal_burn_fast,
          "{budget} of 1000 may fail: spent {limit} times too fast, over {window} and now" },
        { 0, toc_signal_burn_slow,
          "{budget} of 1000 may fail: spent {limit} times too fast, over {window} and now" },
        { 0, toc_signal_silent_ms, "no beat for {time}" },
        { 0, toc_signal_oldest_ms, "one has been going on for {time}" },
        { 0, toc_signal_in_flight, "{limit} going on at once" },
        { 0, toc_signal_lost, "{limit} unaccounted for: neither out, dropped nor held" },
        { 0, toc_signal_stalled_ms, "something waits, and nothing moved for {time}" },
        { 0, toc_signal_backlog, "{limit} waiting" },
        { 0, toc_signal_unreached_s, "never once, {time} after the start{when}" },
        { 0, toc_signal_live_bytes, "{limit} bytes of memory live" },
        { 0, toc_signal_allocations, "{limit} allocations live" },
        { 0, toc_signal_cpu_permille, "{limit} thousandths of a processor" },
        { 0, toc_signal_io_bytes_per_second, "{limit} bytes a second read and written" },
        { 0, toc_signal_descriptors, "{limit} descriptors open" },
        { 0, toc_signal_threads, "{limit} threads" },
        { 0, toc_signal_leak, "{limit} leaks" },
        { 0, toc_signal_deadlock, "{limit} deadlocks" },
        { 0, toc_signal_lock_wait_ms, "a lock is waited for {time}" },
        { 0, toc_signal_idle_bytes, "{limit} bytes of memory live while nobody is in it" },
};

/* A duration of microseconds; in a unit that leaves no rest. */
static void append_us(struct text *into, int64_t us)
{
        if (us % 1000)
                text_printf(into, "%" PRId64 " microseconds", us);
        else
                rules_append_duration(into, (uint64_t)us / 1000, true);
}

static void append_time(struct text *into, const struct toc_rule *rule)
{
        unsigned signal = rule->signal;

        text_printf(into, "%s ", than(rule->op));
        if (rule->limit < 0)
                text_printf(into, "%" PRId64, rule->limit);
        else if (signal >= toc_signal_p50_us && signal <= toc_signal_max_us)
                append_us(into, rule->limit);
        else
                rules_append_duration(into, (uint64_t)rule->limit,
                                      signal != toc_signal_exhausts_s &&
                                              signal != toc_signal_unreached_s);
}

static void append_field(struct text *into, const struct toc_record *record, size_t slot,
                         const char *name)
{
        const struct toc_rule *rule = &record->rule[slot];
        uint32_t window_s = rule_window_s(record->kind, rule);

        if (strncmp(name, "limit", 5) == 0) {
                text_printf(into, "%s %" PRId64, than(rule->op), rule->limit);
        } else if (strncmp(name, "time", 4) == 0) {
                append_time(into, rule);
        } else if (strncmp(name, "window", 6) == 0) {
                rules_append_duration(into, window_s, false);
        } else if (strncmp(name, "own", 3) == 0 && rule->window_s) {
                text_append(into, ", over ");
                rules_append_duration(into, window_s, false);
        } else if (strncmp(name, "capacity", 8) == 0) {
                text_printf(into, "%" PRId64, rule->capacity);
        } else if (strncmp(name, "budget", 6) == 0) {
                text_printf(into, "%d", 1000 - rule->objective_permille);
        } else if (strncmp(name, "when", 4) == 0 && record->labels[0]) {
                text_append(into, ", while ");
                text_append(into, record->labels);
                text_append(into, " is set");
        }
}

static void append_form(struct text *into, const struct toc_record *record, size_t slot,
                        const char *form)
{
        while (*form) {
                size_t plain = strcspn(form, "{");

                text_append_bytes(into, form, plain);
                form += plain;
                if (!*form)
                        break;
                append_field(into, record, slot, form + 1);
                form += strcspn(form, "}") + 1;
        }
}

void rules_append_words(struct text *into, const struct toc_record *record, size_t slot)
{
        const struct toc_rule *rule = &record->rule[slot];
        const struct signal *signal = signal_find(record->kind, rule->signal);

        for (size_t i = 0; i < BASE_COUNT(forms); i++)
                if ((!forms[i].kind || forms[i].kind == record->kind) &&
                    forms[i].signal == rule->signal) {
                        append_form(into, record, slot, forms[i].form);
                        break;
                }
        if (signal && signal_volume(signal, rule) > 1)
                text_printf(into, ", if there were %" PRIu32 " at least",
                            signal_volume(signal, rule));
        if (rule->hold_s) {
                text_append(into, ", for ");
                rules_append_duration(into, rule->hold_s, false);
        }
        if (rule->clear_at != TOC_NO_CLEAR_LEVEL_)
                text_printf(into, "; until it is back at %" PRId64, rule->clear_at);
        if (rule->keep_s) {
                text_append(into, "; and for ");
                rules_append_duration(into, rule->keep_s, false);
                text_append(into, " more");
        }
}
