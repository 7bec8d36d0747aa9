/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to turn what libtocsin's runtime shows into samples, as the watcher does with a segment:
 * by the same sums, so that both come to the same answer. */
#include "inline/self.h"

#include "probe/visit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FROM_START_NS (UINT64_C(4) * 1000000000) /* no window is shorter */

enum { buffer_bytes_min = 64 << 10 };

static const uint32_t no_row = UINT32_MAX;

struct self_row {
        uint32_t rule_row; /* or no_row: it cannot be judged */
        uint32_t kind;
        uint32_t place;
        uint32_t cell_offset;
        uint32_t open_count;
        uint32_t open_size;
        uint64_t *open; /* operations that go on, ascending */
};

struct self_object {
        struct self_row *rows;
        uint32_t row_count;
        uint64_t sums_bytes;
        uint64_t shared_bytes;
        uint64_t *sums; /* of all blocks */
        uint64_t *shared;
};

struct self {
        struct rule_set *rules;
        struct self_object *objects; /* by their numbers */
        uint32_t object_count;
        uint32_t ignored_count;
        const char *ignored_why;
        struct rule_sample *samples; /* by row of rules */
        uint32_t sample_count;
        uint64_t attached_ns;
        uint64_t buffer_bytes;
        char *buffer;
};

int self_new(struct self **ret_self)
{
        struct self *self = calloc(1, sizeof(*self));

        if (!self)
                return -ENOMEM;
        *ret_self = self;
        return 0;
}

void self_free(struct self **address)
{
        struct self *self = *address;

        if (!self)
                return;
        for (uint32_t i = 0; i < self->object_count; i++) {
                struct self_object *object = &self->objects[i];

                for (uint32_t n = 0; n < object->row_count; n++)
                        free(object->rows[n].open);
                free(object->rows);
                free(object->sums);
                free(object->shared);
        }
        rule_set_free(&self->rules);
        free(self->objects);
        free(self->samples);
        free(self->buffer);
        free(self);
        *address = NULL;
}

const struct rule_set *self_rules(const struct self *self)
{
        return self->rules;
}

uint32_t self_ignored(const struct self *self, const char **ret_why)
{
        *ret_why = self->ignored_why;
        return self->ignored_count;
}

/* ---- Rows -----------------------------------------------------------------------------*/

static int find_object(struct self *self, uint32_t number)
{
        struct self_object *more;

        if (number < self->object_count)
                return 0;
        more = reallocarray(self->objects, (size_t)number + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        memset(more + self->object_count, 0, (number + 1 - self->object_count) * sizeof(*more));
        self->objects = more;
        self->object_count = number + 1;
        return 0;
}

/* Whoever has counted for long before this began has the first sample as the base of his windows:
 * else all that ever happened would have happened now. */
static void add_row(struct self *self, struct self_row *row, const struct toc_record *record,
                    uint64_t began_ns, uint64_t now_ns)
{
        bool is_from_start = now_ns - began_ns < FROM_START_NS;
        struct toc_record named = *record;
        const char *why = NULL;
        int failed = rule_check(record, &why);

        if (!failed) {
                rule_site_name(&named);
                failed = rule_set_add(self->rules, &named, began_ns, is_from_start, &row->rule_row);
        }
        if (!failed)
                return;
        row->rule_row = no_row;
        if (!why)
                why = failed == -ENOMEM ? "there is no memory for it, or there are too many"
                                        : "the evaluator refuses its record";
        if (!self->ignored_count++)
                self->ignored_why = why;
}

static int take_rows(struct self *self, const struct toc_part_ *part, uint64_t now_ns)
{
        const struct segment_row *rows = (const void *)self->buffer;
        uint32_t count = (uint32_t)(part->bytes / sizeof(*rows));
        struct self_object *object;
        uint64_t began_ns = part->began_ns < now_ns ? part->began_ns : now_ns;
        struct self_row *own = calloc(count, sizeof(*own));
        int failed = own ? 0 : -ENOMEM;

        if (!failed && !self->rules) {
                failed = rule_set_new(&self->rules, began_ns);
                self->attached_ns = began_ns;
        }
        if (!failed)
                failed = find_object(self, part->object);
        if (failed) {
                free(own);
                return failed;
        }
        if (began_ns < self->attached_ns)
                began_ns = self->attached_ns;
        object = &self->objects[part->object];
        object->rows = own;
        object->row_count = count;
        for (uint32_t i = 0; i < count; i++) {
                own[i].kind = rows[i].record.kind;
                own[i].place = rows[i].place;
                own[i].cell_offset = rows[i].cell_offset;
                add_row(self, &own[i], &rows[i].record, began_ns, now_ns);
        }
        return 0;
}

/* ---- Cells ----------------------------------------------------------------------------*/

static int make_cells(uint64_t **cells, uint64_t *bytes, const struct toc_part_ *part)
{
        if (*cells)
                return 0;
        *cells = calloc(part->bytes / 8 + 1, 8);
        *bytes = part->bytes;
        return *cells ? 0 : -ENOMEM;
}

static int note_open(struct self_row *row, uint64_t name)
{
        if (row->open_count == self_open_max)
                return 0;
        if (row->open_count == row->open_size) {
                uint32_t size = row->open_size ? 2 * row->open_size : TOC_SLOTS_;
                uint64_t *more = reallocarray(row->open, size, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                row->open = more;
                row->open_size = size;
        }
        row->open[row->open_count++] = name;
        return 0;
}

/* What goes on in this block. Blocks come in the order of their numbers, so names ascend. */
static int gather_open(struct self_row *row, const uint64_t *block, uint32_t number)
{
        const struct toc_operation_ *cells = (const void *)(block + row->cell_offset / 8);
        int failed = 0;

        for (uint32_t i = 0; i < TOC_SLOTS_ && !failed; i++)
                if (cells->slot[i])
                        failed = note_open(row, rule_open(number, i, cells->slot[i]));
        return failed;
}

static int take_block(struct self *self, const struct toc_part_ *part)
{
        struct self_object *object = &self->objects[part->object];
        const uint64_t *block = (const void *)self->buffer;
        int failed = make_cells(&object->sums, &object->sums_bytes, part);

        for (uint64_t i = 0; i < part->bytes / 8 && !failed; i++)
                object->sums[i] += block[i];
        for (uint32_t i = 0; i < object->row_count && !failed; i++)
                if (object->rows[i].kind == toc_kind_operation &&
                    object->rows[i].place == SEGMENT_IN_BLOCK)
                        failed = gather_open(&object->rows[i], block, part->number);
        return failed;
}

static int take(struct self *self, const struct toc_part_ *part, uint64_t now_ns)
{
        struct self_object *object;
        int failed;

        if (part->kind == SEGMENT_ROWS)
                return take_rows(self, part, now_ns);
        if (part->object >= self->object_count)
                return 0; /* it came during this visit, and its rows with the next */
        if (part->kind == SEGMENT_BLOCK)
                return take_block(self, part);
        object = &self->objects[part->object];
        failed = make_cells(&object->shared, &object->shared_bytes, part);
        if (!failed)
                memcpy(object->shared, self->buffer, part->bytes);
        return failed;
}

static int grow_buffer(struct self *self, uint64_t bytes)
{
        char *more;

        if (bytes < buffer_bytes_min)
                bytes = buffer_bytes_min;
        more = malloc(bytes);
        if (!more)
                return -ENOMEM;
        free(self->buffer);
        self->buffer = more;
        self->buffer_bytes = bytes;
        return 0;
}

static int visit_all(struct self *self, uint64_t now_ns)
{
        struct toc_visit_ visit = { .rows_from = self->object_count };
        struct toc_part_ part;
        int failed = 0;

        for (uint32_t i = 0; i < self->object_count; i++) {
                struct self_object *object = &self->objects[i];

                if (object->sums)
                        memset(object->sums, 0, object->sums_bytes);
                for (uint32_t n = 0; n < object->row_count; n++)
                        object->rows[n].open_count = 0;
        }
        while (!failed && toc_visit_(&visit, self->buffer, self->buffer_bytes, &part))
                failed = part.bytes > self->buffer_bytes ? grow_buffer(self, part.bytes)
                                                         : take(self, &part, now_ns);
        return failed;
}

/* ---- Judging --------------------------------------------------------------------------*/

static const uint64_t *cells_of(const struct self_object *object, const struct self_row *row)
{
        static const uint64_t unset = (uint64_t)TOC_GAUGE_UNSET_;
        static const uint64_t nothing[sizeof(struct toc_histogram_) / 8];

        if (row->place == SEGMENT_NO_CELL)
                return NULL; /* a module: nobody sees inside it from here */
        if (row->place == SEGMENT_IN_BLOCK && object->sums)
                return object->sums + row->cell_offset / 8;
        if (row->place == SEGMENT_IN_SHARED && object->shared)
                return object->shared + row->cell_offset / 8;
        return row->place == SEGMENT_IN_SHARED ? &unset : nothing;
}

static int fill_samples(struct self *self)
{
        uint32_t count = rule_set_rows(self->rules);

        if (count > self->sample_count) {
                struct rule_sample *more = reallocarray(self->samples, count, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                memset(more + self->sample_count, 0, (count - self->sample_count) * sizeof(*more));
                self->samples = more;
                self->sample_count = count;
        }
        for (uint32_t i = 0; i < self->object_count; i++) {
                const struct self_object *object = &self->objects[i];

                for (uint32_t n = 0; n < object->row_count; n++) {
                        const struct self_row *row = &object->rows[n];

                        if (row->rule_row == no_row)
                                continue;
                        self->samples[row->rule_row] =
                                (struct rule_sample){ .cells = cells_of(object, row),
                                                      .open = row->open_count ? row->open : NULL,
                                                      .open_count = row->open_count };
                }
        }
        return 0;
}

int self_judge(struct self *self, uint64_t now_ns, bool is_tick,
               const struct rule_change **ret_changes, size_t *ret_count)
{
        int failed = visit_all(self, now_ns);

        if (!failed && !self->rules) {
                *ret_count = 0;
                return 0;
        }
        if (!failed)
                failed = fill_samples(self);
        if (failed)
                return failed;
        if (is_tick)
                return rule_set_tick(self->rules, now_ns, self->samples, self->sample_count,
                                     ret_changes, ret_count);
        return rule_set_peek(self->rules, now_ns, self->samples, self->sample_count, ret_changes,
                             ret_count);
}
