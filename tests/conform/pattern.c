/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that streams go where rules are decided: to the limit and one beyond, at the first and
 * the last instant of a window. Numbers without a plan hardly ever do. */
#include "script.h"

enum { IDLE, BURST, EDGE, STEADY, SPARSE, RAMP, SAWTOOTH, pattern_count };

static void pattern_choose(struct script *script)
{
        struct pattern *pattern = &script->pattern;
        uint32_t window = script->window_steps;

        *pattern = (struct pattern){ .is = (unsigned)dice_below(script->dice, pattern_count) };
        /* One below, at and above the limit. */
        pattern->amount = script->aim + dice_between(script->dice, -1, 1);
        if (dice_once_in(script->dice, 6))
                pattern->amount = 2 * script->aim + 3;
        if (pattern->amount < 0)
                pattern->amount = 0;
        pattern->left = (uint32_t)dice_between(script->dice, 1, window + 2);
        if (pattern->is == EDGE) /* the second half one step before, at or after the edge */
                pattern->left = (uint32_t)dice_between(script->dice, window > 1 ? window - 1 : 1,
                                                       window + 1) +
                                1;
}

int64_t pattern_next(struct script *script)
{
        struct pattern *pattern = &script->pattern;
        int64_t steps = script->window_steps;
        int64_t events = 0;

        if (!pattern->left)
                pattern_choose(script);
        switch (pattern->is) {
        case BURST:
                events = pattern->at == 0 ? pattern->amount : 0;
                break;
        case EDGE:
                if (pattern->at == 0)
                        events = pattern->amount / 2;
                else if (pattern->left == 1)
                        events = pattern->amount - pattern->amount / 2;
                break;
        case STEADY: /* so spread that each window holds the amount */
                events = pattern->amount * (pattern->at + 1) / steps -
                         pattern->amount * pattern->at / steps;
                break;
        case SPARSE:
                if (dice_once_in(script->dice, 9))
                        events = dice_between(script->dice, 1, 1 + script->aim / 3);
                break;
        case RAMP:
                events = (int64_t)pattern->at * (1 + script->aim / 8) / 4;
                break;
        case SAWTOOTH:
                events = pattern->at % 5 * (1 + script->aim / 8);
                break;
        default:
                break;
        }
        pattern->at++;
        pattern->left--;
        return events;
}

int64_t pattern_value(struct script *script, const struct toc_rule *rule)
{
        struct pattern *pattern = &script->pattern;
        struct dice *dice = script->dice;

        if (!pattern->left) {
                pattern->left = (uint32_t)dice_between(dice, 1, 9);
                pattern->is = (unsigned)dice_below(dice, 6);
        }
        pattern->left--;
        switch (pattern->is) {
        case 0: /* hold still */
                break;
        case 1: /* about the limit */
                script->level = rule->limit + dice_between(dice, -1, 1);
                break;
        case 2: /* about the clear level */
                if (rule->clear_at != TOC_NO_CLEAR_LEVEL_)
                        script->level = rule->clear_at + dice_between(dice, -1, 1);
                break;
        case 3: /* a ramp */
                script->level++;
                break;
        case 4:
                script->level = rule->limit - dice_between(dice, 0, 30);
                break;
        default:
                script->level = rule->limit + dice_between(dice, 0, 30);
                break;
        }
        return script->level;
}
