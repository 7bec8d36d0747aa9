/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of a total, slopes between steps, and the median of those: why is said in the header.
 */
#include "gate/growth.h"

#include <math.h>

/* Good and bad versions of ten libraries lay at most 0.01 and at least 0.38 from their order. */
static const double growth_margin = 0.3;
static const double growth_resolution = 1;

/* Cost of one more unit of size, between two sizes. */
struct growth_step {
        double size;
        double cost;
};

/* A total that does not rise gives no logarithm: that stretch is joined with the one after it, and
 * what is left over at the end is left out, for a cost that falls is not one that grows. */
static size_t growth_steps(const uint64_t *sizes, const double *costs, size_t count,
                           struct growth_step *steps)
{
        size_t step_count = 0;
        double size = (double)sizes[0];
        double total = size * fmax(costs[0], growth_resolution);

        for (size_t i = 1; i < count; i++) {
                const double size_here = (double)sizes[i];
                const double total_here = size_here * fmax(costs[i], growth_resolution);

                if (total_here <= total)
                        continue;
                /* The middle: exact for constant and for linear costs, however far apart. */
                steps[step_count].size = (size + size_here) / 2;
                steps[step_count].cost = (total_here - total) / (size_here - size);
                step_count++;
                size = size_here;
                total = total_here;
        }
        return step_count;
}

static double growth_median(double *values, size_t count)
{
        for (size_t i = 1; i < count; i++) {
                for (size_t k = i; k > 0 && values[k - 1] > values[k]; k--) {
                        const double swapped = values[k];

                        values[k] = values[k - 1];
                        values[k - 1] = swapped;
                }
        }
        if (count % 2 == 1)
                return values[count / 2];
        return (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double growth_exponent(const uint64_t *sizes, const double *costs, size_t count)
{
        enum { pairs_max = growth_size_max * (growth_size_max - 1) / 2 };
        struct growth_step steps[growth_size_max];
        double slopes[pairs_max];
        const size_t step_count = growth_steps(sizes, costs, count, steps);
        size_t slope_count = 0;

        for (size_t i = 0; i < step_count; i++) {
                for (size_t k = i + 1; k < step_count; k++)
                        slopes[slope_count++] = log2(steps[k].cost / steps[i].cost) /
                                                log2(steps[k].size / steps[i].size);
        }
        if (slope_count > 0)
                return growth_median(slopes, slope_count);
        /* One step or none: the ends decide, which a start-up can only make look smaller. */
        return log2(fmax(costs[count - 1], growth_resolution) / fmax(costs[0], growth_resolution)) /
               log2((double)sizes[count - 1] / (double)sizes[0]);
}

static double growth_model(enum contract_growth order, double size)
{
        /* From 2 on, so that a logarithm is no cost below one. */
        const double log_size = log2(fmax(size, 2));

        switch (order) {
        case CONTRACT_GROWTH_LOG:
                return log_size;
        case CONTRACT_GROWTH_LINEAR:
                return size;
        case CONTRACT_GROWTH_NLOGN:
                return size * log_size;
        case CONTRACT_GROWTH_QUADRATIC:
                return size * size;
        case CONTRACT_GROWTH_UNDECLARED:
        case CONTRACT_GROWTH_CONSTANT:
                break;
        }
        return 1;
}

static double growth_model_exponent(enum contract_growth order, const uint64_t *sizes, size_t count)
{
        double costs[growth_size_max];

        for (size_t i = 0; i < count; i++)
                costs[i] = growth_model(order, (double)sizes[i]);
        return growth_exponent(sizes, costs, count);
}

static enum contract_growth growth_nearest(double exponent, const uint64_t *sizes, size_t count)
{
        enum contract_growth nearest = CONTRACT_GROWTH_LOG;
        double distance = INFINITY;

        for (int order = CONTRACT_GROWTH_LOG; order <= CONTRACT_GROWTH_QUADRATIC; order++) {
                const double here =
                        fabs(exponent -
                             growth_model_exponent((enum contract_growth)order, sizes, count));

                if (here < distance) {
                        distance = here;
                        nearest = (enum contract_growth)order;
                }
        }
        /* Below log there is only what is called "at most log". */
        return exponent < 0 ? CONTRACT_GROWTH_LOG : nearest;
}

/* Between two orders the nearest may be the declared one, which is what it is not. */
static enum contract_growth growth_above(enum contract_growth order, enum contract_growth declared)
{
        if (declared == CONTRACT_GROWTH_CONSTANT)
                declared = CONTRACT_GROWTH_LOG;
        if (order <= declared && declared < CONTRACT_GROWTH_QUADRATIC)
                return (enum contract_growth)(declared + 1);
        return order;
}

static bool growth_can_judge(const uint64_t *sizes, const double *costs, size_t count)
{
        if (count < growth_size_min || count > growth_size_max || sizes[0] == 0)
                return false;
        for (size_t i = 0; i < count; i++) {
                if ((i > 0 && sizes[i] <= sizes[i - 1]) || !isfinite(costs[i]) || costs[i] < 0)
                        return false;
        }
        return true;
}

int growth_judge(const uint64_t *sizes, const double *costs, size_t count,
                 enum contract_growth declared, struct growth *ret_growth)
{
        struct growth growth = { .order = CONTRACT_GROWTH_LOG };

        if (!growth_can_judge(sizes, costs, count))
                return GROWTH_UNJUDGED;
        growth.exponent = growth_exponent(sizes, costs, count);
        growth.order = growth_nearest(growth.exponent, sizes, count);
        if (declared != CONTRACT_GROWTH_UNDECLARED) {
                growth.exponent_max = growth_model_exponent(declared, sizes, count) + growth_margin;
                growth.is_over = growth.exponent > growth.exponent_max;
                if (growth.is_over)
                        growth.order = growth_above(growth.order, declared);
        }
        *ret_growth = growth;
        return 0;
}

const char *growth_words(enum contract_growth order)
{
        switch (order) {
        case CONTRACT_GROWTH_CONSTANT:
        case CONTRACT_GROWTH_LOG:
                return "at most log";
        case CONTRACT_GROWTH_LINEAR:
                return "linear";
        case CONTRACT_GROWTH_NLOGN:
                return "n log n";
        case CONTRACT_GROWTH_QUADRATIC:
                return "quadratic";
        case CONTRACT_GROWTH_UNDECLARED:
                break;
        }
        return "undeclared";
}
