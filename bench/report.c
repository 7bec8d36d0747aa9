/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that what was measured is laid out apart from how. */
#include "report.h"

#include "base/base.h"
#include "base/error.h"
#include "base/text.h"
#include "peer.h"

#include <errno.h>
#include <inttypes.h>

#include <jansson.h>

enum { report_max = 1 << 20 };

static const char *const part_title[ROW_PART_COUNT] = {
        [ROW_MACHINE] = "The machine",
        [ROW_PROBE] = "Probes",
        [ROW_INSIDE] = "Inside",
        [ROW_PEER] = "Others",
        [ROW_SELDOM] = "One at a time, cold",
        [ROW_WORK] = "Between other work",
};

static const char *const verdict_text[] = {
        [FIGURE_UNJUDGED] = "",
        [FIGURE_OK] = "ok",
        [FIGURE_OVER] = "over",
};

/* ---- The table --------------------------------------------------------------------------*/

/* Four digits or so: more would be noise. */
static void append_ns(struct text *into, int width, uint64_t ps)
{
        char number[32];
        uint64_t ns = ps / 1000;

        if (ps < 10000)
                (void)snprintf(number, sizeof number, "%" PRIu64 ".%03" PRIu64, ns, ps % 1000);
        else if (ps < 1000000)
                (void)snprintf(number, sizeof number, "%" PRIu64 ".%" PRIu64, ns, ps % 1000 / 100);
        else
                (void)snprintf(number, sizeof number, "%" PRIu64, ns);
        text_printf(into, " %*s", width, number);
}

static void append_ratio(struct text *into, int width, uint64_t permille)
{
        char number[32] = "";

        if (permille)
                (void)snprintf(number, sizeof number, "%" PRIu64 ".%03" PRIu64, permille / 1000,
                               permille % 1000);
        text_printf(into, " %*s", width, number);
}

static void append_head(struct text *into, enum row_part part)
{
        text_printf(into, "\n%-20s %7s %7s %7s %7s  %-13s %6s %6s %6s %6s\n", part_title[part],
                    "threads", "ns", "25 %", "75 %", "against", "ratio", "limit", "growth",
                    "limit");
}

/* Columns that are empty to the right of the last one. */
static void drop_spaces(struct text *text)
{
        while (text->length && text->bytes[text->length - 1] == ' ')
                text->bytes[--text->length] = '\0';
}

static void append_figure(struct text *into, const struct figure *figure)
{
        const struct row *row = figure->row;

        text_printf(into, "  %-18s %7u", row->name, figure->threads);
        append_ns(into, 7, figure->median_ps);
        append_ns(into, 7, figure->quarter_ps);
        append_ns(into, 7, figure->three_quarters_ps);
        text_printf(into, "  %-13s", figure->against ? row->against : "");
        append_ratio(into, 6, figure->ratio_permille);
        append_ratio(into, 6, figure->ratio_max_permille);
        append_ratio(into, 6, figure->growth_permille);
        append_ratio(into, 6, figure->single ? row->growth_max_permille : 0);
        text_printf(into, " %s", verdict_text[figure->verdict]);
        drop_spaces(into);
        text_append(into, "\n");
}

static void append_part(struct text *into, const struct measure *measure, enum row_part part)
{
        bool is_first = true;

        for (size_t i = 0; i < measure->count; i++) {
                if (measure->figures[i].row->part != part)
                        continue;
                if (is_first)
                        append_head(into, part);
                is_first = false;
                append_figure(into, &measure->figures[i]);
        }
}

static void append_host(struct text *into, const struct host *host)
{
        text_append_escaped(into, host->cpu, strlen(host->cpu));
        text_append(into, ", ");
        text_append_escaped(into, host->kernel, strlen(host->kernel));
        text_printf(into, ", %s, %s\n", host->compiler, host->libc);
}

static void append_notes(struct text *into, const struct report *report)
{
        const struct measure *measure = report->measure;

        text_printf(into, "\n%zu rounds in %" PRIu64 ".%" PRIu64 " s; %" PRIu64 " samples; ",
                    measure->rounds, report->took_ns / CLOCK_S_NS,
                    report->took_ns % CLOCK_S_NS / (CLOCK_S_NS / 10), measure->samples);
        text_printf(into, "%" PRIu64 " disturbed and taken again, %" PRIu64 " disturbed and kept\n",
                    measure->again, measure->kept);
        if (measure->crew->count < CREW_MAX)
                text_append(into, "only one CPU may be used: nothing was run by two threads\n");
        if (!measure->crew->is_pinned)
                text_append(into, "threads could not be bound to a CPU: expect more noise\n");
        if (report->events_dropped)
                text_printf(into, "%" PRIu64 " reports found no slot in the event ring\n",
                            report->events_dropped);
}

static void append_missing(struct text *into, const struct report *report)
{
        for (size_t i = 0; i < report->missing_count; i++)
                text_printf(into, "%s%s", i ? ", " : "\nnot here: ", report->missing[i]->name);
        if (report->missing_count)
                text_append(into, " (their library was not found when this was built, or does not "
                                  "start)\n");
}

int report_table(const struct report *report)
{
        struct text table BASE_SCOPE(text_fini) = TEXT_INIT(report_max);

        append_host(&table, report->host);
        for (enum row_part part = 0; part < ROW_PART_COUNT; part++)
                append_part(&table, report->measure, part);
        append_missing(&table, report);
        append_notes(&table, report);
        if (table.error)
                return table.error;
        if (fputs(text_view(&table), stdout) == EOF || fflush(stdout) == EOF)
                return error_last();
        return 0;
}

/* ---- JSON -------------------------------------------------------------------------------*/

static json_t *number(uint64_t value)
{
        return json_integer((json_int_t)value);
}

static json_t *number_or_null(uint64_t value)
{
        return value ? number(value) : json_null();
}

/* Text of the machine, which may not be UTF-8. */
static json_t *foreign(const char *bytes)
{
        struct text safe BASE_SCOPE(text_fini) = TEXT_INIT(8 * HOST_TEXT_MAX);

        text_append_escaped(&safe, bytes, strlen(bytes));
        return json_string(text_view(&safe));
}

/* "over" is what --check looks at; null: there is no budget. */
static json_t *verdict(const struct figure *figure)
{
        return figure->verdict == FIGURE_UNJUDGED ? json_null()
                                                  : json_string(verdict_text[figure->verdict]);
}

static json_t *rounds(const struct figure *figure)
{
        json_t *array = json_array();

        for (size_t i = 0; i < figure->round_count; i++)
                (void)json_array_append_new(array, number(figure->round_ps[i]));
        if (json_array_size(array) == figure->round_count)
                return array;
        json_decref(array);
        return NULL;
}

static json_t *figure_object(const struct figure *figure)
{
        const struct row *row = figure->row;
        json_t *object =
                json_pack("{s:s, s:s, s:I, s:I}", "name", row->name, "help", row->help, "threads",
                          (json_int_t)figure->threads, "operations", (json_int_t)figure->times);
        json_t *times = json_pack(
                "{s:o, s:I, s:I, s:I, s:I, s:I}", "rounds_ps", rounds(figure), "median_ps",
                (json_int_t)figure->median_ps, "min_ps", (json_int_t)figure->min_ps, "quarter_ps",
                (json_int_t)figure->quarter_ps, "three_quarters_ps",
                (json_int_t)figure->three_quarters_ps, "max_ps", (json_int_t)figure->max_ps);
        json_t *judged = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "against",
                                   figure->against ? json_string(row->against) : json_null(),
                                   "ratio_permille", number_or_null(figure->ratio_permille),
                                   "ratio_max_permille", number_or_null(figure->ratio_max_permille),
                                   "growth_permille", number_or_null(figure->growth_permille),
                                   "growth_max_permille", number_or_null(row->growth_max_permille),
                                   "verdict", verdict(figure));
        /* Each of them may be NULL for want of memory; this fails then, and so does all above. */
        bool is_whole = !json_object_update(object, times) && !json_object_update(object, judged);

        json_decref(times);
        json_decref(judged);
        if (is_whole)
                return object;
        json_decref(object);
        return NULL;
}

static json_t *host_object(const struct host *host)
{
        return json_pack("{s:o, s:o, s:o, s:o, s:I}", "cpu", foreign(host->cpu), "kernel",
                         foreign(host->kernel), "compiler", foreign(host->compiler), "libc",
                         foreign(host->libc), "cpus", (json_int_t)host->cpus);
}

static json_t *run_object(const struct report *report)
{
        const struct measure *measure = report->measure;

        return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I}", "rounds",
                         (json_int_t)measure->rounds, "seed", (json_int_t)report->seed, "took_ns",
                         (json_int_t)report->took_ns, "samples", (json_int_t)measure->samples,
                         "taken_again", (json_int_t)measure->again, "disturbed_and_kept",
                         (json_int_t)measure->kept, "threads_max", (json_int_t)measure->crew->count,
                         "is_pinned", measure->crew->is_pinned, "events_dropped",
                         (json_int_t)report->events_dropped);
}

static json_t *missing_names(const struct report *report)
{
        json_t *names = json_array();

        for (size_t i = 0; i < report->missing_count; i++)
                (void)json_array_append_new(names, json_string(report->missing[i]->name));
        if (json_array_size(names) == report->missing_count)
                return names;
        json_decref(names);
        return NULL;
}

int report_json(const struct report *report)
{
        const struct measure *measure = report->measure;
        json_t *rows = json_array();
        json_t *root;
        int failed;

        for (size_t i = 0; i < measure->count; i++)
                (void)json_array_append_new(rows, figure_object(&measure->figures[i]));
        if (json_array_size(rows) != measure->count) {
                json_decref(rows);
                return -ENOMEM;
        }
        root = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "tocsin", "1", "time",
                         report->host->time, "host", host_object(report->host), "run",
                         run_object(report), "rows", rows, "not_here", missing_names(report));
        if (!root)
                return -ENOMEM;
        failed = json_dumpf(root, stdout, JSON_INDENT(2)) || fputc('\n', stdout) == EOF ||
                 fflush(stdout) == EOF;
        json_decref(root);
        return failed ? error_last() : 0;
}
