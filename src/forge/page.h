/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - index.html in the folder of a run: its story (story.h), for people with a browser.
 *
 * Ownership: borrowed. Threads: one writer a run. Errors: 0; -errno with one sentence in `why`, and
 * the old page stands. Limits: embed_page_max.
 */
#ifndef FORGE_PAGE_H
#define FORGE_PAGE_H

#include "forge/ledger.h"

/* The template is the one that came with tocsin. */
int page_write(const struct ledger *ledger, struct text *why);

/* template: its path. */
int page_fill(const struct ledger *ledger, const char *template, struct text *into);

#endif
