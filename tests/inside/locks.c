/* SPDX-License-Identifier: Apache-2.0 */
/* locks.c - takes locks as asked for. usage: locks SCENARIO; without it lists them. It is read from
 * outside, so it stays when it is done: "done" is what it says last. */
#include "locks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *run(void *work)
{
        (*(void (**)(void))work)();
        return NULL;
}

void locks_do(void (*work)(void))
{
        if (pthread_join(locks_start(run, &work), NULL))
                exit(9);
}

pthread_t locks_start(void *(*work)(void *), void *argument)
{
        pthread_t thread;

        if (pthread_create(&thread, NULL, work, argument))
                exit(9);
        return thread;
}

void locks_say(const char *name, uint64_t value)
{
        printf("%s %llu\n", name, (unsigned long long)value);
        (void)fflush(stdout); /* who reads it notices */
}

void locks_pause(void)
{
        char c = 0;

        while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
                ;
}

void locks_lock(pthread_mutex_t *lock)
{
        if (pthread_mutex_lock(lock))
                exit(9);
}

void locks_unlock(pthread_mutex_t *lock)
{
        if (pthread_mutex_unlock(lock))
                exit(9);
}

LOCKS_SITE void locks_make(pthread_mutex_t *lock)
{
        if (pthread_mutex_init(lock, NULL))
                exit(9);
}

static const struct locks_scenario *find(const struct locks_scenario *table, const char *name)
{
        for (; table->name; table++) {
                if (!name)
                        puts(table->name);
                else if (strcmp(table->name, name) == 0)
                        return table;
        }
        return NULL;
}

int main(int argc, char **argv)
{
        const char *name = argc == 2 ? argv[1] : NULL;
        const struct locks_scenario *scenario = find(locks_order, name);

        if (!scenario)
                scenario = find(locks_held, name);
        if (!scenario)
                return name ? 2 : 0;
        alarm(60); /* whoever is stuck shall end */
        locks_say("main", (uint64_t)syscall(SYS_gettid));
        scenario->run();
        locks_say("done", 0);
        locks_pause();
        _exit(0); /* some are meant to hang */
}
