/* SPDX-License-Identifier: Apache-2.0 */
/* early.h - memory for whoever asks before the allocator behind us is found: dlsym() may allocate
 * while it looks for it.
 *
 * Ownership: never given back. Errors: NULL and ENOMEM. Threads: there is one as yet. Limits:
 * EARLY_BYTES in all. */
#ifndef INSIDE_EARLY_H
#define INSIDE_EARLY_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

enum { EARLY_BYTES = 64 << 10 };

void *early_allocate(size_t size); /* of zeros */
bool early_has(const void *memory);
size_t early_size(const void *memory); /* as it was asked for */

#pragma GCC visibility pop

#endif
