/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because what only memory holds is gone after a restart.
 */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <tocsin.h>

#include "clock.h"
#include "resp.h"

TOC_MODULE_PART(flusher);

TOC_COUNTER(written_bytes, "Bytes of snapshots given to the kernel",
            TOC_QUIET("how much there is to save says nothing about health"));

enum {
        READ_BYTES = 1 << 16,
        SYNC_BYTES = 8 << 20, /* so that no single wait for the disk is long */
        NUMBER_MAX = 24,      /* characters of a 64-bit number, and a NUL */
};

#define STAGE_BYTES_MAX ((size_t)4 << 30) /* one stripe of the store; an item of the file */

/* What is left of a time, on the clock that outlives us. */
static uint64_t to_wall_ms(uint64_t at_ms)
{
        return clock_wall_ms() + (at_ms - clock_boot_ms());
}

static void put_view(struct buffer *stage, struct store_text text)
{
        resp_put_bulk(stage, (struct resp_view){ text.bytes, text.length });
}

static int stage_item(void *context, const struct store_item *item)
{
        struct buffer *stage = context;
        char number[NUMBER_MAX];

        resp_put_array(stage, item->expires_ms ? 5 : 3);
        resp_put_text(stage, "SET");
        put_view(stage, item->key);
        put_view(stage, item->value);
        if (item->expires_ms) {
                (void)snprintf(number, sizeof(number), "%llu",
                               (unsigned long long)to_wall_ms(item->expires_ms));
                resp_put_text(stage, "PXAT");
                resp_put_text(stage, number);
        }
        return stage->error;
}

static int write_all(int fd, struct buffer *stage)
{
        while (buffer_pending(stage) > 0) {
                ssize_t n = write(fd, buffer_view(stage), buffer_pending(stage));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                toc_add(written_bytes, (uint64_t)n);
                buffer_consume(stage, (size_t)n);
        }
        return 0;
}

static int write_stripes(int fd, struct vault *vault, struct buffer *stage, void (*alive)(void))
{
        size_t stripes = store_stripes(vault->store); /* fixed: needs no lock */
        size_t unsynced = 0;

        for (size_t stripe = 0; stripe < stripes; stripe++) {
                struct store *store = vault_enter(vault);
                int result = store_sweep(store, stripe, clock_boot_ms(), stage_item, stage);

                vault_leave(vault);
                unsynced += buffer_pending(stage);
                if (result == 0 && buffer_pending(stage) > 0)
                        result = write_all(fd, stage);
                if (result == 0 && unsynced >= SYNC_BYTES) {
                        result = fdatasync(fd) ? -errno : 0;
                        unsynced = 0;
                }
                if (result)
                        return result;
                alive();
        }
        return fsync(fd) ? -errno : 0;
}

/* The name under which the file is written before it replaces the old one. */
static void draft_name(const struct snapshot_file *file, char ret_name[SNAPSHOT_NAME_MAX + 8])
{
        (void)snprintf(ret_name, SNAPSHOT_NAME_MAX + 8, "%s.new", file->name);
}

int snapshot_write(const struct snapshot_file *file, struct vault *vault, void (*alive)(void))
{
        struct purse purse = { .bytes_max = STAGE_BYTES_MAX };
        char draft[SNAPSHOT_NAME_MAX + 8];
        struct buffer stage;
        int result, fd;

        draft_name(file, draft);
        fd = openat(file->directory, draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                    0600);
        if (fd < 0)
                return -errno;
        buffer_init(&stage, STAGE_BYTES_MAX, &purse);
        result = write_stripes(fd, vault, &stage, alive);
        buffer_fini(&stage);
        if (close(fd) && result == 0)
                result = -errno;
        alive();
        if (result == 0 && renameat(file->directory, draft, file->directory, file->name))
                result = -errno;
        if (result == 0 && fsync(file->directory))
                result = -errno;
        if (result)
                (void)unlinkat(file->directory, draft, 0); /* it may not even be there */
        return result;
}

static int load_request(struct store *store, const struct resp_request *request)
{
        const struct resp_view *args = request->args;
        uint64_t boot_ms = clock_boot_ms(), wall_ms = clock_wall_ms();
        struct store_item item = { .expires_ms = 0 };
        int64_t at_ms;
        int result;

        if ((request->count != 3 && request->count != 5) || !resp_is(args[0], "SET"))
                return -EBADMSG;
        item.key = (struct store_text){ args[1].bytes, args[1].length };
        item.value = (struct store_text){ args[2].bytes, args[2].length };
        if (request->count == 5) {
                if (!resp_is(args[3], "PXAT") || resp_number(args[4], &at_ms) || at_ms < 0)
                        return -EBADMSG;
                if ((uint64_t)at_ms <= wall_ms)
                        return 0; /* its time came while nobody ran */
                item.expires_ms = boot_ms + ((uint64_t)at_ms - wall_ms);
        }
        result = store_set(store, &item, boot_ms);
        return result == STORE_FULL ? SNAPSHOT_TOO_BIG : result;
}

/* Loads the complete requests in the buffer and leaves the rest. */
static int load_buffer(struct store *store, struct buffer *input, struct resp_request *request)
{
        const struct resp_limits limits = { ENTRY_TEXT_LIMIT, STAGE_BYTES_MAX };

        for (;;) {
                struct resp_view bytes = { buffer_view(input), buffer_pending(input) };
                int result = resp_parse(bytes, &limits, request);

                if (result == RESP_PARTIAL)
                        return 0;
                if (result < 0)
                        return -EBADMSG;
                result = load_request(store, request);
                if (result)
                        return result;
                buffer_consume(input, request->bytes);
        }
}

static int load(int fd, struct store *store, struct buffer *input, void (*alive)(void))
{
        struct resp_request *request = malloc(sizeof(*request));
        int result = request ? 0 : -ENOMEM;
        bool has_ended = false;

        while (result == 0 && !has_ended) {
                size_t room;
                char *to;
                ssize_t n;

                result = buffer_reserve(input, READ_BYTES);
                if (result)
                        break;
                to = buffer_room(input, &room);
                n = read(fd, to, room);
                if (n < 0) {
                        result = errno == EINTR ? 0 : -errno;
                        continue;
                }
                has_ended = n == 0;
                buffer_produced(input, (size_t)n);
                result = load_buffer(store, input, request);
                alive();
        }
        if (result == 0 && buffer_pending(input) > 0)
                result = -EBADMSG;
        free(request);
        return result;
}

int snapshot_read(const struct snapshot_file *file, struct store *store, void (*alive)(void))
{
        struct purse purse = { .bytes_max = STAGE_BYTES_MAX };
        struct buffer input;
        int result;
        int fd = openat(file->directory, file->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? SNAPSHOT_NONE : -errno;
        buffer_init(&input, STAGE_BYTES_MAX, &purse);
        result = load(fd, store, &input, alive);
        buffer_fini(&input);
        (void)close(fd); /* only read from */
        return result;
}
