/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because clients ask about more than keys before they believe that this is a Redis.
 */
#include "command_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { INFO_BYTES_MAX = 2048, SETTING_BYTES_MAX = 256 };

void command_ping(struct command_call *call)
{
        if (call->request->count == 2)
                resp_put_bulk(call->reply, call->request->args[1]);
        else
                resp_put_status(call->reply, "PONG");
}

void command_echo(struct command_call *call)
{
        resp_put_bulk(call->reply, call->request->args[1]);
}

void command_quit(struct command_call *call)
{
        call->session->wants_close = true;
        resp_put_status(call->reply, "OK");
}

void command_select(struct command_call *call)
{
        int64_t number;

        if (resp_number(call->request->args[1], &number))
                resp_put_error(call->reply, "ERR value is not an integer or out of range");
        else if (number != 0)
                resp_put_error(call->reply, "ERR DB index is out of range");
        else
                resp_put_status(call->reply, "OK");
}

void command_hello(struct command_call *call)
{
        const struct resp_request *request = call->request;
        struct buffer *reply = call->reply;

        if (request->count == 2 && !resp_is(request->args[1], "2")) {
                resp_put_error(reply, "NOPROTO unsupported protocol version");
                return;
        }
        resp_put_array(reply, 10);
        resp_put_text(reply, "server");
        resp_put_text(reply, "kvd");
        resp_put_text(reply, "proto");
        resp_put_number(reply, 2);
        resp_put_text(reply, "id");
        resp_put_number(reply, (int64_t)call->session->id);
        resp_put_text(reply, "mode");
        resp_put_text(reply, "standalone");
        resp_put_text(reply, "role");
        resp_put_text(reply, "master");
}

/* A name may not hold what would break a list of clients: blanks and control bytes. */
static bool is_name(struct resp_view name)
{
        if (name.length > COMMAND_NAME_MAX)
                return false;
        for (size_t i = 0; i < name.length; i++) {
                if (name.bytes[i] <= ' ' || name.bytes[i] > '~')
                        return false;
        }
        return true;
}

static void set_name(struct command_call *call, struct resp_view name)
{
        if (!is_name(name)) {
                resp_put_error(call->reply, "ERR client names are at most %d printable characters",
                               (int)COMMAND_NAME_MAX);
                return;
        }
        memcpy(call->session->name, name.bytes, name.length);
        call->session->name[name.length] = '\0';
        resp_put_status(call->reply, "OK");
}

void command_client(struct command_call *call)
{
        const struct resp_request *request = call->request;
        struct resp_view what = request->args[1];

        if (resp_is(what, "SETNAME") && request->count == 3)
                set_name(call, request->args[2]);
        else if (resp_is(what, "GETNAME") && request->count == 2 && call->session->name[0])
                resp_put_text(call->reply, call->session->name);
        else if (resp_is(what, "GETNAME") && request->count == 2)
                resp_put_nil(call->reply);
        else if (resp_is(what, "ID") && request->count == 2)
                resp_put_number(call->reply, (int64_t)call->session->id);
        else if (resp_is(what, "SETINFO") && request->count == 4)
                resp_put_status(call->reply, "OK"); /* which library calls: we do not keep it */
        else
                resp_put_error(call->reply, "ERR unknown subcommand or wrong number of arguments "
                                            "for 'client'");
}

/* The settings that CONFIG GET tells; redis-benchmark asks for the first two. */
struct setting {
        const char *name;
        char value[SETTING_BYTES_MAX];
};

enum { SETTING_COUNT = 7 };

static void put_number(struct setting *setting, const char *name, uint64_t number)
{
        setting->name = name;
        (void)snprintf(setting->value, sizeof(setting->value), "%" PRIu64, number);
}

static void list_settings(const struct command_host *host, struct setting settings[SETTING_COUNT])
{
        const struct options *options = host->options;

        settings[0] = (struct setting){ .name = "save" }; /* no schedule in Redis's sense */
        settings[1] = (struct setting){ .name = "appendonly", .value = "no" };
        put_number(&settings[2], "port", host->port);
        put_number(&settings[3], "maxclients", options->clients_max);
        put_number(&settings[4], "maxmemory", options->memory_bytes_max);
        put_number(&settings[5], "proto-max-bulk-len", options->bulk_bytes_max);
        put_number(&settings[6], "databases", 1);
}

static bool is_asked(const struct resp_request *request, const char *name)
{
        for (size_t i = 2; i < request->count; i++) {
                if (resp_is(request->args[i], name) || resp_is(request->args[i], "*"))
                        return true;
        }
        return false;
}

void command_config(struct command_call *call)
{
        const struct resp_request *request = call->request;
        struct setting settings[SETTING_COUNT];
        size_t count = 0;

        if (!resp_is(request->args[1], "GET") || request->count < 3) {
                resp_put_error(call->reply, "ERR only CONFIG GET is supported");
                return;
        }
        list_settings(call->host, settings);
        for (size_t i = 0; i < SETTING_COUNT; i++)
                count += is_asked(request, settings[i].name);
        resp_put_array(call->reply, 2 * count);
        for (size_t i = 0; i < SETTING_COUNT; i++) {
                if (!is_asked(request, settings[i].name))
                        continue;
                resp_put_text(call->reply, settings[i].name);
                resp_put_text(call->reply, settings[i].value);
        }
}

/* All sections, whichever are asked for: it is short. */
void command_info(struct command_call *call)
{
        const struct command_host *host = call->host;
        struct store_stats store = store_stats(call->store);
        struct flusher_stats flusher = flusher_stats(host->flusher);
        struct hot_stats hot = hot_stats(host->hot);
        char text[INFO_BYTES_MAX];

        (void)snprintf(text, sizeof(text),
                       "# Server\r\n"
                       "server_name:kvd\r\n"
                       "redis_mode:standalone\r\n"
                       "process_id:%d\r\n"
                       "tcp_port:%u\r\n"
                       "uptime_in_seconds:%" PRIu64 "\r\n"
                       "\r\n# Clients\r\n"
                       "connected_clients:%" PRIu64 "\r\n"
                       "maxclients:%" PRIu64 "\r\n"
                       "client_buffer_bytes:%zu\r\n"
                       "blocked_clients:0\r\n"
                       "\r\n# Memory\r\n"
                       "used_memory:%" PRIu64 "\r\n"
                       "maxmemory:%" PRIu64 "\r\n"
                       "\r\n# Persistence\r\n"
                       "flusher_ticks:%" PRIu64 "\r\n"
                       "flusher_paused:%d\r\n"
                       "saves:%" PRIu64 "\r\n"
                       "saves_failed:%" PRIu64 "\r\n"
                       "\r\n# Stats\r\n"
                       "total_connections_received:%" PRIu64 "\r\n"
                       "total_commands_processed:%" PRIu64 "\r\n"
                       "keyspace_hits:%" PRIu64 "\r\n"
                       "keyspace_misses:%" PRIu64 "\r\n"
                       "expired_keys:%" PRIu64 "\r\n"
                       "hot_entries:%" PRIu64 "\r\n"
                       "hot_hits:%" PRIu64 "\r\n"
                       "hot_misses:%" PRIu64 "\r\n"
                       "\r\n# Keyspace\r\n"
                       "db0:keys=%" PRIu64 ",expires=0,avg_ttl=0\r\n",
                       (int)getpid(), host->port, (call->now_ms - host->started_ms) / 1000,
                       host->clients, host->options->clients_max, host->buffers->used_bytes,
                       store.bytes, host->options->memory_bytes_max, flusher.ticks,
                       flusher.is_paused, flusher.saves, flusher.saves_failed, host->connections,
                       host->commands, store.hits, store.misses, store.expired, hot.entries,
                       hot.hits, hot.misses, store.keys);
        resp_put_text(call->reply, text);
}
