/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a process that is going down may leave anything in its segment, and the watcher is
 * the one that must still be standing then.
 */
#include "watch/segment.h"
#include "watch/extent.h"

#include "base/error.h"
#include "rule/rule.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { piece_bytes = 32 << 10 };

/* Cells of a block that are read at once, onto the stack. */
struct piece {
        uint32_t at; /* in the block */
        uint32_t bytes;
        uint64_t words[piece_bytes / 8];
};

static int check_file(const struct stat *status, const uid_t *owners, size_t owner_count,
                      const char **ret_why)
{
        if (!S_ISREG(status->st_mode)) {
                *ret_why = "it is not a regular file";
                return SEGMENT_REFUSED;
        }
        for (size_t i = 0; i < owner_count; i++)
                if (status->st_uid == owners[i])
                        return 0;
        *ret_why = "it belongs to somebody else";
        return SEGMENT_REFUSED;
}

int segment_open(int dir_fd, const char *name, const uid_t *owners, size_t owner_count,
                 struct segment_view **ret_view, const char **ret_why)
{
        /* O_NONBLOCK: whoever plants a named pipe must not hold us. */
        int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct segment_view *view;
        struct stat status;
        int failed;

        if (fd < 0 && errno == ELOOP) {
                *ret_why = "it is a symbolic link";
                return SEGMENT_REFUSED;
        }
        if (fd < 0 && errno == ENXIO) {
                *ret_why = "it is not a regular file"; /* a socket */
                return SEGMENT_REFUSED;
        }
        if (fd < 0)
                return error_last();
        failed = fstat(fd, &status) ? error_last()
                                    : check_file(&status, owners, owner_count, ret_why);
        view = failed ? NULL : calloc(1, sizeof(*view));
        if (!view) {
                (void)close(fd); /* read only */
                return failed ? failed : -ENOMEM;
        }
        view->fd = fd;
        view->inode = status.st_ino;
        *ret_view = view;
        return 0;
}

void segment_close(struct segment_view **address)
{
        struct segment_view *view = *address;

        if (!view)
                return;
        for (uint32_t i = 0; i < view->object_count; i++) {
                for (uint32_t n = 0; n < view->objects[i].operation_count; n++)
                        free(view->objects[i].operations[n].open);
                free(view->objects[i].operations);
                free(view->objects[i].records);
                free(view->objects[i].sums);
                free(view->objects[i].shared);
        }
        free(view->objects);
        free(view->blocks);
        free(view->rows);
        free(view->slots.seen);
        free(view->slots.copy);
        free(view->inside.pages);
        (void)close(view->fd); /* read only */
        free(view);
        *address = NULL;
}

int segment_copy(const struct segment_view *view, uint64_t offset, void *into, size_t bytes,
                 const char **ret_why)
{
        char *at = into;

        while (bytes) {
                ssize_t length = pread(view->fd, at, bytes, (off_t)offset);

                if (length < 0 && errno == EINTR)
                        continue;
                if (length < 0)
                        return error_last();
                if (length == 0) {
                        *ret_why = "the file is shorter than it says";
                        return SEGMENT_BROKEN;
                }
                at += length;
                offset += (uint64_t)length;
                bytes -= (size_t)length;
        }
        return 0;
}

/* ---- The header ----------------------------------------------------------- */

/* What makes this segment readable at all. NULL, or why not. */
static const char *check_layout(const struct segment_header *header)
{
        if (memcmp(header->magic, SEGMENT_MAGIC, sizeof(header->magic)) != 0)
                return "it does not begin as a segment does";
        if (header->version != SEGMENT_VERSION)
                return "it has another version of the format: build program and tocsin alike";
        if (header->header_bytes != SEGMENT_HEADER_BYTES)
                return "its header has another size";
        if (header->record_bytes != sizeof(struct toc_record) ||
            header->row_bytes != sizeof(struct segment_row) ||
            header->event_bytes != sizeof(struct segment_event))
                return "its rows or events have another size";
        if (header->state != SEGMENT_RUNNING && header->state != SEGMENT_ENDED)
                return "its state is neither running nor ended";
        if (header->pid == 0 || header->pid > INT32_MAX)
                return "its process id is none";
        return NULL;
}

/* What may not change once it has been accepted. */
static bool has_same_identity(const struct segment_header *now, const struct segment_header *then)
{
        return now->pid == then->pid && now->uid == then->uid &&
               now->attached_ns == then->attached_ns && now->pid_namespace == then->pid_namespace &&
               memcmp(now->boot_id, then->boot_id, sizeof(now->boot_id)) == 0 &&
               memcmp(now->program, then->program, sizeof(now->program)) == 0;
}

static const char *check_size(const struct segment_view *view, const struct segment_header *header,
                              uint64_t file_bytes)
{
        if (header->used_bytes > file_bytes)
                return "it says that it uses more bytes than the file has";
        if (header->used_bytes < SEGMENT_HEADER_BYTES || header->used_bytes % 64)
                return "the count of its used bytes is not one that occurs";
        if (view->is_finished && header->used_bytes < view->header.used_bytes)
                return "its used bytes became fewer";
        return NULL;
}

static bool is_unfinished(const struct segment_view *view, const struct segment_header *header)
{
        static const char nothing[sizeof(header->magic)];

        return !view->is_finished && memcmp(header->magic, nothing, sizeof(nothing)) == 0;
}

static int accept_header(struct segment_view *view, const struct segment_header *header,
                         uint64_t file_bytes, const char **ret_why)
{
        const char *why = check_layout(header);

        if (!why)
                why = check_size(view, header, file_bytes);
        if (!why && view->is_finished && !has_same_identity(header, &view->header))
                why = "it became the segment of another process";
        if (why) {
                *ret_why = why;
                return SEGMENT_BROKEN;
        }
        view->header = *header;
        view->is_finished = true;
        return 0;
}

int segment_refresh(struct segment_view *view, const char **ret_why)
{
        struct segment_header header;
        struct stat status;
        int outcome;

        if (fstat(view->fd, &status))
                return error_last();
        if (!view->is_finished && (uint64_t)status.st_size < sizeof(header)) {
                *ret_why = "its header is not complete";
                return SEGMENT_UNFINISHED;
        }
        outcome = segment_copy(view, 0, &header, sizeof(header), ret_why);
        if (outcome)
                return outcome;
        if (is_unfinished(view, &header)) {
                *ret_why = "its writer did not finish the beginning";
                return SEGMENT_UNFINISHED;
        }
        header.program[sizeof(header.program) - 1] = '\0';
        header.boot_id[sizeof(header.boot_id) - 1] = '\0';
        /* The size again: the file may have grown since, and used_bytes with it. */
        if (fstat(view->fd, &status))
                return error_last();
        outcome = accept_header(view, &header, (uint64_t)status.st_size, ret_why);
        if (outcome)
                return outcome;
        return extent_walk(view, ret_why);
}

/* ---- Cells ---------------------------------------------------------------- */

/* What goes on in this piece of a block. Blocks come in the order of their numbers, and pieces in
 * that of their bytes, so names ascend. */
static int gather_open(struct segment_view_operation *operation, const struct piece *piece,
                       uint32_t block)
{
        uint64_t slots = operation->cell_offset + offsetof(struct toc_operation_, slot);

        if (slots >= (uint64_t)piece->at + piece->bytes || slots + 8 * TOC_SLOTS_ <= piece->at)
                return 0;
        for (uint32_t i = 0; i < TOC_SLOTS_; i++) {
                uint64_t at = slots + 8 * i;
                uint64_t number;

                if (at < piece->at || at - piece->at >= piece->bytes)
                        continue;
                number = piece->words[(at - piece->at) / 8];
                if (!number || operation->count == segment_open_max)
                        continue;
                if (operation->count == operation->size) {
                        uint32_t size = operation->size ? 2 * operation->size : TOC_SLOTS_;
                        void *more = reallocarray(operation->open, size, sizeof(*operation->open));

                        if (!more)
                                return -ENOMEM;
                        operation->open = more;
                        operation->size = size;
                }
                operation->open[operation->count++] = rule_open(block, i, number);
        }
        return 0;
}

/* Rows that do not share cells are no more than fit; so the work is bounded by the file's size. */
static int gather_all_open(struct segment_view_object *object, const struct piece *piece,
                           uint32_t block)
{
        uint32_t count = object->block_bytes / sizeof(struct toc_operation_);
        int failed = 0;

        if (count > object->operation_count)
                count = object->operation_count;
        for (uint32_t i = 0; i < count && !failed; i++)
                failed = gather_open(&object->operations[i], piece, block);
        return failed;
}

/* Wraps, as the cells do: two's complement. Eight at once: there are instructions for that. */
static void add_words(uint64_t *restrict sums, const uint64_t *restrict words, uint32_t count)
{
        uint32_t i = 0;

        for (; count - i >= 8; i += 8)
                for (uint32_t k = 0; k < 8; k++)
                        sums[i + k] += words[i + k];
        for (; i < count; i++)
                sums[i] += words[i];
}

/* In pieces that stay in the first cache between being copied and being added. */
static int sum_block(struct segment_view *view, uint32_t number, const char **ret_why)
{
        const struct segment_view_block *block = &view->blocks[number];
        struct segment_view_object *object = &view->objects[block->object];
        struct piece piece;

        for (piece.at = 0; piece.at < object->block_bytes; piece.at += piece_bytes) {
                uint32_t left = object->block_bytes - piece.at;
                uint64_t *sums = object->sums + piece.at / 8;
                int outcome;

                piece.bytes = left < piece_bytes ? left : piece_bytes;
                outcome = segment_copy(view, block->offset + piece.at, piece.words, piece.bytes,
                                       ret_why);
                if (!outcome)
                        outcome = gather_all_open(object, &piece, number);
                if (outcome)
                        return outcome;
                add_words(sums, piece.words, piece.bytes / 8);
        }
        return 0;
}

static uint64_t add_up(const uint64_t *words, uint32_t bytes, uint64_t total)
{
        for (uint32_t i = 0; words && i < bytes / 8; i++)
                total += words[i];
        return total;
}

/* Only its own process writes to a segment: what moved was alive. */
static void look_for_life(struct segment_view *view)
{
        uint64_t total = 0;

        for (uint32_t i = 0; i < view->object_count; i++) {
                const struct segment_view_object *object = &view->objects[i];

                total = add_up(object->sums, object->block_bytes, total);
                total = add_up(object->shared, object->shared_bytes, total);
        }
        view->has_moved = total != view->total;
        view->total = total;
}

int segment_sample(struct segment_view *view, const char **ret_why)
{
        int outcome = 0;

        for (uint32_t i = 0; i < view->object_count && !outcome; i++) {
                struct segment_view_object *object = &view->objects[i];

                if (object->sums)
                        memset(object->sums, 0, object->block_bytes);
                for (uint32_t n = 0; n < object->operation_count; n++)
                        object->operations[n].count = 0;
                if (object->has_shared && object->shared_bytes)
                        outcome = segment_copy(view, object->shared_offset, object->shared,
                                               object->shared_bytes, ret_why);
        }
        for (uint32_t i = 0; i < view->block_count && !outcome; i++)
                outcome = sum_block(view, i, ret_why);
        if (!outcome)
                look_for_life(view);
        return outcome;
}

/* The words at an offset, if they lie within; the offset is a multiple of 8. */
static const uint64_t *pick(const uint64_t *words, uint32_t bytes, uint32_t offset, uint32_t count)
{
        return words && bytes >= 8 * count && offset <= bytes - 8 * count ? words + offset / 8
                                                                          : NULL;
}

const uint64_t *segment_cells(const struct segment_view *view, uint32_t number)
{
        static const uint64_t unset = (uint64_t)TOC_GAUGE_UNSET_;
        static const uint64_t nothing[sizeof(struct toc_histogram_) / 8];
        const struct segment_view_row *row = &view->rows[number];
        const struct segment_view_object *object = &view->objects[row->object];
        uint32_t count = toc_words_(row->record->kind);
        const uint64_t *cells = NULL;

        if (row->place == SEGMENT_IN_BLOCK)
                cells = pick(object->sums, object->block_bytes, row->cell_offset, count);
        else if (row->place == SEGMENT_IN_SHARED)
                cells = pick(object->shared, object->shared_bytes, row->cell_offset, count);
        if (cells)
                return cells;
        return row->place == SEGMENT_IN_SHARED && row->record->kind == toc_kind_gauge ? &unset
                                                                                      : nothing;
}

const uint64_t *segment_open_ones(const struct segment_view *view, uint32_t number,
                                  uint32_t *ret_count)
{
        const struct segment_view_row *row = &view->rows[number];
        const struct segment_view_operation *operation;

        *ret_count = 0;
        if (row->operation == segment_no_operation)
                return NULL;
        operation = &view->objects[row->object].operations[row->operation];
        *ret_count = operation->count;
        return operation->count ? operation->open : NULL;
}
