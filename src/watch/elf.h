/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf.h - the probes that a file carries, read without running it.
 *
 *         struct elf_records found = ELF_RECORDS_NULL;
 *         const char *why = NULL;
 *         int outcome = elf_read_records("./kvd", &found, &why);
 *
 *         if (!outcome && !found.count && !found.refused_count)
 *                 say_note("./kvd carries no probes");
 *         elf_records_fini(&found);
 *
 * Programs, shared libraries, objects and archives of objects, of any machine that is 64 bits wide
 * and little-endian: records are flat, and lie the same everywhere. Every section toc_records_1 is
 * read, for clang makes one a variable. Order says nothing: linkers and clang reorder, so what is
 * the same in all its bytes is found by sorting, and given once. Sites are named by what they say
 * (rule_site_name).
 *
 * The file is foreign. It is read through libelf, never mapped (a file that shrinks would kill us),
 * after its header was checked here: libelf believes a header that promises a billion sections.
 *
 * Ownership: the arrays are the struct's until elf_records_fini(). *ret_why is a constant sentence
 *            without a subject: "is not a regular file".
 * Errors:    0, also for a file without probes; -errno of open, read or memory; or
 *            ELF_UNREADABLE, and then *ret_why says why. On both nothing is returned.
 * Threads:   any, each with its own struct. Never waits: a FIFO or device is refused.
 * Limits:    below; sections and names of sections beyond them are refused.
 */
#ifndef WATCH_ELF_H
#define WATCH_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tocsin.h"

enum {
        elf_record_max = 65536,
        elf_section_max = 262144, /* of one object */
        elf_member_max = 65536,   /* of an archive */
        elf_names_bytes_max = 16 << 20,
};

enum elf_outcome {
        ELF_UNREADABLE = 1, /* nobody can say what probes it carries */
};

/* A record that rule_check() refused. */
struct elf_refused {
        size_t number;                                         /* in the file, from 1 */
        const char *why;                                       /* a constant sentence */
        char name[sizeof(((struct toc_record *)0)->name) + 1]; /* foreign bytes, ended by a NUL */
};

struct elf_records {
        struct toc_record *records; /* each passed rule_check() */
        size_t count;
        struct elf_refused *refused;
        size_t refused_count;
        bool awaits_link; /* objects for link-time optimisation: what they carry is not there yet */
};

#define ELF_RECORDS_NULL                \
        {                               \
                NULL, 0, NULL, 0, false \
        }

int elf_read_records(const char *path, struct elf_records *ret_records, const char **ret_why);
void elf_records_fini(struct elf_records *records);

#endif
