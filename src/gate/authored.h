/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authored.h - whether the tokens that an author wrote are those of plain C within the contract.
 *
 * What is allowed is listed, not what is banned: a name that begins with an underscore has to stand
 * in authored.def, an attribute too, and of toc_/TOC_ only what tocsin.h offers. So a new extension
 * of a compiler is refused until somebody has thought about it.
 *
 * Ownership: nothing is kept. Errors: none; what was found: findings interface.token,
 * .include and .conditional stand in the result. Threads: any.
 * Limits: authored_findings_max findings a file; the rest is not told.
 */
#ifndef GATE_AUTHORED_H
#define GATE_AUTHORED_H

#include "gate/lens_read.h"
#include "gate/stage.h"

enum { authored_findings_max = 20 };

void authored_judge(const struct contract *contract, const struct candidate *candidate,
                    const struct lens *lens, struct stage_result *result);

#endif
