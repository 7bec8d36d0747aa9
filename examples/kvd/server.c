/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because one thread that never waits for anybody serves thousands who are waited for.
 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tocsin.h>

#include "client.h"
#include "clock.h"
#include "listener.h"

TOC_MODULE_PART(kvd);

TOC_HEARTBEAT(event_loop, "Turns of the loop that serves clients, also when idle",
              TOC_ALERT(silent_ms, >, 700, TOC_PAGE, "the event loop hangs: nobody is served"),
              TOC_RUNBOOK("examples/kvd/README.md#event-loop-silent"));
TOC_COUNTER(connections, "Connections accepted",
            TOC_ALERT(per_second, >, 1000, TOC_WARN, "clients connect anew for every command",
                      .hold_s = 60),
            TOC_RUNBOOK("examples/kvd/README.md#connection-storm"));
TOC_COUNTER(turned_away, "Connections refused because --max-clients are open",
            TOC_ALERT(per_minute, >, 0, TOC_PAGE, "clients are turned away: all places are taken"),
            TOC_RUNBOOK("examples/kvd/README.md#too-many-clients"));
TOC_GAUGE(clients_percent, "Connections open, of --max-clients",
          TOC_ALERT(value, >=, 80, TOC_WARN, "room for clients runs out", .clear_at = 70),
          TOC_ALERT(value, >=, 95, TOC_PAGE, "room for clients is gone", .clear_at = 90),
          TOC_RUNBOOK("examples/kvd/README.md#too-many-clients"));

enum {
        EVENTS_MAX = 64,  /* a turn */
        ACCEPTS_MAX = 64, /* a turn */
        TURN_MS = 100,    /* the longest wait: the loop beats although nobody calls */
        CHECK_MS = 200,   /* between two looks at the clients' time */
};

struct server {
        const struct options *options;
        struct command_host host;
        struct purse purse;
        int epoll;
        int listener;
        int signals;
        bool is_accepting; /* false after accept() ran out of something, until the next check */
        uint64_t checked_ms;
        uint64_t last_id;
        struct client *clients;
};

static int watch(struct server *server, int fd, uint32_t events, void *tag)
{
        struct epoll_event event = { .events = events, .data = { .ptr = tag } };

        return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int rewatch(struct server *server, int fd, uint32_t events, void *tag)
{
        struct epoll_event event = { .events = events, .data = { .ptr = tag } };

        return epoll_ctl(server->epoll, EPOLL_CTL_MOD, fd, &event) ? -errno : 0;
}

static int open_signals(void)
{
        sigset_t set;

        (void)sigemptyset(&set); /* these three cannot fail for signals that exist */
        (void)sigaddset(&set, SIGTERM);
        (void)sigaddset(&set, SIGINT);
        return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int open_all(struct server *server)
{
        const struct options *options = server->options;
        int result = listener_open(options->bind, (uint16_t)options->port, &server->listener,
                                   &server->host.port);

        if (result)
                return result;
        server->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (server->epoll < 0)
                return -errno;
        server->signals = open_signals();
        if (server->signals < 0)
                return -errno;
        result = watch(server, server->listener, EPOLLIN, &server->listener);
        return result ? result : watch(server, server->signals, EPOLLIN, &server->signals);
}

int server_open(struct server **ret_server, const struct options *options, struct vault *vault,
                struct flusher *flusher)
{
        struct server *server = calloc(1, sizeof(*server));
        int result;

        if (!server)
                return -ENOMEM;
        server->options = options;
        server->purse =
                (struct purse){ .bytes_max = options->buffers_bytes_max, .is_watched = true };
        server->host = (struct command_host){ .options = options,
                                              .vault = vault,
                                              .flusher = flusher,
                                              .buffers = &server->purse,
                                              .started_ms = clock_boot_ms() };
        server->epoll = server->listener = server->signals = -1;
        server->is_accepting = true;
        result = options->hot_values ? hot_new(&server->host.hot, options->hot_values) : 0;
        if (result == 0)
                result = open_all(server);
        if (result) {
                server_close(&server);
                return result;
        }
        *ret_server = server;
        return 0;
}

static void publish(const struct server *server)
{
        toc_set(clients_percent,
                (int64_t)(server->host.clients * 100 / server->options->clients_max));
}

static void add(struct server *server, struct client *client)
{
        client->next = server->clients;
        if (client->next)
                client->next->previous = client;
        server->clients = client;
        server->host.clients++;
        publish(server);
}

static void remove_and_free(struct server *server, struct client *client)
{
        if (client->previous)
                client->previous->next = client->next;
        else
                server->clients = client->next;
        if (client->next)
                client->next->previous = client->previous;
        client_free(&client);
        if (TOC_EXPECT_CMP(server->host.clients, >, 0, TOC_WARN,
                           "a connection ended that was not counted"))
                server->host.clients--;
        publish(server);
        (void)TOC_EXPECT((server->clients == NULL) == (server->host.clients == 0), TOC_WARN,
                         "the number of clients differs from the list of clients");
        if (!server->clients)
                (void)TOC_EXPECT_CMP(server->purse.used_bytes, ==, 0, TOC_WARN,
                                     "buffer memory stays charged without any client");
}

void server_close(struct server **server)
{
        struct server *leaving = *server;

        if (!leaving)
                return;
        while (leaving->clients)
                remove_and_free(leaving, leaving->clients);
        /* Nothing is written to these, so closing has nothing to tell. */
        if (leaving->listener >= 0)
                (void)close(leaving->listener);
        if (leaving->signals >= 0)
                (void)close(leaving->signals);
        if (leaving->epoll >= 0)
                (void)close(leaving->epoll);
        hot_free(&leaving->host.hot);
        free(leaving);
        *server = NULL;
}

void server_beat(void)
{
        toc_beat(event_loop);
}

uint16_t server_port(const struct server *server)
{
        return server->host.port;
}

static void turn_away(int fd)
{
        static const char words[] = "-ERR max number of clients reached\r\n";

        toc_count(turned_away);
        /* A courtesy: if it does not fit, the client sees the end all the same. */
        (void)send(fd, words, sizeof(words) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)close(fd);
}

static void welcome(struct server *server, int fd)
{
        struct client *client;
        int result;

        toc_count(connections);
        server->host.connections++;
        if (server->host.clients >= server->options->clients_max) {
                turn_away(fd);
                return;
        }
        client = client_new_take(fd, ++server->last_id, server->options, &server->purse);
        if (!client) {
                (void)TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for a connection");
                return;
        }
        client->armed = EPOLLIN;
        result = watch(server, fd, EPOLLIN, client);
        if (result) {
                client_free(&client);
                (void)TOC_ERROR(result, TOC_USUAL, "cannot watch a connection: %s",
                                strerrordesc_np(-result));
                return;
        }
        add(server, client);
}

/* Out of descriptors or memory: the connection stays in the backlog, so stop asking for a while. */
static void stop_accepting(struct server *server, int error)
{
        (void)TOC_ERROR(error,
                        TOC_ALERT(per_minute, >, 0, TOC_PAGE,
                                  "accept fails: new clients wait until something is freed"),
                        "cannot accept: %s", strerrordesc_np(-error));
        server->is_accepting = false;
        (void)rewatch(server, server->listener, 0, &server->listener); /* was added: cannot fail */
}

static void resume_accepting(struct server *server)
{
        if (server->is_accepting)
                return;
        server->is_accepting = true;
        (void)rewatch(server, server->listener, EPOLLIN, &server->listener); /* as above */
}

static void accept_some(struct server *server)
{
        for (int i = 0; i < ACCEPTS_MAX; i++) {
                int fd, result = listener_accept(server->listener, &fd);

                if (result == 0) {
                        welcome(server, fd);
                        continue;
                }
                if (result == -EMFILE || result == -ENFILE || result == -ENOBUFS ||
                    result == -ENOMEM)
                        stop_accepting(server, result);
                if (result == -ECONNABORTED || result == -EINTR)
                        continue; /* that one has gone; others may wait */
                return;
        }
}

static void serve(struct server *server, struct client *client, uint32_t events)
{
        int result = client_step(client, events, &server->host);
        uint32_t wants = result ? 0 : client_wants(client);

        if (result == 0 && wants != client->armed) {
                result = rewatch(server, client->fd, wants, client);
                if (result)
                        (void)TOC_ERROR(result, TOC_USUAL, "cannot watch a connection: %s",
                                        strerrordesc_np(-result));
                client->armed = wants;
        }
        if (result)
                remove_and_free(server, client);
}

static void check_time(struct server *server)
{
        uint64_t now_ms = clock_boot_ms();
        struct client *next;

        if (now_ms - server->checked_ms < CHECK_MS)
                return;
        server->checked_ms = now_ms;
        resume_accepting(server);
        for (struct client *client = server->clients; client; client = next) {
                next = client->next;
                if (client_check_time(client, now_ms, server->options->stall_ms))
                        remove_and_free(server, client);
        }
}

/* One turn. True: it is time to end. */
static bool handle(struct server *server, const struct epoll_event *events, int count)
{
        bool is_over = false;

        for (int i = 0; i < count; i++) {
                void *tag = events[i].data.ptr;

                if (tag == &server->signals)
                        is_over = true;
                else if (tag == &server->listener)
                        accept_some(server);
                else
                        serve(server, tag, events[i].events);
        }
        return is_over;
}

int server_run(struct server *server)
{
        struct epoll_event events[EVENTS_MAX];
        bool is_over = false;

        while (!is_over) {
                int count = epoll_wait(server->epoll, events, EVENTS_MAX, TURN_MS);

                if (count < 0 && errno != EINTR)
                        return TOC_ERROR(-errno, TOC_USUAL, "cannot wait for events: %s",
                                         strerrordesc_np(errno));
                server_beat();
                is_over = handle(server, events, count);
                check_time(server);
        }
        return 0;
}
