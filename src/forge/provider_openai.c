/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that the rest links while the network part is being written. */
#include "forge/provider_kind.h"

static int open_openai(const struct model *model, void **ret_self, struct text *why)
{
        (void)model, (void)ret_self;
        text_append(why, "provider openai is not built yet; use exec");
        return PROVIDER_WRONG;
}

static void close_openai(void *self)
{
        (void)self;
}

static int ask(void *self, const struct provider_question *question, struct provider_answer *answer,
               struct text *why)
{
        (void)self, (void)question, (void)answer, (void)why;
        return PROVIDER_WRONG;
}

const struct provider_kind provider_openai = {
        .open = open_openai,
        .close = close_openai,
        .ask = ask,
        .render = provider_render_plain,
};
