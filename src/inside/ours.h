/* SPDX-License-Identifier: Apache-2.0 */
/* ours.h - which blocks that begin with a page are ours: a bit a page of all that a process can
 * address, in leaves that come when they are needed. Threads: any. Errors: without memory for a
 * leaf ours_add() says so, and the block must not be given out: free() would take it for
 * foreign. */
#ifndef INSIDE_OURS_H
#define INSIDE_OURS_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

bool ours_has(const void *memory);
bool ours_add(const void *memory); /* false: there is no room to know it */
void ours_remove(const void *memory);

#pragma GCC visibility pop

#endif
