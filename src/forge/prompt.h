/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prompt.h - the two texts that are sent: made of files alone, the same bytes for the same state.
 *
 *     system   prompts/system.md
 *     user     prompts/contract.md | prompts/STAGE.md
 *
 * All that stands left of the bar is the same, byte by byte, in every call of a contract, so that
 * servers can keep it in their caches; what changes (files, findings, the instruction) comes last.
 * There is no history: each prompt is complete.
 *
 * What a model gets to see of the contract: the header, what may be included and called, budgets,
 * and how to write probes (doc/instrumenting.md); the cases only if `shows_cases`. Of a failure:
 * the packet (packet.h).
 *
 * Units:     bytes. Ownership: a kit owns what it read until prompt_kit_fini(); a prompt its texts.
 * Errors:    0; -errno; PROMPT_WRONG: a template is missing or wrong, with a line in `why`.
 * Threads:   a kit is only read once loaded. Limits: prompt_bytes_max for each of the two texts.
 */
#ifndef FORGE_PROMPT_H
#define FORGE_PROMPT_H

#include "gate/candidate.h"

enum { prompt_bytes_max = 1 << 20 };
enum prompt_outcome { PROMPT_WRONG = 1 };
enum prompt_stage { PROMPT_WRITE, PROMPT_DIAGNOSE, PROMPT_REPAIR, PROMPT_STAGE_COUNT };

const char *prompt_stage_name(enum prompt_stage stage); /* write, diagnose, repair */

struct prompt_options {
        const char *folder; /* of templates; NULL: those that came with tocsin */
        bool shows_cases;
};

struct prompt_kit; /* templates, and all that is the same in every prompt */

int prompt_kit_load(const struct contract *contract, const struct prompt_options *options,
                    struct prompt_kit **ret_kit, struct text *why);
void prompt_kit_free(struct prompt_kit **kit);
/* Of templates and values left of the bar: a run goes on only with what it began with. */
const char *prompt_kit_sha256(const struct prompt_kit *kit);

struct prompt_parts {
        const struct candidate *candidate; /* diagnose, repair */
        const char *packet;                /* likewise */
        const char *diagnosis;             /* repair; NULL: none was made */
        const char *earlier; /* write: lines, what earlier attempts failed on; NULL: none */
};

struct prompt {
        struct text system;
        struct text user;
        size_t stable_length; /* of user: up to the bar */
};

int prompt_make(const struct prompt_kit *kit, enum prompt_stage stage,
                const struct prompt_parts *parts, struct prompt *ret_prompt, struct text *why);
void prompt_fini(struct prompt *prompt);

#endif
