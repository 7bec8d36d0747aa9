/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contract.h - contract.yaml, read, checked, and made a struct.
 *
 *         struct contract contract;
 *         struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
 *         int outcome = contract_load("modules/lru", &contract, &why);
 *
 *         if (outcome == CONTRACT_WRONG)
 *                 fputs(text_view(&why), stderr);    // file:line: what; how to mend it
 *
 * Units:     named in each field. Ownership: the struct owns its strings until contract_fini().
 * Errors:    0; -errno; CONTRACT_WRONG with one or more whole lines in `why`, each
 *            "FILE:LINE: what; remedy". On both nothing is returned.
 * Threads:   a loaded contract is only read.
 * Limits:    below. The YAML is foreign: no anchors, no tags, depth and size bounded.
 */
#ifndef GATE_CONTRACT_H
#define GATE_CONTRACT_H

#include "base/base.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
        contract_bytes_max = 256 << 10,
        contract_list_max = 256, /* entries of any list */
        contract_name_max = 47,
        contract_case_files_max = 128,
        contract_file_bytes_max = 4 << 20, /* of the header and each case file */
};

enum contract_outcome { CONTRACT_WRONG = 1 };

enum contract_threads {
        CONTRACT_THREADS_NONE,
        CONTRACT_THREADS_ONE_PER_OBJECT, /* each object is used by one thread at a time */
        CONTRACT_THREADS_ANY,            /* one object by many threads at once */
};

/* Cost of one call at size n. */
enum contract_growth {
        CONTRACT_GROWTH_UNDECLARED,
        CONTRACT_GROWTH_CONSTANT,
        CONTRACT_GROWTH_LOG,
        CONTRACT_GROWTH_LINEAR,
        CONTRACT_GROWTH_NLOGN,
        CONTRACT_GROWTH_QUADRATIC,
};

/* An entry of budgets. A number that was not given is CONTRACT_NO_LIMIT. */
#define CONTRACT_NO_LIMIT UINT64_MAX

struct contract_budget {
        unsigned line;   /* in contract.yaml */
        char *function;  /* NULL: none given; must be one of the header's (checked later) */
        char *object;    /* of bytes_per_entry; a word for people */
        char *test_case; /* key "case": a BENCH (checked later); NULL only with probes */
        char *axis;      /* must be the axis of that BENCH (checked later) */
        bool probes;     /* "probes: all" */
        enum contract_growth growth;        /* of instructions, and of allocations, per call */
        enum contract_growth memory_growth; /* key "memory": live bytes at size n */
        uint64_t instructions;              /* per call, at the largest size */
        uint64_t allocations;               /* per call, at the largest size */
        uint64_t bytes_per_entry;  /* live bytes at the largest size, divided by that size */
        uint64_t live_bytes;       /* at the peak of the case; BENCH or STRESS */
        uint64_t overhead_percent; /* with probes: all */
};

/* What the candidate and its cases may use, in STRESS, ALARM and CALM cases; 0: the gate's own. */
struct contract_limits {
        uint64_t memory_bytes; /* of the whole process: the harness takes some MiB of it */
        uint64_t cpu_permille; /* of one core */
        uint64_t pids;
        uint64_t files;
};

struct contract_list {
        char **items;
        unsigned *lines;
        size_t count;
};

struct contract {
        char *directory; /* as given */
        int dir_fd;      /* O_PATH|O_DIRECTORY of it */
        char *module;    /* a C name */
        char *summary;
        char *header;                  /* a file name */
        struct contract_list supplies; /* file names, .c or .h, no folders */
        char *reference;               /* a path below the contract, NULL: none */
        struct contract_list headers;  /* what the candidate may include, besides its own */
        struct contract_list symbols;  /* presets and names, each known to symbols.h */
        char *standard;                /* "c11" unless given: c99 c11 c17 gnu99 gnu11 gnu17 */
        enum contract_threads threads;
        char *invariant; /* a function of the header: int f(const struct T *), 0: holds; or NULL */
        struct contract_budget *budgets;
        size_t budget_count;
        struct contract_limits limits;
        struct contract_list detects; /* leak deadlock slow alloc_failure ... */
        struct contract_list cases;   /* file names in cases/, sorted */
        char sha256[65]; /* of everything that is read but candidates/: yaml, header, cases */
};

int contract_load(const char *directory, struct contract *ret_contract, struct text *why);
void contract_fini(struct contract *contract);

#endif
