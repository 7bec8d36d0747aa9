/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h - judges candidates against a contract: stages in order, cache, verdict, report.
 *
 *         struct gate_request request = { .contract = "modules/lru", .options = options, ... };
 *         enum error_exit code = gate_judge(&request);
 *
 * One line a stage goes to standard output, or with options.json to standard error, so that
 * standard output holds nothing but a verdict a line; progress to standard error if that is a
 * terminal; errors by say_error(). Files: REPORT/verdict.json, REPORT/index.html,
 * REPORT/evidence/SHA256.txt, written whole or not at all. SIGINT, SIGTERM and SIGHUP end it:
 * everything that runs is killed, nothing is left, and the process then dies of that signal, as the
 * shell expects.
 *
 * Ownership: the request is the caller's. Threads: one judge a process. Errors: the exit status:
 * ERROR_EXIT_YES every candidate was accepted (or, of a partial run, what was asked passed);
 * ERROR_EXIT_NO one was rejected; ERROR_EXIT_USAGE the contract is unsound or the request wrong;
 * ERROR_EXIT_UNKNOWN could not find out, which outweighs a rejection of another candidate.
 *
 * What stages leave in `measures`, which the page draws:
 *   bench    {"counter": "callgrind"|"perf", "cases": [{"case","axis","function","declared",
 *             "order","exponent","exponent_max","sizes":[],"instructions":[],"allocations":[],
 *             "live_bytes":[],"peak_bytes":[],"ns":[],"memory_order","memory_exponent"}]}
 *             instructions, allocations and ns per call; bytes at the end of the loop and its peak
 *   stress   {"cases": [{"case","threads","seconds","iterations","at_ms":[],"live_bytes":[],
 *             "descriptors":[],"thread_counts":[]}]}
 *   observe  {"rules": [{"probe","signal","op","limit","severity","meaning","synthetic","rang_in":
 *             []}], "cases": [{"case","kind","seconds","ticked_s","rang": [{"probe","signal",
 *             "at_s"}]}], "overhead_percent", "overhead_max_percent"}
 *   unit     {"builds": [{"name","cases","passed","seconds"}], "faults": [{"case","build",
 *             "allocations","injected"}]}
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "base/error.h"
#include "gate/stage.h"

struct gate_request {
        const char *contract;          /* a folder */
        const char *const *candidates; /* folders, or names below CONTRACT/candidates */
        size_t candidate_count;        /* 0: all of CONTRACT/candidates */
        struct gate_options options;
        const char *version; /* of Tocsin */
        const char *program; /* how it was called: the first word of commands that repeat */
};

enum error_exit gate_judge(const struct gate_request *request);

#endif
