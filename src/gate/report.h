/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - the folder that a judged candidate leaves: verdict.json, index.html, evidence/.
 *
 * It is built beside its place and moved there as a whole, so that whoever looks sees the old one
 * or the new one. Only what is a report already, or empty, or absent, is replaced.
 *
 * Ownership: everything is borrowed. Threads: one. Errors: 0; -EEXIST: something else stands there;
 * other -errno; then `why` gets a sentence and nothing is left of the new one. Limits: evidence of
 * finding_evidence_max each, and a page with excerpts of a megabyte in all.
 */
#ifndef GATE_REPORT_H
#define GATE_REPORT_H

#include "gate/verdict.h"

/* Before anything is judged: may it be put there? */
int report_may_stand(const char *path, struct text *why);

/* page: the template. */
int report_write(const struct verdict *verdict, const char *page, const char *path,
                 struct text *why);

#endif
