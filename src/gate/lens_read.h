/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lens_read.h - runs tocsin-lens in the sandbox and checks the form of what it answers.
 *
 *         struct lens lens = LENS_NULL;
 *         int outcome = lens_tokens(sandbox, folder, names, count, "c11", &lens, &why);
 *         ...
 *         lens_fini(&lens);
 *
 * Units:     lines count from 1. Ownership: everything is a view into `root` until lens_fini().
 * Errors:    0; -errno with a sentence in `why`: could not find out; LENS_REFUSED with a sentence:
 *            the files made libclang fail, run for ever, or answer more than we read.
 * Threads:   only read once filled. Limits: lens_answer_bytes_max, and those of view.h.
 */
#ifndef GATE_LENS_READ_H
#define GATE_LENS_READ_H

#include "gate/contract.h"
#include "gate/sandbox.h"

#include <jansson.h>

enum { lens_answer_bytes_max = 32 << 20, lens_name_max = 255 };
enum lens_outcome { LENS_REFUSED = 1 };

enum lens_kind { LENS_WORD, LENS_LITERAL, LENS_MARK };

struct lens_token {
        unsigned line;
        bool begins_line; /* of the preprocessor: after a newline that is not spliced away */
        bool is_spliced;  /* a backslash-newline stands inside */
        enum lens_kind kind;
        const char *text;
};

struct lens_file {
        const char *name;
        struct lens_token *tokens;
        size_t token_count;
};

/* Declared in the header itself, external, not defined there. */
struct lens_function {
        const char *name;
        const char *result; /* a type as C writes it */
        const char **parameters;
        size_t parameter_count;
        bool is_variadic;
        unsigned line;
};

struct lens_object {
        const char *name;
        const char *type;
        unsigned line;
};

struct lens {
        json_t *root;
        struct lens_file *files;
        size_t file_count;
        struct lens_function *functions;
        size_t function_count;
        struct lens_object *objects;
        size_t object_count;
};

#define LENS_NULL            \
        {                    \
                .root = NULL \
        }

/* folder: on the host, holds the names. */
int lens_tokens(struct sandbox *sandbox, const char *folder, const char *const *names, size_t count,
                const char *standard, struct lens *ret_lens, struct text *why);

/* Of the contract's header. */
int lens_declarations(struct sandbox *sandbox, const struct contract *contract,
                      struct lens *ret_lens, struct text *why);

/* NULL: none of that name. */
const struct lens_function *lens_function_of(const struct lens *lens, const char *name);
const struct lens_object *lens_object_of(const struct lens *lens, const char *name);

/* From an answer; what the two above use, for tests. -EPROTO: not of the form. */
int lens_parse(const char *bytes, size_t length, struct lens *ret_lens);
void lens_fini(struct lens *lens);

#endif
