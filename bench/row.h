/* SPDX-License-Identifier: Apache-2.0 */
/* row.h - what is measured: the operations of row.def and work.def as one table.
 *
 * To add one: its loop in loop.c and loop.h, a line in row.def, and its name in bench_test.py.
 *
 * Units: permille. Ownership: all constant. Threads: any. Errors: none. */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include <stddef.h>
#include <stdint.h>

enum row_part {
        ROW_MACHINE, /* without Tocsin */
        ROW_PROBE,
        ROW_INSIDE, /* with libtocsin-inside */
        ROW_PEER,   /* what others offer */
        ROW_SELDOM, /* one at a time */
        ROW_WORK,   /* a probe between other work */
        ROW_PART_COUNT,
};

struct row {
        enum row_part part;
        const char *name;
        const char *library;          /* of a peer, or "inside"; "" else */
        void (*loop)(uint64_t times); /* or once */
        int (*once)(uint64_t *ret_ns);
        const char *against;          /* name of the row of which the ratio is taken, "" none */
        uint32_t ratio_max_permille;  /* 0: no budget */
        uint32_t added_max_ps;        /* the same as a difference; 0: no budget */
        uint32_t growth_max_permille; /* of two threads over one; 0: no budget */
        const char *help;
};

extern const struct row row_table[];
extern const size_t row_count;

/* NULL: there is none of that name. */
const struct row *row_find(const char *name);

#endif
