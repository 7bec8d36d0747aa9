/* SPDX-License-Identifier: Apache-2.0 */
/* Expected link symbols: what nm of objects made by gcc 12 with glibc 2.36 shows. */
#include "gate/symbols.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct contract contract_of(char **symbols, size_t symbol_count, char **headers,
                                   size_t header_count)
{
        return (struct contract){ .symbols = { .items = symbols, .count = symbol_count },
                                  .headers = { .items = headers, .count = header_count } };
}

static void presets_allow_what_their_names_become(void **state)
{
        static const struct {
                const char *word, *symbol;
                bool is_allowed;
        } rows[] = {
                { "heap", "malloc", true },
                { "heap", "reallocarray", true },
                { "heap", "mmap", false },
                { "heap", "mallocx", false },
                { "heap", "malloc free", false },
                { "heap", "", false },
                { "memory", "__memcpy_chk", true },
                { "memory", "__explicit_bzero_chk", true },
                { "memory", "strlen", false },
                { "strings", "__strcpy_chk", true },
                { "errno", "__errno_location", true },
                { "assert", "__assert_fail", true },
                { "assert", "abort", false },
                { "ctype", "__ctype_b_loc", true },
                { "ctype", "__ctype_tolower_loc", true },
                { "numbers", "__isoc23_strtol", true },
                { "stdio_print", "__printf_chk", true },
                { "stdio_print", "fopen", false },
                { "files", "open64", true },
                { "files", "__open_2", true },
                { "math", "sqrtf", true },
                { "threads", "pthread_mutex_lock", true },
                { "threads", "pthread_create", false },
                { "time", "clock_gettime", true },
                { "sort", "qsort", true },
                { "random", "getrandom", true },
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
                char word[symbols_name_max + 1];
                char *words[] = { word };
                const struct contract contract = contract_of(words, 1, NULL, 0);

                (void)snprintf(word, sizeof(word), "%s", rows[i].word);
                assert_int_equal(symbols_allows(&contract, rows[i].symbol), rows[i].is_allowed);
        }
}

static void single_names_allow_only_themselves(void **state)
{
        char errno_word[] = "errno", clock_word[] = "clock_gettime", own_word[] = "own";
        char *words[] = { errno_word, clock_word, own_word };
        const struct contract contract = contract_of(words, BASE_COUNT(words), NULL, 0);

        (void)state;
        assert_true(symbols_allows(&contract, "__errno_location"));
        assert_true(symbols_allows(&contract, "clock_gettime"));
        assert_false(symbols_allows(&contract, "time"));
        assert_false(symbols_allows(&contract, "nanosleep"));
        assert_true(symbols_allows(&contract, "own"));
        assert_true(symbols_allows(&contract, "__own_chk"));
        assert_false(symbols_allows(&contract, "own2"));
}

static void compilers_may_emit_what_they_must(void **state)
{
        const struct contract contract = contract_of(NULL, 0, NULL, 0);

        (void)state;
        assert_true(symbols_allows(&contract, "memcpy"));
        assert_true(symbols_allows(&contract, "__stack_chk_fail"));
        assert_true(symbols_allows(&contract, "_GLOBAL_OFFSET_TABLE_"));
        assert_false(symbols_allows(&contract, "__memcpy_chk"));
        assert_false(symbols_allows(&contract, "_exit"));
        assert_false(symbols_allows(&contract, "dlsym"));
        assert_false(symbols_allows(&contract, "syscall"));
}

static void tocsin_is_allowed_only_with_its_header(void **state)
{
        char header[] = "tocsin.h";
        char *headers[] = { header };
        const struct contract with = contract_of(NULL, 0, headers, 1);
        const struct contract without = contract_of(NULL, 0, NULL, 0);

        (void)state;
        assert_true(symbols_allows(&with, "toc_register_"));
        assert_true(symbols_allows(&with, "__start_toc_probes_1"));
        assert_true(symbols_allows(&with, "one_file_must_have_TOC_MODULE_lru"));
        assert_false(symbols_allows(&without, "toc_register_"));
        assert_false(symbols_allows(&with, "toc_segment_path"));
        assert_false(symbols_allows(&with, "toc_case_fail_"));
}

static void names_for_people(void **state)
{
        (void)state;
        assert_true(symbols_known("heap"));
        assert_true(symbols_known("anything_else"));
        assert_false(symbols_known("no name"));
        assert_false(symbols_known(""));
        assert_false(symbols_known("1st"));
        assert_true(symbols_is_preset("wide"));
        assert_false(symbols_is_preset("malloc"));
        assert_true(symbols_has_function("malloc"));
        assert_false(symbols_has_function("mallok"));
        assert_string_equal(symbols_nearest_preset("hepa"), "heap");
        assert_null(symbols_nearest_preset("clock_gettime"));
        assert_string_equal(symbols_source_of("__errno_location"), "errno");
        assert_string_equal(symbols_source_of("__memcpy_chk"), "memcpy");
        assert_string_equal(symbols_source_of("nobody_knows"), "nobody_knows");
}

static void appends(const char *word, const char *expected)
{
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(4096);

        symbols_append_names(word, &into);
        assert_string_equal(text_view(&into), expected);
}

static void test_names_that_authors_may_write(void **state)
{
        BASE_SCOPE(text_fini) struct text math = TEXT_INIT(16384);

        (void)state;
        appends("heap", "malloc calloc realloc reallocarray free aligned_alloc posix_memalign "
                        "malloc_usable_size");
        appends("errno", "errno");
        appends("sort", "qsort qsort_r bsearch lfind lsearch");
        appends("clock_gettime", "clock_gettime");
        symbols_append_names("math", &math);
        assert_non_null(strstr(text_view(&math), " floor floorf floorl "));
        assert_non_null(strstr(text_view(&math), " isnan isinf "));
        assert_null(strstr(text_view(&math), "_"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(presets_allow_what_their_names_become),
                cmocka_unit_test(single_names_allow_only_themselves),
                cmocka_unit_test(compilers_may_emit_what_they_must),
                cmocka_unit_test(tocsin_is_allowed_only_with_its_header),
                cmocka_unit_test(names_for_people),
                cmocka_unit_test(test_names_that_authors_may_write),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
