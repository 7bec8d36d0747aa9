/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - the file of the outbox: two tables in SQLite.
 *
 *         events(sequence, type, body)        receivers(number, name, types, place)
 *
 * Ownership: the store owns the connection. Threads: one at a time; the outbox holds its lock.
 * Errors:    0 or -errno; -ENOSPC when the file may not grow, -EIO for what has no better name.
 * Limits:    the size of the file, given at the start.
 */
#ifndef WATCH_STORE_H
#define WATCH_STORE_H

#include "base/text.h"

struct store;

int store_open(const char *path, uint64_t file_bytes_max, struct store **ret_store);
void store_close(struct store **store);

/* The last sequence ever written or acknowledged; 0: none. */
uint64_t store_last(struct store *store);
uint64_t store_rows(const struct store *store);

/* Adds the receiver under this number, or moves it there by its name, and finds its place. */
int store_subscribe(struct store *store, unsigned number, const char *name, unsigned types,
                    uint64_t *ret_place);
int store_insert(struct store *store, uint64_t sequence, unsigned type, const void *body,
                 size_t length);

/* The first event of these types after the place; the body replaces the content. -ENOENT: none. */
int store_next(struct store *store, uint64_t place, unsigned types, uint64_t *ret_sequence,
               struct text *body);
int store_move(struct store *store, unsigned number, uint64_t place);
uint64_t store_count(struct store *store, uint64_t place, unsigned types);

/* Forgets events that no receiver waits for. */
void store_prune(struct store *store);

#endif
