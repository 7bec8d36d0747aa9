/* SPDX-License-Identifier: Apache-2.0 */
/* visit.c - exists because a program may judge itself where no file can be had. One part at a time:
 * the guard is held for one copy, and the reader finds memory while it is free. */
#include "probe/visit.h"

#include "probe/guard.h"
#include "probe/runtime.h"

#include <string.h>

enum { AT_OBJECT, AT_ROWS, AT_SHARED, AT_BLOCKS };

static uint64_t rows_count(const struct object *object)
{
        const struct segment_extent *extent;

        if (object->dso)
                return (uint64_t)(object->dso->probes_end - object->dso->probes);
        if (!object->rows)
                return 0; /* it was in private memory, and has been unloaded */
        extent = (const struct segment_extent *)(const void *)object->rows - 1;
        return extent->count;
}

static void copy_rows(struct segment_row *into, const struct object *object)
{
        uint64_t count = rows_count(object);

        if (object->rows) {
                memcpy(into, object->rows + 1, count * sizeof *into);
                return;
        }
        memset(into, 0, count * sizeof *into);
        for (uint64_t i = 0; i < count; i++)
                toc_runtime_row_(&into[i], object->dso, &object->dso->probes[i]);
}

/* Others count on meanwhile: each word is read whole. */
static void copy_cells(uint64_t *into, const char *cells, uint64_t bytes)
{
        const uint64_t *from = (const uint64_t *)(const void *)cells;

        for (uint64_t i = 0; i < bytes / 8; i++)
                into[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* Past the part at which the visit stands. */
static void advance(struct toc_visit_ *visit)
{
        const struct object *object = visit->object;
        const struct block *block = visit->block;

        if (visit->next == AT_BLOCKS && block) {
                visit->block = block->all;
                return;
        }
        if (visit->next == AT_SHARED)
                visit->block = object->blocks;
        visit->next = visit->next == AT_BLOCKS ? AT_OBJECT : visit->next + 1;
}

/* To a part that is there and wanted; false at the end. */
static bool settle(struct toc_visit_ *visit)
{
        for (;; advance(visit)) {
                const struct object *object = visit->object;

                if (visit->next == AT_OBJECT) {
                        object = object ? object->next : toc_runtime_objects_();
                        if (!object)
                                return false;
                        visit->object = object;
                } else if (visit->next == AT_ROWS) {
                        if (object->is_published && object->number >= visit->rows_from &&
                            rows_count(object))
                                return true;
                } else if (visit->next == AT_SHARED) {
                        if (object->shared_cells)
                                return true;
                } else if (visit->block) {
                        return true;
                }
        }
}

static void copy_part(const struct toc_visit_ *visit, void *into, uint64_t bytes_max,
                      struct toc_part_ *part)
{
        static const uint32_t kinds[] = {
                [AT_ROWS] = SEGMENT_ROWS, [AT_SHARED] = SEGMENT_SHARED, [AT_BLOCKS] = SEGMENT_BLOCK
        };
        const struct object *object = visit->object;
        const struct block *block = visit->block;

        *part = (struct toc_part_){ .kind = kinds[visit->next],
                                    .object = object->number,
                                    .began_ns = object->began_ns };
        if (part->kind == SEGMENT_BLOCK)
                part->number = block->number;
        part->bytes = part->kind == SEGMENT_ROWS ? rows_count(object) * sizeof(struct segment_row)
                      : part->kind == SEGMENT_SHARED ? object->shared_bytes
                                                     : object->cells_bytes;
        if (part->bytes > bytes_max)
                return;
        if (part->kind == SEGMENT_ROWS)
                copy_rows(into, object);
        else
                copy_cells(into, part->kind == SEGMENT_BLOCK ? block->cells : object->shared_cells,
                           part->bytes);
}

bool toc_visit_(struct toc_visit_ *visit, void *into, uint64_t bytes_max,
                struct toc_part_ *ret_part)
{
        struct guard guard = toc_guard_enter_();
        bool is_there = settle(visit);

        if (is_there) {
                copy_part(visit, into, bytes_max, ret_part);
                if (ret_part->bytes <= bytes_max)
                        advance(visit);
        }
        toc_guard_leave_(guard);
        return is_there;
}
