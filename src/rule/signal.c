/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that what a signal means is a line in a table. Windows and units here are those that
 * <tocsin.h> promises ("Vocabulary") and doc/rules.md explains. */
#include "rule/signal.h"

/* clang-format off */
const struct signal rule_signals[] = {
        /* kind                 signal                  how             window_s  unit_s */
        { toc_kind_counter,     toc_signal_total,       SIGNAL_TOTAL,          0,    0 },
        { toc_kind_counter,     toc_signal_per_second,  SIGNAL_RATE,          10,    1 },
        { toc_kind_counter,     toc_signal_per_minute,  SIGNAL_RATE,          60,   60 },
        { toc_kind_counter,     toc_signal_per_hour,    SIGNAL_RATE,        3600, 3600 },
        { toc_kind_gauge,       toc_signal_value,       SIGNAL_VALUE,          0,    0 },
        { toc_kind_level,       toc_signal_value,       SIGNAL_VALUE,          0,    0 },
        { toc_kind_heartbeat,   toc_signal_silent_ms,   SIGNAL_SILENCE,        0,    0 },
        /* Not since the start: a miss rings, and a minute without any more ends that. */
        { toc_kind_expectation, toc_signal_total,       SIGNAL_COUNT,         60,    0 },
        { toc_kind_error,       toc_signal_total,       SIGNAL_TOTAL,          0,    0 },
        { toc_kind_error,       toc_signal_per_minute,  SIGNAL_RATE,          60,   60 },
        { toc_kind_warning,     toc_signal_total,       SIGNAL_TOTAL,          0,    0 },
        { toc_kind_warning,     toc_signal_per_minute,  SIGNAL_RATE,          60,   60 },
        { toc_kind_logs,        toc_signal_total,       SIGNAL_TOTAL,          0,    0 },
        { toc_kind_logs,        toc_signal_per_minute,  SIGNAL_RATE,          60,   60 },
        { toc_kind_module,      toc_signal_live_bytes,  SIGNAL_ABSENT,         0,    0 },
        { toc_kind_module,      toc_signal_allocations, SIGNAL_ABSENT,         0,    0 },
        { toc_kind_module,      toc_signal_cpu_permille, SIGNAL_ABSENT,        0,    0 },
        { toc_kind_module,      toc_signal_io_bytes_per_second, SIGNAL_ABSENT, 0,    0 },
        { toc_kind_module,      toc_signal_descriptors, SIGNAL_ABSENT,         0,    0 },
        { toc_kind_module,      toc_signal_threads,     SIGNAL_ABSENT,         0,    0 },
        { toc_kind_module,      toc_signal_leak,        SIGNAL_ABSENT,         0,    0 },
        { toc_kind_module,      toc_signal_deadlock,    SIGNAL_ABSENT,         0,    0 },
        { toc_kind_module,      toc_signal_lock_wait_ms, SIGNAL_ABSENT,        0,    0 },
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

bool reading_holds(const struct reading *reading, unsigned op, int64_t limit)
{
        /* n / per against limit, without the division: 96 bits at most on the right. */
        signal_wide right = (signal_wide)limit * reading->per;

        if (reading->n > right)
                return op & TOC_ABOVE_;
        if (reading->n < right)
                return op & TOC_BELOW_;
        return op & TOC_EQUAL_;
}

bool reading_sticks(const struct reading *reading, unsigned op, int64_t clear_at)
{
        unsigned side = op & (TOC_ABOVE_ | TOC_BELOW_);

        if (clear_at == TOC_NO_CLEAR_LEVEL_ || side == (TOC_ABOVE_ | TOC_BELOW_))
                return false;
        return reading_holds(reading, side, clear_at);
}

int64_t reading_value(const struct reading *reading)
{
        signal_wide value = reading->n / reading->per;

        if (value > INT64_MAX)
                return INT64_MAX;
        return value < INT64_MIN ? INT64_MIN : (int64_t)value;
}
