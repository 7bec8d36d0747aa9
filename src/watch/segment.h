/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.h - reads the segment of a process that we do not trust.
 *
 *         struct segment_view *view = NULL;
 *         const char *why = NULL;
 *         int outcome = segment_open(dir_fd, "1234-abcd.seg", owners, 2, &view, &why);
 *         ...
 *         outcome = segment_refresh(view, &why);   // header, new rows
 *         outcome = segment_sample(view, &why);    // cells
 *         for (uint32_t i = 0; i < view->row_count; i++)
 *                 use(view->rows[i].record, segment_cells(view, i));
 *
 * The bytes are written by another process while we read. They are copied with pread(), every
 * number is checked against the copy's limits, and only the copy is used. Nothing is mapped,
 * nothing asserted on, nothing waited for. Rows are copied once: what the writer does to them later
 * is not seen. A segment that breaks a rule of the format is broken for good.
 *
 * Units:     bytes; nanoseconds of CLOCK_MONOTONIC as the writer gave them (not to be trusted).
 * Ownership: the view owns its copies until segment_close(). *ret_why is a constant sentence.
 * Errors:    0; -errno of the system; or enum segment_outcome, and then *ret_why says why.
 * Threads:   one view, one thread.
 * Limits:    below. What lies beyond segment_bytes_max is not read; is_cut says so. Rows of one
 *            object do not share cells; of operations that claim more than a block has, the last
 *            are not followed.
 */
#ifndef WATCH_SEGMENT_H
#define WATCH_SEGMENT_H

#include "base/base.h"
#include "probe/inside.h"
#include "probe/segment.h"

#include <sys/types.h>

enum {
        segment_bytes_max = 64 << 20,
        segment_row_max = 65536,
        segment_object_max = 1024,
        segment_extent_max = 65536,
        segment_cells_bytes_max = 2 << 20, /* of one block */
        segment_slot_max = 4096,
        segment_open_max = 1024, /* operations of a row; rule.h says how many have an age */
};

static const uint32_t segment_no_operation = UINT32_MAX;

enum segment_outcome {
        SEGMENT_UNFINISHED = 1, /* its writer has not come to the end of its beginning */
        SEGMENT_REFUSED,        /* not a file that we read */
        SEGMENT_BROKEN,         /* its bytes contradict the format */
};

struct segment_view_row {
        const struct toc_record *record; /* of its object; stays until the view is closed */
        const char *bad;                 /* NULL: the record can be judged; else why not */
        uint32_t object;
        uint32_t number; /* among the rows of its object */
        uint32_t cell_offset;
        uint32_t place;
        uint32_t operation; /* among those of its object, or segment_no_operation */
};

/* What goes on of the operations of a row. */
struct segment_view_operation {
        uint32_t cell_offset;
        uint32_t count;
        uint32_t size;
        uint64_t *open; /* as rule_open() names them */
};

struct segment_view_object {
        bool has_rows;
        bool has_block;
        bool has_shared;
        struct toc_record *records;
        uint32_t first_row;
        uint32_t row_count;
        uint32_t block_bytes;
        uint32_t shared_bytes;
        uint64_t shared_offset; /* of its cells, in the file */
        uint64_t *sums;         /* block_bytes, summed over all blocks */
        uint64_t *shared;       /* shared_bytes */
        struct segment_view_operation *operations;
        uint32_t operation_count;
};

struct segment_view_block {
        uint64_t offset; /* of its cells, in the file */
        uint32_t object;
};

struct segment_view_slots {
        uint64_t offset; /* of the ring's header, in the file; 0: no events here */
        uint32_t count;
        bool has_unfinished; /* a slot was being written when we last looked */
        uint64_t next_number;
        uint64_t *seen;             /* seq of each slot that has been handed out */
        struct segment_event *copy; /* of all, while there are some that are new; else NULL */
};

enum { SEGMENT_INSIDE_TABLES = 5 };

/* Where the parts of probe/inside.h are, in the file; 0: it has none. */
struct segment_view_inside {
        uint64_t table[SEGMENT_INSIDE_TABLES]; /* INSIDE, MODULES, SITES, NODES, FINDINGS */
        uint64_t *pages;                       /* of threads */
        uint32_t page_count;
};

struct segment_view {
        int fd;
        uint64_t inode;
        struct segment_header header; /* texts terminated; used_bytes checked */
        bool is_finished;             /* the header has been accepted once */
        bool is_cut;                  /* there is more than we read */
        bool has_moved;               /* some cell changed between the last two samples */
        uint64_t total;               /* of all cells, modulo 2^64 */
        uint64_t walked_bytes;        /* extents before this offset are known */
        uint32_t extent_count;
        struct segment_view_row *rows;
        uint32_t row_count;
        struct segment_view_object *objects;
        uint32_t object_count;
        struct segment_view_block *blocks;
        uint32_t block_count;
        struct segment_view_slots slots;
        struct segment_view_inside inside;
};

static inline bool segment_has_inside(const struct segment_view *view)
{
        for (int i = 0; i < SEGMENT_INSIDE_TABLES; i++)
                if (!view->inside.table[i])
                        return false;
        return true;
}

/* The file must be a regular one, no link, and belong to one of the owners. */
int segment_open(int dir_fd, const char *name, const uid_t *owners, size_t owner_count,
                 struct segment_view **ret_view, const char **ret_why);
void segment_close(struct segment_view **view);

/* Reads the header and the extents that are new. */
int segment_refresh(struct segment_view *view, const char **ret_why);

/* Reads all cells. On an error the values are those of no moment: use none of them. */
int segment_sample(struct segment_view *view, const char **ret_why);

/* What a row's cells stood at in the last sample, toc_words_(kind) of them, valid until the next. A
 * row without cells has zeros, a gauge that nobody could set yet is TOC_GAUGE_UNSET_. */
const uint64_t *segment_cells(const struct segment_view *view, uint32_t row);

/* The operations of a row that went on in the last sample, as rule_open() names them: ascending,
 * each once, at most segment_open_max; NULL and 0 if there is none. Valid until the next sample. */
const uint64_t *segment_open_ones(const struct segment_view *view, uint32_t row,
                                  uint32_t *ret_count);

/* The event, if any, that stands in a slot and has not been handed out, in order of arrival. They
 * point into the view and stay valid until the next call. Their row exists, counts are in range;
 * ret_rows[i] is the row of ret_events[i] in the view. At most segment_slot_max. */
struct segment_news {
        const struct segment_event *event;
        uint32_t row;
};
int segment_read_events(struct segment_view *view, struct segment_news *into, size_t into_max,
                        size_t *ret_count, const char **ret_why);

/* They have been used: many processes may report in one tick, and copies are large. */
void segment_forget_events(struct segment_view *view);

/* For the files that this reader is made of. 0, -errno, or SEGMENT_BROKEN if the file is
 * shorter. */
int segment_copy(const struct segment_view *view, uint64_t offset, void *into, size_t bytes,
                 const char **ret_why);

#endif
