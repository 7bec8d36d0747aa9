/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of windows, against all samples; and what a tick that takes the place of another does. */
#include "rule/track.h"
#include "rule/fixture.h"

enum { ticks_max = 3000 };

static struct ticks ticks;
static struct track track;

static void open_track(uint32_t window_s)
{
        assert_int_equal(ticks_init(&ticks), 0);
        assert_int_equal(ticks_reserve(&ticks, window_s), 0);
        assert_int_equal(track_init(&track, window_s, true), 0);
}

static void close_track(void)
{
        track_fini(&track);
        ticks_fini(&ticks);
}

static struct track_range range_at(struct track_spans *spans, uint64_t t_ns, uint32_t n)
{
        track_move(&track, spans, &ticks, t_ns);
        return track_range(&track, spans, n);
}

/* W = 10 s: a sample at t is in (t-10, t] until 10 s later, when it is in (t-20, t-10]. */
static void a_sample_moves_from_window_to_window(void **state)
{
        struct track_spans spans = { .window_ns = 10 * S, .count = 2 };

        (void)state;
        open_track(20);
        track_add(&track, ticks_add(&ticks, 100 * S), 7);
        assert_true(range_at(&spans, 110 * S - 1, 0).has_any);
        assert_false(range_at(&spans, 110 * S - 1, 1).has_any);
        assert_false(range_at(&spans, 110 * S, 0).has_any);
        assert_int_equal(range_at(&spans, 110 * S, 1).min, 7);
        assert_true(range_at(&spans, 120 * S - 1, 1).has_any);
        assert_false(range_at(&spans, 120 * S, 1).has_any);
        close_track();
}

/* Once no numbers are saved up, 0.2 s are too few for a new one: the last is not kept, nor is what
 * it stood at. */
static void a_tick_in_the_place_of_another(void **state)
{
        struct track_spans spans = { .window_ns = 10 * S, .count = 1 };

        (void)state;
        open_track(10);
        for (int i = 0; i < TICKS_SAVED_MAX; i++)
                track_add(&track, ticks_add(&ticks, 100 * S), 5);
        track_add(&track, ticks_add(&ticks, 100 * S + 200 * MS), 1);
        assert_int_equal(range_at(&spans, 100 * S + 200 * MS, 0).min, 1);
        track_add(&track, ticks_add(&ticks, 100 * S + 400 * MS), 9);
        assert_int_equal(range_at(&spans, 100 * S + 400 * MS, 0).min, 5);
        assert_int_equal(range_at(&spans, 100 * S + 400 * MS, 0).max, 9);
        close_track();
}

static void compares_with_all_samples(uint64_t seed, uint32_t window_s, bool is_moved_each_time)
{
        static uint64_t t_ns[ticks_max];
        static int64_t values[ticks_max];
        struct track_spans spans = { .window_ns = window_s * S, .count = TRACK_SPANS_MAX };
        uint64_t now = 1000 * S;

        open_track(TRACK_SPANS_MAX * window_s);
        for (size_t i = 0; i < ticks_max; i++) {
                now += fixture_below(&seed, 30) ? S : S + fixture_below(&seed, 20000) * MS;
                t_ns[i] = now;
                values[i] =
                        fixture_below(&seed, 8) ? (int64_t)fixture_random(&seed) : TOC_GAUGE_UNSET_;
                track_add(&track, ticks_add(&ticks, now), values[i]);
                if (!is_moved_each_time && i % 700 != 699)
                        continue;
                for (uint32_t n = 0; n < spans.count; n++) {
                        struct track_range expected = { .has_any = false };
                        struct track_range range = range_at(&spans, now, n);

                        for (size_t k = 0; k <= i; k++)
                                if (now - t_ns[k] >= n * spans.window_ns &&
                                    now - t_ns[k] < (n + 1) * spans.window_ns &&
                                    values[k] != TOC_GAUGE_UNSET_)
                                        track_extend(&expected, values[k]);
                        assert_int_equal(range.has_any, expected.has_any);
                        if (!range.has_any)
                                continue;
                        assert_int_equal(range.min, expected.min);
                        assert_int_equal(range.max, expected.max);
                }
        }
        close_track();
}

static void windows_of_every_length(void **state)
{
        static const uint32_t windows[] = { 4, 10, 64, 300 };

        (void)state;
        for (size_t i = 0; i < COUNT(windows); i++) {
                compares_with_all_samples(i + 1, windows[i], true);
                compares_with_all_samples(i + 1, windows[i], false);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_sample_moves_from_window_to_window),
                cmocka_unit_test(a_tick_in_the_place_of_another),
                cmocka_unit_test(windows_of_every_length),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
