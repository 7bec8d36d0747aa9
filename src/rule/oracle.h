/* SPDX-License-Identifier: Apache-2.0 */
/* oracle.h - the alert machine of the oracles: a transcription of Prometheus's (rules/alerting.go,
 * AlertingRule.Eval), with an absent value besides. It shares no code with state.c. */
#ifndef RULE_ORACLE_H
#define RULE_ORACLE_H

#include "rule/fixture.h"

/* Prometheus's Alert; is_active: it stands in r.active and is not inactive. */
struct oracle_alert {
        bool is_active, is_firing, is_keeping;
        uint64_t active_at, keep_firing_since;
};

static inline void oracle_eval(struct oracle_alert *alert, const struct toc_rule *rule,
                               bool is_in_result, uint64_t ts)
{
        bool keep_firing = false;

        if (is_in_result) {
                if (!alert->is_active) {
                        alert->is_active = true;
                        alert->is_firing = false;
                        alert->active_at = ts;
                }
                alert->is_keeping = false;
        } else if (alert->is_active) {
                if (alert->is_firing && rule->keep_s > 0) {
                        if (!alert->is_keeping)
                                alert->keep_firing_since = ts;
                        alert->is_keeping = true;
                        if (ts - alert->keep_firing_since < rule->keep_s * S)
                                keep_firing = true;
                }
                if (!keep_firing)
                        alert->is_active = alert->is_firing = alert->is_keeping = false;
        }
        if (alert->is_active && ts - alert->active_at >= rule->hold_s * S)
                alert->is_firing = true;
}

static inline enum rule_state oracle_state(const struct oracle_alert *alert, bool is_known)
{
        if (alert->is_active)
                return alert->is_firing ? RULE_FIRING : RULE_PENDING;
        return is_known ? RULE_OK : RULE_UNDEF;
}

#endif
