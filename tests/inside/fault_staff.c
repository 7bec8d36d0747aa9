/* SPDX-License-Identifier: Apache-2.0 */
/* fault_staff.c - threads that never end, or that nobody joins. */
#include "faults.h"

#include <stdlib.h>

#include <tocsin.h>

TOC_MODULE(staff, "Threads that are hired");

static void *sleep_for_ever(void *unused)
{
        for (;;)
                faults_pause_ms(60000);
        return unused;
}

static void *end_at_once(void *unused)
{
        return unused;
}

static FAULTS_SITE pthread_t staff_hire(void *(*work)(void *))
{
        TOC_ENTER(staff);
        pthread_t thread = faults_thread(work, NULL);

        return thread;
}

void thread_leak(void)
{
        faults_begin();
        for (;;) {
                (void)staff_hire(sleep_for_ever);
                faults_pause_ms(400);
        }
}

void thread_leak_not(void)
{
        for (unsigned i = 0; i < 4; i++)
                (void)staff_hire(sleep_for_ever);
        faults_begin();
        for (;;) {
                pthread_t threads[4];

                for (unsigned i = 0; i < 4; i++)
                        threads[i] = staff_hire(end_at_once);
                for (unsigned i = 0; i < 4; i++)
                        if (pthread_join(threads[i], NULL))
                                exit(9);
                faults_pause_ms(200);
        }
}

void thread_unjoined(void)
{
        faults_begin();
        for (;;) {
                (void)staff_hire(end_at_once);
                faults_pause_ms(400);
        }
}

static void *detach_and_end(void *unused)
{
        if (pthread_detach(pthread_self()))
                exit(9);
        return unused;
}

void thread_unjoined_not(void)
{
        faults_begin();
        for (;;) {
                (void)staff_hire(detach_and_end);
                if (pthread_detach(staff_hire(end_at_once)))
                        exit(9);
                faults_pause_ms(400);
        }
}
