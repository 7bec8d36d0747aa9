/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What texts cost: long ones, ones in which nothing is right, and one character before much else.
 */
#include "utf8.h"

#include <tocsin/case.h>

#include <stdlib.h>

static unsigned char *room(size_t size)
{
        unsigned char *bytes = malloc(size);

        CHECK(bytes);
        return bytes;
}

/* Characters of one to four bytes, in an order that the seed draws; full to the last byte. */
static unsigned char *text_of(size_t length)
{
        static const char *const characters[] = { "a", "\xc3\xa9", "\xe2\x82\xac",
                                                  "\xf0\x9f\x94\x94" };
        unsigned char *bytes = room(length);
        size_t at = 0;

        while (at < length) {
                const char *character = characters[toc_case_random_below(4)];

                if (at + strlen(character) > length)
                        character = "z";
                memcpy(bytes + at, character, strlen(character));
                at += strlen(character);
        }
        return bytes;
}

BENCH(check_text, length, 512, 1024, 2048, 4096)
{
        const size_t length = toc_case_size();
        unsigned char *bytes = text_of(length);
        size_t good = 0;

        BENCH_LOOP(8)
        {
                good += utf8_check(bytes, length);
        }
        CHECK_EQ(good, 8 * length);
        free(bytes);
}

BENCH(repair_text, length, 512, 1024, 2048, 4096)
{
        const size_t length = toc_case_size();
        unsigned char *bytes = text_of(length), *into = room(3 * length);
        size_t whole = 0;

        BENCH_LOOP(8)
        {
                whole += utf8_repair(bytes, length, into, 3 * length);
        }
        CHECK_EQ(whole, 8 * length);
        free(into);
        free(bytes);
}

BENCH(repair_wrong, wrong_run, 512, 1024, 2048, 4096)
{
        const size_t length = toc_case_size();
        unsigned char *bytes = room(length), *into = room(3 * length);
        size_t whole = 0;

        memset(bytes, 0x80, length);
        BENCH_LOOP(8)
        {
                whole += utf8_repair(bytes, length, into, 3 * length);
        }
        CHECK_EQ(whole, 8 * 3 * length);
        free(into);
        free(bytes);
}

BENCH(decode_first, rest, 512, 1024, 2048, 4096)
{
        const size_t length = toc_case_size();
        unsigned char *bytes = text_of(length);
        uint32_t point = 0;
        int sizes = 0;

        BENCH_LOOP(64)
        {
                sizes += utf8_decode(bytes, length, &point);
        }
        CHECK_GE(sizes, 64);
        free(bytes);
}
