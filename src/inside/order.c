/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - tells graph.c what each thread does, once, and the reader what graph.c finds.
 *
 * The way of a lock that was met before takes no guard: its number comes out of a table without
 * waiting, and what this thread has had checked, or nobody can add to, is not checked again. */
#include "inside/order.h"

#include <dlfcn.h>

#include "inside/graph.h"
#include "probe/guard.h"

enum {
        TABLE_BITS = 16,
        TABLE = 1 << TABLE_BITS, /* addresses of locks */
        PROBES = 32,
        PLACES = 4 * INSIDE_NODES,
        PLACES_MAX = PLACES / 4 * 3,
        VARIANTS = 8,     /* depths of the stack that are told apart of one return address */
        LEARN_MAX = 2048, /* orders of single locks, from then on one in LEARN_SOME: walking stacks
                             for each step along a tree would be the slowest thing in it */
        LEARN_SOME = 64,
        WALK_MAX = 256,
        GATE_FACTOR = 0x61c9,
};

/* Address of a lock >> 2, and in the lower 16 bits its number, whether it has orders of its own,
 * and whether it is in the pairs of a thread. 0: free; TOMB: was one. */
enum { TOMB = 1, HAS_PAIRS = 0x4000, HAS_ORDERS = 0x8000 };
static uint64_t table[TABLE] __attribute__((aligned(64)));

/* By the hash of where it was made; hash is stored last, 0: free. */
static struct place {
        uint64_t hash;
        uint32_t node;
} places[PLACES];
static uint32_t place_count;

uint32_t order_generation_;

static uint32_t threads;
static __thread uint32_t me; /* a number that a child keeps: ids of threads are others there */

static uint64_t mix(uint64_t value)
{
        value *= UINT64_C(0x9e3779b97f4a7c15);
        return value ^ value >> 29;
}

/* ---- Locks and their numbers ----------------------------------------------------------*/

static uint64_t word_of(uintptr_t lock, uint32_t node)
{
        return (uint64_t)lock >> 2 << 16 | node;
}

/* Locks that lie together have slots in one line of the cache: a program goes through arrays of
 * them. A mutex takes 40 bytes. */
static inline uint64_t *slot_at(uintptr_t lock, uint32_t i)
{
        uint32_t line = (uint32_t)((lock >> 8) * UINT64_C(0x9e3779b97f4a7c15) >> (67 - TABLE_BITS));

        return &table[(line * 8 + (lock >> 5) % 8 + i) % TABLE];
}

/* Where it stands; NULL: nowhere. */
static inline uint64_t *slot_of(uintptr_t lock)
{
        for (uint32_t i = 0; i < PROBES; i++) {
                uint64_t *slot = slot_at(lock, i);
                uint64_t word = __atomic_load_n(slot, __ATOMIC_RELAXED);

                if (word >> 16 == lock >> 2)
                        return slot;
                if (!word)
                        return NULL;
        }
        return NULL;
}

static inline uint32_t look_up(uintptr_t lock)
{
        const uint64_t *slot = slot_of(lock);

        return slot ? __atomic_load_n(slot, __ATOMIC_RELAXED) % INSIDE_NODES : 0;
}

/* Nobody else has to do with this lock meanwhile, or the guard is held. False: there is no room. */
static bool remember(uintptr_t lock, uint32_t node)
{
        uint64_t *known = slot_of(lock);

        if (known) {
                __atomic_store_n(known, word_of(lock, node), __ATOMIC_RELAXED);
                return true;
        }
        for (uint32_t i = 0; i < PROBES; i++) {
                uint64_t *slot = slot_at(lock, i);
                uint64_t word = __atomic_load_n(slot, __ATOMIC_RELAXED);

                if (word <= TOMB &&
                    __atomic_compare_exchange_n(slot, &word, word_of(lock, node), false,
                                                __ATOMIC_RELAXED, __ATOMIC_RELAXED))
                        return true;
        }
        return false;
}

/* Under the guard. */
static uint32_t add_node(uintptr_t lock, enum inside_lock kind, uintptr_t made)
{
        uint32_t count = inside_.head->nodes ? inside_.head->nodes : 1;

        if (count == INSIDE_NODES)
                return 0;
        inside_.nodes[count] = (struct inside_node){ .kind = kind, .lock = lock, .made = made };
        __atomic_store_n(&inside_.nodes[count].is_ready, 1, __ATOMIC_RELEASE);
        __atomic_store_n(&inside_.head->nodes, count + 1, __ATOMIC_RELEASE);
        return count;
}

static bool has_room(void)
{
        return __atomic_load_n(&inside_.head->nodes, __ATOMIC_RELAXED) < INSIDE_NODES;
}

/* A lock that nobody initialised may go as it came, without a word: only what lies in a program or
 * a library stays what it is. Of others the address may be the next one's (a std::mutex, most
 * often), and an order of theirs would be false. */
static bool is_static(uintptr_t lock)
{
        struct dl_find_object object;

        return _dl_find_object((void *)lock, &object) == 0;
}

uint32_t order_node(const volatile void *lock, enum inside_lock kind)
{
        const uint64_t *slot = slot_of((uintptr_t)lock);
        uint32_t node = slot ? __atomic_load_n(slot, __ATOMIC_RELAXED) % INSIDE_NODES : 0;
        struct guard guard;

        if (__builtin_expect(node || slot, 1) || !has_room() || (uintptr_t)lock >> 47)
                return node;
        guard = toc_guard_enter_();
        node = look_up((uintptr_t)lock);
        /* First the slot: no number without one, and who has none is not asked for it again. */
        if (!node && remember((uintptr_t)lock, 0) && is_static((uintptr_t)lock)) {
                node = add_node((uintptr_t)lock, kind, 0);
                (void)remember((uintptr_t)lock, node); /* it has its slot */
        }
        toc_guard_leave_(guard);
        return node;
}

/* ---- Places ---------------------------------------------------------------------------*/

/* The slot of that hash, or the free one where it belongs. There are always free ones. */
static struct place *place_slot(uint64_t hash)
{
        for (uint32_t at = (uint32_t)(hash >> 40);; at++) {
                struct place *place = &places[at % PLACES];
                uint64_t there = __atomic_load_n(&place->hash, __ATOMIC_ACQUIRE);

                if (!there || there == hash)
                        return place;
        }
}

/* Recursion has no end of depths. 0: there are few yet. */
static uint32_t find_variant(uintptr_t made)
{
        uint32_t count = __atomic_load_n(&inside_.head->nodes, __ATOMIC_ACQUIRE);
        uint32_t variants = 0, last = 0;

        for (uint32_t i = 1; i < count; i++) {
                if (inside_.nodes[i].made != made)
                        continue;
                last = i;
                variants++;
        }
        return variants >= VARIANTS ? last : 0;
}

static uint32_t node_of_place(uintptr_t lock, enum inside_lock kind, const void *at, const void *sp)
{
        uint64_t depth = (inside_local_.top - (uintptr_t)sp) >> 4;
        uint64_t hash = mix((uintptr_t)at ^ depth << 45) | 1;
        struct place *place = place_slot(hash);
        struct guard guard;
        uint32_t node;

        if (place->hash)
                return place->node;
        if (__atomic_load_n(&place_count, __ATOMIC_RELAXED) == PLACES_MAX)
                return find_variant((uintptr_t)at);
        guard = toc_guard_enter_();
        place = place_slot(hash);
        node = place->hash ? place->node : find_variant((uintptr_t)at);
        if (!node)
                node = add_node(lock, kind, (uintptr_t)at);
        if (!place->hash && place_count < PLACES_MAX) {
                place->node = node;
                __atomic_store_n(&place->hash, hash, __ATOMIC_RELEASE);
                __atomic_store_n(&place_count, place_count + 1, __ATOMIC_RELAXED);
        }
        toc_guard_leave_(guard);
        return node;
}

static void forget(uintptr_t lock)
{
        struct guard guard = toc_guard_enter_();

        graph_forget(lock);
        toc_guard_leave_(guard);
}

void order_made(const volatile void *lock, enum inside_lock kind, const void *at, const void *sp)
{
        uint32_t node;

        if ((uintptr_t)lock >> 47)
                return;
        order_ended(lock); /* another lock stood here, of which nobody said that it is gone */
        node = node_of_place((uintptr_t)lock, kind, at, sp);
        if (node)
                (void)remember((uintptr_t)lock, node); /* else it is known by its address */
}

void order_ended(const volatile void *lock)
{
        uint64_t *slot = slot_of((uintptr_t)lock);
        uint64_t word;

        if (!slot)
                return;
        word = __atomic_load_n(slot, __ATOMIC_RELAXED);
        if (word >> 16 != (uintptr_t)lock >> 2)
                return;
        __atomic_store_n(slot, TOMB, __ATOMIC_RELAXED);
        if (word & HAS_ORDERS)
                forget((uintptr_t)lock);
        if (word & (HAS_ORDERS | HAS_PAIRS))
                (void)__atomic_fetch_add(&order_generation_, 1, __ATOMIC_RELAXED);
}

/* ---- Orders ---------------------------------------------------------------------------*/

static uint64_t id_of(const struct inside_held *held, uint32_t node)
{
        return held->node == node ? held->lock : held->node;
}

/* Others that are held keep others out, unless they are held for reading. */
static void note_gates(struct graph_use *use, const struct inside_thread *page,
                       const struct inside_held *held)
{
        uint32_t count = inside_holds(page);

        for (uint32_t i = 0; i < count; i++) {
                const struct inside_held *gate = &page->held[i];

                if (gate != held && gate->lock && gate->kind != INSIDE_READ &&
                    use->gate_count < GRAPH_GATES)
                        use->gates[use->gate_count++] = gate->lock;
        }
}

static void report(const struct inside_held *held, uintptr_t lock, uint32_t node,
                   const struct graph_use *use, const struct graph_edge *other)
{
        struct inside_finding *finding = inside_finding_new(INSIDE_LOCK_ORDER);

        if (!finding)
                return;
        finding->lock[0] = held->lock;
        finding->lock[1] = lock;
        finding->node[0] = held->node;
        finding->node[1] = node;
        finding->depth[0] = use->depth;
        finding->depth[1] = other->depth;
        for (uint32_t i = 0; i < use->depth; i++)
                finding->stack[0][i] = use->stack[i];
        for (uint32_t i = 0; i < other->depth; i++)
                finding->stack[1][i] = other->stack[i];
        inside_finding_done(finding);
}

/* Something of it is known that has to be forgotten when it ends. False: it stands nowhere. */
static bool mark(uintptr_t lock, uint64_t what)
{
        uint64_t *slot = slot_of(lock);

        if (slot && !(__atomic_load_n(slot, __ATOMIC_RELAXED) & what))
                (void)__atomic_fetch_or(slot, what, __ATOMIC_RELAXED);
        return slot != NULL;
}

/* There may be more orders than there is room for, or than anybody wants to know. */
static bool is_wanted(const struct graph_use *use)
{
        static __thread uint32_t turn;

        if (use->from < GRAPH_CLASSES)
                return graph_has_room() || graph_has(use->from, use->to);
        return graph_learnt() < LEARN_MAX || graph_has(use->to, use->from) ||
               ++turn % LEARN_SOME == 0;
}

/* What has not been seen of this thread. */
__attribute__((noinline)) static void use_order(const struct inside_thread *page,
                                                const struct inside_held *held, uintptr_t lock,
                                                uint32_t node, const void *at)
{
        uint64_t stack[INSIDE_STACK] = { (uintptr_t)at };
        struct graph_use use = { .from = id_of(held, node), .depth = 1, .stack = stack };
        const struct graph_edge *other;
        struct guard guard;

        use.to = held->node == node ? lock : node;
        if (!is_wanted(&use))
                return;
        if (!me)
                me = __atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
        use.thread = me;
        note_gates(&use, page, held);
        if (graph_knows(&use))
                return; /* behind another lock than the last time, which is no news */
        if (use.from < GRAPH_CLASSES || graph_learnt() < WALK_MAX || graph_has(use.to, use.from))
                use.depth = inside_stack(at, stack, INSIDE_STACK); /* outside of the guard */
        guard = toc_guard_enter_();
        if (held->node == node) {
                (void)mark(held->lock, HAS_ORDERS); /* both stand there: they have numbers */
                (void)mark(lock, HAS_ORDERS);
        }
        other = graph_use(&use);
        if (other)
                report(held, lock, node, &use, other);
        toc_guard_leave_(guard);
}

/* True: this thread has been here. */
static inline bool is_seen(uint64_t key)
{
        uint64_t *at = &inside_local_.room->seen[(key >> 32) % INSIDE_SEEN];

        if (*at == key)
                return true;
        *at = key;
        return false;
}

/* The order of this one and the one to come has been checked, with what else is held. */
static inline bool is_known(const struct inside_held *held, uintptr_t lock, uint32_t node,
                            uint64_t others)
{
        uint32_t settled;
        uint64_t key;

        others -= held->lock * GATE_FACTOR;
        if (held->node == node) {
                key = held->lock * 31 ^ (uint64_t)lock << 13 ^
                      __atomic_load_n(&order_generation_, __ATOMIC_RELAXED);
                return is_seen(mix(key ^ others) | 1);
        }
        settled = graph_settled(held->node, node);
        if (settled == GRAPH_ALL || (settled && settled == me))
                return true;
        key = (uint64_t)held->node << 40 ^ (uint64_t)node << 20;
        return is_seen(mix(settled ? key ^ settled : key ^ others) | 1);
}

/* For order_is_checked(). lock: 0 if another thread has released it; outer: of before the check. */
static void keep_pair(uintptr_t lock, uint64_t outer, uintptr_t inner)
{
        struct inside_pair *pair = order_pair_of((const void *)inner);

        if (!lock || !mark(lock, HAS_PAIRS) || !mark(inner, HAS_PAIRS))
                return;
        pair->inner = 0;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        pair->outer = outer;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        pair->inner = inner;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        /* A handler in between has kept a pair of its own. */
        if (*(volatile uint64_t *)&pair->outer != outer)
                pair->inner = 0;
}

void order_check(struct inside_thread *page, const volatile void *lock, enum inside_lock kind,
                 const void *at)
{
        uint32_t node = order_node(lock, kind);
        uint32_t count = inside_holds(page);
        uint64_t first = __atomic_load_n(&page->held[0].lock, __ATOMIC_RELAXED);
        uint64_t others = 0, outer = order_outer(first);

        if (!node || page->here.any_order)
                return;
        for (uint32_t i = 0; i < count; i++) {
                if (page->held[i].lock == (uintptr_t)lock)
                        return; /* it has it: it cannot meet anybody on the way to it */
                others += page->held[i].lock * GATE_FACTOR;
        }
        for (uint32_t i = 0; i < count; i++) {
                struct inside_held *held = &page->held[i];

                if (!held->lock)
                        continue;
                if (!held->node)
                        held->node = (uint16_t)order_node((const void *)held->lock, held->kind);
                if (held->node && !is_known(held, (uintptr_t)lock, node, others))
                        use_order(page, held, (uintptr_t)lock, node, at);
        }
        if (count == 1 && page->held[0].node)
                keep_pair(first, outer, (uintptr_t)lock);
}

/* A half-written order of another thread's may have come along. */
void order_forked(void)
{
        graph_forget_all();
        order_generation_++;
}
