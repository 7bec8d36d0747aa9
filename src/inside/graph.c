/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c - exists to find the deadlock that has not happened yet: a circle in the order of
 * locks. */
#include "inside/graph.h"

#include <stddef.h>
#include <string.h>

enum { STEPS_MAX = 4096, BUCKETS = 256, WAYS = 4, LOCKS = BUCKETS * WAYS };

/* Of classes: in lists by `from`. Number 0 is none. */
static struct graph_edge edges[GRAPH_EDGES];
static uint32_t edge_count = 1;
static uint16_t first[GRAPH_CLASSES];

/* Who can learn nothing more from that order: a thread, or GRAPH_ALL; 0: nobody. What is never
 * written takes no memory. */
static uint16_t settled[GRAPH_CLASSES][GRAPH_CLASSES];

/* Of single locks: in buckets by `from`, the oldest goes. from is 0 if it is free. */
static struct graph_edge locks[BUCKETS][WAYS];
static uint8_t oldest[BUCKETS];
static uint32_t learnt;

static uint32_t bucket_of(uint64_t from)
{
        return (uint32_t)(from * UINT64_C(0x9e3779b97f4a7c15) >> 56) % BUCKETS;
}

/* The edge after `last` that begins at `from`; NULL: there is none. last: NULL for the first. */
static struct graph_edge *next_edge(uint64_t from, const struct graph_edge *last)
{
        if (from < GRAPH_CLASSES) {
                uint16_t at = last ? last->next : first[from];

                return at ? &edges[at] : NULL;
        }
        struct graph_edge *bucket = locks[bucket_of(from)];

        for (uint32_t i = last ? (uint32_t)(last - bucket) + 1 : 0; i < WAYS; i++)
                if (bucket[i].from == from)
                        return &bucket[i];
        return NULL;
}

static struct graph_edge *find(uint64_t from, uint64_t to)
{
        for (struct graph_edge *edge = next_edge(from, NULL); edge; edge = next_edge(from, edge))
                if (edge->to == to)
                        return edge;
        return NULL;
}

bool graph_has(uint64_t from, uint64_t to)
{
        return find(from, to) != NULL;
}

uint32_t graph_settled(uint64_t from, uint64_t to)
{
        return from < GRAPH_CLASSES && to < GRAPH_CLASSES
                       ? __atomic_load_n(&settled[from][to], __ATOMIC_RELAXED)
                       : 0;
}

bool graph_has_room(void)
{
        return __atomic_load_n(&edge_count, __ATOMIC_RELAXED) < GRAPH_EDGES;
}

uint32_t graph_learnt(void)
{
        return __atomic_load_n(&learnt, __ATOMIC_RELAXED);
}

/* ---- Learning -------------------------------------------------------------------------*/

/* NULL: there is no room. */
static struct graph_edge *room_for(uint64_t from)
{
        uint32_t bucket = bucket_of(from);

        if (from < GRAPH_CLASSES)
                return edge_count < GRAPH_EDGES ? &edges[edge_count++] : NULL;
        learnt++;
        for (uint32_t i = 0; i < WAYS; i++)
                if (!locks[bucket][i].from)
                        return &locks[bucket][i];
        return &locks[bucket][oldest[bucket]++ % WAYS];
}

static struct graph_edge *add(const struct graph_use *use)
{
        struct graph_edge *edge = room_for(use->from);

        if (!edge)
                return NULL;
        *edge = (struct graph_edge){ .from = use->from,
                                     .to = use->to,
                                     .thread = use->thread,
                                     .depth = use->depth < INSIDE_STACK ? use->depth
                                                                        : INSIDE_STACK };
        memcpy(edge->gates, use->gates, use->gate_count * sizeof use->gates[0]);
        memcpy(edge->stack, use->stack, edge->depth * sizeof use->stack[0]);
        if (use->from < GRAPH_CLASSES) {
                edge->next = first[use->from];
                /* Who looks without the guard finds it complete. */
                __atomic_store_n(&first[use->from], (uint16_t)(edge - edges), __ATOMIC_RELEASE);
        }
        return edge;
}

static bool has_gate(const uint64_t *gates, uint32_t count, uint64_t gate)
{
        for (uint32_t i = 0; i < count; i++)
                if (gates[i] == gate)
                        return true;
        return false;
}

/* Only what is held each time keeps others out. True: something is different now. */
static bool learn(struct graph_edge *edge, const struct graph_use *use)
{
        bool is_news = !edge->is_by_many && edge->thread != use->thread;

        edge->is_by_many |= is_news;
        for (uint32_t i = 0; i < GRAPH_GATES; i++) {
                if (!edge->gates[i] || has_gate(use->gates, use->gate_count, edge->gates[i]))
                        continue;
                edge->gates[i] = 0;
                is_news = true;
        }
        return is_news;
}

bool graph_knows(const struct graph_use *use)
{
        const struct graph_edge *edge = use->from < GRAPH_CLASSES ? find(use->from, use->to) : NULL;

        if (!edge || (!edge->is_by_many && edge->thread != use->thread))
                return false;
        for (uint32_t i = 0; i < GRAPH_GATES; i++) {
                uint64_t gate = __atomic_load_n(&edge->gates[i], __ATOMIC_RELAXED);

                if (gate && !has_gate(use->gates, use->gate_count, gate))
                        return false;
        }
        return true;
}

/* Once it is clear that no gate guards it, only another thread is news. */
static void settle(const struct graph_edge *edge)
{
        uint32_t who = edge->is_by_many ? GRAPH_ALL : edge->thread;

        if (edge->from >= GRAPH_CLASSES || edge->to >= GRAPH_CLASSES || who > GRAPH_ALL)
                return;
        for (uint32_t i = 0; i < GRAPH_GATES; i++)
                if (edge->gates[i])
                        return;
        __atomic_store_n(&settled[edge->from][edge->to], (uint16_t)who, __ATOMIC_RELAXED);
}

/* ---- Circles --------------------------------------------------------------------------*/

struct way {
        struct graph_edge *edge[GRAPH_WAY_MAX];
        uint32_t length;
        uint32_t steps;
};

static bool is_by_one(const struct way *way)
{
        for (uint32_t i = 0; i < way->length; i++)
                if (way->edge[i]->is_by_many || way->edge[i]->thread != way->edge[0]->thread)
                        return false;
        return true;
}

static bool is_behind(const struct way *way, uint64_t gate)
{
        for (uint32_t i = 1; i < way->length; i++)
                if (!has_gate(way->edge[i]->gates, GRAPH_GATES, gate))
                        return false;
        return true;
}

/* Can it come to a deadlock? */
static bool is_dangerous(const struct way *way)
{
        if (is_by_one(way))
                return false;
        for (uint32_t i = 0; i < GRAPH_GATES; i++)
                if (way->edge[0]->gates[i] && is_behind(way, way->edge[0]->gates[i]))
                        return false;
        return true;
}

static bool has_been_at(const struct way *way, uint64_t node)
{
        for (uint32_t i = 0; i < way->length; i++)
                if (way->edge[i]->to == node)
                        return true;
        return false;
}

/* Goes on from the end of the way until it comes to where it began; true: it is a dangerous circle
 * of that length. Calls itself GRAPH_WAY_MAX deep at most. */
static bool find_way(struct way *way, uint64_t from, uint64_t goal, uint32_t length)
{
        bool is_last = way->length + 1 == length;

        for (struct graph_edge *edge = next_edge(from, NULL); edge; edge = next_edge(from, edge)) {
                if (way->steps++ >= STEPS_MAX)
                        return false;
                if (is_last != (edge->to == goal) || has_been_at(way, edge->to))
                        continue;
                way->edge[way->length++] = edge;
                if (is_last ? is_dangerous(way) : find_way(way, edge->to, goal, length))
                        return true;
                way->length--;
        }
        return false;
}

/* The shortest says most. */
static bool find_circle(struct way *way, struct graph_edge *edge)
{
        for (uint32_t length = 2; length <= GRAPH_WAY_MAX; length++) {
                *way = (struct way){ .edge = { edge }, .length = 1 };
                if (find_way(way, edge->to, edge->from, length))
                        return true;
        }
        return false;
}

const struct graph_edge *graph_use(const struct graph_use *use)
{
        struct graph_edge *edge = find(use->from, use->to);
        struct way way;
        bool is_news = edge ? learn(edge, use) : true;

        if (!edge)
                edge = add(use);
        if (!edge)
                return NULL;
        settle(edge);
        if (!is_news || edge->is_reported || !find_circle(&way, edge))
                return NULL;
        for (uint32_t i = 0; i < way.length; i++)
                way.edge[i]->is_reported = true;
        return way.edge[1];
}

/* ---- Forgetting -----------------------------------------------------------------------*/

void graph_forget(uint64_t lock)
{
        for (uint32_t i = 0; i < LOCKS; i++) {
                struct graph_edge *edge = &locks[i / WAYS][i % WAYS];

                if (edge->from == lock || edge->to == lock)
                        edge->from = 0;
        }
}

void graph_forget_all(void)
{
        for (uint32_t i = 0; i < LOCKS && learnt; i++)
                locks[i / WAYS][i % WAYS].from = 0;
}
