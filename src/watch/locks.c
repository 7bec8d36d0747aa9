/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a deadlock is silent: nothing fails, nothing is logged, and no CPU is used. */
#include "watch/locks.h"

#include "watch/remote.h"

#include <inttypes.h>

enum { details_max = 8, stacks_max = 4 };

static bool is_lock(uint32_t kind)
{
        return kind >= INSIDE_MUTEX && kind <= INSIDE_SPIN;
}

static bool waits(const struct picture_thread *thread)
{
        return (thread->wait_number & 1) && is_lock(thread->wait_kind);
}

/* For the end of a thread. */
static bool joins(const struct picture_thread *thread)
{
        return (thread->wait_number & 1) && thread->wait_kind == INSIDE_JOIN;
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

/* ---- Who holds what ------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
        const struct locks_owned *a = left, *b = right;

        if (a->is_end != b->is_end)
                return a->is_end ? 1 : -1;
        if (a->lock != b->lock)
                return a->lock < b->lock ? -1 : 1;
        return a->holder < b->holder ? -1 : a->holder > b->holder;
}

static void list_owned(struct locks *locks, const struct picture *picture)
{
        locks->owned_count = 0;
        for (uint32_t i = 0; i < picture->thread_count; i++) {
                const struct picture_thread *thread = &picture->threads[i];

                for (uint32_t k = 0; k < thread->held_count; k++)
                        locks->owned[locks->owned_count++] =
                                (struct locks_owned){ .lock = thread->held[k].lock,
                                                      .holder = i,
                                                      .number = thread->held[k].number };
                locks->owned[locks->owned_count++] =
                        (struct locks_owned){ .lock = thread->id, .is_end = true, .holder = i };
        }
        qsort(locks->owned, locks->owned_count, sizeof(locks->owned[0]), compare);
}

/* The first of those that keep what a thread waits for, which ends at the last_of() them. */
static uint32_t first_of(const struct locks *locks, const struct picture_thread *waiter)
{
        struct locks_owned wanted = { .lock = waiter->wait_lock, .is_end = joins(waiter) };
        uint32_t low = 0, high = locks->owned_count;

        while (low < high) {
                uint32_t middle = low + (high - low) / 2;

                if (compare(&locks->owned[middle], &wanted) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool is_kept_by(const struct locks *locks, uint32_t i, const struct picture_thread *waiter)
{
        return i < locks->owned_count && locks->owned[i].lock == waiter->wait_lock &&
               locks->owned[i].is_end == joins(waiter);
}

/* ---- Circles -------------------------------------------------------------- */

/* What the library has seen itself: the list of what a thread holds may have been full. */
static bool has_confessed(const struct picture *picture, const struct picture_thread *thread)
{
        for (uint32_t i = 0; i < picture->finding_count; i++) {
                const struct inside_finding *finding = &picture->findings[i];

                if (finding->kind == INSIDE_SELF_DEADLOCK && finding->thread == thread->id &&
                    finding->lock[0] == thread->wait_lock)
                        return true;
        }
        return false;
}

static void find_stable(struct locks *locks, const struct picture *picture)
{
        for (uint32_t i = 0; i < picture->thread_count; i++) {
                const struct picture_thread *thread = &picture->threads[i];

                locks->is_stable[i] = (waits(thread) || (joins(thread) && thread->wait_lock)) &&
                                      age_of(locks, picture, thread) >= LOCKS_STABLE_NS;
                locks->reached[i] = 0;
        }
        locks->search = 0;
}

/* Goes on from there, too, once. */
static void reach(struct locks *locks, uint32_t holder, uint32_t *queue, uint32_t *count)
{
        if (locks->reached[holder] == locks->search || !locks->is_stable[holder])
                return;
        locks->reached[holder] = locks->search;
        queue[(*count)++] = holder;
}

/* Does any way from one to what it waits for, and on, lead back to it? Each thread and
 * each lock is gone through once: a writer that lies may let all wait for what all hold. */
static bool is_in_circle(struct locks *locks, const struct picture *picture, uint32_t first)
{
        uint32_t queue[INSIDE_THREADS_MAX] = { first };
        uint32_t count = 1;

        if (!locks->is_stable[first])
                return false;
        if (has_confessed(picture, &picture->threads[first]))
                return true;
        locks->search++;
        for (uint32_t at = 0; at < count; at++) {
                const struct picture_thread *thread = &picture->threads[queue[at]];
                uint32_t from = first_of(locks, thread), i = from;

                if (!is_kept_by(locks, from, thread) || locks->owned[from].search == locks->search)
                        continue;
                locks->owned[from].search = locks->search;
                for (; is_kept_by(locks, i, thread); i++)
                        if (locks->owned[i].holder == first)
                                return true;
                        else
                                reach(locks, locks->owned[i].holder, queue, &count);
        }
        return false;
}

/* ---- Numbers -------------------------------------------------------------- */

/* The one of those that keep it who waits itself, if there is one; NULL: nobody that we know. */
static const struct locks_owned *keeper_of(const struct locks *locks, const struct picture *picture,
                                           const struct picture_thread *waiter)
{
        const struct locks_owned *found = NULL;

        for (uint32_t i = first_of(locks, waiter); is_kept_by(locks, i, waiter); i++) {
                if (!found || waits(&picture->threads[locks->owned[i].holder]))
                        found = &locks->owned[i];
                if (waits(&picture->threads[found->holder]))
                        break;
        }
        return found;
}

/* A number for one holding of a lock by one thread; 0: nobody holds it. */
static uint64_t holding_of(const struct locks *locks, const struct picture *picture,
                           const struct picture_thread *waiter)
{
        const struct locks_owned *kept = keeper_of(locks, picture, waiter);

        return kept ? (uint64_t)picture->threads[kept->holder].id << 32 | kept->number : 0;
}

/* A lock that goes from hand to hand makes others wait long, and is given back all the same. */
static void remember(struct locks *locks, const struct picture *picture)
{
        for (uint32_t i = 0; i < picture->thread_count; i++) {
                const struct picture_thread *thread = &picture->threads[i];
                uint32_t n = thread->number;
                uint64_t held = waits(thread) ? holding_of(locks, picture, thread) : 0;
                bool is_new = locks->waits[n].number != thread->wait_number;

                if (is_new || locks->waits[n].held != held) {
                        locks->waits[n].kept_ns = picture->at_ns;
                        locks->waits[n].kept_looks = 0;
                }
                locks->waits[n].kept_looks++;
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
static uint32_t blamed(const struct picture_thread *holder, const struct picture_thread *waiter)
{
        return holder && holder->module ? holder->module : waiter->module;
}

static void judge(struct locks *locks, const struct picture *picture, struct insight *insight,
                  const struct picture_thread *thread)
{
        uint32_t *waiters = locks->waiters[locks->glances % locks_glances];
        uint64_t age_ns = picture->at_ns - locks->waits[thread->number].kept_ns;
        const struct locks_owned *kept = keeper_of(locks, picture, thread);
        uint32_t count = waiters_of(picture, thread->wait_lock);
        uint32_t module = blamed(kept ? &picture->threads[kept->holder] : NULL, thread);
        int64_t *worst_ms = &insight->value[module][INSIGHT_lock_wait_ms];

        if (locks->waits[thread->number].kept_looks >= locks_looks_min &&
            (int64_t)(age_ns / CLOCK_MS_NS) > *worst_ms)
                *worst_ms = (int64_t)(age_ns / CLOCK_MS_NS);
        if (count > waiters[module])
                waiters[module] = count;
}

static void judge_all(struct locks *locks, const struct picture *picture, struct insight *insight)
{
        for (uint32_t i = 0; i < picture->thread_count; i++) {
                const struct picture_thread *thread = &picture->threads[i];
                bool is_stuck = is_in_circle(locks, picture, i);

                locks->waits[thread->number].is_stuck = is_stuck;
                if (is_stuck)
                        insight->value[thread->module][INSIGHT_deadlock]++;
                else if (waits(thread))
                        judge(locks, picture, insight, thread);
        }
}

void locks_glance(struct locks *locks, const struct picture *picture, struct insight *insight)
{
        memset(locks->waiters[locks->glances % locks_glances], 0, sizeof(locks->waiters[0]));
        for (uint32_t m = 0; m < INSIDE_MODULES; m++)
                insight->value[m][INSIGHT_deadlock] = insight->value[m][INSIGHT_lock_wait_ms] = 0;
        list_owned(locks, picture);
        remember(locks, picture);
        find_stable(locks, picture);
        judge_all(locks, picture, insight);
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

static bool add_finding(json_t *one, const struct picture *picture, const struct namer *namer,
                        const struct picture_thread *thread)
{
        for (uint32_t i = 0; i < picture->finding_count; i++) {
                const struct inside_finding *finding = &picture->findings[i];

                if (finding->kind != INSIDE_SELF_DEADLOCK || finding->thread != thread->id)
                        continue;
                (void)json_object_set_new(one, "stack",
                                          namer_stack(namer, finding->stack[0], finding->depth[0]));
                return true;
        }
        return false;
}

/* How it came there, which only the thread itself could say. */
static void add_stack(json_t *one, const char *key, const struct picture *picture,
                      const struct namer *namer, const struct picture_thread *thread)
{
        uint64_t stack[INSIDE_STACK];
        uint32_t depth = remote_stack(picture->pid, (pid_t)thread->id, stack, INSIDE_STACK);

        if (depth)
                (void)json_object_set_new(one, key, namer_stack(namer, stack, depth));
}

static void add_wait(json_t *one, const struct locks *locks, const struct picture *picture,
                     const struct namer *namer, const struct picture_thread *thread)
{
        (void)json_object_set_new(one, "thread", json_integer(thread->id));
        (void)json_object_set_new(one, "module",
                                  json_string(picture_module(picture, thread->module)));
        if (joins(thread))
                (void)json_object_set_new(one, "waits_for_end_of",
                                          json_integer((json_int_t)thread->wait_lock));
        else
                (void)json_object_set_new(
                        one, "waits_for",
                        namer_lock(namer, picture, thread->wait_lock, thread->wait_node));
        if (thread->wait_condition)
                (void)json_object_set_new(one, "woken_from",
                                          namer_lock(namer, picture, thread->wait_condition, 0));
        (void)json_object_set_new(one, "waits_at", namer_place(namer, thread->wait_at));
        (void)json_object_set_new(
                one, "for_ms",
                json_integer((json_int_t)(age_of(locks, picture, thread) / CLOCK_MS_NS)));
}

/* What keeps it from giving the lock back. */
static void add_holder(json_t *one, const struct namer *namer, const struct picture_thread *holder,
                       uint64_t lock)
{
        static const char *const calls[] = {
                [INSIDE_CALL_READ] = "read",       [INSIDE_CALL_WRITE] = "write",
                [INSIDE_CALL_CONNECT] = "connect", [INSIDE_CALL_ACCEPT] = "accept",
                [INSIDE_CALL_SYNC] = "sync",       [INSIDE_CALL_POLL] = "poll",
        };

        (void)json_object_set_new(one, "held_by", json_integer(holder->id));
        (void)json_object_set_new(one, "taken_at", namer_place(namer, holds(holder, lock)->at));
        if (!(holder->call_number & 1) || holder->call_kind >= BASE_COUNT(calls) ||
            !calls[holder->call_kind])
                return;
        (void)json_object_set_new(one, "holder_calls", json_string(calls[holder->call_kind]));
        (void)json_object_set_new(one, "holder_at", namer_place(namer, holder->call_at));
}

/* Nobody that lives. One that is left over from a thread that has ended may have been given back by
 * another; but then nobody would wait for it. */
static void add_nobody(json_t *one, const struct picture *picture, const struct namer *namer,
                       uint64_t lock)
{
        for (uint32_t i = 0; i < picture->left_count; i++) {
                const struct picture_left *left = &picture->left[i];

                for (uint32_t k = 0; k < left->held_count; k++) {
                        if (left->held[k].lock != lock)
                                continue;
                        (void)json_object_set_new(
                                one, "held_by",
                                json_sprintf("thread %" PRIu32 ", which has ended", left->id));
                        (void)json_object_set_new(one, "taken_at",
                                                  namer_place(namer, left->held[k].at));
                        return;
                }
        }
        (void)json_object_set_new(one, "held_by", json_string("nobody that is known"));
}

static json_t *describe(const struct locks *locks, const struct picture *picture,
                        const struct namer *namer, const struct picture_thread *thread,
                        bool with_stack)
{
        const struct picture_thread *holder =
                joins(thread) ? NULL : holder_of(picture, thread->wait_lock);
        json_t *one = json_object();

        add_wait(one, locks, picture, namer, thread);
        if (!add_finding(one, picture, namer, thread) && with_stack)
                add_stack(one, "stack", picture, namer, thread);
        if (joins(thread))
                return one;
        if (!holder) {
                add_nobody(one, picture, namer, thread->wait_lock);
                return one;
        }
        add_holder(one, namer, holder, thread->wait_lock);
        if (with_stack && holder != thread && !waits(holder))
                add_stack(one, "holder_stack", picture, namer, holder);
        return one;
}

json_t *locks_details(const struct locks *locks, const struct picture *picture,
                      const struct namer *namer, uint32_t module, unsigned probe)
{
        const bool is_deadlock = probe == INSIGHT_deadlock;
        json_t *threads = json_array();

        for (uint32_t i = 0; i < picture->thread_count && json_array_size(threads) < details_max;
             i++) {
                const struct picture_thread *thread = &picture->threads[i];
                size_t known = json_array_size(threads);

                if (locks->waits[thread->number].is_stuck != is_deadlock ||
                    (!waits(thread) && !joins(thread)))
                        continue;
                if (is_deadlock || (waits(thread) && blamed(holder_of(picture, thread->wait_lock),
                                                            thread) == module))
                        (void)json_array_append_new(threads, describe(locks, picture, namer, thread,
                                                                      known < stacks_max));
        }
        return json_pack("{s:o}", is_deadlock ? "cycle" : "waiting", threads);
}

json_t *locks_waiters(const struct locks *locks, const struct picture *picture,
                      const struct namer *namer, uint32_t module)
{
        static const char *const kinds[] = {
                [INSIDE_MUTEX] = "mutex",          [INSIDE_RECURSIVE] = "mutex",
                [INSIDE_READ] = "read lock",       [INSIDE_WRITE] = "write lock",
                [INSIDE_SPIN] = "spin lock",       [INSIDE_CONDITION] = "condition",
                [INSIDE_JOIN] = "end of a thread", [INSIDE_SEMAPHORE] = "semaphore",
        };
        json_t *waiting = json_array();

        for (uint32_t i = 0; i < picture->thread_count && json_array_size(waiting) < details_max;
             i++) {
                const struct picture_thread *thread = &picture->threads[i];
                json_t *one;

                if (!(thread->wait_number & 1) || thread->module != module ||
                    thread->wait_kind >= BASE_COUNT(kinds) || !kinds[thread->wait_kind])
                        continue;
                one = json_pack("{s:s}", "kind", kinds[thread->wait_kind]);
                add_wait(one, locks, picture, namer, thread);
                (void)json_array_append_new(waiting, one);
        }
        return waiting;
}
