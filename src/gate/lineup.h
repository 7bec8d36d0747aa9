/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lineup.h - what the stages that measure start from: a program, and the cases to run in it.
 *
 * Ownership: programs are the workshop's; cases that were asked for are the lineup's until
 *            lineup_fini(). Errors: 0; -errno, and then the result is unknown and says why;
 *            LINEUP_NONE: there is nothing to run, and the result says why. Threads: one.
 */
#ifndef GATE_LINEUP_H
#define GATE_LINEUP_H

#include "gate/stage.h"

enum lineup_outcome { LINEUP_NONE = 1 };

/* rule: of the finding for a candidate that does not link. */
int lineup_program(struct stage_context *context, struct stage_result *result, enum build_id build,
                   const char *rule, const char **ret_program);

struct lineup {
        const struct session_case *cases;
        size_t count;
        struct session_case *asked; /* NULL: the cases are those of the context */
};

/* Without stage contract before it (--stage), the program itself is asked. */
int lineup_cases(struct stage_context *context, struct stage_result *result, const char *program,
                 struct lineup *ret_lineup);
void lineup_fini(struct lineup *lineup);

#endif
