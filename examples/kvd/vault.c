/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that the store itself knows nothing of threads, and nobody reaches it without the lock.
 */
#include "vault.h"

int vault_open(struct vault *vault, const struct store_limits *limits, const struct hash_seed *seed)
{
        int result = store_new(&vault->store, limits, seed);

        if (result)
                return result;
        result = -pthread_mutex_init(&vault->lock, NULL);
        if (result)
                store_free(&vault->store);
        return result;
}

void vault_close(struct vault *vault)
{
        (void)pthread_mutex_destroy(&vault->lock); /* fails only while somebody is inside */
        store_free(&vault->store);
}

struct store *vault_enter(struct vault *vault)
{
        (void)pthread_mutex_lock(&vault->lock); /* cannot fail for a mutex of the default kind */
        return vault->store;
}

void vault_leave(struct vault *vault)
{
        (void)pthread_mutex_unlock(&vault->lock); /* as above */
}
