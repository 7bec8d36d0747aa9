/* SPDX-License-Identifier: Apache-2.0 */
/*
 * growth.h - how the cost of a call grows with size: the order that fits, and whether it may.
 *
 *         struct growth growth;
 *
 *         if (growth_judge(sizes, per_call, count, CONTRACT_GROWTH_LOG, &growth) == 0 &&
 *             growth.is_over)
 *                 ...                       // n^growth.exponent, where growth.exponent_max may be
 *
 * A total n * cost(n) is made of the costs, and the exponent is the slope of log2 of its
 * *differences*, per unit of size, over log2 of the size between: what is constant cancels, so that
 * a large start-up cannot hide a term that grows. Of all slopes between two such differences the
 * median counts, so that one odd size does not decide. What a declared order may show is computed
 * in the same way from that order itself, at the same sizes, plus growth_margin.
 *
 * Units:     costs in counts or bytes; below one (growth_resolution) they are all the same: a
 *            tenth of an allocation per call is amortised, and nothing at all has no slope.
 * Ownership: nothing is kept. Threads: any. Errors: GROWTH_UNJUDGED; nothing is returned then.
 * Limits:    growth_size_max sizes. Exponents barely separate constant from log: both are "at most
 *            log" for people.
 */
#ifndef GATE_GROWTH_H
#define GATE_GROWTH_H

#include "gate/contract.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { growth_size_min = 4, growth_size_max = 16 };

/* Fewer sizes than growth_size_min or more than growth_size_max, not rising, or costs that are not
 * numbers: the contract's mistake. */
enum growth_outcome { GROWTH_UNJUDGED = 1 };

struct growth {
        /* Nearest to what was measured, LOG for constant too; if over, above the declared. */
        enum contract_growth order;
        double exponent;     /* of the cost of one call */
        double exponent_max; /* what the declared order may show; 0: undeclared */
        bool is_over;
};

int growth_judge(const uint64_t *sizes, const double *costs, size_t count,
                 enum contract_growth declared, struct growth *ret_growth);

/* "at most log", "linear"...: for people. */
const char *growth_words(enum contract_growth order);

#endif
