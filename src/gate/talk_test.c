/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the one conversation that is a pass, and that no other is: each line left out, said twice,
 * moved, or said by somebody else. */
#include "gate/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define NONCE "0123456789abcdef0123456789abcdef"

enum { harness = 10, child = 11, stranger = 12, line_count = 5 };

struct said {
        const char *line;
        pid_t sender;
};

static const struct said good[line_count] = {
        { "BEGUN " NONCE " 7", child },         { "DATA " NONCE " allocations=2 fired=0", child },
        { "CASE " NONCE " works pass", child }, { "LAST " NONCE, child },
        { "END " NONCE " exit 0", harness },
};

static const struct session_run works = { .name = "works" };

/* Whether the verdict is a pass; *ret_lost: whether it was refused on the way. */
static bool passes(const struct said *said, size_t count, bool *ret_lost)
{
        struct session_verdict verdict = SESSION_VERDICT_NULL;
        struct talk talk = {
                .run = &works, .verdict = &verdict, .nonce = NONCE, .harness = harness
        };
        enum talk_wants wants = TALK_MORE;
        bool has_passed;

        for (size_t i = 0; i < count && wants != TALK_END && wants != TALK_LOST; i++) {
                char line[wire_line_max + 1];

                (void)snprintf(line, sizeof(line), "%s", said[i].line);
                wants = talk_take(&talk, line, said[i].sender);
        }
        if (wants == TALK_END)
                talk_conclude(&talk);
        has_passed = wants == TALK_END && verdict.state == SESSION_PASSED;
        *ret_lost = wants == TALK_LOST;
        session_verdict_fini(&verdict);
        return has_passed;
}

static void the_good_one_passes(void **state)
{
        bool is_lost;

        (void)state;
        assert_true(passes(good, line_count, &is_lost));
}

static void without_a_line_it_does_not(void **state)
{
        bool is_lost;

        (void)state;
        for (size_t left_out = 0; left_out < line_count; left_out++) {
                struct said said[line_count];
                size_t count = 0;

                if (left_out == 1)
                        continue; /* measures are not a condition */
                for (size_t i = 0; i < line_count; i++)
                        if (i != left_out)
                                said[count++] = good[i];
                if (passes(said, count, &is_lost))
                        fail_msg("passes without '%s'", good[left_out].line);
        }
}

static void a_line_said_by_another_is_refused(void **state)
{
        static const pid_t senders[] = { harness, child, stranger, 0 };
        bool is_lost;

        (void)state;
        for (size_t at = 0; at < line_count; at++)
                for (size_t i = 0; i < BASE_COUNT(senders); i++) {
                        struct said said[line_count];

                        memcpy(said, good, sizeof(good));
                        said[at].sender = senders[i];
                        if (senders[i] != good[at].sender && at != 1 &&
                            passes(said, line_count, &is_lost))
                                fail_msg("passes with '%s' of %d", good[at].line, senders[i]);
                }
}

static void out_of_order_it_is_refused(void **state)
{
        bool is_lost;

        (void)state;
        for (size_t at = 0; at + 1 < line_count; at++) {
                struct said said[line_count];

                memcpy(said, good, sizeof(good));
                said[at] = good[at + 1];
                said[at + 1] = good[at];
                if (at != 1 && passes(said, line_count, &is_lost))
                        fail_msg("passes with '%s' before '%s'", good[at + 1].line, good[at].line);
        }
}

static void a_line_more_is_refused(void **state)
{
        static const struct said more[] = {
                { "CASE " NONCE " works pass", child },
                { "CASE " NONCE " works fail a.c:1: it does not", child },
                { "CASE " NONCE " other pass", child },
                { "CASE " NONCE " works pass twice", child },
                { "CASE " NONCE " works", child },
                { "CASE " NONCE, child },
                { "CASE 00000000000000000000000000000000 works pass", child },
                { "BEGUN " NONCE " 7", child },
                { "LAST " NONCE, child },
                { "LAST " NONCE, harness },
                { "TICK " NONCE " 1", harness },
                { "END " NONCE " exit 0", child },
                { "END " NONCE " exit 256", harness },
                { "END " NONCE " exit", harness },
                { "DATA " NONCE " allocations=-1", child },
                { "DATA " NONCE " allocations", child },
                { "DATA " NONCE " wishes=1", child },
                { "DATA " NONCE, child },
                { "NONSENSE " NONCE, child },
                { "NONSENSE", child },
                { "", child },
        };
        bool is_lost;

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(more); i++) {
                /* before and after the line that says it passed */
                struct said early[] = { good[0], more[i], good[2], good[3], good[4] };
                struct said late[] = { good[0], good[2], more[i], good[3], good[4] };

                if (passes(late, BASE_COUNT(late), &is_lost) || !is_lost)
                        fail_msg("late '%s' of %d is not refused", more[i].line, more[i].sender);
                if (i > 0 && passes(early, BASE_COUNT(early), &is_lost))
                        fail_msg("passes after '%s' of %d", more[i].line, more[i].sender);
        }
}

static void what_is_left_or_wrong_is_no_pass(void **state)
{
        static const struct said wrong[] = {
                { "DATA " NONCE " descriptors=1 threads=0 live_bytes=0", child },
                { "DATA " NONCE " descriptors=0 threads=1 live_bytes=0", child },
                { "DATA " NONCE " descriptors=0 threads=0 live_bytes=1", child },
                { "DATA " NONCE " broken=1", child },
                { "DATA " NONCE " late=1", harness },
                { "DATA " NONCE " flooded=1", harness },
                { "DATA " NONCE " processes=1", harness },
                { "END " NONCE " exit 23", harness },
                { "END " NONCE " signal 9", harness },
                { "END " NONCE " missing 0", harness },
        };
        bool is_lost;

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
                struct said said[] = { good[0], good[2], good[3], wrong[i], good[4] };

                if (wrong[i].sender == child) {
                        said[2] = wrong[i];
                        said[3] = good[3];
                }
                if (passes(said, BASE_COUNT(said), &is_lost))
                        fail_msg("passes with '%s'", wrong[i].line);
        }
}

static void output_is_read_back(void **state)
{
        struct session_verdict verdict = SESSION_VERDICT_NULL;
        struct talk talk = {
                .run = &works, .verdict = &verdict, .nonce = NONCE, .harness = harness
        };
        char line[] = "OUTPUT " NONCE " a\\nb\\\\n\\x1b\\x0 c";

        (void)state;
        assert_int_equal(talk_take(&talk, line, harness), TALK_MORE);
        assert_string_equal(text_view(&verdict.output), "a\nb\\n\x1b\\x0 c");
        session_verdict_fini(&verdict);
}

static void samples_are_thinned(void **state)
{
        struct session_verdict verdict = SESSION_VERDICT_NULL;
        struct talk talk = {
                .run = &works, .verdict = &verdict, .nonce = NONCE, .harness = harness
        };
        char begun[] = "BEGUN " NONCE " 7";

        (void)state;
        assert_int_equal(talk_take(&talk, begun, child), TALK_MORE);
        for (unsigned i = 0; i < 3 * session_sample_max; i++) {
                char line[200];

                (void)snprintf(line, sizeof(line), "DATA " NONCE " at_ms=%u live_bytes=%u", i, i);
                assert_int_equal(talk_take(&talk, line, child), TALK_MORE);
        }
        assert_in_range(verdict.sample_count, session_sample_max / 2, session_sample_max);
        for (size_t i = 1; i < verdict.sample_count; i++)
                assert_true(verdict.samples[i].at_ns > verdict.samples[i - 1].at_ns);
        session_verdict_fini(&verdict);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_good_one_passes),
                cmocka_unit_test(without_a_line_it_does_not),
                cmocka_unit_test(a_line_said_by_another_is_refused),
                cmocka_unit_test(out_of_order_it_is_refused),
                cmocka_unit_test(a_line_more_is_refused),
                cmocka_unit_test(what_is_left_or_wrong_is_no_pass),
                cmocka_unit_test(output_is_read_back),
                cmocka_unit_test(samples_are_thinned),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
