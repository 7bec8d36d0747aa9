/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fence_systemd.h - the words that put a program into a transient scope of systemd.
 *
 * systemd-run --scope becomes the program itself, so its pid and its end are as without.
 *
 * Units: as fence.h. Ownership: the caller's, until fence_systemd_free(). Errors: -errno.
 * Threads: any. Limits: none of its own.
 */
#ifndef WATCH_FENCE_SYSTEMD_H
#define WATCH_FENCE_SYSTEMD_H

#include "watch/fence.h"

/* It is process 1, and answers us. */
bool fence_systemd_is_there(void);
/* What it hands on to scopes: enum cgroup_role. */
unsigned fence_systemd_roles(void);

/* is_user: the user's own systemd. ret_argv ends with NULL. */
int fence_systemd_argv(const struct fence_limits *limits, bool is_user, char *const *argv,
                       char ***ret_argv);
void fence_systemd_free(char ***argv);

#endif
