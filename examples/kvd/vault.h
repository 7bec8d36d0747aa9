/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault.h - the store and its lock: what the event loop and the flusher share.
 *
 *         struct store *store = vault_enter(vault);
 *         ...
 *         vault_leave(vault);
 *
 * Ownership: the vault owns the store. Threads: any, between open and close.
 * Errors:    those of store_new(). Limits: stay inside for microseconds, not for I/O.
 */
#ifndef KVD_VAULT_H
#define KVD_VAULT_H

#include <pthread.h>

#include "store.h"

struct vault {
        pthread_mutex_t lock;
        struct store *store;
};

int vault_open(struct vault *vault, const struct store_limits *limits,
               const struct hash_seed *seed);
void vault_close(struct vault *vault);

struct store *vault_enter(struct vault *vault);
void vault_leave(struct vault *vault);

#endif
