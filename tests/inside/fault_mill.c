/* SPDX-License-Identifier: Apache-2.0 */
/* fault_mill.c - threads that run for ever, and such as only work hard. */
#include "faults.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(mill, "Work that needs no one else");

TOC_HEARTBEAT(turning, "The long job goes on",
              TOC_QUIET("it is short, and beats only while it lasts"));

static volatile unsigned ground;

static FAULTS_SITE void mill_grind(unsigned turns)
{
        for (unsigned i = 0; i < turns || turns == 0; i++)
                ground = ground * 1664525 + 1013904223;
}

static FAULTS_SITE void mill_run(unsigned turns)
{
        TOC_ENTER(mill);

        mill_grind(turns);
}

void spin(void)
{
        while (!faults_has_begun()) {
                mill_run(1000000); /* some milliseconds */
                faults_pause_ms(10);
        }
        mill_run(0);
}

void spin_plain(void)
{
        faults_begin();
        mill_grind(0);
}

/* One job that takes three seconds, and says so itself. */
void beating(void)
{
        TOC_ENTER(mill);

        faults_begin();
        for (uint64_t end_ms = faults_age_ms() + 3000; faults_age_ms() < end_ms;) {
                mill_grind(1000000);
                toc_beat(turning);
        }
}

static void compress_for(unsigned time_ms, bool calls)
{
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        uint64_t end_ms;

        faults_begin();
        end_ms = faults_age_ms() + time_ms;
        while (faults_age_ms() < end_ms) {
                mill_grind(1000000);
                if (calls && write(fd, "packed", 6) != 6)
                        exit(9);
        }
        (void)close(fd); /* it is /dev/null */
}

void compress(void)
{
        compress_for(3000, false);
}

void compress_calls(void)
{
        compress_for(7000, true);
}

/* The calls that stdio makes are those of libc to itself: nobody stands in front of them. */
void compress_stdio(void)
{
        FILE *file = fopen("/dev/null", "w");

        if (!file)
                exit(9);
        faults_begin();
        for (uint64_t end_ms = faults_age_ms() + 9000; faults_age_ms() < end_ms;) {
                mill_grind(20000000);
                if (fputs("packed", file) == EOF || fflush(file))
                        exit(9);
        }
        (void)fclose(file); /* it is /dev/null */
}
