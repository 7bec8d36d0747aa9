/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - what the command line of kvd may say.
 *
 * Units: in the names. Ownership: texts are views of argv. Threads: one. Errors: options_parse()
 * tells people on standard error. Limits: each option has its own, in options.c.
 */
#ifndef KVD_OPTIONS_H
#define KVD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
        const char *bind;
        const char *port_file; /* NULL: none */
        const char *directory;
        const char *save; /* NULL: nothing is saved */
        uint64_t port;
        uint64_t clients_max;
        uint64_t keys_max;
        uint64_t memory_bytes_max;
        uint64_t hot_values; /* 0: none are held in front of the store */
        uint64_t bulk_bytes_max;
        uint64_t buffers_bytes_max;
        uint64_t stall_ms;
        uint64_t flush_ms;
        uint64_t save_ms;
        bool has_debug;
};

enum options_outcome {
        OPTIONS_HELP = 1,  /* help was asked for and printed */
        OPTIONS_WRONG = 2, /* the request is wrong, which has been said */
};

int options_parse(int argc, char **argv, struct options *ret_options);

#endif
