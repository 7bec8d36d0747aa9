/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - exists to find the deadlock that has not happened yet. */
#include "inside/order.h"

#include "probe/guard.h"

enum {
        TABLE = 1 << 16, /* addresses of locks */
        PROBES = 32,
        EDGES = 2048,
        PAIRS = 1024, /* of locks that were made at one place */
        GATES = 4,
        SEEN = 64,
        STEPS_MAX = 4096,
        WAY_MAX = 8,
};

/* One after the other: whoever holds `from` takes `to`. */
struct edge {
        uint16_t from, to;
        uint32_t thread; /* the first that did it */
        bool is_by_many;
        bool is_reported;
        uint16_t gates[GATES]; /* held besides, each time; 0: none */
        uint32_t depth;
        uint64_t stack[INSIDE_STACK];
};

struct pair {
        uintptr_t from, to;
        uint32_t thread;
        uint32_t depth;
        uint64_t stack[INSIDE_STACK];
};

static struct {
        uintptr_t lock; /* 0: free; 1: was one */
        uint32_t node;
} table[TABLE];

static struct edge edges[EDGES];
static uint32_t edge_count;
static struct pair pairs[PAIRS];

/* What this thread has had checked already. */
static __thread uint64_t seen[SEEN];

/* ---- Nodes ----------------------------------------------------------------------------*/

static uint32_t slot_of(uintptr_t lock)
{
        return (uint32_t)((lock >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 48) % TABLE;
}

static uint32_t look_up(uintptr_t lock)
{
        uint32_t slot = slot_of(lock);

        for (uint32_t i = 0; i < PROBES; i++) {
                uintptr_t there =
                        __atomic_load_n(&table[(slot + i) % TABLE].lock, __ATOMIC_ACQUIRE);

                if (there == lock)
                        return __atomic_load_n(&table[(slot + i) % TABLE].node, __ATOMIC_RELAXED);
                if (!there)
                        return 0;
        }
        return 0;
}

/* Under the guard. */
static void remember(uintptr_t lock, uint32_t node)
{
        uint32_t slot = slot_of(lock), free = TABLE;

        for (uint32_t i = 0; i < PROBES; i++) {
                uint32_t at = (slot + i) % TABLE;

                if (table[at].lock == lock)
                        free = at;
                else if (table[at].lock <= 1 && free == TABLE)
                        free = at;
                if (table[at].lock == lock || !table[at].lock)
                        break;
        }
        if (free == TABLE)
                return;
        __atomic_store_n(&table[free].node, node, __ATOMIC_RELAXED);
        __atomic_store_n(&table[free].lock, lock, __ATOMIC_RELEASE);
}

/* Under the guard. 0: no room. */
static uint32_t add_node(uintptr_t lock, enum inside_lock kind, uintptr_t made)
{
        uint32_t count = inside_.head->nodes ? inside_.head->nodes : 1;

        for (uint32_t i = 1; made && i < count; i++)
                if (inside_.nodes[i].made == made)
                        return i;
        if (count == INSIDE_NODES)
                return 0;
        inside_.nodes[count] = (struct inside_node){ .kind = kind, .lock = lock, .made = made };
        __atomic_store_n(&inside_.nodes[count].is_ready, 1, __ATOMIC_RELEASE);
        __atomic_store_n(&inside_.head->nodes, count + 1, __ATOMIC_RELEASE);
        return count;
}

void order_made(const volatile void *lock, enum inside_lock kind, const void *at)
{
        struct guard guard = toc_guard_enter_();
        uint32_t node = add_node((uintptr_t)lock, kind, (uintptr_t)at);

        if (node)
                remember((uintptr_t)lock, node);
        toc_guard_leave_(guard);
}

void order_ended(const volatile void *lock)
{
        struct guard guard;

        if (!look_up((uintptr_t)lock))
                return;
        guard = toc_guard_enter_();
        for (uint32_t i = 0; i < PROBES; i++) {
                uint32_t at = (slot_of((uintptr_t)lock) + i) % TABLE;

                if (table[at].lock == (uintptr_t)lock)
                        __atomic_store_n(&table[at].lock, 1, __ATOMIC_RELEASE);
        }
        for (uint32_t i = 0; i < PAIRS; i++)
                if (pairs[i].from == (uintptr_t)lock || pairs[i].to == (uintptr_t)lock)
                        pairs[i].from = 0;
        toc_guard_leave_(guard);
}

uint32_t order_node(const volatile void *lock, enum inside_lock kind)
{
        uint32_t node = look_up((uintptr_t)lock);
        struct guard guard;

        if (node)
                return node;
        guard = toc_guard_enter_();
        node = look_up((uintptr_t)lock);
        if (!node)
                node = add_node((uintptr_t)lock, kind, 0);
        if (node)
                remember((uintptr_t)lock, node);
        toc_guard_leave_(guard);
        return node;
}

/* ---- Circles --------------------------------------------------------------------------*/

static void report(struct inside_thread *page, const struct inside_held *held,
                   const volatile void *lock, uint32_t node, const uint64_t *stack, uint32_t depth,
                   const uint64_t *other, uint32_t other_depth)
{
        struct inside_finding *finding = inside_finding_new(INSIDE_LOCK_ORDER);

        (void)page;
        if (!finding)
                return;
        finding->lock[0] = held->lock;
        finding->lock[1] = (uintptr_t)lock;
        finding->node[0] = held->node;
        finding->node[1] = node;
        finding->depth[0] = depth;
        finding->depth[1] = other_depth;
        for (uint32_t i = 0; i < depth; i++)
                finding->stack[0][i] = stack[i];
        for (uint32_t i = 0; i < other_depth; i++)
                finding->stack[1][i] = other[i];
        inside_finding_done(finding);
}

struct way {
        const struct edge *edge[WAY_MAX];
        uint32_t length;
        uint32_t steps;
};

static bool has_gate(const struct edge *edge, uint16_t gate)
{
        for (uint32_t i = 0; i < GATES; i++)
                if (edge->gates[i] == gate)
                        return true;
        return false;
}

/* Can it come to a deadlock? */
static bool is_dangerous(const struct way *way)
{
        bool is_by_one = true;

        for (uint32_t i = 0; i < way->length; i++)
                is_by_one &=
                        !way->edge[i]->is_by_many && way->edge[i]->thread == way->edge[0]->thread;
        if (is_by_one)
                return false;
        for (uint32_t g = 0; g < GATES; g++) {
                bool is_common = way->edge[0]->gates[g] != 0;

                for (uint32_t i = 1; i < way->length && is_common; i++)
                        is_common = has_gate(way->edge[i], way->edge[0]->gates[g]);
                if (is_common)
                        return false;
        }
        return true;
}

/* Goes on from the end of the way until it comes to `goal`; true: the way is a dangerous circle. */
static bool find_way(struct way *way, uint32_t from, uint32_t goal)
{
        if (way->length == WAY_MAX)
                return false;
        for (uint32_t i = 0; i < edge_count && way->steps < STEPS_MAX; i++) {
                if (edges[i].from != from)
                        continue;
                way->steps++;
                way->edge[way->length++] = &edges[i];
                if (edges[i].to == goal ? is_dangerous(way) : find_way(way, edges[i].to, goal))
                        return true;
                way->length--;
        }
        return false;
}

/* ---- Edges ----------------------------------------------------------------------------*/

static struct edge *find_edge(uint32_t from, uint32_t to)
{
        for (uint32_t i = 0; i < edge_count; i++)
                if (edges[i].from == from && edges[i].to == to)
                        return &edges[i];
        return NULL;
}

/* Those that are held besides `held`, or of the gates so far only these. */
static void note_gates(struct edge *edge, const struct inside_thread *page,
                       const struct inside_held *held, bool is_new)
{
        uint16_t now[GATES] = { 0 };
        uint32_t count = 0;

        for (uint32_t i = 0; i < page->held_count && i < INSIDE_HELD && count < GATES; i++)
                if (&page->held[i] != held && page->held[i].node)
                        now[count++] = (uint16_t)page->held[i].node;
        for (uint32_t i = 0; i < GATES; i++) {
                bool is_still = is_new;

                for (uint32_t k = 0; k < GATES && !is_still; k++)
                        is_still = edge->gates[i] && edge->gates[i] == now[k];
                if (is_new)
                        edge->gates[i] = now[i];
                else if (!is_still)
                        edge->gates[i] = 0;
        }
}

static void check_edge(struct inside_thread *page, struct inside_held *held,
                       const volatile void *lock, uint32_t node, const uint64_t *stack,
                       uint32_t depth)
{
        struct edge *edge = find_edge(held->node, node);
        struct way way = { .length = 1 };

        if (!edge && edge_count == EDGES)
                return;
        if (!edge) {
                edge = &edges[edge_count];
                *edge = (struct edge){ .from = (uint16_t)held->node,
                                       .to = (uint16_t)node,
                                       .thread = inside_local_.thread,
                                       .depth = depth };
                for (uint32_t i = 0; i < depth; i++)
                        edge->stack[i] = stack[i];
                note_gates(edge, page, held, true);
                edge_count++;
        } else {
                edge->is_by_many |= edge->thread != inside_local_.thread;
                note_gates(edge, page, held, false);
        }
        way.edge[0] = edge;
        if (edge->is_reported || !find_way(&way, node, held->node))
                return;
        for (uint32_t i = 0; i < way.length; i++)
                edges[way.edge[i] - edges].is_reported = true;
        report(page, held, lock, node, stack, depth, way.edge[1]->stack, way.edge[1]->depth);
}

/* Two that were made at one place. */
static void check_pair(struct inside_thread *page, struct inside_held *held,
                       const volatile void *lock, uint32_t node, const uint64_t *stack,
                       uint32_t depth)
{
        uintptr_t from = held->lock, to = (uintptr_t)lock;
        struct pair *pair = &pairs[((from ^ to) >> 4) * 31 % PAIRS];

        if (pair->from == to && pair->to == from && pair->thread != inside_local_.thread) {
                report(page, held, lock, node, stack, depth, pair->stack, pair->depth);
                pair->from = 0;
                return;
        }
        if (pair->from == from && pair->to == to)
                return;
        *pair = (struct pair){
                .from = from, .to = to, .thread = inside_local_.thread, .depth = depth
        };
        for (uint32_t i = 0; i < depth; i++)
                pair->stack[i] = stack[i];
}

/* True: this thread has been here. */
static bool is_seen(uint64_t key)
{
        uint64_t *at = &seen[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 58];

        if (*at == key)
                return true;
        *at = key;
        return false;
}

void order_check(struct inside_thread *page, const volatile void *lock, enum inside_lock kind,
                 const void *at)
{
        uint32_t node = order_node(lock, kind);
        uint64_t stack[INSIDE_STACK];
        uint32_t depth = 0;

        if (!node || page->here.any_order)
                return;
        for (uint32_t i = 0; i < page->held_count && i < INSIDE_HELD; i++) {
                struct inside_held *held = &page->held[i];
                struct guard guard;
                uint64_t key;

                if (held->lock == (uintptr_t)lock || !held->lock)
                        continue;
                if (!held->node)
                        held->node = (uint16_t)order_node((const void *)held->lock, held->kind);
                if (!held->node)
                        continue;
                key = held->node == node ? held->lock * 31 ^ (uintptr_t)lock
                                         : (uint64_t)held->node << 40 ^ (uint64_t)node << 20;
                if (is_seen(key ^ (uint64_t)page->held_count << 58))
                        continue;
                if (!depth)
                        depth = inside_stack(at, stack, INSIDE_STACK); /* outside of the guard */
                guard = toc_guard_enter_();
                if (held->node == node)
                        check_pair(page, held, lock, node, stack, depth);
                else
                        check_edge(page, held, lock, node, stack, depth);
                toc_guard_leave_(guard);
        }
}
