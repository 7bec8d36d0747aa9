/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a rule that can never ring looks just like one that never had to.
 */
#include "gate/synthetic.h"
#include "base/clock.h"
#include "rule/signal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { delay_max_s = 86400, level_max = 12 };

/* One rule alone in a set, and the cell that it looks at. */
struct trial {
        struct toc_record record; /* with that one rule, in slot 0 */
        const struct toc_rule *rule;
        const struct signal *signal;
        struct rule_set *set;
        uint32_t row; /* the one that is driven */
        uint64_t values[4];
        uint64_t now_ns;
};

/* Values of the signal to try, nearest to the limit first. */
struct levels {
        int64_t at[level_max];
        size_t count;
};

static uint32_t window_s(const struct trial *trial)
{
        return signal_window_s(trial->signal, trial->rule);
}

/* Events in what time the signal's number means. */
static uint32_t unit_s(const struct trial *trial)
{
        return trial->signal->unit_s ? trial->signal->unit_s : window_s(trial);
}

/* A sum of log lines has no cell: it is driven by a site of that module. */
static int add_rows(struct trial *trial)
{
        struct toc_record site = { .version = 1, .flags = TOC_IS_USUAL_, .name = "site" };
        int error = rule_set_add(trial->set, &trial->record, 0, true, &trial->row);

        if (error || trial->record.kind != toc_kind_logs)
                return error;
        site.kind =
                strcmp(trial->record.name, "log_errors") == 0 ? toc_kind_error : toc_kind_warning;
        memcpy(site.module, trial->record.module, sizeof(site.module));
        return rule_set_add(trial->set, &site, 0, true, &trial->row);
}

static int begin(struct trial *trial)
{
        int error;

        rule_set_free(&trial->set);
        error = rule_set_new(&trial->set, 0);
        if (!error)
                error = add_rows(trial);
        memset(trial->values, 0, sizeof(trial->values));
        trial->now_ns = 0;
        if (trial->record.kind == toc_kind_gauge)
                trial->values[trial->row] = (uint64_t)TOC_GAUGE_UNSET_;
        return error;
}

static bool is_ringing(const struct trial *trial)
{
        struct rule_view view;

        return rule_set_view(trial->set, 0, &view) == 0 && view.state == RULE_FIRING;
}

static int tick(struct trial *trial, uint64_t after_ns)
{
        const struct rule_change *changes;
        struct rule_sample samples[BASE_COUNT(trial->values)];
        size_t count;

        for (size_t i = 0; i < BASE_COUNT(samples); i++)
                samples[i] = (struct rule_sample){ .cells = &trial->values[i] };
        trial->now_ns += after_ns;
        return rule_set_tick(trial->set, trial->now_ns, samples, rule_set_rows(trial->set),
                             &changes, &count);
}

/* The cell after `second` more seconds during which the signal is to stand at `level`. */
static uint64_t cell_at(const struct trial *trial, uint64_t before, int64_t level, uint64_t second)
{
        switch (trial->signal->how) {
        case SIGNAL_RATE:
        case SIGNAL_COUNT:
                return before + (uint64_t)((signal_wide)level * second / unit_s(trial));
        case SIGNAL_SILENCE:
                return level ? before : before + second; /* 0: it beats */
        default:
                return (uint64_t)level;
        }
}

/* Keeps the signal there until the rule rings or not, as is wanted, or has had its time. */
static int keep_at(struct trial *trial, int64_t level, bool wants_ringing, bool *ret_came)
{
        uint64_t before = trial->values[trial->row];
        uint64_t seconds = window_s(trial) + 3;
        int error = 0;

        seconds += wants_ringing ? trial->rule->hold_s : trial->rule->keep_s;
        if (trial->signal->how == SIGNAL_SILENCE && level) /* so long since the last beat */
                error = tick(trial, (uint64_t)level * CLOCK_MS_NS);
        for (uint64_t second = 1; !error && second <= seconds; second++) {
                if (is_ringing(trial) == wants_ringing && trial->now_ns > 0)
                        break;
                trial->values[trial->row] = cell_at(trial, before, level, second);
                error = tick(trial, CLOCK_S_NS);
        }
        *ret_came = is_ringing(trial) == wants_ringing;
        return error;
}

static bool is_reachable(const struct trial *trial, int64_t level)
{
        switch (trial->signal->how) {
        case SIGNAL_TOTAL:
                return level >= 0 && level < INT64_MAX;
        case SIGNAL_RATE:
        case SIGNAL_COUNT:
                return level >= 0 && level <= SYNTHETIC_RATE_MAX * unit_s(trial);
        case SIGNAL_SILENCE:
                return level >= 0 && level <= (int64_t)RULE_DELAY_MAX_S * 1000;
        case SIGNAL_VALUE:
                return level != TOC_GAUGE_UNSET_;
        default:
                return false;
        }
}

static void try_level(const struct trial *trial, struct levels *levels, int64_t from, int64_t by)
{
        int64_t level;

        if (__builtin_add_overflow(from, by, &level) || !is_reachable(trial, level) ||
            levels->count == level_max)
                return;
        for (size_t i = 0; i < levels->count; i++)
                if (levels->at[i] == level)
                        return;
        levels->at[levels->count++] = level;
}

static struct levels levels_of(const struct trial *trial)
{
        const struct toc_rule *rule = trial->rule;
        struct levels levels = { .count = 0 };
        /* Events are whole: a window may see one more or less than the rate says. */
        int64_t whole = window_s(trial) ? unit_s(trial) / window_s(trial) + 1 : 1;

        try_level(trial, &levels, rule->limit, 1);
        try_level(trial, &levels, rule->limit, -1);
        try_level(trial, &levels, rule->limit, 0);
        try_level(trial, &levels, rule->limit, whole);
        try_level(trial, &levels, rule->limit, -whole);
        if (rule->clear_at != TOC_NO_CLEAR_LEVEL_) {
                try_level(trial, &levels, rule->clear_at, 0);
                try_level(trial, &levels, rule->clear_at, whole);
                try_level(trial, &levels, rule->clear_at, -whole);
        }
        try_level(trial, &levels, 0, 0);
        return levels;
}

/* What a process counted since its start never falls: it ends with the process, and the question is
 * whether the next one is left in peace. */
static int clear_at(struct trial *trial, int64_t level, bool *ret_clears)
{
        bool rings_again = false;
        int error;

        if (trial->signal->how != SIGNAL_TOTAL)
                return keep_at(trial, level, false, ret_clears);
        error = begin(trial);
        if (!error)
                error = keep_at(trial, level, true, &rings_again);
        *ret_clears = !error && !rings_again;
        return error;
}

/* Whether it rings at that level, and falls silent at one of the others. */
static int judge_level(struct trial *trial, const struct levels *levels, size_t which,
                       bool *ret_rings, bool *ret_clears)
{
        int error = 0;

        *ret_rings = *ret_clears = false;
        for (size_t i = 0; !error && !*ret_clears && i < levels->count; i++) {
                error = begin(trial);
                if (!error)
                        error = keep_at(trial, levels->at[which], true, ret_rings);
                if (error || !*ret_rings)
                        return error;
                error = clear_at(trial, levels->at[i], ret_clears);
        }
        return error;
}

static int judge(struct trial *trial, enum synthetic_verdict *ret_verdict)
{
        struct levels levels = levels_of(trial);
        enum synthetic_verdict verdict = SYNTHETIC_CANNOT_FIRE;
        int error = 0;

        for (size_t i = 0; !error && i < levels.count && verdict != SYNTHETIC_RINGS_AND_CLEARS;
             i++) {
                bool rings;
                bool clears;

                error = judge_level(trial, &levels, i, &rings, &clears);
                if (!error && rings)
                        verdict = clears ? SYNTHETIC_RINGS_AND_CLEARS : SYNTHETIC_CANNOT_CLEAR;
        }
        rule_set_free(&trial->set);
        if (!error)
                *ret_verdict = verdict;
        return error;
}

int synthetic_judge(const struct toc_record *record, unsigned slot,
                    enum synthetic_verdict *ret_verdict)
{
        struct trial trial = { .record = *record };
        struct toc_rule *rule = &trial.record.rule[0];
        const char *why;

        if (slot > 1 || rule_check(record, &why) != 0)
                return -EINVAL;
        *rule = record->rule[slot];
        memset(&trial.record.rule[1], 0, sizeof(*rule));
        if (!rule->severity) {
                *ret_verdict = SYNTHETIC_NO_RULE;
                return 0;
        }
        if (rule->hold_s > delay_max_s)
                rule->hold_s = delay_max_s;
        if (rule->keep_s > delay_max_s)
                rule->keep_s = delay_max_s;
        trial.rule = rule;
        trial.signal = signal_find(record->kind, rule->signal);
        if (!trial.signal || trial.signal->how == SIGNAL_ABSENT) {
                *ret_verdict = SYNTHETIC_NOT_JUDGED;
                return 0;
        }
        return judge(&trial, ret_verdict);
}

const char *synthetic_name(enum synthetic_verdict verdict)
{
        static const char *const names[] = { "no rule", "rings and clears", "cannot fire",
                                             "cannot clear", "not judged here" };

        return (unsigned)verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] : "?";
}
