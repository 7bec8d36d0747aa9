/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change.h - what became of the rules between two listings, and whether they ring more or less.
 *
 *         struct changes changes BASE_SCOPE(changes_fini) = CHANGES_NULL;
 *         int error = changes_find(&changes, &old, &now);
 *
 * Probes are the same if module, kind, name and label are; the names of sites are those of
 * rule_site_name, so that a line more above changes nothing. Of two rules of a probe those belong
 * together that have most in common.
 *
 * Ownership: changes point into the listings, which must outlive them and are arranged and made
 * distinct. Errors: 0 or -ENOMEM. Threads: one. Limits: those of listings; change_field_max.
 */
#ifndef CLI_CHANGE_H
#define CLI_CHANGE_H

#include "cli/listing.h"

/* The worst first. */
enum change_what {
        CHANGE_REMOVED,
        CHANGE_LOOSENED, /* rings later, shorter or for fewer people */
        CHANGE_CHANGED,  /* both, or neither can be said */
        CHANGE_TIGHTENED,
        CHANGE_ADDED,
};

enum { change_field_max = 16, change_value_bytes = 80, change_slots = 2 };

struct change_field {
        const char *name;
        char old[change_value_bytes]; /* as it stands in a rule; foreign text */
        char now[change_value_bytes];
        enum change_what way; /* loosened, changed or tightened */
};

struct change {
        enum change_what what;
        const struct toc_record *old;    /* NULL: there was none */
        const struct toc_record *now;    /* NULL: there is none */
        const struct toc_record *beside; /* the probe where that rule is not, if it is there */
        size_t old_slot;                 /* change_slots: the probe itself, not one of its rules */
        size_t now_slot;
        unsigned severity; /* the worse of both; 0: nothing that rings */
        struct change_field *fields;
        size_t field_count;
};

struct changes {
        struct change *changes; /* the worst first, and there what wakes people */
        size_t count;
        size_t capacity;
        int error;
};

#define CHANGES_NULL          \
        {                     \
                NULL, 0, 0, 0 \
        }

void changes_fini(struct changes *changes);
int changes_find(struct changes *changes, const struct listing *old, const struct listing *now);

/* "loosened" */
const char *change_word(enum change_what what);

#endif
