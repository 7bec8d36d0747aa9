/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvd - a small key-value server, and an example of how a real server carries probes.
 *
 * This file puts the parts together in order and takes them apart in the reverse order. README.md
 * says how to run it, what each alert means, and how to break it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strerrordesc_np(), also when somebody compiles this by hand (README.md) */
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <tocsin.h>

#include "server.h"

TOC_MODULE(kvd, "Connections and the event loop that serves them",
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN,
                              "kvd reports errors about connections")));

enum { EXIT_USAGE = 2, SPARE_DESCRIPTORS = 32 };

static int complain(const char *what, int error)
{
        fprintf(stderr, "kvd: %s: %s\n", what, strerrordesc_np(-error));
        return EXIT_FAILURE;
}

/* The signals that end us are read by the event loop; threads inherit that they are blocked. */
static void block_signals(void)
{
        sigset_t set;

        (void)sigemptyset(&set); /* none of these can fail for signals that exist */
        (void)sigaddset(&set, SIGTERM);
        (void)sigaddset(&set, SIGINT);
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Both loops stand still while the snapshot is loaded or saved for the last time: no alarm. */
static void beat_for_both(void)
{
        server_beat();
        flusher_beat();
}

/* A descriptor for each client that we promise to serve, or no start. */
static int reserve_descriptors(uint64_t clients_max)
{
        rlim_t wanted = clients_max + SPARE_DESCRIPTORS;
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit))
                return -errno;
        if (limit.rlim_cur >= wanted)
                return 0;
        limit.rlim_cur = wanted;
        if (limit.rlim_max < wanted)
                return -EMFILE;
        return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

/* Replaces the file, so that who waits for it never reads half a number. */
static int write_port(const char *path, uint16_t port)
{
        char draft[4096 + 8];
        FILE *file;
        int result;

        (void)snprintf(draft, sizeof(draft), "%s.new", path);
        file = fopen(draft, "we");
        if (!file)
                return -errno;
        result = fprintf(file, "%u\n", port) < 0 ? -EIO : 0;
        if (fclose(file) && result == 0)
                result = -errno;
        if (result == 0 && rename(draft, path))
                result = -errno;
        return result;
}

static int announce(const struct options *options, uint16_t port)
{
        int result = options->port_file ? write_port(options->port_file, port) : 0;

        if (result)
                return complain(options->port_file, result);
        printf("kvd: ready on %s port %u\n", options->bind, port);
        if (fflush(stdout))
                return complain("standard output", -errno);
        return 0;
}

/* Serves until told to end. 0 or an exit status. */
static int serve(const struct options *options, struct vault *vault, struct flusher *flusher)
{
        struct server *server = NULL;
        int result = server_open(&server, options, vault, flusher);

        if (result)
                return complain("cannot listen", result);
        result = announce(options, server_port(server));
        if (result == 0) {
                result = server_run(server);
                if (result)
                        result = complain("event loop", result);
        }
        server_close(&server);
        return result;
}

static int serve_with_flusher(const struct options *options, struct vault *vault, int directory)
{
        struct flusher_options flushing = { .vault = vault,
                                            .file = { directory, options->save },
                                            .interval_ms = (uint32_t)options->flush_ms,
                                            .save_ms = (uint32_t)options->save_ms };
        struct flusher *flusher = NULL;
        int status, result = flusher_start(&flusher, &flushing);

        if (result)
                return complain("cannot start the flusher", result);
        status = serve(options, vault, flusher);
        result = flusher_stop(&flusher, beat_for_both);
        if (result)
                return complain("the last snapshot failed, the one before is left", result);
        return status;
}

/* 0 or an exit status. A snapshot that cannot be loaded must not be overwritten: no start. */
static int load(const struct options *options, struct vault *vault, int directory)
{
        struct snapshot_file file = { directory, options->save };
        int result = options->save ? snapshot_read(&file, vault->store, beat_for_both) : 0;

        if (result == SNAPSHOT_TOO_BIG) {
                fprintf(stderr,
                        "kvd: snapshot '%s' does not fit; raise --max-keys or "
                        "--max-memory\n",
                        options->save);
                return EXIT_FAILURE;
        }
        if (result == -EBADMSG) {
                fprintf(stderr, "kvd: snapshot '%s' is damaged; move it away to start without\n",
                        options->save);
                return EXIT_FAILURE;
        }
        return result < 0 ? complain(options->save, result) : 0;
}

static int run(const struct options *options)
{
        struct store_limits limits = { options->keys_max, options->memory_bytes_max };
        struct hash_seed seed;
        struct vault vault;
        int status, result, directory;

        if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
                return complain("no random numbers", -EIO);
        result = reserve_descriptors(options->clients_max);
        if (result)
                return complain("--max-clients needs more descriptors than ulimit -n", result);
        directory = open(options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return complain(options->directory, -errno);
        result = vault_open(&vault, &limits, &seed);
        if (result) {
                (void)close(directory); /* only read from, here and below */
                return complain("no memory for --max-keys", result);
        }
        status = load(options, &vault, directory);
        if (status == 0)
                status = serve_with_flusher(options, &vault, directory);
        vault_close(&vault);
        (void)close(directory);
        return status;
}

int main(int argc, char **argv)
{
        struct options options;
        int result = options_parse(argc, argv, &options);

        if (result == OPTIONS_HELP)
                return EXIT_SUCCESS;
        if (result == OPTIONS_WRONG)
                return EXIT_USAGE;
        block_signals();
        return run(&options);
}
