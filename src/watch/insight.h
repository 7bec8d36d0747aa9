/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insight.h - what analysers conclude from pictures: a number a module and probe, and, for whoever
 * is woken, the details.
 *
 * The probes are those of insight.def, which Tocsin adds to each module of a program that runs with
 * libtocsin-inside; a rule set judges the numbers. An analyser is a struct of its own with
 *
 *         x_see(state, picture, insight);            // each second: sets numbers
 *         x_glance(state, picture, insight);         // each 100 ms, if it needs that
 *         json_t *x_details(state, picture, namer, module, probe);   // when a rule rings; or NULL
 *
 * Numbers stand until they are set again; nobody resets them.
 *
 * Units:     as the name of the probe says. Ownership: x_details returns a new reference. Threads:
 *            one. Errors: none: without memory there is no detail. Limits: INSIDE_MODULES modules.
 */
#ifndef WATCH_INSIGHT_H
#define WATCH_INSIGHT_H

#include "watch/picture.h"
#include "watch/stack.h"

#include <jansson.h>

enum insight_probe {
#define X(name, signal, limit, severity, hold_s, meaning, help) INSIGHT_##name,
#include "watch/insight.def"
#undef X
        INSIGHT_PROBES,
};

struct insight {
        int64_t value[INSIDE_MODULES][INSIGHT_PROBES];
};

/* Names for addresses of the process; what they return is foreign text, escaped. */
struct namer {
        struct stack_reader *stacks; /* may be NULL: numbers only */
        const struct text *maps;
        uint64_t until_ns; /* after that all are numbers; 0: each name has its own time only */
};

/* For one alert: names that take longer, however many stacks it has, come with the next. */
#define NAMER_ALERT_NS (200 * CLOCK_MS_NS)

/* ["lru_put+0x1f (lru.c:41)", ...] as report.c gives stacks. */
json_t *namer_stack(const struct namer *namer, const uint64_t *stack, uint32_t depth);
/* One place. */
json_t *namer_place(const struct namer *namer, uint64_t address);
/* {"module": "lru", "stack": [...]} */
json_t *namer_site(const struct namer *namer, const struct picture *picture, uint32_t site);
/* {"lock": "0x7f..", "name": "cache_lock" where a symbol or an initialising place is known} */
json_t *namer_lock(const struct namer *namer, const struct picture *picture, uint64_t lock,
                   uint32_t node);

#endif
