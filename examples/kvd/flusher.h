/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flusher.h - the thread behind the event loop: removes what has expired, saves what has changed.
 *
 * It wakes every interval, beats, sweeps a part of the store, and writes a snapshot if anything has
 * changed, but at most every save_ms. Without a file it only sweeps.
 *
 * Ownership: options are copied, what they point to is borrowed until flusher_stop() returns.
 * Errors:    -errno from starting and from the last save. In between a failed save is reported
 *            (TOC_ERROR) and tried again.
 * Threads:   start and stop from one; the rest from any.
 * Limits:    FLUSHER_STRIPES_MAX stripes a tick.
 */
#ifndef KVD_FLUSHER_H
#define KVD_FLUSHER_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot.h"

enum { FLUSHER_STRIPES_MAX = 256, FLUSHER_ALIVE_MS = 100 };

struct flusher;

struct flusher_options {
        struct vault *vault;
        struct snapshot_file file; /* name NULL: saves nothing */
        uint32_t interval_ms;
        uint32_t save_ms;
};

struct flusher_stats {
        uint64_t ticks;
        uint64_t saves;
        uint64_t saves_failed;
        bool is_paused;
};

int flusher_start(struct flusher **ret_flusher, const struct flusher_options *options);

/* Ends the thread, saves what is not saved yet, and frees. The result is that of the last save.
 * Calls alive() now and then, since both may take a while. */
int flusher_stop(struct flusher **flusher, void (*alive)(void));

/* "I am alive", from who has good reason not to run the thread: loading, or saving at the end. */
void flusher_beat(void);

/* For drills: the thread stands still, as if stuck, until it is told to go on or to stop. */
void flusher_pause(struct flusher *flusher, bool is_paused);

struct flusher_stats flusher_stats(struct flusher *flusher);

#endif
