/* SPDX-License-Identifier: Apache-2.0 */
/*
 * story.h - a ledger told as one JSON object: what `tocsin ledger` prints and the page shows.
 *
 *     {"run","module","tocsin","contract":{"path","sha256"},"seed","began","ended","outcome","why",
 *      "evidence":{},"preflight":{}|null,"tiers":[],"limits":{},
 *      "calls":[{"n","slot","attempt","stage","tier","model","lineage","parent","reason","began",
 *                "prompt","answer","finish","input","output","cost_microusd","estimated","ms",
 *                "result":"answered|failed|unfinished","why"}],
 *      "candidates":[{"n","began","id","lineage","parent","slot","stage","tier","sha256",
 *                     "verdict","score_permille","failed_stage","keys":[],"headline","report",
 *                     "seconds"}],
 *      "decisions":[{"n","t","action","stage","tier","lineage","parent","slot","candidate",
 *                    "outcome","reason"}],
 *      "notes":[{"n","t","type","text"}], "files":[{"path","sha256"}],
 *      "totals":{"calls","attempts","estimated","candidates","cost_microusd","input","output",
 *                "seconds"},
 *      "accepted":id|null,"records","torn","head"}
 *
 * A pure function of the records: the same ledger, the same story. What a record lacks or has in
 * another form is null. n is the number of the record that began it. A tier is its name, if the run
 * names it. outcome is null until one is decided, and "interrupted" if the run was and did not go
 * on. A call without an end may have been billed: it costs what was reserved for it, and is
 * estimated. "seconds" in totals are those in which the run went on, without the pauses before a
 * resume.
 *
 * Ownership: the caller's. Threads: any. Errors: NULL without memory. Limits: those of the ledger.
 */
#ifndef FORGE_STORY_H
#define FORGE_STORY_H

#include "forge/ledger.h"

json_t *story_json(const struct ledger *ledger);

#endif
