/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidate.h - takes exactly the files that the contract names, copied and hashed.
 *
 * A candidate is a folder that anyone filled. Each file is opened below the folder without
 * following a link (openat2 RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS), must be regular, is bounded, must
 * be text (UTF-8, no NUL). What the judge sees afterwards is the copy in memory, nothing else.
 *
 * Units:     bytes. Ownership: the struct's until candidate_fini().
 * Errors:    0, also when the intake found faults: those are findings of stage interface, in
 *            `faults`, and the candidate is then rejected without being compiled.
 *            -errno when the folder itself cannot be read (a wrong request, or cannot know).
 * Threads:   only read once taken in.
 * Limits:    candidate_file_bytes_max a file, contract_list_max files.
 */
#ifndef GATE_CANDIDATE_H
#define GATE_CANDIDATE_H

#include "gate/contract.h"

enum { candidate_file_bytes_max = 4 << 20 };

struct candidate_file {
        char *name;
        char *bytes; /* ended by a NUL that is not counted */
        size_t length;
        char sha256[65];
};

/* Something wrong with what was handed in. rule: interface.missing-file, .extra-file, .linked-file,
 * .not-a-file, .too-large, .not-text. */
struct candidate_fault {
        const char *rule;
        char *file;
        char *message;
};

struct candidate {
        char *name; /* last part of the path */
        char *path; /* as given: what a repeat command names */
        struct candidate_file *files;
        size_t file_count;
        struct candidate_fault *faults;
        size_t fault_count;
        char sha256[65]; /* of names, bytes and faults, in order */
};

int candidate_load(const struct contract *contract, const char *path,
                   struct candidate *ret_candidate);

/* From bytes that we made ourselves (the stub). */
int candidate_make(const char *name, const char *const *names, const struct text *const *bytes,
                   size_t count, struct candidate *ret_candidate);
void candidate_fini(struct candidate *candidate);

#endif
