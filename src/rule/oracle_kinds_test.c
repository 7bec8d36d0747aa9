/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of samples of the kinds that are more than one number, judged twice: by a rule_set, and
 * by an oracle that keeps every sample and computes each answer anew from the definitions in
 * <tocsin.h>: no window, no ring, no running sum.
 *
 * The oracle shares no code with what it judges but the two structs of the file format. Its lines
 * are fractions of other sums, in 128 bits, which the small numbers of these streams fit into. */
#include "rule/oracle.h"
#include "rule/stream.h"

#include <inttypes.h>

enum { samples_max = 400, streams = 3000 };

typedef __int128_t wide;

/* ---- The oracle -----------------------------------------------------------------------*/

/* c: as in struct stream. */
struct kept {
        uint64_t t_ns;
        uint64_t c[STREAM_WORDS];
};

struct oracle {
        unsigned kind;
        size_t slot;
        struct toc_rule rule;
        bool has_gate;
        uint64_t began_ns;
        bool from_start;
        size_t count; /* a peek is dropped again */
        struct kept kept[samples_max];
        uint64_t first_seen[4096];      /* of an operation's number, peeks included; 0: never */
        uint64_t open[STREAM_OPEN_MAX]; /* now */
        uint32_t open_count;
        struct oracle_alert alert;
};

/* A fraction, or why there is none. */
struct answer {
        enum { UNKNOWN, TOO_FEW, KNOWN } is;
        wide n, per;
};

static const struct kept *now(const struct oracle *o)
{
        return &o->kept[o->count - 1];
}

static struct answer answer(wide n)
{
        return (struct answer){ KNOWN, n, 1 };
}

static uint64_t up_to(const struct oracle *o, size_t last, int c)
{
        uint64_t events = o->from_start ? o->kept[0].c[c] : 0;

        for (size_t i = 1; i <= last; i++)
                events += o->kept[i].c[c] < o->kept[i - 1].c[c]
                                  ? o->kept[i].c[c]
                                  : o->kept[i].c[c] - o->kept[i - 1].c[c];
        return events;
}

/* D(c, W): what came after the latest sample that is not in (t - W, t]. */
static uint64_t events(const struct oracle *o, int c, uint64_t window_s)
{
        for (size_t i = o->count; i-- > 0;)
                if (o->kept[i].t_ns + window_s * S <= now(o)->t_ns)
                        return up_to(o, o->count - 1, c) - up_to(o, i, c);
        return up_to(o, o->count - 1, c);
}

static uint64_t window_of(const struct oracle *o, uint64_t usual_s)
{
        return o->rule.window_s ? o->rule.window_s : usual_s;
}

static uint64_t volume_of(const struct oracle *o, uint64_t usual)
{
        return o->rule.volume_min ? o->rule.volume_min : usual;
}

/* F(j): the least sample in (t - (j+1) w, t - j w]. */
static bool floor_of(const struct oracle *o, uint64_t j, int64_t *ret_floor)
{
        uint64_t w = window_of(o, 300) * S;
        bool is_there = false;

        for (size_t i = 0; i < o->count; i++) {
                uint64_t age = now(o)->t_ns - o->kept[i].t_ns;
                int64_t value = (int64_t)o->kept[i].c[0];

                if (age >= (j + 1) * w || age < j * w)
                        continue;
                if (o->kind == toc_kind_gauge && value == INT64_MIN)
                        continue;
                if (!is_there || value < *ret_floor)
                        *ret_floor = value;
                is_there = true;
        }
        return is_there;
}

/* Where the line through (t - 3w, t] is at t + seconds, against the capacity: with a = n x - sum x
 * and b = n y - sum y, slope = sum ab / sum aa, in milliseconds before t. */
static int line_at(const struct oracle *o, int64_t seconds)
{
        wide n = 0, x = 0, y = 0, ab = 0, aa = 0, left, right;

        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < o->count; i++) {
                        uint64_t age = now(o)->t_ns - o->kept[i].t_ns;
                        int64_t value = (int64_t)o->kept[i].c[0];

                        if (age >= 3 * window_of(o, 300) * S)
                                continue;
                        if (o->kind == toc_kind_gauge && value == INT64_MIN)
                                continue;
                        if (!pass) {
                                n++;
                                x -= (wide)(age / MS);
                                y += value;
                        } else {
                                wide a = -n * (wide)(age / MS) - x;

                                ab += a * (n * value - y);
                                aa += a * a;
                        }
                }
        left = y * aa + ab * (n * seconds * 1000 - x);
        right = o->rule.capacity * n * aa;
        return (left > right) - (left < right);
}

static bool floor_rises(const struct oracle *o)
{
        int64_t newer = 0, older = 0;

        for (uint64_t j = 0; j < 3; j++)
                if (!floor_of(o, j, &newer) || !floor_of(o, j + 1, &older) || newer <= older)
                        return false;
        return true;
}

static struct answer gauge_answer(const struct oracle *o)
{
        int64_t f[6] = { 0 };
        wide least = (wide)1 << 100;

        if (o->rule.signal == toc_signal_value)
                return o->kind == toc_kind_gauge && (int64_t)now(o)->c[0] == INT64_MIN
                               ? (struct answer){ UNKNOWN, 0, 1 }
                               : answer((int64_t)now(o)->c[0]);
        for (uint64_t j = 0; j < (o->rule.signal == toc_signal_growth ? 6 : 4); j++)
                if (!floor_of(o, j, &f[j]))
                        return (struct answer){ UNKNOWN, 0, 1 };
        for (int j = 0; j < 5; j++)
                least = (wide)f[j] - f[j + 1] < least ? (wide)f[j] - f[j + 1] : least;
        return answer(least); /* of growth */
}

static struct answer share_answer(const struct oracle *o)
{
        bool is_burn = o->rule.signal != toc_signal_permille;
        uint64_t far = window_of(o, o->rule.signal == toc_signal_burn_fast   ? 3600
                                    : o->rule.signal == toc_signal_burn_slow ? 86400
                                                                             : 60);
        uint64_t brief = far / 12 ? far / 12 : 1;
        wide budget = is_burn ? 1000 - o->rule.objective_permille : 1;
        wide part = events(o, 0, far), whole = events(o, 1, far);
        wide part2 = events(o, 0, brief), whole2 = events(o, 1, brief);

        if (whole < volume_of(o, is_burn ? 100 : 20) || (is_burn && !whole2))
                return (struct answer){ TOO_FEW, 0, 1 };
        if (is_burn && part2 * whole < part * whole2)
                return (struct answer){ KNOWN, part2 * 1000, budget * whole2 };
        return (struct answer){ KNOWN, part * 1000, budget * whole };
}

/* Of a quantile only whether it rings: n is 1 above a limit of 0, or it is 0. */
static struct answer quantile_answer(const struct oracle *o)
{
        static const uint64_t one_of[] = { 2, 10, 100, 1000, 0 };
        static const uint64_t volumes[] = { 10, 10, 100, 1000, 1 };
        unsigned first = o->kind == toc_kind_timer ? toc_signal_p50_us : toc_signal_p50;
        unsigned which = o->rule.signal - first;
        wide over = events(o, (int)o->slot, window_of(o, 60));
        wide all = events(o, 2, window_of(o, 60));

        if (all < volume_of(o, volumes[which]))
                return (struct answer){ TOO_FEW, 0, 1 };
        return answer(which == 4 ? over > 0 : over * one_of[which] > all);
}

static int64_t backlog_of(const struct kept *kept)
{
        return (int64_t)(kept->c[0] - kept->c[1] - kept->c[2]);
}

static struct answer lost_answer(const struct oracle *o)
{
        int64_t least = INT64_MAX, most = INT64_MIN;

        if (o->count > 1 && memcmp(now(o)->c, now(o)[-1].c, sizeof(now(o)->c)) == 0)
                return answer(backlog_of(now(o)) - (int64_t)now(o)->c[3]);
        for (size_t i = 0; i < o->count; i++) {
                int64_t raw = backlog_of(&o->kept[i]) - (int64_t)o->kept[i].c[3];

                if (now(o)->t_ns - o->kept[i].t_ns >= window_of(o, 10) * S)
                        continue;
                least = raw < least ? raw : least;
                most = raw > most ? raw : most;
        }
        return answer(least > 0 ? least : most < 0 ? most : 0);
}

static struct answer stalled_answer(const struct oracle *o)
{
        uint64_t latest = o->began_ns;
        uint64_t gone = 0;

        for (size_t i = 0; i < o->count; i++) {
                if (o->kept[i].c[1] + o->kept[i].c[2] != gone || backlog_of(&o->kept[i]) <= 0)
                        latest = o->kept[i].t_ns;
                gone = o->kept[i].c[1] + o->kept[i].c[2];
        }
        return answer((now(o)->t_ns - latest) / MS);
}

static struct answer oldest_answer(const struct oracle *o)
{
        uint64_t oldest = now(o)->t_ns;

        for (uint32_t i = 0; i < o->open_count; i++)
                if (o->first_seen[o->open[i]] < oldest)
                        oldest = o->first_seen[o->open[i]];
        return answer((now(o)->t_ns - oldest) / MS);
}

static struct answer ask(const struct oracle *o)
{
        int64_t in_flight = (int64_t)(now(o)->c[0] - now(o)->c[1]);

        switch (o->kind) {
        case toc_kind_gauge:
        case toc_kind_level:
                return gauge_answer(o);
        case toc_kind_share:
                return share_answer(o);
        case toc_kind_timer:
        case toc_kind_sizes:
                return quantile_answer(o);
        case toc_kind_flow:
                return o->rule.signal == toc_signal_backlog      ? answer(backlog_of(now(o)))
                       : o->rule.signal == toc_signal_stalled_ms ? stalled_answer(o)
                                                                 : lost_answer(o);
        case toc_kind_operation:
                return o->rule.signal == toc_signal_in_flight
                               ? answer(in_flight < 0 ? 0 : in_flight)
                               : oldest_answer(o);
        default: /* must-hit */
                if (now(o)->c[0] || (o->has_gate && (int64_t)now(o)->c[1] == INT64_MIN) ||
                    (o->has_gate && !now(o)->c[1]))
                        return answer(0);
                return (struct answer){ KNOWN, now(o)->t_ns - o->began_ns, S };
        }
}

static bool is_true(const struct oracle *o, const struct answer *a, unsigned op, int64_t c)
{
        wide right = c * a->per;

        if (o->kind == toc_kind_timer || o->kind == toc_kind_sizes)
                return a->n > 0;
        if (o->rule.signal == toc_signal_exhausts_s)
                return floor_rises(o) && (line_at(o, c) > 0 || (line_at(o, c) == 0 && op == 3));
        switch (op) {
        case 1:
                return a->n < right;
        case 2:
                return a->n == right;
        case 3:
                return a->n <= right;
        case 4:
                return a->n > right;
        case 5:
                return a->n != right;
        default:
                return a->n >= right;
        }
}

static bool is_in_result(const struct oracle *o, const struct answer *a)
{
        if (a->is != KNOWN)
                return false;
        if (is_true(o, a, o->rule.op, o->rule.limit))
                return true;
        if (!o->alert.is_firing || o->rule.clear_at == INT64_MIN || o->rule.op == 2 ||
            o->rule.op == 5)
                return false;
        return is_true(o, a, o->rule.op & 5, o->rule.clear_at);
}

/* ---- The comparison ------------------------------------------------------------------*/

/* How often each signal was in each state. */
static size_t seen[64][RULE_FIRING + 1];

static void check_value(const struct oracle *o, const struct rule_view *view, struct answer a)
{
        bool is_quantile = o->kind == toc_kind_timer || o->kind == toc_kind_sizes;

        assert_int_equal(view->has_value, a.is == KNOWN);
        if (!view->has_value)
                return;
        if (is_quantile && a.n)
                assert_true(view->value >= o->rule.limit + (o->rule.op == 4));
        else if (is_quantile)
                assert_true(view->value < o->rule.limit + (o->rule.op == 4));
        else if (o->rule.signal != toc_signal_exhausts_s)
                assert_int_equal(view->value, a.n / a.per);
        else if (!floor_rises(o) || (view->value > 1000000 && line_at(o, 1000000) <= 0))
                assert_true(view->value > 1000000);
        else if (view->value == 0)
                assert_true(line_at(o, 0) >= 0 || line_at(o, 1) > 0);
        else
                assert_true(line_at(o, view->value) <= 0 && line_at(o, view->value + 1) > 0);
}

static void compare(const struct rule_set *set, struct oracle *o, const struct stream *s,
                    uint64_t t_ns)
{
        struct rule_view view = { 0 };
        enum rule_state expected;
        struct answer a;
        size_t n = 0;

        o->kept[o->count].t_ns = t_ns;
        memcpy(o->kept[o->count].c, s->c, sizeof(s->c));
        o->count++;
        for (uint32_t i = 0; i < s->open_count; i++)
                if (!o->first_seen[s->open[i]])
                        o->first_seen[s->open[i]] = t_ns;
        memcpy(o->open, s->open, sizeof(s->open));
        o->open_count = s->open_count;
        a = ask(o);
        oracle_eval(&o->alert, &o->rule, is_in_result(o, &a), t_ns);
        expected = oracle_state(&o->alert, a.is != UNKNOWN);
        do
                assert_int_equal(rule_set_view(set, n++, &view), 0);
        while (view.slot != o->slot || view.record->kind != o->kind);
        if (view.state != expected)
                fail_msg("%s %s %s %" PRId64 " (clear at %" PRId64 ", window %u) at %" PRIu64
                         " ms: expected %s, got %s with value %" PRId64,
                         rule_kind_name(o->kind), rule_signal_name(o->rule.signal),
                         rule_op_name(o->rule.op), o->rule.limit, o->rule.clear_at,
                         o->rule.window_s, t_ns / MS, fixture_state_name(expected),
                         fixture_state_name(view.state), view.value);
        check_value(o, &view, a);
        seen[o->rule.signal][expected]++;
}

static void run(uint64_t number)
{
        static struct oracle oracles[2];
        static struct stream s;
        struct toc_record gate =
                fixture_record(toc_kind_gauge, fixture_rule(toc_signal_value, TOC_BELOW_, 0));
        const struct rule_change *changes;
        struct rule_set *set;
        uint32_t row;
        size_t count;
        unsigned rhythm;
        uint64_t t_ns;

        stream_start(&s, number);
        rhythm = (unsigned)stream_pick(&s, 3);
        for (size_t slot = 0; slot < 2; slot++) {
                memset(&oracles[slot], 0, sizeof(oracles[slot]));
                oracles[slot].kind = s.record.kind;
                oracles[slot].slot = slot;
                oracles[slot].rule = s.record.rule[slot];
                oracles[slot].has_gate = s.has_gate;
                oracles[slot].began_ns = s.began_ns;
                oracles[slot].from_start = s.from_start;
        }
        assert_int_equal(rule_set_new(&set, 0), 0);
        assert_int_equal(rule_set_add(set, &s.record, s.began_ns, s.from_start, &row), 0);
        snprintf(gate.name, sizeof(gate.name), "is_leader");
        assert_int_equal(rule_set_add(set, &gate, s.began_ns, s.from_start, &row), 0);

        t_ns = s.began_ns + stream_pick(&s, 200) * S / 10;
        for (int i = 0; i < samples_max - 1; i++) {
                const struct rule_sample samples[] = {
                        { .cells = s.cells, .open = s.open, .open_count = s.open_count },
                        { .cells = &s.c[1] }
                };
                bool is_peek = stream_pick(&s, 10) == 0;
                int error = is_peek ? rule_set_peek(set, t_ns, samples, 2, &changes, &count)
                                    : rule_set_tick(set, t_ns, samples, 2, &changes, &count);

                assert_int_equal(error, 0);
                for (size_t slot = 0; slot < 2 && s.record.rule[slot].severity; slot++) {
                        compare(set, &oracles[slot], &s, t_ns);
                        oracles[slot].count -= is_peek;
                }
                t_ns += is_peek ? stream_pick(&s, 900) * MS : stream_gap_ns(&s, rhythm);
                stream_go_on(&s);
        }
        rule_set_free(&set);
}

static void agrees_on_every_step_of_every_stream(void **state)
{
        (void)state;
        for (uint64_t number = 0; number < streams; number++)
                run(number);
        /* Or the streams tested less than they could. */
        for (unsigned signal = toc_signal_growth; signal <= toc_signal_unreached_s; signal++) {
                if (strcmp(rule_signal_name(signal), "?") == 0 || signal == toc_signal_silent_ms)
                        continue;
                if (seen[signal][RULE_OK] < 300 || seen[signal][RULE_PENDING] < 50 ||
                    seen[signal][RULE_FIRING] < 300)
                        fail_msg("%s was OK %zu, PENDING %zu, FIRING %zu times",
                                 rule_signal_name(signal), seen[signal][RULE_OK],
                                 seen[signal][RULE_PENDING], seen[signal][RULE_FIRING]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(agrees_on_every_step_of_every_stream),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
