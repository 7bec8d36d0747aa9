/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h - what the tests of this room share: cmocka, records to start from, a random stream.
 *
 * Nothing here computes what a rule should say. */
#ifndef RULE_FIXTURE_H
#define RULE_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rule/rule.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define S            UINT64_C(1000000000) /* nanoseconds in a second */
#define MS           UINT64_C(1000000)

static inline const char *fixture_state_name(enum rule_state state)
{
        static const char *const names[] = { "UNDEF", "OK", "PENDING", "FIRING", "NOT_AVAILABLE" };

        return (unsigned)state < COUNT(names) ? names[state] : "?";
}

static inline struct toc_rule fixture_rule(unsigned signal, unsigned op, int64_t limit)
{
        return (struct toc_rule){
                .limit = limit,
                .clear_at = TOC_NO_CLEAR_LEVEL_,
                .signal = (uint8_t)signal,
                .op = (uint8_t)op,
                .severity = TOC_WARN,
                .meaning = "somebody should look",
        };
}

/* A good record with one rule. */
static inline struct toc_record fixture_record(unsigned kind, struct toc_rule rule)
{
        return (struct toc_record){
                .version = 1,
                .kind = (uint8_t)kind,
                .line = 7,
                .module = "lru",
                .name = "evictions",
                .help = "Entries pushed out to make room",
                .file = "lru.c",
                .rule[0] = rule,
        };
}

/* xorshift64*: the same stream everywhere. The seed is not 0. */
static inline uint64_t fixture_random(uint64_t *seed)
{
        *seed ^= *seed >> 12;
        *seed ^= *seed << 25;
        *seed ^= *seed >> 27;
        return *seed * UINT64_C(2685821657736338717);
}

/* 0 .. below - 1 */
static inline uint64_t fixture_below(uint64_t *seed, uint64_t below)
{
        return (fixture_random(seed) >> 33) % below;
}

#endif
