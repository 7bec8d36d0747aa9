/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - one process that we watch: its segment, its rules, what it reported last.
 *
 * Life: target_new() opens the file. target_refresh() is called until the segment is finished; from
 * then on the target is ready, and it is refreshed and judged at every tick, or in between when the
 * doorbell rang. When target_has_ended() says so, it is judged a last time and freed.
 *
 * Units:     nanoseconds of CLOCK_MONOTONIC. Ownership: what is returned points into the target and
 *            lives until the next call. Threads: one.
 * Errors:    0; -errno; or enum segment_outcome with *ret_why, as segment.h says. A target that
 *            was broken once stays so: it is not read again.
 * Limits:    those of segment.h; one event is kept a row.
 */
#ifndef WATCH_TARGET_H
#define WATCH_TARGET_H

#include "base/clock.h"
#include "base/text.h"
#include "rule/rule.h"
#include "watch/segment.h"

enum { target_name_max = 255, target_finish_max_s = 60, target_maps_every_s = 5 };

struct target {
        char *name;          /* of the file */
        const char *program; /* last part of the header's program; foreign text */
        pid_t pid;
        bool is_ready;
        bool is_broken;
        bool is_here;    /* its pid means the same process to us */
        uint64_t met_ns; /* when it was looked at first; 0: not yet */
        struct segment_view *view;
        struct rule_set *rules;
        uint32_t *rule_rows; /* by row of the view: its row in rules, or target_no_row */
        uint32_t known_rows; /* rows of the view that have been looked at */
        uint32_t ignored_rows;
        const char *ignored_why;     /* of the first of them */
        struct rule_sample *samples; /* by row of rules */
        uint32_t sample_count;
        struct segment_event **latest; /* by row of the view; NULL: none yet */
        /* RULE_MODULE_WORDS values of a module, valid until the next call; NULL: not known. */
        const uint64_t *(*see_module)(void *seer, const char *module);
        void *seer;
        uint64_t exe;
        uint64_t maps_due_ns; /* when to read it again */
        struct text maps;     /* for stack.h */
};

static const uint32_t target_no_row = UINT32_MAX;

int target_new(int dir_fd, const char *name, const uid_t *owners, size_t owner_count,
               struct target **ret_target, const char **ret_why);
void target_free(struct target **target);

/* run_began_ns: nothing that the program claims can have happened before that. */
int target_refresh(struct target *target, uint64_t run_began_ns, uint64_t now_ns,
                   const char **ret_why);

/* Reads the cells and lets the rules judge: at a regular tick, or in between. */
int target_judge(struct target *target, uint64_t now_ns, bool is_tick,
                 const struct rule_change **ret_changes, size_t *ret_count, const char **ret_why);

/* New events, oldest first; the latest of each row is kept. */
int target_read_events(struct target *target, struct segment_news *into, size_t into_max,
                       size_t *ret_count, const char **ret_why);

/* The last event of a row of the rules, or of a summed row the last of its sites; NULL: none. */
const struct segment_event *target_latest(const struct target *target,
                                          const struct rule_view *rule);

/* What the cells of a row of the rules stood at when it was judged last; NULL: a sum has none. */
const uint64_t *target_cells(const struct target *target, const struct rule_view *rule);

/* The lowest limit that a module declares for a signal, and how bad it is to be above it; NULL: it
 * declares none. */
const struct toc_rule *target_budget(const struct target *target, const char *module,
                                     unsigned signal);

/* Sum of all its heartbeats as they are now; 0: it has none, or they cannot be read. */
uint64_t target_beats(struct target *target);

/* Left through exit(), or its process is gone or has become another program. */
bool target_has_ended(struct target *target, uint64_t now_ns);

#endif
