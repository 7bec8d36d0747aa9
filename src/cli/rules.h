/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h - the ways in which `tocsin rules` prints a listing: one file each.
 *
 * Each prints to standard output, without flushing it, and returns 0 or a negative error.
 *
 * Ownership: nothing is kept. Threads: the main one. Limits: listing.h.
 */
#ifndef CLI_RULES_H
#define CLI_RULES_H

#include "cli/listing.h"

#include <jansson.h>

/* heading: the path, where there are several; else NULL. */
int rules_print_table(const struct listing *listing, const char *heading);

/* One file as JSON, NULL without memory; and the whole of them, in an array that is taken. */
json_t *rules_json(const struct listing *listing, const char *path, const struct text *problem);
int rules_print_json(json_t *files_take);

/* NULL stands for memory that could not be had, and makes NULL of whatever it is put into. */
void rules_put_json(json_t **array, json_t *item_take);

#endif
