/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - on what and with what is judged: kernel, processors, tools and their versions.
 *
 * Ownership: surroundings_fini() frees. Threads: one. Units: bytes.
 * Errors:    0; -ENOENT when a tool is missing, and `why` names its package; -errno.
 * Limits:    a version is one line of host_version_max bytes.
 */
#ifndef GATE_HOST_H
#define GATE_HOST_H

#include "gate/verdict.h"

enum { host_version_max = 200 };

/* asked: the stages that will run. */
int surroundings_find(const bool asked[STAGE_COUNT], struct sandbox *sandbox,
                      struct surroundings *ret_surroundings, struct text *why);
void surroundings_fini(struct surroundings *surroundings);

#endif
