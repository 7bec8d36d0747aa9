/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_kind.h - what one kind of provider implements, for provider.c.
 *
 * To add a kind: a file provider_NAME.c with such a table, a row in provider.c, a value of enum
 * models_provider with its word in models.c, and rows in tests/forge/provider_test.py.
 *
 * Units, errors, threads, limits: provider.h. Ownership: open() hands over what close() releases;
 * models and questions are borrowed. `why` begins empty and gets one sentence, of which provider.c
 * puts "tier NAME: " in front, and which it escapes. An answer may be longer than
 * provider_answer_bytes_max: it is cut there afterwards, once a key has been taken out of it.
 */
#ifndef FORGE_PROVIDER_KIND_H
#define FORGE_PROVIDER_KIND_H

#include "forge/provider.h"

struct provider_kind {
        int (*open)(const struct model *model, void **ret_self, struct text *why);
        void (*close)(void *self);
        int (*ask)(void *self, const struct provider_question *question,
                   struct provider_answer *answer, struct text *why);
        int (*render)(const struct model *model, const struct provider_question *question,
                      struct text *into);
};

extern const struct provider_kind provider_openai;
extern const struct provider_kind provider_exec;
extern const struct provider_kind provider_replay;

/* For kinds that read one text: system, an empty line, user. */
int provider_render_plain(const struct model *model, const struct provider_question *question,
                          struct text *into);

/* A name that somebody else gave: escaped, and cut between two characters. */
void provider_copy_name(const char *name, char ret_name[static provider_name_max + 1]);

#endif
