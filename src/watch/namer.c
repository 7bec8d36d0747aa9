/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that whoever is woken reads names and not addresses. */
#include "watch/insight.h"

#include "base/clock.h"
#include "watch/event.h"

#define NAMER_MAX_NS (20 * CLOCK_MS_NS) /* for the names of one stack */

static uint64_t time_left(const struct namer *namer)
{
        uint64_t now_ns = clock_monotonic_ns(), time_ns = NAMER_MAX_NS;

        if (namer->until_ns && now_ns + time_ns > namer->until_ns)
                time_ns = now_ns < namer->until_ns ? namer->until_ns - now_ns : 0;
        return time_ns;
}

static void describe(const struct namer *namer, const uint64_t *stack, uint32_t depth,
                     char lines[SEGMENT_STACK_MAX][stack_line_bytes])
{
        uint64_t time_ns = time_left(namer);

        stack_describe(time_ns ? namer->stacks : NULL, namer->maps, stack, depth, time_ns, lines);
}

json_t *namer_stack(const struct namer *namer, const uint64_t *stack, uint32_t depth)
{
        char lines[SEGMENT_STACK_MAX][stack_line_bytes];
        json_t *names = json_array();

        if (depth > SEGMENT_STACK_MAX)
                depth = SEGMENT_STACK_MAX;
        describe(namer, stack, depth, lines);
        for (uint32_t i = 0; i < depth; i++)
                (void)json_array_append_new(names, event_string(lines[i], strlen(lines[i])));
        return names;
}

json_t *namer_place(const struct namer *namer, uint64_t address)
{
        char lines[SEGMENT_STACK_MAX][stack_line_bytes];

        describe(namer, &address, 1, lines);
        return event_string(lines[0], strlen(lines[0]));
}

json_t *namer_site(const struct namer *namer, const struct picture *picture, uint32_t number)
{
        const struct inside_site *site = &picture->sites[number % INSIDE_SITES];
        json_t *named = json_object();

        (void)json_object_set_new(named, "module",
                                  json_string(picture_module(picture, site->module)));
        (void)json_object_set_new(named, "stack", namer_stack(namer, site->stack, site->depth));
        return named;
}

json_t *namer_lock(const struct namer *namer, const struct picture *picture, uint64_t lock,
                   uint32_t node)
{
        const struct inside_node *known = &picture->nodes[node % INSIDE_NODES];
        json_t *named = json_object();
        uint64_t time_ns = time_left(namer);
        char address[24], name[stack_line_bytes];

        (void)snprintf(address, sizeof(address), "0x%llx", (unsigned long long)lock);
        (void)json_object_set_new(named, "lock", json_string(address));
        if (node && node < picture->node_count && known->made)
                (void)json_object_set_new(named, "made_at", namer_place(namer, known->made));
        stack_describe_object(time_ns ? namer->stacks : NULL, namer->maps, lock, time_ns, name);
        if (strcmp(name, address) != 0) /* it lies in a program or a library */
                (void)json_object_set_new(named, "name", event_string(name, strlen(name)));
        return named;
}
