/* SPDX-License-Identifier: Apache-2.0 */
/* joins.c - every way in which a thread can be joined, detached, or neither. Prints how many have
 * to count, and waits for a line, so that somebody can look: thrice, once in a child. */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(mine, "What is counted by hand beside it");

enum { LEFT = 5, LONGEST_S = 100 };

static int gate[2]; /* whoever reads of it goes on when a byte is there */

static void must(int failed)
{
        if (failed)
                exit(9);
}

static void *end_at_once(void *unused)
{
        return unused;
}

static void *end_detached(void *unused)
{
        must(pthread_detach(pthread_self()));
        return unused;
}

static void *end_when_told(void *unused)
{
        char byte;

        must(read(gate[0], &byte, 1) != 1);
        return unused;
}

static int end_as_c11(void *unused)
{
        (void)unused;
        return 0;
}

static void *join_in_vain(void *other)
{
        (void)pthread_join(*(pthread_t *)other, NULL); /* until it is cancelled */
        return NULL;
}

static pthread_t start(void *(*run)(void *), void *argument)
{
        pthread_t thread;

        must(pthread_create(&thread, NULL, run, argument));
        return thread;
}

/* Until so many go on, this one included. */
static void until_there_are(unsigned expected)
{
        for (unsigned found = 0; found != expected; (void)sched_yield()) {
                DIR *folder = opendir("/proc/self/task");

                must(!folder);
                found = 0;
                for (struct dirent *entry; (entry = readdir(folder));)
                        found += entry->d_name[0] != '.';
                must(closedir(folder));
        }
}

static void say(unsigned expected)
{
        char byte;

        printf("threads %u pid %d\n", expected, (int)getpid());
        must(fflush(stdout));
        while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
                ;
}

/* ---- Ways to leave nothing behind ------------------------------------------------------- */

static void join_all_ways(void)
{
        struct timespec late = { .tv_sec = INT32_MAX };
        pthread_t thread = start(end_at_once, NULL);
        thrd_t c11;

        must(pthread_join(start(end_at_once, NULL), NULL));
        while (pthread_tryjoin_np(thread, NULL))
                (void)sched_yield();
        must(pthread_timedjoin_np(start(end_at_once, NULL), NULL, &late));
        must(pthread_clockjoin_np(start(end_at_once, NULL), NULL, CLOCK_MONOTONIC, &late));
        must(thrd_create(&c11, end_as_c11, NULL) != thrd_success);
        must(thrd_join(c11, NULL) != thrd_success);
}

static void detach_all_ways(void)
{
        pthread_attr_t attributes;
        pthread_t thread;
        thrd_t c11;

        must(pthread_attr_init(&attributes));
        must(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED));
        must(pthread_create(&thread, &attributes, end_at_once, NULL));
        (void)start(end_detached, NULL);
        must(pthread_detach(start(end_at_once, NULL))); /* it may not have begun */
        must(thrd_create(&c11, end_as_c11, NULL) != thrd_success);
        must(thrd_detach(c11) != thrd_success);
        thread = start(end_at_once, NULL);
        until_there_are(1);
        must(pthread_detach(thread));
}

/* A join that was given up leaves the thread to others. */
static void join_after_others(void)
{
        struct timespec past = { 0 };
        pthread_t thread = start(end_when_told, NULL), vain = start(join_in_vain, &thread);

        must(pthread_cancel(vain));
        must(pthread_join(vain, NULL));
        must(!pthread_timedjoin_np(thread, NULL, &past));
        must(!pthread_tryjoin_np(thread, NULL));
        must(write(gate[1], "x", 1) != 1);
        must(pthread_join(thread, NULL));
}

int main(void)
{
        pthread_t left[LEFT];
        thrd_t c11;
        pid_t child;
        int status;

        TOC_ENTER(mine);
        (void)alarm(LONGEST_S); /* whoever looks may have ended */
        must(pipe(gate));
        for (int i = 0; i < 100; i++) {
                join_all_ways();
                detach_all_ways();
                join_after_others();
        }
        for (int i = 0; i < LEFT; i++)
                left[i] = start(end_at_once, NULL);
        must(thrd_create(&c11, end_as_c11, NULL) != thrd_success);
        (void)start(end_when_told, NULL);
        until_there_are(2);
        say(LEFT + 2);
        child = fork();
        if (child == 0) {
                (void)alarm(LONGEST_S);
                (void)start(end_at_once, NULL);
                until_there_are(1);
                say(1);
                _exit(0);
        }
        must(waitpid(child, &status, 0) != child || status);
        for (int i = 0; i < LEFT; i++)
                must(pthread_join(left[i], NULL));
        say(2);
        return 0;
}
