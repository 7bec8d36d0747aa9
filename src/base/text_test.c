/* SPDX-License-Identifier: Apache-2.0 */
/* Shows each limit at its last good value and one beyond, and what must not reach a terminal. */
#include "base/text.h"
#include "base/clock.h"

#include <errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void empty_text_can_be_viewed_and_freed(void **state)
{
        struct text text = TEXT_INIT(10);

        (void)state;
        assert_string_equal(text_view(&text), "");
        text_fini(&text);
        text_fini(&text);
        text_init(&text, 0);
        text_append(&text, "");
        assert_int_equal(text.error, 0);
        assert_string_equal(text_view(&text), "");
        text_fini(&text);
}

static void appends_grow_beyond_the_first_allocation(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(100000);

        (void)state;
        for (int i = 0; i < 20000; i++)
                text_append(&text, "abcde");
        assert_int_equal(text.error, 0);
        assert_int_equal(text.length, 100000);
        assert_int_equal(strlen(text_view(&text)), 100000);
        assert_memory_equal(text_view(&text) + 99995, "abcde", 6);
}

static void limit_is_exact(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(5);

        (void)state;
        text_append(&text, "12345");
        assert_int_equal(text.error, 0);
        assert_string_equal(text_view(&text), "12345");
        text_append(&text, "6");
        assert_int_equal(text.error, -EOVERFLOW);
        assert_string_equal(text_view(&text), "12345");
}

static void overflow_keeps_the_start_and_leaves_no_hole(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(5);

        (void)state;
        text_append(&text, "123");
        text_append(&text, "4567");
        assert_int_equal(text.error, -EOVERFLOW);
        assert_string_equal(text_view(&text), "12345");
        text_append(&text, "8");
        text_printf(&text, "%d", 9);
        text_append_escaped(&text, "x", 1);
        assert_string_equal(text_view(&text), "12345");
}

/* Borders of Table 3-7 of the Unicode Standard. */
static void utf8_is_told_from_other_bytes(void **state)
{
        static const struct {
                const char *bytes;
                size_t length;
                bool is_utf8;
        } rows[] = {
                { "", 0, true },
                { "plain\n\033\0", 8, true },
                { "\xc2\x80", 2, true },
                { "\xf4\x8f\xbf\xbf", 4, true },
                { "\xc1\xbf", 2, false },
                { "\xe0\x9f\xbf", 3, false },
                { "\xed\xa0\x80", 3, false },
                { "\xf4\x90\x80\x80", 4, false },
                { "cut \xe2\x82", 6, false },
                { "caf\xe9", 4, false },
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++)
                assert_int_equal(text_is_utf8(rows[i].bytes, rows[i].length), rows[i].is_utf8);
}

static void clear_forgets_bytes_and_error(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(3);

        (void)state;
        text_append(&text, "1234");
        text_clear(&text);
        assert_int_equal(text.error, 0);
        assert_string_equal(text_view(&text), "");
        text_append(&text, "abc");
        assert_int_equal(text.error, 0);
        assert_string_equal(text_view(&text), "abc");
}

static void bytes_may_contain_nul(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(8);

        (void)state;
        text_append_bytes(&text, "a\0b", 3);
        assert_int_equal(text.length, 3);
        assert_memory_equal(text_view(&text), "a\0b", 4);
}

static void printf_limit_is_exact(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(6);

        (void)state;
        text_printf(&text, "%s-%d", "ab", 123);
        assert_int_equal(text.error, 0);
        assert_string_equal(text_view(&text), "ab-123");
        text_clear(&text);
        text_printf(&text, "%s-%d", "ab", 1234);
        assert_int_equal(text.error, -EOVERFLOW);
        assert_string_equal(text_view(&text), "ab-123");
}

static void printf_into_a_full_text_is_remembered(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(0);

        (void)state;
        text_printf(&text, "%s", "");
        assert_int_equal(text.error, 0);
        text_printf(&text, "%d", 1);
        assert_int_equal(text.error, -EOVERFLOW);
        assert_string_equal(text_view(&text), "");
}

struct escape {
        const char *from;
        const char *to;
};

static void escapes(const struct escape *rows, size_t count)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(1000);

        for (size_t i = 0; i < count; i++) {
                text_clear(&text);
                text_append_escaped(&text, rows[i].from, strlen(rows[i].from));
                assert_string_equal(text_view(&text), rows[i].to);
        }
}

static void readable_text_stays(void **state)
{
        static const struct escape rows[] = {
                { "plain text, 100 %", "plain text, 100 %" },
                { "back\\slash \"quoted\"", "back\\slash \"quoted\"" },
                { "Gr\u00fc\u00dfe \u4f60\u597d \U0001f514",
                  "Gr\u00fc\u00dfe \u4f60\u597d \U0001f514" },
                { "\u00a0\u0100\u2027\u202f\ud7ff\ue000\U0010ffff",
                  "\u00a0\u0100\u2027\u202f\ud7ff\ue000\U0010ffff" },
        };

        (void)state;
        escapes(rows, BASE_COUNT(rows));
}

static void control_bytes_are_escaped(void **state)
{
        static const struct escape rows[] = {
                { "\033[31mred", "\\x1b[31mred" },
                { "a\nb\rc\td", "a\\x0ab\\x0dc\\x09d" },
                { "\x01\x1f \x7f", "\\x01\\x1f \\x7f" },
                /* C1 controls: U+009B is a CSI to some terminals, encoded or as a bare byte. */
                { "\xc2\x9b"
                  "31m",
                  "\\xc2\\x9b31m" },
                { "\xc2\x9f\xc2\x80|", "\\xc2\\x9f\\xc2\\x80|" },
                { "\x9b"
                  "31m",
                  "\\x9b31m" },
        };

        (void)state;
        escapes(rows, BASE_COUNT(rows));
}

static void invalid_utf8_is_escaped(void **state)
{
        static const struct escape rows[] = {
                { "\xff", "\\xff" },
                { "a\xc3", "a\\xc3" },        /* cut off */
                { "\xc3(", "\\xc3(" },        /* not continued */
                { "\xc0\xaf", "\\xc0\\xaf" }, /* overlong */
                { "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
                { "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" },
                { "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* surrogate */
                { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* beyond Unicode */
                { "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
        };

        (void)state;
        escapes(rows, BASE_COUNT(rows));
}

static void hidden_characters_are_escaped(void **state)
{
        static const struct escape rows[] = {
                { "a\u202e"
                  "b",
                  "a\\xe2\\x80\\xaeb" },                  /* right-to-left override */
                { "\u2066", "\\xe2\\x81\\xa6" },          /* isolate */
                { "\u200b", "\\xe2\\x80\\x8b" },          /* zero width space */
                { "\ufeff", "\\xef\\xbb\\xbf" },          /* byte order mark */
                { "\u2028", "\\xe2\\x80\\xa8" },          /* line separator */
                { "\u00ad", "\\xc2\\xad" },               /* soft hyphen */
                { "\U000e0041", "\\xf3\\xa0\\x81\\x81" }, /* tag */
        };

        (void)state;
        escapes(rows, BASE_COUNT(rows));
}

static void nothing_is_read_beyond_the_length(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(100);

        (void)state;
        text_append_escaped(&text, "\xc3\xbc", 1); /* the second byte is not ours */
        assert_string_equal(text_view(&text), "\\xc3");
}

static void escaping_twice_changes_nothing(void **state)
{
        struct text once BASE_SCOPE(text_fini) = TEXT_INIT(2000);
        struct text twice BASE_SCOPE(text_fini) = TEXT_INIT(2000);
        char all[256];

        (void)state;
        for (int i = 0; i < 256; i++)
                all[i] = (char)i;
        text_append_escaped(&once, all, sizeof(all));
        text_append_escaped(&twice, text_view(&once), once.length);
        assert_string_equal(text_view(&once), text_view(&twice));
        assert_memory_equal(text_view(&once), "\\x00\\x01", 8);
}

static void escape_is_never_cut_in_two(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(4);

        (void)state;
        text_append_escaped(&text, "\n", 1);
        assert_int_equal(text.error, 0);
        assert_string_equal(text_view(&text), "\\x0a");
        text_clear(&text);
        text_append_escaped(&text, "a\n", 2);
        assert_int_equal(text.error, -EOVERFLOW);
        assert_string_equal(text_view(&text), "a");
        text_append(&text, "b"); /* would fit, but not after what is missing */
        text_append_escaped(&text, "b", 1);
        text_printf(&text, "b");
        assert_string_equal(text_view(&text), "a");
        text_clear(&text);
        text_append_escaped(&text, "ab\u4f60", 5);
        assert_int_equal(text.error, -EOVERFLOW);
        assert_string_equal(text_view(&text), "ab");
}

static void u64_takes_digits_only(void **state)
{
        static const char *const refused[] = { "",    " 1",  "1 ", "+1",   "-1", "0x10", "1.5",
                                               "1e3", "1\n", "١",  "99 9", "k",  "12k" };
        uint64_t value = 7;

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(refused); i++)
                assert_int_equal(text_parse_u64(refused[i], 0, UINT64_MAX, &value), -EINVAL);
        assert_int_equal(value, 7);
        assert_int_equal(text_parse_u64("007", 0, 10, &value), 0);
        assert_int_equal(value, 7);
}

static void u64_range_is_exact(void **state)
{
        uint64_t value = 0;

        (void)state;
        assert_int_equal(text_parse_u64("18446744073709551615", 0, UINT64_MAX, &value), 0);
        assert_true(value == UINT64_MAX);
        assert_int_equal(text_parse_u64("18446744073709551616", 0, UINT64_MAX, &value), -ERANGE);
        assert_int_equal(text_parse_u64("99999999999999999999999", 0, UINT64_MAX, &value), -ERANGE);
        assert_true(value == UINT64_MAX);
        assert_int_equal(text_parse_u64("10", 10, 20, &value), 0);
        assert_int_equal(text_parse_u64("20", 10, 20, &value), 0);
        assert_int_equal(value, 20);
        assert_int_equal(text_parse_u64("9", 10, 20, &value), -ERANGE);
        assert_int_equal(text_parse_u64("21", 10, 20, &value), -ERANGE);
        assert_int_equal(value, 20);
}

static void duration_needs_a_unit(void **state)
{
        static const struct {
                const char *text;
                uint64_t ns;
        } taken[] = {
                { "0s", 0 },
                { "15ns", 15 },
                { "3us", 3 * CLOCK_US_NS },
                { "200ms", 200 * CLOCK_MS_NS },
                { "5s", 5 * CLOCK_S_NS },
                { "2m", 2 * CLOCK_MIN_NS },
                { "1h", CLOCK_HOUR_NS },
                { "7d", 7 * CLOCK_DAY_NS },
        };
        static const char *const refused[] = { "",     "5",   "s",   "5 s",  "5S",
                                               "1.5s", "5s ", "-5s", "5sec", "1m30s" };
        uint64_t ns = 0;

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(taken); i++) {
                assert_int_equal(text_parse_duration(taken[i].text, 0, UINT64_MAX, &ns), 0);
                assert_true(ns == taken[i].ns);
        }
        for (size_t i = 0; i < BASE_COUNT(refused); i++)
                assert_int_equal(text_parse_duration(refused[i], 0, UINT64_MAX, &ns), -EINVAL);
        assert_int_equal(text_parse_duration("213503d", 0, UINT64_MAX, &ns), 0);
        assert_int_equal(text_parse_duration("213504d", 0, UINT64_MAX, &ns), -ERANGE);
        assert_int_equal(text_parse_duration("99999999999999999999999d", 0, UINT64_MAX, &ns),
                         -ERANGE);
        assert_int_equal(text_parse_duration("99999999999999999999999x", 0, UINT64_MAX, &ns),
                         -EINVAL);
}

static void size_takes_powers_of_1024(void **state)
{
        uint64_t bytes = 0;

        (void)state;
        assert_int_equal(text_parse_size("4096", 0, UINT64_MAX, &bytes), 0);
        assert_int_equal(bytes, 4096);
        assert_int_equal(text_parse_size("64M", 0, UINT64_MAX, &bytes), 0);
        assert_int_equal(bytes, 64 << 20);
        assert_int_equal(text_parse_size("16777215T", 0, UINT64_MAX, &bytes), 0);
        assert_int_equal(text_parse_size("16777216T", 0, UINT64_MAX, &bytes), -ERANGE);
        assert_int_equal(text_parse_size("64m", 0, UINT64_MAX, &bytes), -EINVAL);
        assert_int_equal(text_parse_size("64MB", 0, UINT64_MAX, &bytes), -EINVAL);
        assert_int_equal(text_parse_size("M", 0, UINT64_MAX, &bytes), -EINVAL);
}

static void quantities_are_written_without_rest(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(200);

        (void)state;
        text_append_duration(&text, 0);
        text_append(&text, " ");
        text_append_duration(&text, 90 * CLOCK_S_NS);
        text_append(&text, " ");
        text_append_duration(&text, 120 * CLOCK_S_NS);
        text_append(&text, " ");
        text_append_duration(&text, CLOCK_S_NS + 1);
        text_append(&text, " ");
        text_append_size(&text, 0);
        text_append(&text, " ");
        text_append_size(&text, 64 << 20);
        text_append(&text, " ");
        text_append_size(&text, (64 << 20) + 1);
        assert_string_equal(text_view(&text), "0ns 90s 2m 1000000001ns 0 64M 67108865");
}

static void distance_counts_slips(void **state)
{
        char longest[text_distance_max + 2];

        (void)state;
        assert_int_equal(text_distance("", ""), 0);
        assert_int_equal(text_distance("gate", "gate"), 0);
        assert_int_equal(text_distance("gate", ""), 4);
        assert_int_equal(text_distance("gat", "gate"), 1);
        assert_int_equal(text_distance("gatee", "gate"), 1);
        assert_int_equal(text_distance("gaze", "gate"), 1);
        assert_int_equal(text_distance("gaet", "gate"), 1); /* neighbours swapped */
        assert_int_equal(text_distance("kitten", "sitting"), 3);

        memset(longest, 'a', sizeof(longest));
        longest[text_distance_max] = '\0';
        assert_int_equal(text_distance(longest, "a"), text_distance_max - 1);
        longest[text_distance_max] = 'a';
        longest[text_distance_max + 1] = '\0';
        assert_int_equal(text_distance(longest, longest), text_distance_max);
        assert_int_equal(text_distance(longest, "b"), text_distance_max);
        assert_int_equal(text_distance("b", longest), text_distance_max);
}

/* Each pasted into a shell gives the word back; a terminal obeys none of it. */
static void test_words_for_a_shell(void **state)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(200);

        (void)state;
        text_append_shell_word(&line, "tocsin");
        text_append_shell_word(&line, "a b");
        text_append_shell_word(&line, "it's");
        text_append_shell_word(&line, "$(x)");
        text_append_shell_word(&line, "");
        text_append_shell_word(&line, "\033[31m'");
        assert_string_equal(text_view(&line), "tocsin 'a b' 'it'\\''s' '$(x)' '' $'\\x1b[31m\\''");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words_for_a_shell),
                cmocka_unit_test(empty_text_can_be_viewed_and_freed),
                cmocka_unit_test(appends_grow_beyond_the_first_allocation),
                cmocka_unit_test(limit_is_exact),
                cmocka_unit_test(overflow_keeps_the_start_and_leaves_no_hole),
                cmocka_unit_test(utf8_is_told_from_other_bytes),
                cmocka_unit_test(clear_forgets_bytes_and_error),
                cmocka_unit_test(bytes_may_contain_nul),
                cmocka_unit_test(printf_limit_is_exact),
                cmocka_unit_test(printf_into_a_full_text_is_remembered),
                cmocka_unit_test(readable_text_stays),
                cmocka_unit_test(control_bytes_are_escaped),
                cmocka_unit_test(invalid_utf8_is_escaped),
                cmocka_unit_test(hidden_characters_are_escaped),
                cmocka_unit_test(nothing_is_read_beyond_the_length),
                cmocka_unit_test(escaping_twice_changes_nothing),
                cmocka_unit_test(escape_is_never_cut_in_two),
                cmocka_unit_test(u64_takes_digits_only),
                cmocka_unit_test(u64_range_is_exact),
                cmocka_unit_test(duration_needs_a_unit),
                cmocka_unit_test(size_takes_powers_of_1024),
                cmocka_unit_test(quantities_are_written_without_rest),
                cmocka_unit_test(distance_counts_slips),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
