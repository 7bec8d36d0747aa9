/* SPDX-License-Identifier: Apache-2.0 */
/* peer.h - what others offer for the same purpose, each in loops of its own, as in loop.h.
 *
 * A library that was not there when this was built has no file peer_NAME.c in the program, and its
 * loops are NULL: declarations are weak. Its rows say "not here".
 *
 * Units:     times is the number of operations, not of turns.
 * Ownership: peer_open() opens all that are here, peer_close() closes them.
 * Threads:   the loops: any number at once, between open and close.
 * Errors:    none: a library that cannot be opened is not here.
 * Limits:    times must be a multiple of LOOP_STRIDE. A thread's own histogram is never freed; at
 *            most PEER_THREAD_MAX threads have one.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>

enum { PEER_THREAD_MAX = 2 };

/* directory: on tmpfs, of our own. */
void peer_open(const char *directory);
void peer_close(void);

/* library: as the column in row.def; "": ours. */
bool peer_is_here(const char *library);

#define PEER_LOOP(name) void name(uint64_t times) __attribute__((weak));

#ifdef __cplusplus
extern "C" {
#endif

int peer_mmv_open(const char *directory) __attribute__((weak));
void peer_mmv_close(void) __attribute__((weak));
PEER_LOOP(peer_mmv_inc)
PEER_LOOP(peer_mmv_set)

int peer_hdr_open(const char *directory) __attribute__((weak));
void peer_hdr_close(void) __attribute__((weak));
PEER_LOOP(peer_hdr_record)

int peer_prometheus_open(const char *directory) __attribute__((weak));
void peer_prometheus_close(void) __attribute__((weak));
PEER_LOOP(peer_prometheus_increment)
PEER_LOOP(peer_prometheus_set)
PEER_LOOP(peer_prometheus_observe)

int peer_lttng_open(const char *directory) __attribute__((weak));
void peer_lttng_close(void) __attribute__((weak));
PEER_LOOP(peer_lttng_tracepoint)

int peer_glib_open(const char *directory) __attribute__((weak));
void peer_glib_close(void) __attribute__((weak));
PEER_LOOP(peer_glib_log)

#ifdef __cplusplus
}
#endif

#endif
