/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue.h - what the gate generates for each contract and links with its cases.
 *
 *         int toc_case_invariant_(void *object) { return lru_check(object); }
 *         const char toc_case_module_[] = "lru";
 *
 * toc_case_invariant_ is 0 while the invariant holds; 0 always where the contract names none.
 * Ownership: constants. Threads: called by one. Errors: none. Units, limits: none.
 */
#ifndef CASE_GLUE_H
#define CASE_GLUE_H

int toc_case_invariant_(void *object);
extern const char toc_case_module_[];

#endif
