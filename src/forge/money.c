/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that no cost is a floating-point number: sums of those depend on their order, and a
 * ledger that is replayed must add up to the same again.
 */
#include "forge/money.h"

#include <errno.h>
#include <inttypes.h>

enum { fraction_digits = 6, prompt_bytes_per_token = 2 };

#define MICRO UINT64_C(1000000)

/* Digits behind the point, as millionths. */
static int parse_fraction(const char *digits, uint64_t *ret_micro)
{
        uint64_t micro = 0;
        size_t count = strlen(digits);

        if (!count || count > fraction_digits || strspn(digits, "0123456789") != count)
                return -EINVAL;
        for (size_t i = 0; i < fraction_digits; i++)
                micro = micro * 10 + (i < count ? (uint64_t)(digits[i] - '0') : 0);
        *ret_micro = micro;
        return 0;
}

int money_parse(const char *text, uint64_t *ret_micro)
{
        BASE_SCOPE(text_fini) struct text whole = TEXT_INIT(32);
        const char *point = strchr(text, '.');
        uint64_t dollars = 0, micro = 0;
        int failed;

        text_append_bytes(&whole, text, point ? (size_t)(point - text) : strlen(text));
        if (whole.error)
                return -EINVAL;
        failed = text_parse_u64(text_view(&whole), 0, money_max / MICRO, &dollars);
        if (!failed && point)
                failed = parse_fraction(point + 1, &micro);
        if (failed)
                return failed;
        micro += dollars * MICRO;
        if (micro > money_max)
                return -ERANGE;
        *ret_micro = micro;
        return 0;
}

static uint64_t bounded(uint64_t tokens)
{
        return tokens < money_tokens_max ? tokens : money_tokens_max;
}

/* At most 10^9 tokens times 10^10, and a little to round up: fits into 64 bits. */
static uint64_t cost_of(uint64_t tokens, uint64_t price)
{
        return (bounded(tokens) * price + MICRO - 1) / MICRO;
}

uint64_t money_cost(const struct money_price *price, const struct money_usage *usage)
{
        uint64_t input = bounded(usage->input);
        uint64_t cached = usage->cached < input ? usage->cached : input;

        return cost_of(input - cached, price->input) + cost_of(cached, price->cached) +
               cost_of(usage->output, price->output);
}

uint64_t money_reserve(const struct money_price *price, size_t prompt_bytes,
                       uint64_t output_tokens_max)
{
        const struct money_usage most = {
                .input = prompt_bytes / prompt_bytes_per_token + 1,
                .output = output_tokens_max,
        };
        struct money_price dearest = *price;

        /* Somebody may charge more for what he keeps. */
        if (dearest.cached > dearest.input)
                dearest.input = dearest.cached;
        return money_cost(&dearest, &most);
}

void money_append(struct text *into, uint64_t micro)
{
        uint64_t fraction = micro % MICRO;
        unsigned digits = fraction_digits;

        while (digits > 2 && fraction % 10 == 0) {
                fraction /= 10;
                digits--;
        }
        text_printf(into, "$%" PRIu64 ".%0*" PRIu64, micro / MICRO, (int)digits, fraction);
}
