/* SPDX-License-Identifier: Apache-2.0 */
/* shelter.h - a segment directory of the benchmark's own, so that no watcher hears its misses.
 *
 * libtocsin chooses its directory before main(), so the program runs itself once more with
 * TOCSIN_DIR set, and the first process takes the directory away whatever became of the second.
 *
 *         int outcome = shelter_enter(argv, &directory, &status);
 *
 *         if (outcome < 0)
 *                 ... -errno, no shelter
 *         if (outcome == SHELTER_LEFT)
 *                 return status;
 *
 * Ownership: the directory's name is a view of the environment. Threads: call it while there is
 * one thread. Limits: signals that ask the first process to end are passed on to the second.
 */
#ifndef BENCH_SHELTER_H
#define BENCH_SHELTER_H

enum shelter_outcome {
        SHELTER_LEFT = 1, /* the work was done by another process, which ended with the status */
};

/* 0: this process is the one inside. */
int shelter_enter(char **argv, const char **ret_directory, int *ret_status);

#endif
