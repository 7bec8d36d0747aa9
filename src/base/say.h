/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.h - one line on standard error, for people.
 *
 *         say_error("cannot read '%s': %s", path, error_text(status));
 *         tocsin: error: cannot read 'rules.yaml': No such file or directory
 *
 * The whole line is escaped (text_append_escaped), so that any argument may be foreign text: one
 * call is one line, and no byte of it can drive the terminal. Formats carry no newline.
 *
 * Ownership: nothing is kept. Threads: any; a line is one write(). Errors: none; who cannot be told
 * cannot be told that either. errno is preserved. Limits: say_line_max bytes of message; what is
 * longer is cut and ends in "...".
 */
#ifndef BASE_SAY_H
#define BASE_SAY_H

#include "base/base.h"

#include <stdbool.h>

enum { say_line_max = 2000 };

void say_error(const char *format, ...) BASE_PRINTF(1, 2);   /* tocsin: error: ... */
void say_warning(const char *format, ...) BASE_PRINTF(1, 2); /* tocsin: warning: ... */
void say_note(const char *format, ...) BASE_PRINTF(1, 2);    /* tocsin: ... */

/* Whether colour suits this descriptor: a terminal, not a dumb one, and NO_COLOR unset or empty. */
bool say_wants_colour(int fd);

#endif
