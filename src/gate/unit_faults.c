/* SPDX-License-Identifier: Apache-2.0 */
/* Random failure found a leak that one allocation of twenty shows in 2 runs of 200; one after the
 * other finds it in 20. So chance comes in only where all of them would take too long, and is drawn
 * from the seed, so that a run can be had again. */
#include "gate/unit_faults.h"

uint64_t unit_faults_draw(uint64_t *state)
{
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

void unit_faults_begin(struct unit_faults *faults, uint64_t allocations, uint64_t most,
                       uint64_t seed)
{
        *faults = (struct unit_faults){ .allocations = allocations, .most = most, .seed = seed };
}

bool unit_faults_is_sample(const struct unit_faults *faults)
{
        return faults->allocations > faults->most;
}

uint64_t unit_faults_next(struct unit_faults *faults)
{
        uint64_t width, left, state;

        if (faults->is_over || faults->tried >= faults->most)
                return 0;
        if (!unit_faults_is_sample(faults))
                return faults->tried + 1;
        /* Parts of equal width; the first `left` of them hold one more. */
        width = faults->allocations / faults->most;
        left = faults->allocations % faults->most;
        state = faults->seed ^ faults->tried;
        if (faults->tried < left)
                return 1 + faults->tried * (width + 1) + unit_faults_draw(&state) % (width + 1);
        return 1 + faults->tried * width + left + unit_faults_draw(&state) % width;
}

void unit_faults_ran(struct unit_faults *faults, uint64_t fired)
{
        faults->tried++;
        /* In a sample a run may take another way and ask for less; the others still count. */
        if (fired == 0 && !unit_faults_is_sample(faults))
                faults->is_over = true;
}
