/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of samples, judged twice: by a rule_set, and by an oracle that keeps every sample and
 * computes each answer anew from the definitions in RULES and <tocsin.h>, with no window, no ring
 * and no running sum. The kinds with several cells are in oracle_kinds_test.c.
 *
 * The oracle shares no code with what it judges but the two structs of the file format. */
#include "rule/oracle.h"

#include <inttypes.h>

enum { samples_max = 600, streams = 2500 };

/* ---- The oracle -----------------------------------------------------------------------*/

struct oracle {
        /* what is judged */
        unsigned kind;
        struct toc_rule rule;
        uint64_t began_ns;
        bool from_start;
        /* everything that was seen; peeks are dropped again */
        size_t count;
        uint64_t t_ns[samples_max];
        uint64_t raw[samples_max];
        /* beats, which peeks see too */
        uint64_t epoch;
        uint64_t beat_ns;
        struct oracle_alert alert;
};

/* All events up to sample `last`; those that the first sample found count only if with_unseen. */
static uint64_t events_up_to(const struct oracle *o, size_t last, bool with_unseen)
{
        uint64_t events = o->from_start || with_unseen ? o->raw[0] : 0;

        for (size_t i = 1; i <= last; i++)
                events += o->raw[i] < o->raw[i - 1] ? o->raw[i] : o->raw[i] - o->raw[i - 1];
        return events;
}

/* The newest sample may be a peek; no window ever begins at one, because they are not kept. */
static uint64_t events_in_window(const struct oracle *o, uint64_t window_s)
{
        uint64_t now = o->t_ns[o->count - 1];
        uint64_t all = events_up_to(o, o->count - 1, false);

        for (size_t i = o->count; i-- > 0;)
                if (o->t_ns[i] + window_s * S <= now)
                        return all - events_up_to(o, i, false);
        return all;
}

/* *ret_per: what the value is to be divided by. False: there is none. */
static bool value_of(const struct oracle *o, __int128_t *ret_value, uint64_t *ret_per)
{
        uint64_t raw = o->raw[o->count - 1];
        uint64_t now = o->t_ns[o->count - 1];
        uint64_t unit_s = o->rule.signal == toc_signal_per_second   ? 1
                          : o->rule.signal == toc_signal_per_minute ? 60
                                                                    : 3600;
        uint64_t window_s = o->rule.window_s                  ? o->rule.window_s
                            : o->kind == toc_kind_expectation ? 60
                            : unit_s == 1                     ? 10
                                                              : unit_s;

        *ret_per = 1;
        if (o->kind == toc_kind_gauge && raw == (uint64_t)1 << 63)
                return false;
        if (o->kind == toc_kind_gauge || o->kind == toc_kind_level)
                *ret_value = (int64_t)raw;
        else if (o->kind == toc_kind_heartbeat)
                *ret_value = (now - o->beat_ns) / 1000000;
        else if (o->kind == toc_kind_expectation)
                *ret_value = events_in_window(o, window_s);
        else if (o->rule.signal == toc_signal_total)
                *ret_value = events_up_to(o, o->count - 1, true);
        else {
                *ret_value = (__int128_t)events_in_window(o, window_s) * unit_s;
                *ret_per = window_s;
        }
        return true;
}

static bool is_in_result(const struct oracle *o)
{
        __int128_t value, limit, clear;
        uint64_t per;

        if (!value_of(o, &value, &per))
                return false;
        limit = (__int128_t)o->rule.limit * per;
        clear = (__int128_t)o->rule.clear_at * per;
        if (o->alert.is_firing && o->rule.clear_at != INT64_MIN) {
                if ((o->rule.op == 4 || o->rule.op == 6) && value > clear)
                        return true;
                if ((o->rule.op == 1 || o->rule.op == 3) && value < clear)
                        return true;
        }
        switch (o->rule.op) {
        case 1:
                return value < limit;
        case 2:
                return value == limit;
        case 3:
                return value <= limit;
        case 4:
                return value > limit;
        case 5:
                return value != limit;
        default:
                return value >= limit;
        }
}

static void oracle_init(struct oracle *o, const struct toc_record *record, size_t slot,
                        uint64_t began_ns, bool from_start)
{
        memset(o, 0, sizeof(*o));
        o->kind = record->kind;
        o->rule = record->rule[slot];
        o->began_ns = began_ns;
        o->beat_ns = began_ns;
        o->from_start = from_start;
}

static enum rule_state oracle_says(struct oracle *o, uint64_t t_ns, uint64_t raw)
{
        __int128_t value;
        uint64_t per;

        o->t_ns[o->count] = t_ns;
        o->raw[o->count] = raw;
        o->count++;
        if (raw != o->epoch)
                o->beat_ns = t_ns;
        o->epoch = raw;
        oracle_eval(&o->alert, &o->rule, is_in_result(o), t_ns);
        return oracle_state(&o->alert, value_of(o, &value, &per));
}

/* ---- Streams --------------------------------------------------------------------------*/

struct stream {
        uint64_t seed;
        struct toc_record record;
        uint64_t began_ns;
        bool from_start;
        uint64_t raw;
        int64_t number; /* of a gauge or level */
        unsigned shape;
};

static uint64_t pick(struct stream *s, uint64_t below)
{
        return fixture_below(&s->seed, below);
}

/* A rule for a probe of that kind. */
static struct toc_rule choose_rule(struct stream *s, unsigned kind)
{
        static const unsigned counted[] = { toc_signal_total, toc_signal_per_second,
                                            toc_signal_per_minute, toc_signal_per_hour };
        static const unsigned reported[] = { toc_signal_total, toc_signal_per_minute };
        static const uint32_t delays[] = { 0, 0, 1, 3, 17 };
        static const uint32_t windows[] = { 0, 4, 5, 30, 100 };
        unsigned signal = kind == toc_kind_counter       ? counted[pick(s, COUNT(counted))]
                          : kind == toc_kind_error       ? reported[pick(s, COUNT(reported))]
                          : kind == toc_kind_expectation ? toc_signal_total
                          : kind == toc_kind_heartbeat   ? toc_signal_silent_ms
                                                         : toc_signal_value;
        struct toc_rule rule = fixture_rule(signal, 1 + (unsigned)pick(s, 6), (int64_t)pick(s, 30));
        int64_t gap = (int64_t)pick(s, 8);

        if (kind == toc_kind_heartbeat)
                rule.limit *= 500;
        if (pick(s, 2) && (rule.op == 4 || rule.op == 6))
                rule.clear_at = rule.limit - 1 - gap;
        if (pick(s, 2) && (rule.op == 1 || rule.op == 3))
                rule.clear_at = rule.limit + 1 + gap;
        if (rule.clear_at < 0)
                rule.clear_at = TOC_NO_CLEAR_LEVEL_;
        rule.hold_s = delays[pick(s, COUNT(delays))];
        rule.keep_s = delays[pick(s, COUNT(delays))];
        rule.window_s = windows[pick(s, COUNT(windows))];
        return rule;
}

/* One rule, or two, sometimes with the same window. */
static void choose_record(struct stream *s)
{
        static const unsigned kinds[] = { toc_kind_counter,   toc_kind_counter,
                                          toc_kind_counter,   toc_kind_counter,
                                          toc_kind_gauge,     toc_kind_level,
                                          toc_kind_heartbeat, toc_kind_expectation,
                                          toc_kind_error };
        unsigned kind = kinds[pick(s, COUNT(kinds))];

        s->record = fixture_record(kind, choose_rule(s, kind));
        if (pick(s, 2))
                s->record.rule[1] = choose_rule(s, kind);
        if (pick(s, 2))
                s->record.rule[1].window_s = s->record.rule[0].window_s;
}

/* The next value of something that counts: bursts of exactly the limit and one more, resets, one
 * at a time, nothing. */
static void count_on(struct stream *s)
{
        uint64_t limit = (uint64_t)s->record.rule[0].limit;

        switch (s->shape) {
        case 0: /* idle, with bursts at the limit */
                if (!pick(s, 25))
                        s->raw += limit + pick(s, 3) - (limit > 0);
                break;
        case 1: /* steady, at about the limit a minute */
                s->raw += pick(s, 60) < limit;
                break;
        case 2: /* resets, to 0 or to something */
                s->raw = pick(s, 20) ? s->raw + pick(s, 3) : pick(s, 2) * pick(s, limit + 2);
                break;
        case 3: /* sawtooth */
                s->raw = s->raw > 3 * limit ? 0 : s->raw + 2;
                break;
        case 4: /* one event, once */
                s->raw = 1;
                break;
        default: /* none */
                break;
        }
}

static void wander(struct stream *s)
{
        int64_t limit = s->record.rule[0].limit;

        switch (s->shape) {
        case 0: /* about the limit */
                s->number = limit + (int64_t)pick(s, 3) - 1;
                break;
        case 1: /* sawtooth */
                s->number = s->number > limit + 10 ? limit - 10 : s->number + 1;
                break;
        case 2: /* a walk */
                s->number = s->number < -10000 ? limit : s->number + (int64_t)pick(s, 5) - 2;
                break;
        case 3: /* jumps */
                if (!pick(s, 10))
                        s->number = (int64_t)pick(s, 60) - 15;
                break;
        default: /* now and then unset again, which only a foreign file can do */
                s->number = pick(s, 6) ? (int64_t)pick(s, 40) : TOC_GAUGE_UNSET_;
                break;
        }
        s->raw = (uint64_t)s->number;
}

static void go_on(struct stream *s)
{
        if (s->record.kind == toc_kind_gauge || s->record.kind == toc_kind_level)
                wander(s);
        else
                count_on(s);
}

/* Ticks at least a second apart: regular, almost, or not; seldom; and now and then a gap. */
static uint64_t next_gap_ns(struct stream *s, unsigned rhythm)
{
        if (rhythm == 0)
                return S;
        if (!pick(s, 40))
                return S + pick(s, 100) * S;
        return S + pick(s, rhythm == 1 ? 30 : rhythm == 2 ? 4000 : 40000) * MS;
}

/* How often each state followed each other, or itself, in all streams together. */
static size_t seen[RULE_FIRING + 1][RULE_FIRING + 1];

/* Asks both about one rule and compares. Returns the state. */
static enum rule_state compare(const struct rule_set *set, size_t slot, struct oracle *oracle,
                               uint64_t t_ns, uint64_t sample)
{
        enum rule_state expected = oracle_says(oracle, t_ns, sample);
        struct rule_view view;
        __int128_t value;
        uint64_t per;

        assert_int_equal(rule_set_view(set, slot, &view), 0);
        if (view.state != expected)
                fail_msg("%s %s %s %" PRId64 " at %" PRIu64 ": expected %s, got %s",
                         rule_kind_name(oracle->kind), rule_signal_name(oracle->rule.signal),
                         rule_op_name(oracle->rule.op), oracle->rule.limit, t_ns,
                         fixture_state_name(expected), fixture_state_name(view.state));
        assert_int_equal(view.has_value, value_of(oracle, &value, &per));
        if (view.has_value)
                assert_int_equal(view.value, value / per);
        return expected;
}

static void start(struct stream *s, uint64_t number)
{
        *s = (struct stream){ .seed = number + 1 };
        choose_record(s);
        s->shape = (unsigned)pick(s, 6);
        s->from_start = pick(s, 4) > 0;
        s->began_ns = pick(s, 100) * S;
        s->number = TOC_GAUGE_UNSET_ + 20 * (int64_t)pick(s, 2);
        s->raw = pick(s, 2) * pick(s, 50);
        if (s->record.kind == toc_kind_gauge || s->record.kind == toc_kind_level)
                s->raw = (uint64_t)s->number;
}

static void run(uint64_t number)
{
        static struct oracle oracles[2];
        enum rule_state before[2] = { RULE_UNDEF, RULE_UNDEF };
        const struct rule_change *changes;
        struct stream s;
        struct rule_set *set;
        unsigned rhythm;
        uint64_t t_ns;
        uint32_t row;
        size_t count;

        start(&s, number);
        rhythm = (unsigned)pick(&s, 4);
        for (size_t slot = 0; slot < 2; slot++)
                oracle_init(&oracles[slot], &s.record, slot, s.began_ns, s.from_start);
        assert_int_equal(rule_set_new(&set, 0), 0);
        assert_int_equal(rule_set_add(set, &s.record, s.began_ns, s.from_start, &row), 0);

        t_ns = s.began_ns + pick(&s, 200) * S / 10;
        for (int i = 0; i < samples_max - 1; i++) {
                const struct rule_sample sample = { .cells = &s.raw };
                bool is_peek = pick(&s, 10) == 0;
                int error = is_peek ? rule_set_peek(set, t_ns, &sample, 1, &changes, &count)
                                    : rule_set_tick(set, t_ns, &sample, 1, &changes, &count);

                assert_int_equal(error, 0);
                for (size_t slot = 0; slot < 2 && s.record.rule[slot].severity; slot++) {
                        enum rule_state now = compare(set, slot, &oracles[slot], t_ns, s.raw);

                        seen[before[slot]][now]++;
                        before[slot] = now;
                        oracles[slot].count -= is_peek; /* no tick sampled it: forgotten */
                }
                t_ns += is_peek ? pick(&s, 900) * MS : next_gap_ns(&s, rhythm);
                go_on(&s);
        }
        rule_set_free(&set);
}

static void agrees_on_every_step_of_every_stream(void **state)
{
        (void)state;
        for (uint64_t number = 0; number < streams; number++)
                run(number);
        /* Or the streams tested less than they could. */
        for (int from = 0; from <= RULE_FIRING; from++)
                for (int to = 0; to <= RULE_FIRING; to++)
                        if (from == RULE_FIRING && to == RULE_PENDING)
                                assert_int_equal(seen[from][to], 0);
                        else
                                assert_true(seen[from][to] > 100);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(agrees_on_every_step_of_every_stream),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
