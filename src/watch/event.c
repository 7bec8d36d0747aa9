/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that the keys of an event stand in one place, and no text gets into one unescaped.
 */
#include "watch/event.h"

#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <signal.h>

/* An object being built. One failure spoils it, and is asked for once, at the end. */
struct draft {
        json_t *object;
        bool has_failed;
};

/* Takes the value; NULL counts as out of memory. */
static void put(struct draft *draft, const char *key, json_t *value)
{
        /* json_object_set_new releases the value when it fails, and refuses NULL. */
        if (json_object_set_new(draft->object, key, value))
                draft->has_failed = true;
}

static json_t *finish(struct draft *draft)
{
        if (!draft->has_failed)
                return draft->object;
        json_decref(draft->object);
        return NULL;
}

json_t *event_string(const void *bytes, size_t length)
{
        BASE_SCOPE(text_fini) struct text shown = TEXT_INIT(event_text_bytes_max);

        text_append_escaped(&shown, bytes, length); /* what is too long is cut between characters */
        return json_stringn(text_view(&shown), shown.length);
}

static void put_text(struct draft *draft, const char *key, const char *text)
{
        put(draft, key, event_string(text, strlen(text)));
}

/* A field of a record: terminated, if rule_check() has seen it, but who knows who calls. */
static void put_field(struct draft *draft, const char *key, const char *field, size_t size)
{
        put(draft, key, event_string(field, strnlen(field, size)));
}

#define PUT_FIELD(draft, key, field) put_field((draft), (key), (field), sizeof(field))

static struct draft begin(const struct event_head *head, const char *type)
{
        struct draft draft = { json_object(), false };
        char time[clock_text_bytes];

        clock_text(head->wall_ns, time);
        put(&draft, "id", json_string(head->id));
        put(&draft, "time", json_string(time));
        put(&draft, "type", json_string(type));
        return draft;
}

static void put_who(struct draft *draft, const struct event_head *head)
{
        put_text(draft, "program", head->program);
        put(draft, "pid", json_integer(head->pid));
}

static void put_details(struct draft *draft, json_t *details)
{
        put(draft, "details", details ? details : json_object());
}

static json_t *labels_of(const struct toc_record *record)
{
        struct draft draft = { json_object(), false };
        const char *label = rule_label(record);

        if (label[0])
                put_field(&draft, "label", label, sizeof(record->labels));
        return finish(&draft);
}

json_t *event_alert(const struct event_head *head, const char *state, const struct rule_view *view,
                    const char *runbook, json_t *details)
{
        const struct toc_record *record = view->record;
        const struct toc_rule *rule = view->rule;
        struct draft draft = begin(head, "alert");

        put(&draft, "state", json_string(state));
        put(&draft, "severity", json_string(rule_severity_name(rule->severity)));
        put_who(&draft, head);
        PUT_FIELD(&draft, "module", record->module);
        PUT_FIELD(&draft, "probe", record->name);
        put(&draft, "labels", labels_of(record));
        put(&draft, "kind", json_string(rule_kind_name(record->kind)));
        put(&draft, "signal", json_string(rule_signal_name(rule->signal)));
        put(&draft, "op", json_string(rule_op_name(rule->op)));
        put(&draft, "limit", json_integer(rule->limit));
        put(&draft, "value", view->has_value ? json_integer(view->value) : json_null());
        put(&draft, "window_s", json_integer(view->window_s));
        put(&draft, "hold_s", json_integer(rule->hold_s));
        PUT_FIELD(&draft, "meaning", rule->meaning);
        put_text(&draft, "runbook", runbook);
        PUT_FIELD(&draft, "file", record->file);
        put(&draft, "line", json_integer(record->line));
        put_details(&draft, details);
        return finish(&draft);
}

json_t *event_log(const struct event_head *head, bool is_error, const struct toc_record *record,
                  const void *message, size_t message_length, json_t *details)
{
        struct draft draft = begin(head, "log");

        put(&draft, "severity", json_string(is_error ? "error" : "warning"));
        put_who(&draft, head);
        if (record) {
                PUT_FIELD(&draft, "module", record->module);
                PUT_FIELD(&draft, "probe", record->name);
        } else {
                put(&draft, "module", json_string("process"));
                put(&draft, "probe", json_string(is_error ? "log_errors" : "log_warnings"));
        }
        put(&draft, "message", event_string(message, message_length));
        if (record) {
                PUT_FIELD(&draft, "file", record->file);
                put(&draft, "line", json_integer(record->line));
        } else {
                put(&draft, "file", json_string(""));
                put(&draft, "line", json_integer(0));
        }
        put_details(&draft, details);
        return finish(&draft);
}

json_t *event_inside(const struct event_head *head, json_t *modules_take)
{
        struct draft draft = begin(head, "inside");

        put_who(&draft, head);
        put(&draft, "modules", modules_take);
        return finish(&draft);
}

json_t *event_start(const struct event_head *head, char *const *argv, const int64_t *probes,
                    bool inside, json_t *fence)
{
        struct draft draft = begin(head, "start");
        json_t *arguments = json_array();

        put_who(&draft, head);
        for (size_t i = 0; argv[i] && i < event_argument_max; i++)
                if (json_array_append_new(arguments, event_string(argv[i], strlen(argv[i]))))
                        draft.has_failed = true;
        put(&draft, "argv", arguments);
        put(&draft, "probes", probes ? json_integer(*probes) : json_null());
        if (inside)
                put(&draft, "inside", json_true());
        if (fence)
                put(&draft, "fence", fence);
        return finish(&draft);
}

void event_append_signal(struct text *into, int number)
{
        const char *name = sigabbrev_np(number);

        if (name)
                text_printf(into, "SIG%s", name);
        else
                text_printf(into, "signal %d", number);
}

static json_t *signal_name(int number)
{
        BASE_SCOPE(text_fini) struct text name = TEXT_INIT(32);

        if (!number)
                return json_null();
        event_append_signal(&name, number);
        return json_string(text_view(&name));
}

json_t *event_exit(const struct event_head *head, const struct event_end *end)
{
        struct draft draft = begin(head, "exit");
        struct draft fired = { json_object(), false };

        put_who(&draft, head);
        put(&draft, "status", json_integer(end->status));
        put(&draft, "signal", signal_name(end->signal));
        put(&draft, "duration_ms", json_integer((json_int_t)(end->lasted_ns / CLOCK_MS_NS)));
        for (unsigned severity = TOC_NOTE; severity <= TOC_PAGE; severity++)
                put(&fired, rule_severity_name(severity),
                    json_integer((json_int_t)end->fired[severity]));
        put(&draft, "alerts", finish(&fired));
        return finish(&draft);
}

json_t *event_crash(const struct event_head *head, int number, bool has_core, json_t *events)
{
        struct draft draft = begin(head, "crash");

        put_who(&draft, head);
        put(&draft, "signal", signal_name(number));
        put(&draft, "number", json_integer(number));
        put(&draft, "core_dumped", json_boolean(has_core));
        put(&draft, "events", events);
        return finish(&draft);
}

/* ---- Details -------------------------------------------------------------- */

static json_t *decimal(uint64_t value)
{
        char digits[24];

        /* JSON's numbers are doubles to many readers and signed to Jansson. */
        if (value <= INT64_MAX)
                return json_integer((json_int_t)value);
        (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
        return json_string(digits);
}

static json_t *real(double value)
{
        char text[32];

        if (isfinite(value))
                return json_real(value);
        (void)snprintf(text, sizeof(text), "%g", value);
        return json_string(text);
}

/* NULL also when there is none. */
static json_t *value_of(const struct toc_value_ *value)
{
        bool is_half = value->size == 4;
        char text[24];
        double wide;
        float narrow;

        if (value->size != 4 && value->size != 8)
                return NULL;
        switch (value->type) {
        case 'i':
                return json_integer(is_half ? (int32_t)(uint32_t)value->bits
                                            : (json_int_t)value->bits);
        case 'u':
                return decimal(is_half ? (uint32_t)value->bits : value->bits);
        case 'f':
                memcpy(&narrow, &value->bits, sizeof(narrow));
                memcpy(&wide, &value->bits, sizeof(wide));
                return real(is_half ? (double)narrow : wide);
        case 'p':
                (void)snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value->bits);
                return json_string(text);
        default:
                return NULL;
        }
}

json_t *event_details(const struct segment_event *event, json_t *stack)
{
        struct draft draft = { json_object(), false };
        json_t *left = value_of(&event->value[0]), *right = value_of(&event->value[1]);

        if (left)
                put(&draft, "left", left);
        if (right)
                put(&draft, "right", right);
        put(&draft, "count", decimal(event->count));
        put(&draft, "thread", json_integer(event->thread));
        if (event->text_bytes)
                put(&draft, "message", event_string(event->text, event->text_bytes));
        if (stack)
                put(&draft, "stack", stack);
        return finish(&draft);
}

json_t *event_cells(unsigned kind, const uint64_t *cells)
{
        static const char *const names[][4] = {
                [toc_kind_share] = { "part", "whole" },
                [toc_kind_operation] = { "begun", "ended" },
                [toc_kind_flow] = { "in", "out", "dropped", "held" },
        };
        struct draft draft = { NULL, false };

        if (kind >= BASE_COUNT(names) || !names[kind][0])
                return NULL;
        draft.object = json_object();
        for (size_t i = 0; i < BASE_COUNT(names[kind]) && names[kind][i]; i++) {
                bool is_signed = kind == toc_kind_flow && i == 3;

                put(&draft, names[kind][i],
                    is_signed ? json_integer((json_int_t)cells[i]) : decimal(cells[i]));
        }
        return finish(&draft);
}

/* ---- Text ----------------------------------------------------------------- */

static int append_chunk(const char *bytes, size_t length, void *into)
{
        struct text *text = into;

        text_append_bytes(text, bytes, length);
        return text->error ? -1 : 0;
}

int event_append(const json_t *event, struct text *into)
{
        if (!json_dump_callback(event, append_chunk, into, JSON_COMPACT))
                return 0;
        return into->error ? into->error : -ENOMEM;
}
