/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h - whether a run that can be read is also whole: each blob there, and what its name says.
 *
 * The chain of records was checked when the ledger was opened.
 *
 * Ownership: borrowed. Threads: any. Errors: 0: it holds; VERIFY_FAILS with one sentence in `why`,
 * which names the line or the file; -errno: could not find out. Limits: those of the ledger.
 */
#ifndef FORGE_VERIFY_H
#define FORGE_VERIFY_H

#include "forge/ledger.h"

enum verify_outcome { VERIFY_FAILS = 1 };

int verify_run(const struct ledger *ledger, struct text *why);

#endif
