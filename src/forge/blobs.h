/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blobs.h - what is too big for a line of the ledger: files named by their SHA-256.
 *
 * blobs/ab/cdef... below the folder of a run. A blob is on the disk before its name is given out,
 * and is never changed.
 *
 * Units:     bytes. Ownership: the folder's descriptor is the caller's and outlives the struct.
 * Threads:   one writer, any number of readers. Errors: -errno; nothing is half kept.
 * Limits:    ledger_blob_bytes_max.
 */
#ifndef FORGE_BLOBS_H
#define FORGE_BLOBS_H

#include "base/text.h"
#include "gate/digest.h"

struct blobs {
        int folder_fd;
        int spool_fd; /* -1: no room is taken */
        size_t room;  /* what a blob may have that goes into the spool */
};

#define BLOBS_INIT(fd)                             \
        {                                          \
                .folder_fd = (fd), .spool_fd = -1, \
        }

/* Gives back the room. */
void blobs_fini(struct blobs *blobs);

/* Takes room for one blob, until the next blobs_keep(). */
int blobs_reserve(struct blobs *blobs, size_t bytes);

int blobs_keep(struct blobs *blobs, const void *bytes, size_t length,
               char ret_hex[digest_hex_size]);

/* -EINVAL: `hex` is no name of a blob; -EBADMSG: the blob is not what its name says. */
int blobs_fetch(int folder_fd, const char *hex, struct text *into);

#endif
