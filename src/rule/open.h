/* SPDX-License-Identifier: Apache-2.0 */
/* open.h - since when operations that have not ended are going on, by the clock of whoever sees
 * them: probes store no time.
 *
 * Units:     nanoseconds.
 * Ownership: open_new takes 4 KiB, open_free gives them back.
 * Limits:    OPEN_MAX at once. Of more, those that came last are followed, as if they were new,
 *            once others have ended. */
#ifndef RULE_OPEN_H
#define RULE_OPEN_H

#include <stdint.h>

enum { OPEN_MAX = 256 };

struct open {
        uint32_t count;
        struct open_one {
                uint64_t number; /* as rule_open() names it */
                uint64_t seen_ns;
        } one[OPEN_MAX]; /* by number, ascending */
};

struct open *open_new(void);
void open_free(struct open *open);

/* These go on, in ascending order, each once. */
void open_see(struct open *open, uint64_t t_ns, const uint64_t *numbers, uint32_t count);

/* When the oldest was first seen; t_ns if there is none. */
uint64_t open_oldest(const struct open *open, uint64_t t_ns);

#endif
