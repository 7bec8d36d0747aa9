/* SPDX-License-Identifier: Apache-2.0 */
/* fault_duet.c - no lock is wrong, and yet nothing moves on: two that give way to each other. */
#include "faults.h"

#include <stdlib.h>

#include <tocsin.h>

TOC_MODULE(duet, "Two who need two locks each");
TOC_FLOW(bars, "Bars to be played, for which both locks are needed",
         TOC_ALERT(stalled_ms, >, 2000, TOC_PAGE, "the players do not get on"));

static void must(int failed)
{
        if (failed)
                exit(9);
}

static struct {
        pthread_mutex_t locks[2];
        pthread_barrier_t both;
} stage = { .locks = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER } };

/* Whether it got both. Each holds its own when the other asks for it: they are that polite. */
static FAULTS_SITE bool play_in_step(size_t who)
{
        bool has_both;
        TOC_ENTER(duet);

        must(pthread_mutex_lock(&stage.locks[who]));
        (void)pthread_barrier_wait(&stage.both); /* one of them is told that it is the last */
        has_both = pthread_mutex_trylock(&stage.locks[1 - who]) == 0;
        (void)pthread_barrier_wait(&stage.both);
        if (has_both)
                must(pthread_mutex_unlock(&stage.locks[1 - who]));
        must(pthread_mutex_unlock(&stage.locks[who]));
        return has_both;
}

/* Who gets nothing waits for as long as nobody else does. */
static FAULTS_SITE bool play_by_turns(size_t who)
{
        bool has_both;
        TOC_ENTER(duet);

        must(pthread_mutex_lock(&stage.locks[who]));
        has_both = pthread_mutex_trylock(&stage.locks[1 - who]) == 0;
        if (has_both)
                must(pthread_mutex_unlock(&stage.locks[1 - who]));
        must(pthread_mutex_unlock(&stage.locks[who]));
        faults_pause_ms(has_both ? 1 : 2 + 3 * (unsigned)who);
        return has_both;
}

/* One try; what could not be played is tried again. */
static bool play_bar(size_t who, bool in_step)
{
        bool has_both = in_step ? play_in_step(who) : play_by_turns(who);

        if (has_both)
                toc_out(bars, 1);
        return has_both;
}

static void play(size_t who, bool gets_stuck)
{
        for (;;) {
                toc_in(bars, 1);
                while (!play_bar(who, gets_stuck && faults_has_begun()))
                        faults_pause_ms(1);
                faults_pause_ms(1);
        }
}

static void *play_second(void *gets_stuck)
{
        play(1, gets_stuck);
        return NULL;
}

static void play_both(int *gets_stuck)
{
        must(pthread_barrier_init(&stage.both, NULL, 2));
        (void)faults_thread(play_second, gets_stuck);
        play(0, gets_stuck);
}

void livelock(void)
{
        static int yes;

        play_both(&yes);
}

void livelock_not(void)
{
        play_both(NULL);
}
