/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.h - what a module keeps while nobody is in it: an analyser as insight.h describes.
 *
 * A module rests if no thread was inside it, at any depth, for idle_looks looks running, and if it
 * made no block between the last two ticks: so nothing of what lives belongs to work that goes on
 * (quiescence). What lived then stands until it rests again. A module that the program never
 * leaves never rests: 0. Nor does `process`, which nobody enters.
 *
 * Units: bytes. Ownership: none. Threads: one. Errors: none. Limits: INSIDE_MODULES.
 */
#ifndef WATCH_IDLE_H
#define WATCH_IDLE_H

#include "watch/insight.h"

enum { idle_looks = 5 };

struct idle {
        struct {
                uint64_t made;  /* blocks, until the last tick */
                uint32_t looks; /* running, at which nobody was in it */
        } module[INSIDE_MODULES];
};

void idle_glance(struct idle *idle, const struct picture *picture);
void idle_see(struct idle *idle, const struct picture *picture, struct insight *insight);

#endif
