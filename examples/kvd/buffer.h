/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffer.h - bytes on their way in or out: written at the end, consumed at the start.
 *
 * A buffer grows as bytes arrive, up to its own limit, and every byte it holds is charged to a
 * purse that all clients share: many small greeds end at the same wall as a single big one.
 *
 * Ownership: the buffer owns its bytes; buffer_fini() frees them and leaves a usable empty buffer.
 *            buffer_view() is valid until the next call that writes or consumes.
 * Errors:    buffer_reserve() returns -EMSGSIZE (the buffer's own limit), -ENOBUFS (the purse is
 *            empty) or -ENOMEM. Appending remembers the first of these in `error`, so that a reply
 *            is written without a check a line and judged once.
 * Threads:   one thread for a purse and all buffers charged to it.
 * Limits:    size_max of the buffer, bytes_max of the purse.
 */
#ifndef KVD_BUFFER_H
#define KVD_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct purse {
        size_t used_bytes;
        size_t bytes_max;
        bool is_watched; /* its use is what the probe held_percent shows */
};

struct buffer {
        char *bytes;
        size_t start; /* first byte not consumed yet */
        size_t end;
        size_t size; /* allocated, and charged to the purse */
        size_t size_max;
        struct purse *purse;
        int error; /* 0, or what went wrong first */
};

void buffer_init(struct buffer *buffer, size_t size_max, struct purse *purse);
void buffer_fini(struct buffer *buffer);

/* Bytes not consumed yet, and where they are. */
size_t buffer_pending(const struct buffer *buffer);
const char *buffer_view(const struct buffer *buffer);

/* Makes room for `more` bytes behind the end. */
int buffer_reserve(struct buffer *buffer, size_t more);

/* For those who write into the room themselves, as recv() does. */
char *buffer_room(struct buffer *buffer, size_t *ret_bytes);
void buffer_produced(struct buffer *buffer, size_t bytes);

void buffer_append(struct buffer *buffer, const void *bytes, size_t length);

/* Gives memory back when nothing is pending and much was held. */
void buffer_consume(struct buffer *buffer, size_t bytes);

#endif
