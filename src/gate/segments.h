/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segments.h - what the probes of one case say, judged by their rules on a clock of our own.
 *
 *         segments_begin(segments, pid);              // as the case sees its own pid
 *         outcome = segments_tick(segments, 60, &why);
 *         outcome = segments_last(segments, &why);
 *         outcome = segments_collect(segments, &verdict);
 *
 * Rule time begins at 0 with the case and passes only by segments_tick(): the cells are read once
 * and stand still while the rules judge each of the seconds. Budgets of a module are available once
 * segments_see() has said what it holds; until then they do not ring.
 *
 * Units:     seconds of rule time. Ownership: the folder is the struct's once segments_new()
 *            succeeded. Threads: one.
 * Errors:    0; -errno; SEGMENTS_BROKEN with a constant sentence: the bytes are no segment, or one
 *            that contradicts itself, which is the candidate's doing.
 * Limits:    segments_file_max files a case; session_rang_max rules that rang.
 */
#ifndef GATE_SEGMENTS_H
#define GATE_SEGMENTS_H

#include "gate/session.h"

enum { segments_file_max = 4, segments_entry_max = 4096 };

enum segments_outcome { SEGMENTS_BROKEN = 1 };

struct segments;

int segments_new(int dir_fd, uid_t owner, struct segments **ret_segments);
void segments_free(struct segments **segments);

/* Forgets the case before. */
void segments_begin(struct segments *segments, uint64_t pid);
/* What the candidate, and so each module of the process, holds now. */
void segments_see(struct segments *segments, const struct session_sample *held);

int segments_tick(struct segments *segments, uint64_t seconds, const char **ret_why);
int segments_last(struct segments *segments, const char **ret_why);

/* Fills in probes, moved, rang and ticked_s; they are the verdict's. */
int segments_collect(struct segments *segments, struct session_verdict *verdict);

#endif
