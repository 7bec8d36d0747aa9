/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because the names of series are needed by who shows them, who asks for them and who makes
 * them up in a test, and must be the same letters in all three. */
#include "rule/metric.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In double quotes. It is printable: rule_check looked. */
void metric_append_quoted(struct text *into, const char *string)
{
        text_append(into, "\"");
        for (; *string; string++) {
                if (*string == '"' || *string == '\\')
                        text_append(into, "\\");
                text_append_bytes(into, string, 1);
        }
        text_append(into, "\"");
}

void promql_metric(struct text *into, const struct toc_record *record)
{
        text_printf(into, "%s_%s", record->module, record->name);
}

/* As Go's %g writes it, and so every client of Prometheus: the fewest digits that are that double,
 * with an exponent below 1e-4 and from 1e6 on. */
static void spell_bound(double bound, char *ret_text, size_t size)
{
        int digits = 0;
        int exponent;
        char spelled[40];

        do {
                (void)snprintf(spelled, sizeof(spelled), "%.*e", digits, bound);
        } while (strtod(spelled, NULL) != bound && digits++ < 17);
        exponent = (int)strtol(strchr(spelled, 'e') + 1, NULL, 10);
        if (exponent >= -4 && exponent < 6)
                (void)snprintf(spelled, sizeof(spelled), "%.*f",
                               digits > exponent ? digits - exponent : 0, bound);
        (void)snprintf(ret_text, size, "%s", spelled);
}

/* What is not above the bound of a rule does not ring: its limit; for >= the value before that. */
void metric_bound(const struct toc_record *record, uint32_t slot, char *ret_text, size_t size)
{
        const struct toc_rule *rule = &record->rule[slot];
        bool is_timer = record->kind == toc_kind_timer;
        long double bound = (long double)rule->limit * (is_timer ? 1000 : 1);
        char decimal[48];

        if (rule->op & TOC_EQUAL_)
                bound -= 1;
        /* Not a division: the decimal is what is to be read, to the last digit. */
        (void)snprintf(decimal, sizeof(decimal), "%.0Lf%s", bound, is_timer ? "e-9" : "");
        spell_bound(strtod(decimal, NULL), ret_text, size);
}

void metric_append(struct text *into, const struct toc_record *record, const char *suffix,
                   const char *le)
{
        const char *between = "{";

        promql_metric(into, record);
        text_append(into, suffix);
        if (*rule_label(record)) {
                text_append(into, "{label=");
                metric_append_quoted(into, record->labels);
                between = ",";
        }
        if (le)
                /* Prometheus 3 stores whole bounds as 1.0. */
                text_printf(into, strpbrk(le, ".eI") ? "%sle=\"%s\"" : "%sle=~\"%s|%s[.]0\"",
                            between, le, le);
        if (le || *rule_label(record))
                text_append(into, "}");
}

const char *const *metric_suffixes(unsigned kind)
{
        static const char *const events[] = { "_total", NULL };
        static const char *const value[] = { "", NULL };
        static const char *const timer[] = { "_seconds_bucket", "_seconds_bucket",
                                             "_seconds_bucket", "_seconds_count",
                                             "_seconds_sum",    NULL };
        static const char *const sizes[] = {
                "_bucket", "_bucket", "_bucket", "_count", "_sum", NULL
        };
        static const char *const share[] = { "_part_total", "_whole_total", NULL };
        static const char *const heartbeat[] = { "_beat_timestamp_seconds", NULL };
        static const char *const operation[] = { "_in_flight", "_oldest_start_timestamp_seconds",
                                                 NULL };
        static const char *const flow[] = {
                "_in_total", "_out_total", "_dropped_total", "_held", "_progress_timestamp_seconds",
                NULL
        };

        switch (kind) {
        case toc_kind_gauge:
        case toc_kind_level:
        case toc_kind_module:
                return value;
        case toc_kind_timer:
                return timer;
        case toc_kind_sizes:
                return sizes;
        case toc_kind_share:
                return share;
        case toc_kind_heartbeat:
                return heartbeat;
        case toc_kind_operation:
                return operation;
        case toc_kind_flow:
                return flow;
        default:
                return events;
        }
}

static bool ends_with(const char *string, const char *end)
{
        size_t length = strlen(string);
        size_t end_length = strlen(end);

        return length >= end_length && strcmp(string + length - end_length, end) == 0;
}

/* Of the buckets, which of its rules' bounds; those that are the same are one series. */
static bool bucket_bound(const struct toc_record *record, uint32_t bucket, char *ret_text,
                         size_t size)
{
        char first[32] = "";

        if (bucket == 2) {
                (void)snprintf(ret_text, size, "+Inf");
                return true;
        }
        if (!record->rule[bucket].severity)
                return false;
        if (bucket == 1 && record->rule[0].severity)
                metric_bound(record, 0, first, sizeof(first));
        metric_bound(record, bucket, ret_text, size);
        return strcmp(ret_text, first) != 0;
}

int promql_series(const struct toc_record *record, uint32_t n, struct promql_series *ret_series)
{
        const char *const *suffix = metric_suffixes(record->kind);
        struct promql_series series;

        for (uint32_t i = 0; suffix[i]; i++) {
                series = (struct promql_series){ .is_monotone = !ends_with(suffix[i], "_held") };
                if (ends_with(suffix[i], "_bucket") &&
                    !bucket_bound(record, i, series.le, sizeof(series.le)))
                        continue;
                if (n-- > 0)
                        continue;
                if (!*suffix[i] || ends_with(suffix[i], "_seconds") ||
                    ends_with(suffix[i], "_in_flight"))
                        series.is_monotone = false;
                (void)snprintf(series.name, sizeof(series.name), "%s_%s%s", record->module,
                               record->name, suffix[i]);
                *ret_series = series;
                return 0;
        }
        return -ENOENT;
}

void promql_selector(struct text *into, const struct toc_record *record,
                     const struct promql_series *series)
{
        text_append(into, series->name);
        if (*rule_label(record)) {
                text_append(into, "{label=");
                metric_append_quoted(into, record->labels);
        }
        if (series->le[0])
                text_printf(into, "%sle=\"%s\"", *rule_label(record) ? "," : "{", series->le);
        if (series->le[0] || *rule_label(record))
                text_append(into, "}");
}
