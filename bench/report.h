/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - the results, as a table for people and as JSON for programs.
 *
 * Units: the table shows nanoseconds, JSON has picoseconds and permille, as in figure.h.
 * Ownership: nothing is kept. Threads: one. Errors: -errno when it could not be written.
 * Limits: report_max bytes of table.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "host.h"
#include "measure.h"

struct report {
        const struct host *host;
        const struct measure *measure;
        const struct row *const *missing; /* asked for, but not here */
        size_t missing_count;
        uint64_t seed;
        uint64_t events_dropped; /* reports for which there was no room, so that they cost less */
        uint64_t took_ns;
};

int report_table(const struct report *report);
int report_json(const struct report *report);

#endif
