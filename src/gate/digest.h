/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h - SHA-256 (libcrypto's), for names of evidence, keys of the cache, and seeds.
 *
 * Ownership: the struct's until digest_end(). Errors: remembered, and told by digest_end():
 * 0 or -ENOMEM. Threads: one digest, one thread.
 */
#ifndef GATE_DIGEST_H
#define GATE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct digest {
        void *context;
        int error;
};

enum { digest_hex_size = 65 };

void digest_begin(struct digest *digest);
/* Length goes in too, so that "ab","c" and "a","bc" differ. */
void digest_field(struct digest *digest, const void *bytes, size_t length);
void digest_text(struct digest *digest, const char *text);
/* Gives back what digest_begin() took, also on an error: each begun digest is ended once. */
int digest_end(struct digest *digest, char ret_hex[digest_hex_size]);

/* Of bytes alone, as sha256sum prints it. */
int digest_of(const void *bytes, size_t length, char ret_hex[digest_hex_size]);

/* The first 16 digits as a number. */
uint64_t digest_seed(const char hex[digest_hex_size]);

#endif
