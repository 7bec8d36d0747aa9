/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch.h - one folder for all temporary files of a gate, gone when it is.
 *
 * tocsin-gate-PID-XXXXXX in $TMPDIR or /tmp, mode 0711: whoever knows a name in it may go there, if
 * what is there lets him; nobody may list it. It is locked while we live. What gates left behind
 * that are dead (number unused and lock free) is removed when the next one starts.
 *
 * Ownership: the struct. Errors: -errno. Threads: one.
 */
#ifndef GATE_SCRATCH_H
#define GATE_SCRATCH_H

#include "base/text.h"

#include <sys/types.h>

struct scratch {
        struct text path;
        int fd; /* locked */
};

int scratch_make(struct scratch *ret_scratch);
void scratch_remove(struct scratch *scratch);

#endif
