/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - index.html in the folder of a run: its story (story.h), for people with a browser.
 *
 * Ownership: borrowed. Threads: one writer a run. Errors: 0; -errno, and the old page stands.
 * Limits: embed_page_max.
 */
#ifndef FORGE_PAGE_H
#define FORGE_PAGE_H

#include "forge/ledger.h"

/* page: the template, parts_find()->forge_page. */
int page_write(const struct ledger *ledger, const char *page);

#endif
