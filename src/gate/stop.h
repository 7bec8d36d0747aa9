/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.h - being asked to end: by a signal, or because the time of --quick is over.
 *
 * Either makes one descriptor readable, at which every sandbox stops; whatever was made is then
 * taken away on the same path as always, and only after that does a signal have its effect.
 *
 * Ownership: one for the process, which keeps the descriptor. Threads: the main one. Units:
 * nanoseconds. Errors: -errno of eventfd(). Limits: a signal that was ignored stays ignored.
 */
#ifndef GATE_STOP_H
#define GATE_STOP_H

#include <stdbool.h>
#include <stdint.h>

int stop_listen(void);
int stop_descriptor(void);

/* By SIGINT, SIGTERM or SIGHUP. */
bool stop_is_asked(void);

/* Which of them; 0: none. */
int stop_signal(void);

/* From now on so much time; one that was over begins anew. At least a second. */
void stop_at(uint64_t in_ns);

/* As the shell expects it of who was interrupted. */
void stop_die(void);

#endif
