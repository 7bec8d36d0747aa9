/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - the keys of contract.yaml as a table, for contract.c.
 *
 * To add a key: a field in contract.h, a row in a table of schema.c, rows in contract_test.c (one
 * value that is taken, one that is not), and a line in doc/contracts.md.
 *
 * Units, limits: contract.h. Ownership: what is read belongs to the contract, also half-read.
 * Errors: document.h. Threads: one contract, one thread.
 */
#ifndef GATE_SCHEMA_H
#define GATE_SCHEMA_H

#include "gate/contract.h"
#include "gate/document.h"

void schema_read(struct document *document, struct contract *contract);
void schema_fini(struct contract *contract);

/* False: no memory. */
bool schema_list_add(struct contract_list *list, const char *word, unsigned line);
void schema_list_fini(struct contract_list *list);

#endif
