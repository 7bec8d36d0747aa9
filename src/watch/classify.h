/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classify.h - is a line of somebody's error output an error, a warning, or neither?
 *
 * A level that the line states itself decides: <3> of the journal, level=info, "level":"error",
 * glog's E0102, [warn], INFO. Without one, a word such as error or fatal does, as a whole word and
 * not denied ("0 errors", "no error", "error=nil", "error.log").
 *
 * Units:     bytes; only the first classify_bytes_max of a line are looked at.
 * Ownership: nothing is kept. Threads: any. Errors: none; what is not understood is neither.
 *
 * To teach it a word: a row in classify.def and a line in classify_test.c.
 */
#ifndef WATCH_CLASSIFY_H
#define WATCH_CLASSIFY_H

#include <stddef.h>

enum { classify_bytes_max = 200 };

enum classify_level {
        CLASSIFY_NEITHER,
        CLASSIFY_WARNING,
        CLASSIFY_ERROR,
};

/* The line without its newline. */
enum classify_level classify_line(const char *line, size_t length);

#endif
