/* SPDX-License-Identifier: Apache-2.0 */
/*
 * excerpt.h - lines of the candidate and of the contract, named by a report, that anybody may read.
 *
 * A name from a report opens nothing: it is compared with those that contract and candidate list.
 *
 * Units:     lines from 1. Ownership: views of contract and candidate, which must outlive it.
 * Errors:    what is not there is left out; those of the text. Threads: any.
 * Limits:    excerpt_line_max bytes of a line, excerpt_case_max of a function, cut at a
 *            line.
 */
#ifndef FORGE_EXCERPT_H
#define FORGE_EXCERPT_H

#include "gate/candidate.h"

enum { excerpt_line_max = 160, excerpt_case_max = 2 << 10 };

struct excerpt {
        const struct contract *contract;
        const struct candidate *candidate; /* NULL: its lines are not quoted */
};

/* The listed name for what a report calls a file ("/src/lru.c", "cases/put.c", valgrind's "put.c"),
 * as it is shown; false: nobody lists it. */
bool excerpt_find(const struct excerpt *excerpt, const char *name, struct text *ret_file);

/* "lru.c:12", and the line itself if there is one. */
void excerpt_append_line(const struct excerpt *excerpt, const char *file, unsigned line,
                         struct text *into);

/* The source of a case with the numbers of its lines; nothing if there is no such case. */
void excerpt_append_case(const struct excerpt *excerpt, const char *name, struct text *into);

/* The function of a case file in which that line stands, likewise; nothing if that is a case. */
void excerpt_append_helper(const struct excerpt *excerpt, const char *file, unsigned line,
                           struct text *into);

/* Foreign bytes as printable ASCII, at most `length_max` of them. */
void excerpt_append_plain(const char *bytes, size_t length, size_t length_max, struct text *into);

#endif
