/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that a row is described once: its loop, its budget and its help. */
#include "row.h"

#include "base/base.h"
#include "bell.h"
#include "inside.h"
#include "kind.h"
#include "loop.h"
#include "peer.h"
#include "work.h"

#define LOOP(part_, name_, function, against_, ratio_max, growth_max, help_) \
        { .part = ROW_##part_,                                               \
          .name = (name_),                                                   \
          .library = "",                                                     \
          .loop = function,                                                  \
          .against = (against_),                                             \
          .ratio_max_permille = (ratio_max),                                 \
          .growth_max_permille = (growth_max),                               \
          .help = (help_) },
#define ONCE(name_, function, help_) \
        { .part = ROW_SELDOM,        \
          .name = (name_),           \
          .library = "",             \
          .once = function,          \
          .against = "",             \
          .help = (help_) },
#define PEER(library_, name_, function, against_, help_) \
        { .part = ROW_PEER,                              \
          .name = (name_),                               \
          .library = (library_),                         \
          .loop = function,                              \
          .against = (against_),                         \
          .help = (help_) },
#define INSIDE(name_, function, against_, added_max, growth_max, help_) \
        { .part = ROW_INSIDE,                                           \
          .name = (name_),                                              \
          .library = "inside",                                          \
          .loop = function,                                             \
          .against = (against_),                                        \
          .added_max_ps = (added_max),                                  \
          .growth_max_permille = (growth_max),                          \
          .help = (help_) },
#define WORK(kernel, probe, against_, help_) \
        { .part = ROW_WORK,                  \
          .name = #kernel "/" #probe,        \
          .library = "",                     \
          .loop = work_##kernel##_##probe,   \
          .against = (against_),             \
          .help = (help_) },

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
