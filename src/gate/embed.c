/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that there is one place where foreign data becomes part of a page, and so one place to
 * look at when somebody asks whether it can become markup.
 */
#include "gate/embed.h"
#include "base/file.h"

#include <errno.h>

/* '<' and '&' stand in JSON within strings only, where \u003c is the same. */
static void append_for_page(struct text *into, const char *json)
{
        for (const char *from = json; *from;) {
                size_t length = strcspn(from, "<>&");

                text_append_bytes(into, from, length);
                from += length;
                if (*from)
                        text_printf(into, "\\u%04x", (unsigned char)*from++);
        }
}

int embed_json(const char *page, const char *hole, const json_t *json, struct text *into)
{
        BASE_SCOPE(text_fini) struct text template = TEXT_INIT(embed_template_max);
        int failed = file_read(AT_FDCWD, page, &template);
        const char *at = failed ? NULL : strstr(text_view(&template), hole);
        char *dump;

        if (!at)
                return failed ? failed : -EBADMSG;
        dump = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
        if (!dump)
                return -ENOMEM;
        text_append_bytes(into, text_view(&template), (size_t)(at - text_view(&template)));
        append_for_page(into, dump);
        text_append(into, at + strlen(hole));
        free(dump);
        return into->error;
}
