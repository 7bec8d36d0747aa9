/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to check every number of an extent against the bytes that are there, before one of them is
 * used as a size or an index.
 */
#include "watch/extent.h"

#include "base/error.h"
#include "rule/rule.h"

#include <errno.h>

static int broken(const char *why, const char **ret_why)
{
        *ret_why = why;
        return SEGMENT_BROKEN;
}

/* One more element at the end of an array that grows by doubling. */
static void *grow(void *array, uint32_t count, size_t element_bytes)
{
        if (count & (count - 1))
                return array; /* between two powers of two there is room */
        return reallocarray(array, count ? 2 * (size_t)count : 1, element_bytes);
}

/* The object of that number; objects between are made empty. */
static int find_object(struct segment_view *view, uint32_t number,
                       struct segment_view_object **ret_object, const char **ret_why)
{
        if (number >= segment_object_max)
                return broken("it names more objects than a process has", ret_why);
        while (view->object_count <= number) {
                void *more = grow(view->objects, view->object_count, sizeof(*view->objects));

                if (!more)
                        return -ENOMEM;
                view->objects = more;
                view->objects[view->object_count++] = (struct segment_view_object){ 0 };
        }
        *ret_object = &view->objects[number];
        return 0;
}

/* ---- Rows ----------------------------------------------------------------- */

static bool needs_cell(uint8_t kind)
{
        return kind != toc_kind_module && kind != toc_kind_logs;
}

/* NULL, or why this row cannot be judged. */
static const char *check_row(const struct segment_row *row)
{
        uint32_t bytes = 8 * toc_words_(row->record.kind);
        const char *why = NULL;

        if (rule_check(&row->record, &why))
                return why ? why : "its record cannot be judged";
        if (row->place == SEGMENT_NO_CELL)
                return needs_cell(row->record.kind) ? "it has no cell to count in" : NULL;
        if (row->place != SEGMENT_IN_BLOCK && row->place != SEGMENT_IN_SHARED)
                return "its cell is in no known place";
        if (row->cell_bytes != bytes || row->cell_offset % 8 ||
            row->cell_offset > segment_cells_bytes_max - bytes)
                return "its cell has an impossible size or place";
        return NULL;
}

/* The rows whose slots are looked at one by one. */
static int add_operation(struct segment_view_object *object, struct segment_view_row *row)
{
        struct segment_view_operation *more;

        row->operation = segment_no_operation;
        if (row->bad || row->record->kind != toc_kind_operation || row->place != SEGMENT_IN_BLOCK)
                return 0;
        more = grow(object->operations, object->operation_count, sizeof(*more));
        if (!more)
                return -ENOMEM;
        object->operations = more;
        row->operation = object->operation_count++;
        more[row->operation] = (struct segment_view_operation){ .cell_offset = row->cell_offset };
        return 0;
}

static int add_rows(struct segment_view *view, uint64_t offset, const struct segment_extent *extent,
                    const char **ret_why)
{
        struct segment_view_object *object = NULL;
        struct segment_view_row *rows;
        int outcome = find_object(view, extent->object, &object, ret_why);

        if (outcome)
                return outcome;
        if (object->has_rows)
                return broken("an object has its rows twice", ret_why);
        if (extent->count > segment_row_max - view->row_count)
                return broken("it has more rows than we judge", ret_why);
        rows = reallocarray(view->rows, (size_t)view->row_count + extent->count + 1, sizeof(*rows));
        if (!rows)
                return -ENOMEM;
        view->rows = rows;
        free(object->records); /* of a reading that failed halfway */
        object->records = calloc((size_t)extent->count + 1, sizeof(*object->records));
        if (!object->records)
                return -ENOMEM;
        offset += sizeof(*extent) + sizeof(struct segment_rows);
        for (uint32_t i = 0; i < extent->count; i++) {
                struct segment_row row;

                outcome = segment_copy(view, offset + (uint64_t)i * sizeof(row), &row, sizeof(row),
                                       ret_why);
                if (outcome)
                        return outcome;
                struct segment_view_row *to = &rows[view->row_count + i];

                *to = (struct segment_view_row){
                        .record = &object->records[i],
                        .bad = check_row(&row),
                        .object = extent->object,
                        .number = i,
                        .cell_offset = row.cell_offset,
                        .place = row.place,
                };
                object->records[i] = row.record;
                if (!to->bad)
                        rule_site_name(&object->records[i]);
                outcome = add_operation(object, to);
                if (outcome)
                        return outcome;
        }
        object->has_rows = true;
        object->first_row = view->row_count;
        object->row_count = extent->count;
        view->row_count += extent->count;
        return 0;
}

/* ---- Cells ---------------------------------------------------------------- */

static int add_block(struct segment_view *view, uint64_t offset,
                     const struct segment_extent *extent, const char **ret_why)
{
        struct segment_view_object *object = NULL;
        struct segment_view_block *blocks;
        int outcome = find_object(view, extent->object, &object, ret_why);

        if (outcome)
                return outcome;
        if (extent->count > segment_cells_bytes_max || extent->count % 8)
                return broken("a block has an impossible size", ret_why);
        if (object->has_block && object->block_bytes != extent->count)
                return broken("the blocks of one object differ in size", ret_why);
        if (!object->has_block && extent->count) {
                object->sums = calloc(extent->count / 8, sizeof(*object->sums));
                if (!object->sums)
                        return -ENOMEM;
        }
        object->has_block = true;
        object->block_bytes = extent->count;
        blocks = grow(view->blocks, view->block_count, sizeof(*blocks));
        if (!blocks)
                return -ENOMEM;
        view->blocks = blocks;
        blocks[view->block_count++] =
                (struct segment_view_block){ offset + sizeof(*extent), extent->object };
        return 0;
}

static int add_shared(struct segment_view *view, uint64_t offset,
                      const struct segment_extent *extent, const char **ret_why)
{
        struct segment_view_object *object = NULL;
        int outcome = find_object(view, extent->object, &object, ret_why);

        if (outcome)
                return outcome;
        if (extent->count > segment_cells_bytes_max || extent->count % 8)
                return broken("the shared cells have an impossible size", ret_why);
        if (object->has_shared)
                return broken("an object has its shared cells twice", ret_why);
        if (extent->count) {
                object->shared = calloc(extent->count / 8, sizeof(*object->shared));
                if (!object->shared)
                        return -ENOMEM;
        }
        object->has_shared = true;
        object->shared_bytes = extent->count;
        object->shared_offset = offset + sizeof(*extent);
        return 0;
}

/* ---- Events --------------------------------------------------------------- */

static int add_events(struct segment_view *view, uint64_t offset,
                      const struct segment_extent *extent, const char **ret_why)
{
        struct segment_view_slots *slots = &view->slots;

        if (slots->offset)
                return broken("it has two rings of events", ret_why);
        if (!extent->count || extent->count > segment_slot_max)
                return broken("its ring of events has an impossible size", ret_why);
        free(slots->seen);
        slots->seen = calloc(extent->count, sizeof(*slots->seen));
        if (!slots->seen)
                return -ENOMEM;
        slots->count = extent->count;
        slots->offset = offset + sizeof(*extent);
        return 0;
}

/* ---- What libtocsin-inside publishes ---------------------------------------- */

/* A table is there once, and holds what this version says. */
static int add_table(struct segment_view *view, uint64_t offset,
                     const struct segment_extent *extent, const char **ret_why)
{
        static const uint32_t counts[] = { 1, INSIDE_MODULES, INSIDE_SITES, INSIDE_NODES,
                                           INSIDE_FINDINGS };
        uint32_t which = extent->kind - SEGMENT_INSIDE;

        if (view->inside.table[which])
                return broken("a table of what is inside is there twice", ret_why);
        if (extent->count != counts[which])
                return broken("a table of what is inside is of another version", ret_why);
        view->inside.table[which] = offset + sizeof(*extent);
        return 0;
}

static int add_page(struct segment_view *view, uint64_t offset, const char **ret_why)
{
        struct segment_view_inside *inside = &view->inside;
        uint64_t *pages;

        if (inside->page_count == INSIDE_THREADS_MAX)
                return broken("it has more pages of threads than there can be", ret_why);
        pages = grow(inside->pages, inside->page_count, sizeof(*pages));
        if (!pages)
                return -ENOMEM;
        inside->pages = pages;
        pages[inside->page_count++] = offset;
        return 0;
}

/* ---- The walk ------------------------------------------------------------- */

/* How many bytes an extent of this kind and count has at least. */
static uint64_t least_bytes(const struct segment_extent *extent)
{
        uint64_t count = extent->count, bytes = sizeof(*extent);

        if (extent->kind == SEGMENT_ROWS)
                bytes += sizeof(struct segment_rows) + count * sizeof(struct segment_row);
        else if (extent->kind == SEGMENT_EVENTS)
                bytes += sizeof(struct segment_ring) + count * sizeof(struct segment_event);
        else if (extent->kind == SEGMENT_BLOCK || extent->kind == SEGMENT_SHARED)
                bytes += count;
        else if (extent->kind == SEGMENT_INSIDE)
                bytes += count * sizeof(struct inside_head);
        else if (extent->kind == SEGMENT_INSIDE_MODULES)
                bytes += count * sizeof(struct inside_module);
        else if (extent->kind == SEGMENT_INSIDE_SITES)
                bytes += count * sizeof(struct inside_site);
        else if (extent->kind == SEGMENT_INSIDE_NODES)
                bytes += count * sizeof(struct inside_node);
        else if (extent->kind == SEGMENT_INSIDE_FINDINGS)
                bytes += count * sizeof(struct inside_finding);
        else if (extent->kind == SEGMENT_INSIDE_THREAD)
                bytes += sizeof(struct inside_thread);
        return bytes;
}

static const char *check_extent(const struct segment_extent *extent, uint64_t room)
{
        if (extent->magic != SEGMENT_EXTENT_MAGIC)
                return "an extent does not begin as extents do";
        if (extent->kind < SEGMENT_ROWS ||
            (extent->kind > SEGMENT_FILLER && extent->kind < SEGMENT_INSIDE) ||
            extent->kind > SEGMENT_INSIDE_THREAD)
                return "an extent is of no known kind";
        if (extent->bytes < sizeof(*extent) || extent->bytes % 64 || extent->bytes > room)
                return "an extent has an impossible size";
        if (least_bytes(extent) > extent->bytes)
                return "an extent holds more than it has room for";
        return NULL;
}

static int add_extent(struct segment_view *view, uint64_t offset,
                      const struct segment_extent *extent, const char **ret_why)
{
        switch (extent->kind) {
        case SEGMENT_ROWS:
                return add_rows(view, offset, extent, ret_why);
        case SEGMENT_BLOCK:
                return add_block(view, offset, extent, ret_why);
        case SEGMENT_SHARED:
                return add_shared(view, offset, extent, ret_why);
        case SEGMENT_EVENTS:
                return add_events(view, offset, extent, ret_why);
        case SEGMENT_INSIDE:
        case SEGMENT_INSIDE_MODULES:
        case SEGMENT_INSIDE_SITES:
        case SEGMENT_INSIDE_NODES:
        case SEGMENT_INSIDE_FINDINGS:
                return add_table(view, offset, extent, ret_why);
        case SEGMENT_INSIDE_THREAD:
                return add_page(view, offset, ret_why);
        default:
                return 0; /* filler */
        }
}

int extent_walk(struct segment_view *view, const char **ret_why)
{
        uint64_t used = view->header.used_bytes;

        if (!view->walked_bytes)
                view->walked_bytes = SEGMENT_HEADER_BYTES;
        while (view->walked_bytes < used && !view->is_cut) {
                uint64_t offset = view->walked_bytes;
                struct segment_extent extent;
                const char *why;
                int outcome;

                if (used - offset < sizeof(extent))
                        return broken("its last extent is cut off", ret_why);
                outcome = segment_copy(view, offset, &extent, sizeof(extent), ret_why);
                if (outcome)
                        return outcome;
                why = check_extent(&extent, used - offset);
                if (why)
                        return broken(why, ret_why);
                if (offset + extent.bytes > segment_bytes_max ||
                    view->extent_count == segment_extent_max) {
                        view->is_cut = true;
                        break;
                }
                outcome = add_extent(view, offset, &extent, ret_why);
                if (outcome)
                        return outcome;
                view->extent_count++;
                view->walked_bytes = offset + extent.bytes;
        }
        return 0;
}
