/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a module says once where its people read on, and no record but its own holds it:
 * sums of log lines have none at all. */
#include "rule/rule.h"
#include "rule/set.h"

#include <string.h>

const char *rule_runbook(const struct rule_set *set, const struct toc_record *record)
{
        if (record->runbook[0])
                return record->runbook;
        for (uint32_t i = 0; i < set->row_count; i++) {
                const struct toc_record *module = set->rows[i].record;

                if (module->kind == toc_kind_module && module->runbook[0] &&
                    strcmp(module->module, record->module) == 0)
                        return module->runbook;
        }
        return "";
}
