/* SPDX-License-Identifier: Apache-2.0 */
/* metric.h - how the series of a probe are called, for promql.c; others see promql.h.
 *
 * Units:     bounds of timers are seconds, of sizes what was observed.
 * Ownership: the caller's texts. Records have passed rule_check. Errors: none. Threads: any. */
#ifndef RULE_METRIC_H
#define RULE_METRIC_H

#include "rule/promql.h"

/* In double quotes, as PromQL and /metrics want it. */
void metric_append_quoted(struct text *into, const char *string);

/* What follows MODULE_NAME, in the order of promql_series(); ends with NULL. */
const char *const *metric_suffixes(unsigned kind);

/* The bound of the bucket that holds what does not ring: the limit; for >= the value before. */
void metric_bound(const struct toc_record *record, uint32_t slot, char *ret_text, size_t size);

/* What selects the series in PromQL. le: NULL, or of a bucket. */
void metric_append(struct text *into, const struct toc_record *record, const char *suffix,
                   const char *le);

#endif
