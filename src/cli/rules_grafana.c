/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dashboard to import into Grafana: a row a module, a panel a probe, with the limits of its rules
 * drawn in. A panel shows first what its first rule looks at; what has another unit stands on the
 * right.
 */
#include "base/error.h"
#include "cli/rules.h"
#include "rule/promql.h"
#include "rule/rule.h"

#include <errno.h>

enum {
        target_max = 4,
        panel_width = 8,
        panel_height = 8,
        panels_a_line = 3,
        expr_bytes_max = 8192,
        schema_version = 39,
};

#define RATE_RANGE "[$__rate_interval]"

/* Units as Grafana calls them. */
static const char unit_none[] = "short";
static const char unit_a_second[] = "suffix: /s";
static const char unit_a_minute[] = "suffix: /min";
static const char unit_an_hour[] = "suffix: /h";
static const char unit_seconds[] = "s";
static const char unit_ms[] = "ms";
static const char unit_permille[] = "suffix: of 1000";

struct target {
        struct text expr;
        const char *legend;
        const char *unit;
};

struct panel {
        const struct row *row;
        struct target targets[target_max];
        size_t target_count;
};

static void panel_fini(struct panel *panel)
{
        for (size_t i = 0; i < panel->target_count; i++)
                text_fini(&panel->targets[i].expr);
}

/* ---- Queries --------------------------------------------------------------- */

static struct text *add_target(struct panel *panel, const char *legend, const char *unit)
{
        struct target *target = &panel->targets[panel->target_count++];

        *target = (struct target){ TEXT_INIT(expr_bytes_max), legend, unit };
        return &target->expr;
}

/* The first series of that suffix, all buckets of it. */
static void append_series(struct text *into, const struct toc_record *record, const char *suffix)
{
        struct text name BASE_SCOPE(text_fini) =
                TEXT_INIT(sizeof(((struct promql_series *)0)->name));
        struct promql_series series;

        promql_metric(&name, record);
        text_append(&name, suffix);
        for (uint32_t n = 0; !promql_series(record, n, &series); n++) {
                if (strcmp(series.name, text_view(&name)) != 0)
                        continue;
                series.le[0] = '\0';
                promql_selector(into, record, &series);
                return;
        }
}

static void append_rate(struct text *into, const struct toc_record *record, const char *suffix)
{
        text_append(into, "rate(");
        append_series(into, record, suffix);
        text_append(into, RATE_RANGE ")");
}

static void show_events(struct panel *panel, const struct toc_record *record)
{
        unsigned signal =
                record->rule[0].severity ? record->rule[0].signal : (unsigned)toc_signal_per_second;
        struct text *expr;

        if (record->kind == toc_kind_must_hit ||
            (signal == toc_signal_total && record->kind != toc_kind_expectation)) {
                append_series(add_target(panel, "since the start", unit_none), record, "_total");
                return;
        }
        if (signal == toc_signal_per_second) {
                append_rate(add_target(panel, "a second", unit_a_second), record, "_total");
                return;
        }
        if (signal == toc_signal_per_hour)
                expr = add_target(panel, "an hour", unit_an_hour);
        else
                expr = add_target(panel, "a minute", unit_a_minute);
        append_rate(expr, record, "_total");
        text_append(expr, signal == toc_signal_per_hour ? " * 3600" : " * 60");
}

static void show_value(struct panel *panel, const struct toc_record *record)
{
        unsigned signal = record->kind == toc_kind_module ? record->rule[0].signal : 0;
        const char *unit = unit_none;

        if (signal == toc_signal_live_bytes || signal == toc_signal_idle_bytes)
                unit = "bytes";
        else if (signal == toc_signal_io_bytes_per_second)
                unit = "Bps";
        else if (signal == toc_signal_lock_wait_ms)
                unit = unit_ms;
        append_series(add_target(panel, "value", unit), record, "");
}

static void show_quantiles(struct panel *panel, const struct toc_record *record)
{
        static const char *const shown[][2] = {
                { "p50", "0.5" }, { "p90", "0.9" }, { "p99", "0.99" }, { "p99.9", "0.999" }
        };
        bool is_timer = record->kind == toc_kind_timer;

        for (size_t i = 0; i < BASE_COUNT(shown); i++) {
                struct text *expr =
                        add_target(panel, shown[i][0], is_timer ? unit_seconds : unit_none);

                text_printf(expr, "histogram_quantile(%s, sum by (instance, le) (", shown[i][1]);
                append_rate(expr, record, is_timer ? "_seconds_bucket" : "_bucket");
                text_append(expr, "))");
        }
}

static void show_share(struct panel *panel, const struct toc_record *record)
{
        struct text *expr = add_target(panel, "of 1000", unit_permille);

        append_rate(expr, record, "_part_total");
        text_append(expr, " * 1000 / ");
        append_rate(expr, record, "_whole_total");
}

/* Milliseconds since the time that is the value. */
static void show_since(struct panel *panel, const char *legend, const struct toc_record *record,
                       const char *suffix, bool may_be_none)
{
        struct text *expr = add_target(panel, legend, unit_ms);

        text_append(expr, "(time() - ");
        append_series(expr, record, suffix);
        text_append(expr, ") * 1000");
        if (!may_be_none)
                return;
        text_append(expr, " * (");
        append_series(expr, record, suffix);
        text_append(expr, " > bool 0)");
}

static void show_flow(struct panel *panel, const struct toc_record *record)
{
        struct text *backlog = add_target(panel, "backlog", unit_none);
        struct text *lost = add_target(panel, "lost", unit_none);
        static const char *const suffixes[] = { "_in_total", "_out_total", "_dropped_total",
                                                "_held" };

        for (size_t i = 0; i < BASE_COUNT(suffixes); i++) {
                text_append(lost, i ? " - " : "");
                append_series(lost, record, suffixes[i]);
                if (i == BASE_COUNT(suffixes) - 1)
                        break;
                text_append(backlog, i ? " - " : "");
                append_series(backlog, record, suffixes[i]);
        }
        show_since(panel, "since it moved", record, "_progress_timestamp_seconds", false);
}

static void show(struct panel *panel, const struct toc_record *record)
{
        switch (record->kind) {
        case toc_kind_gauge:
        case toc_kind_level:
        case toc_kind_module:
                show_value(panel, record);
                return;
        case toc_kind_timer:
        case toc_kind_sizes:
                show_quantiles(panel, record);
                return;
        case toc_kind_share:
                show_share(panel, record);
                return;
        case toc_kind_heartbeat:
                show_since(panel, "silent", record, "_beat_timestamp_seconds", false);
                return;
        case toc_kind_operation:
                append_series(add_target(panel, "in flight", unit_none), record, "_in_flight");
                show_since(panel, "oldest", record, "_oldest_start_timestamp_seconds", true);
                return;
        case toc_kind_flow:
                show_flow(panel, record);
                return;
        default:
                show_events(panel, record);
        }
}

/* ---- Limits ---------------------------------------------------------------- */

/* Where a rule's limit lies, in the unit that is given back; NULL: on no scale that is drawn. */
static const char *limit_of(const struct toc_record *record, const struct toc_rule *rule,
                            double *ret_limit)
{
        double limit = (double)rule->limit;

        *ret_limit = limit;
        switch (rule->signal) {
        case toc_signal_total:
                return record->kind == toc_kind_expectation ? unit_a_minute : unit_none;
        case toc_signal_per_second:
                return unit_a_second;
        case toc_signal_per_minute:
                return unit_a_minute;
        case toc_signal_per_hour:
                return unit_an_hour;
        case toc_signal_growth:
        case toc_signal_unreached_s:
                return NULL;
        case toc_signal_exhausts_s:
                *ret_limit = (double)rule->capacity;
                return unit_none;
        case toc_signal_p50_us:
        case toc_signal_p90_us:
        case toc_signal_p99_us:
        case toc_signal_p999_us:
        case toc_signal_max_us:
                *ret_limit = limit / 1e6;
                return unit_seconds;
        case toc_signal_burn_fast:
        case toc_signal_burn_slow:
                *ret_limit = limit * (1000 - rule->objective_permille);
                return unit_permille;
        case toc_signal_permille:
                return unit_permille;
        case toc_signal_silent_ms:
        case toc_signal_oldest_ms:
        case toc_signal_stalled_ms:
                return unit_ms;
        default:
                return record->kind == toc_kind_module ? "" : unit_none; /* "": as it is shown */
        }
}

static const char *colour_of(unsigned severity)
{
        static const char *const colours[] = { "green", "yellow", "orange", "red" };

        return colours[severity <= TOC_PAGE ? severity : 0];
}

struct step {
        double from;
        const char *colour;
};

static void add_step(struct step *steps, size_t *count, double from, const char *colour)
{
        size_t at = (*count)++;

        for (; at > 0 && steps[at - 1].from > from; at--)
                steps[at] = steps[at - 1];
        steps[at] = (struct step){ from, colour };
}

/* Green, but beyond the limits of rules of that unit. */
static json_t *json_of_thresholds(const struct toc_record *record, const char *unit)
{
        struct step steps[2];
        size_t count = 0;
        const char *base = colour_of(0);
        json_t *array = json_array();

        for (size_t i = 0; i < 2; i++) {
                const struct toc_rule *rule = &record->rule[i];
                unsigned side = rule->op & (TOC_ABOVE_ | TOC_BELOW_);
                const char *of;
                double limit;

                if (!rule->severity || side == (TOC_ABOVE_ | TOC_BELOW_) || !side)
                        continue;
                of = limit_of(record, rule, &limit);
                if (!of || (*of && strcmp(of, unit) != 0))
                        continue;
                if (side == TOC_ABOVE_ || rule->signal == toc_signal_exhausts_s) {
                        add_step(steps, &count, limit, colour_of(rule->severity));
                } else {
                        add_step(steps, &count, limit, base); /* what was so far lies above it */
                        base = colour_of(rule->severity);
                }
        }
        rules_put_json(&array, json_pack("{s:s, s:n}", "color", base, "value"));
        for (size_t i = 0; i < count; i++)
                rules_put_json(&array, json_pack("{s:s, s:f}", "color", steps[i].colour, "value",
                                                 steps[i].from));
        return json_pack("{s:s, s:o}", "mode", "absolute", "steps", array);
}

/* ---- Panels ---------------------------------------------------------------- */

static json_t *json_of_source(void)
{
        return json_pack("{s:s, s:s}", "type", "prometheus", "uid", "${datasource}");
}

/* The one that the first rule looks at stands first. */
static void put_first(struct panel *panel)
{
        const struct toc_record *record = panel->row->record;
        double ignored;
        const char *unit =
                record->rule[0].severity ? limit_of(record, &record->rule[0], &ignored) : NULL;

        for (size_t i = 0; i < panel->target_count && unit; i++) {
                struct target first = panel->targets[i];

                if (strcmp(first.unit, unit) != 0)
                        continue;
                memmove(&panel->targets[1], &panel->targets[0], i * sizeof(first));
                panel->targets[0] = first;
                return;
        }
}

static json_t *json_of_targets(const struct panel *panel)
{
        json_t *array = json_array();

        for (size_t i = 0; i < panel->target_count; i++) {
                const struct target *target = &panel->targets[i];
                const char ref[] = { (char)('A' + i), '\0' };
                char legend[64];

                (void)snprintf(legend, sizeof(legend), "{{instance}} %s",
                               target->legend); /* fits */
                rules_put_json(&array, target->expr.error
                                               ? NULL
                                               : json_pack("{s:o, s:s, s:s, s:s}", "datasource",
                                                           json_of_source(), "refId", ref, "expr",
                                                           text_view(&target->expr), "legendFormat",
                                                           legend));
        }
        return array;
}

/* What has another unit than the first stands on the right. */
static json_t *json_of_overrides(const struct panel *panel)
{
        json_t *array = json_array();

        for (size_t i = 1; i < panel->target_count; i++) {
                const char ref[] = { (char)('A' + i), '\0' };

                if (strcmp(panel->targets[i].unit, panel->targets[0].unit) != 0)
                        rules_put_json(&array,
                                       json_pack("{s:{s:s, s:s}, s:[{s:s, s:s}, {s:s, s:s}]}",
                                                 "matcher", "id", "byFrameRefID", "options", ref,
                                                 "properties", "id", "unit", "value",
                                                 panel->targets[i].unit, "id",
                                                 "custom.axisPlacement", "value", "right"));
        }
        return array;
}

static void describe(struct text *into, const struct toc_record *record)
{
        rules_append_markdown(into, record->help);
        for (size_t i = 0; i < 2; i++) {
                struct text words BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);

                if (!record->rule[i].severity)
                        continue;
                rules_append_words(&words, record, i);
                text_printf(into, "\n\n%s: ", rule_severity_name(record->rule[i].severity));
                rules_append_markdown(into, record->rule[i].meaning);
                text_append(into, " (");
                rules_append_markdown(into, text_view(&words));
                text_append(into, ")");
        }
}

static json_t *json_of_place(size_t x, size_t y, size_t width, size_t height)
{
        return json_pack("{s:I, s:I, s:I, s:I}", "x", (json_int_t)x, "y", (json_int_t)y, "w",
                         (json_int_t)width, "h", (json_int_t)height);
}

static json_t *json_of_panel(const struct row *row, size_t id, json_t *place_take)
{
        struct panel panel BASE_SCOPE(panel_fini) = { .row = row };
        struct text title BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
        struct text description BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
        const char *unit;

        show(&panel, row->record);
        put_first(&panel);
        unit = panel.targets[0].unit;
        listing_append_name(&title, row->record);
        describe(&description, row->record);
        return json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:{s:{s:s, s:o, s:{s:{s:s}}}, s:o}, s:o}",
                         "id", (json_int_t)id, "type", "timeseries", "title", text_view(&title),
                         "description", text_view(&description), "gridPos", place_take,
                         "datasource", json_of_source(), "fieldConfig", "defaults", "unit", unit,
                         "thresholds", json_of_thresholds(row->record, unit), "custom",
                         "thresholdsStyle", "mode", "line", "overrides", json_of_overrides(&panel),
                         "targets", json_of_targets(&panel));
}

/* A row of the dashboard, and below it the probes. */
static void put_module(json_t **panels, const struct row *rows, size_t count, size_t *y)
{
        size_t x = 0;

        rules_put_json(panels,
                       json_pack("{s:I, s:s, s:s, s:b, s:o, s:[]}", "id",
                                 (json_int_t)json_array_size(*panels) + 1, "type", "row", "title",
                                 rows->record->module, "collapsed", 0, "gridPos",
                                 json_of_place(0, *y, panels_a_line * panel_width, 1), "panels"));
        *y += 1;
        for (size_t i = 0; i < count; i++) {
                if (listing_is_module(rows[i].record))
                        continue;
                if (x == panels_a_line) {
                        *y += panel_height;
                        x = 0;
                }
                rules_put_json(panels, json_of_panel(&rows[i], json_array_size(*panels) + 1,
                                                     json_of_place(x * panel_width, *y, panel_width,
                                                                   panel_height)));
                x++;
        }
        *y += x ? panel_height : 0;
}

/* ---- The dashboard --------------------------------------------------------- */

/* The same modules are the same dashboard: importing it again replaces it. FNV-1a. */
static void make_uid(const struct listing *listing, char *into, size_t size)
{
        uint64_t hash = UINT64_C(14695981039346656037);

        for (size_t i = 0; i < listing->row_count; i += listing_module_rows(listing, i))
                for (const char *at = listing->rows[i].record->module;; at++) {
                        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
                        if (!*at)
                                break;
                }
        (void)snprintf(into, size, "tocsin-%016llx", (unsigned long long)hash); /* fits */
}

static void append_title(struct text *into, const struct listing *listing)
{
        text_append(into, "Tocsin:");
        for (size_t i = 0; i < listing->row_count; i += listing_module_rows(listing, i))
                text_printf(into, "%s %s", i ? "," : "", listing->rows[i].record->module);
}

int rules_print_grafana(const struct listing *listing, uint32_t scrape_s)
{
        struct text title BASE_SCOPE(text_fini) = TEXT_INIT(200); /* cut: it is a title */
        json_t *panels = json_array();
        char uid[32];
        char interval[16];
        size_t y = 0;
        json_t *whole;
        int error;

        for (size_t i = 0, count; i < listing->row_count; i += count) {
                count = listing_module_rows(listing, i);
                put_module(&panels, &listing->rows[i], count, &y);
        }
        make_uid(listing, uid, sizeof(uid));
        append_title(&title, listing);
        (void)snprintf(interval, sizeof(interval), "%us", scrape_s); /* fits */
        whole = json_pack("{s:s, s:s, s:[s], s:i, s:i, s:b, s:s, s:s, s:{s:s, s:s},"
                          " s:{s:[{s:s, s:s, s:s, s:s, s:i}]}, s:o}",
                          "uid", uid, "title", text_view(&title), "tags", "tocsin", "schemaVersion",
                          schema_version, "version", 1, "editable", 1, "timezone", "browser",
                          "refresh", interval, "time", "from", "now-1h", "to", "now", "templating",
                          "list", "name", "datasource", "label", "Prometheus", "type", "datasource",
                          "query", "prometheus", "hide", 0, "panels", panels);
        error = whole ? 0 : -ENOMEM;
        if (!error && (json_dumpf(whole, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) ||
                       putc('\n', stdout) == EOF))
                error = error_last();
        json_decref(whole);
        return error;
}
