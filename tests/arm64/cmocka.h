/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka.h - stands in for cmocka where there is none for the processor: what the tests of src/rule
 * use of it. A failure ends the program. */
#ifndef STANDS_IN_FOR_CMOCKA_H
#define STANDS_IN_FOR_CMOCKA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
        const char *name;
        void (*run)(void **state);
        int (*setup)(void **state);
        int (*teardown)(void **state);
};

#define cmocka_unit_test(f)       \
        {                         \
#f, f, NULL, NULL \
        }
#define cmocka_unit_test_setup(f, setup) \
        {                                \
#f, f, setup, NULL       \
        }
#define cmocka_unit_test_teardown(f, teardown) \
        {                                      \
#f, f, NULL, teardown          \
        }
#define cmocka_unit_test_setup_teardown(f, setup, teardown) \
        {                                                   \
#f, f, setup, teardown                      \
        }
#define cmocka_run_group_tests(tests, setup, teardown) \
        stand_in_run(tests, sizeof tests / sizeof *tests, setup, teardown)

#define fail_msg(...)                                  \
        do {                                           \
                printf("%s:%d: ", __FILE__, __LINE__); \
                printf(__VA_ARGS__);                   \
                printf("\n");                          \
                exit(1);                               \
        } while (0)
#define fail()             fail_msg("failed")
#define print_message(...) printf(__VA_ARGS__)

#define stand_in_check(holds, text)           \
        do {                                  \
                if (!(holds))                 \
                        fail_msg("%s", text); \
        } while (0)
#define stand_in_compare(a, op, b) \
        stand_in_check((uintmax_t)(a)op(uintmax_t)(b), #a " is not " #op " " #b)

#define assert_true(x)             stand_in_check(x, #x)
#define assert_false(x)            stand_in_check(!(x), "not " #x)
#define assert_null(x)             stand_in_check(!(x), #x " is not NULL")
#define assert_non_null(x)         stand_in_check(x, #x " is NULL")
#define assert_ptr_equal(a, b)     stand_in_check((a) == (b), #a " is not " #b)
#define assert_int_equal(a, b)     stand_in_compare(a, ==, b)
#define assert_int_not_equal(a, b) stand_in_compare(a, !=, b)
#define assert_in_range(x, low, high)                                                             \
        stand_in_check((uintmax_t)(x) >= (uintmax_t)(low) && (uintmax_t)(x) <= (uintmax_t)(high), \
                       #x)
#define assert_string_equal(a, b)        stand_in_check(!strcmp(a, b), #a " is not " #b)
#define assert_string_not_equal(a, b)    stand_in_check(strcmp(a, b), #a " is " #b)
#define assert_memory_equal(a, b, bytes) stand_in_check(!memcmp(a, b, bytes), #a " is not " #b)

static inline int stand_in_run(const struct CMUnitTest *tests, size_t count, int (*setup)(void **),
                               int (*teardown)(void **))
{
        void *group = NULL;
        int failed = setup ? setup(&group) : 0;

        for (size_t i = 0; i < count && !failed; i++) {
                void *state = group;

                failed = tests[i].setup ? tests[i].setup(&state) : 0;
                if (failed)
                        break;
                tests[i].run(&state);
                failed = tests[i].teardown ? tests[i].teardown(&state) : 0;
        }
        if (teardown)
                failed |= teardown(&group);
        printf("%zu tests\n", count);
        return failed;
}

#endif
