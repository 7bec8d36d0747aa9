/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h - the probes of one or more files, in an order that tells people something: what
 * `tocsin rules` prints in so many ways and `tocsin diff` compares.
 *
 *         struct listing listing BASE_SCOPE(listing_fini) = LISTING_NULL;
 *         int status = listing_add(&listing, "./kvd", &problem);
 *
 *         if (!listing_arrange(&listing))
 *                 for (size_t i = 0; i < listing.row_count; i++) ...
 *
 * Rows are sorted by module; in it stand TOC_MODULE (listing_is_module), its budgets, its logs,
 * the rules that it has without saying so, and then its probes by file and line. What several files
 * have in common, byte for byte, is one row.
 *
 * Ownership: rows, and the records that they point at, are the listing's; paths are views.
 * Errors:    as said at each function. Threads: one. Limits: listing_record_max.
 */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include "base/text.h"
#include "watch/elf.h"

enum {
        listing_record_max = 1 << 18, /* of all files together */
        listing_line_bytes_max = 8192,
        listing_path_bytes_max = 4 * 4096,
        listing_alert_bytes = 112, /* names of module, probe and label, and numbers */
};

struct row {
        struct toc_record *record;
        bool is_default;                    /* nobody declared it */
        char (*alert)[listing_alert_bytes]; /* of both rules, after listing_name_alerts() */
};

struct listing {
        struct elf_records found; /* as they stand in the files */
        struct toc_record *defaults;
        size_t default_count;
        struct row *rows;
        size_t row_count;
        char (*alerts)[2][listing_alert_bytes];
};

#define LISTING_NULL                                      \
        {                                                 \
                .found = ELF_RECORDS_NULL, .row_count = 0 \
        }

void listing_fini(struct listing *listing);

/* Adds what one file carries. What is wrong with the file is said on standard error, and its
 * sentence put into `problem`. The exit status that the file deserves. */
int listing_add(struct listing *listing, const char *path, struct text *problem);

/* Makes the rows, once all files are there. 0 or -ENOMEM. */
int listing_arrange(struct listing *listing);

/* Sites of a module may say the same. Here the second becomes NAME_2, the third NAME_3, in order of
 * file and line: for what needs names to be different. 0 or -ENOMEM. */
int listing_make_distinct(struct listing *listing);

/* After that: MODULE_PROBE[_LABEL], and _2 for the second rule of a probe whose first rings, too.
 * No two are the same. 0 or -ENOMEM. */
int listing_name_alerts(struct listing *listing);

/* How many rows from there on are of the same module. */
size_t listing_module_rows(const struct listing *listing, size_t from);

/* TOC_MODULE itself; a budget, which is of the same kind, has a severity. */
bool listing_is_module(const struct toc_record *record);

/* Where more is written: of the probe, else of its module, whose first row is given; or "". */
const char *listing_runbook(const struct row *row, const struct row *first);

/* What a miss of an expectation does to the program: "stops", "may stop", or NULL. */
const char *listing_stop(const struct toc_record *record);

/* "requests{failed}"; rule_check saw to it that these are names in C. */
void listing_append_name(struct text *into, const struct toc_record *record);
void listing_append_escaped(struct text *into, const char *foreign);

#endif
