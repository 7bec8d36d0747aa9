/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that every command is looked up, counted, checked for its number of arguments and
 * given the store's lock in one place.
 */
#include "command.h"

#include <ctype.h>
#include <string.h>

#include <tocsin.h>

#include "clock.h"
#include "command_call.h"

TOC_MODULE(command, "Commands of clients",
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "commands keep failing in the server")));

TOC_COUNTER(commands, "Commands answered", TOC_QUIET("traffic is for charts: load is no fault"));
TOC_COUNTER(unknown_commands, "Commands that kvd does not know",
            TOC_ALERT(per_minute, >, 600, TOC_NOTE, "a client wants what kvd does not have"),
            TOC_RUNBOOK("examples/kvd/README.md#unknown-commands"));

enum needs { NEEDS_NOTHING, NEEDS_STORE };

struct row {
        const char *name; /* lower case */
        size_t args_min;
        size_t args_max;
        enum needs needs;
        const char *group;
        const char *summary;
        void (*function)(struct command_call *call);
};

static const struct row rows[] = {
#define COMMAND(name, least, most, needs, group, summary) \
        { #name, least, most, needs, group, summary, command_##name },
#include "command.def"
#undef COMMAND
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]), QUOTED_MAX = 64 };

static const struct row *find(struct resp_view name)
{
        for (size_t i = 0; i < ROW_COUNT; i++) {
                if (resp_is(name, rows[i].name))
                        return &rows[i];
        }
        return NULL;
}

static int quoted_length(struct resp_view view)
{
        return (int)(view.length < QUOTED_MAX ? view.length : QUOTED_MAX);
}

static void run_row(const struct row *row, struct command_call *call)
{
        if (row->needs == NEEDS_STORE)
                call->store = vault_enter(call->host->vault);
        row->function(call);
        if (row->needs == NEEDS_STORE)
                vault_leave(call->host->vault);
}

void command_run(struct command_host *host, struct command_session *session,
                 const struct resp_request *request, struct buffer *reply)
{
        struct command_call call = { .host = host,
                                     .session = session,
                                     .request = request,
                                     .reply = reply,
                                     .now_ms = clock_boot_ms() };
        const struct row *row = find(request->args[0]);

        host->commands++;
        toc_count(commands);
        if (!row) {
                toc_count(unknown_commands);
                resp_put_error(reply, "ERR unknown command '%.*s'", quoted_length(request->args[0]),
                               request->args[0].bytes);
                return;
        }
        if (request->count < row->args_min || request->count > row->args_max) {
                resp_put_error(reply, "ERR wrong number of arguments for '%s' command", row->name);
                return;
        }
        run_row(row, &call);
}

void command_put_syntax_error(struct command_call *call)
{
        resp_put_error(call->reply, "ERR syntax error");
}

/* As Redis tells it: name, arity (negative: at least so many), flags, and no key positions. */
static void put_row(struct buffer *reply, const struct row *row)
{
        int64_t arity = (int64_t)row->args_min;

        resp_put_array(reply, 6);
        resp_put_text(reply, row->name);
        resp_put_number(reply, row->args_min == row->args_max ? arity : -arity);
        resp_put_array(reply, 0);
        resp_put_number(reply, 0);
        resp_put_number(reply, 0);
        resp_put_number(reply, 0);
}

static void put_docs(struct buffer *reply, const struct row *row)
{
        resp_put_text(reply, row->name);
        resp_put_array(reply, 6);
        resp_put_text(reply, "summary");
        resp_put_text(reply, row->summary);
        resp_put_text(reply, "since");
        resp_put_text(reply, "1.0.0");
        resp_put_text(reply, "group");
        resp_put_text(reply, row->group);
}

/* COMMAND DOCS name...: each row at most once, however often it is named. */
static void put_docs_of(struct command_call *call)
{
        const struct resp_request *request = call->request;
        bool is_asked[ROW_COUNT] = { false };
        size_t count = 0;

        for (size_t i = 2; i < request->count; i++) {
                const struct row *row = find(request->args[i]);

                if (row && !is_asked[row - rows]) {
                        is_asked[row - rows] = true;
                        count++;
                }
        }
        resp_put_array(call->reply, 2 * count);
        for (size_t i = 0; i < ROW_COUNT; i++) {
                if (is_asked[i])
                        put_docs(call->reply, &rows[i]);
        }
}

void command_command(struct command_call *call)
{
        const struct resp_request *request = call->request;

        if (request->count == 1) {
                resp_put_array(call->reply, ROW_COUNT);
                for (size_t i = 0; i < ROW_COUNT; i++)
                        put_row(call->reply, &rows[i]);
        } else if (resp_is(request->args[1], "COUNT") && request->count == 2) {
                resp_put_number(call->reply, ROW_COUNT);
        } else if (resp_is(request->args[1], "DOCS") && request->count == 2) {
                resp_put_array(call->reply, (size_t)2 * ROW_COUNT);
                for (size_t i = 0; i < ROW_COUNT; i++)
                        put_docs(call->reply, &rows[i]);
        } else if (resp_is(request->args[1], "DOCS")) {
                put_docs_of(call);
        } else {
                resp_put_error(call->reply, "ERR unknown subcommand '%.*s' of COMMAND",
                               quoted_length(request->args[1]), request->args[1].bytes);
        }
}
