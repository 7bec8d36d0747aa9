/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - alerts to a command of the user: /bin/sh -c, the event and a newline on standard
 * input.
 *
 * Exit status 0 is delivered. 126 and 127 (the shell cannot start it) give that event up, any other
 * end is tried again, five times in all. TOCSIN_RECEIVER stands in its environment, so that what it
 * leaves behind is not taken for the program's.
 *
 * Ownership: the receiver is the caller's; the command is copied. Errors: -ENOMEM.
 * Limits:    10 s, then it is killed with all that it started; 4 KiB of what it prints are looked
 * at.
 */
#ifndef WATCH_COMMAND_H
#define WATCH_COMMAND_H

#include "watch/receiver.h"

#define COMMAND_VARIABLE "TOCSIN_RECEIVER"

int command_new(const char *command, struct receiver **ret_receiver);

#endif
