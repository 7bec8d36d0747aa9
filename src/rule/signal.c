/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that what a signal means is a line in a table. Windows, units and guards here are those
 * that <tocsin.h> promises ("Vocabulary") and doc/rules.md explains. */
#include "rule/signal.h"

enum { UP = TOC_ABOVE_, DOWN = TOC_BELOW_ };

/* clang-format off */
const struct signal rule_signals[] = {
        /* kind, signal, how, window_s, unit_s, side, volume, count */
        { toc_kind_counter,    toc_signal_total,       SIGNAL_TOTAL,   0, 0, 0, 0, 0 },
        { toc_kind_counter,    toc_signal_per_second,  SIGNAL_RATE,    10, 1, 0, 0, 0 },
        { toc_kind_counter,    toc_signal_per_minute,  SIGNAL_RATE,    60, 60, 0, 0, 0 },
        { toc_kind_counter,    toc_signal_per_hour,    SIGNAL_RATE,    3600, 3600, 0, 0, 0 },
        { toc_kind_gauge,      toc_signal_value,       SIGNAL_VALUE,   0, 0, 0, 0, 0 },
        { toc_kind_gauge,      toc_signal_growth,      SIGNAL_GROWTH,  300, 0, UP, 0, 6 },
        { toc_kind_gauge,      toc_signal_exhausts_s,  SIGNAL_EXHAUSTS, 300, 0, DOWN, 0, 4 },
        { toc_kind_level,      toc_signal_value,       SIGNAL_VALUE,   0, 0, 0, 0, 0 },
        { toc_kind_level,      toc_signal_growth,      SIGNAL_GROWTH,  300, 0, UP, 0, 6 },
        { toc_kind_level,      toc_signal_exhausts_s,  SIGNAL_EXHAUSTS, 300, 0, DOWN, 0, 4 },
        { toc_kind_timer,      toc_signal_p50_us,      SIGNAL_QUANTILE, 60, 0, UP, 10, 2 },
        { toc_kind_timer,      toc_signal_p90_us,      SIGNAL_QUANTILE, 60, 0, UP, 10, 10 },
        { toc_kind_timer,      toc_signal_p99_us,      SIGNAL_QUANTILE, 60, 0, UP, 100, 100 },
        { toc_kind_timer,      toc_signal_p999_us,     SIGNAL_QUANTILE, 60, 0, UP, 1000, 1000 },
        { toc_kind_timer,      toc_signal_max_us,      SIGNAL_QUANTILE, 60, 0, UP, 1, 0 },
        { toc_kind_sizes,      toc_signal_p50,         SIGNAL_QUANTILE, 60, 0, UP, 10, 2 },
        { toc_kind_sizes,      toc_signal_p90,         SIGNAL_QUANTILE, 60, 0, UP, 10, 10 },
        { toc_kind_sizes,      toc_signal_p99,         SIGNAL_QUANTILE, 60, 0, UP, 100, 100 },
        { toc_kind_sizes,      toc_signal_p999,        SIGNAL_QUANTILE, 60, 0, UP, 1000, 1000 },
        { toc_kind_sizes,      toc_signal_max,         SIGNAL_QUANTILE, 60, 0, UP, 1, 0 },
        { toc_kind_share,      toc_signal_permille,    SIGNAL_SHARE,   60, 0, 0, 20, 0 },
        { toc_kind_share,      toc_signal_burn_fast,   SIGNAL_BURN,    3600, 0, UP, 100, 0 },
        { toc_kind_share,      toc_signal_burn_slow,   SIGNAL_BURN,    86400, 0, UP, 100, 0 },
        { toc_kind_heartbeat,  toc_signal_silent_ms,   SIGNAL_SILENCE, 0, 0, 0, 0, 0 },
        { toc_kind_operation,  toc_signal_oldest_ms,   SIGNAL_OLDEST,  0, 0, 0, 0, 0 },
        { toc_kind_operation,  toc_signal_in_flight,   SIGNAL_OPEN,    0, 0, 0, 0, 0 },
        { toc_kind_flow,       toc_signal_lost,        SIGNAL_LOST,    10, 0, 0, 0, 0 },
        { toc_kind_flow,       toc_signal_stalled_ms,  SIGNAL_STALLED, 0, 0, 0, 0, 0 },
        { toc_kind_flow,       toc_signal_backlog,     SIGNAL_BACKLOG, 0, 0, 0, 0, 0 },
        /* Not since the start: a miss rings, and a minute without any more ends that. */
        { toc_kind_expectation, toc_signal_total,      SIGNAL_COUNT,   60, 0, 0, 0, 0 },
        { toc_kind_must_hit,   toc_signal_unreached_s, SIGNAL_UNREACHED, 0, 0, 0, 0, 0 },
        { toc_kind_error,      toc_signal_total,       SIGNAL_TOTAL,   0, 0, 0, 0, 0 },
        { toc_kind_error,      toc_signal_per_minute,  SIGNAL_RATE,    60, 60, 0, 0, 0 },
        { toc_kind_warning,    toc_signal_total,       SIGNAL_TOTAL,   0, 0, 0, 0, 0 },
        { toc_kind_warning,    toc_signal_per_minute,  SIGNAL_RATE,    60, 60, 0, 0, 0 },
        { toc_kind_logs,       toc_signal_total,       SIGNAL_TOTAL,   0, 0, 0, 0, 0 },
        { toc_kind_logs,       toc_signal_per_minute,  SIGNAL_RATE,    60, 60, 0, 0, 0 },
        { toc_kind_module,     toc_signal_live_bytes,  SIGNAL_GIVEN,  0, 0, 0, 0, 0 },
        { toc_kind_module,     toc_signal_allocations, SIGNAL_GIVEN,  0, 0, 0, 0, 0 },
        { toc_kind_module,     toc_signal_cpu_permille, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },
        { toc_kind_module,     toc_signal_io_bytes_per_second, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },
        { toc_kind_module,     toc_signal_descriptors, SIGNAL_GIVEN,  0, 0, 0, 0, 0 },
        { toc_kind_module,     toc_signal_threads,     SIGNAL_GIVEN,  0, 0, 0, 0, 0 },
        { toc_kind_module,     toc_signal_leak,        SIGNAL_GIVEN,  0, 0, 0, 0, 0 },
        { toc_kind_module,     toc_signal_deadlock,    SIGNAL_GIVEN,  0, 0, 0, 0, 0 },
        { toc_kind_module,     toc_signal_lock_wait_ms, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },
        { toc_kind_module,     toc_signal_idle_bytes,  SIGNAL_GIVEN,  0, 0, 0, 0, 0 },
};
/* clang-format on */
const size_t rule_signal_count = sizeof(rule_signals) / sizeof(rule_signals[0]);

const struct signal *signal_find(unsigned kind, unsigned signal)
{
        for (size_t i = 0; i < rule_signal_count; i++)
                if (rule_signals[i].kind == kind && rule_signals[i].signal == signal)
                        return &rule_signals[i];
        return NULL;
}

uint32_t signal_window_s(const struct signal *signal, const struct toc_rule *rule)
{
        return signal->window_s && rule->window_s ? rule->window_s : signal->window_s;
}

uint32_t signal_reach_s(const struct signal *signal, const struct toc_rule *rule)
{
        bool is_row = signal->how == SIGNAL_GROWTH || signal->how == SIGNAL_EXHAUSTS;

        return signal_window_s(signal, rule) * (is_row ? signal->count : 1);
}

uint32_t signal_volume(const struct signal *signal, const struct toc_rule *rule)
{
        return signal->volume && rule->volume_min ? rule->volume_min : signal->volume;
}

unsigned signal_clear_op(unsigned op)
{
        unsigned side = op & (TOC_ABOVE_ | TOC_BELOW_);

        return side == (TOC_ABOVE_ | TOC_BELOW_) ? 0 : side;
}
