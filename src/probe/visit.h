/* SPDX-License-Identifier: Apache-2.0 */
/* visit.h - the cells of this process for a reader inside it, whether or not there is a segment.
 *
 *     struct toc_visit_ visit = { 0 };
 *     struct toc_part_ part;
 *     while (toc_visit_(&visit, buffer, buffer_bytes, &part))
 *             if (part.bytes > buffer_bytes) ...make it larger, and ask again...
 *             else ...part is in the buffer...
 *
 * Comes in this order: for each object, by their numbers, its rows, its shared cells, and its
 * blocks, oldest first. No object's rows come in a later visit than those of one with a higher
 * number. What was loaded or began to count meanwhile comes along, or with the next visit.
 *
 * Ownership: the buffer is the caller's; nothing here allocates. Errors: none. Threads: any, and
 * no signal handler is kept waiting: each part is copied under the guard. Between processes: a
 * visit does not survive fork. For libtocsin-inline alone, which is built with this very file. */
#ifndef TOCSIN_VISIT_H
#define TOCSIN_VISIT_H

#include "probe/segment.h"

struct toc_part_ {
        uint32_t kind;     /* SEGMENT_ROWS (struct segment_row), SEGMENT_SHARED or SEGMENT_BLOCK */
        uint32_t object;   /* 0, 1, 2 ... */
        uint32_t number;   /* of a block: 0, 1, 2 ... in its object */
        uint64_t bytes;    /* more than the caller had: nothing was copied */
        uint64_t began_ns; /* when the object came; CLOCK_MONOTONIC */
};

/* All zero: from the beginning. */
struct toc_visit_ {
        uint32_t rows_from; /* of objects before this one no rows are wanted: they never change */
        uint32_t next;      /* the rest is ours */
        const void *object, *block;
};

/* False at the end. The buffer is aligned for uint64_t. */
bool toc_visit_(struct toc_visit_ *visit, void *into, uint64_t bytes_max,
                struct toc_part_ *ret_part);

#endif
