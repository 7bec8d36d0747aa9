/* SPDX-License-Identifier: Apache-2.0 */
/* heap.h - the heap for those who stand in for an allocator's own functions.
 *
 * at, sp: of whoever called what we stand in for (inside_site()). Sizes are bytes; memory may be
 * NULL or foreign where nothing else is said. Errors: NULL and errno, as malloc. Threads: any. */
#ifndef INSIDE_HEAP_H
#define INSIDE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* It was made here, and the allocator behind us must not see it. */
bool heap_has(void *memory);

/* What the program may use of it. */
size_t heap_size(void *memory);

/* alignment: a power of two. */
void *heap_allocate_aligned(size_t alignment, size_t size, const void *at, const void *sp);
void *heap_reallocate(void *memory, size_t size, const void *at, const void *sp);
void heap_release(void *memory, const void *at);

#pragma GCC visibility pop

#endif
