/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that a figure does not depend on when in the run it was measured. */
#include "measure.h"

#include "base/base.h"
#include "base/clock.h"
#include "loop.h"

#include <errno.h>

enum {
        sample_ns = 1000000,
        samples_a_round = 7,
        tries_max = 16, /* of one sample */
        times_min = 64 * LOOP_STRIDE,
        patience_ns = 25000000, /* for a figure in a round; a sample of once() takes half of it */
};

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
        uint64_t number = (*state += UINT64_C(0x9e3779b97f4a7c15));

        number = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        number = (number ^ (number >> 27)) * UINT64_C(0x94d049bb133111eb);
        return number ^ (number >> 31);
}

static void shuffle(size_t *order, size_t count, uint64_t *state)
{
        for (size_t i = count; i > 1; i--) {
                size_t other = next_random(state) % i;
                size_t kept = order[i - 1];

                order[i - 1] = order[other];
                order[other] = kept;
        }
}

/* On a machine that is never quiet, disturbed samples are kept so that the run comes to an end. */
static bool is_patient(const struct measure *measure)
{
        uint64_t rounds = measure->round + 1;

        return clock_monotonic_ns() - measure->start_ns < rounds * measure->count * patience_ns;
}

static int take(struct measure *measure, const struct figure *figure, uint64_t *ret_ps)
{
        const struct crew_work work = { .loop = figure->row->loop,
                                        .times = figure->times,
                                        .once = figure->row->once };
        struct crew_sample sample;

        for (int tries = 1;; tries++) {
                crew_run(measure->crew, figure->threads, &work, &sample);
                if (sample.error)
                        return sample.error;
                if (!sample.is_disturbed || tries == tries_max || !is_patient(measure))
                        break;
                measure->again++;
        }
        measure->samples++;
        measure->kept += sample.is_disturbed;
        *ret_ps = (sample.ns * 1000 + figure->times / 2) / figure->times;
        return 0;
}

/* So many operations that a sample takes about a millisecond. Warms the row up as well. */
static int calibrate(struct measure *measure, struct figure *figure)
{
        uint64_t ps, times;
        int failed;

        figure->times = figure->row->once ? 1 : times_min;
        if (figure->row->once)
                return take(measure, figure, &ps);
        for (;;) {
                failed = take(measure, figure, &ps);
                if (failed)
                        return failed;
                if (ps * figure->times >= sample_ns / 4 * UINT64_C(1000))
                        break;
                figure->times *= 4;
        }
        times = sample_ns * UINT64_C(1000) / (ps ? ps : 1);
        figure->times = (times / LOOP_STRIDE + 1) * LOOP_STRIDE;
        return 0;
}

static int take_round(struct measure *measure, struct figure *figure)
{
        uint64_t ps[samples_a_round];

        for (size_t i = 0; i < samples_a_round; i++) {
                int failed = take(measure, figure, &ps[i]);

                if (failed)
                        return failed;
        }
        figure->round_ps[figure->round_count++] = figure_median(ps, samples_a_round);
        return 0;
}

int measure_all(struct measure *measure)
{
        size_t order[FIGURE_COUNT_MAX];
        int failed = measure->count > FIGURE_COUNT_MAX ? -E2BIG : 0;

        measure->start_ns = clock_monotonic_ns();
        for (size_t i = 0; i < measure->count && !failed; i++) {
                order[i] = i;
                failed = calibrate(measure, &measure->figures[i]);
        }
        while (measure->round < measure->rounds && !failed) {
                measure->round++;
                shuffle(order, measure->count, &measure->seed);
                for (size_t i = 0; i < measure->count && !failed; i++)
                        failed = take_round(measure, &measure->figures[order[i]]);
                measure->on_round(measure->round, measure->rounds);
        }
        return failed;
}
