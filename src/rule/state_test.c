/* SPDX-License-Identifier: Apache-2.0 */
/* The expected lines were written by hand from the rules of the Prometheus machine:
 *   a pending alert is deleted at the first miss; it fires when t - ActiveAt >= for; a firing one
 *   that is missing notes when that began and stays while t - then < keep_firing_for; appearing
 *   again clears the note. */
#include "rule/state.h"
#include "rule/fixture.h"

/* One letter a second. inputs: . misses, X holds, ? no value. states: . OK, P PENDING, F FIRING,
 * U UNDEF. */
struct line {
        const char *what;
        uint32_t hold_s;
        uint32_t keep_s;
        const char *inputs;
        const char *states;
};

static const struct line lines[] = {
        { "fires in the evaluation in which it holds", 0, 0, /**/
          "..X.XX.",                                         /**/
          "..F.FF." },
        { "no value, then a value", 0, 0, /**/
          "??.??X?",                      /**/
          "UU.UUFU" },
        { "from no value to holding, with hold", 2, 0, /**/
          "?XXXX",                                     /**/
          "UPPFF" },
        { "hold: one second less than 3 is not enough", 3, 0, /**/
          ".XXX.XXXX.",                                       /**/
          ".PPP.PPPF." },
        { "hold 1 fires in the second evaluation", 1, 0, /**/
          ".X.XX.",                                      /**/
          ".P.PF." },
        { "a miss forgets the time it has held", 3, 0, /**/
          "XX.XX.XXXX",                                /**/
          "PP.PP.PPPF" },
        { "so does having no value", 3, 0, /**/
          "XXX?XXXX",                      /**/
          "PPPUPPPF" },
        { "keep 3: missing at 1, 2, 3 it still fires, at 4 it does not", 0, 3, /**/
          "X.......",                                                          /**/
          "FFFF...." },
        { "keep 1 lasts one evaluation a second apart", 0, 1, /**/
          "X..X",                                             /**/
          "FF.F" },
        { "holding again starts keep anew", 0, 3, /**/
          "X..X...X.....",                        /**/
          "FFFFFFFFFFF.." },
        { "keep does not help what is pending", 2, 5, /**/
          "XX..XXX......X",                           /**/
          "PP..PPFFFFFF.P" },
        { "after keep has run out, hold begins anew", 1, 2, /**/
          "XX...XX",                                        /**/
          "PFFF.PF" },
        { "firing without a value: keep, then UNDEF", 0, 2, /**/
          "X????.",                                         /**/
          "FFFUU." },
        { "keep runs on when a miss turns into no value", 0, 3, /**/
          "X.???",                                              /**/
          "FFFFU" },
        { "and the other way round", 0, 3, /**/
          "X?...",                         /**/
          "FFFF." },
        { "without keep a firing rule without a value is UNDEF at once", 0, 0, /**/
          "X?X",                                                               /**/
          "FUF" },
};

static char letter(enum rule_state state)
{
        return "U.PFN"[state];
}

static void follows_each_line(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT(lines); i++) {
                struct state machine = { .is = RULE_UNDEF,
                                         .hold_ns = lines[i].hold_s * S,
                                         .keep_ns = lines[i].keep_s * S };
                char got[64] = "";

                assert_int_equal(strlen(lines[i].inputs), strlen(lines[i].states));
                for (size_t t = 0; lines[i].inputs[t]; t++) {
                        char input = lines[i].inputs[t];
                        enum rule_state before = machine.is;
                        bool changed = state_step(&machine,
                                                  input == 'X'   ? STATE_HOLDS
                                                  : input == '.' ? STATE_MISSES
                                                                 : STATE_NO_VALUE,
                                                  100 * S + t * S);

                        assert_int_equal(changed, before != machine.is);
                        if (changed)
                                assert_int_equal(machine.since_ns, 100 * S + t * S);
                        got[t] = letter(machine.is);
                }
                if (strcmp(got, lines[i].states) != 0)
                        fail_msg("%s:\n  inputs   %s\n  expected %s\n  got      %s", lines[i].what,
                                 lines[i].inputs, lines[i].states, got);
        }
}

/* hold and keep end at the nanosecond. */
static void hold_and_keep_to_the_nanosecond(void **state)
{
        struct state machine = { .is = RULE_OK, .hold_ns = 5 * S, .keep_ns = 7 * S };

        (void)state;
        state_step(&machine, STATE_HOLDS, 1 * S);
        assert_int_equal(machine.is, RULE_PENDING);
        state_step(&machine, STATE_HOLDS, 6 * S - 1);
        assert_int_equal(machine.is, RULE_PENDING);
        state_step(&machine, STATE_HOLDS, 6 * S);
        assert_int_equal(machine.is, RULE_FIRING);

        state_step(&machine, STATE_MISSES, 10 * S);
        state_step(&machine, STATE_MISSES, 17 * S - 1);
        assert_int_equal(machine.is, RULE_FIRING);
        assert_int_equal(machine.since_ns, 6 * S);
        state_step(&machine, STATE_MISSES, 17 * S);
        assert_int_equal(machine.is, RULE_OK);
        assert_int_equal(machine.since_ns, 17 * S);
}

/* The longest delays that a rule may have do not overflow, at the end of time. */
static void the_longest_delays(void **state)
{
        const uint64_t day_30 = 30 * 86400 * S;
        const uint64_t late = UINT64_MAX - 3 * day_30;
        struct state machine = { .is = RULE_OK, .hold_ns = day_30, .keep_ns = day_30 };

        (void)state;
        state_step(&machine, STATE_HOLDS, late);
        state_step(&machine, STATE_HOLDS, late + day_30 - 1);
        assert_int_equal(machine.is, RULE_PENDING);
        state_step(&machine, STATE_HOLDS, late + day_30);
        assert_int_equal(machine.is, RULE_FIRING);
        state_step(&machine, STATE_MISSES, late + day_30);
        state_step(&machine, STATE_MISSES, late + 2 * day_30 - 1);
        assert_int_equal(machine.is, RULE_FIRING);
        state_step(&machine, STATE_MISSES, late + 2 * day_30);
        assert_int_equal(machine.is, RULE_OK);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(follows_each_line),
                cmocka_unit_test(hold_and_keep_to_the_nanosecond),
                cmocka_unit_test(the_longest_delays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
