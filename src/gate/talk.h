/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk.h - one case as the harness tells it: each message believed only where it may stand.
 *
 * Pure: no I/O. The sender of a message is what the kernel says it is (SCM_CREDENTIALS): the end of
 * a case is the harness's to say and everything before it the case's own, so that code of a
 * candidate cannot speak for the harness.
 *
 * Ownership: run and verdict are the caller's. Threads: one. Units: those of wire.h.
 * Errors:    TALK_LOST with `lost` set to a constant sentence. Limits: session_sample_max samples.
 */
#ifndef GATE_TALK_H
#define GATE_TALK_H

#include "case/wire.h"
#include "gate/session.h"

enum talk_wants {
        TALK_MORE,
        TALK_GO_TICK, /* seconds in `tick_s`; then it waits for GO */
        TALK_GO_LAST,
        TALK_END,
        TALK_LOST,
};

enum talk_stage { TALK_ASKED, TALK_BEGUN, TALK_SAID, TALK_LEAVING, TALK_ENDED };

struct talk {
        const struct session_run *run;
        struct session_verdict *verdict;
        char nonce[wire_nonce_length + 1];
        pid_t harness; /* of the sender; 0: not known */
        pid_t child;
        enum talk_stage stage;
        uint64_t child_inside; /* its pid as it sees itself */
        uint64_t tick_s;
        uint64_t ticked_ns; /* when rule time passed last */
        bool has_passed, has_failed, is_late, is_flooded, is_broken, was_killed, has_left;
        int code; /* exit status or signal */
        size_t sample_stride, sample_skipped;
        const char *lost;
};

/* The line is ended by a NUL and may be changed. */
enum talk_wants talk_take(struct talk *talk, char *line, pid_t sender);

/* After TALK_END: what all of it means. */
void talk_conclude(struct talk *talk);

#endif
