/* SPDX-License-Identifier: Apache-2.0 */
/*
 * money.h - what tokens cost, in whole numbers, so that the same ledger always adds up to the same.
 *
 * Units:     micro-dollars; prices are micro-dollars per million tokens. A cost is rounded up, so
 *            that what was spent is never less than what was billed.
 * Ownership: plain values. Threads: any. Errors: -EINVAL: not an amount such as 0.15; -ERANGE.
 * Limits:    money_max, a million dollars; prices up to money_price_max, ten thousand for a million
 *            tokens; more than money_tokens_max tokens count as that many.
 */
#ifndef FORGE_MONEY_H
#define FORGE_MONEY_H

#include "base/text.h"

#define money_max        UINT64_C(1000000000000)
#define money_price_max  UINT64_C(10000000000)
#define money_tokens_max UINT64_C(1000000000)

struct money_price {
        bool is_free; /* all others are 0 then */
        uint64_t input;
        uint64_t cached; /* input that the server had in its cache */
        uint64_t output; /* reasoning is output */
};

/* As the server counted; cached tokens are among the input, reasoning among the output. */
struct money_usage {
        bool is_known; /* false: the others say nothing */
        uint64_t input;
        uint64_t cached;
        uint64_t output;
        uint64_t reasoning;
};

/* "1", "0.15", at most six digits behind the point. */
int money_parse(const char *text, uint64_t *ret_micro);

uint64_t money_cost(const struct money_price *price, const struct money_usage *usage);

/* What a call can cost at most: a prompt of so many bytes, an answer of so many tokens. A token is
 * counted as two bytes of prompt; those of code and English have three to four. */
uint64_t money_reserve(const struct money_price *price, size_t prompt_bytes,
                       uint64_t output_tokens_max);

/* "$0.0021", "$1.50": at least two digits, and no more than it takes. */
void money_append(struct text *into, uint64_t micro);

#endif
