/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stock.h - what the jobs of a workshop are given, in folders of the sandbox, each no wider than
 * the job that sees it: who compiles the candidate sees neither cases nor case.h.
 *
 * They are copies, because the sandboxed uid may not be able to reach the originals.
 *
 * Ownership: the struct's until stock_fini(); the folders themselves go with the sandbox.
 * Errors:    0; -errno, with a sentence in `why` where the errno does not say enough.
 * Threads:   filled by one, then only read. Units and limits: as candidate.h and contract.h.
 */
#ifndef GATE_STOCK_H
#define GATE_STOCK_H

#include "gate/candidate.h"
#include "gate/sandbox.h"

enum { stock_file_bytes_max = 128 << 20 };

struct folder {
        int fd;
        struct text path;
};

struct stock {
        struct folder sources;      /* the candidate's files */
        struct folder header;       /* the contract's header alone */
        struct folder include;      /* tocsin.h */
        struct folder case_include; /* case.h */
        struct folder cases;        /* cases and glue */
        struct folder kit;          /* case.a and tocsin.a */
};

int folder_open(struct sandbox *sandbox, const char *stem, struct folder *folder);
void folder_close(struct folder *folder);

/* A copy that the sandboxed uid can read; 0700 for a program. */
int folder_copy(struct sandbox *sandbox, const struct folder *folder, const char *name, int from_fd,
                const char *from, mode_t mode);

int stock_fill(struct stock *stock, struct sandbox *sandbox, const struct contract *contract,
               const struct candidate *candidate, struct text *why);
void stock_fini(struct stock *stock);

#endif
