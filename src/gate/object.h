/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.h - symbols and sections of a relocatable object, read with libelf.
 *
 * Units: bytes. Ownership: the struct's until object_fini(). Errors: 0; -ENOEXEC: not a relocatable
 * object of this machine in good form; other -errno. Threads: one object, one thread.
 * Limits: object_symbols_max, object_sections_max; beyond them -ENOEXEC.
 */
#ifndef GATE_OBJECT_H
#define GATE_OBJECT_H

#include "base/base.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { object_symbols_max = 200000, object_sections_max = 4096 };

struct object_symbol {
        char *name;
        unsigned type;    /* STT_ */
        unsigned binding; /* STB_ */
        bool is_defined;
        bool is_hidden;
};

struct object_section {
        char *name;
        uint64_t size;
};

struct object {
        struct object_symbol *symbols; /* of binding global, weak or stranger; no locals */
        size_t symbol_count;
        bool has_local_ifunc;
        struct object_section *sections; /* without relocations */
        size_t section_count;
};

/* fd: a regular file, read from its start. */
int object_read(int fd, struct object *ret_object);
void object_fini(struct object *object);

#endif
