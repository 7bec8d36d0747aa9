/* SPDX-License-Identifier: Apache-2.0 */
/* message_test.c - the formatter of reports against libc's own vsnprintf, which it must agree with
 * to the byte wherever both know the conversion. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probe/runtime.h"

static uint32_t ours(char *out, uint32_t max, const char *format, ...)
{
        va_list args;
        uint32_t bytes;

        va_start(args, format);
        bytes = toc_message_format_(out, max, format, &args);
        va_end(args);
        return bytes;
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat"

#define AGREE(...)                                                               \
        do {                                                                     \
                char wanted[400], got[400];                                      \
                int bytes = snprintf(wanted, sizeof wanted, __VA_ARGS__);        \
                uint32_t same = ours(got, sizeof got, __VA_ARGS__);              \
                if (same != (uint32_t)bytes || memcmp(got, wanted, same))        \
                        fail_msg("wanted %s, got %.*s", wanted, (int)same, got); \
        } while (0)

static void integers_agree_with_libc(void **unused)
{
        static const char *const flags[] = { "", "-", "0", "+", " ", "+0", "-+", "#", "#0" };
        static const char *const sizes[] = { "", "1", "8", ".0", ".3", "8.3", "12.11" };
        static const long long values[] = {
                0, 1, -1, 7, -42, INT_MAX, INT_MIN, LLONG_MAX, LLONG_MIN
        };
        char format[32];

        (void)unused;
        for (size_t f = 0; f < sizeof flags / sizeof *flags; f++)
                for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                        for (size_t v = 0; v < sizeof values / sizeof *values; v++)
                                for (const char *letter = "dixXou"; *letter; letter++) {
                                        if (*letter == 'o' && *flags[f] == '#')
                                                continue; /* %#.3o: not worth it */
                                        if (*flags[f] == '#' && strchr("di", *letter))
                                                continue; /* undefined */
                                        if (strchr("xXu", *letter) && strpbrk(flags[f], "+ "))
                                                continue; /* undefined */
                                        snprintf(format, sizeof format, "<%%%s%s%c>", flags[f],
                                                 sizes[s], *letter);
                                        AGREE(format, (int)values[v]);
                                        snprintf(format, sizeof format, "<%%%s%sll%c>", flags[f],
                                                 sizes[s], *letter);
                                        AGREE(format, values[v]);
                                        snprintf(format, sizeof format, "<%%%s%shh%c>", flags[f],
                                                 sizes[s], *letter);
                                        AGREE(format, (int)values[v]);
                                        snprintf(format, sizeof format, "<%%%s%sh%c>", flags[f],
                                                 sizes[s], *letter);
                                        AGREE(format, (int)values[v]);
                                }
}

static void lengths_of_the_standard_agree(void **unused)
{
        (void)unused;
        AGREE("%ld %lu %lx", LONG_MIN, ULONG_MAX, 0xfeedUL);
        AGREE("%zu %zd %jd %ju %td", (size_t)-1, (size_t)5, (intmax_t)-9, (uintmax_t)9,
              (ptrdiff_t)-3);
        AGREE("%*d|%-*d|%.*d", 7, 42, 7, 42, 4, 42);
        AGREE("%*d|", -7, 42);
}

static void texts_agree(void **unused)
{
        (void)unused;
        AGREE("no conversion at all");
        AGREE("%s", "plain");
        AGREE("[%10s][%-10s][%.3s][%8.2s]", "right", "left", "cut short", "both");
        AGREE("%c%c%5c%-5c|", 'a', 'b', 'c', 'd');
        AGREE("100%%");
        AGREE("%p", (void *)&errno);
        AGREE("%.2f %8.3f %-8.1f| %e %g %G %+.0f %08.2f", 3.14159, 2.5, 9.99, 12345.678, 1e-7, 1e20,
              2.5, -1.5);
        AGREE("%Lf", 1.25L);
        errno = ENOENT;
        AGREE("%m");
}

static void a_null_text_is_named(void **unused)
{
        char out[32];

        (void)unused;
        assert_int_equal(ours(out, sizeof out, "<%s>", (char *)NULL), 8);
        assert_memory_equal(out, "<(null)>", 8);
}

/* Not terminated in memory that we may read: only as much as asked for is touched. */
static void a_precision_bounds_the_read(void **unused)
{
        char *exact = malloc(4); /* valgrind and ASan watch what lies behind it */
        char out[32];

        (void)unused;
        memcpy(exact, "four", 4);
        assert_int_equal(ours(out, sizeof out, "%.4s", exact), 4);
        assert_memory_equal(out, "four", 4);
        free(exact);
}

static void nothing_is_written_past_the_end(void **unused)
{
        (void)unused;
        for (uint32_t max = 0; max < 40; max++) {
                char out[64], whole[64];

                memset(out, '~', sizeof out);
                snprintf(whole, sizeof whole, "%-9s%09d%s", "ab", -77, "the rest of it");
                assert_int_equal(ours(out, max, "%-9s%09d%s", "ab", -77, "the rest of it"),
                                 max < 32 ? max : 32);
                assert_memory_equal(out, whole, max < 32 ? max : 32);
                assert_int_equal(out[max < 32 ? max : 32], '~');
        }
}

static void what_is_unknown_is_shown_as_it_stands(void **unused)
{
        char out[64];

        (void)unused;
        assert_int_equal(ours(out, sizeof out, "a %d b %n c", 1, NULL), 10);
        assert_memory_equal(out, "a 1 b %n c", 10);
        assert_int_equal(ours(out, sizeof out, "ends in %"), 9);
        assert_memory_equal(out, "ends in %", 9);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(integers_agree_with_libc),
                cmocka_unit_test(lengths_of_the_standard_agree),
                cmocka_unit_test(texts_agree),
                cmocka_unit_test(a_null_text_is_named),
                cmocka_unit_test(a_precision_bounds_the_read),
                cmocka_unit_test(nothing_is_written_past_the_end),
                cmocka_unit_test(what_is_unknown_is_shown_as_it_stands),
        };

        return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
