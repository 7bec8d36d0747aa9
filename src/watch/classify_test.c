/* SPDX-License-Identifier: Apache-2.0 */
/* A table of lines as programs write them, and of lines that only look like trouble. */
#include "watch/classify.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct example {
        const char *line;
        enum classify_level level;
};

static const struct example stated[] = {
        { "<3>disk is gone", CLASSIFY_ERROR },
        { "<0>x", CLASSIFY_ERROR },
        { "<11>daemon.err: facility 1, priority 3", CLASSIFY_ERROR },
        { "<4>slow", CLASSIFY_WARNING },
        { "<6>error counters cleared", CLASSIFY_NEITHER },
        { "<300x>", CLASSIFY_NEITHER },
        { "<>error", CLASSIFY_ERROR },
        { "E0102 12:34:56.789 7 store.cc:3] cannot open", CLASSIFY_ERROR },
        { "F0102 12:34:56.789 7 store.cc:3] Check failed", CLASSIFY_ERROR },
        { "W0102 12:34:56.789 7 store.cc:3] slow", CLASSIFY_WARNING },
        { "I0102 12:34:56.789 7 store.cc:3] error path taken", CLASSIFY_NEITHER },
        { "W20240102 12:34:56.789 7 x.cc:3] slow", CLASSIFY_WARNING },
        { "E/Camera: lost", CLASSIFY_ERROR },
        { "E (123) wifi: lost", CLASSIFY_ERROR },
        { "E something broke", CLASSIFY_ERROR },
        { "W something bends", CLASSIFY_WARNING },
        { "E = m c^2", CLASSIFY_NEITHER },
        { "I am here", CLASSIFY_NEITHER },
        { "time=1 level=error msg=\"x\"", CLASSIFY_ERROR },
        { "time=1 level=warn msg=\"an error is coming\"", CLASSIFY_WARNING },
        { "msg=\"error handler ready\" level=info", CLASSIFY_NEITHER },
        { "lvl=eror msg=x", CLASSIFY_NEITHER },
        { "lvl=crit msg=x", CLASSIFY_ERROR },
        { "{\"level\":\"error\",\"msg\":\"x\"}", CLASSIFY_ERROR },
        { "{\"level\": \"ERROR\",\"msg\":\"x\"}", CLASSIFY_ERROR },
        { "{\"msg\":\"error parsed\",\"level\":\"info\"}", CLASSIFY_NEITHER },
        { "{\"severity\":\"WARNING\"}", CLASSIFY_WARNING },
        { "{\"level\":50,\"msg\":\"x\"}", CLASSIFY_ERROR },
        { "{\"level\":40,\"msg\":\"x\"}", CLASSIFY_WARNING },
        { "{\"level\":30,\"msg\":\"fatal?\"}", CLASSIFY_NEITHER },
        { "{\"log.level\":\"error\"}", CLASSIFY_ERROR },
        { "2024-01-02 12:00:00 INFO  3 errors repaired", CLASSIFY_NEITHER },
        { "[info] fatal errors are reported below", CLASSIFY_NEITHER },
        { "12:00 DEBUG panic handler installed", CLASSIFY_NEITHER },
};

static const struct example words[] = {
        { "error: no such file", CLASSIFY_ERROR },
        { "Error: x", CLASSIFY_ERROR },
        { "ERROR x", CLASSIFY_ERROR },
        { "an error occurred", CLASSIFY_ERROR },
        { "2024/01/02 12:00:00 [error] 7#7: connect() failed", CLASSIFY_ERROR },
        { "[err] x", CLASSIFY_ERROR },
        { "ERR! code 7", CLASSIFY_ERROR },
        { "fatal: not a git repository", CLASSIFY_ERROR },
        { "CRITICAL - x", CLASSIFY_ERROR },
        { "panic: runtime error: index out of range", CLASSIFY_ERROR },
        { "Traceback (most recent call last):", CLASSIFY_ERROR },
        { "ValueError: bad", CLASSIFY_ERROR },
        { "java.lang.RuntimeException: bad", CLASSIFY_ERROR },
        { "==7==ERROR: AddressSanitizer: heap-use-after-free", CLASSIFY_ERROR },
        { "x.c:3:1: error: expected ';'", CLASSIFY_ERROR },
        { "make: *** [x] Error 1", CLASSIFY_ERROR },
        { "3 errors generated.", CLASSIFY_ERROR },
        { "errors=3", CLASSIFY_ERROR },
        { "error: null pointer", CLASSIFY_ERROR },
        { "error: none of the disks answers", CLASSIFY_ERROR },
        { "error 0x80070005", CLASSIFY_ERROR },
        { "x.c:3:1: warning: unused", CLASSIFY_WARNING },
        { "WARN x", CLASSIFY_WARNING },
        { "[warn] x", CLASSIFY_WARNING },
        { "Warning: an error may follow", CLASSIFY_WARNING },
};

static const struct example harmless[] = {
        { "", CLASSIFY_NEITHER },
        { "hello", CLASSIFY_NEITHER },
        { "0 errors", CLASSIFY_NEITHER },
        { "0 errors, 0 warnings", CLASSIFY_NEITHER },
        { "0 error(s) found", CLASSIFY_NEITHER },
        { "error(s): 0", CLASSIFY_NEITHER },
        { "errors: 0", CLASSIFY_NEITHER },
        { "ERRORS: 0", CLASSIFY_NEITHER },
        { "error=0", CLASSIFY_NEITHER },
        { "error=0 bytes=7", CLASSIFY_NEITHER },
        { "ERROR = 0", CLASSIFY_NEITHER },
        { "no error", CLASSIFY_NEITHER },
        { "No errors detected", CLASSIFY_NEITHER },
        { "finished without error", CLASSIFY_NEITHER },
        { "error=nil", CLASSIFY_NEITHER },
        { "error=<nil> next", CLASSIFY_NEITHER },
        { "\"error\": null, \"x\": 1", CLASSIFY_NEITHER },
        { "error=\"\" x", CLASSIFY_NEITHER },
        { "error: Success", CLASSIFY_NEITHER },
        { "opening /var/log/error.log", CLASSIFY_NEITHER },
        { "error.c compiled", CLASSIFY_NEITHER },
        { "error_count 3", CLASSIFY_NEITHER },
        { "error-free since monday", CLASSIFY_NEITHER },
        { "errno is set", CLASSIFY_NEITHER },
        { "terrors of the deep", CLASSIFY_NEITHER },
        { "called error(x)", CLASSIFY_NEITHER },
        { "a critical section", CLASSIFY_NEITHER },
        { "we warn you", CLASSIFY_NEITHER },
        { "no warnings", CLASSIFY_NEITHER },
        { "be alert", CLASSIFY_NEITHER },
        { "\xff\xfe\x80", CLASSIFY_NEITHER },
};

static void check(const struct example *examples, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                enum classify_level level =
                        classify_line(examples[i].line, strlen(examples[i].line));

                if (level != examples[i].level)
                        print_error("'%s' is %d and not %d\n", examples[i].line, (int)level,
                                    (int)examples[i].level);
                assert_int_equal(level, examples[i].level);
        }
}

static void levels_that_a_line_states(void **state)
{
        (void)state;
        check(stated, BASE_COUNT(stated));
}

static void words_without_a_level(void **state)
{
        (void)state;
        check(words, BASE_COUNT(words));
}

static void what_only_looks_like_trouble(void **state)
{
        (void)state;
        check(harmless, BASE_COUNT(harmless));
}

/* Every line cut at every byte: nothing beyond the given length may be read. */
static void no_byte_beyond_the_length_is_read(void **state)
{
        const struct example *tables[] = { stated, words, harmless };
        const size_t counts[] = { BASE_COUNT(stated), BASE_COUNT(words), BASE_COUNT(harmless) };

        (void)state;
        for (size_t t = 0; t < BASE_COUNT(tables); t++)
                for (size_t i = 0; i < counts[t]; i++)
                        for (size_t cut = 0; cut <= strlen(tables[t][i].line); cut++) {
                                char *copy = malloc(cut ? cut : 1); /* for address sanitizer */

                                assert_non_null(copy);
                                memcpy(copy, tables[t][i].line, cut);
                                (void)classify_line(copy, cut); /* any answer will do */
                                free(copy);
                        }
}

static void only_the_start_of_a_line_counts(void **state)
{
        char line[classify_bytes_max + 16];

        (void)state;
        memset(line, ' ', sizeof(line));
        memcpy(line + classify_bytes_max - 5, "error", 5);
        assert_int_equal(classify_line(line, sizeof(line)), CLASSIFY_ERROR);
        memset(line, ' ', sizeof(line));
        memcpy(line + classify_bytes_max, "error", 5);
        assert_int_equal(classify_line(line, sizeof(line)), CLASSIFY_NEITHER);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(levels_that_a_line_states),
                cmocka_unit_test(words_without_a_level),
                cmocka_unit_test(what_only_looks_like_trouble),
                cmocka_unit_test(no_byte_beyond_the_length_is_read),
                cmocka_unit_test(only_the_start_of_a_line_counts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
