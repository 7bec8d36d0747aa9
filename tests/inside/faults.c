/* SPDX-License-Identifier: Apache-2.0 */
/* faults.c - goes wrong as asked for, in modules that say who they are, so that what should notice
 * can be tested. usage: faults NAME [SECONDS]; without NAME it lists all.
 *
 * Says "FAULT ns" when it begins, and ends by itself with status 0 when SECONDS are over. */
#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FAULT(name, help) { #name, name, "fault", help },
#define TWIN(name, help)  { #name, name, "twin", help },

static const struct fault {
        const char *name;
        void (*run)(void);
        const char *kind, *help;
} table[] = {
#include "faults.def"
};

enum { count = sizeof(table) / sizeof(table[0]), seconds_default = 60, seconds_max = 3600 };

static uint64_t start_ms;

static uint64_t now_ns(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t faults_age_ms(void)
{
        return now_ns() / 1000000 - start_ms;
}

void faults_pause_ms(unsigned time_ms)
{
        struct timespec rest = { time_ms / 1000, time_ms % 1000 * 1000000L };

        while (nanosleep(&rest, &rest))
                ;
}

static void announce(void)
{
        printf("FAULT %llu\n", (unsigned long long)now_ns());
        (void)fflush(stdout); /* who reads it notices */
}

bool faults_has_begun(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        if (faults_age_ms() < FAULTS_QUIET_MS)
                return false;
        (void)pthread_once(&once, announce); /* cannot fail */
        return true;
}

void faults_begin(void)
{
        while (!faults_has_begun())
                faults_pause_ms(10);
}

pthread_t faults_thread(void *(*work)(void *), void *argument)
{
        pthread_t thread;

        if (pthread_create(&thread, NULL, work, argument))
                exit(9);
        return thread;
}

static void *run(void *argument)
{
        const struct fault *fault = argument;

        fault->run();
        return NULL;
}

int main(int argc, char **argv)
{
        unsigned long seconds = argc > 2 ? strtoul(argv[2], NULL, 10) : seconds_default;
        const struct fault *wanted = NULL;

        for (size_t i = 0; i < count; i++) {
                if (argc < 2)
                        printf("%s\t%s\t%s\n", table[i].kind, table[i].name, table[i].help);
                else if (strcmp(argv[1], table[i].name) == 0)
                        wanted = &table[i];
        }
        if (argc < 2)
                return 0;
        if (!wanted || seconds == 0 || seconds > seconds_max) {
                fputs("usage: faults NAME [SECONDS]\n", stderr);
                return 2;
        }
        start_ms = now_ns() / 1000000;
        (void)faults_thread(run, (void *)wanted);
        while (faults_age_ms() < seconds * 1000)
                faults_pause_ms(50);
        return 0;
}
