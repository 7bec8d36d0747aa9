/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - SipHash-2-4, a hash with a secret, so that nobody can choose keys that collide.
 *
 * Threads: any. Errors: none. Ownership: nothing is kept. Limits: none.
 */
#ifndef KVD_HASH_H
#define KVD_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_seed {
        uint64_t low;
        uint64_t high;
};

uint64_t hash_bytes(const struct hash_seed *seed, const void *bytes, size_t length);

#endif
