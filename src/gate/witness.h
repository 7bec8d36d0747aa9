/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness.h - the probes that a candidate carries, and what was seen of them while cases ran.
 *
 * Known are the records in the candidate's object, and those that a rule set makes up for a module
 * that says nothing (the rule of all TOC_USUAL errors), once they rang.
 *
 * Units:     rule seconds. Ownership: the struct's until witness_fini(). Threads: one.
 * Errors:    0, -ENOMEM or -errno; witness_load: ELF_UNREADABLE too, and then why says why.
 * Limits:    witness_rule_max rules are judged by synthetic cells; a candidate that has more is
 *            told so by its stage.
 */
#ifndef GATE_WITNESS_H
#define GATE_WITNESS_H

#include "gate/session.h"
#include "gate/synthetic.h"
#include "watch/elf.h"

#include <jansson.h>

enum { witness_rule_max = 256, witness_probe_max = 1024 };

struct witness_probe {
        struct toc_record record;
        bool is_written; /* stands in the candidate's object */
        bool moved;      /* in some case */
        enum synthetic_verdict synthetic[2];
        json_t *rang_in[2]; /* names of cases */
};

struct witness {
        struct witness_probe *probes;
        size_t count;
        struct elf_records found; /* refused ones stand here */
        json_t *cases;            /* as measures of stage observe */
};

int witness_load(struct witness *witness, const char *object, const char **ret_why);
void witness_fini(struct witness *witness);

/* Remembers what moved and rang in a case; ALARM and CALM go into `cases` as well. */
int witness_see(struct witness *witness, const struct session_case *test_case,
                const struct session_verdict *verdict);

/* Whether the candidate wrote it, or got it by saying nothing about its logs, as all modules do.
 * What is neither appeared while it ran, and proves nothing. */
bool witness_knows(const struct witness *witness, const struct toc_record *record);

/* Fills in `synthetic`. */
int witness_judge(struct witness *witness);

/* What is declared at file scope, and its author moves by hand. Sites in functions are not:
 * an expectation that never missed is the good case, and an error site may need a failure that no
 * case can cause. What they saw stands in the measures. */
bool witness_is_declared(const struct witness_probe *probe);

/* A TOC_SOMETIMES or TOC_REACHED that no case made happen, though some case set its gate, if it has
 * one. */
bool witness_is_missed(const struct witness *witness, const struct witness_probe *probe);

/* All that a case might move: the declared ones, and sites but expectations. */
bool witness_is_all_moved(const struct witness *witness);

/* {"rules": [], "probes": [], "cases": []}, new. NULL without memory. */
json_t *witness_measures(const struct witness *witness);

#endif
