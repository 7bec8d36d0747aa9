/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.h - text with names in it: @header@ becomes the header. No logic inside.
 *
 * A name is lower-case letters and _, between two @; @@ is one @. A name that is not in the table
 * is refused with its line, and so is an @ that begins nothing: a prompt that silently lacks what
 * it was to say is worse than none. What is put in is not looked at again.
 *
 * Ownership: the caller's. Threads: any. Errors: 0; the text's own; TEMPLATE_WRONG with
 * "FILE:LINE: what; remedy" in `why`. Limits: those of the texts; template_name_max.
 */
#ifndef FORGE_TEMPLATE_H
#define FORGE_TEMPLATE_H

#include "base/text.h"

enum { template_name_max = 31, template_bytes_max = 64 << 10 };
enum template_outcome { TEMPLATE_WRONG = 1 };

struct template_value {
        const char *name;
        const char *value; /* NULL: none here; using it is wrong */
};

/* file: as shown in messages. */
int template_fill(const char *file, const char *source, const struct template_value *values,
                  size_t count, struct text *into, struct text *why);

#endif
