/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that come and go, and one more than are followed. */
#include "rule/open.h"
#include "rule/fixture.h"

static void the_oldest_is_the_one_seen_first(void **state)
{
        struct open *open = open_new();

        (void)state;
        assert_int_equal(open_oldest(open, 5), 5);
        open_see(open, 10, (const uint64_t[]){ 50 }, 1);
        open_see(open, 20, (const uint64_t[]){ 7, 50, 90 }, 3);
        assert_int_equal(open_oldest(open, 30), 10);
        open_see(open, 40, (const uint64_t[]){ 7, 90, 91 }, 3); /* 50 ended */
        assert_int_equal(open_oldest(open, 40), 20);
        open_see(open, 50, (const uint64_t[]){ 1, 50, 91 }, 3); /* another 50, seen now */
        assert_int_equal(open_oldest(open, 50), 40);
        open_see(open, 60, (const uint64_t[]){ 1, 50 }, 2);
        assert_int_equal(open_oldest(open, 60), 50);
        open_see(open, 70, NULL, 0);
        assert_int_equal(open_oldest(open, 70), 70);
        open_free(open);
}

/* OPEN_MAX are followed; one more is not, wherever its number stands, and pushes none out. */
static void one_more_than_are_followed(void **state)
{
        static uint64_t numbers[OPEN_MAX + 1];
        struct open *open = open_new();

        (void)state;
        for (uint64_t i = 0; i < OPEN_MAX; i++)
                numbers[i] = 10 + i;
        open_see(open, 10, numbers, OPEN_MAX - 1);
        open_see(open, 20, numbers, OPEN_MAX);
        assert_int_equal(open->count, OPEN_MAX);
        memmove(&numbers[1], &numbers[0], OPEN_MAX * sizeof(numbers[0]));
        numbers[0] = 1;
        open_see(open, 30, numbers, OPEN_MAX + 1);
        assert_int_equal(open->count, OPEN_MAX);
        assert_int_equal(open->one[0].number, 10);
        assert_int_equal(open->one[0].seen_ns, 10);
        assert_int_equal(open->one[OPEN_MAX - 1].seen_ns, 20);
        /* once another has ended it is seen, as if it were new */
        open_see(open, 40, numbers, OPEN_MAX);
        assert_int_equal(open->count, OPEN_MAX);
        assert_int_equal(open->one[0].number, 1);
        assert_int_equal(open->one[0].seen_ns, 40);
        open_see(open, 50, numbers, 1);
        assert_int_equal(open_oldest(open, 50), 40);
        open_free(open);
}

static void too_many_at_once_are_cut(void **state)
{
        static uint64_t numbers[3 * OPEN_MAX];
        struct open *open = open_new();

        (void)state;
        for (uint64_t i = 0; i < COUNT(numbers); i++)
                numbers[i] = i + 1;
        open_see(open, 10, numbers, COUNT(numbers));
        assert_int_equal(open->count, OPEN_MAX);
        for (uint64_t i = 0; i < OPEN_MAX; i++)
                assert_int_equal(open->one[i].number, i + 1);
        open_free(open);
}

/* Against a table by number. */
static void follows_a_random_crowd(void **state)
{
        uint64_t seed = 5;
        uint64_t seen[300] = { 0 };
        struct open *open = open_new();

        (void)state;
        for (uint64_t t = 1; t < 5000; t++) {
                uint64_t numbers[300], oldest = t;
                uint32_t count = 0;

                for (uint64_t n = 1; n < 300; n++) {
                        if (seen[n] ? fixture_below(&seed, 20) : !fixture_below(&seed, 90)) {
                                numbers[count++] = n;
                                seen[n] = seen[n] ? seen[n] : t;
                        } else {
                                seen[n] = 0;
                        }
                        if (seen[n] && seen[n] < oldest)
                                oldest = seen[n];
                }
                open_see(open, t, numbers, count);
                assert_int_equal(open->count, count);
                for (uint32_t i = 0; i < count; i++) {
                        assert_int_equal(open->one[i].number, numbers[i]);
                        assert_int_equal(open->one[i].seen_ns, seen[numbers[i]]);
                }
                assert_int_equal(open_oldest(open, t), oldest);
        }
        open_free(open);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_oldest_is_the_one_seen_first),
                cmocka_unit_test(one_more_than_are_followed),
                cmocka_unit_test(too_many_at_once_are_cut),
                cmocka_unit_test(follows_a_random_crowd),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
