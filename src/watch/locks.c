/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a deadlock is silent: nothing fails, nothing is logged, and no CPU is used. */
#include "watch/locks.h"

#define STABLE_NS (150 * CLOCK_MS_NS)

static bool is_lock(uint32_t kind)
{
        return kind >= INSIDE_MUTEX && kind <= INSIDE_SPIN;
}

static bool waits(const struct picture_thread *thread)
{
        return (thread->wait_number & 1) && is_lock(thread->wait_kind);
}

static const struct inside_held *holds(const struct picture_thread *thread, uint64_t lock)
{
        for (uint32_t i = 0; i < thread->held_count; i++)
                if (thread->held[i].lock == lock)
                        return &thread->held[i];
        return NULL;
}

/* Whoever holds it; one that waits itself, if there are several. NULL: nobody that we know. */
static const struct picture_thread *holder_of(const struct picture *picture, uint64_t lock)
{
        const struct picture_thread *found = NULL;

        for (uint32_t i = 0; i < picture->thread_count; i++) {
                const struct picture_thread *thread = &picture->threads[i];

                if (holds(thread, lock) && (!found || !waits(found)))
                        found = thread;
        }
        return found;
}

static uint64_t age_of(const struct locks *locks, const struct picture *picture,
                       const struct picture_thread *thread)
{
        uint64_t since_ns = locks->waits[thread->number].since_ns;

        return picture->at_ns > since_ns ? picture->at_ns - since_ns : 0;
}

/* Does the way from one to what it waits for, and on, lead back to it? */
static bool is_in_circle(const struct locks *locks, const struct picture *picture,
                         const struct picture_thread *first)
{
        const struct picture_thread *thread = first;

        for (uint32_t i = 0; i <= picture->thread_count; i++) {
                if (!waits(thread) || age_of(locks, picture, thread) < STABLE_NS)
                        return false;
                thread = holder_of(picture, thread->wait_lock);
                if (!thread)
                        return false;
                if (thread == first)
                        return true;
        }
        return false;
}

/* A number for one holding of a lock by one thread; 0: nobody holds it. */
static uint64_t holding_of(const struct picture *picture, uint64_t lock)
{
        const struct picture_thread *holder = holder_of(picture, lock);

        return holder ? (uint64_t)holder->id << 32 | holds(holder, lock)->number : 0;
}

/* A lock that goes from hand to hand makes others wait long, and is given back all the same. */
static void remember(struct locks *locks, const struct picture *picture)
{
        for (uint32_t i = 0; i < picture->thread_count; i++) {
                const struct picture_thread *thread = &picture->threads[i];
                uint32_t n = thread->number;
                uint64_t held = waits(thread) ? holding_of(picture, thread->wait_lock) : 0;
                bool is_new = locks->waits[n].number != thread->wait_number;

                if (is_new || locks->waits[n].held != held)
                        locks->waits[n].kept_ns = picture->at_ns;
                locks->waits[n].held = held;
                if (is_new)
                        locks->waits[n].since_ns = picture->at_ns;
                locks->waits[n].number = thread->wait_number;
        }
}

static uint32_t waiters_of(const struct picture *picture, uint64_t lock)
{
        uint32_t count = 0;

        for (uint32_t i = 0; i < picture->thread_count; i++)
                count += waits(&picture->threads[i]) && picture->threads[i].wait_lock == lock;
        return count;
}

/* The module that keeps others waiting, as far as it is known. */
static uint32_t blamed(const struct picture *picture, const struct picture_thread *thread)
{
        const struct picture_thread *holder = holder_of(picture, thread->wait_lock);

        return holder && holder->module ? holder->module : thread->module;
}

static void judge(struct locks *locks, const struct picture *picture, struct insight *insight,
                  const struct picture_thread *thread)
{
        uint32_t *waiters = locks->waiters[locks->glances % locks_glances];
        uint64_t age_ns = picture->at_ns - locks->waits[thread->number].kept_ns;
        uint32_t module = blamed(picture, thread);
        bool is_stuck = is_in_circle(locks, picture, thread);

        locks->waits[thread->number].is_stuck = is_stuck;
        if (is_stuck) {
                insight->value[thread->module][INSIGHT_deadlock]++;
                return;
        }
        if ((int64_t)(age_ns / CLOCK_MS_NS) > insight->value[module][INSIGHT_lock_wait_ms])
                insight->value[module][INSIGHT_lock_wait_ms] = (int64_t)(age_ns / CLOCK_MS_NS);
        if (waiters_of(picture, thread->wait_lock) > waiters[module])
                waiters[module] = waiters_of(picture, thread->wait_lock);
}

void locks_glance(struct locks *locks, const struct picture *picture, struct insight *insight)
{
        memset(locks->waiters[locks->glances % locks_glances], 0, sizeof(locks->waiters[0]));
        for (uint32_t m = 0; m < INSIDE_MODULES; m++)
                insight->value[m][INSIGHT_deadlock] = insight->value[m][INSIGHT_lock_wait_ms] = 0;
        remember(locks, picture);
        for (uint32_t i = 0; i < picture->thread_count; i++)
                if (waits(&picture->threads[i]))
                        judge(locks, picture, insight, &picture->threads[i]);
        locks->glances++;
        for (uint32_t m = 0; m < INSIDE_MODULES; m++) {
                uint32_t fewest = locks->glances < locks_glances ? 0 : UINT32_MAX;

                for (uint32_t i = 0; i < locks_glances; i++)
                        if (locks->waiters[i][m] < fewest)
                                fewest = locks->waiters[i][m];
                insight->value[m][INSIGHT_lock_waiters] = fewest;
        }
}

/* ---- Details -------------------------------------------------------------- */

/* How it came to take what it holds, which only the thread itself could say. */
static void add_stack(json_t *one, const struct picture *picture, const struct namer *namer,
                      const struct picture_thread *thread)
{
        for (uint32_t i = 0; i < picture->finding_count; i++) {
                const struct inside_finding *finding = &picture->findings[i];

                if (finding->kind == INSIDE_SELF_DEADLOCK && finding->thread == thread->id)
                        (void)json_object_set_new(
                                one, "stack",
                                namer_stack(namer, finding->stack[0], finding->depth[0]));
        }
}

static json_t *describe(const struct locks *locks, const struct picture *picture,
                        const struct namer *namer, const struct picture_thread *thread)
{
        const struct picture_thread *holder = holder_of(picture, thread->wait_lock);
        json_t *one = json_object();

        (void)json_object_set_new(one, "thread", json_integer(thread->id));
        (void)json_object_set_new(one, "module",
                                  json_string(picture_module(picture, thread->module)));
        (void)json_object_set_new(one, "waits_for",
                                  namer_lock(namer, picture, thread->wait_lock, thread->wait_node));
        (void)json_object_set_new(one, "waits_at", namer_place(namer, thread->wait_at));
        (void)json_object_set_new(
                one, "for_ms",
                json_integer((json_int_t)(age_of(locks, picture, thread) / CLOCK_MS_NS)));
        add_stack(one, picture, namer, thread);
        if (!holder) {
                (void)json_object_set_new(one, "held_by", json_string("nobody that is known"));
                return one;
        }
        (void)json_object_set_new(one, "held_by", json_integer(holder->id));
        (void)json_object_set_new(one, "taken_at",
                                  namer_place(namer, holds(holder, thread->wait_lock)->at));
        return one;
}

json_t *locks_details(const struct locks *locks, const struct picture *picture,
                      const struct namer *namer, uint32_t module, unsigned probe)
{
        const bool is_deadlock = probe == INSIGHT_deadlock;
        json_t *threads = json_array();

        for (uint32_t i = 0; i < picture->thread_count && json_array_size(threads) < 8; i++) {
                const struct picture_thread *thread = &picture->threads[i];

                if (!waits(thread) || locks->waits[thread->number].is_stuck != is_deadlock)
                        continue;
                if (is_deadlock || blamed(picture, thread) == module)
                        (void)json_array_append_new(threads,
                                                    describe(locks, picture, namer, thread));
        }
        return json_pack("{s:o}", is_deadlock ? "cycle" : "waiting", threads);
}
