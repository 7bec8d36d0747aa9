/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_trouble.h - what a verdict that is no pass means, and the same trouble told once.
 *
 *         struct unit_troubles troubles = { 0 };
 *         struct unit_sight sight = { .way = "asan", .kind = TOC_CASE_FAULT_, .run = &run, ... };
 *
 *         outcome = unit_trouble_note(&troubles, candidate, &sight);   // one for each verdict
 *         unit_trouble_tell(&troubles, result); // as few findings as possible
 *
 * One mistake shows in many runs: in five builds, or with every failing allocation behind the
 * first. Two sights are one trouble if rule and case are the same and their places do not differ; a
 * place that is not known (release has no line numbers) differs from none. A plain crash, and what
 * valgrind says of it, go into the sanitizer's report of the same case, which explains them.
 * And one line of the candidate that leaks in thirteen cases is one trouble, which names the cases.
 *
 * Units:     none. Ownership: the struct's until unit_troubles_fini(). Threads: one at a time.
 * Errors:    -ENOMEM. Limits: unit_trouble_max; more are counted in `dropped`.
 */
#ifndef GATE_UNIT_TROUBLE_H
#define GATE_UNIT_TROUBLE_H

#include "gate/stage.h"

enum { unit_trouble_max = 400, unit_way_max = 16, unit_evidence_max = 32 << 10 };

/* One verdict that is no pass, and how it was had. */
struct unit_sight {
        const char *way; /* name of a build or tool; constant */
        uint32_t kind;   /* enum toc_case_kind_ */
        const struct session_run *run;
        const struct session_verdict *verdict;
};

struct unit_trouble {
        const char *rule;
        char test_case[48];
        struct text others; /* further cases with the same trouble, each after ", " */
        size_t other_count;
        const char *ways[unit_way_max]; /* the first is the one to repeat it in */
        size_t way_count;
        uint64_t fail_at;
        bool is_sticky;
        uint64_t allocations; /* of that run */
        size_t times;         /* sights */
        struct text what;     /* one line */
        struct text evidence; /* the output it was read from */
        char file[256];
        unsigned line;
        bool is_own_place;      /* in the candidate's own file, not a case's */
        bool is_told_elsewhere; /* went into another */
};

struct unit_troubles {
        struct unit_trouble *items;
        size_t count;
        size_t size;
        size_t dropped;
};

int unit_trouble_note(struct unit_troubles *troubles, const struct candidate *candidate,
                      const struct unit_sight *sight);
/* Adds what another noted, as if it had been noted here. */
int unit_trouble_join(struct unit_troubles *troubles, struct unit_troubles *from);
void unit_trouble_tell(struct unit_troubles *troubles, struct stage_result *result);
void unit_troubles_fini(struct unit_troubles *troubles);

#endif
