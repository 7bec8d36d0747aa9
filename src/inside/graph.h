/* SPDX-License-Identifier: Apache-2.0 */
/* graph.h - which locks were taken while which others were held, and whether that goes round in a
 * circle. Pure: it knows numbers, no locks and no threads.
 *
 * A lock is a number: below GRAPH_CLASSES it stands for all that one place makes, from there on for
 * one lock. The two do not meet in one circle: what is known of a class is never forgotten, of one
 * lock until it ends, or until there are many others.
 *
 * Threads: one at a time but for those that only ask. Errors: none: what finds no
 * room is not known. Memory: static, touched as it is used. */
#ifndef INSIDE_GRAPH_H
#define INSIDE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/inside.h"

#pragma GCC visibility push(hidden)

enum {
        GRAPH_CLASSES = INSIDE_NODES,
        GRAPH_EDGES = 2048, /* between classes */
        GRAPH_GATES = 8,
        GRAPH_WAY_MAX = 8, /* length of a circle */
        GRAPH_ALL = 0xffff,
};

/* Whoever holds `from` takes `to`. */
struct graph_edge {
        uint64_t from, to;
        uint64_t gates[GRAPH_GATES]; /* held besides, each time; 0: none */
        uint32_t thread;             /* the first that did it */
        bool is_by_many;
        bool is_reported;
        uint16_t next; /* of the same `from`; 0: none */
        uint32_t depth;
        uint64_t stack[INSIDE_STACK]; /* of the first time */
};

struct graph_use {
        uint64_t from, to;
        uint32_t thread;
        uint32_t gate_count;
        uint64_t gates[GRAPH_GATES];
        uint32_t depth;
        const uint64_t *stack;
};

/* What closed the circle that this use makes, the edge after this one: NULL if there is none, if it
 * cannot come to a deadlock, or if it was told before. It cannot if one thread alone did it all, or
 * if all of it was done under one other lock. */
const struct graph_edge *graph_use(const struct graph_use *use);

/* The thread from whose using it nothing more can be learnt, or GRAPH_ALL; 0: there is none. Of
 * classes only. */
uint32_t graph_settled(uint64_t from, uint64_t to);

/* True: of classes, and graph_use() would learn nothing from it. Its stack is not looked at. Needs
 * no guard: what is known does not become unknown. */
bool graph_knows(const struct graph_use *use);

bool graph_has_room(void); /* for classes */

/* May be wrong while another thread is at work. */
bool graph_has(uint64_t from, uint64_t to);

/* How many edges between single locks have been learnt; only grows. */
uint32_t graph_learnt(void);

/* Of one lock: it has ended. */
void graph_forget(uint64_t lock);
void graph_forget_all(void);

#pragma GCC visibility pop

#endif
