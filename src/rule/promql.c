/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because Prometheus is to ring when we ring, and its own words do not: increase()
 * extrapolates, misses what a first sample or a restart brings, and histogram_quantile() guesses.
 * So events are counted as integers, scrape by scrape:
 *
 *     what m grew by since the scrape before, in the same process
 *     or all of it: it was reset, or is another process's, or is new
 *     or 0: first seen in a process that is older than the window
 *
 * The scrape before is the latest within 5 minutes, stale markers passed over, so that one failed
 * scrape costs nothing. What the other lines yield must have lost its name (m * 1) as the
 * difference has, or sum_over_time() finds two series where there is one.
 *
 * Windows and volumes stand here once more, beside those of signal.c: this is a second statement of
 * what a rule means, and conformance compares the two. */
#include "rule/promql.h"
#include "rule/metric.h"

#include <errno.h>

#define STARTED   "process_start_time_seconds"
#define SAME_HOST "and on(instance, job) "

enum { ABOVE = TOC_ABOVE_, BELOW = TOC_BELOW_, EQUAL = TOC_EQUAL_ };
enum { up = ABOVE | EQUAL, down = BELOW | EQUAL, any = ABOVE | BELOW | EQUAL };

struct writer {
        struct text *into;
        const struct toc_record *record;
        uint32_t slot;
        const struct toc_rule *rule;
        const struct form *form;
        uint32_t scrape_s;
};

/* How a signal is said. `say` writes that it compares so with that level. */
struct form {
        uint8_t kind; /* 0: whichever has the signal */
        uint8_t signal;
        uint8_t ops; /* those that it may be compared with */
        uint32_t window_s;
        uint32_t volume_min;
        uint32_t per; /* rates: seconds; quantiles: of so many values one may be over, 0: none */
        void (*say)(const struct writer *writer, unsigned op, int64_t level);
};

/* ---- Parts of expressions -----------------------------------------------------------------*/

/* A window of less than a scrape would often hold no sample, and never ring. */
static uint32_t widened(const struct writer *writer, uint32_t window_s)
{
        return window_s < writer->scrape_s ? writer->scrape_s : window_s;
}

/* Where scrapes are counted one by one: as many as a window can touch, wherever it begins. */
static uint32_t stepped(const struct writer *writer, uint32_t window_s)
{
        return (window_s + writer->scrape_s - 1) / writer->scrape_s * writer->scrape_s;
}

/* A rule that rings at too few events counts them in as many scrapes as lie within its window: one
 * more could hide what it is about. */
static uint32_t counted(const struct writer *writer, uint32_t window_s)
{
        bool at_too_few = (writer->rule->op & (ABOVE | BELOW)) == BELOW;

        if (!at_too_few || window_s < writer->scrape_s)
                return stepped(writer, window_s);
        return window_s / writer->scrape_s * writer->scrape_s;
}

static uint32_t rule_window(const struct writer *writer)
{
        return writer->form->window_s && writer->rule->window_s ? writer->rule->window_s
                                                                : writer->form->window_s;
}

static uint32_t rule_volume(const struct writer *writer)
{
        return writer->rule->volume_min ? writer->rule->volume_min : writer->form->volume_min;
}

static void say_series(const struct writer *writer, const char *suffix, const char *le)
{
        metric_append(writer->into, writer->record, suffix, le);
}

static void say_before(const struct writer *writer, const char *suffix, const char *le)
{
        text_append(writer->into, "last_over_time(");
        say_series(writer, suffix, le);
        text_printf(writer->into, "[5m] offset %us)", writer->scrape_s);
}

/* op level, times a factor; exact as far as a double is. */
static void say_level(const struct writer *writer, unsigned op, int64_t level, uint64_t factor)
{
        text_printf(writer->into, " %s %.0Lf", rule_op_name(op), (long double)level * factor);
}

/* The opening and closing of a range over what stands between, sample by sample. */
static void say_range(const struct writer *writer, uint32_t window_s)
{
        text_printf(writer->into, ")[%llums:%us])", stepped(writer, window_s) * 1000ULL - 1,
                    writer->scrape_s);
}

/* How many events the series counted in (t-W, t]. What a first sample brings counts if the process
 * is younger than the rule's window, in the shorter one of a burn too: parts and wholes agree. */
static void say_events(const struct writer *writer, const char *suffix, const char *le,
                       uint32_t window_s)
{
        text_append(writer->into, "sum_over_time((");
        say_series(writer, suffix, le);
        text_append(writer->into, " - ");
        say_before(writer, suffix, le);
        text_printf(writer->into,
                    " >= 0 " SAME_HOST "(" STARTED " == last_over_time(" STARTED
                    "[5m] offset %us)) or ",
                    writer->scrape_s);
        say_series(writer, suffix, le);
        text_printf(writer->into,
                    " * 1 " SAME_HOST "(last_over_time(" STARTED
                    "[5m] offset %us) or time() - " STARTED " <= %u) or ",
                    writer->scrape_s, stepped(writer, rule_window(writer)));
        say_series(writer, suffix, le);
        text_append(writer->into, " * 0");
        say_range(writer, window_s);
}

static void say_volume(const struct writer *writer, const char *suffix, uint32_t window_s)
{
        text_append(writer->into, " and ");
        say_events(writer, suffix, NULL, window_s);
        text_printf(writer->into, " >= %u", rule_volume(writer));
}

/* ---- Signals ------------------------------------------------------------------------------*/

static const char *value_suffix(unsigned kind)
{
        return kind == toc_kind_operation ? "_in_flight" : metric_suffixes(kind)[0];
}

static void say_value(const struct writer *writer, unsigned op, int64_t level)
{
        say_series(writer, value_suffix(writer->record->kind), NULL);
        say_level(writer, op, level, 1);
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
        while (b) {
                uint32_t rest = a % b;

                a = b;
                b = rest;
        }
        return a;
}

/* n events in W seconds against a limit per U seconds: n * U against limit * W. */
static void say_rate(const struct writer *writer, unsigned op, int64_t level)
{
        uint32_t window_s = rule_window(writer);
        uint32_t per = writer->form->per ? writer->form->per : window_s; /* a count is no rate */
        uint32_t divisor = common_divisor(per, window_s);

        say_events(writer, "_total", NULL, counted(writer, window_s));
        if (per > divisor)
                text_printf(writer->into, " * %u", per / divisor);
        say_level(writer, op, level, window_s / divisor);
}

/* By how much the minimum of the window that ended j windows ago is above the one before. */
static void say_rises(const struct writer *writer, uint32_t count, unsigned op, int64_t level)
{
        uint32_t window_s = widened(writer, rule_window(writer));

        for (uint32_t j = 0; j < count; j++) {
                for (uint32_t back = j; back <= j + 1; back++) {
                        text_append(writer->into, back > j ? " - " : j > 0 ? " and " : "");
                        text_append(writer->into, "min_over_time(");
                        say_series(writer, "", NULL);
                        text_printf(writer->into, "[%llums]", window_s * 1000ULL - 1);
                        if (back)
                                text_printf(writer->into, " offset %llus",
                                            (unsigned long long)window_s * back);
                        text_append(writer->into, ")");
                }
                say_level(writer, op, level, 1);
        }
}

static void say_growth(const struct writer *writer, unsigned op, int64_t level)
{
        say_rises(writer, 5, op, level);
}

/* Prometheus draws the line in doubles. A line that just touches the capacity must not ring for <,
 * and must for <=, whatever the last bits say. */
static void say_exhausts(const struct writer *writer, unsigned op, int64_t level)
{
        say_rises(writer, 3, ABOVE, 0);
        text_append(writer->into, " and predict_linear(");
        say_series(writer, "", NULL);
        text_printf(writer->into, "[%llums], %lld) %s %lld * (1 %s 1e-9)",
                    widened(writer, rule_window(writer)) * 3000ULL - 1, (long long)level,
                    op & EQUAL ? ">=" : ">", (long long)writer->rule->capacity,
                    op & EQUAL ? "-" : "+");
}

/* Those over the limit are those that are not in its bucket. over * K > n is (K-1) * n > K * in. */
static void say_quantile(const struct writer *writer, unsigned op, int64_t level)
{
        bool is_timer = writer->record->kind == toc_kind_timer;
        const char *count = is_timer ? "_seconds_count" : "_count";
        uint32_t of = writer->form->per;
        char le[32];

        (void)op; /* both are in the bound */
        (void)level;
        metric_bound(writer->record, writer->slot, le, sizeof(le));
        say_events(writer, count, NULL, rule_window(writer));
        if (of > 2)
                text_printf(writer->into, " * %u", of - 1);
        text_append(writer->into, " > ignoring(le) ");
        say_events(writer, is_timer ? "_seconds_bucket" : "_bucket", le, rule_window(writer));
        if (of)
                text_printf(writer->into, " * %u", of);
        if (rule_volume(writer) > 1) /* what is over is one, at least */
                say_volume(writer, count, rule_window(writer));
}

/* part / whole against level * factor thousandths, the division aside. */
static void say_part(const struct writer *writer, unsigned op, int64_t level, uint64_t factor,
                     uint32_t window_s)
{
        say_events(writer, "_part_total", NULL, window_s);
        text_append(writer->into, " * 1000");
        say_level(writer, op, level, factor);
        text_append(writer->into, " * ");
        say_events(writer, "_whole_total", NULL, window_s);
}

static void say_permille(const struct writer *writer, unsigned op, int64_t level)
{
        say_part(writer, op, level, 1, rule_window(writer));
        say_volume(writer, "_whole_total", rule_window(writer));
}

/* Both windows spend the budget so many times too fast. */
static void say_burn(const struct writer *writer, unsigned op, int64_t level)
{
        uint32_t long_s = rule_window(writer);
        uint32_t short_s = long_s >= 12 ? long_s / 12 : 1;
        uint64_t budget = 1000U - writer->rule->objective_permille;

        say_part(writer, op, level, budget, long_s);
        say_volume(writer, "_whole_total", long_s);
        text_append(writer->into, " and ");
        say_part(writer, op, level, budget, short_s);
        text_append(writer->into, " and ");
        say_events(writer, "_whole_total", NULL, short_s);
        text_append(writer->into, " > 0");
}

static void say_since(const struct writer *writer, unsigned op, int64_t level)
{
        bool is_flow = writer->record->kind == toc_kind_flow;

        text_append(writer->into, "(time() - ");
        say_series(writer, is_flow ? "_progress_timestamp_seconds" : "_beat_timestamp_seconds",
                   NULL);
        text_append(writer->into, ") * 1000");
        say_level(writer, op, level, 1);
}

/* 0 while no operation is open. */
static void say_oldest(const struct writer *writer, unsigned op, int64_t level)
{
        static const char suffix[] = "_oldest_start_timestamp_seconds";

        text_append(writer->into, "(time() - ");
        say_series(writer, suffix, NULL);
        text_append(writer->into, ") * (");
        say_series(writer, suffix, NULL);
        text_append(writer->into, " > bool 0) * 1000");
        say_level(writer, op, level, 1);
}

static void say_difference(const struct writer *writer, uint32_t count)
{
        const char *const *suffix = metric_suffixes(toc_kind_flow);

        for (uint32_t i = 0; i < count; i++) {
                text_append(writer->into, i ? " - " : "");
                say_series(writer, suffix[i], NULL);
        }
}

static void say_backlog(const struct writer *writer, unsigned op, int64_t level)
{
        say_difference(writer, 3);
        say_level(writer, op, level, 1);
}

/* The difference as it is, if nothing moved since the scrape before; else what is left of it all
 * through the window, if it has one sign there; else 0. */
static void say_lost(const struct writer *writer, unsigned op, int64_t level)
{
        const char *const *suffix = metric_suffixes(toc_kind_flow);

        text_append(writer->into, "(((");
        say_difference(writer, 4);
        text_append(writer->into, ")");
        for (uint32_t i = 0; i < 4; i++) {
                text_append(writer->into, " and ");
                say_series(writer, suffix[i], NULL);
                text_append(writer->into, " == ");
                say_before(writer, suffix[i], NULL);
        }
        text_append(writer->into, ") or min_over_time((");
        say_difference(writer, 4);
        say_range(writer, rule_window(writer));
        text_append(writer->into, " > 0 or max_over_time((");
        say_difference(writer, 4);
        say_range(writer, rule_window(writer));
        text_append(writer->into, " < 0 or (");
        say_difference(writer, 4);
        text_append(writer->into, ") * 0)");
        say_level(writer, op, level, 1);
}

static void say_unreached(const struct writer *writer, unsigned op, int64_t level)
{
        say_series(writer, "_total", NULL);
        text_append(writer->into, " == 0 " SAME_HOST "(time() - " STARTED);
        say_level(writer, op, level, 1);
        text_append(writer->into, ")");
        if (writer->record->labels[0])
                text_printf(writer->into, " " SAME_HOST "(%s_%s != 0)", writer->record->module,
                            writer->record->labels);
}

/* clang-format off */
static const struct form forms[] = {
        /* kind                 signal                  ops   window  volume per  how */
        { toc_kind_expectation, toc_signal_total,       any,      60,    0,    0, say_rate },
        { 0,                    toc_signal_total,       any,       0,    0,    0, say_value },
        { 0,                    toc_signal_per_second,  any,      10,    0,    1, say_rate },
        { 0,                    toc_signal_per_minute,  any,      60,    0,   60, say_rate },
        { 0,                    toc_signal_per_hour,    any,    3600,    0, 3600, say_rate },
        { 0,                    toc_signal_value,       any,       0,    0,    0, say_value },
        { 0,                    toc_signal_growth,      up,      300,    0,    0, say_growth },
        { 0,                    toc_signal_exhausts_s,  down,    300,    0,    0, say_exhausts },
        { 0,                    toc_signal_p50_us,      up,       60,   10,    2, say_quantile },
        { 0,                    toc_signal_p90_us,      up,       60,   10,   10, say_quantile },
        { 0,                    toc_signal_p99_us,      up,       60,  100,  100, say_quantile },
        { 0,                    toc_signal_p999_us,     up,       60, 1000, 1000, say_quantile },
        { 0,                    toc_signal_max_us,      up,       60,    1,    0, say_quantile },
        { 0,                    toc_signal_p50,         up,       60,   10,    2, say_quantile },
        { 0,                    toc_signal_p90,         up,       60,   10,   10, say_quantile },
        { 0,                    toc_signal_p99,         up,       60,  100,  100, say_quantile },
        { 0,                    toc_signal_p999,        up,       60, 1000, 1000, say_quantile },
        { 0,                    toc_signal_max,         up,       60,    1,    0, say_quantile },
        { 0,                    toc_signal_silent_ms,   any,       0,    0,    0, say_since },
        { 0,                    toc_signal_permille,    any,      60,   20,    0, say_permille },
        { 0,                    toc_signal_burn_fast,   up,     3600,  100,    0, say_burn },
        { 0,                    toc_signal_burn_slow,   up,    86400,  100,    0, say_burn },
        { 0,                    toc_signal_oldest_ms,   any,       0,    0,    0, say_oldest },
        { 0,                    toc_signal_in_flight,   any,       0,    0,    0, say_value },
        { 0,                    toc_signal_lost,        any,      10,    0,    0, say_lost },
        { 0,                    toc_signal_stalled_ms,  any,       0,    0,    0, say_since },
        { 0,                    toc_signal_backlog,     any,       0,    0,    0, say_backlog },
        { 0,                    toc_signal_unreached_s, ABOVE,     0,    0,    0, say_unreached },
        /* Budgets are gauges of their own names, whatever they measure. */
        { toc_kind_module,      0,                      any,       0,    0,    0, say_value },
};
/* clang-format on */

/* ---- The rule -----------------------------------------------------------------------------*/

static const struct form *form_find(const struct toc_record *record, uint32_t slot)
{
        const struct toc_rule *rule = &record->rule[slot];

        if (slot > 1 || !rule->severity)
                return NULL;
        for (size_t i = 0; i < BASE_COUNT(forms); i++)
                if ((!forms[i].kind || forms[i].kind == record->kind) &&
                    (!forms[i].signal || forms[i].signal == rule->signal))
                        return rule->op & ~forms[i].ops ? NULL : &forms[i];
        return NULL;
}

uint32_t promql_window_s(const struct toc_record *record, uint32_t slot, uint32_t scrape_s)
{
        const struct form *form = form_find(record, slot);
        struct writer writer = { .form = form, .scrape_s = scrape_s };

        if (!form || !form->window_s)
                return 0;
        writer.rule = &record->rule[slot];
        if (form->say == say_growth || form->say == say_exhausts)
                return widened(&writer, rule_window(&writer));
        return form->say == say_rate ? counted(&writer, rule_window(&writer))
                                     : stepped(&writer, rule_window(&writer));
}

/* Rings on until the signal is back at the clear level. Labelled probes share a name: their alerts
 * are told apart by the label, which stays on the result. */
static void say_hysteresis(const struct writer *writer, const char *alert)
{
        const struct toc_rule *rule = writer->rule;
        unsigned side = rule->op & (ABOVE | BELOW);

        if (rule->clear_at == TOC_NO_CLEAR_LEVEL_ || side == (ABOVE | BELOW) || !side)
                return;
        text_append(writer->into, " or (");
        writer->form->say(writer, side, rule->clear_at);
        text_append(writer->into, ") " SAME_HOST "(ALERTS{alertname=");
        metric_append_quoted(writer->into, alert);
        text_append(writer->into, ",alertstate=\"firing\"");
        if (*rule_label(writer->record)) {
                text_append(writer->into, ",label=");
                metric_append_quoted(writer->into, writer->record->labels);
        }
        text_append(writer->into, "} == 1)");
}

int promql_expr(struct text *into, const struct toc_record *record, uint32_t slot,
                const struct promql *how)
{
        const struct form *form = form_find(record, slot);
        struct writer writer = { into, record, slot, NULL, form, how->scrape_s };

        if (!form || !how->scrape_s || how->scrape_s > PROMQL_SCRAPE_MAX_S)
                return -EINVAL;
        writer.rule = &record->rule[slot];
        form->say(&writer, writer.rule->op, writer.rule->limit);
        say_hysteresis(&writer, how->alert);
        return 0;
}
