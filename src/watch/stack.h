/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack.h - return addresses of another process as names: "kvd+0x1234 store_put+0x10 (store.c:41)".
 *
 * The module comes from the process's map; function and line from its ELF and DWARF data, read by
 * libdw in a thread of its own, because that may take long and the watcher may not wait. What is
 * not known in time is left out. The process need not live any more.
 *
 * Ownership: nothing is kept. Threads: one asks at a time. Errors: none; without a map an address
 * stands for itself, "0x55d0c0de1234".
 * Limits:    SEGMENT_STACK_MAX addresses, stack_line_bytes a line, the time that the caller gives.
 */
#ifndef WATCH_STACK_H
#define WATCH_STACK_H

#include "base/text.h"
#include "probe/segment.h"

enum { stack_line_bytes = 200 };

struct stack_reader;

int stack_reader_new(struct stack_reader **ret_reader);

/* Ends the thread; if it is deep in somebody's debug data, it is left behind. */
void stack_reader_free(struct stack_reader **reader);

/* maps: as procfs_maps() took it. reader may be NULL: then modules only. */
void stack_describe(struct stack_reader *reader, const struct text *maps, const uint64_t *addresses,
                    size_t count, uint64_t time_max_ns,
                    char ret_lines[SEGMENT_STACK_MAX][stack_line_bytes]);

/* What lies there, "kvd+0x4010 vault": of variables that have a symbol. */
void stack_describe_object(struct stack_reader *reader, const struct text *maps, uint64_t address,
                           uint64_t time_max_ns, char ret_line[stack_line_bytes]);

#endif
