/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub.h - the candidate that does nothing: every function of the header returns zero.
 *
 * It has the contract's module if tocsin.h is among the headers, so that it links; it has no probe.
 *
 * Ownership: candidate_fini(). Errors: 0; -errno with a sentence in `why`; STUB_UNSOUND with a
 * sentence: no stub can be made from such a header. Threads, limits: lens_read.h.
 */
#ifndef GATE_STUB_H
#define GATE_STUB_H

#include "gate/candidate.h"
#include "gate/sandbox.h"

enum stub_outcome { STUB_UNSOUND = 1 };

int stub_make(struct sandbox *sandbox, const struct contract *contract, struct candidate *ret_stub,
              struct text *why);

#endif
