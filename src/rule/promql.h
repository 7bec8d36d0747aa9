/* SPDX-License-Identifier: Apache-2.0 */
/* promql.h - the same rules for Prometheus: an expression that rings when the rule here rings.
 *
 * That they agree at every step is what tocsin-conform shows (tests/conform). Its judge is the
 * promtool of Debian 12 (2.42), which closes ranges on both sides: hence W less a millisecond,
 * which means the same to 3.x. doc/rules.md says where Prometheus cannot see what a rule_set sees.
 *
 * Units:     seconds. scrape_s is how often the series are scraped and the rules evaluated, 1 to
 *            PROMQL_SCRAPE_MAX_S. Prometheus counts in doubles: exact up to 2^53.
 * Ownership: texts are the caller's, who looks at text->error when all is written. What is written
 *            is one line without line ends; it may hold both kinds of quotes.
 * Errors:    as said at each function. Records have passed rule_check.
 * Threads:   any. */
#ifndef RULE_PROMQL_H
#define RULE_PROMQL_H

#include "base/text.h"
#include "rule/rule.h"

enum { PROMQL_SCRAPE_MAX_S = 240 };

struct promql {
        const char *alert; /* its name, where hysteresis asks whether it is firing */
        uint32_t scrape_s;
};

/* One series of a probe, as /metrics shows it. */
struct promql_series {
        char name[112];   /* MODULE_NAME and a suffix */
        char le[32];      /* of a bucket: its bound as it is spelled there; else empty */
        bool is_monotone; /* a counter: falls only at a restart */
};

/* MODULE_NAME, without suffix. */
void promql_metric(struct text *into, const struct toc_record *record);

/* The nth series of a probe. 0, or -ENOENT past the last. In this order, by kind:
 *   counter, expectation, must-hit, error, warning, logs: _total
 *   gauge, level, a budget of a module: the value itself
 *   timer (in seconds), sizes: _bucket for each limit of a rule, _bucket of all, _count, _sum
 *   share: _part_total, _whole_total
 *   heartbeat: _beat_timestamp_seconds
 *   operation: _in_flight, _oldest_start_timestamp_seconds (0: none is open)
 *   flow: _in_total, _out_total, _dropped_total, _held, _progress_timestamp_seconds
 * Expressions also look at process_start_time_seconds, and at the gauge of a TOC_WHEN. */
int promql_series(const struct toc_record *record, uint32_t n, struct promql_series *ret_series);

/* name{label="...",le="..."}, with as many braces as there are labels. */
void promql_selector(struct text *into, const struct toc_record *record,
                     const struct promql_series *series);

/* The expression of the rule in that slot. 0, or -EINVAL if there is no rule or nothing to say. */
int promql_expr(struct text *into, const struct toc_record *record, uint32_t slot,
                const struct promql *how);

/* The window that the expression looks back: the rule's, made up to whole scrapes, which errs
 * towards ringing. 0 without window. */
uint32_t promql_window_s(const struct toc_record *record, uint32_t slot, uint32_t scrape_s);

#endif
