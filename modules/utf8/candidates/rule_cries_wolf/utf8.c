/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wrong: warns at the first text that is not UTF-8, and so is switched off within a week.
 */
#include "utf8.h"

#include <stdbool.h>
#include <string.h>
#include <tocsin.h>

TOC_MODULE(utf8, "Validator and decoder of UTF-8, row by row");

TOC_COUNTER(checked, "Texts looked at by utf8_check", TOC_QUIET("feeds the chart of the load"));
TOC_COUNTER(refused, "Texts that are not well-formed",
            TOC_ALERT(per_minute, >, 0, TOC_WARN,
                      "many texts are not UTF-8: a peer sends another encoding"));
TOC_COUNTER(unencodable, "Numbers to encode that are no scalar values",
            TOC_ALERT(per_minute, >, 60, TOC_WARN,
                      "a caller encodes surrogates or numbers beyond Unicode"));
TOC_COUNTER(replaced, "Subparts replaced by U+FFFD",
            TOC_QUIET("repairing what others wrote is everyday work"));

/* What a first byte asks for. */
struct row {
        int size; /* 0: no character begins so */
        unsigned char second_min;
        unsigned char second_max;
};

static struct row row_of(unsigned char first)
{
        if (first < 0x80)
                return (struct row){ 1, 0, 0 };
        if (first < 0xc2)
                return (struct row){ 0, 0, 0 };
        if (first < 0xe0)
                return (struct row){ 2, 0x80, 0xbf };
        if (first == 0xe0)
                return (struct row){ 3, 0xa0, 0xbf };
        if (first == 0xed)
                return (struct row){ 3, 0x80, 0x9f };
        if (first < 0xf0)
                return (struct row){ 3, 0x80, 0xbf };
        if (first == 0xf0)
                return (struct row){ 4, 0x90, 0xbf };
        if (first < 0xf4)
                return (struct row){ 4, 0x80, 0xbf };
        if (first == 0xf4)
                return (struct row){ 4, 0x80, 0x8f };
        return (struct row){ 0, 0, 0 };
}

/* How many bytes from the start on are as the row wants them, at most its size; at least 1. */
static int fitting(const unsigned char *bytes, size_t length, const struct row *row)
{
        int count = 1;

        if (row->size < 2 || length < 2 || bytes[1] < row->second_min ||
            bytes[1] > row->second_max)
                return 1;
        for (count = 2; count < row->size && (size_t)count < length; count++)
                if ((bytes[count] & 0xc0) != 0x80)
                        return count;
        return count;
}

/* The size of the first character, or a code; *ret_part is the length of its maximal subpart. */
static int look(const unsigned char *bytes, size_t length, int *ret_part)
{
        const struct row row = row_of(bytes[0]);

        *ret_part = fitting(bytes, length, &row);
        if (row.size && *ret_part == row.size)
                return row.size;
        return row.size && (size_t)*ret_part == length ? UTF8_CUT : UTF8_WRONG;
}

size_t utf8_check(const void *bytes, size_t length)
{
        const unsigned char *from = bytes;
        size_t at = 0;

        toc_count(checked);
        while (at < length) {
                int part;
                const int size = look(from + at, length - at, &part);

                if (size < 0) {
                        toc_count(refused);
                        return at;
                }
                at += (size_t)size;
        }
        return at;
}

int utf8_decode(const void *bytes, size_t length, uint32_t *ret_point)
{
        const unsigned char *from = bytes;
        uint32_t point;
        int part, size;

        if (!length)
                return UTF8_CUT;
        size = look(from, length, &part);
        if (size < 0)
                return size;
        point = size == 1 ? from[0] : from[0] & (0x7fU >> size);
        for (int i = 1; i < size; i++)
                point = point << 6 | (from[i] & 0x3fU);
        *ret_point = point;
        return size;
}

int utf8_encode(uint32_t point, unsigned char ret_bytes[UTF8_SIZE_MAX])
{
        int size = 4;

        if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
                toc_count(unencodable);
                return UTF8_WRONG;
        }
        if (point < 0x80) {
                ret_bytes[0] = (unsigned char)point;
                return 1;
        }
        if (point < 0x800)
                size = 2;
        else if (point < 0x10000)
                size = 3;
        for (int i = size - 1; i > 0; i--) {
                ret_bytes[i] = (unsigned char)(0x80 | (point & 0x3f));
                point >>= 6;
        }
        ret_bytes[0] = (unsigned char)((0xf00U >> size) | point);
        return size;
}

size_t utf8_repair(const void *bytes, size_t length, unsigned char *into, size_t size)
{
        static const unsigned char replacement[] = { 0xef, 0xbf, 0xbd };
        const unsigned char *from = bytes;
        size_t needed = 0, count_replaced = 0;
        bool fits = true;

        for (size_t at = 0; at < length;) {
                int part;
                const int found = look(from + at, length - at, &part);
                const unsigned char *source = found < 0 ? replacement : from + at;
                const size_t count = found < 0 ? sizeof(replacement) : (size_t)found;

                if (found < 0)
                        count_replaced++;
                fits = fits && needed + count <= size;
                if (fits)
                        memcpy(into + needed, source, count);
                needed += count;
                at += (size_t)part;
        }
        toc_add(replaced, count_replaced);
        return needed;
}
