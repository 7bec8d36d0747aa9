/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge.h - drives models through the gate until a candidate is accepted, or says why not.
 *
 *         struct forge_request request = { .contract = "modules/lru", ... };
 *         int status = forge_run(&request);
 *
 * What people see goes to standard error; the accepted files' paths (or one JSON object, with
 * is_json) to standard output. Everything else is in the folder of the run (run.h).
 *
 * Ownership: the request is the caller's. Threads: one run a process. Errors: the exit status:
 * ERROR_EXIT_YES accepted; ERROR_EXIT_NO budget or ceiling; ERROR_EXIT_USAGE the request or the
 * contract is wrong; ERROR_EXIT_UNKNOWN an endpoint, the gate or the disk; 128 + n after signal n,
 * and the run can be resumed. Limits: those of the request.
 */
#ifndef FORGE_FORGE_H
#define FORGE_FORGE_H

#include "base/error.h"
#include "forge/state.h"

struct forge_request {
        const char *contract; /* a folder */
        const char *models;   /* a file; NULL: sought */
        const char *prompts;  /* a folder; NULL: those of tocsin */
        const char *output;   /* below which runs lie; NULL: tocsin-forge */
        const char *resume;   /* NULL: a new run; "last", a number, or a folder */
        bool shows_cases;
        bool has_seed;
        uint64_t seed;
        struct state_limits limits;
        bool has_calls, has_cost,
                has_seconds; /* given, not the defaults: they replace a run's own */
        bool is_json;
        const char *version;
};

int forge_run(const struct forge_request *request);

/* Sends nothing: the bytes that `stage` would send next, to standard output. */
int forge_print_prompt(const struct forge_request *request, enum prompt_stage stage);

/* Sends nothing, writes nothing: who would be asked what, and what it may cost. */
int forge_dry_run(const struct forge_request *request);

#endif
