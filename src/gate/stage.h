/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h - what a stage is given and what it answers. One file a stage, one row in stages.def.
 *
 *         int stage_build(struct stage_context *context, struct stage_result *result)
 *         {
 *                 ...
 *                 struct finding *finding = finding_add(result, "build.warning", "%s", text);
 *
 *                 finding_at(finding, "lru.c", 12);
 *                 finding_evidence(finding, output, length);
 *                 finding->build = "gcc-O3";
 *                 return 0;
 *         }
 *
 * A stage passes when it returns 0, added no finding, and did not say stage_unknown(). A return
 * below 0 makes it unknown with sandbox_why() or the name of the errno. A stage never prints.
 *
 * Ownership: findings belong to the result; finding_add returns NULL without memory, and every
 *            finding_x() takes that. measures is a jansson object, the result's.
 * Threads:   finding_add, stage_unknown, stage_progress may be called by a stage's own threads.
 * Limits:    finding_max findings a stage; more are counted in findings_dropped.
 */
#ifndef GATE_STAGE_H
#define GATE_STAGE_H

#include "gate/candidate.h"
#include "gate/contract.h"
#include "gate/sandbox.h"
#include "gate/session.h"
#include "gate/workshop.h"

#include <jansson.h>
#include <pthread.h>

enum { finding_max = 200, finding_evidence_max = 256 << 10 };

enum stage_verdict { STAGE_PASS, STAGE_FAIL, STAGE_SKIP, STAGE_UNKNOWN };

const char *stage_verdict_name(enum stage_verdict verdict); /* pass, fail, skip, unknown */

struct finding {
        const char *rule; /* "unit.leak": constant; doc/gate.md explains each */
        char *message;    /* one line for people, escaped */
        char *file;       /* of the candidate or contract; NULL */
        unsigned line;    /* 0: none */
        char *evidence;   /* bytes of the evidence file; NULL: none */
        size_t evidence_length;
        char *test_case;   /* for the repeat command; NULL */
        char *other_cases; /* with the same trouble, joined by ", "; NULL */
        const char *build; /* name of a build or tool; constant; NULL */
        uint64_t fail_at;  /* which allocation; 0: none */
        bool is_sticky;    /* and from then on */
};

struct stage_result {
        enum stage_verdict verdict; /* set by the runner */
        double seconds;
        bool was_cached;
        struct finding *findings;
        size_t finding_count;
        size_t findings_dropped;
        json_t *measures;
        struct text why; /* of unknown and skip: a sentence */
        bool is_unknown;
        bool is_unsound; /* stage contract: the question is wrong, exit 2 */
        json_t *kept;    /* of the cache: holds the constants of findings that it brought back */
        pthread_mutex_t lock;
};

/* What the person asked for. */
struct gate_options {
        const char *stage;     /* only this one; NULL */
        const char *until;     /* up to this one; NULL */
        const char *test_case; /* only this case; NULL */
        const char *build;     /* only this build or tool; NULL */
        uint64_t fail_at;      /* only this failure; 0 */
        bool is_sticky;
        bool is_quick; /* 10 s in all: fewer builds, sizes, failures; no verdict */
        bool has_seed;
        uint64_t seed;
        unsigned jobs; /* at least 1 */
        bool no_cache;
        bool needs_sandbox;
        bool json;
        const char *report; /* folder; NULL: the default */
};

struct stage_context {
        const struct contract *contract;
        const struct candidate *candidate;
        struct workshop *workshop; /* of the candidate */
        struct sandbox *sandbox;
        const struct gate_options *options;
        uint64_t seed;                    /* of every case */
        const struct session_case *cases; /* of the contract, known after stage contract; else 0 */
        size_t case_count;
        void (*progress)(void *context, const char *text); /* one short line, replaced */
        void *progress_context;
};

typedef int stage_run(struct stage_context *context, struct stage_result *result);

enum { STAGE_MEASURES = 1 };

struct stage {
        const char *name;
        const char *question;
        unsigned weight_permille;
        unsigned role;
        stage_run *run;
};

enum stage_id {
#define X(name, weight, role, question) STAGE_ID_##name,
#include "gate/stages.def"
#undef X
        STAGE_COUNT,
};
extern const struct stage stages[STAGE_COUNT]; /* in gate.c */

#define X(name, weight, role, question) stage_run stage_##name;
#include "gate/stages.def"
#undef X

void stage_result_init(struct stage_result *result);
void stage_result_fini(struct stage_result *result);

struct finding *finding_add(struct stage_result *result, const char *rule, const char *format, ...)
        BASE_PRINTF(3, 4);
void finding_at(struct finding *finding, const char *file, unsigned line);
void finding_evidence(struct finding *finding, const void *bytes, size_t length);
void finding_case(struct finding *finding, const char *test_case, const char *build);
void finding_other_cases(struct finding *finding, const char *names);

/* "Could not find out", with a sentence that names the remedy. The first one counts. */
void stage_unknown(struct stage_result *result, const char *format, ...) BASE_PRINTF(2, 3);
void stage_progress(struct stage_context *context, const char *format, ...) BASE_PRINTF(2, 3);

/* Whether the options ask for this case and build. */
bool stage_wants_case(const struct stage_context *context, const char *test_case);
bool stage_wants_build(const struct stage_context *context, const char *build);

/* Runs work(context, i) for i in 0..count-1 in options->jobs threads; the first error below 0 ends
 * it and is returned. */
int stage_in_parallel(struct stage_context *context, size_t count,
                      int (*work)(void *context, size_t i), void *work_context);

#endif
