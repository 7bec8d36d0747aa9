/* SPDX-License-Identifier: Apache-2.0 */
/* rule.h - from samples to alert states. Pure: no I/O, no clock of its own, no threads.
 *
 * A rule_set judges the probes of one process. The caller adds the process's records once each
 * (rule_set_add gives the row a number), and then tells it, tick by tick, what each row stood at.
 * It answers with the changes of state.
 *
 * Units:     times are nanoseconds of one monotonic clock, never going back (an evaluation earlier
 *            than the last, or than attached_ns, is refused, -EINVAL). Values are as a row's cells
 *            say, summed over threads.
 * Ownership: records are copied, unless they are lent. Changes point into the set and live until
 *            the next tick or peek; the records and rules that changes and views point at, until
 *            the next rule_set_add.
 * Errors:    0, -EINVAL, -ENOMEM. An error changes no state. Only rule_set_new, _add and _lend
 *            allocate.
 * Threads:   one at a time.
 * Limits:    RULE_ROW_MAX rows a set, and RULE_BYTES_MAX of memory for them (-ENOMEM beyond: a
 *            file may ask for more rules than a watcher has memory); a window of at most
 *            RULE_WINDOW_MAX_S, of growth, exhausts_s and lost of at most 600 s; hold and keep of
 *            at most RULE_DELAY_MAX_S.
 * Memory:    a row takes 1.3 KiB, 0.5 less if its record is lent, and by what its rules look at:
 *              counted in a window   at most 3.8 KiB a window; rules with the same share it
 *              growth, exhausts_s    17 KiB with 300 s, 34 KiB with 600 s, for both rules
 *              quantiles             7 KiB with 60 s, at most 52 KiB a window
 *              permille              0.6 KiB with 60 s, at most 30 KiB a window
 *              burn                  33 KiB fast, 61 KiB slow
 *              oldest_ms             4 KiB: 256 operations at once
 *              lost                  1 KiB with 10 s, 8 KiB with 600 s, for both rules
 *            and the set at most 17 bytes for each second that anyone looks back.
 *
 * What each signal means, and the PromQL that agrees: doc/rules.md. In short:
 *   windows are (t-W, t]: the count in a window is the value at t less the value of the latest
 *   tick at or before t-W; a row that began after t-W began at 0. A cell that falls was reset, and
 *   its new value is what it counted since.
 *   Comparisons are exact integer ones: n events in W seconds against a limit per U seconds
 *   compares n * U with limit * W; a line through samples is compared in 256 bits.
 *   Counts are exact if ticks come once a second or less often and the window holds at most 3840
 *   of them, an hour's worth. Else the window reaches back further, never less far: by less than
 *   2 s if ticks come more often; by 1 tick once a single tick brought more than 255 events to a
 *   window of more than half an hour (3 ticks beyond 65535; history.h has the table); by less than
 *   32 s of a day with a tick a second. Cells that are compared with each other (part and whole)
 *   always look back equally far, and bursts cost them nothing.
 *   With too few values in the window (volume_min), a quantile, permille or burn does not hold and
 *   has no value; it is OK, because an idle program is not a failure.
 *   The value of a quantile is an estimate for people, on the side of the limit that the exact
 *   counts say.
 *
 * To add a signal: a line in rule_signals (signal.c), a row in signal_test.c's table. */
#ifndef TOCSIN_RULE_H
#define TOCSIN_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tocsin.h"

enum {
        RULE_ROW_MAX = 65536,
        RULE_BYTES_MAX = 256 << 20,
        RULE_WINDOW_MAX_S = 86400,
        RULE_DELAY_MAX_S = 30 * 86400,
};

enum rule_state {
        RULE_UNDEF, /* no value yet (a gauge never set) */
        RULE_OK,
        RULE_PENDING, /* holds, but not yet for hold_s */
        RULE_FIRING,
        RULE_NOT_AVAILABLE, /* a module's budget, and nobody has seen inside it so far */
};

struct rule_set;

/* What is known of a module: a value a signal, from toc_signal_live_bytes on, in its unit. */
enum { RULE_MODULE_WORDS = toc_signal_idle_bytes - toc_signal_live_bytes + 1 };

/* What a row stood at. */
struct rule_sample {
        const uint64_t *cells; /* a module: RULE_MODULE_WORDS values, NULL if nobody sees inside it;
                                * else toc_words_(kind) words as <tocsin-machine.h> lays them
                                * out, summed over threads; not looked at if the row is a sum,
                                * or has none */
        const uint64_t *open;  /* an operation: which ones go on, as rule_open() names them, in */
        uint32_t open_count;   /* ascending order, each once; else NULL and 0 */
};

/* The name of an operation that goes on: the number in a slot of a block, which no other operation
 * in that slot ever has. */
static inline uint64_t rule_open(uint32_t block, uint32_t slot, uint64_t number)
{
        return (uint64_t)(block & 0xfffff) << 44 | (uint64_t)(slot & 0xf) << 40 |
               (number & ((UINT64_C(1) << 40) - 1));
}

/* One rule and how it stands. */
struct rule_view {
        uint32_t row;                    /* as rule_set_add numbered it */
        uint32_t slot;                   /* 0 or 1: which rule of the row */
        const struct toc_record *record; /* ->labels: its label, or a must-hit's gate */
        const struct toc_rule *rule;
        enum rule_state state;
        uint64_t since_ns; /* when it entered this state */
        bool has_value;
        int64_t value;     /* of the signal, in its unit; rates rounded down */
        uint32_t window_s; /* in force: the rule's own or the signal's; 0 without window. Of growth
                            * and exhausts_s it is one of several, of burn the longer of two */
};

struct rule_change {
        enum rule_state from;
        struct rule_view now;
};

/* attached_ns: when the process began (its counters stood at 0 then). */
int rule_set_new(struct rule_set **ret_set, uint64_t attached_ns);
void rule_set_free(struct rule_set **set);

/* Adds a probe. A record that rule_check refuses is -EINVAL. began_ns: when the row first existed
 * (>= attached_ns; a plug-in loaded later). The gauge that a must-hit's gate names is that of the
 * same module and name without a label; it may be added before or after.
 * seen_from_start: false if counting began long before anyone sampled; then the first sample is
 * the base of all windows, instead of 0 at began_ns; and a heartbeat that it finds beaten counts
 * as seen beating then.
 *
 * Sites that say TOC_USUAL are also summed, by module, into a row of their own named log_errors
 * or log_warnings, which the first of them adds (so one call may add two rows: the site's, and
 * then the sum's). Its rules are those of the module's TOC_LOGS record of that name, else the
 * defaults that rule_default_logs() returns. A TOC_LOGS has no row but the sum's, and *ret_row is
 * that; it may come before or after the sites. If a module has several, their rules join; a third
 * rule is refused. To judge log lines that come from elsewhere, add a record of kind
 * toc_kind_error or toc_kind_warning with TOC_IS_USUAL_ set, and give their number as its value. */
int rule_set_add(struct rule_set *set, const struct toc_record *record, uint64_t began_ns,
                 bool seen_from_start, uint32_t *ret_row);

/* As rule_set_add, but the record is not copied: it stays as it is while the set lives. */
int rule_set_lend(struct rule_set *set, const struct toc_record *record, uint64_t began_ns,
                  bool seen_from_start, uint32_t *ret_row);

/* How many rows there are, the sums included; they stand behind no cell of their own. */
uint32_t rule_set_rows(const struct rule_set *set);

/* samples[row] for each row added so far; count is their number, rule_set_rows(), else -EINVAL.
 * Nothing of them is kept.
 *
 * rule_set_tick is the regular sample and is remembered in windows. rule_set_peek judges at a
 * moment in between (the doorbell rang) and remembers nothing but changes of state, and the beats
 * and the open operations that it saw. */
int rule_set_tick(struct rule_set *set, uint64_t t_ns, const struct rule_sample *samples,
                  uint32_t count, const struct rule_change **ret_changes, size_t *ret_count);
int rule_set_peek(struct rule_set *set, uint64_t t_ns, const struct rule_sample *samples,
                  uint32_t count, const struct rule_change **ret_changes, size_t *ret_count);

/* All rules, in order of rows; for tables. Values are those of the latest evaluation. 0 or -ENOENT
 * past the last. */
int rule_set_view(const struct rule_set *set, size_t n, struct rule_view *ret_view);

/* Where to read on about a probe of the set: its own runbook, else that of its module, else "". */
const char *rule_runbook(const struct rule_set *set, const struct toc_record *record);

/* The record that a module without TOC_LOGS has: kind is toc_kind_error (any error in a minute
 * is a warning to people: per_minute > 0, TOC_WARN) or toc_kind_warning (per_minute > 10,
 * TOC_NOTE). module must be a C name that fits the record's field, else -EINVAL. */
int rule_default_logs(enum toc_kind kind, const char *module, struct toc_record *ret_record);

/* 0 if the record can be judged: text fields terminated and printable, kind, signal, op and
 * severity known, numbers in range, clear level on the clearing side. Else -EINVAL, and *ret_why
 * is a sentence (static). For records from files and segments: they are foreign. The format of an
 * error site may hold tabs and line ends; escape text before you print it all the same. */
int rule_check(const struct toc_record *record, const char **ret_why);

/* The compiler names a site by its line: expect_41. This names it by what it says, the meaning of
 * an expectation and the message of an error, so that an edit above it is not another alert:
 * expect_index_and_table_disagree. For every record from a file or segment, once rule_check has
 * passed it; what is not a site keeps its name. Two sites may say the same: their file and line
 * differ. */
void rule_site_name(struct toc_record *record);

/* Names for people and JSON: "counter", "per_minute", ">=", "page"... "?" if unknown. */
const char *rule_kind_name(unsigned kind);
const char *rule_signal_name(unsigned signal);
const char *rule_op_name(unsigned op);
const char *rule_severity_name(unsigned severity);

/* The label of a probe that has one, else ""; a must-hit names a gauge in its place. */
const char *rule_label(const struct toc_record *record);

/* The window in force for a rule of a probe of that kind: its own, else the signal's; 0 if the
 * signal looks at no window (then .window_s has no effect). The kind is asked for because `total`
 * is a window of 60 s on an expectation and everything since the start on a counter. */
uint32_t rule_window_s(unsigned kind, const struct toc_rule *rule);

#endif
