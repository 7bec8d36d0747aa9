/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue.h - where runs live, and how a person names one: OUT/MODULE/N.
 *
 * N counts from 1; the next run gets the number above the highest, also if that folder holds no
 * run, so that no number ever means two runs.
 *
 * Units:     none. Ownership: a catalogue owns its texts until catalogue_fini(). Threads: any; two
 *            that make a run at once get two folders.
 * Errors:    0; -errno; CATALOGUE_NONE with one sentence in `why`.
 * Limits:    catalogue_runs_max runs are listed; numbers up to catalogue_number_max.
 */
#ifndef FORGE_CATALOGUE_H
#define FORGE_CATALOGUE_H

#include "base/text.h"

#define CATALOGUE_OUT "tocsin-forge" /* unless the person says another folder */

enum {
        catalogue_runs_max = 10000,
        catalogue_number_max = 999999999,
        catalogue_path_max = 4096,
};
enum catalogue_outcome { CATALOGUE_NONE = 1 };

struct catalogue_run {
        char *path; /* OUT/MODULE/N */
        char *module;
        uint64_t number;
        uint64_t changed_ns; /* wall time: when something was last added */
};

struct catalogue {
        struct catalogue_run *runs; /* by module, then by number */
        size_t count;
        size_t size;   /* allocated */
        bool has_more; /* than catalogue_runs_max */
};

/* Makes the folder of a new run and those above it, for us alone. -EINVAL: that is no name. */
int catalogue_make(const char *out, const char *module, struct text *path);

/*
 * The folder of the run that `word` means: "last", the highest number of the module, or without a
 * module the one that was changed last; a number, if the module is known; the path of a folder with
 * a ledger; MODULE/N.
 */
int catalogue_find(const char *out, const char *module, const char *word, struct text *path,
                   struct text *why);

/* All of them; none if there is no such folder. */
int catalogue_list(const char *out, struct catalogue *ret_catalogue);
void catalogue_fini(struct catalogue *catalogue);

#endif
