/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because where a line will be in four hours is a fraction of numbers with up to 230 bits,
 * and a rule must not ring because of the 54th.
 *
 * With n samples (x, y), X = x - x', and x' the moment that is asked about:
 *
 *     slope = Sxy / Sxx      Sxy = n * sum(xy) - sum(x) * sum(y)
 *                            Sxx = n * sum(xx) - sum(x)^2
 *     the line at x' is above c    <=>    Sxy * (n * x' - sum(x))  >  (n * c - sum(y)) * Sxx
 *
 * Sums are taken modulo 2^128 with x as it is on the clock: neither Sxy nor Sxx nor n * x' - sum(x)
 * depends on where x begins, and each fits, whatever passed on the way to it:
 *
 *     |Sxy| <= max|y| * sum|n * x - sum(x)| <= 2^63 * n^2 * range / 2
 *     Sxx   <= n^2 * range^2 / 4
 *     |n * x' - sum(x)| <= n * (2^63 * 10^9 + range)
 *     |n * c - sum(y)|  <= n * 2^64
 *
 * Three windows of 600 s hold at most 2 * 1800 + 1 samples, and one of a peek, within 1.8e12 ns:
 * then these are below 2^126.4, 2^104, 2^105 and 2^76. The products are compared in 256 bits. */
#include "rule/line.h"

static const signal_wide s_ns = 1000000000;

void line_add(struct line *line, uint64_t t_ns, int64_t value)
{
        signal_sum x = t_ns;
        signal_sum y = (signal_sum)(signal_wide)value;

        line->n += 1;
        line->x += x;
        line->y += y;
        line->xx += x * x;
        line->xy += x * y;
}

void line_remove(struct line *line, uint64_t t_ns, int64_t value)
{
        signal_sum x = t_ns;
        signal_sum y = (signal_sum)(signal_wide)value;

        line->n -= 1;
        line->x -= x;
        line->y -= y;
        line->xx -= x * x;
        line->xy -= x * y;
}

/* A product of 256 bits. */
struct product {
        int sign;
        signal_sum high;
        signal_sum low;
};

static struct product multiply(signal_wide a, signal_wide b)
{
        signal_sum left = a < 0 ? -(signal_sum)a : (signal_sum)a;
        signal_sum right = b < 0 ? -(signal_sum)b : (signal_sum)b;
        signal_sum low = (signal_sum)(uint64_t)left * (uint64_t)right;
        signal_sum one = (left >> 64) * (uint64_t)right;
        signal_sum two = (signal_sum)(uint64_t)left * (right >> 64);
        signal_sum middle = (low >> 64) + (uint64_t)one + (uint64_t)two;

        return (struct product){
                .sign = ((a > 0) - (a < 0)) * ((b > 0) - (b < 0)),
                .high = (left >> 64) * (right >> 64) + (one >> 64) + (two >> 64) + (middle >> 64),
                .low = middle << 64 | (uint64_t)low,
        };
}

static int compare(struct product a, struct product b)
{
        if (a.sign != b.sign)
                return a.sign < b.sign ? -1 : 1;
        if (a.high != b.high)
                return a.high < b.high ? -a.sign : a.sign;
        if (a.low != b.low)
                return a.low < b.low ? -a.sign : a.sign;
        return 0;
}

int line_compare(const struct line *line, uint64_t t_ns, int64_t seconds, int64_t level)
{
        signal_wide sxy = (signal_wide)(line->n * line->xy - line->x * line->y);
        signal_wide sxx = (signal_wide)(line->n * line->xx - line->x * line->x);
        signal_wide n = (signal_wide)line->n;
        signal_wide run = n * ((signal_wide)t_ns + seconds * s_ns) - (signal_wide)line->x;
        signal_wide rise = n * level - (signal_wide)line->y;

        return compare(multiply(sxy, run), multiply(rise, sxx));
}

int64_t line_reaches_s(const struct line *line, uint64_t t_ns, int64_t level)
{
        uint64_t low = 0;          /* it is not above the level then ... */
        uint64_t high = INT64_MAX; /* ... but then */

        if (line_compare(line, t_ns, 0, level) >= 0)
                return 0;
        if (line_compare(line, t_ns, INT64_MAX, level) <= 0)
                return INT64_MAX;
        while (high - low > 1) {
                uint64_t middle = low + (high - low) / 2;

                if (line_compare(line, t_ns, (int64_t)middle, level) > 0)
                        high = middle;
                else
                        low = middle;
        }
        return (int64_t)low;
}
