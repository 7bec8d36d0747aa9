/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is told, and who is left in peace.
 */
#include "utf8.h"

#include <tocsin/case.h>

/* Latin-1, as an old peer would send it. */
static void check_latin(void)
{
        char text[] = "caf\xe9 number 0";

        text[sizeof(text) - 2] = (char)('0' + toc_case_random_below(10));
        CHECK_EQ(utf8_check(text, sizeof(text) - 1), 3);
}

ALARM(a_peer_sends_latin_1, 60)
{
        for (int second = 0; second < 60; second++) {
                for (int i = 0; i < 20; i++)
                        check_latin();
                toc_case_tick(1);
        }
}

ALARM(a_caller_encodes_surrogates, 60)
{
        unsigned char bytes[UTF8_SIZE_MAX];

        for (int second = 0; second < 60; second++) {
                for (int i = 0; i < 20; i++)
                        CHECK_EQ(
                                utf8_encode(0xd800 + (uint32_t)toc_case_random_below(0x800), bytes),
                                UTF8_WRONG);
                toc_case_tick(1);
        }
}

CALM(much_text_and_all_of_it_right)
{
        static const char text[] = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
        unsigned char bytes[UTF8_SIZE_MAX];

        for (int second = 0; second < 120; second++) {
                for (int i = 0; i < 500; i++) {
                        CHECK_EQ(utf8_check(text, sizeof(text) - 1), sizeof(text) - 1);
                        CHECK_EQ(utf8_encode('a', bytes), 1);
                }
                toc_case_tick(1);
        }
}

CALM(a_burst_of_wrong_texts)
{
        unsigned char bytes[UTF8_SIZE_MAX];

        for (int burst = 0; burst < 5; burst++) {
                for (int i = 0; i < 50; i++) {
                        check_latin();
                        CHECK_EQ(utf8_encode(0x110000, bytes), UTF8_WRONG);
                }
                toc_case_tick(90);
        }
}

/* Who shows what others wrote repairs it, and nobody needs to get up for that. */
CALM(repairing_is_everyday_work)
{
        unsigned char into[64];

        for (int second = 0; second < 120; second++) {
                for (int i = 0; i < 200; i++)
                        CHECK_EQ(utf8_repair("\xff\xfe\xfd", 3, into, sizeof(into)), 9);
                toc_case_tick(1);
        }
}
