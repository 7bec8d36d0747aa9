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

struct rule_set {
        uint64_t attached_ns;
        uint64_t last_ns; /* of the latest evaluation */
        struct ticks ticks;
        uint32_t row_count;
        uint32_t row_capacity;
        uint32_t sum_count;
        size_t place_count;
        struct row *rows;
        uint32_t *sums;              /* rows that sum others, by module and name */
        struct place *places;        /* all rules, in order of rows */
        struct rule_change *changes; /* of the latest evaluation: one a rule at most */
};

#endif
