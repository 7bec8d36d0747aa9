/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because adding is all or nothing: it takes the memory for everything that evaluations do
 * later, and a site that says TOC_USUAL brings a second row with it. */
#include "rule/set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { capacity_min = 16 };

struct addition {
        const struct toc_record *record;
        uint64_t began_ns;
        bool from_start;
        bool is_lent;
};

/* By a quarter: a watcher has many sets, and what is spare in each adds up. */
static size_t grow(size_t capacity, size_t needed)
{
        if (capacity < capacity_min)
                capacity = capacity_min;
        while (capacity < needed)
                capacity += capacity / 4;
        return capacity;
}

/* So many rules that appending one cannot fail. */
static int reserve_rules(struct rule_set *set, size_t needed)
{
        size_t capacity = grow(set->place_capacity, needed);
        void *moved;

        if (capacity == set->place_capacity)
                return 0;
        moved = reallocarray(set->places, capacity, sizeof(*set->places));
        if (!moved)
                return -ENOMEM;
        set->places = moved;
        moved = reallocarray(set->changes, capacity, sizeof(*set->changes));
        if (!moved)
                return -ENOMEM;
        set->changes = moved;
        set->place_capacity = capacity;
        return 0;
}

/* Makes room for that many rows more, so that appending them cannot fail. */
static int reserve(struct rule_set *set, uint32_t more)
{
        uint32_t capacity = (uint32_t)grow(set->row_capacity, set->row_count + more);
        void *moved;

        if (more > RULE_ROW_MAX - set->row_count ||
            reserve_rules(set, set->place_count + 2 * (size_t)more))
                return -ENOMEM;
        if (capacity == set->row_capacity)
                return 0;
        moved = reallocarray(set->rows, capacity, sizeof(*set->rows));
        if (!moved)
                return -ENOMEM;
        set->rows = moved;
        moved = reallocarray(set->sums.rows, capacity, sizeof(*set->sums.rows));
        if (!moved)
                return -ENOMEM;
        set->sums.rows = moved;
        moved = reallocarray(set->gauges.rows, capacity, sizeof(*set->gauges.rows));
        if (!moved)
                return -ENOMEM;
        set->gauges.rows = moved;
        set->row_capacity = capacity;
        return 0;
}

static void list_rules(struct rule_set *set, uint32_t row)
{
        for (uint32_t slot = 0; slot < 2; slot++)
                if (set->rows[row].judge[slot].signal)
                        set->places[set->place_count++] = (struct place){ row, slot };
}

static int compare(const struct rule_set *set, uint32_t row, const char *module, const char *name)
{
        const struct toc_record *record = set->rows[row].record;
        int order = strcmp(record->module, module);

        return order ? order : strcmp(record->name, name);
}

/* Where in the index the row of that module and name is, or would be. */
static uint32_t seek(const struct rule_set *set, const struct index *index, const char *module,
                     const char *name, uint32_t *ret_row)
{
        uint32_t low = 0;
        uint32_t high = index->count;

        *ret_row = ROW_NONE;
        while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                int order = compare(set, index->rows[middle], module, name);

                if (!order)
                        *ret_row = index->rows[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static uint32_t find_sum(const struct rule_set *set, const struct toc_record *record)
{
        uint32_t row;

        (void)seek(set, &set->sums, record->module, record->name, &row); /* only whether it is */
        return row;
}

uint32_t rule_set_gauge(const struct rule_set *set, const char *module, const char *name)
{
        uint32_t row;

        (void)seek(set, &set->gauges, module, name, &row); /* only whether it is there */
        return row;
}

/* Enters a row that is there; of several of one name, the first. */
static void enter(struct rule_set *set, struct index *index, uint32_t row)
{
        const struct toc_record *record = set->rows[row].record;
        uint32_t known;
        uint32_t at = seek(set, index, record->module, record->name, &known);

        if (known != ROW_NONE)
                return;
        memmove(&index->rows[at + 1], &index->rows[at], (index->count - at) * sizeof(*index->rows));
        index->rows[at] = row;
        index->count++;
}

/* Takes the rows. On failure they are gone, and the set is as before. */
static int append_take(struct rule_set *set, struct row *rows, uint32_t count)
{
        int error = reserve(set, count);
        size_t bytes = 0;

        for (uint32_t i = 0; i < count; i++)
                bytes += row_bytes(&rows[i]);
        if (!error && bytes > RULE_BYTES_MAX - set->bytes)
                error = -ENOMEM;
        for (uint32_t i = 0; i < count && !error; i++)
                error = ticks_reserve(&set->ticks, row_reach_s(&rows[i]));
        for (uint32_t i = 0; i < count; i++) {
                uint32_t row = set->row_count;

                if (error) {
                        row_fini(&rows[i]);
                        continue;
                }
                set->rows[row] = rows[i];
                set->row_count++;
                if (row_is_sum(&rows[i]))
                        enter(set, &set->sums, row);
                if (rows[i].kind == toc_kind_gauge && !*rows[i].record->labels)
                        enter(set, &set->gauges, row);
                list_rules(set, row);
        }
        if (!error)
                set->bytes += bytes;
        return error;
}

/* A row that has its record to itself, unless that is lent. */
static int make_row(struct row *ret_row, const struct addition *add)
{
        int error = row_init(ret_row, add->record, add->began_ns, add->from_start);

        if (error || add->is_lent)
                return error;
        error = row_own(ret_row);
        if (error)
                row_fini(ret_row);
        return error;
}

static int add_row(struct rule_set *set, const struct addition *add)
{
        struct row row;
        int error = make_row(&row, add);

        if (error)
                return error;
        row.is_declared = row_is_sum(&row);
        return append_take(set, &row, 1);
}

/* A site that says TOC_USUAL, and the sum of its module if it is the first of them. */
static int add_usual(struct rule_set *set, const struct addition *add)
{
        const struct toc_record *record = add->record;
        struct row rows[2];
        struct toc_record logs;
        const struct addition add_sum = { &logs, add->began_ns, true, false };
        uint32_t sum, count = 1;
        int error = rule_default_logs(record->kind, record->module, &logs);

        if (error)
                return error;
        error = make_row(&rows[0], add);
        if (error)
                return error;
        sum = find_sum(set, &logs);
        if (sum == ROW_NONE) {
                sum = set->row_count + 1;
                count = 2;
                error = make_row(&rows[1], &add_sum);
                if (error) {
                        row_fini(&rows[0]);
                        return error;
                }
        }
        rows[0].sum = sum;
        return append_take(set, rows, count);
}

/* Gives a sum the rules of that record. Its windows begin anew. */
static int declare_sum(struct rule_set *set, uint32_t row, const struct toc_record *record)
{
        struct row *sum = &set->rows[row];
        const struct addition add = { record, sum->began_ns, true, false };
        struct row fresh;
        int error = make_row(&fresh, &add);

        if (error)
                return error;
        error = ticks_reserve(&set->ticks, row_reach_s(&fresh));
        if (!error)
                error = reserve_rules(set, set->place_count + 2);
        if (error) {
                row_fini(&fresh);
                return error;
        }
        fresh.is_declared = true;
        fresh.series.past = sum->series.past;
        row_fini(sum);
        *sum = fresh;
        set->place_count = 0;
        for (uint32_t i = 0; i < set->row_count; i++)
                list_rules(set, i);
        return 0;
}

/* Adds the rules of `more` that `record` does not have. -EINVAL if they are too many. */
static int join_rules(struct toc_record *record, const struct toc_record *more)
{
        for (uint32_t i = 0; i < 2; i++) {
                uint32_t slot = 0;

                if (!more->rule[i].severity)
                        continue;
                while (slot < 2 && record->rule[slot].severity &&
                       memcmp(&record->rule[slot], &more->rule[i], sizeof(more->rule[i])) != 0)
                        slot++;
                if (slot == 2)
                        return -EINVAL;
                record->rule[slot] = more->rule[i];
        }
        return 0;
}

/* A TOC_LOGS. The first replaces the default rules, the next adds to those of the first. */
static int add_logs(struct rule_set *set, const struct toc_record *record, uint64_t began_ns,
                    uint32_t *ret_row)
{
        struct toc_record joined = *record;
        uint32_t row;
        int error;

        row = find_sum(set, record);
        *ret_row = row == ROW_NONE ? set->row_count : row;
        if (row == ROW_NONE)
                return add_row(set, &(struct addition){ record, began_ns, true, false });
        if (set->rows[row].is_declared) {
                joined = *set->rows[row].record;
                error = join_rules(&joined, record);
                if (error || memcmp(&joined, set->rows[row].record, sizeof(joined)) == 0)
                        return error;
        }
        return declare_sum(set, row, &joined);
}

static int add(struct rule_set *set, const struct addition *add, uint32_t *ret_row)
{
        const struct toc_record *record = add->record;
        const char *ignored;
        uint32_t row = set->row_count;
        int error;

        if (add->began_ns < set->attached_ns || rule_check(record, &ignored))
                return -EINVAL;
        if (record->kind == toc_kind_logs)
                error = add_logs(set, record, add->began_ns, &row);
        else if (record->flags & TOC_IS_USUAL_)
                error = add_usual(set, add);
        else
                error = add_row(set, add);
        if (!error)
                *ret_row = row;
        return error;
}

int rule_set_add(struct rule_set *set, const struct toc_record *record, uint64_t began_ns,
                 bool seen_from_start, uint32_t *ret_row)
{
        return add(set, &(struct addition){ record, began_ns, seen_from_start, false }, ret_row);
}

int rule_set_lend(struct rule_set *set, const struct toc_record *record, uint64_t began_ns,
                  bool seen_from_start, uint32_t *ret_row)
{
        return add(set, &(struct addition){ record, began_ns, seen_from_start, true }, ret_row);
}
