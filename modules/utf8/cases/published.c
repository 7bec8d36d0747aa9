/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expected values that others published: Table 3-7 and the examples of substitution in chapter 3 of
 * the Unicode Standard, and Markus Kuhn's stress test for decoders.
 */
#include "utf8.h"

#include <tocsin/case.h>

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct example {
        const char *bytes;
        int length;
        int result; /* of utf8_decode */
        uint32_t point;
};

/* A block of exactly that size, so that a look beyond its end is noticed. */
static unsigned char *exact(const void *bytes, size_t length)
{
        unsigned char *block = malloc(length ? length : 1);

        CHECK(block);
        if (length)
                memcpy(block, bytes, length);
        return block;
}

static void check_example(const struct example *example)
{
        unsigned char *bytes = exact(example->bytes, (size_t)example->length);
        const uint32_t untouched = 0xdeadbeef;
        uint32_t point = untouched;

        CHECK_EQ(utf8_decode(bytes, (size_t)example->length, &point), example->result);
        CHECK_EQ(point, example->result > 0 ? example->point : untouched);
        CHECK_EQ(utf8_check(bytes, (size_t)example->length),
                 example->result > 0 ? example->length : 0);
        free(bytes);
}

static void check_examples(const struct example *examples, size_t count)
{
        for (size_t i = 0; i < count; i++)
                check_example(&examples[i]);
}

/* The first and the last of each row of Table 3-7. */
TEST(rows_of_table_3_7)
{
        static const struct example examples[] = {
                { "\x00", 1, 1, 0x0 },
                { "\x7f", 1, 1, 0x7f },
                { "\xc2\x80", 2, 2, 0x80 },
                { "\xdf\xbf", 2, 2, 0x7ff },
                { "\xe0\xa0\x80", 3, 3, 0x800 },
                { "\xe0\xbf\xbf", 3, 3, 0xfff },
                { "\xe1\x80\x80", 3, 3, 0x1000 },
                { "\xec\xbf\xbf", 3, 3, 0xcfff },
                { "\xed\x80\x80", 3, 3, 0xd000 },
                { "\xed\x9f\xbf", 3, 3, 0xd7ff },
                { "\xee\x80\x80", 3, 3, 0xe000 },
                { "\xef\xbf\xbf", 3, 3, 0xffff },
                { "\xf0\x90\x80\x80", 4, 4, 0x10000 },
                { "\xf0\xbf\xbf\xbf", 4, 4, 0x3ffff },
                { "\xf1\x80\x80\x80", 4, 4, 0x40000 },
                { "\xf3\xbf\xbf\xbf", 4, 4, 0xfffff },
                { "\xf4\x80\x80\x80", 4, 4, 0x100000 },
                { "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
        };

        check_examples(examples, COUNT(examples));
}

/* Kuhn's sections 3 (malformed), 4 (overlong) and 5 (surrogates). */
TEST(kuhns_malformed_sequences)
{
        static const struct example examples[] = {
                { "\x80", 1, UTF8_WRONG, 0 },
                { "\xbf", 1, UTF8_WRONG, 0 },
                { "\x80\xbf\x80", 3, UTF8_WRONG, 0 },
                { "\xc0 ", 2, UTF8_WRONG, 0 },
                { "\xdf ", 2, UTF8_WRONG, 0 },
                { "\xe1 ", 2, UTF8_WRONG, 0 },
                { "\xf1 ", 2, UTF8_WRONG, 0 },
                { "\xf8\x88\x80\x80\x80", 5, UTF8_WRONG, 0 },
                { "\xfc\x84\x80\x80\x80\x80", 6, UTF8_WRONG, 0 },
                { "\xfe", 1, UTF8_WRONG, 0 },
                { "\xff", 1, UTF8_WRONG, 0 },
                { "\xfe\xfe\xff\xff", 4, UTF8_WRONG, 0 },
                { "\xf4\x90\x80\x80", 4, UTF8_WRONG, 0 },
                { "\xf7\xbf\xbf\xbf", 4, UTF8_WRONG, 0 },
        };

        check_examples(examples, COUNT(examples));
}

TEST(kuhns_overlong_forms)
{
        static const struct example examples[] = {
                { "\xc0\xaf", 2, UTF8_WRONG, 0 },
                { "\xe0\x80\xaf", 3, UTF8_WRONG, 0 },
                { "\xf0\x80\x80\xaf", 4, UTF8_WRONG, 0 },
                { "\xf8\x80\x80\x80\xaf", 5, UTF8_WRONG, 0 },
                { "\xc1\xbf", 2, UTF8_WRONG, 0 },
                { "\xe0\x9f\xbf", 3, UTF8_WRONG, 0 },
                { "\xf0\x8f\xbf\xbf", 4, UTF8_WRONG, 0 },
                { "\xc0\x80", 2, UTF8_WRONG, 0 },
                { "\xe0\x80\x80", 3, UTF8_WRONG, 0 },
                { "\xf0\x80\x80\x80", 4, UTF8_WRONG, 0 },
        };

        check_examples(examples, COUNT(examples));
}

TEST(kuhns_surrogates)
{
        static const struct example examples[] = {
                { "\xed\xa0\x80", 3, UTF8_WRONG, 0 },
                { "\xed\xad\xbf", 3, UTF8_WRONG, 0 },
                { "\xed\xae\x80", 3, UTF8_WRONG, 0 },
                { "\xed\xaf\xbf", 3, UTF8_WRONG, 0 },
                { "\xed\xb0\x80", 3, UTF8_WRONG, 0 },
                { "\xed\xbe\x80", 3, UTF8_WRONG, 0 },
                { "\xed\xbf\xbf", 3, UTF8_WRONG, 0 },
                { "\xed\xa0\x80\xed\xb0\x80", 6, UTF8_WRONG, 0 },
                { "\xef\xbf\xbe", 3, 3, 0xfffe }, /* noncharacters are characters */
                { "\xef\xb7\x90", 3, 3, 0xfdd0 },
        };

        check_examples(examples, COUNT(examples));
}

/* Kuhn's section 3.3: the last byte is missing. */
TEST(characters_that_are_cut)
{
        static const struct example examples[] = {
                { "", 0, UTF8_CUT, 0 },
                { "\xc2", 1, UTF8_CUT, 0 },
                { "\xdf", 1, UTF8_CUT, 0 },
                { "\xe0", 1, UTF8_CUT, 0 },
                { "\xe0\xa0", 2, UTF8_CUT, 0 },
                { "\xed\x9f", 2, UTF8_CUT, 0 },
                { "\xef\xbf", 2, UTF8_CUT, 0 },
                { "\xf0", 1, UTF8_CUT, 0 },
                { "\xf0\x90", 2, UTF8_CUT, 0 },
                { "\xf0\x90\x80", 3, UTF8_CUT, 0 },
                { "\xf4\x8f\xbf", 3, UTF8_CUT, 0 },
                { "\xe0\x9f", 2, UTF8_WRONG, 0 }, /* whatever may follow */
                { "\xed\xa0", 2, UTF8_WRONG, 0 },
                { "\xf0\x8f", 2, UTF8_WRONG, 0 },
                { "\xf4\x90", 2, UTF8_WRONG, 0 },
                { "\xf0\x90\x41", 3, UTF8_WRONG, 0 },
        };

        check_examples(examples, COUNT(examples));
}

/* ---- Substitution ------------------------------------------------------------------------- */

static void check_repair(const char *bytes, size_t length, const char *expected,
                         size_t expected_length)
{
        unsigned char *given = exact(bytes, length);
        unsigned char *room = exact(expected, expected_length);

        memset(room, 0xee, expected_length);
        CHECK_EQ(utf8_repair(given, length, NULL, 0), expected_length);
        CHECK_EQ(utf8_repair(given, length, room, expected_length), expected_length);
        CHECK_BYTES(room, expected, expected_length);
        free(room);
        free(given);
}

#define R "\xef\xbf\xbd"
#define REPAIR(bytes, expected) \
        check_repair(bytes, sizeof(bytes) - 1, expected, sizeof(expected) - 1)

/* Tables 3-8 to 3-11. */
TEST(published_examples_of_substitution)
{
        REPAIR("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", R R R R R R R R "\x41");
        REPAIR("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", R R R R R R R R "\x41");
        REPAIR("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", R R R R R "\x41" R R "\x42");
        REPAIR("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", R R R R "\x41");
        REPAIR("\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64",
               "\x61" R R R "\x62" R "\x63" R R "\x64");
}

TEST(substitution_leaves_the_rest_alone)
{
        REPAIR("", "");
        REPAIR("plain", "plain");
        REPAIR("a\0b", "a\0b");
        REPAIR("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", /* kosme, Kuhn's section 1 */
               "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5");
        REPAIR("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf");
        REPAIR("\xe2\x82", R);
}

/* "e", the euro sign, a wrong byte, U+10348: 1 + 3 + 3 + 4 bytes. */
TEST(substitution_never_writes_a_part_of_a_character)
{
        static const char bytes[] = "e\xe2\x82\xac\xff\xf0\x90\x8d\x88";
        static const char expected[] = "e\xe2\x82\xac" R "\xf0\x90\x8d\x88";
        static const size_t written[] = { 0, 1, 1, 1, 4, 4, 4, 7, 7, 7, 7, 11, 11 };

        for (size_t size = 0; size < COUNT(written); size++) {
                unsigned char room[16];

                memset(room, 0xee, sizeof(room));
                CHECK_EQ(utf8_repair(bytes, sizeof(bytes) - 1, room, size), 11);
                CHECK_BYTES(room, expected, written[size]);
                for (size_t i = written[size]; i < sizeof(room); i++)
                        CHECK_EQ(room[i], 0xee);
        }
}
