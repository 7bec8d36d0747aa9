/* SPDX-License-Identifier: Apache-2.0 */
/* signal.h - what a rule can look at, as a table; readings, and how they compare with a limit.
 *
 * Units: windows in seconds. A reading is in the unit of its signal.
 * Errors: none. */
#ifndef RULE_SIGNAL_H
#define RULE_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tocsin.h"

enum signal_how {
        SIGNAL_VALUE,     /* the sample itself, signed */
        SIGNAL_TOTAL,     /* events since the start */
        SIGNAL_COUNT,     /* events in the window */
        SIGNAL_RATE,      /* events in the window, as so many per unit_s */
        SIGNAL_SILENCE,   /* ms since the sample last changed */
        SIGNAL_GROWTH,    /* by how much the floor rose from window to window, at least */
        SIGNAL_EXHAUSTS,  /* seconds until the line through the samples reaches the capacity */
        SIGNAL_QUANTILE,  /* the value that one of `count` lies above; 0: the largest */
        SIGNAL_SHARE,     /* part of the whole in the window, of a thousand */
        SIGNAL_BURN,      /* how many times faster than the objective allows, in two windows */
        SIGNAL_OPEN,      /* operations begun and not ended */
        SIGNAL_OLDEST,    /* ms since the oldest open operation was first seen */
        SIGNAL_BACKLOG,   /* of a flow: in, and neither out nor dropped */
        SIGNAL_STALLED,   /* ms since a flow moved or was empty */
        SIGNAL_LOST,      /* of a flow: what is nowhere */
        SIGNAL_UNREACHED, /* seconds without one event, while the gate is open */
        SIGNAL_GIVEN,     /* of a module: what whoever sees inside it says, if anybody does */
};

struct signal {
        uint8_t kind;   /* enum toc_kind */
        uint8_t signal; /* enum toc_signal */
        enum signal_how how;
        uint32_t window_s; /* 0: looks at none */
        uint32_t unit_s;   /* SIGNAL_RATE */
        uint32_t side;     /* the only one it is compared on, TOC_ABOVE_ or TOC_BELOW_; 0: any */
        uint32_t volume;   /* no value with fewer in the window; 0: it has no such guard */
        uint32_t count;    /* GROWTH, EXHAUSTS: of windows in a row; QUANTILE */
};

extern const struct signal rule_signals[];
extern const size_t rule_signal_count;

/* NULL if probes of that kind have no such signal. */
const struct signal *signal_find(unsigned kind, unsigned signal);

/* The window in force: the rule's, else the signal's; 0 if the signal looks at none. */
uint32_t signal_window_s(const struct signal *signal, const struct toc_rule *rule);

/* How far it looks back in all: several windows of that length, if it looks at several. */
uint32_t signal_reach_s(const struct signal *signal, const struct toc_rule *rule);

/* The guard in force: the rule's, else the signal's; 0 if it has none. */
uint32_t signal_volume(const struct signal *signal, const struct toc_rule *rule);

__extension__ typedef __int128 signal_wide;
__extension__ typedef unsigned __int128 signal_sum; /* adds up modulo 2^128 */

/* A fraction, as its whole part and the sign of what is left of it. */
struct reading {
        signal_wide whole; /* rounded towards 0 */
        int rest;          /* -1, 0 or 1 */
        enum reading_is {
                READING_NONE,    /* not known yet */
                READING_TOO_FEW, /* too little happened to say */
                READING_VALUE,
        } is;
};

static inline struct reading reading_of(signal_wide whole)
{
        return (struct reading){ .is = READING_VALUE, .whole = whole };
}

/* n / per; per > 0. What is left over has the sign of n, because division rounds towards 0. */
static inline struct reading reading_ratio(signal_wide n, signal_wide per)
{
        struct reading reading = reading_of(n / per);
        signal_wide rest = n - reading.whole * per;

        reading.rest = (rest > 0) - (rest < 0);
        return reading;
}

/* Whether `reading op limit` holds; the reading has a value. op: TOC_ABOVE_ | TOC_EQUAL_ |
 * TOC_BELOW_. */
static inline bool reading_holds(const struct reading *reading, unsigned op, int64_t limit)
{
        if (reading->whole > limit || (reading->whole == limit && reading->rest > 0))
                return op & TOC_ABOVE_;
        if (reading->whole < limit || reading->rest < 0)
                return op & TOC_BELOW_;
        return op & TOC_EQUAL_;
}

/* How a rule with that op compares with its clear level once it fires: it sticks while that holds.
 * 0, which never holds, for == and !=, which have no clearing side. */
unsigned signal_clear_op(unsigned op);

/* For people: cut to what an int64_t holds. */
static inline int64_t reading_value(const struct reading *reading)
{
        if (reading->whole > INT64_MAX)
                return INT64_MAX;
        return reading->whole < INT64_MIN ? INT64_MIN : (int64_t)reading->whole;
}

#endif
