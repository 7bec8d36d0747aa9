/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segments.h - what the probes of one case say, judged by their rules on a clock of our own.
 *
 *         segments_begin(segments, pid, host_pid);    // as the case sees its own pid, and as we do
 *         outcome = segments_tick(segments, 60, &why);
 *         outcome = segments_last(segments, &why);
 *         outcome = segments_collect(segments, &verdict);
 *
 * Rule time begins at 0 with the case and passes only by segments_tick(): the cells are read once
 * and stand still while the rules judge each of the seconds. Budgets of a module are what
 * libtocsin-inside says (insider.h), if anybody is to look there; else they are not available.
 *
 * Units:     seconds of rule time. Ownership: the folder is the struct's once segments_new()
 *            succeeded. Threads: one.
 * Errors:    0; -errno; SEGMENTS_BROKEN with a constant sentence: the bytes are no segment, or one
 *            that contradicts itself, which is the candidate's doing; SEGMENTS_BLIND: the case came
 *            to its end, and what is inside it was never there to be seen: nobody knows.
 * Limits:    segments_file_max files a case; session_rang_max rules that rang.
 */
#ifndef GATE_SEGMENTS_H
#define GATE_SEGMENTS_H

#include "gate/session.h"

enum { segments_file_max = 4, segments_entry_max = 4096 };

enum segments_outcome { SEGMENTS_BROKEN = 1, SEGMENTS_BLIND };

struct segments;

/* program: on the host, of cases that are to be seen inside; NULL: nobody looks. */
int segments_new(int dir_fd, uid_t owner, const char *program, struct segments **ret_segments);
void segments_free(struct segments **segments);

/* Forgets the case before. */
void segments_begin(struct segments *segments, uint64_t pid, pid_t host_pid);

int segments_tick(struct segments *segments, uint64_t seconds, const char **ret_why);
int segments_last(struct segments *segments, const char **ret_why);

/* Fills in probes, moved, rang, seen and ticked_s; they are the verdict's. */
int segments_collect(struct segments *segments, struct session_verdict *verdict);

#endif
