/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.h - the store as a file.
 *
 * The file is what a client would have to send to fill an empty store: SET key value [PXAT time],
 * a request each, in the protocol of resp.h; `redis-cli --pipe` understands it. It replaces the
 * one before only when it is complete and on the disk. Keys that change while it is written stand
 * in it with one of the values they had meanwhile.
 *
 * Ownership: the directory's descriptor and the name are borrowed.
 * Errors:    -errno; -EUCLEAN when the store's books are wrong (the old file is left alone);
 *            -EBADMSG for a file that is damaged.
 * Threads:   writing enters the vault for one stripe at a time.
 * Limits:    SNAPSHOT_NAME_MAX characters of file name; reading, those of the store.
 */
#ifndef KVD_SNAPSHOT_H
#define KVD_SNAPSHOT_H

#include "vault.h"

enum { SNAPSHOT_NAME_MAX = 200 };

struct snapshot_file {
        int directory; /* descriptor */
        const char *name;
};

enum snapshot_outcome {
        SNAPSHOT_NONE = 1,    /* there is no such file */
        SNAPSHOT_TOO_BIG = 2, /* does not fit into this store */
};

/* Calls alive() again and again, at least between any two waits for the disk. */
int snapshot_write(const struct snapshot_file *file, struct vault *vault, void (*alive)(void));

/* 0, SNAPSHOT_NONE, SNAPSHOT_TOO_BIG or an error; after an error part of it may be in the store.
 * Calls alive() after each piece. */
int snapshot_read(const struct snapshot_file *file, struct store *store, void (*alive)(void));

#endif
