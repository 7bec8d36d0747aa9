/* SPDX-License-Identifier: Apache-2.0 */
/* locks.h - what the programs that take locks in every order share. Each scenario is a function of
 * lock_order.c or lock_held.c; when it is over, or has come to where it waits for ever, it says so
 * with locks_say(), and the process stays until its input ends, for somebody to read what is
 * published. Errors: end the process. */
#ifndef TESTS_INSIDE_LOCKS_H
#define TESTS_INSIDE_LOCKS_H

#include <pthread.h>
#include <stdint.h>

#define LOCKS_SITE __attribute__((noinline))

struct locks_scenario {
        const char *name;
        void (*run)(void);
};

extern const struct locks_scenario locks_order[], locks_held[]; /* the last has no name */

/* Runs in a thread of its own, to the end. */
void locks_do(void (*work)(void));

/* Runs on. */
pthread_t locks_start(void *(*work)(void *), void *argument);

/* "name value", a line. */
void locks_say(const char *name, uint64_t value);
#define LOCKS_SAY(lock) locks_say(#lock, (uint64_t)(uintptr_t) & (lock))

/* Until somebody writes a line, or the input ends. */
void locks_pause(void);

void locks_lock(pthread_mutex_t *lock);
void locks_unlock(pthread_mutex_t *lock);

/* A mutex that was made at one place, whoever asks. */
void locks_make(pthread_mutex_t *lock);

#endif
