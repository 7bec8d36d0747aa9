/* SPDX-License-Identifier: Apache-2.0 */
/*
 * synthetic.h - proves on cells of our own making that a rule can ring and can fall silent.
 *
 *         enum synthetic_verdict verdict;
 *         int error = synthetic_judge(&record, 0, &verdict);
 *
 * Pure: the rules are those that watch a real process (rule/rule.h), the clock is a number. A rule
 * is shown what rule/scenario.h makes up: values just beyond its limit for as long as it wants to
 * see them, then values just within. It says nothing of whether the module ever counts what the
 * rule is about: ALARM does.
 *
 * Units:     as the rule's. Ownership: none. Threads: any. Errors: 0 or -ENOMEM; -EINVAL: the
 *            record is none that rule_check() lets pass, or there is no such slot.
 * Limits:    those of a scenario.
 */
#ifndef GATE_SYNTHETIC_H
#define GATE_SYNTHETIC_H

#include "rule/rule.h"

enum synthetic_verdict {
        SYNTHETIC_NO_RULE,
        SYNTHETIC_RINGS_AND_CLEARS,
        SYNTHETIC_CANNOT_FIRE,
        SYNTHETIC_CANNOT_CLEAR, /* once it rings it rings for ever */
        SYNTHETIC_NOT_JUDGED, /* only libtocsin-inside measures it, or no scenario is made of it */
};

/* slot: which of the record's two rules. A counter's total clears by a restart of the process. */
int synthetic_judge(const struct toc_record *record, unsigned slot,
                    enum synthetic_verdict *ret_verdict);

const char *synthetic_name(enum synthetic_verdict verdict); /* "rings and clears"... */

#endif
