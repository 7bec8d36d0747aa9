/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gatekeeper.h - asks the gate, which is another process: `tocsin gate`, whose lines people see.
 *
 * Another process, because what a gate judges is hostile and we hold keys: its environment has none
 * of ours, and what kills it does not kill us (doc/decisions/0010-the-gate-is-a-process.md).
 *
 * Ownership, threads: those of the run. Units: milliseconds in records. Errors: 0, when a verdict,
 * whatever it is, stands in the ledger; RUN_STOPPED; -errno. Limits: what is left of the run's
 * seconds.
 */
#ifndef FORGE_GATEKEEPER_H
#define FORGE_GATEKEEPER_H

#include "forge/run.h"

/* Is the question sound? With the reference, if the contract has one. Records `preflight`. */
int gatekeeper_preflight(struct run *run);

/* Records `verdict`, or `change` if the contract was changed meanwhile. */
int gatekeeper_judge(struct run *run, unsigned candidate);

/* Whether the contract is still the one that the run began with; records `change` if not. */
int gatekeeper_check_contract(struct run *run);

#endif
