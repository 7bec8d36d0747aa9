/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heapscan.h - which blocks of another process nothing points to: what LeakSanitizer asks at the
 * end and kmemleak in the kernel, of a process that runs on and notices nothing.
 *
 * Memory is read with process_vm_readv(2), pages that are not there are left alone. Blocks of the
 * sites that are suspected are found by the canary in front of them (probe/inside.h). Every aligned
 * word anywhere that lies in a block, or at its end, points to it; a block to which only blocks
 * point that nothing else reaches is not reached. What is only in a register, or moves while it is
 * read, looks unreached: ask twice, and believe what both answers say.
 *
 * Units:     bytes; epochs of INSIDE_EPOCH_S. Ownership: blocks are the caller's to free.
 * Errors:    0; -EPERM: the process may not be read; -ESRCH: it is gone; -ECANCELED; -ENOMEM.
 * Threads:   any; *stop may be set by another.
 * Limits:    below. Of more blocks one in 2^sample_shift is looked at, the same ones each time; the
 *            others then count as reached, and so does what would be one pointer too many. Memory
 * beyond the limit is not read, which may make blocks look unreached: then is_cut is set,
 *            and nothing must be concluded. Memory is read once, and once to three times more: as
 *            long as something looks unreached.
 */
#ifndef WATCH_HEAPSCAN_H
#define WATCH_HEAPSCAN_H

#include "base/base.h"
#include "probe/inside.h"

#include <sys/types.h>

enum { heapscan_block_max = 1 << 18, heapscan_edge_max = 1 << 20, heapscan_map_max = 8192 };
#define HEAPSCAN_BYTES_MAX (UINT64_C(4) << 30) /* a reading */

struct heapscan_request {
        pid_t pid;
        uint64_t secret;
        uint32_t epoch; /* now */
        bool is_suspect[INSIDE_SITES];
        const volatile bool *stop;
};

struct heapscan_block {
        uint64_t address; /* the user's */
        uint64_t size;
        uint32_t epoch;
        uint32_t site;
        bool is_reached;
};

struct heapscan_result {
        struct heapscan_block *blocks; /* suspects at least two epochs old, by address */
        size_t count;
        uint64_t bytes_read;
        uint32_t sample_shift;
        bool is_cut;
};

typedef int heapscan_look(const struct heapscan_request *request,
                          struct heapscan_result *ret_result);

int heapscan_run(const struct heapscan_request *request, struct heapscan_result *ret_result);

#endif
