/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that the seed draws, against a second method: whether bytes are a character is found out
 * by dividing its point into sixties and comparing, instead of by ranges of bytes.
 */
#include "utf8.h"

#include <tocsin/case.h>

#include <stdlib.h>

enum { rounds = 3000, text_max = 200 };

static bool is_scalar(uint64_t point)
{
        return point <= 0x10ffff && point / 0x800 != 0xd800 / 0x800;
}

static size_t spell(uint32_t point, unsigned char into[4])
{
        size_t size = point < 128 ? 1 : point < 2048 ? 2 : point < 65536 ? 3 : 4;
        static const unsigned first[] = { 0, 0, 192, 224, 240 };

        if (size == 1) {
                into[0] = (unsigned char)point;
                return 1;
        }
        for (size_t i = size - 1; i > 0; i--) {
                into[i] = (unsigned char)(128 + point % 64);
                point /= 64;
        }
        into[0] = (unsigned char)(first[size] + point);
        return size;
}

/* The character at the start of these bytes, if one is there: how many bytes, else 0. */
static size_t found(const unsigned char *bytes, size_t length, uint32_t *ret_point)
{
        for (size_t size = 1; size <= 4 && size <= length; size++) {
                static const unsigned span[] = { 0, 256, 32, 16, 8 };
                uint32_t point = size == 1 ? bytes[0] : bytes[0] % span[size];
                unsigned char spelt[4];

                for (size_t i = 1; i < size; i++)
                        point = point * 64 + bytes[i] % 64;
                if (is_scalar(point) && spell(point, spelt) == size &&
                    memcmp(spelt, bytes, size) == 0) {
                        *ret_point = point;
                        return size;
                }
        }
        return 0;
}

static uint32_t draw_point(void)
{
        static const uint32_t ends[] = { 0x80, 0x800, 0x10000, 0x110000 };
        uint32_t point;

        do
                point = (uint32_t)toc_case_random_below(ends[toc_case_random_below(4)]);
        while (!is_scalar(point));
        return point;
}

/* Characters, and now and then a byte that somebody damaged. */
static size_t draw_text(unsigned char *into, size_t length, unsigned damage_percent)
{
        size_t at = 0;

        while (at + 4 <= length)
                at += spell(draw_point(), into + at);
        for (size_t i = 0; i < at; i++)
                if (toc_case_random_below(100) < damage_percent)
                        into[i] = (unsigned char)toc_case_random();
        return at;
}

TEST(every_point_there_and_back)
{
        for (uint32_t point = (uint32_t)toc_case_random_below(61); point < 0x110000 + 0x1000;
             point += (uint32_t)toc_case_random_below(61) + 1) {
                unsigned char spelt[4], written[4] = { 0xee, 0xee, 0xee, 0xee };
                uint32_t decoded = 0;
                size_t size;

                if (!is_scalar(point)) {
                        CHECK_EQ(utf8_encode(point, written), UTF8_WRONG);
                        CHECK_EQ(written[0], 0xee);
                        continue;
                }
                size = spell(point, spelt);
                CHECK_EQ(utf8_encode(point, written), size);
                CHECK_BYTES(written, spelt, size);
                for (size_t i = size; i < sizeof(written); i++)
                        CHECK_EQ(written[i], 0xee);
                CHECK_EQ(utf8_decode(written, size, &decoded), size);
                CHECK_EQ(decoded, point);
        }
}

TEST(borders_of_what_can_be_encoded)
{
        unsigned char bytes[4];

        CHECK_EQ(utf8_encode(0xd7ff, bytes), 3);
        CHECK_EQ(utf8_encode(0xd800, bytes), UTF8_WRONG);
        CHECK_EQ(utf8_encode(0xdfff, bytes), UTF8_WRONG);
        CHECK_EQ(utf8_encode(0xe000, bytes), 3);
        CHECK_EQ(utf8_encode(0x10ffff, bytes), 4);
        CHECK_EQ(utf8_encode(0x110000, bytes), UTF8_WRONG);
        CHECK_EQ(utf8_encode(UINT32_MAX, bytes), UTF8_WRONG);
}

/* All pairs of bytes, and three and four that begin with each pair. */
TEST(all_beginnings)
{
        for (unsigned pair = 0; pair < 65536; pair++) {
                const size_t length = 2 + toc_case_random_below(3);
                unsigned char *bytes = malloc(length);
                uint32_t expected = 0, point = 0;
                size_t size;

                CHECK(bytes);
                bytes[0] = (unsigned char)(pair >> 8);
                bytes[1] = (unsigned char)pair;
                for (size_t i = 2; i < length; i++)
                        bytes[i] = (unsigned char)(0x80 + toc_case_random_below(0x50));
                size = found(bytes, length, &expected);
                if (size)
                        CHECK_EQ(utf8_decode(bytes, length, &point), size);
                else
                        CHECK_LT(utf8_decode(bytes, length, &point), 0);
                CHECK_EQ(point, expected);
                free(bytes);
        }
}

static void check_one_text(unsigned damage_percent)
{
        unsigned char drawn[text_max];
        size_t length = draw_text(drawn, 4 + toc_case_random_below(text_max - 4), damage_percent);
        size_t good = 0, size;
        uint32_t point;
        unsigned char *bytes;

        length -= toc_case_random_below(length + 1) / 8; /* sometimes within a character */
        bytes = malloc(length ? length : 1);
        CHECK(bytes);
        memcpy(bytes, drawn, length);
        while (good < length && (size = found(bytes + good, length - good, &point)))
                good += size;
        CHECK_EQ(utf8_check(bytes, length), good);
        free(bytes);
}

TEST(drawn_texts)
{
        for (int i = 0; i < rounds; i++)
                check_one_text(0);
}

TEST(damaged_texts)
{
        for (int i = 0; i < rounds; i++)
                check_one_text(1 + (unsigned)toc_case_random_below(20));
}

/* The same place may hold other bytes the next time. */
TEST(nothing_is_remembered)
{
        unsigned char bytes[8] = "abcdefg";

        for (int i = 0; i < 200; i++) {
                const size_t at = toc_case_random_below(7);

                CHECK_EQ(utf8_check(bytes, 7), 7);
                bytes[at] = 0xff;
                CHECK_EQ(utf8_check(bytes, 7), at);
                bytes[at] = (unsigned char)('a' + at);
        }
}

/* What was repaired is whole, and stays as it is when repaired again. */
TEST(what_is_repaired_is_whole)
{
        for (int i = 0; i < rounds / 3; i++) {
                unsigned char bytes[text_max], once[3 * text_max], twice[3 * text_max];
                size_t length = draw_text(bytes, text_max, (unsigned)toc_case_random_below(60));
                size_t whole = utf8_repair(bytes, length, once, sizeof(once));

                CHECK_GE(whole, length); /* no subpart has more bytes than its U+FFFD */
                CHECK_LE(whole, 3 * length);
                CHECK_EQ(utf8_check(once, whole), whole);
                CHECK_EQ(utf8_repair(once, whole, twice, sizeof(twice)), whole);
                CHECK_BYTES(once, twice, whole);
        }
}

STRESS(texts_come_and_go)
{
        unsigned char bytes[text_max], into[3 * text_max];

        while (toc_case_running()) {
                size_t length = draw_text(bytes, text_max, (unsigned)toc_case_random_below(3));
                size_t good = utf8_check(bytes, length);

                CHECK_LE(good, length);
                CHECK_GE(utf8_repair(bytes, length, into, sizeof(into)), length);
        }
}
