/* SPDX-License-Identifier: Apache-2.0 */
/* host.h - on what it was measured.
 *
 * Ownership: the struct owns its texts, which are foreign: escape them on a terminal.
 * Threads: any. Errors: none; what cannot be found out is "unknown".
 */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include "base/clock.h"

enum { HOST_TEXT_MAX = 200 };

struct host {
        char cpu[HOST_TEXT_MAX];
        char kernel[HOST_TEXT_MAX];
        char compiler[HOST_TEXT_MAX];
        char libc[HOST_TEXT_MAX];
        char time[clock_text_bytes];
        unsigned cpus; /* on which this process may run */
};

void host_describe(struct host *ret_host);

#endif
