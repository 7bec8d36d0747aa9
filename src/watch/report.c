/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a machine and a person are told the same thing in the same moment.
 */
#include "watch/report.h"

#include "base/error.h"

#include <inttypes.h>

enum { line_bytes_max = 1200, shown_message_max = 160 };

void report_init(struct report *report, const char *run_name)
{
        *report = (struct report){
                .program = "",
                .lines = RATION_INIT(report_lines_per_s),
                .logs = RATION_INIT(report_logs_per_s),
        };
        text_init(&report->last_error, pump_line_bytes);
        alert_book_init(&report->book, run_name, clock_wall_ns());
}

void report_fini(struct report *report)
{
        for (unsigned i = 0; i < report->recent_count; i++)
                json_decref(report->recent[(report->recent_first + i) % report_recent_max]);
        report->recent_count = 0;
        text_fini(&report->last_error);
        alert_book_fini(&report->book);
}

/* ---- Events --------------------------------------------------------------- */

static void say_outcome(struct report *report, int outcome)
{
        if (outcome == OUTBOX_IN_MEMORY && !report->has_said_memory) {
                report->has_said_memory = true;
                voice_say(
                        report->voice, VOICE_WARNING,
                        "the outbox cannot be written (is the disk full?); events wait in memory");
        }
        if ((outcome == OUTBOX_LOST || outcome < 0) && !report->has_said_lost) {
                report->has_said_lost = true;
                voice_say(report->voice, VOICE_ERROR,
                          "the outbox is full; from now on events are lost");
        }
}

/* Takes the event; NULL, for which there was no memory, counts as lost. */
static void publish(struct report *report, enum outbox_type type, json_t *event)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(event_bytes_max);
        int outcome = event ? event_append(event, &line) : -1;

        if (!outcome)
                outcome = outbox_append(report->outbox, type, text_view(&line), line.length);
        say_outcome(report, outcome);
        json_decref(event);
}

static struct event_head head_of(const struct report_source *source, const char *id)
{
        return (struct event_head){
                .id = id, .wall_ns = clock_wall_ns(), .program = source->program, .pid = source->pid
        };
}

/* The head of an event that has an id of its own. */
static struct event_head new_head(struct report *report, const struct report_source *source,
                                  char id[static alert_id_bytes])
{
        alert_next_id(&report->book, id);
        return head_of(source, id);
}

static struct report_source whole(const struct report *report)
{
        return (struct report_source){ .program = report->program, .pid = report->pid };
}

void report_start(struct report *report, char *const *argv, const int64_t *probes, bool inside,
                  json_t *fence)
{
        struct report_source source = whole(report);
        char id[alert_id_bytes];
        struct event_head head = new_head(report, &source, id);

        publish(report, OUTBOX_OTHER, event_start(&head, argv, probes, inside, fence));
}

void report_exit(struct report *report)
{
        struct report_source source = whole(report);
        char id[alert_id_bytes];
        struct event_head head = new_head(report, &source, id);

        memcpy(report->end.fired, report->book.fired, sizeof(report->end.fired));
        publish(report, OUTBOX_OTHER, event_exit(&head, &report->end));
}

void report_crash(struct report *report, pid_t pid, int number, bool has_core)
{
        struct report_source source = whole(report);
        json_t *events = json_array();
        char id[alert_id_bytes];
        struct event_head head;

        source.pid = pid;
        head = new_head(report, &source, id);
        report->crash_pid = pid;
        report->crash_signal = number;
        report->crash_has_core = has_core;
        for (unsigned i = 0; i < report->recent_count; i++)
                (void)json_array_append(
                        events, /* without memory some are missing */
                        report->recent[(report->recent_first + i) % report_recent_max]);
        publish(report, OUTBOX_OTHER, event_crash(&head, number, has_core, events));
}

/* ---- Details -------------------------------------------------------------- */

/* Time that may be spent on names now. */
static uint64_t stack_time_ns(struct report *report, uint64_t now_ns)
{
        if (now_ns - report->stack_second_ns >= CLOCK_S_NS) {
                report->stack_second_ns = now_ns;
                report->stack_spent_ns = 0;
        }
        return report->stack_spent_ns < report_stack_max_ms * CLOCK_MS_NS
                       ? report_stack_one_ms * CLOCK_MS_NS
                       : 0;
}

static json_t *stack_of(struct report *report, const struct target *target, uint64_t now_ns,
                        const struct segment_event *event)
{
        uint64_t time_max_ns = stack_time_ns(report, now_ns);
        uint64_t began_ns = clock_monotonic_ns();
        char lines[SEGMENT_STACK_MAX][stack_line_bytes];
        json_t *stack;

        if (!event->stack_depth)
                return NULL;
        stack_describe(time_max_ns ? report->stacks : NULL, &target->maps, event->stack,
                       event->stack_depth, time_max_ns, lines);
        report->stack_spent_ns += clock_monotonic_ns() - began_ns;
        stack = json_array();
        for (uint32_t i = 0; i < event->stack_depth; i++)
                (void)json_array_append_new(stack, event_string(lines[i], strlen(lines[i])));
        return stack;
}

static json_t *crash_details(const struct report *report)
{
        BASE_SCOPE(text_fini) struct text name = TEXT_INIT(32);

        event_append_signal(&name, report->crash_signal);
        return json_pack("{s:s, s:b, s:i}", "signal", text_view(&name), "core_dumped",
                         (int)report->crash_has_core, "pid", (int)report->crash_pid);
}

static struct namer namer_of(const struct report *report, const struct target *target)
{
        return (struct namer){ .stacks = report->stacks,
                               .maps = &target->maps,
                               .until_ns = clock_monotonic_ns() + NAMER_ALERT_NS };
}

static json_t *seen_details(const struct report *report, const struct report_source *source,
                            const struct seer *seer, const struct rule_view *rule)
{
        const struct namer namer = namer_of(report, source->target);

        return seer_details(seer, &namer, rule);
}

/* Of a flow that stands still it is told who waits: one of them may wait for what never comes. */
static void add_waiters(json_t *details, const struct report *report, const struct target *target,
                        const struct rule_view *rule)
{
        const struct namer namer = namer_of(report, target);

        if (rule->rule->signal == toc_signal_stalled_ms && target->see_module)
                (void)json_object_set_new(details, "waiting",
                                          seer_waiters(target->seer, &namer, rule->record->module));
}

static json_t *details_of(struct report *report, const struct report_source *source,
                          const struct rule_view *rule, uint64_t now_ns)
{
        const struct segment_event *event;
        json_t *details;

        if (source->fence)
                return fence_watch_details(source->fence, rule, source->biggest);
        if (source->seer)
                return seen_details(report, source, source->seer, rule);
        if (source->target && source->target->seer && rule->record->kind == toc_kind_module)
                return seen_details(report, source, source->target->seer, rule);
        if (source->target) {
                const uint64_t *cells = target_cells(source->target, rule);

                event = target_latest(source->target, rule);
                if (event)
                        return event_details(event,
                                             stack_of(report, source->target, now_ns, event));
                details = cells ? event_cells(rule->record->kind, cells) : NULL;
                if (details)
                        add_waiters(details, report, source->target, rule);
                return details;
        }
        if (strcmp(rule->record->name, "crash") == 0)
                return crash_details(report);
        if (strcmp(rule->record->name, "log_errors") != 0 || !report->last_error.length)
                return NULL;
        details = json_object();
        (void)json_object_set_new(
                details, "message", /* without memory: no details */
                event_string(text_view(&report->last_error), report->last_error.length));
        return details;
}

/* The probe's own, else its module's; "" if neither has one. */
static const char *runbook_of(const struct report_source *source, const struct rule_view *rule)
{
        return source->target ? rule_runbook(source->target->rules, rule->record)
                              : rule->record->runbook;
}

/* ---- Lines for people ----------------------------------------------------- */

static void append_value(struct text *line, const char *name, const json_t *value)
{
        if (json_is_string(value))
                text_printf(line, "; %s %s", name, json_string_value(value));
        else if (json_is_integer(value))
                text_printf(line, "; %s %" JSON_INTEGER_FORMAT, name, json_integer_value(value));
        else if (json_is_real(value))
                text_printf(line, "; %s %.17g", name, json_real_value(value));
}

/* "store.c:41; left 3, right 4" and the like. */
static void append_reason(struct text *line, const struct report_source *source,
                          const struct rule_view *rule, const json_t *details)
{
        const json_t *pid = json_object_get(details, "pid");
        const char *message = json_string_value(json_object_get(details, "message"));
        const char *signal = json_string_value(json_object_get(details, "signal"));
        bool has_value = rule->has_value && rule->record->kind != toc_kind_expectation && !signal;

        if (rule->record->file[0])
                text_printf(line, "; %s:%" PRIu32, rule->record->file, rule->record->line);
        if (rule->record->kind == toc_kind_expectation && rule->record->help[0])
                text_printf(line, "; expected %s", rule->record->help);
        append_value(line, "left", json_object_get(details, "left"));
        append_value(line, "right", json_object_get(details, "right"));
        if (has_value)
                text_printf(line, "; %s %" PRId64 " %s %" PRId64,
                            rule_signal_name(rule->rule->signal), rule->value,
                            rule_op_name(rule->rule->op), rule->rule->limit);
        if (signal)
                text_printf(line, "; %s", signal);
        if (pid && json_integer_value(pid) != source->pid)
                append_value(line, "process", pid);
        if (message)
                text_printf(line, "; \"%.*s\"", shown_message_max, message);
        if (runbook_of(source, rule)[0])
                text_printf(line, "; see %s", runbook_of(source, rule));
}

/* "store.requests{failed}" */
static void append_probe(struct text *line, const struct toc_record *record)
{
        const char *label = rule_label(record);

        text_printf(line, "%s.%s%s%s%s", record->module, record->name, label[0] ? "{" : "", label,
                    label[0] ? "}" : "");
}

static void say_firing(struct report *report, const struct report_source *source,
                       const struct rule_view *rule, const json_t *details)
{
        static const enum voice_tone tones[] = { VOICE_NOTE, VOICE_NOTE, VOICE_WARN, VOICE_PAGE };
        BASE_SCOPE(text_fini) struct text reason = TEXT_INIT(line_bytes_max);
        BASE_SCOPE(text_fini) struct text probe = TEXT_INIT(line_bytes_max);
        enum voice_tone tone =
                rule->rule->severity <= TOC_PAGE ? tones[rule->rule->severity] : VOICE_PAGE;

        if (report->is_quiet)
                return;
        append_reason(&reason, source, rule, details);
        append_probe(&probe, rule->record);
        voice_say(report->voice, tone, "%s[%d] %s: %s%s%s%s", source->program, (int)source->pid,
                  text_view(&probe), rule->rule->meaning, reason.length ? " (" : "",
                  reason.length ? text_view(&reason) + 2 : "", reason.length ? ")" : "");
}

static void append_duration(struct text *into, uint64_t ns)
{
        uint64_t s = ns / CLOCK_S_NS;

        if (s < 1)
                text_printf(into, "%" PRIu64 " ms", ns / CLOCK_MS_NS);
        else if (s < 120)
                text_printf(into, "%" PRIu64 " s", s);
        else if (s < 7200)
                text_printf(into, "%" PRIu64 " min", s / 60);
        else
                text_printf(into, "%" PRIu64 " h", s / 3600);
}

static void say_resolved(struct report *report, const struct report_source *source,
                         const struct rule_view *rule, uint64_t lasted_ns)
{
        BASE_SCOPE(text_fini) struct text lasted = TEXT_INIT(32);
        BASE_SCOPE(text_fini) struct text probe = TEXT_INIT(line_bytes_max);

        if (report->is_quiet)
                return;
        append_duration(&lasted, lasted_ns);
        append_probe(&probe, rule->record);
        voice_say(report->voice, VOICE_OK, "%s[%d] %s: resolved after %s (%s)", source->program,
                  (int)source->pid, text_view(&probe), text_view(&lasted), rule->rule->meaning);
}

/* ---- Alerts --------------------------------------------------------------- */

static void fire(struct report *report, const struct report_source *source,
                 const struct rule_view *rule, uint64_t now_ns)
{
        const struct alert *alert = NULL;
        struct event_head head;
        json_t *details;

        if (alert_open(&report->book, source->number, rule, now_ns, &alert)) {
                publish(report, OUTBOX_ALERT, NULL);
                return;
        }
        details = details_of(report, source, rule, now_ns);
        say_firing(report, source, rule, details);
        head = head_of(source, alert->id);
        publish(report, OUTBOX_ALERT,
                event_alert(&head, "firing", rule, runbook_of(source, rule), details));
}

/* reason NULL: it does not hold any more. A process that is gone is no good news: no line. */
static void resolve(struct report *report, const struct report_source *source,
                    const struct rule_view *rule, uint64_t now_ns, const char *reason)
{
        struct event_head head;
        struct alert alert;

        if (alert_close(&report->book, source->number, rule, &alert))
                return;
        if (!reason)
                say_resolved(report, source, rule, now_ns - alert.began_ns);
        head = head_of(source, alert.id);
        publish(report, OUTBOX_ALERT,
                event_alert(&head, "resolved", rule, runbook_of(source, rule),
                            reason ? json_pack("{s:s}", "reason", reason) : NULL));
}

void report_changes(struct report *report, const struct report_source *source, uint64_t now_ns,
                    const struct rule_change *changes, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                const struct rule_change *change = &changes[i];

                if (change->now.state == RULE_FIRING && change->from != RULE_FIRING)
                        fire(report, source, &change->now, now_ns);
                else if (change->from == RULE_FIRING && change->now.state != RULE_FIRING)
                        resolve(report, source, &change->now, now_ns, NULL);
        }
}

void report_inside(struct report *report, const struct report_source *source, struct seer *seer)
{
        const struct namer namer = namer_of(report, source->target);
        char id[alert_id_bytes];
        struct event_head head;

        if (!seer_has_lasted(seer) || report->inside_count == report_inside_max)
                return;
        report->inside_count++;
        head = new_head(report, source, id);
        publish(report, OUTBOX_OTHER,
                event_inside(&head, seer_census(seer, source->target->view, &namer)));
}

void report_ended(struct report *report, const struct report_source *source, uint64_t now_ns,
                  const struct rule_set *rules, bool (*outlives)(const struct rule_view *rule))
{
        struct rule_view rule;

        for (size_t i = 0; rules && !rule_set_view(rules, i, &rule); i++)
                if (rule.state == RULE_FIRING && !(outlives && outlives(&rule)))
                        resolve(report, source, &rule, now_ns, "ended");
}

/* ---- Logs ----------------------------------------------------------------- */

/* Keeps the last few for the report of a crash. */
static void remember(struct report *report, const struct report_source *source,
                     const struct toc_record *record, const struct segment_event *event)
{
        static const char *const kinds[] = { [SEGMENT_EVENT_MISS] = "miss",
                                             [SEGMENT_EVENT_ERROR] = "error",
                                             [SEGMENT_EVENT_WARNING] = "warning" };
        char time[clock_text_bytes];
        json_t **slot;

        clock_text(clock_wall_ns(), time);
        if (report->recent_count == report_recent_max) {
                json_decref(report->recent[report->recent_first]);
                report->recent_first = (report->recent_first + 1) % report_recent_max;
                report->recent_count--;
        }
        slot = &report->recent[(report->recent_first + report->recent_count) % report_recent_max];
        *slot = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:i, s:o}", "time", time, "kind",
                          kinds[event->kind], "pid", (int)source->pid, "module", record->module,
                          "probe", record->name, "file", record->file, "line", (int)record->line,
                          "details", event_details(event, NULL));
        report->recent_count += *slot != NULL;
}

void report_news(struct report *report, const struct report_source *source, uint64_t now_ns,
                 const struct segment_news *news)
{
        const struct toc_record *record = source->target->view->rows[news->row].record;
        const struct segment_event *event = news->event;
        bool is_error = event->kind == SEGMENT_EVENT_ERROR;
        char id[alert_id_bytes];
        struct event_head head;
        json_t *details;

        remember(report, source, record, event);
        if (event->kind == SEGMENT_EVENT_MISS)
                return; /* an alert tells of it */
        if (is_error && !report->is_quiet && ration_admit(&report->lines, now_ns))
                voice_say(report->voice, VOICE_LOG, "%s[%d] %s: %.*s (%s:%" PRIu32 ")",
                          source->program, (int)source->pid, record->module, (int)event->text_bytes,
                          event->text, record->file, record->line);
        if (!ration_admit(&report->logs, now_ns))
                return;
        details = json_pack("{s:I, s:i, s:I}", "count", (json_int_t)event->count, "thread",
                            (int)event->thread, "withheld", (json_int_t)report->logs.withheld);
        report->logs.withheld = 0;
        head = new_head(report, source, id);
        publish(report, OUTBOX_OTHER,
                event_log(&head, is_error, record, event->text, event->text_bytes, details));
}

void report_line(struct report *report, const struct pump_line *line)
{
        struct report_source source = whole(report);
        bool is_error = line->level == CLASSIFY_ERROR;
        char id[alert_id_bytes];
        struct event_head head = new_head(report, &source, id);

        if (is_error) {
                text_clear(&report->last_error);
                text_append_bytes(&report->last_error, line->bytes, line->length);
        }
        publish(report, OUTBOX_OTHER,
                event_log(&head, is_error, NULL, line->bytes, line->length,
                          json_pack("{s:I}", "withheld", (json_int_t)line->withheld)));
}

void report_settle(struct report *report, uint64_t now_ns)
{
        uint64_t withheld = ration_settle(&report->lines, now_ns);

        if (withheld)
                voice_say(report->voice, VOICE_LOG, "%" PRIu64 " more errors were reported",
                          withheld);
}
