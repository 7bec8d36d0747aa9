/* SPDX-License-Identifier: Apache-2.0 */
/* set.h - what a rule_set consists of; for rule.c, which evaluates, and add.c, which adds rows.
 *
 * Ownership: the set owns everything here. */
#ifndef RULE_SET_H
#define RULE_SET_H

#include "rule/row.h"

/* Where a rule is. */
struct place {
        uint32_t row;
        uint32_t slot;
};

/* Some rows, in order of module and name. */
struct index {
        uint32_t *rows;
        uint32_t count;
};

struct rule_set {
        uint64_t attached_ns;
        uint64_t last_ns; /* of the latest evaluation */
        size_t bytes;     /* of its rows */
        struct ticks ticks;
        uint32_t row_count;
        uint32_t row_capacity;
        size_t place_count;
        size_t place_capacity; /* of changes, too */
        struct row *rows;
        struct index sums;           /* rows that sum others */
        struct index gauges;         /* rows of gauges without a label */
        struct place *places;        /* all rules, in order of rows */
        struct rule_change *changes; /* of the latest evaluation: one a rule at most */
};

/* The row of that gauge, the first if there are several; ROW_NONE if there is none. */
uint32_t rule_set_gauge(const struct rule_set *set, const char *module, const char *name);

#endif
