/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a run can be read where it lies, also years later and without tocsin: the page
 * holds all that it shows.
 */
#include "forge/page.h"
#include "base/file.h"
#include "forge/story.h"
#include "gate/embed.h"

int page_write(const struct ledger *ledger, const char *page)
{
        BASE_SCOPE(text_fini) struct text whole = TEXT_INIT(embed_page_max);
        json_t *story = story_json(ledger);
        int failed = embed_json(page, "@STORY@", story, &whole);

        json_decref(story);
        if (failed)
                return failed;
        return file_replace(ledger_folder_fd(ledger), "index.html", whole.bytes, whole.length,
                            0600);
}
