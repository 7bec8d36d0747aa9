/* SPDX-License-Identifier: Apache-2.0 */
/* runtime.h - what the files of libtocsin share. Private to src/probe.
 *
 * Everything here runs inside other people's processes: libc only, no allocation but mmap, no
 * descriptor held between calls, no cancellation point, errno left alone, and never longer than
 * a page fault on the count path. */
#ifndef TOCSIN_RUNTIME_H
#define TOCSIN_RUNTIME_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "probe/segment.h"

/* Hidden in the shared library. In the static one they are visible to the linker, so their names
 * must not meet the program's own: toc_..._ */
#pragma GCC visibility push(hidden)

enum { PLACE_PATH_MAX = 256 };

/* Where the segment lies. */
struct place {
        char directory[PLACE_PATH_MAX]; /* "" until chosen; kept over fork */
        char path[PLACE_PATH_MAX];      /* "" while there is no file */
        uint64_t device, inode;
        bool is_ours_to_remove; /* nobody asked for the directory by TOCSIN_DIR */
};

/* Creates a file of `bytes` bytes, all of them backed by memory, and maps it. NULL if none can
 * be had; then nothing is left behind. */
void *toc_place_create_(struct place *place, uint64_t bytes);

/* Makes the file `more` bytes longer than `at` and maps the new part. NULL if it cannot. */
void *toc_place_grow_(struct place *place, uint64_t at, uint64_t more);

void toc_place_remove_(struct place *place);
void toc_place_describe_(struct segment_header *header); /* boot id, namespace, program, times */

/* Formats like printf into out, at most max bytes, without a terminator; returns how many.
 * Safe in a signal handler but for floating-point conversions. */
uint32_t toc_message_format_(char *out, uint32_t max, const char *format, va_list *args);

/* Return addresses of the callers, innermost first, from frame pointers. Never faults. */
uint32_t toc_stack_walk_(const void *frame, uint64_t *out, uint32_t max);

/* Where events go; NULL while there is no segment. Set by runtime.c, used by event.c. */
struct event_ring {
        struct segment_extent *extent; /* followed by struct segment_ring and the slots */
        struct segment_header *header;
        const char *directory;
};

extern struct event_ring toc_event_ring_;
extern __thread uint32_t toc_thread_; /* id of a thread that has attached, else 0 */

/* Under the guard: who counts where. */
struct block {
        struct block *all;  /* next of the same object */
        struct block *free; /* next free one of the same object */
        struct block *mine; /* next of the same thread */
        struct object *object;
        int64_t *delta;  /* the thread's toc_delta_; NULL: free, or the object is unloaded */
        uint64_t *owner; /* in the segment; NULL in private memory */
        char *cells;
        pid_t thread;    /* 0: free */
        uint32_t number; /* 0, 1, 2 ... of its object */
};

struct object {
        struct object *next;
        struct toc_dso_ *dso; /* NULL: unloaded; it may come back */
        uint32_t number;
        uint32_t blocks_count;
        uint32_t scan_at; /* look for dead owners when there are that many blocks */
        bool is_published;
        struct segment_rows *rows; /* NULL in private memory */
        char *shared_cells;
        uint64_t began_ns; /* when it was published */
        uint64_t cells_bytes, shared_bytes;
        struct block *blocks; /* in the order in which they were made */
        struct block **blocks_end;
        struct block *free;
};

const struct object *toc_runtime_objects_(void);

/* The row is all zero before. */
void toc_runtime_row_(struct segment_row *row, const struct toc_dso_ *dso,
                      const struct toc_probe_ *probe);

/* Where libtocsin-inside keeps a thread's struct toc_here_ *, from the thread pointer; 0: it is not
 * here. */
int64_t toc_enter_offset_(void);

/* The number of the object whose probe this is; UINT32_MAX if it has none yet. */
uint32_t toc_runtime_object_(const struct toc_dso_ *dso);

#pragma GCC visibility pop

#endif
