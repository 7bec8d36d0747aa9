/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - text that grows up to a limit, foreign bytes made fit for a terminal, strict numbers.
 *
 *         struct text line BASE_SCOPE(text_fini) = TEXT_INIT(4096);
 *
 *         text_printf(&line, "%s: ", name);
 *         text_append_escaped(&line, foreign, length);
 *         if (line.error)
 *                 return line.error;
 *         puts(text_view(&line));
 *
 * Units:     bytes; the NUL at the end is not counted.
 * Ownership: the struct owns its bytes; text_fini() frees them and leaves a usable empty text.
 *            text_view() is valid until the next call that writes.
 * Errors:    remembered in `error` and never fatal, so a line is built first and checked once:
 *            -EOVERFLOW when the limit cut it, -ENOMEM, -EINVAL for a format that cannot be
 *            printed. What stands before the cut is kept; what comes after an error is dropped, so
 *            that a text never has a hole in it.
 * Threads:   one text, one thread at a time.
 * Limits:    the maximum given at the start, at most TEXT_LENGTH_LIMIT.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/base.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

struct text {
        char *bytes;       /* NULL until something is written, then always ended by a NUL */
        size_t length;     /* may contain NULs if such bytes were appended */
        size_t size;       /* allocated */
        size_t length_max; /* given at the start */
        int error;         /* 0, or the first thing that went wrong */
};

#define TEXT_LENGTH_LIMIT ((size_t)1 << 40)
#define TEXT_INIT(max)              \
        {                           \
                .length_max = (max) \
        }

void text_init(struct text *text, size_t length_max);
void text_fini(struct text *text);

/* Forgets bytes and error, keeps the memory for the next line. */
void text_clear(struct text *text);

/* Never NULL. */
const char *text_view(const struct text *text);

void text_append(struct text *text, const char *string);
void text_append_bytes(struct text *text, const void *bytes, size_t length);
void text_printf(struct text *text, const char *format, ...) BASE_PRINTF(2, 3);
void text_vprintf(struct text *text, const char *format, va_list arguments) BASE_PRINTF(2, 0);

/*
 * For eyes: control bytes, ESC, invalid UTF-8 and code points that hide or reorder others (bidi and
 * format controls) become \xNN, byte by byte. Everything else stays, a backslash too: escaping
 * twice changes nothing, and so the result cannot be decoded. The limit never splits a character.
 */
void text_append_escaped(struct text *text, const void *bytes, size_t length);

/*
 * A word of a command, to be pasted into a shell: as it is, or in quotes that no byte of it can
 * leave; a blank before it unless it is the first. What a terminal would obey is written as \xNN.
 */
void text_append_shell_word(struct text *text, const char *word);

/* Whether it is UTF-8 throughout; control bytes and NULs are. */
bool text_is_utf8(const void *bytes, size_t length);

/*
 * Numbers that people and files give us: decimal digits and nothing else, no sign, no space.
 * 0; -EINVAL when it is not a number of that form; -ERANGE when it is outside min..max.
 * A duration needs its unit: ns us ms s m h d. A size may have one: K M G T, powers of 1024.
 */
int text_parse_u64(const char *string, uint64_t min, uint64_t max, uint64_t *ret_value);
int text_parse_duration(const char *string, uint64_t min_ns, uint64_t max_ns, uint64_t *ret_ns);
int text_parse_size(const char *string, uint64_t min_bytes, uint64_t max_bytes,
                    uint64_t *ret_bytes);

/* The same, written: "90s", "200ms", "64M", "0ns"; in the largest unit that leaves no rest. */
void text_append_duration(struct text *text, uint64_t ns);
void text_append_size(struct text *text, uint64_t bytes);

/*
 * How many letters must be added, dropped, changed or swapped with their neighbour to make one word
 * of the other: for "did you mean". Words longer than text_distance_max are that far from all.
 */
enum { text_distance_max = 48 };
unsigned text_distance(const char *left, const char *right);

#endif
