/* SPDX-License-Identifier: Apache-2.0 */
/* stops.c - misses the expectation that its argument names; whether that stops it was decided when
 * it was compiled: plainly, with -DTOC_TESTING, or with -DTOC_VERSION=7. */
#include <stdio.h>
#include <string.h>

#include <tocsin.h>

TOC_MODULE(stops, "A program that stops where it must");

int main(int argc, char **argv)
{
        const char *what = argc > 1 ? argv[1] : "";

        if (!strcmp(what, "plain"))
                (void)TOC_EXPECT(argc < 0, TOC_NOTE, "missed without consequences");
        if (!strcmp(what, "in_tests"))
                (void)TOC_EXPECT(argc < 1, TOC_NOTE, "missed as tests do", TOC_STOP_IN_TESTS);
        if (!strcmp(what, "from_7"))
                (void)TOC_EXPECT_CMP(argc, <, 2, TOC_NOTE, "too many arguments", TOC_STOP_FROM(7));
        if (!strcmp(what, "from_8"))
                (void)TOC_UNREACHABLE(TOC_NOTE, "nobody gets here", TOC_STOP_FROM(8));
        if (!strcmp(what, "both"))
                (void)TOC_EXPECT(argc < 3, TOC_NOTE, "this one holds", TOC_STOP_IN_TESTS,
                                 TOC_STOP_FROM(1));
        puts("ready");
        return 0;
}
