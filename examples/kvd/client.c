/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a peer may send half a request, ten at once, or never read its replies, and must
 * not be able to hurt anybody but itself.
 */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tocsin.h>

#include "clock.h"

TOC_MODULE_PART(kvd);

TOC_LEVEL(open_connections, "Connections open now",
          TOC_ALERT(value, <, 0, TOC_WARN, "more connections ended than began: a counting error"),
          TOC_RUNBOOK("examples/kvd/README.md#failed-check"));
TOC_COUNTER(resets, "Connections that broke instead of being closed",
            TOC_QUIET("peers crash and networks fail; nothing here can be done about it"));
TOC_COUNTER(stalled, "Connections closed because they stopped half-way",
            TOC_ALERT(per_minute, >, 60, TOC_WARN, "clients stop reading or writing half-way"),
            TOC_RUNBOOK("examples/kvd/README.md#stalled-clients"));
TOC_COUNTER(cut_off, "Connections closed because a buffer could not grow",
            TOC_ALERT(per_minute, >, 0, TOC_WARN,
                      "a client lost its connection to a limit of ours"),
            TOC_RUNBOOK("examples/kvd/README.md#buffers-full"));

struct resp_limits client_limits(const struct options *options)
{
        /* SET with a key and a value of full size, and its options. */
        return (struct resp_limits){ options->bulk_bytes_max, 2 * options->bulk_bytes_max + 4096 };
}

struct client *client_new_take(int fd, uint64_t id, const struct options *options,
                               struct purse *purse)
{
        struct client *client = calloc(1, sizeof(*client));
        size_t reply_max = CLIENT_OUTPUT_SOFT + options->bulk_bytes_max + COMMAND_REPLY_MAX;

        if (!client) {
                (void)close(fd); /* nothing was written to it */
                return NULL;
        }
        client->fd = fd;
        client->session.id = id;
        client->progress_ms = clock_boot_ms();
        client->limits = client_limits(options);
        buffer_init(&client->input, client->limits.request_max + CLIENT_READ_BYTES, purse);
        buffer_init(&client->output, reply_max, purse);
        toc_raise(open_connections, 1);
        return client;
}

void client_free(struct client **client)
{
        if (!*client)
                return;
        toc_lower(open_connections, 1);
        buffer_fini(&(*client)->input);
        buffer_fini(&(*client)->output);
        (void)close((*client)->fd); /* what could be sent has been */
        free(*client);
        *client = NULL;
}

static bool is_reading(const struct client *client)
{
        return client->state == CLIENT_SERVING && !client->input_ended && !client->is_runnable &&
               buffer_pending(&client->output) < CLIENT_OUTPUT_SOFT;
}

/* The last words before the connection is closed from our side. What came in is given back first:
 * nobody will run it, and its memory may be all that is left to speak with. */
static void end_with(struct client *client, const char *error)
{
        buffer_fini(&client->input);
        resp_put_error(&client->output, "ERR %s", error);
        client->state = CLIENT_ENDING;
        client->is_runnable = false;
}

/* Takes what recv() said: 0 when reading may go on some time, or CLIENT_DONE. */
static int judge_receive(struct client *client, ssize_t n)
{
        if (n > 0) {
                client->progress_ms = clock_boot_ms();
                return 0;
        }
        if (n == 0) {
                client->input_ended = true;
                return 0;
        }
        if (errno == EAGAIN || errno == EINTR)
                return 0;
        toc_count(resets);
        return CLIENT_DONE;
}

static int receive(struct client *client)
{
        int result = buffer_reserve(&client->input, CLIENT_READ_BYTES);
        size_t room;
        char *to;
        ssize_t n;

        if (result) {
                (void)TOC_EXPECT(result != -EMSGSIZE, TOC_WARN,
                                 "the input buffer is smaller than the requests it must hold");
                toc_count(cut_off);
                end_with(client, "no buffer memory for this request");
                return 0;
        }
        to = buffer_room(&client->input, &room);
        n = recv(client->fd, to, room, MSG_DONTWAIT);
        if (n > 0)
                buffer_produced(&client->input, (size_t)n);
        client->is_runnable = buffer_pending(&client->input) >= client->needed;
        return judge_receive(client, n);
}

/* Drops what still comes, so that closing does not make the kernel discard our last words. */
static int drain(struct client *client)
{
        char dropped[CLIENT_READ_BYTES];
        ssize_t n = recv(client->fd, dropped, sizeof(dropped), MSG_DONTWAIT);

        return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)) ? 0 : CLIENT_DONE;
}

static int transmit(struct client *client)
{
        while (buffer_pending(&client->output) > 0) {
                ssize_t n = send(client->fd, buffer_view(&client->output),
                                 buffer_pending(&client->output), MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return 0;
                if (n < 0) {
                        toc_count(resets);
                        return CLIENT_DONE;
                }
                client->progress_ms = clock_boot_ms();
                buffer_consume(&client->output, (size_t)n);
        }
        return 0;
}

/* Runs one request, if there is a complete one. */
static void run_next(struct client *client, struct command_host *host)
{
        static struct resp_request request; /* 16 KiB; one thread, and not kept between calls */
        struct resp_view bytes = { buffer_view(&client->input), buffer_pending(&client->input) };
        int result = resp_parse(bytes, &client->limits, &request);

        client->needed = 0;
        if (result == RESP_PARTIAL) {
                client->needed = request.bytes;
                client->is_runnable = false;
                return;
        }
        if (result < 0) {
                end_with(client, request.reason);
                return;
        }
        if (request.count > 0)
                command_run(host, &client->session, &request, &client->output);
        buffer_consume(&client->input, request.bytes);
        if (client->session.wants_close) {
                client->state = CLIENT_ENDING;
                client->is_runnable = false;
        }
}

/* Runs requests until there is none, or enough to send. */
static int answer(struct client *client, struct command_host *host)
{
        while (client->is_runnable && buffer_pending(&client->output) < CLIENT_OUTPUT_SOFT)
                run_next(client, host);
        if (client->output.error == 0)
                return 0;
        (void)TOC_EXPECT(client->output.error != -EMSGSIZE, TOC_WARN,
                         "a reply was longer than command.h promises");
        toc_count(cut_off);
        return CLIENT_DONE; /* a reply has a hole in it: nothing more can be said */
}

/* What follows once all is sent. */
static int part(struct client *client)
{
        if (client->input_ended && !client->is_runnable)
                return CLIENT_DONE;
        if (client->state == CLIENT_ENDING) {
                client->state = CLIENT_LINGERING;
                client->progress_ms = clock_boot_ms();
                return shutdown(client->fd, SHUT_WR) ? CLIENT_DONE : 0;
        }
        return 0;
}

int client_step(struct client *client, uint32_t events, struct command_host *host)
{
        int result = 0;

        if (client->state == CLIENT_LINGERING)
                return drain(client);
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && is_reading(client))
                result = receive(client);
        for (int round = 0; result == 0 && round < CLIENT_ROUNDS_MAX; round++) {
                result = answer(client, host);
                if (result == 0)
                        result = transmit(client);
                if (!client->is_runnable || buffer_pending(&client->output) > 0)
                        break;
        }
        if (result == 0 && buffer_pending(&client->output) == 0)
                result = part(client);
        return result;
}

uint32_t client_wants(const struct client *client)
{
        uint32_t wants = 0;

        if (client->state == CLIENT_LINGERING)
                return EPOLLIN;
        if (is_reading(client))
                wants |= EPOLLIN;
        /* More to run counts as more to send: it has its turn when the socket is writable. */
        if (client->is_runnable || buffer_pending(&client->output) > 0)
                wants |= EPOLLOUT;
        return wants;
}

int client_check_time(const struct client *client, uint64_t now_ms, uint64_t stall_ms)
{
        uint64_t still_ms = now_ms > client->progress_ms ? now_ms - client->progress_ms : 0;

        if (client->state == CLIENT_LINGERING)
                return still_ms > CLIENT_LINGER_MS ? CLIENT_DONE : 0;
        if (buffer_pending(&client->input) == 0 && buffer_pending(&client->output) == 0)
                return 0; /* nobody owes anybody anything */
        if (still_ms <= stall_ms)
                return 0;
        toc_count(stalled);
        return CLIENT_DONE;
}
