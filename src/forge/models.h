/* SPDX-License-Identifier: Apache-2.0 */
/*
 * models.h - models.yaml: which models there are, the cheapest first, and what they cost.
 *
 *     tocsin: 1
 *     tiers:
 *       - name: small
 *         provider: openai
 *         url: https://api.example.com/v1
 *         model: coder-32b
 *         key_env: EXAMPLE_API_KEY
 *         price: {input: 0.15, output: 0.60}
 *       - name: local
 *         provider: exec
 *         command: /usr/local/bin/ask --quiet
 *         price: free
 *
 * A command is run in an empty folder: it is named by its whole path, or sought in PATH.
 *
 * A key never stands in the file: only the name of the variable that holds it, or a command that
 * prints it. No price, no call: a tier without one is refused.
 *
 * Units:     as named. Ownership: the struct's until models_fini(). Threads: only read once loaded.
 * Errors:    0; -errno; MODELS_WRONG with whole lines "FILE:LINE: what; remedy" in `why`.
 * Limits:    models_tiers_max tiers, models_bytes_max bytes of file.
 */
#ifndef FORGE_MODELS_H
#define FORGE_MODELS_H

#include "forge/money.h"
#include "gate/contract.h"

enum { models_tiers_max = 8, models_bytes_max = 64 << 10, models_token_bytes = 4 };
enum models_outcome { MODELS_WRONG = 1 };
enum models_provider { MODELS_OPENAI, MODELS_EXEC, MODELS_REPLAY };
enum models_match { MODELS_MATCH_PROMPT, MODELS_MATCH_ORDER };

struct model {
        char *name; /* of the tier, for people */
        enum models_provider provider;
        char *url;     /* openai: without /chat/completions */
        char *model;   /* as the server calls it; exec: what it is told as TOCSIN_MODEL; or NULL */
        char *key_env; /* NULL: none */
        char *key_command;                /* NULL: none */
        char *command;                    /* exec: for /bin/sh -c */
        struct contract_list environment; /* exec: NAME (passed on) or NAME=VALUE */
        char *recording;                  /* replay: the folder of a run */
        enum models_match match;          /* replay */
        bool has_price;
        struct money_price price;
        uint64_t output_tokens_max; /* of one answer; 16384 */
        uint64_t context_tokens;    /* what it can hold of prompt and answer together, at about
                                    models_token_bytes a token: more is not sent; 0: not known */
        bool has_temperature;
        uint64_t temperature_permille; /* of fresh candidates; all else takes a quarter of it */
        bool has_seed;                 /* send one; true unless "seed: none" */
        uint64_t calls_max;            /* of this tier in a run; 12 */
        uint64_t silence_ns;           /* openai: without a byte of an answer; 120 s */
        unsigned line;
};

struct models {
        struct model tiers[models_tiers_max];
        size_t count;
};

int models_load(const char *path, struct models *ret_models, struct text *why);
void models_fini(struct models *models);

const char *models_provider_name(enum models_provider provider);

#endif
