/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - what libclang sees in a file, as JSON.
 *
 *   tokens of a file    [[LINE, FLAGS, KIND, "spelling"], ...] as written, comments left out;
 *                       FLAGS: 1 begins a line, 2 a backslash-newline stands inside;
 *                       KIND: "word" (identifiers and keywords), "literal", "mark"
 *   functions           [{"name", "result", "parameters": [...], "is_variadic", "line"}, ...] that
 *                       the file itself declares with external linkage and does not define
 *   objects             [{"name", "type", "line"}, ...] likewise
 *
 * Ownership: references are the caller's. Errors: NULL: no memory, or libclang would not.
 * Threads: one. Limits: below; what is cut off says so with "is_cut": true.
 */
#ifndef LENS_VIEW_H
#define LENS_VIEW_H

#include <jansson.h>

enum { view_tokens_max = 400000, view_declarations_max = 1024, view_spelling_max = 4096 };

struct view_request {
        const char *file;
        const char *const *flags; /* of the compiler */
        int flag_count;
};

json_t *view_tokens(const struct view_request *request);
json_t *view_declarations(const struct view_request *request);

#endif
