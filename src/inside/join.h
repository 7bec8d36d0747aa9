/* SPDX-License-Identifier: Apache-2.0 */
/* join.h - threads that have ended, and that nobody has joined.
 *
 * Such a thread keeps its stack, so it counts as one that lives until somebody joins or detaches
 * it. Whoever is made detached has nothing to do with this.
 *
 * Threads: any. Errors: none. Limits: inside_joinable_max threads at once; others count to their
 * end only. */
#ifndef INSIDE_JOIN_H
#define INSIDE_JOIN_H

#include <stdbool.h>
#include <stdint.h>

enum { inside_joinable_max = 4096 };

#pragma GCC visibility push(hidden)

/* The calling thread, made at that site, has begun; somebody has to join or detach it. */
void inside_join_born(uint32_t site);

/* It ends. False: it counts still, whoever joins or detaches it will say inside_ended(). */
bool inside_join_ended(void);

/* In the child of a fork, where there are no others. */
void inside_join_forked(void);

#pragma GCC visibility pop

#endif
