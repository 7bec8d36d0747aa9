/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that every number from the command line has a range, and the help says the same.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "hot.h"
#include "snapshot.h"

enum kind { FLAG, TEXT, NUMBER, SIZE };

struct row {
        const char *name;
        enum kind kind;
        size_t offset; /* in struct options */
        uint64_t min;
        uint64_t max;
        const char *argument;
        const char *help;
};

#define AT(field) offsetof(struct options, field)

static const struct row rows[] = {
        { "port", NUMBER, AT(port), 0, 65535, "N", "listen there; 0: any free port (6380)" },
        { "bind", TEXT, AT(bind), 1, 45, "ADDRESS", "IPv4 or IPv6 address (127.0.0.1)" },
        { "port-file", TEXT, AT(port_file), 1, 4000, "FILE", "write the port there when ready" },
        { "max-clients", NUMBER, AT(clients_max), 1, 100000, "N", "connections at once (1000)" },
        { "max-keys", NUMBER, AT(keys_max), 1, STORE_KEYS_LIMIT, "N", "keys held (1000000)" },
        { "max-memory", SIZE, AT(memory_bytes_max), 4096, UINT64_C(1) << 44, "BYTES",
          "keys and values held (256M)" },
        { "hot", NUMBER, AT(hot_values), 0, HOT_VALUES_MAX, "N",
          "recently used values held in front of the store (0: none)" },
        { "max-bulk", SIZE, AT(bulk_bytes_max), 64, ENTRY_TEXT_LIMIT, "BYTES",
          "one argument of a command (1M)" },
        { "max-buffers", SIZE, AT(buffers_bytes_max), 65536, UINT64_C(1) << 44, "BYTES",
          "buffers of all clients (256M)" },
        { "stall-ms", NUMBER, AT(stall_ms), 10, 86400000, "MS",
          "close clients that stop in mid-request or mid-reply (30000)" },
        { "flush-ms", NUMBER, AT(flush_ms), 1, 500, "MS", "tick of the flusher (100)" },
        { "dir", TEXT, AT(directory), 1, 4000, "DIR", "where snapshots are (.)" },
        { "save", TEXT, AT(save), 1, SNAPSHOT_NAME_MAX, "FILE",
          "load this snapshot at start, write it when keys change" },
        { "save-ms", NUMBER, AT(save_ms), 1, 86400000, "MS", "but at most that often (1000)" },
        { "enable-debug", FLAG, AT(has_debug), 0, 0, NULL,
          "accept DEBUG TOCSIN, which breaks things on purpose" },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]), OPTION_HELP = 'h' };

static void print_help(void)
{
        printf("Usage: kvd [OPTION]...\n"
               "A small key-value server that speaks the Redis protocol, and tells when it hurts.\n"
               "\n");
        for (size_t i = 0; i < ROW_COUNT; i++) {
                char left[40];

                (void)snprintf(left, sizeof(left), "--%s%s%s", rows[i].name,
                               rows[i].argument ? " " : "",
                               rows[i].argument ? rows[i].argument : "");
                printf("  %-22s %s\n", left, rows[i].help);
        }
        printf("  %-22s %s\n", "--help", "print this");
        printf("\n"
               "BYTES may end in K, M or G.\n"
               "SIGTERM and SIGINT end kvd with exit status 0, after a last save.\n"
               "\n"
               "Examples:\n"
               "  kvd                                      serve on 127.0.0.1:6380, in memory\n"
               "  kvd --port 0 --port-file port            take a free port and say which\n"
               "  kvd --dir /var/lib/kvd --save kvd.snap   survive a restart\n"
               "  tocsin run -- kvd --enable-debug         be watched; then break it:\n"
               "      redis-cli -p 6380 debug tocsin stop-flusher\n");
}

/* 0 or -EINVAL. A number of SIZE may end in K, M or G. */
static int parse_number(const struct row *row, const char *text, uint64_t *ret_number)
{
        unsigned shift = 0;
        uint64_t number = 0;
        const char *c = text;

        for (; *c >= '0' && *c <= '9'; c++) {
                if (number > (UINT64_MAX - 9) / 10)
                        return -EINVAL;
                number = number * 10 + (uint64_t)(*c - '0');
        }
        if (c == text)
                return -EINVAL;
        if (row->kind == SIZE && *c) {
                const char *units = "KMG";
                const char *unit = strchr(units, *c++);

                if (!unit)
                        return -EINVAL;
                shift = (unsigned)(unit - units + 1) * 10;
        }
        if (*c || number > row->max >> shift || number << shift < row->min)
                return -EINVAL;
        *ret_number = number << shift;
        return 0;
}

static int store_row(const struct row *row, const char *text, struct options *options)
{
        char *field = (char *)options + row->offset;
        size_t length = text ? strlen(text) : 0;

        if (row->kind == FLAG) {
                *(bool *)field = true;
                return 0;
        }
        if (row->kind == TEXT) {
                if (length < row->min || length > row->max)
                        return -EINVAL;
                *(const char **)field = text;
                return 0;
        }
        return parse_number(row, text, (uint64_t *)field);
}

static void complain(const struct row *row, const char *text)
{
        if (row->kind == TEXT)
                fprintf(stderr, "kvd: --%s wants 1 to %llu characters\n", row->name,
                        (unsigned long long)row->max);
        else
                fprintf(stderr, "kvd: --%s wants a number from %llu to %llu, not '%s'\n", row->name,
                        (unsigned long long)row->min, (unsigned long long)row->max, text);
}

static void fill_table(struct option table[ROW_COUNT + 2])
{
        for (size_t i = 0; i < ROW_COUNT; i++)
                table[i] = (struct option){ rows[i].name, rows[i].argument ? 1 : 0, NULL, 0 };
        table[ROW_COUNT] = (struct option){ "help", 0, NULL, OPTION_HELP };
        table[ROW_COUNT + 1] = (struct option){ NULL, 0, NULL, 0 };
}

/* What one option alone cannot tell. */
static int check(const struct options *options)
{
        if (options->save && strchr(options->save, '/')) {
                fprintf(stderr, "kvd: --save is a file name; its directory is --dir\n");
                return OPTIONS_WRONG;
        }
        return 0;
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
        struct options options = {
                .bind = "127.0.0.1",
                .directory = ".",
                .port = 6380,
                .clients_max = 1000,
                .keys_max = 1000000,
                .memory_bytes_max = 256 << 20,
                .bulk_bytes_max = 1 << 20,
                .buffers_bytes_max = 256 << 20,
                .stall_ms = 30000,
                .flush_ms = 100,
                .save_ms = 1000,
        };
        struct option table[ROW_COUNT + 2];
        int at = 0, found;

        fill_table(table);
        while ((found = getopt_long(argc, argv, "h", table, &at)) != -1) {
                if (found == OPTION_HELP) {
                        print_help();
                        return OPTIONS_HELP;
                }
                if (found != 0) {
                        fprintf(stderr, "kvd: see kvd --help\n");
                        return OPTIONS_WRONG;
                }
                if (store_row(&rows[at], optarg, &options)) {
                        complain(&rows[at], optarg);
                        return OPTIONS_WRONG;
                }
        }
        if (optind < argc) {
                fprintf(stderr, "kvd: '%s' is not an option; see kvd --help\n", argv[optind]);
                return OPTIONS_WRONG;
        }
        if (check(&options))
                return OPTIONS_WRONG;
        *ret_options = options;
        return 0;
}
