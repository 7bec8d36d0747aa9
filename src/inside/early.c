/* SPDX-License-Identifier: Apache-2.0 */
/* early.c - in front of each block its size; the next begins behind it. */
#include "inside/early.h"

#include <errno.h>

static char early[EARLY_BYTES] __attribute__((aligned(16)));
static size_t early_used;

bool early_has(const void *memory)
{
        return (const char *)memory >= early && (const char *)memory < early + EARLY_BYTES;
}

void *early_allocate(size_t size)
{
        size_t at = early_used;

        if (size > EARLY_BYTES - at - 32) {
                errno = ENOMEM;
                return NULL;
        }
        early_used = at + ((size + 31) & ~(size_t)15);
        *(size_t *)(void *)(early + at) = size;
        return early + at + 16;
}

size_t early_size(const void *memory)
{
        return *(const size_t *)(const void *)((const char *)memory - 16);
}
