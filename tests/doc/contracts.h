/* SPDX-License-Identifier: Apache-2.0 */
/* What fragments of doc/contracts.md take for granted: a ring, and helpers of its cases. */
#ifndef DOC_CONTRACTS_H
#define DOC_CONTRACTS_H

#include <errno.h>
#include <tocsin/case.h>

struct ring;

int ring_new(struct ring **ret_ring, size_t size);
void ring_free(struct ring **ring);
int ring_put(struct ring *ring, uint64_t number);
int ring_take(struct ring *ring, uint64_t *ret_number);
size_t ring_count(const struct ring *ring);

struct ring *made(size_t size);
struct ring *filled(size_t size);
void one_round(struct ring *ring);

#endif
