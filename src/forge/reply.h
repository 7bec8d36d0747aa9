/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h - takes from an answer the files that the contract lists, and nothing else.
 *
 * Whole files in plain fences:
 *
 *     FILE: lru.c
 *     ```c
 *     ...
 *     ```
 *
 * Also understood: the name in the info string of the fence; and, if exactly one file is wanted and
 * none is named, the last fence of C. "**FILE: lru.c**", "### `lru.c`" and the like are names. A
 * fence is three or more backticks (or ~) and ends with a line of at least as many, so that a
 * longer one may hold shorter ones; what it is indented by is taken off its lines, and CRLF ends a
 * line as LF does. <think>...</think> at the start is passed over. Of a file given twice the last
 * one counts. Whatever is named otherwise ("../lru.c", "main.c") is not taken, and said.
 *
 * Units:     bytes. Ownership: names are views of the contract; bytes are the reply's.
 * Errors:    0; -ENOMEM; enum reply_outcome with one sentence in `why`, escaped.
 * Threads:   any. Limits: those of provider_answer_bytes_max and candidate_file_bytes_max.
 */
#ifndef FORGE_REPLY_H
#define FORGE_REPLY_H

#include "forge/provider.h"

enum reply_outcome {
        REPLY_EMPTY = 1, /* nothing in it */
        REPLY_NO_FILES,  /* no fence with a listed file */
        REPLY_MISSING,   /* some of the listed files, not all */
        REPLY_CUT,       /* the end of a file is missing, its tokens ran out, or it is too long */
        REPLY_REFUSED,   /* the model or a filter did not want to */
        REPLY_CONFLICT, /* it says that the contract contradicts itself: the answer's first lines */
        REPLY_NOT_TEXT, /* a file holds NULs or is not UTF-8 */
};

const char *reply_outcome_name(int outcome); /* files, empty, no-files, missing, ... */

struct reply_file {
        const char *name;
        struct text bytes;
};

struct reply {
        struct reply_file *files; /* one for each of `supplies`, in that order */
        size_t count;
        struct text ignored; /* one sentence on what was not taken; empty: nothing */
};

/* On an outcome above 0 `ret_reply` is not written. */
int reply_read(const char *answer, size_t length, enum provider_finish finish,
               const struct contract_list *supplies, struct reply *ret_reply, struct text *why);
void reply_fini(struct reply *reply);

/* Of a diagnosis: what is left without <think>, printable text of at most `length_max` bytes. */
int reply_prose(const char *answer, size_t length, enum provider_finish finish, size_t length_max,
                struct text *into, struct text *why);

#endif
