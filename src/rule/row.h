/* SPDX-License-Identifier: Apache-2.0 */
/* row.h - one probe: what its cells stood at, what that means, and its rules.
 *
 * An evaluation is row_sample, then row_remember if it is a tick, then row_judge for each rule. A
 * row that sums others (of kind toc_kind_logs) has no cell: row_clear, row_include for each, and on
 * as above.
 *
 * Units:     nanoseconds of the set's clock, never going back.
 * Ownership: a row borrows its record until row_own has made a copy.
 * Errors:    0 or -ENOMEM. Only row_init and row_own allocate. */
#ifndef RULE_ROW_H
#define RULE_ROW_H

#include "rule/flow.h"
#include "rule/history.h"
#include "rule/open.h"
#include "rule/rule.h"
#include "rule/series.h"
#include "rule/signal.h"
#include "rule/state.h"
#include "rule/tally.h"
#include "rule/trend.h"

#define ROW_NONE UINT32_MAX

/* A rule. What an evaluation needs is copied out of the record, which stays out of the cache. */
struct judge {
        const struct signal *signal; /* NULL: there is no rule in this slot */
        int64_t limit;
        int64_t clear_at;
        uint32_t op;
        uint32_t window_s; /* 0: looks at none */
        uint32_t history;  /* which one it counts in */
        struct state state;
        bool has_value;
        int64_t value; /* row_value() is what people see */
};

struct row {
        const struct toc_record *record;
        struct toc_record *copy; /* NULL: the record is lent */
        uint64_t began_ns;
        uint32_t kind;   /* enum toc_kind */
        bool from_start; /* whatever is counted was counted since began_ns */
        bool is_sampled;
        bool is_declared;       /* a sum whose rules stand in a TOC_LOGS */
        bool is_shut;           /* a must-hit whose gate says that it need not be */
        uint32_t sum;           /* the row that includes this one, or ROW_NONE */
        uint32_t gate;          /* of a must-hit: the gauge's row, or ROW_NONE ... */
        uint32_t rows_searched; /* ... while it is not among the first so many */
        struct series series;   /* the first cell */
        const uint64_t *given;  /* of a module, in the latest sample; NULL: nobody sees inside it */
        uint64_t beat_ns;       /* a heartbeat: when it was first seen changed */
        union {                 /* by kind; NULL if no rule needs it */
                void *any;
                struct trend *trend; /* gauge, level */
                struct tally *tally; /* share, timer, sizes */
                struct open *open;   /* operation */
                struct flow *flow;
        } past;
        struct judge judge[2];
        struct history history[2];
};

/* The record has passed rule_check. */
int row_init(struct row *row, const struct toc_record *record, uint64_t began_ns, bool from_start);
void row_fini(struct row *row);

/* Copies the record. On failure the row is as before. */
int row_own(struct row *row);

/* What it takes of memory, the struct, its record and all. */
size_t row_bytes(const struct row *row);

/* A row of kind toc_kind_logs. */
bool row_is_sum(const struct row *row);

/* How far back its rules look; 0 if they do not. */
uint32_t row_reach_s(const struct row *row);

/* Sample and cells are needed until all rules are judged. */
void row_sample(struct row *row, uint64_t t_ns, const struct rule_sample *sample);
void row_clear(struct row *sum);
void row_include(struct row *sum, const struct row *row);
void row_remember(struct row *row, uint64_t tick, uint64_t t_ns);

/* Evaluates the rule in that slot. True if its state changed. */
bool row_judge(struct row *row, uint32_t slot, const struct ticks *ticks, uint64_t t_ns);

/* Of the signal in the latest evaluation, as people see it. */
int64_t row_value(const struct row *row, uint32_t slot);

#endif
