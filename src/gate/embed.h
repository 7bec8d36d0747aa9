/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embed.h - a page that is a constant with one hole, into which data goes as JSON.
 *
 * Nothing in the data can end the element that it stands in: of '<', '>' and '&' none is left, nor
 * any byte beyond ASCII.
 *
 * Ownership: everything is the caller's. Threads: any. Errors: 0; -EBADMSG: the page has no such
 * hole; other -errno. Limits: embed_template_max bytes of page; what comes of it, those of `into`.
 */
#ifndef GATE_EMBED_H
#define GATE_EMBED_H

#include "base/text.h"

#include <jansson.h>

enum { embed_template_max = 4 << 20, embed_page_max = 64 << 20 };

/* page: the template's path. hole: "@VERDICT@"; the first of them is filled. */
int embed_json(const char *page, const char *hole, const json_t *json, struct text *into);

#endif
