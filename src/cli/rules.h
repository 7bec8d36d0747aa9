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

json_t *rules_json_of_rule(unsigned kind, const struct toc_rule *rule);

/* For exports names are distinct, and alerts have theirs: listing_make_distinct and _name_alerts.
 * scrape_s: how often Prometheus will look, 1 to PROMQL_SCRAPE_MAX_S. */
int rules_print_prometheus(const struct listing *listing, uint32_t scrape_s);

/* That they ring, for promtool. rules_file: how the file of rules_print_prometheus() is called. */
int rules_print_tests(const struct listing *listing, uint32_t scrape_s, const char *rules_file);

int rules_print_markdown(const struct listing *listing, uint32_t scrape_s);
int rules_print_grafana(const struct listing *listing, uint32_t scrape_s);

/* "per_minute > 1000 for 300 s", in the words of the source. */
void rules_append_rule(struct text *into, const struct toc_rule *rule);

/* What a rule compares and for how long, in words: "more than 1000 a minute, for 5 minutes". */
void rules_append_words(struct text *into, const struct toc_record *record, size_t slot);

/* Foreign text, so that it is text to Markdown, too. */
void rules_append_markdown(struct text *into, const char *foreign);

/* "5 minutes", in the largest unit that leaves no rest; n are seconds or milliseconds. */
void rules_append_duration(struct text *into, uint64_t n, bool is_ms);

/* NULL stands for memory that could not be had, and makes NULL of whatever it is put into. */
void rules_put_json(json_t **array, json_t *item_take);

#endif
