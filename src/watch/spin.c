/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a thread that runs in a circle looks like one that has much to do. */
#include "watch/spin.h"

#include "watch/remote.h"

enum { full_percent = 90 }; /* of the time that others left it */

/* What a thread waits is known when it goes on; it may be waiting when it is looked at. */
#define SLACK_NS (50 * CLOCK_MS_NS)

static struct spin_since since_now(const struct picture_thread *thread, uint64_t now_ns)
{
        return (struct spin_since){ now_ns, thread->cpu_ns, thread->waited_ns };
}

static void forget(struct spin *spin, const struct picture_thread *thread, uint64_t now_ns)
{
        uint32_t n = thread->number;

        spin->seen[n].id = thread->id;
        spin->seen[n].entered = spin->seen[n].moved = since_now(thread, now_ns);
}

/* Over all of the time, not from glance to glance: on a busy machine some of that passes between
 * reading the clock and reading what a thread has used. */
static bool is_at_full_speed(const struct spin_since *since, const struct picture_thread *thread,
                             uint64_t now_ns)
{
        uint64_t wall_ns = now_ns - since->ns;
        uint64_t waited_ns = thread->waited_ns - since->waited_ns;

        wall_ns -= waited_ns < wall_ns ? waited_ns : wall_ns;
        return (thread->cpu_ns - since->cpu_ns + SLACK_NS) * 100 >= wall_ns * full_percent;
}

/* 0: not yet. One that wants to run while the whole machine stands still goes round in no circle,
 * so it has to have used half of the time at least. */
static uint64_t long_enough(const struct spin_since *since, const struct picture_thread *thread,
                            uint64_t now_ns)
{
        uint64_t least_ns = thread->module ? SPIN_INSIDE_NS : SPIN_OUTSIDE_NS;
        bool has_run = (thread->cpu_ns - since->cpu_ns) * 2 >= least_ns;

        return has_run && now_ns - since->ns >= least_ns ? now_ns - since->ns : 0;
}

/* How long it has been running in a circle; 0: it has not. */
static uint64_t circling_ns(struct spin *spin, const struct picture_thread *thread, uint64_t now_ns)
{
        uint32_t n = thread->number;
        struct spin_since *entered = &spin->seen[n].entered, *moved = &spin->seen[n].moved;
        bool calls = thread->io_calls != spin->seen[n].io_calls || spin->beats != spin->beats_then;

        if (calls || thread->entries != spin->seen[n].entries ||
            !is_at_full_speed(entered, thread, now_ns))
                *entered = since_now(thread, now_ns);
        if (calls || thread->activity != spin->seen[n].activity ||
            !is_at_full_speed(moved, thread, now_ns))
                *moved = since_now(thread, now_ns);
        return long_enough(thread->module ? entered : moved, thread, now_ns);
}

void spin_glance(struct spin *spin, const struct picture *picture, struct insight *insight)
{
        uint64_t now_ns = picture->at_ns;

        for (uint32_t m = 0; m < INSIDE_MODULES; m++)
                insight->value[m][INSIGHT_spin_ms] = 0;
        for (uint32_t i = 0; i < picture->thread_count; i++) {
                const struct picture_thread *thread = &picture->threads[i];
                uint32_t n = thread->number, m = thread->module;
                int64_t ms = 0;

                if (!thread->cpu_ns)
                        continue;
                if (spin->seen[n].id != thread->id || thread->cpu_ns < spin->seen[n].cpu_ns)
                        forget(spin, thread, now_ns);
                else if (now_ns > spin->seen[n].at_ns) {
                        spin->used_ns[m] += thread->cpu_ns - spin->seen[n].cpu_ns;
                        ms = (int64_t)(circling_ns(spin, thread, now_ns) / CLOCK_MS_NS);
                }
                spin->seen[n].at_ns = now_ns;
                spin->seen[n].cpu_ns = thread->cpu_ns;
                spin->seen[n].io_calls = thread->io_calls;
                spin->seen[n].entries = thread->entries;
                spin->seen[n].activity = thread->activity;
                if (ms <= insight->value[m][INSIGHT_spin_ms])
                        continue;
                insight->value[m][INSIGHT_spin_ms] = ms;
                spin->spinner[m] = thread->id;
        }
        spin->beats_then = spin->beats;
}

void spin_see(struct spin *spin, const struct picture *picture, struct insight *insight)
{
        uint32_t modules = picture->has_other_modules ? INSIDE_MODULES : picture->module_count;
        uint64_t ago = spin->ticks < spin_rate_s ? spin->ticks : spin_rate_s;
        uint64_t *now = spin->used_then_ns[spin->ticks % (spin_rate_s + 1)];
        const uint64_t *then = spin->used_then_ns[(spin->ticks - ago) % (spin_rate_s + 1)];

        memcpy(now, spin->used_ns, sizeof(spin->used_ns));
        for (uint32_t m = 0; m < modules; m++)
                insight->value[m][INSIGHT_cpu_permille] =
                        ago ? (int64_t)((now[m] - then[m]) / (ago * CLOCK_MS_NS)) : 0;
        spin->ticks++;
}

json_t *spin_details(const struct spin *spin, const struct picture *picture,
                     const struct namer *namer, uint32_t module)
{
        uint64_t stack[INSIDE_STACK];
        uint32_t thread = spin->spinner[module % INSIDE_MODULES];
        uint32_t depth = remote_stack(picture->pid, (pid_t)thread, stack, INSIDE_STACK);
        json_t *details = json_pack("{s:i}", "thread", (int)thread);

        if (depth)
                (void)json_object_set_new(details, "stack", namer_stack(namer, stack, depth));
        return details;
}
