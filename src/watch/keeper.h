/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.h - a process that does nothing while the watcher lives, and passes the program's error
 * output on when it does not. Without it a watcher that is killed takes the program along: the next
 * line that the program writes would meet a pipe without a reader, and SIGPIPE.
 *
 * Ownership: the keeper holds the reading end of the pipe and standard error, nothing else. It
 * ends when the last writer of the pipe has, or when standard error is gone. Threads: any.
 * Errors: -errno.
 */
#ifndef WATCH_KEEPER_H
#define WATCH_KEEPER_H

#include "base/base.h"

/* *ret_life_fd: while somebody holds it open the keeper keeps still. To be called before the caller
 * becomes the reaper of orphans: the keeper is one, and no business of the run. */
int keeper_start(int program_fd, int *ret_life_fd);

#endif
