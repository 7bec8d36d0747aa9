/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.h - is it UTF-8, which characters are they, and what to show where it is not.
 *
 *         size_t good = utf8_check(bytes, length);
 *
 *         if (good < length)
 *                 fprintf(stderr, "not UTF-8 from byte %zu on\n", good);
 *
 * Well-formed is what Table 3-7 of the Unicode Standard says, and nothing else: no overlong form,
 * no surrogate, nothing above U+10FFFF. U+0000 and noncharacters are characters like others.
 *
 * Units:     lengths and offsets are bytes; a point is a Unicode scalar value.
 * Ownership: nothing is kept, nothing is allocated; no byte outside of what was given is touched.
 *            Bytes may be NULL if their length is 0.
 * Errors:    named at each function. On an error nothing is written.
 * Threads:   one at a time.
 * Limits:    lengths up to PTRDIFF_MAX.
 * Cost:      in proportion to the bytes looked at.
 * Heard of:  a warning or page within a minute when utf8_check() finds 20 or more texts a second
 *            that are not well-formed (a peer sends another encoding), and when utf8_encode() is
 *            given 20 or more numbers a second that are no scalar values (a caller is wrong).
 *            Nothing rings for up to 50 of either in a minute.
 */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

enum {
        UTF8_SIZE_MAX = 4, /* bytes of a character */
        UTF8_CUT = -1,     /* a character begins well, but its end is missing */
        UTF8_WRONG = -2,   /* no character begins so, whatever may follow */
};

/* How many bytes from the start on are well-formed: length itself if all of them are, else where
 * the first character that is not begins. */
size_t utf8_check(const void *bytes, size_t length);

/* The first character. How many bytes it has, 1 to 4, and its point; or UTF8_CUT (also for length
 * 0), or UTF8_WRONG. */
int utf8_decode(const void *bytes, size_t length, uint32_t *ret_point);

/* Writes the character; how many bytes it has. UTF8_WRONG: the point is no scalar value. */
int utf8_encode(uint32_t point, unsigned char ret_bytes[UTF8_SIZE_MAX]);

/*
 * Copies the text, with one U+FFFD for each maximal subpart that is not well-formed, as the Unicode
 * Standard recommends (chapter 3, "U+FFFD Substitution of Maximal Subparts"): the longest run of
 * bytes that begins a character well, or else one byte. Returns how many bytes that has; no more
 * than `size` are written, and never a part of a character: if the result is larger than size, then
 * what fits of its characters from the start on. `into` may be NULL if size is 0; it overlaps with
 * bytes nowhere.
 */
size_t utf8_repair(const void *bytes, size_t length, unsigned char *into, size_t size);

#endif
