/* SPDX-License-Identifier: Apache-2.0 */
/* The object was made in the sandbox and is as hostile as its source: libelf's answers are copied,
 * counted and bounded. */
#include "gate/object.h"

#include <errno.h>
#include <gelf.h>

#if defined(__x86_64__)
enum { machine = EM_X86_64 };
#elif defined(__aarch64__)
enum { machine = EM_AARCH64 };
#else
enum { machine = EM_NONE };
#endif

static int add_section(struct object *object, const char *name, uint64_t size)
{
        struct object_section *section = &object->sections[object->section_count];

        section->name = strdup(name);
        section->size = size;
        if (!section->name)
                return -ENOMEM;
        object->section_count++;
        return 0;
}

static int add_symbol(struct object *object, const GElf_Sym *symbol, const char *name)
{
        struct object_symbol *copy = &object->symbols[object->symbol_count];

        *copy = (struct object_symbol){
                .name = strdup(name),
                .type = GELF_ST_TYPE(symbol->st_info),
                .binding = GELF_ST_BIND(symbol->st_info),
                .is_defined = symbol->st_shndx != SHN_UNDEF,
                .is_hidden = GELF_ST_VISIBILITY(symbol->st_other) == STV_HIDDEN ||
                             GELF_ST_VISIBILITY(symbol->st_other) == STV_INTERNAL,
        };
        if (!copy->name)
                return -ENOMEM;
        object->symbol_count++;
        return 0;
}

static int read_symbols(Elf *elf, Elf_Scn *scn, const GElf_Shdr *header, struct object *object)
{
        Elf_Data *data = elf_getdata(scn, NULL);
        size_t count = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;

        if (!data || !count || count > object_symbols_max || object->symbols)
                return -ENOEXEC;
        object->symbols = calloc(count, sizeof(*object->symbols));
        if (!object->symbols)
                return -ENOMEM;
        for (size_t i = 1; i < count; i++) {
                GElf_Sym symbol;
                const char *name;
                int outcome;

                if (!gelf_getsym(data, (int)i, &symbol))
                        return -ENOEXEC;
                if (GELF_ST_BIND(symbol.st_info) == STB_LOCAL) {
                        if (GELF_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC)
                                object->has_local_ifunc = true;
                        continue;
                }
                name = elf_strptr(elf, header->sh_link, symbol.st_name);
                if (!name)
                        return -ENOEXEC;
                outcome = add_symbol(object, &symbol, name);
                if (outcome)
                        return outcome;
        }
        return 0;
}

static int read_sections(Elf *elf, struct object *object)
{
        size_t names = 0;
        size_t count = 0;
        Elf_Scn *scn = NULL;

        if (elf_getshdrstrndx(elf, &names) || elf_getshdrnum(elf, &count) || !count ||
            count > object_sections_max)
                return -ENOEXEC;
        object->sections = calloc(count, sizeof(*object->sections));
        if (!object->sections)
                return -ENOMEM;
        while ((scn = elf_nextscn(elf, scn))) {
                GElf_Shdr header;
                const char *name;
                int outcome;

                if (!gelf_getshdr(scn, &header) || object->section_count == count)
                        return -ENOEXEC;
                name = elf_strptr(elf, names, header.sh_name);
                if (!name)
                        return -ENOEXEC;
                /* Relocations are named after what they relocate. */
                if (header.sh_type == SHT_RELA || header.sh_type == SHT_REL)
                        continue;
                outcome = add_section(object, name, header.sh_size);
                if (!outcome && header.sh_type == SHT_SYMTAB)
                        outcome = read_symbols(elf, scn, &header, object);
                if (outcome)
                        return outcome;
        }
        return object->symbols ? 0 : -ENOEXEC;
}

int object_read(int fd, struct object *ret_object)
{
        struct object object = { .symbols = NULL };
        GElf_Ehdr header;
        Elf *elf;
        int outcome = -ENOEXEC;

        if (elf_version(EV_CURRENT) == EV_NONE)
                return -EIO;
        elf = elf_begin(fd, ELF_C_READ, NULL);
        if (elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) &&
            header.e_type == ET_REL && header.e_machine == machine)
                outcome = read_sections(elf, &object);
        (void)elf_end(elf); /* a NULL is allowed */
        if (outcome)
                object_fini(&object);
        else
                *ret_object = object;
        return outcome;
}

void object_fini(struct object *object)
{
        for (size_t i = 0; i < object->symbol_count; i++)
                free(object->symbols[i].name);
        for (size_t i = 0; i < object->section_count; i++)
                free(object->sections[i].name);
        free(object->symbols);
        free(object->sections);
        *object = (struct object){ .symbols = NULL };
}
