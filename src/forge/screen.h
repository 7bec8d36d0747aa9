/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen.h - what people see while models write: a line an event on standard error.
 *
 * Whatever is shown is escaped. On a terminal the call that runs has a line of its own, which is
 * replaced as the answer comes; colour as say.h decides.
 *
 * Ownership: the struct is the caller's. Threads: one. Errors: none; who cannot be told cannot be
 * told that either. Units: as named. Limits: screen_line_max bytes a line, then cut.
 */
#ifndef FORGE_SCREEN_H
#define FORGE_SCREEN_H

#include "base/text.h"

enum { screen_line_max = 4096 };
enum screen_colour {
        SCREEN_PLAIN,
        SCREEN_BOLD,
        SCREEN_DIM,
        SCREEN_GREEN,
        SCREEN_RED,
        SCREEN_YELLOW
};

struct screen {
        bool has_colour;
        bool is_terminal;
        bool is_drawn; /* the line that is replaced */
        uint64_t since_ns, drawn_ns;
        char what[120];
};

void screen_open(struct screen *screen);

/* One line. Formats carry no newline. */
void screen_say(struct screen *screen, enum screen_colour colour, const char *format, ...)
        BASE_PRINTF(3, 4);

/* Something begins that takes time; screen_progress() may follow, the next line ends it. */
void screen_begin(struct screen *screen, const char *format, ...) BASE_PRINTF(2, 3);
void screen_progress(void *screen, size_t answer_bytes);

#endif
