/* SPDX-License-Identifier: Apache-2.0 */
/* faults.h - what the seeded faults share (faults.def).
 *
 * Each fault is a function that works without a mistake for FAULTS_QUIET_MS, so that windows have
 * something to be compared with; then says faults_begin() and makes it. It runs in a thread of its
 * own, may never come back, and ends with the process.
 *
 * Units: _ms. Errors: what cannot be set up ends the program with status 9. Threads: any. */
#ifndef FAULTS_H
#define FAULTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { FAULTS_QUIET_MS = 2000 };

/* Whether FAULTS_QUIET_MS are over; from the first time on that it says so, the fault has begun. */
bool faults_has_begun(void);

/* Waits until then, and says "FAULT ns" on standard output: CLOCK_MONOTONIC. */
void faults_begin(void);

void faults_pause_ms(unsigned time_ms);

/* Since the start. */
uint64_t faults_age_ms(void);

pthread_t faults_thread(void *(*work)(void *), void *argument);

/* The compiler must not know where it comes from: it would see the mistake and refuse it. */
static inline void *faults_unknown(void *pointer)
{
        __asm__ volatile("" : "+r"(pointer)::"memory");
        return pointer;
}

/* A function of its own, with a name: what rings has to give it. */
#ifdef __clang__
#define FAULTS_SITE __attribute__((noinline))
#else
#define FAULTS_SITE __attribute__((noinline, noclone))
#endif

#define FAULT(name, help) void name(void);
#define TWIN(name, help)  void name(void);
#include "faults.def"
#undef FAULT
#undef TWIN

#endif
