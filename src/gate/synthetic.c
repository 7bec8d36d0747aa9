/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a rule that can never ring looks just like one that never had to. What ought to
 * make it ring is rule/scenario.h's matter; here the rules that watch real processes are shown it.
 */
#include "gate/synthetic.h"
#include "base/clock.h"
#include "rule/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A rule, the site that feeds it or its gate, and what that site adds: the sum of its module. */
enum { row_max = 4, words_max = sizeof(struct toc_histogram_) / 8 };

/* One rule alone in a set. */
struct trial {
        struct toc_record record; /* with that one rule, in slot 0 */
        struct rule_set *set;
        uint32_t row;  /* the one that is driven */
        uint32_t gate; /* and what shuts it; row_max: nothing does */
        uint64_t words[row_max][words_max];
};

static int add_other(struct trial *trial, unsigned kind, const char *name, uint32_t *ret_row)
{
        struct toc_record other = { .version = 1, .kind = (uint8_t)kind };

        other.flags = kind == toc_kind_gauge ? 0 : TOC_IS_USUAL_;
        memcpy(other.module, trial->record.module, sizeof(other.module));
        (void)snprintf(other.name, sizeof(other.name), "%s", name); /* fits: a name of a probe */
        return rule_set_add(trial->set, &other, 0, true, ret_row);
}

/* A sum of log lines has no cell: it is driven by a site of that module. */
static int add_rows(struct trial *trial)
{
        const struct toc_record *record = &trial->record;
        int error = rule_set_add(trial->set, record, 0, true, &trial->row);

        trial->gate = row_max;
        if (!error && record->kind == toc_kind_logs)
                error = add_other(trial,
                                  strcmp(record->name, "log_errors") == 0 ? toc_kind_error
                                                                          : toc_kind_warning,
                                  "site", &trial->row);
        if (!error && record->kind == toc_kind_must_hit && record->labels[0])
                error = add_other(trial, toc_kind_gauge, record->labels, &trial->gate);
        return error;
}

static int tick(struct trial *trial, const struct scenario *scenario, uint32_t step)
{
        struct rule_sample samples[row_max];
        struct scenario_cells cells;
        const struct rule_change *changes;
        size_t count;

        scenario_at(scenario, step, &cells);
        scenario_spread(scenario, &cells, trial->words[trial->row]);
        if (trial->gate < row_max)
                trial->words[trial->gate][0] = (uint64_t)cells.gate;
        for (size_t i = 0; i < row_max; i++)
                samples[i] = (struct rule_sample){ .cells = trial->words[i] };
        if (cells.open) {
                samples[trial->row].open = &cells.open;
                samples[trial->row].open_count = 1;
        }
        return rule_set_tick(trial->set, (uint64_t)step * scenario->step_s * CLOCK_S_NS, samples,
                             rule_set_rows(trial->set), &changes, &count);
}

static bool is_ringing(const struct trial *trial)
{
        struct rule_view view;

        return rule_set_view(trial->set, 0, &view) == 0 && view.state == RULE_FIRING;
}

/* Whether it rang at any step, and still does after the last. */
static int play(struct trial *trial, const struct scenario *scenario, bool *ret_rang,
                bool *ret_rings)
{
        bool rang = false;
        int error = rule_set_new(&trial->set, 0);

        memset(trial->words, 0, sizeof(trial->words));
        if (!error)
                error = add_rows(trial);
        for (uint32_t i = 0; i < scenario->steps && !error; i++) {
                error = tick(trial, scenario, i);
                rang |= !error && is_ringing(trial);
        }
        *ret_rings = !error && is_ringing(trial);
        *ret_rang = rang;
        rule_set_free(&trial->set);
        return error;
}

/* What a process counted since its start never falls: it ends with the process, and the question is
 * whether the next one is left in peace. */
static int judge_restart(struct trial *trial, enum synthetic_verdict *ret_verdict)
{
        struct scenario near;
        bool rang = true, rings;
        int error = 0;

        if (scenario_make(&trial->record, 0, SCENARIO_NEAR, 0, &near) == SCENARIO_MADE &&
            near.signal->how == SIGNAL_TOTAL)
                error = play(trial, &near, &rang, &rings);
        *ret_verdict = rang ? SYNTHETIC_CANNOT_CLEAR : SYNTHETIC_RINGS_AND_CLEARS;
        return error;
}

static int judge(struct trial *trial, enum synthetic_verdict *ret_verdict)
{
        struct scenario loud;
        bool rang, rings;
        int error;

        switch (scenario_make(&trial->record, 0, SCENARIO_LOUD, 0, &loud)) {
        case SCENARIO_MADE:
                break;
        case SCENARIO_NO_RULE:
                *ret_verdict = SYNTHETIC_NO_RULE;
                return 0;
        case SCENARIO_CANNOT_RING:
                *ret_verdict = SYNTHETIC_CANNOT_FIRE;
                return 0;
        default:
                *ret_verdict = SYNTHETIC_NOT_JUDGED;
                return 0;
        }
        error = play(trial, &loud, &rang, &rings);
        *ret_verdict = !rang   ? SYNTHETIC_CANNOT_FIRE
                       : rings ? SYNTHETIC_CANNOT_CLEAR
                               : SYNTHETIC_RINGS_AND_CLEARS;
        return !error && rang && loud.ends_at == SCENARIO_NEVER ? judge_restart(trial, ret_verdict)
                                                                : error;
}

int synthetic_judge(const struct toc_record *record, unsigned slot,
                    enum synthetic_verdict *ret_verdict)
{
        struct trial trial = { .record = *record };
        const char *why;

        if (slot > 1 || rule_check(record, &why) != 0)
                return -EINVAL;
        trial.record.rule[0] = record->rule[slot];
        memset(&trial.record.rule[1], 0, sizeof(trial.record.rule[1]));
        return judge(&trial, ret_verdict);
}

const char *synthetic_name(enum synthetic_verdict verdict)
{
        static const char *const names[] = { "no rule", "rings and clears", "cannot fire",
                                             "cannot clear", "not judged here" };

        return (unsigned)verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] : "?";
}
