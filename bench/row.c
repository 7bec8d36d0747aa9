/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that a row is described once: its loop, its budget and its help. */
#include "row.h"

#include "base/base.h"
#include "bell.h"
#include "kind.h"
#include "loop.h"
#include "work.h"

#define LOOP(part, name, function, against, ratio_max, growth_max, help) \
        { ROW_##part, (name), function, NULL, (against), (ratio_max), (growth_max), (help) },
#define ONCE(name, function, help) { ROW_SELDOM, (name), NULL, function, "", 0, 0, (help) },
#define WORK(kernel, probe, against, help) \
        { ROW_WORK, #kernel "/" #probe, work_##kernel##_##probe, NULL, (against), 0, 0, (help) },

const struct row row_table[] = {
#include "row.def"
#include "work.def"
};

const size_t row_count = BASE_COUNT(row_table);

const struct row *row_find(const char *name)
{
        for (size_t i = 0; i < row_count; i++)
                if (strcmp(row_table[i].name, name) == 0)
                        return &row_table[i];
        return NULL;
}
