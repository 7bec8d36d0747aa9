/* SPDX-License-Identifier: Apache-2.0 */
/* Bucket bounds are typed from the layout that <tocsin-machine.h> describes: one bucket a value
 * from 2 to 15, then eight an octave. 16 and 17 share one; 1000 is in [960, 1024). */
#include "rule/buckets.h"
#include "rule/fixture.h"

enum { of_0_and_1 = 0, of_5 = 18, of_16 = 32, of_1000 = 79 };

static uint64_t bucket[TOC_BUCKETS_];

static uint64_t above(struct buckets *buckets, uint64_t t_ns, uint32_t count)
{
        buckets_see(buckets, t_ns, bucket);
        return buckets_above(buckets, count);
}

static int begin(void **state)
{
        (void)state;
        memset(bucket, 0, sizeof(bucket));
        return 0;
}

static void the_bounds_are_those_of_the_layout(void **state)
{
        (void)state;
        assert_int_equal(toc_bucket_floor_(of_5), 5);
        assert_int_equal(toc_bucket_floor_(of_5 + 1), 6);
        assert_int_equal(toc_bucket_floor_(of_16), 16);
        assert_int_equal(toc_bucket_floor_(of_16 + 1), 18);
        assert_int_equal(toc_bucket_floor_(of_1000), 960);
        assert_int_equal(toc_bucket_floor_(of_1000 + 1), 1024);
}

/* Of 100 values, 90 of 5 and 10 of 1000: the 90th from below is the last 5. */
static void takes_the_nearest_rank(void **state)
{
        struct buckets *buckets = buckets_new(60);

        (void)state;
        buckets_begin(buckets, 0, NULL);
        assert_int_equal(above(buckets, S, 2), 0);
        assert_int_equal(above(buckets, S, 0), 0);
        bucket[of_5] = 90;
        bucket[of_1000] = 10;
        assert_int_equal(above(buckets, S, 2), 5);
        assert_int_equal(above(buckets, S, 10), 5);
        assert_int_equal(above(buckets, S, 100), 1023);
        assert_int_equal(above(buckets, S, 0), 1023);
        bucket[of_5] = 89;
        bucket[of_1000] = 11; /* the 90th is one of them now */
        assert_int_equal(above(buckets, S, 10), 1023);
        buckets_free(buckets);
}

static void the_first_and_the_last_bucket(void **state)
{
        struct buckets *buckets = buckets_new(60);

        (void)state;
        buckets_begin(buckets, 0, NULL);
        bucket[of_0_and_1] = 1;
        assert_int_equal(above(buckets, S, 0), 1);
        bucket[TOC_BUCKETS_ - 1] = 1;
        assert_true(above(buckets, S, 0) >= INT64_MAX);
        buckets_free(buckets);
}

/* A tick a second and W = 60: a 1000 at t = 100 is seen until 160, and gone by 176. */
static void what_left_the_window_is_forgotten(void **state)
{
        struct buckets *buckets = buckets_new(60);

        (void)state;
        buckets_begin(buckets, 0, NULL);
        for (uint64_t t = 1; t <= 300; t++) {
                uint64_t top;

                bucket[of_5]++;
                bucket[of_1000] += t == 100;
                top = above(buckets, t * S, 0);
                buckets_remember(buckets);
                assert_int_equal(buckets_above(buckets, 0), top);
                if (t < 100 || t >= 176)
                        assert_int_equal(top, 5);
                if (t >= 100 && t < 160)
                        assert_int_equal(top, 1023);
        }
        buckets_free(buckets);
}

/* Parts of the window keep rounded counts, to a sixteenth: of 1 000 000 a second, 8900 are
 * a 1000, which p99 must not reach and p99.9 must, in whatever part they are. */
static void rounding_moves_no_quantile_far(void **state)
{
        struct buckets *buckets = buckets_new(60);

        (void)state;
        buckets_begin(buckets, 0, NULL);
        for (uint64_t t = 1; t <= 200; t++) {
                bucket[of_5] += 1000000 - 8900;
                bucket[of_1000] += 8900;
                assert_int_equal(above(buckets, t * S, 100), 5);
                assert_int_equal(buckets_above(buckets, 1000), 1023);
                buckets_remember(buckets);
                assert_int_equal(buckets_above(buckets, 100), 5);
                assert_int_equal(buckets_above(buckets, 1000), 1023);
        }
        buckets_free(buckets);
}

/* Of n + 1 values one is a 1000: that is what one of n + 2 lies above, and a 5 is what one of n + 1
 * does. One more or less of the 5 would show. */
static void small_counts_are_exact(void **state)
{
        struct buckets *buckets = buckets_new(6);

        (void)state;
        for (uint32_t n = 1; n < 16; n++) {
                memset(bucket, 0, sizeof(bucket));
                buckets_begin(buckets, 0, NULL);
                bucket[of_5] = n;
                (void)above(buckets, S, 0);
                buckets_remember(buckets);
                bucket[of_1000] = 1; /* now one of n + 1 */
                assert_int_equal(above(buckets, 2 * S, n + 2), 1023);
                assert_int_equal(above(buckets, 2 * S, n + 1), 5);
        }
        buckets_free(buckets);
}

static void what_was_there_before_does_not_count(void **state)
{
        struct buckets *buckets = buckets_new(60);

        (void)state;
        bucket[of_1000] = 7;
        buckets_begin(buckets, 0, bucket);
        bucket[of_5] = 1;
        assert_int_equal(above(buckets, S, 0), 5);
        buckets_begin(buckets, S, NULL); /* a reset: it all came since */
        assert_int_equal(above(buckets, S, 0), 1023);
        buckets_free(buckets);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_bounds_are_those_of_the_layout),
                cmocka_unit_test_setup(takes_the_nearest_rank, begin),
                cmocka_unit_test_setup(the_first_and_the_last_bucket, begin),
                cmocka_unit_test_setup(what_left_the_window_is_forgotten, begin),
                cmocka_unit_test_setup(rounding_moves_no_quantile_far, begin),
                cmocka_unit_test_setup(small_counts_are_exact, begin),
                cmocka_unit_test_setup(what_was_there_before_does_not_count, begin),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
