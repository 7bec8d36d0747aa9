/* SPDX-License-Identifier: Apache-2.0 */
/* signal.h - what a rule can look at, as a table; readings, and how they compare with a limit.
 *
 * Units: windows in seconds. A reading is a fraction, n / per, in the unit of its signal.
 * Errors: none. */
#ifndef RULE_SIGNAL_H
#define RULE_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tocsin.h"

enum signal_how {
        SIGNAL_VALUE,   /* the sample itself, signed */
        SIGNAL_TOTAL,   /* events since the start */
        SIGNAL_COUNT,   /* events in the window */
        SIGNAL_RATE,    /* events in the window, as so many per unit_s */
        SIGNAL_SILENCE, /* ms since the sample last changed */
        SIGNAL_ABSENT,  /* nobody measures it here */
};

struct signal {
        uint8_t kind;   /* enum toc_kind */
        uint8_t signal; /* enum toc_signal */
        enum signal_how how;
        uint32_t window_s; /* 0: looks at none */
        uint32_t unit_s;   /* SIGNAL_RATE */
};

extern const struct signal rule_signals[];
extern const size_t rule_signal_count;

/* NULL if probes of that kind have no such signal. */
const struct signal *signal_find(unsigned kind, unsigned signal);

/* The window in force: the rule's, else the signal's; 0 if the signal looks at none. */
uint32_t signal_window_s(const struct signal *signal, const struct toc_rule *rule);

__extension__ typedef __int128 signal_wide;

struct reading {
        bool is_known;
        signal_wide n; /* wide enough for any count times any time, so nothing is rounded */
        uint32_t per;  /* at least 1 */
};

/* Whether `reading op limit` holds. op: TOC_ABOVE_ | TOC_EQUAL_ | TOC_BELOW_. */
bool reading_holds(const struct reading *reading, unsigned op, int64_t limit);

/* Whether a rule that fires has not come back to its clear level. Always false for == and !=,
 * which have no clearing side, and for TOC_NO_CLEAR_LEVEL_. */
bool reading_sticks(const struct reading *reading, unsigned op, int64_t clear_at);

/* For people: rounded towards 0 and cut to what an int64_t holds. */
int64_t reading_value(const struct reading *reading);

#endif
