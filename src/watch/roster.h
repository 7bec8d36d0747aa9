/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roster.h - all processes of a run that have a segment: found, visited, retired.
 *
 * Units:     nanoseconds of CLOCK_MONOTONIC. Ownership: the roster owns its targets; directory and
 *            report are borrowed. Threads: one.
 * Errors:    none goes up: what is wrong with a file is said once, and the others go on.
 * Limits:    below; what is beyond is said once.
 */
#ifndef WATCH_ROSTER_H
#define WATCH_ROSTER_H

#include "watch/report.h"
#include "watch/seer.h"
#include "watch/target.h"

enum { roster_entry_max = 512, roster_ignored_max = 1024, roster_owner_max = 2 };

struct roster_entry {
        struct target *target;
        uint64_t number;      /* of the source */
        struct seer *seer;    /* its segment is libtocsin-inside's; else NULL */
        uint64_t seer_number; /* of that source */
        bool has_said_cut;
        bool has_said_private;
        bool has_said_ignored;
        bool has_said_broken;
        bool has_said_gave_up;
};

struct roster {
        int dir_fd;
        struct report *report;
        uint64_t began_ns;
        uid_t owners[roster_owner_max];
        size_t owner_count;
        struct roster_entry *entries;
        size_t count;
        char **ignored; /* names of files that were looked at once and never again */
        size_t ignored_count;
        uint64_t next_number;
        uint64_t ready_count; /* targets that have ever been ready */
        uint32_t seer_count;
        bool has_said_full;
        struct segment_news *news;
};

int roster_init(struct roster *roster, int dir_fd, struct report *report, uint64_t began_ns);
void roster_fini(struct roster *roster);

/* Looks for new files, reads what is there, reports, retires what has ended. */
void roster_visit(struct roster *roster, uint64_t now_ns, bool is_tick);

/* Between two ticks: what threads do that libtocsin-inside sees. Each 100 ms, if seer_count. */
void roster_glance(struct roster *roster, uint64_t now_ns);

/* "lru with 12345678 bytes": of the process that holds most. Nothing if nobody sees inside. */
void roster_append_biggest(const struct roster *roster, pid_t pid, struct text *into);

/* The run is over: everything is judged once more and resolves. */
void roster_retire(struct roster *roster, uint64_t now_ns);

#endif
