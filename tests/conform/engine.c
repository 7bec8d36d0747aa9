/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to lay a stream's numbers into cells as libtocsin would, and to tick a rule_set. */
#include "judge.h"

#include <errno.h>
#include <string.h>

#define S_NS UINT64_C(1000000000)

struct engine {
        const struct stream *stream;
        struct rule_set *set;
        uint32_t row; /* the one that is judged */
        uint32_t gate;
        uint32_t site[2];
};

static void engine_fini(struct engine *engine)
{
        rule_set_free(&engine->set);
}

static unsigned bucket_of(uint64_t value)
{
        unsigned bucket = 0;

        while (bucket + 1 < TOC_BUCKETS_ && toc_bucket_floor_(bucket + 1) <= value)
                bucket++;
        return bucket;
}

static bool rings_for(const struct toc_rule *rule, int64_t value, int64_t limit)
{
        return rule->severity && (rule->op & TOC_EQUAL_ ? value >= limit : value > limit);
}

static void fill_histogram(const struct stream *stream, const int64_t *count, uint64_t *cells)
{
        struct toc_histogram_ *histogram = (struct toc_histogram_ *)cells;
        int64_t unit = stream->record.kind == toc_kind_timer ? 1000 : 1;

        for (uint32_t i = 0; i < stream_cells_max; i++) {
                int64_t value = stream->observed[i];

                histogram->sum += (uint64_t)(count[i] * value);
                histogram->bucket[bucket_of((uint64_t)value)] += (uint64_t)count[i];
                for (uint32_t slot = 0; slot < 2; slot++)
                        if (rings_for(&stream->record.rule[slot], value,
                                      stream->record.rule[slot].limit * unit))
                                histogram->over[slot] += (uint64_t)count[i];
        }
}

static void fill(const struct stream *stream, const struct stream_step *step, uint64_t *cells)
{
        if (stream->form->script == SCRIPT_HISTOGRAM)
                fill_histogram(stream, step->cell, cells);
        else
                memcpy(cells, step->cell, sizeof(step->cell));
}

/* A process of its own: everything begins anew. */
static int begin(struct engine *engine, int64_t began_s)
{
        const struct stream *stream = engine->stream;
        struct toc_record other = { .version = 1 };
        uint64_t began_ns = (uint64_t)began_s * S_NS;
        int error;

        engine_fini(engine);
        memcpy(other.module, stream->record.module, sizeof(other.module));
        error = rule_set_new(&engine->set, began_ns);
        if (error)
                return error;
        if (stream->form->script == SCRIPT_LOGS) {
                other.kind = toc_kind_error;
                other.flags = TOC_IS_USUAL_;
                for (uint32_t i = 0; i < 2 && !error; i++) {
                        memcpy(other.name, (const char *[]){ "error_1", "error_2" }[i], 8);
                        error = rule_set_add(engine->set, &other, began_ns, stream->from_start,
                                             &engine->site[i]);
                }
        }
        if (stream->form->script == SCRIPT_HIT && stream->record.labels[0]) {
                other.kind = toc_kind_gauge;
                memcpy(other.name, stream->record.labels, sizeof(stream->record.labels));
                error = rule_set_add(engine->set, &other, began_ns, stream->from_start,
                                     &engine->gate);
        }
        if (error)
                return error;
        return rule_set_add(engine->set, &stream->record, began_ns, stream->from_start,
                            &engine->row);
}

/* The operations that a sample finds open, in ascending order. */
static uint32_t find_open(const struct stream *stream, uint32_t i, uint64_t *ret_open)
{
        uint32_t count = 0;

        for (uint32_t k = 0; k < stream->operation_count; k++) {
                uint64_t name = rule_open(0, k % TOC_SLOTS_, k + 1);
                uint32_t at = count;

                if (stream->operation[k].from > i || stream->operation[k].to <= i)
                        continue;
                for (; at > 0 && ret_open[at - 1] > name; at--)
                        ret_open[at] = ret_open[at - 1];
                ret_open[at] = name;
                count++;
        }
        return count;
}

static int tick(const struct engine *engine, uint32_t i)
{
        const struct stream *stream = engine->stream;
        const struct stream_step *step = &stream->step[i];
        uint64_t cells[sizeof(struct toc_histogram_) / 8] = { 0 };
        uint64_t open[stream_operations_max];
        uint64_t gate = (uint64_t)step->gate;
        uint64_t none = 0;
        struct rule_sample samples[8];
        uint32_t count = rule_set_rows(engine->set);
        const struct rule_change *changes;
        size_t change_count;

        if (count > BASE_COUNT(samples))
                return -EINVAL;
        for (uint32_t k = 0; k < count; k++)
                samples[k] = (struct rule_sample){ .cells = &none };
        fill(stream, step, cells);
        if (stream->form->script == SCRIPT_LOGS) {
                samples[engine->site[0]].cells = &cells[0];
                samples[engine->site[1]].cells = &cells[1];
        } else {
                samples[engine->row].cells = cells;
        }
        if (stream->form->script == SCRIPT_HIT && stream->record.labels[0])
                samples[engine->gate].cells = &gate;
        if (stream->form->script == SCRIPT_OPERATION) {
                samples[engine->row].open = open;
                samples[engine->row].open_count = find_open(stream, i, open);
        }
        return rule_set_tick(engine->set, (uint64_t)i * stream->scrape_s * S_NS, samples, count,
                             &changes, &change_count);
}

static void read_states(const struct engine *engine, uint32_t i, struct timeline *timeline)
{
        struct rule_view view;

        for (size_t n = 0; rule_set_view(engine->set, n, &view) == 0; n++)
                if (view.row == engine->row)
                        timeline->letter[view.slot][i] = "..PF."[view.state];
}

int judge_engine(const struct stream *stream, struct timeline *ret_timeline)
{
        struct engine engine BASE_SCOPE(engine_fini) = { .stream = stream };
        int error = begin(&engine, stream->step[0].started);

        memset(ret_timeline, 0, sizeof(*ret_timeline));
        for (uint32_t i = 0; i < stream->steps && !error; i++) {
                ret_timeline->letter[0][i] = ret_timeline->letter[1][i] = ' ';
                if (stream->step[i].is_new)
                        error = begin(&engine, stream->step[i].started);
                if (error || !stream->step[i].is_sampled)
                        continue;
                error = tick(&engine, i);
                read_states(&engine, i, ret_timeline);
        }
        return error;
}
