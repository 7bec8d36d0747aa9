/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picture.h - what libtocsin-inside has published of one process, copied and checked.
 *
 *         struct picture *picture = NULL;
 *         int failed = picture_new(pid, &picture);
 *         failed = picture_read(picture, view, now_ns, &why);          // each second: all of it
 *         failed = picture_read_threads(picture, view, now_ns, &why);  // each 100 ms: what they do
 *
 * Analysers (insight.h) look at pictures and at nothing else of the process, so that they can be
 * tested with pictures made by hand.
 *
 * Units:     nanoseconds of CLOCK_MONOTONIC, bytes. Ownership: the picture owns what it points at;
 *            it is valid until the next call. Texts are terminated and hold printable ASCII only.
 * Errors:    0; -errno; enum segment_outcome with *ret_why. After an error it is good for nothing
 *            until the next success.
 * Threads:   one at a time.
 * Limits:    those of probe/inside.h. Numbers of modules, sites and nodes and kinds of sites are in
 *            range; all other numbers may be anything: the writer is not trusted.
 */
#ifndef WATCH_PICTURE_H
#define WATCH_PICTURE_H

#include "probe/inside.h"
#include "base/clock.h"
#include "watch/segment.h"

/* A thread that lives. */
struct picture_thread {
        uint32_t id;
        uint32_t number;  /* of its page: the same page is not always the same thread */
        uint32_t module;  /* it works for, now */
        uint64_t entries; /* as struct toc_here_ */
        uint64_t around;  /* the same */
        uint64_t wait_number;
        uint64_t
                wait_lock; /* of INSIDE_JOIN: the id of the thread, 0 if none that lives is known */
        uint64_t wait_at;
        uint32_t wait_kind, wait_node;
        uint64_t wait_mutex;     /* to be held again after the condition */
        uint64_t wait_condition; /* it was woken from, see relock.h; 0: none */
        uint64_t call_number, call_at;
        uint32_t call_kind;
        int32_t call_fd;
        uint64_t locks_taken;
        uint64_t self; /* its pthread_t; 0: it has none any more */
        uint32_t made_site;
        uint32_t held_count; /* at most INSIDE_HELD */
        struct inside_held held[INSIDE_HELD];
        uint64_t activity;  /* sum of all it has counted: moved, if it did anything that is seen */
        uint64_t cpu_ns;    /* it has run since it began, from /proc; 0: not known */
        uint64_t waited_ns; /* it would have run, but for others */
        uint64_t io_calls;  /* reads and writes, libc's own too; 0: not known */
};

/* A thread that has ended with locks, which nobody gives back. */
struct picture_left {
        uint32_t id;
        uint32_t held_count;
        struct inside_held held[INSIDE_HELD];
};

enum { picture_left_max = 16 };

/* What a site has made, and what of it lives, summed over all threads. */
struct picture_cells {
        uint64_t bytes;
        uint64_t live;
        uint64_t made;
};

struct picture {
        uint64_t at_ns;
        pid_t pid; /* as we know it; 0: of another pid namespace, nothing can be asked of /proc */
        struct inside_head head;
        uint32_t module_count;  /* without those that found no room */
        bool has_other_modules; /* some found none: INSIDE_OTHER_MODULES stands for them */
        struct inside_module modules[INSIDE_MODULES];
        uint32_t site_count;
        struct inside_site sites[INSIDE_SITES]; /* those that are not ready are all zero */
        struct picture_cells cells[INSIDE_SITES];
        struct inside_io io[INSIDE_MODULES]; /* summed over all threads */
        uint32_t node_count;
        struct inside_node nodes[INSIDE_NODES];
        uint32_t finding_count;
        struct inside_finding findings[INSIDE_FINDINGS]; /* in the order in which they came */
        uint32_t thread_count;
        struct picture_thread *threads; /* in no order */
        uint32_t left_count;
        struct picture_left left[picture_left_max];
        void *buffer; /* the reader's */
};

int picture_new(pid_t pid, struct picture **ret_picture);
void picture_free(struct picture **picture);

int picture_read(struct picture *picture, const struct segment_view *view, uint64_t now_ns,
                 const char **ret_why);
int picture_read_threads(struct picture *picture, const struct segment_view *view, uint64_t now_ns,
                         const char **ret_why);

/* "process" for what no TOC_ENTER is around, "others" for those that found no room. */
const char *picture_module(const struct picture *picture, uint32_t module);

#endif
