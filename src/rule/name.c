/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that people, JSON and exports call everything by the word that stands in the source. */
#include "rule/rule.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *find(const char *const *names, size_t count, unsigned n)
{
        return n < count && names[n] ? names[n] : "?";
}

const char *rule_kind_name(unsigned kind)
{
        static const char *const names[] = {
                [toc_kind_counter] = "counter",     [toc_kind_gauge] = "gauge",
                [toc_kind_level] = "level",         [toc_kind_timer] = "timer",
                [toc_kind_sizes] = "sizes",         [toc_kind_share] = "share",
                [toc_kind_heartbeat] = "heartbeat", [toc_kind_operation] = "operation",
                [toc_kind_flow] = "flow",           [toc_kind_expectation] = "expectation",
                [toc_kind_must_hit] = "must_hit",   [toc_kind_error] = "error",
                [toc_kind_warning] = "warning",     [toc_kind_module] = "module",
                [toc_kind_logs] = "logs",
        };

        return find(names, COUNT(names), kind);
}

const char *rule_signal_name(unsigned signal)
{
        static const char *const names[] = {
                [toc_signal_total] = "total",
                [toc_signal_per_second] = "per_second",
                [toc_signal_per_minute] = "per_minute",
                [toc_signal_per_hour] = "per_hour",
                [toc_signal_value] = "value",
                [toc_signal_growth] = "growth",
                [toc_signal_exhausts_s] = "exhausts_s",
                [toc_signal_p50_us] = "p50_us",
                [toc_signal_p90_us] = "p90_us",
                [toc_signal_p99_us] = "p99_us",
                [toc_signal_p999_us] = "p999_us",
                [toc_signal_max_us] = "max_us",
                [toc_signal_p50] = "p50",
                [toc_signal_p90] = "p90",
                [toc_signal_p99] = "p99",
                [toc_signal_p999] = "p999",
                [toc_signal_max] = "max",
                [toc_signal_silent_ms] = "silent_ms",
                [toc_signal_permille] = "permille",
                [toc_signal_burn_fast] = "burn_fast",
                [toc_signal_burn_slow] = "burn_slow",
                [toc_signal_oldest_ms] = "oldest_ms",
                [toc_signal_in_flight] = "in_flight",
                [toc_signal_lost] = "lost",
                [toc_signal_stalled_ms] = "stalled_ms",
                [toc_signal_backlog] = "backlog",
                [toc_signal_unreached_s] = "unreached_s",
                [toc_signal_live_bytes] = "live_bytes",
                [toc_signal_allocations] = "allocations",
                [toc_signal_cpu_permille] = "cpu_permille",
                [toc_signal_io_bytes_per_second] = "io_bytes_per_second",
                [toc_signal_descriptors] = "descriptors",
                [toc_signal_threads] = "threads",
                [toc_signal_leak] = "leak",
                [toc_signal_deadlock] = "deadlock",
                [toc_signal_lock_wait_ms] = "lock_wait_ms",
                [toc_signal_idle_bytes] = "idle_bytes",
        };

        return find(names, COUNT(names), signal);
}

const char *rule_op_name(unsigned op)
{
        static const char *const names[] = {
                [TOC_ABOVE_] = ">",  [TOC_ABOVE_ | TOC_EQUAL_] = ">=",
                [TOC_BELOW_] = "<",  [TOC_BELOW_ | TOC_EQUAL_] = "<=",
                [TOC_EQUAL_] = "==", [TOC_ABOVE_ | TOC_BELOW_] = "!=",
        };

        return find(names, COUNT(names), op);
}

const char *rule_severity_name(unsigned severity)
{
        static const char *const names[] = {
                [TOC_NOTE] = "note",
                [TOC_WARN] = "warn",
                [TOC_PAGE] = "page",
        };

        return find(names, COUNT(names), severity);
}

const char *rule_label(const struct toc_record *record)
{
        return record->kind == toc_kind_must_hit ? "" : record->labels;
}
