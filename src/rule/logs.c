/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a module that reports errors and says no more than TOC_USUAL still rings. */
#include "rule/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int rule_default_logs(enum toc_kind kind, const char *module, struct toc_record *ret_record)
{
        bool of_errors = kind == toc_kind_error;
        struct toc_record record = {
                .version = 1,
                .kind = toc_kind_logs,
                .rule[0] = {
                        .signal = toc_signal_per_minute,
                        .op = TOC_ABOVE_,
                        .limit = of_errors ? 0 : 10,
                        .clear_at = TOC_NO_CLEAR_LEVEL_,
                        .severity = of_errors ? TOC_WARN : TOC_NOTE,
                },
        };
        const char *ignored;

        if ((!of_errors && kind != toc_kind_warning) || strlen(module) >= sizeof(record.module))
                return -EINVAL;
        /* All of these fit; the first was checked. */
        (void)snprintf(record.module, sizeof(record.module), "%s", module);
        (void)snprintf(record.name, sizeof(record.name), "log_%ss", rule_kind_name(kind));
        (void)snprintf(record.help, sizeof(record.help), "%s of all sites that say TOC_USUAL",
                       of_errors ? "Errors" : "Warnings");
        (void)snprintf(record.rule[0].meaning, sizeof(record.rule[0].meaning), "%s",
                       of_errors ? "the module reports errors"
                                 : "the module reports many warnings");
        if (rule_check(&record, &ignored))
                return -EINVAL; /* the module's name is not one */
        *ret_record = record;
        return 0;
}
