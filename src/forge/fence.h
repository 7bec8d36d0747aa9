/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fence.h - lines of foreign bytes, and fenced blocks of Markdown among them.
 *
 * Units:     bytes, NULs among them. Ownership: spans are views of what was given.
 * Errors:    those of the text that is written to. Threads: any. Limits: the caller's.
 */
#ifndef FORGE_FENCE_H
#define FORGE_FENCE_H

#include "base/text.h"

struct span {
        const char *at;
        const char *end;
};

size_t span_length(struct span span);
/* Without those characters at both ends. */
struct span span_trimmed(struct span span, const char *set);
bool span_begins_with(struct span span, const char *word); /* in upper or lower case */
const char *span_find(struct span span, const char *word); /* NULL: not in it */
/* The next line without its end, LF or CRLF; false: there is none. */
bool span_next_line(struct span *rest, struct span *ret_line);

/* Three or more ` or ~, then the info string. */
struct fence {
        char mark;
        size_t length;
        size_t indent;
        struct span info;
};

bool fence_opens(struct span line, struct fence *ret_fence);
/* Appends what stands in it, with LF, less the fence's indent; whether its end was there. */
bool fence_read(struct span *rest, const struct fence *fence, struct text *into);
/* Puts bytes into a fence that is longer than any run of ` in them. */
void fence_append(struct text *into, const char *info, const void *bytes, size_t length);

#endif
