/* SPDX-License-Identifier: Apache-2.0 */
/* Every count is compared with the definition, over all events kept: the total at t less the total
 * at the latest tick at or before t-W. */
#include "rule/history.h"
#include "rule/fixture.h"

enum { events_max = 20000 };

/* All that ever happened: the definition needs nothing else. */
struct past {
        size_t count;
        uint64_t t_ns[events_max];
        uint64_t total[events_max];
};

struct window {
        struct ticks ticks;
        struct history history;
        struct past past;
};

static struct window window;

static void open_window(uint32_t window_s)
{
        window.past.count = 0;
        assert_int_equal(ticks_init(&window.ticks), 0);
        assert_int_equal(ticks_reserve(&window.ticks, window_s), 0);
        assert_int_equal(history_init(&window.history, window_s, 1), 0);
        assert_true(window.history.count * window.history.width <= HISTORY_SLOTS_MAX);
}

/* Whatever happened, in the end everything leaves. */
static void close_window(void)
{
        uint64_t t_ns = window.past.count ? window.past.t_ns[window.past.count - 1] : 0;

        t_ns += window.history.window_ns;
        assert_int_equal(*history_count(&window.history, &window.ticks, t_ns), 0);
        assert_int_equal(window.history.used, 0);
        history_fini(&window.history);
        ticks_fini(&window.ticks);
}

static uint64_t tick(uint64_t t_ns, uint64_t events)
{
        struct past *past = &window.past;

        assert_true(past->count < events_max);
        past->t_ns[past->count] = t_ns;
        past->total[past->count] = events + (past->count ? past->total[past->count - 1] : 0);
        past->count++;
        history_add(&window.history, ticks_add(&window.ticks, t_ns), &events);
        return *history_count(&window.history, &window.ticks, t_ns);
}

/* By definition. `slack` ticks earlier than the definition says, or slack_ns. */
static uint64_t defined(uint64_t t_ns, uint64_t window_ns, size_t slack)
{
        const struct past *past = &window.past;
        uint64_t base = 0;
        size_t n = past->count;

        while (n && past->t_ns[n - 1] + window_ns > t_ns)
                n--;
        if (n > slack)
                base = past->total[n - 1 - slack];
        return past->total[past->count - 1] - base;
}

/* W = 10 s, one event in each of the seconds 1, 2, 3 ...: (t-10, t] holds min(t, 10) of them. */
static void counts_a_steady_stream(void **state)
{
        (void)state;
        open_window(10);
        for (uint64_t t = 1; t <= 1000; t++)
                assert_int_equal(tick(t * S, 1), t < 10 ? t : 10);
        close_window();
}

/* Five events at t = 100: in the window at 100 .. 109.999999999, gone at 110. */
static void an_event_leaves_after_exactly_w(void **state)
{
        (void)state;
        open_window(10);
        for (uint64_t t = 0; t < 100; t++)
                assert_int_equal(tick(t * S, 0), 0);
        assert_int_equal(tick(100 * S, 5), 5);
        assert_int_equal(tick(109 * S, 0), 5);
        assert_int_equal(*history_count(&window.history, &window.ticks, 110 * S - 1), 5);
        assert_int_equal(*history_count(&window.history, &window.ticks, 110 * S), 0);
        assert_int_equal(tick(111 * S, 0), 0);
        close_window();
}

/* A tick's events happened since the tick before, so after a gap they count for a whole window. */
static void a_gap_longer_than_the_window(void **state)
{
        (void)state;
        open_window(10);
        assert_int_equal(tick(1 * S, 3), 3);
        assert_int_equal(tick(300 * S, 7), 7);
        assert_int_equal(tick(309 * S, 0), 7);
        assert_int_equal(tick(310 * S, 1), 1);
        close_window();
}

/* Short windows have slots of 8 bytes: nothing that fits into a count is lost. */
static void short_windows_hold_any_count(void **state)
{
        const uint64_t huge = UINT64_C(1) << 60;

        (void)state;
        open_window(445);
        assert_int_equal(window.history.width, 8);
        for (uint64_t t = 1; t <= 2000; t++) {
                uint64_t got = tick(t * S, t % 100 ? t % 3 : huge);

                assert_int_equal(got, defined(t * S, 445 * S, 0));
        }
        assert_int_equal(window.history.stride, 1);
        close_window();
}

static void widths_are_what_the_header_says(void **state)
{
        static const uint32_t widths[][3] = {
                /* window_s, width, stride */
                { 4, 8, 1 },    { 445, 8, 1 },  { 446, 4, 1 },  { 896, 4, 1 },  { 897, 2, 1 },
                { 1800, 2, 1 }, { 1801, 1, 1 }, { 3600, 1, 1 }, { 7200, 1, 1 }, { 86400, 1, 1 },
        };

        (void)state;
        for (size_t i = 0; i < COUNT(widths); i++) {
                open_window(widths[i][0]);
                assert_int_equal(window.history.width, widths[i][1]);
                assert_int_equal(window.history.stride, widths[i][2]);
                close_window();
        }
}

/* An hour, a tick a second, any pattern of up to 255 events a tick: exact. */
static void an_hour_is_exact(void **state)
{
        uint64_t seed = 3;
        uint64_t t_ns = 0;

        (void)state;
        open_window(3600);
        for (int i = 0; i < 12000; i++) {
                uint64_t mode = (uint64_t)i / 1500 % 4;
                uint64_t events = mode == 0   ? 255
                                  : mode == 1 ? fixture_below(&seed, 256)
                                  : mode == 2 ? fixture_below(&seed, 100) == 0
                                              : 0;
                uint64_t got;

                t_ns += 950 * MS + fixture_below(&seed, 101) * MS; /* 0.95 to 1.05 s */
                got = tick(t_ns, events);
                assert_int_equal(got, defined(t_ns, 3600 * S, 0));
        }
        assert_int_equal(window.history.stride, 1);
        close_window();
}

/* After a tick with more than its slots hold, the window reaches back by less than `stride` ticks
 * more, and the stride is what the header says. */
static void an_hour_with_bursts(void **state)
{
        static const struct {
                uint64_t burst;
                uint32_t stride;
        } bursts[] = { { 255, 1 }, { 256, 2 }, { 65000, 2 }, { 65536, 4 }, { 1ull << 32, 8 } };

        (void)state;
        for (size_t b = 0; b < COUNT(bursts); b++) {
                uint64_t seed = 5;

                open_window(3600);
                for (uint64_t t = 1; t <= 9000; t++) {
                        uint64_t events = t == 5000 ? bursts[b].burst : fixture_below(&seed, 50);
                        uint64_t got = tick(t * S, events);
                        size_t slack = window.history.stride - 1;

                        assert_true(got >= defined(t * S, 3600 * S, 0));
                        assert_true(got <= defined(t * S, 3600 * S, slack));
                        assert_int_equal(window.history.stride, t < 5000 ? 1 : bursts[b].stride);
                }
                close_window();
        }
}

/* Twice as many ticks as slots, and two neighbours never fit into the width of one. */
static void an_hour_of_fast_and_busy_ticks(void **state)
{
        (void)state;
        open_window(3600);
        for (uint64_t i = 1; i <= 16000; i++) {
                uint64_t got = tick(i * S / 2, 250);

                assert_true(got >= defined(i * S / 2, 3600 * S, 0));
                assert_true(got <= defined(i * S / 2, 3602 * S - 1, 0));
        }
        assert_int_equal(window.history.width, 2);
        close_window();
}

/* A day has 3840 slots: with a tick a minute they are enough, with one in 20 s there are 4320
 * ticks, with one in 10 s 8640. */
static void a_day_is_as_exact_as_its_ticks_are_few(void **state)
{
        static const struct {
                uint64_t spacing_s;
                uint32_t stride;
        } rhythms[] = { { 60, 1 }, { 20, 2 }, { 10, 4 } };

        (void)state;
        for (size_t r = 0; r < COUNT(rhythms); r++) {
                uint64_t seed = 7;

                open_window(86400);
                for (uint64_t t = 60; t <= 180000; t += rhythms[r].spacing_s) {
                        uint64_t got = tick(t * S, fixture_below(&seed, 10));

                        assert_true(got >= defined(t * S, 86400 * S, 0));
                        assert_true(got <= defined(t * S, 86400 * S, rhythms[r].stride - 1));
                }
                assert_int_equal(window.history.stride, rhythms[r].stride);
                close_window();
        }
}

/* Few ticks and many events: slots become wider instead of longer. */
static void busy_ticks_are_exact_if_they_are_few(void **state)
{
        static const uint64_t bursts[] = { 255, 256, 65536, UINT64_C(1) << 40 };

        (void)state;
        for (size_t b = 0; b < COUNT(bursts); b++) {
                open_window(3600);
                for (uint64_t t = 15; t <= 9000; t += 15) {
                        uint64_t got = tick(t * S, t % 600 ? t % 7 : bursts[b]);

                        assert_int_equal(got, defined(t * S, 3600 * S, 0));
                }
                assert_int_equal(window.history.stride, 1);
                close_window();
        }
}

/* Several series look back equally far, whichever of them made the stride longer; and an hour of
 * them is exact whatever comes in a tick. */
static void series_look_back_equally_far(void **state)
{
        struct history history;
        struct ticks ticks;
        static uint64_t past[9001][3];

        (void)state;
        for (uint64_t shape = 0; shape < 2; shape++) {
                uint64_t seed = 11 + shape;
                uint32_t window_s = shape ? 7200 : 3600;

                assert_int_equal(ticks_init(&ticks), 0);
                assert_int_equal(ticks_reserve(&ticks, window_s), 0);
                assert_int_equal(history_init(&history, window_s, 3), 0);
                assert_true(history.count * history.width <= 4 * HISTORY_SLOTS_MAX);
                for (uint64_t t = 1; t <= 9000; t++) {
                        const uint64_t events[] = { 1, fixture_below(&seed, 3),
                                                    fixture_random(&seed) >> 33 };
                        const uint64_t *inside;
                        uint64_t base = t > window_s ? t - window_s : 0;

                        for (size_t i = 0; i < 3; i++)
                                past[t][i] = past[t - 1][i] + events[i];
                        history_add(&history, ticks_add(&ticks, t * S), events);
                        inside = history_count(&history, &ticks, t * S);
                        /* One event a tick tells how many ticks it looks back. */
                        assert_true(inside[0] >= t - base);
                        assert_true(inside[0] < t - base + history.stride);
                        base = t - inside[0];
                        for (size_t i = 1; i < 3; i++)
                                assert_int_equal(inside[i], past[t][i] - past[base][i]);
                }
                assert_int_equal(history.stride, shape ? 2 : 1);
                history_fini(&history);
                ticks_fini(&ticks);
        }
}

/* Ticks as fast as somebody likes: the window reaches back by less than 2 s more. */
static void fast_ticks_reach_back_less_than_two_seconds(void **state)
{
        static const uint64_t spacing_ms[] = { 500, 333, 100, 20, 0 };

        (void)state;
        for (size_t s = 0; s < COUNT(spacing_ms); s++) {
                uint64_t seed = 9 + s;
                uint64_t t_ns = 0;

                open_window(60);
                for (int i = 0; i < events_max; i++) {
                        uint64_t got;

                        t_ns += spacing_ms[s] ? spacing_ms[s] * MS
                                              : fixture_below(&seed, 300) * MS + 1;
                        got = tick(t_ns, fixture_below(&seed, 4));
                        assert_true(got >= defined(t_ns, 60 * S, 0));
                        assert_true(got <= defined(t_ns, 62 * S - 1, 0));
                }
                close_window();
        }
}

/* All at once: bursts of every size, irregular ticks, gaps. Never less than the definition, never
 * further back than `stride` remembered ticks and the second that fast ticks may cost. */
static void never_counts_less(void **state)
{
        static const uint32_t windows[] = { 4, 10, 61, 600, 1200, 3600, 20000 };

        (void)state;
        for (uint64_t run = 0; run < 40; run++) {
                uint64_t seed = run + 1;
                uint32_t window_s = windows[run % COUNT(windows)];
                uint64_t t_ns = 0;
                uint64_t gap_max_ns = 0;

                open_window(window_s);
                for (int i = 0; i < 6000; i++) {
                        uint64_t gap = fixture_below(&seed, 50) == 0
                                               ? fixture_below(&seed, window_s) * S / 8
                                               : fixture_below(&seed, 1500) * MS;
                        uint64_t events =
                                fixture_below(&seed, 20) == 0
                                        ? fixture_random(&seed) >> (24 + fixture_below(&seed, 40))
                                        : fixture_below(&seed, 3);
                        uint64_t got;

                        gap_max_ns = gap > gap_max_ns ? gap : gap_max_ns;
                        t_ns += gap;
                        got = tick(t_ns, events);
                        assert_true(got >= defined(t_ns, window_s * S, 0));
                        assert_true(got <= defined(t_ns,
                                                   window_s * S + S +
                                                           window.history.stride * (gap_max_ns + S),
                                                   0));
                }
                close_window();
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(counts_a_steady_stream),
                cmocka_unit_test(an_event_leaves_after_exactly_w),
                cmocka_unit_test(a_gap_longer_than_the_window),
                cmocka_unit_test(short_windows_hold_any_count),
                cmocka_unit_test(widths_are_what_the_header_says),
                cmocka_unit_test(an_hour_is_exact),
                cmocka_unit_test(an_hour_with_bursts),
                cmocka_unit_test(an_hour_of_fast_and_busy_ticks),
                cmocka_unit_test(a_day_is_as_exact_as_its_ticks_are_few),
                cmocka_unit_test(busy_ticks_are_exact_if_they_are_few),
                cmocka_unit_test(series_look_back_equally_far),
                cmocka_unit_test(fast_ticks_reach_back_less_than_two_seconds),
                cmocka_unit_test(never_counts_less),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
