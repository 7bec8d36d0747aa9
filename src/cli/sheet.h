/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sheet.h - a YAML file on standard output, word by word: rules and tests for Prometheus.
 *
 *         struct sheet sheet;
 *         int error = sheet_begin(&sheet, 15);
 *
 *         if (error)
 *                 return error;
 *         sheet_pair(&sheet, "name", "lru");
 *         return sheet_end(&sheet);
 *
 * The whole is a mapping, which sheet_begin() opens and sheet_end() closes.
 *
 * Units:     seconds. Ownership: nothing is kept. Threads: one.
 * Errors:    kept until sheet_end(), which has to be called once sheet_begin() returned 0.
 */
#ifndef CLI_SHEET_H
#define CLI_SHEET_H

#include "base/text.h"

#include <yaml.h>

struct sheet {
        yaml_emitter_t emitter;
        uint32_t scrape_s; /* the writer's: how often Prometheus looks */
        bool is_broken;
};

int sheet_begin(struct sheet *sheet, uint32_t scrape_s);
int sheet_end(struct sheet *sheet);

/* A word of ours: of a table, a number with its unit, an expression. */
void sheet_word(struct sheet *sheet, const char *word);
void sheet_pair(struct sheet *sheet, const char *name, const char *word);
void sheet_seconds(struct sheet *sheet, const char *name, uint32_t seconds);

/* A name in C, which may be `null` or `yes`. */
void sheet_name(struct sheet *sheet, const char *name, const char *foreign);

/* A text that holds foreign words, none of which shall be a number or a null. One that is empty
 * leaves its name out, too. */
void sheet_quoted(struct sheet *sheet, const struct text *text);
void sheet_text(struct sheet *sheet, const char *name, const struct text *text);

void sheet_begin_mapping(struct sheet *sheet);
void sheet_end_mapping(struct sheet *sheet);
void sheet_begin_list(struct sheet *sheet);
void sheet_end_list(struct sheet *sheet);

#endif
