/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h - stories as aligned text, for people at a terminal.
 *
 * Whatever comes from a ledger is escaped. A story is what story_json() made, or anything else;
 * what it lacks is shown as "-".
 *
 * Units:     as in story.h. Ownership: borrowed. Threads: any. Errors: the text's own.
 * Limits:    listing_columns_max.
 */
#ifndef FORGE_LISTING_H
#define FORGE_LISTING_H

#include "base/text.h"

#include <jansson.h>

enum { listing_columns_max = 12 };

/* stories: an array; each with "name", as a person may name the run. */
void listing_append_runs(const json_t *stories, bool has_colour, struct text *into);

void listing_append_run(const json_t *story, bool has_colour, struct text *into);

#endif
