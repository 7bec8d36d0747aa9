/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brief.h - a contract in words for whoever is to satisfy it: values that are the same in every
 * prompt.
 *
 * Of a contract is told what its header says, what may be used, what it may cost, and how to write
 * probes. Its cases are told only if that is asked for.
 *
 * Units:     bytes. Ownership: the struct's until brief_fini(). Threads: only read once filled.
 * Errors:    0; -errno; BRIEF_WRONG with a sentence in `why`. Limits: brief_bytes_max a value.
 */
#ifndef FORGE_BRIEF_H
#define FORGE_BRIEF_H

#include "gate/contract.h"

enum { brief_bytes_max = 1 << 20 };
enum brief_outcome { BRIEF_WRONG = 1 };

enum brief_value {
        BRIEF_MODULE,
        BRIEF_SUMMARY,
        BRIEF_HEADER_NAME,
        BRIEF_HEADER,
        BRIEF_FILES,
        BRIEF_INCLUDES,
        BRIEF_FUNCTIONS,
        BRIEF_THREADS,
        BRIEF_STANDARD,
        BRIEF_BUDGETS,
        BRIEF_CASES,
        BRIEF_INSTRUMENTING,
        BRIEF_COUNT,
};

extern const char *const brief_names[BRIEF_COUNT]; /* in templates */

struct brief {
        struct text values[BRIEF_COUNT];
};

/* On an error there is nothing to free. */
int brief_init(struct brief *brief, const struct contract *contract, bool shows_cases,
               struct text *why);
void brief_fini(struct brief *brief);

#endif
