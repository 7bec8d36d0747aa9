/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h - what compilers, sanitizers, valgrind and the gate printed, less what says nothing.
 *
 * Kept are errors, frames in files that contract or candidate list (with the line that stands
 * there), and the functions of libc that such a frame called. Addresses, process numbers, temporary
 * paths, dates and fractions of seconds are taken out, so that the same failure reads the same.
 *
 * Units:     bytes. Ownership: the caller's. Errors: 0; -ENOMEM. Threads: any.
 * Limits:    evidence_lines_max lines are looked at, evidence_line_max bytes of each;
 *            `length_max` of the result, cut at a line with "(cut)".
 */
#ifndef FORGE_EVIDENCE_H
#define FORGE_EVIDENCE_H

#include "forge/excerpt.h"

enum { evidence_lines_max = 4000, evidence_line_max = 400 };

struct evidence_filter;

int evidence_filter_new(struct evidence_filter **ret_filter);
void evidence_filter_free(struct evidence_filter **filter);

/* One line of foreign text: printable ASCII without what differs from run to run. */
void evidence_append_steady(const struct evidence_filter *filter, const char *bytes, size_t length,
                            size_t length_max, struct text *into);

void evidence_append(const struct evidence_filter *filter, const struct excerpt *excerpt,
                     const char *bytes, size_t length, size_t length_max, struct text *into);

#endif
