/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.h - whether each decision in a ledger is the one that its records lead to.
 *
 * The records are added up from the first on; before each `decision`, decide() is asked, and must
 * answer that record to the letter. What models and gate answered is taken from the records: so a
 * ledger can be checked without a key, a network or the contract.
 *
 * Ownership: the ledger is borrowed. Threads: one. Errors: 0; REPLAY_DIFFERS with one sentence in
 * `why` that names the line; -ENOMEM. Limits, units: those of ledger and state.
 */
#ifndef FORGE_REPLAY_H
#define FORGE_REPLAY_H

#include "forge/ledger.h"

enum replay_outcome { REPLAY_DIFFERS = 1 };

int replay_check(const struct ledger *ledger, struct text *why);

#endif
