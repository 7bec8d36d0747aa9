/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because what a peer can make us hold must have a limit, for each peer and for all.
 */
#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tocsin.h>

TOC_MODULE(buffer, "Bytes on their way to and from clients",
           TOC_LOGS(TOC_ALERT(per_minute, >, 0, TOC_WARN,
                              "memory for a client was not to be had")));

TOC_GAUGE(held_percent, "Buffer memory in use, of --max-buffers",
          TOC_ALERT(value, >=, 70, TOC_WARN, "clients hold most of the buffer memory",
                    .clear_at = 50),
          TOC_ALERT(value, >=, 95, TOC_PAGE, "no buffer memory left: clients are being refused",
                    .clear_at = 80),
          TOC_RUNBOOK("examples/kvd/README.md#buffers-full"));
TOC_COUNTER(refusals, "Growth refused because --max-buffers is used up",
            TOC_ALERT(per_minute, >, 0, TOC_WARN, "a client was cut off for lack of buffer memory"),
            TOC_RUNBOOK("examples/kvd/README.md#buffers-full"));

/* The first allocation, and what an idle buffer may keep. */
enum { SIZE_MIN = 4096, IDLE_SIZE_MAX = 65536 };

void buffer_init(struct buffer *buffer, size_t size_max, struct purse *purse)
{
        *buffer = (struct buffer){ .size_max = size_max, .purse = purse };
}

static void charge(struct purse *purse, size_t before, size_t after)
{
        purse->used_bytes = purse->used_bytes - before + after;
        if (purse->is_watched)
                toc_set(held_percent, (int64_t)(purse->used_bytes * 100 / purse->bytes_max));
}

static void release(struct buffer *buffer)
{
        struct purse *purse = buffer->purse;

        if (buffer->size == 0)
                return;
        (void)TOC_EXPECT_CMP(purse->used_bytes, >=, buffer->size, TOC_PAGE,
                             "more buffer memory given back than was taken");
        charge(purse, buffer->size, 0);
        free(buffer->bytes);
        buffer->bytes = NULL;
        buffer->size = 0;
}

void buffer_fini(struct buffer *buffer)
{
        release(buffer);
        buffer_init(buffer, buffer->size_max, buffer->purse);
}

size_t buffer_pending(const struct buffer *buffer)
{
        return buffer->end - buffer->start;
}

const char *buffer_view(const struct buffer *buffer)
{
        return buffer->bytes ? buffer->bytes + buffer->start : "";
}

static int grow(struct buffer *buffer, size_t size)
{
        struct purse *purse = buffer->purse;
        char *bytes;

        if (size - buffer->size > purse->bytes_max - purse->used_bytes) {
                toc_count(refusals);
                return -ENOBUFS;
        }
        bytes = realloc(buffer->bytes, size);
        if (!bytes)
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory to grow a buffer to %zu bytes",
                                 size);
        charge(purse, buffer->size, size);
        buffer->bytes = bytes;
        buffer->size = size;
        return 0;
}

int buffer_reserve(struct buffer *buffer, size_t more)
{
        size_t pending = buffer_pending(buffer);
        size_t size = buffer->size ? buffer->size : SIZE_MIN;

        if (more <= buffer->size - buffer->end)
                return 0;
        if (pending > buffer->size_max || more > buffer->size_max - pending)
                return -EMSGSIZE;
        if (buffer->start > 0) {
                memmove(buffer->bytes, buffer->bytes + buffer->start, pending);
                buffer->start = 0;
                buffer->end = pending;
        }
        if (more <= buffer->size - buffer->end)
                return 0;
        while (size < pending + more)
                size *= 2;
        return grow(buffer, size < buffer->size_max ? size : buffer->size_max);
}

char *buffer_room(struct buffer *buffer, size_t *ret_bytes)
{
        *ret_bytes = buffer->size - buffer->end;
        return buffer->bytes + buffer->end;
}

void buffer_produced(struct buffer *buffer, size_t bytes)
{
        if (!TOC_EXPECT_CMP(bytes, <=, buffer->size - buffer->end, TOC_PAGE,
                            "more bytes came in than there was room for"))
                bytes = buffer->size - buffer->end;
        buffer->end += bytes;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
        if (buffer->error || length == 0)
                return;
        buffer->error = buffer_reserve(buffer, length);
        if (buffer->error)
                return;
        memcpy(buffer->bytes + buffer->end, bytes, length);
        buffer->end += length;
}

void buffer_consume(struct buffer *buffer, size_t bytes)
{
        if (!TOC_EXPECT_CMP(bytes, <=, buffer_pending(buffer), TOC_PAGE,
                            "more bytes consumed than were there"))
                bytes = buffer_pending(buffer);
        buffer->start += bytes;
        if (buffer->start < buffer->end)
                return;
        buffer->start = 0;
        buffer->end = 0;
        if (buffer->size > IDLE_SIZE_MAX)
                release(buffer);
}
