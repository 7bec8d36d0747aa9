/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workshop.h - compiles a candidate, and links it with the contract's cases, in the sandbox.
 *
 * Three separate jobs, each in a sandbox of its own: the candidate's files alone (it never sees a
 * case), the contract's cases and generated glue alone, the link. Each is done once for each build
 * and remembered. The candidate's object is joined by `ld -r` with --wrap of the allocator, so that
 * only its own calls pass through the harness's faults and counters, in every build.
 *
 * Ownership: products belong to the workshop until workshop_free(). Threads: any number; two that
 * want the same product wait for one. Units: seconds as measured, wall.
 * Errors:    0; -errno: nobody knows (sandbox_why says); WORKSHOP_REJECTED: the candidate's code
 *            was refused by compiler or linker, product->output says how; WORKSHOP_UNSOUND: the
 *            contract's own code was.
 * Limits:    wall and memory per job in workshop.c; output at workshop_output_max, then cut.
 */
#ifndef GATE_WORKSHOP_H
#define GATE_WORKSHOP_H

#include "gate/candidate.h"
#include "gate/sandbox.h"

enum build_role {
        BUILD_JUDGED = 1,
        BUILD_RUN = 2,
        BUILD_IF_THREADS = 4,
};

enum build_id {
#define X(id, compiler, name, flags, roles) BUILD_##id,
#include "gate/builds.def"
#undef X
        BUILD_COUNT,
};

struct build {
        const char *name;
        const char *compiler; /* "gcc" or "clang", sought in PATH inside */
        const char *flags;    /* words parted by single spaces */
        unsigned roles;
};

extern const struct build builds[BUILD_COUNT];

enum { workshop_output_max = 1 << 20 };

enum workshop_outcome { WORKSHOP_REJECTED = 1, WORKSHOP_UNSOUND };

struct workshop_product {
        const char *path;   /* on the host; NULL unless made */
        const char *output; /* what compilers said, warnings of a success too; ended by a NUL */
        size_t output_length;
        bool was_late;    /* the compiler did not end in time */
        bool was_flooded; /* more output than we keep */
        double seconds;
};

struct workshop;

/* contract and candidate must outlive it. */
int workshop_new(struct sandbox *sandbox, const struct contract *contract,
                 const struct candidate *candidate, struct workshop **ret_workshop);
void workshop_free(struct workshop **workshop);

/* The candidate's files as one relocatable object, not yet wrapped. Warnings are errors only for
 * stage build: here they stand in output. */
int workshop_object(struct workshop *workshop, enum build_id build,
                    const struct workshop_product **ret_product);

/* Linked with cases and harness, ready for session_open(). */
int workshop_program(struct workshop *workshop, enum build_id build,
                     const struct workshop_product **ret_product);

/* Folder on the host that holds the candidate's files (read-only for jobs); for tocsin-lens. */
const char *workshop_sources(const struct workshop *workshop);

/* The same for the contract's header alone, and for tocsin.h. */
const char *workshop_header(const struct workshop *workshop);
const char *workshop_include(const struct workshop *workshop);

/* The sentence to the last -errno of this thread; the same as sandbox_why(). */
const char *workshop_why(void);

/* Where the parts of Tocsin lie that the gate needs: build tree or installation (parts.c).
 * include: holds tocsin.h; NULL when not found, and then why names what is missing, unless it is
 * forge_page, which the gate does not need. */
struct parts {
        const char *include;
        const char *case_library;
        const char *library; /* libtocsin.a */
        const char *inside;  /* libtocsin-inside.so */
        const char *lens;    /* the program tocsin-lens */
        const char *page;    /* report.html */
        /* What only the forge needs, which says itself that it is missing: */
        const char *prompts;       /* a folder of templates */
        const char *instrumenting; /* a page for them */
        const char *forge_page;    /* forge.html */
};
const struct parts *parts_find(struct text *why);

#endif
