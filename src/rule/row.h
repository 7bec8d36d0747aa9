/* SPDX-License-Identifier: Apache-2.0 */
/* row.h - one probe: what its cell stood at, what that means, and its rules.
 *
 * An evaluation is row_sample, then row_remember if it is a tick, then row_judge for each rule. A
 * row that sums others (of kind toc_kind_logs) has no cell: row_clear, row_include for each, and on
 * as above.
 *
 * Units:     nanoseconds of the set's clock, never going back.
 * Ownership: a row owns its copy of the record, which stays where it is until row_fini.
 * Errors:    0 or -ENOMEM. Only row_init allocates. */
#ifndef RULE_ROW_H
#define RULE_ROW_H

#include "rule/history.h"
#include "rule/rule.h"
#include "rule/signal.h"
#include "rule/state.h"

#define ROW_NONE UINT32_MAX

/* Events. Resets are gone: both only grow. */
struct row_count {
        uint64_t before; /* those that the first sample found, if nobody saw the start */
        uint64_t since;
};

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
        int64_t value;
};

struct row {
        struct toc_record *record;
        uint64_t began_ns;
        uint32_t kind;   /* enum toc_kind */
        bool from_start; /* whatever is counted was counted since began_ns */
        bool is_sampled;
        bool is_declared;      /* a sum whose rules stand in a TOC_LOGS */
        uint32_t sum;          /* the row that includes this one, or ROW_NONE */
        uint64_t sample;       /* of this evaluation */
        uint64_t last;         /* the latest that is remembered */
        uint64_t beat_ns;      /* a heartbeat: when it was first seen changed */
        struct row_count now;  /* in this evaluation */
        struct row_count past; /* as remembered */
        struct judge judge[2];
        struct history history[2];
};

/* The record has passed rule_check. */
int row_init(struct row *row, const struct toc_record *record, uint64_t began_ns, bool from_start);
void row_fini(struct row *row);

/* A row of kind toc_kind_logs. */
bool row_is_sum(const struct row *row);

/* The length of the longest window that its rules look at; 0 if there is none. */
uint32_t row_window_s(const struct row *row);

void row_sample(struct row *row, uint64_t t_ns, uint64_t sample);
void row_clear(struct row *sum);
void row_include(struct row *sum, const struct row *row);
void row_remember(struct row *row, uint64_t tick);

/* Evaluates the rule in that slot. True if its state changed. */
bool row_judge(struct row *row, uint32_t slot, const struct ticks *ticks, uint64_t t_ns);

#endif
