/* SPDX-License-Identifier: Apache-2.0 */
/* site.c - gives each call path a number, once. */
#include <errno.h>
#include <unwind.h>

#include "inside/inside.h"
#include "probe/guard.h"

enum {
        TABLE_BITS = 13,
        TABLE = 1 << TABLE_BITS,
        TABLE_FULL = TABLE / 4 * 3,
        PROBES = 16,
        VARIANTS = 16, /* depths of the stack at which one return address is told apart */
};

/* As the caches of threads: 48 bits of the key, 16 of the site. Entries are only ever added. */
static uint64_t table[TABLE];
static uint32_t table_count;

/* ---- Stacks ---------------------------------------------------------------------------*/

struct walk {
        uintptr_t from;
        uint64_t *out;
        uint32_t max, depth, seen;
        bool has_begun;
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *argument)
{
        struct walk *walk = argument;
        uintptr_t at = _Unwind_GetIP(context);

        if (!at || walk->seen++ > 64)
                return _URC_END_OF_STACK;
        walk->has_begun |= at == walk->from;
        if (walk->has_begun)
                walk->out[walk->depth++] = at;
        return walk->depth == walk->max ? _URC_END_OF_STACK : _URC_NO_REASON;
}

uint32_t inside_stack(const void *at, uint64_t *out, uint32_t max)
{
        struct walk walk = { .from = (uintptr_t)at, .out = out, .max = max };
        int saved = errno;

        (void)_Unwind_Backtrace(on_frame, &walk); /* what it found is in walk */
        errno = saved;
        if (walk.depth == 0)
                out[walk.depth++] = (uintptr_t)at;
        return walk.depth;
}

/* ---- Numbers --------------------------------------------------------------------------*/

static uint32_t elsewhere(enum inside_kind kind, uint32_t module)
{
        return ((uint32_t)kind - 1) * INSIDE_MODULES + module;
}

/* 0: not known. */
static uint32_t look_up(uint64_t key)
{
        for (uint32_t i = 0; i < PROBES; i++) {
                uint64_t known = __atomic_load_n(&table[((key >> (64 - TABLE_BITS)) + i) % TABLE],
                                                 __ATOMIC_RELAXED);

                if (!known)
                        return 0;
                if ((known ^ key) >> 16 == 0)
                        return known & 0xffff;
        }
        return 0;
}

static void remember(uint64_t key, uint32_t site)
{
        for (uint32_t i = 0; i < PROBES; i++) {
                uint64_t *at = &table[((key >> (64 - TABLE_BITS)) + i) % TABLE];

                if (*at)
                        continue;
                __atomic_store_n(at, (key & ~UINT64_C(0xffff)) | site, __ATOMIC_RELAXED);
                table_count++;
                return;
        }
}

/* A site of the same return address, once there are enough of them: recursion has no end of
 * depths. */
static uint32_t find_variant(enum inside_kind kind, uint32_t module, const void *at)
{
        uint32_t variants = 0, last = 0;

        for (uint32_t i = INSIDE_FIRST_SITE; i < inside_.head->sites; i++) {
                const struct inside_site *site = &inside_.sites[i];

                if (site->kind != kind || site->module != module || site->stack[0] != (uintptr_t)at)
                        continue;
                last = i;
                variants++;
        }
        return variants >= VARIANTS ? last : 0;
}

static uint32_t add(enum inside_kind kind, uint32_t module, const uint64_t *stack, uint32_t depth)
{
        uint32_t number = inside_.head->sites;
        struct inside_site *site = &inside_.sites[number];

        if (number == INSIDE_SITES) {
                inside_.head->sites_full++;
                return elsewhere(kind, module);
        }
        site->kind = kind;
        site->module = module;
        site->depth = depth;
        for (uint32_t i = 0; i < depth; i++)
                site->stack[i] = stack[i];
        __atomic_store_n(&site->is_ready, 1, __ATOMIC_RELEASE);
        __atomic_store_n(&inside_.head->sites, number + 1, __ATOMIC_RELEASE);
        return number;
}

uint32_t inside_site_find(enum inside_kind kind, uint32_t module, const void *at, const void *sp)
{
        uint64_t key = inside_path(kind, module, at, inside_local_.top - (uintptr_t)sp);
        uint64_t stack[INSIDE_STACK];
        uint32_t site = look_up(key), depth;
        struct guard guard;

        if (site)
                return site;
        if (__atomic_load_n(&table_count, __ATOMIC_RELAXED) >= TABLE_FULL)
                return elsewhere(kind, module);
        depth = inside_stack(at, stack, INSIDE_STACK); /* not under the guard: it takes long */
        guard = toc_guard_enter_();
        site = look_up(key);
        if (!site)
                site = find_variant(kind, module, at);
        if (!site)
                site = add(kind, module, stack, depth);
        if (table_count < TABLE_FULL)
                remember(key, site);
        toc_guard_leave_(guard);
        return site;
}
