/* SPDX-License-Identifier: Apache-2.0 */
/*
 * voice.h - lines for people, until the pump can write them between two lines of the program.
 *
 *         voice_say(voice, VOICE_PAGE, "kvd[7] store.expect_tables_agree: %s", meaning);
 *         tocsin: PAGE kvd[7] store.expect_tables_agree: index and table disagree
 *
 * Every line is escaped as a whole, so that arguments may be foreign text. Saying never blocks.
 *
 * Ownership: texts are copied; voice_take() hands a line over, to be freed. Threads: any.
 * Errors:    none; who cannot be told cannot be told that either.
 * Limits:    voice_line_bytes_max a line, voice_lines_max waiting; what is beyond is counted, and
 *            the count said as a line of its own.
 */
#ifndef WATCH_VOICE_H
#define WATCH_VOICE_H

#include "base/base.h"

#include <stdbool.h>
#include <stdint.h>

enum { voice_line_bytes_max = 1500, voice_lines_max = 256 };

enum voice_tone {
        VOICE_PLAIN,
        VOICE_ERROR,   /* of tocsin's own */
        VOICE_WARNING, /* likewise */
        VOICE_PAGE,
        VOICE_WARN,
        VOICE_NOTE,
        VOICE_OK,
        VOICE_LOG, /* an error that the program reported */
};

struct voice;

int voice_new(bool has_colour, struct voice **ret_voice);
void voice_free(struct voice **voice);

void voice_say(struct voice *voice, enum voice_tone tone, const char *format, ...)
        BASE_PRINTF(3, 4);

/* Readable while lines wait. */
int voice_fd(const struct voice *voice);

/* The oldest line, ended by a newline; NULL: none. Free it. */
char *voice_take(struct voice *voice);

#endif
