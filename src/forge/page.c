/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a run can be read where it lies, also years later and without tocsin: the page
 * holds all that it shows.
 */
#include "forge/page.h"
#include "base/error.h"
#include "base/file.h"
#include "forge/story.h"
#include "gate/embed.h"
#include "gate/workshop.h"

#include <errno.h>

enum { missing_bytes_max = 16 << 10 };

int page_fill(const struct ledger *ledger, const char *template, struct text *into)
{
        json_t *story = story_json(ledger);
        int failed = story ? embed_json(template, "@STORY@", story, into) : -ENOMEM;

        json_decref(story);
        return failed;
}

int page_write(const struct ledger *ledger, struct text *why)
{
        BASE_SCOPE(text_fini) struct text missing = TEXT_INIT(missing_bytes_max);
        BASE_SCOPE(text_fini) struct text whole = TEXT_INIT(embed_page_max);
        const char *template = parts_find(&missing)->forge_page;
        int failed;

        if (!template) {
                text_append(why,
                            "cannot write the page: forge.html is missing; install tocsin whole");
                return -ENOENT;
        }
        failed = page_fill(ledger, template, &whole);
        if (!failed)
                failed = file_replace(ledger_folder_fd(ledger), "index.html", whole.bytes,
                                      whole.length, 0600);
        if (failed)
                text_printf(why, "cannot write the page '%s/index.html': %s", ledger_folder(ledger),
                            error_text(failed));
        return failed;
}
