/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - talks to a harness program in the sandbox: runs cases one by one, believes nothing.
 *
 *         struct session_plan plan = { .program = product->path, .build = BUILD_ASAN, ... };
 *         struct session *session = NULL;
 *         int outcome = session_open(sandbox, &plan, &session);
 *         struct session_case *cases; size_t count;
 *         outcome = session_list(session, &cases, &count);
 *         struct session_run run = { .name = "keeps_the_newest", .seed = seed };
 *         struct session_verdict verdict = SESSION_VERDICT_NULL;
 *         outcome = session_run(session, &run, &verdict);
 *         session_verdict_fini(&verdict);
 *         session_close(&session, &end);
 *
 * A harness that dies, hangs or talks nonsense ends the session: the case then running has failed
 * (SESSION_LOST), and a new session must be opened for the rest; session_run_all() does that.
 *
 * Ownership: as said. Threads: a session, one thread. Units: nanoseconds, bytes.
 * Errors:    0: the verdict is known. -errno: nobody knows; sandbox_why() says.
 * Limits:    wire.h; samples at session_sample_max, the rest thinned.
 */
#ifndef GATE_SESSION_H
#define GATE_SESSION_H

#include "gate/contract.h"
#include "gate/sandbox.h"
#include "gate/workshop.h"

#include "tocsin.h"

enum { session_sample_max = 4096, session_rang_max = 256 };

enum session_tool {
        SESSION_PLAIN,
        SESSION_VALGRIND,  /* memcheck, leaks and descriptors */
        SESSION_CALLGRIND, /* counts instructions of BENCH loops */
        SESSION_DIRTY,     /* glibc.malloc.perturb: the heap is never zero */
};

struct session_plan {
        const char *program; /* on the host */
        enum build_id build;
        enum session_tool tool;
        uint64_t memory_max_bytes;            /* 0: the sandbox's */
        const struct contract_limits *limits; /* NULL: the sandbox's */
        uint64_t wall_max_ns;                 /* of the whole session */
        bool watches_segments; /* rang, probes and moved are filled in, for every case */
        bool sees_inside;      /* so is seen, and budgets can ring; RELEASE, plain, watched only */
};

struct session_case {
        char name[48];
        char axis[48];
        char file[256];
        unsigned line;
        uint32_t kind; /* enum toc_case_kind_ of tocsin/case.h */
        uint64_t seconds;
        uint64_t sizes[16];
        size_t size_count;
};

/* What goes wrong around the candidate while it runs: src/case/fault.c. */
enum session_fault {
        SESSION_NO_FAULT,
        SESSION_LEAK,
        SESSION_DEADLOCK,
        SESSION_SLOW,
        SESSION_DESCRIPTOR,
};

/* What one case is to do. Zero: not asked for. */
struct session_run {
        const char *name;
        uint64_t seed;
        uint64_t fail_at; /* FAULT */
        bool is_sticky;
        uint64_t size;    /* BENCH */
        unsigned threads; /* STRESS */
        uint64_t run_ns, sample_ns;
        uint64_t wall_max_ns; /* 0: 10 s, 60 s under a tool */
        enum session_fault fault;
        uint64_t second_ns; /* a second of rule time passes each so often; 0: the case ticks */
};

enum session_state {
        SESSION_PASSED,
        SESSION_FAILED,  /* a check did not hold; message, file, line */
        SESSION_CRASHED, /* ended by a signal or a status, or a sanitizer: message says */
        SESSION_SILENT,  /* ended with status 0 and never said that it passed: an early exit */
        SESSION_LATE,    /* hangs */
        SESSION_LEFT,    /* passed, but left descriptors, threads or heap behind: message */
        SESSION_BROKEN,  /* the contract's invariant did not hold */
        SESSION_LOST,    /* the harness itself died, flooded, forged a line: message */
};

struct session_sample {
        uint64_t at_ns;
        uint64_t live_bytes, descriptors, threads, iterations;
};

/* A rule of the candidate in an ALARM or CALM. */
struct session_rang {
        struct toc_record record;
        struct toc_rule rule;
        uint64_t at_s; /* rule time when it first fired */
};

/* What Tocsin's own rules say of its inside (watch/insight.def): deadlock, lock_order, heap_damage.
 * Texts but `details` are ours. */
struct session_seen {
        struct toc_record record;
        char *details; /* for people: who, where */
};

struct session_verdict {
        enum session_state state;
        /* What ended it, where that is known: "leak" "address" "undefined" "race" "valgrind"
         * "signal" "status" "memory" "flood" "forged" "segment" "tool" (it could not look: nobody
         * knows) "heap" "descriptors" "threads" "processes"; "" else. */
        const char *kind;
        char message[1024]; /* escaped, for people */
        char file[256];
        unsigned line;
        struct text output;          /* of the harness while this case ran: sanitizer reports */
        uint64_t allocations, fired; /* of the candidate: in the case; of a BENCH: in its loop */
        uint64_t left_descriptors, left_threads, left_processes, left_bytes;
        uint64_t calls, instructions, loop_ns, peak_bytes, loop_live_bytes;
        bool has_instructions;
        struct session_sample *samples; /* STRESS */
        size_t sample_count;
        struct session_rang *rang; /* severities all; each rule once */
        size_t rang_count;
        struct session_seen *seen;
        size_t seen_count;
        /* Records of the segment, and whether their cell stood at anything but its first value
         * (0, or unset) when it was looked at: at each tick and at the end. A level that came back
         * to 0 by then has not been seen to move; an expectation's cell counts misses. */
        struct toc_record *probes;
        bool *moved;
        size_t probe_count;
        uint64_t ticked_s;
};

#define SESSION_OUTPUT_MAX ((size_t)256 << 10)
#define SESSION_VERDICT_NULL                                        \
        {                                                           \
                .kind = "", .output = TEXT_INIT(SESSION_OUTPUT_MAX) \
        }
void session_verdict_fini(struct session_verdict *verdict);

const char *session_state_name(enum session_state state); /* "passed", "crashed"... */

struct session;

int session_open(struct sandbox *sandbox, const struct session_plan *plan,
                 struct session **ret_session);
/* The array is the session's. SESSION_NO_CASES when the harness does not answer as it should. */
enum session_outcome { SESSION_NO_CASES = 1 };
int session_list(struct session *session, const struct session_case **ret_cases, size_t *ret_count);
int session_run(struct session *session, const struct session_run *run,
                struct session_verdict *ret_verdict);
/* True once nothing more can be run in it. */
bool session_is_over(const struct session *session);
/* Ends the harness. What was printed after the last case (leaks found at exit of a tool) is
 * appended to `output`, which may be NULL. */
void session_close(struct session **session, struct text *output);

/* A convenience for stages: opens what is needed, runs each (opening anew after a loss), calls
 * back in order. `each` returns 0 to go on, anything else to stop, and that is returned. */
typedef int session_each(void *context, const struct session_run *run,
                         const struct session_verdict *verdict);
int session_run_all(struct sandbox *sandbox, const struct session_plan *plan,
                    const struct session_run *runs, size_t run_count, session_each *each,
                    void *context);

#endif
