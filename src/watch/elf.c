/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a probe's record stands in the file before anything runs. Archives are walked by
 * hand, since libelf says where a member lies only after it has parsed it, and each member is to be
 * checked before that.
 */
#include "watch/elf.h"
#include "base/base.h"
#include "base/error.h"
#include "rule/rule.h"

#include <ar.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS_PREFIX "toc_records_"
#define RECORDS_NAME   RECORDS_PREFIX "1"
#define DAMAGED        "is damaged or cut off"

static const char thin_magic[] = "!<thin>\n";
static const unsigned char bitcode_magic[] = { 'B', 'C', 0xc0, 0xde };

struct reader {
        int fd;
        Elf *archive; /* NULL: the file is an object itself */
        uint64_t bytes;
        size_t record_capacity;
        size_t refused_capacity;
        struct elf_records found;
        const char *why;
};

/* Where an object lies in the file. */
struct extent {
        uint64_t offset;
        uint64_t bytes;
};

static int refuse(struct reader *reader, const char *why)
{
        reader->why = why;
        return ELF_UNREADABLE;
}

static void close_fd(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* was only read */
}

static void end_elf(Elf **elf)
{
        (void)elf_end(*elf); /* counts references */
}

static int read_at(struct reader *reader, uint64_t offset, void *into, size_t bytes)
{
        char *at = into;

        while (bytes) {
                ssize_t got = pread(reader->fd, at, bytes, (off_t)offset);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return error_last();
                if (got == 0)
                        return refuse(reader, DAMAGED);
                at += got;
                offset += (size_t)got;
                bytes -= (size_t)got;
        }
        return 0;
}

/* ---- Records -------------------------------------------------------------- */

/* Makes room for one more. `array` is the address of a pointer to elements of that size. */
static int reserve(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
        size_t more = *capacity ? 2 * *capacity : 16;
        void *moved;

        if (count < *capacity)
                return 0;
        memcpy(&moved, array, sizeof(moved));
        moved = reallocarray(moved, more, element_bytes);
        if (!moved)
                return -ENOMEM;
        memcpy(array, &moved, sizeof(moved));
        *capacity = more;
        return 0;
}

static int take_record(struct reader *reader, const struct toc_record *record)
{
        struct elf_records *found = &reader->found;
        struct elf_refused *refused;
        const char *why = NULL;
        int error;

        if (!rule_check(record, &why)) {
                error = reserve(&found->records, found->count, &reader->record_capacity,
                                sizeof(*found->records));
                if (!error) {
                        found->records[found->count] = *record;
                        rule_site_name(&found->records[found->count++]);
                }
                return error;
        }
        error = reserve(&found->refused, found->refused_count, &reader->refused_capacity,
                        sizeof(*found->refused));
        if (error)
                return error;
        refused = &found->refused[found->refused_count++];
        refused->number = found->count + found->refused_count;
        refused->why = why;
        memcpy(refused->name, record->name, sizeof(record->name));
        refused->name[sizeof(record->name)] = '\0';
        return 0;
}

/* A section of records. */
static int take_section(struct reader *reader, Elf_Scn *section, const GElf_Shdr *header)
{
        size_t already = reader->found.count + reader->found.refused_count;
        uint64_t count = header->sh_size / sizeof(struct toc_record);
        Elf_Data *data;

        if (header->sh_type == SHT_NOBITS)
                return refuse(reader, "holds debug information only; give the program itself");
        if (header->sh_size % sizeof(struct toc_record))
                return refuse(reader,
                              "has a section " RECORDS_NAME " that is no whole number of records");
        if (count > elf_record_max - already)
                return refuse(reader, "carries more than 65536 probes");
        if (!count)
                return 0;
        data = elf_rawdata(section, NULL);
        if (!data || !data->d_buf || data->d_size != header->sh_size)
                return refuse(reader, DAMAGED);
        for (uint64_t i = 0; i < count; i++) {
                struct toc_record copy;
                int error;

                memcpy(&copy, (const char *)data->d_buf + i * sizeof(copy), sizeof(copy));
                error = take_record(reader, &copy);
                if (error)
                        return error;
        }
        return 0;
}

/* ---- Objects -------------------------------------------------------------- */

static int check_ident(struct reader *reader, const Elf64_Ehdr *header)
{
        if (header->e_ident[EI_CLASS] == ELFCLASS32 || header->e_ident[EI_DATA] == ELFDATA2MSB)
                return refuse(reader, "is for a machine of 32 bits or big-endian, where no probes "
                                      "can be");
        if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
            header->e_ident[EI_VERSION] != EV_CURRENT)
                return refuse(reader, DAMAGED);
        return 0;
}

/* That the table of sections is there and no larger than we like. */
static int check_header(struct reader *reader, const struct extent *place)
{
        Elf64_Ehdr header;
        Elf64_Shdr first;
        uint64_t count;
        int error;

        if (place->bytes < sizeof(header))
                return refuse(reader, DAMAGED);
        error = read_at(reader, place->offset, &header, sizeof(header));
        if (!error)
                error = check_ident(reader, &header);
        if (error)
                return error;
        if (!header.e_shoff)
                return refuse(reader, "has no section headers, so that nobody can say whether it "
                                      "carries probes");
        if (header.e_shentsize != sizeof(first) || header.e_shoff > place->bytes ||
            place->bytes - header.e_shoff < sizeof(first))
                return refuse(reader, DAMAGED);
        count = header.e_shnum;
        if (!count) { /* too many for the field: the first section tells */
                error = read_at(reader, place->offset + header.e_shoff, &first, sizeof(first));
                if (error)
                        return error;
                count = first.sh_size;
        }
        if (count > elf_section_max)
                return refuse(reader, "has more than 262144 sections");
        if ((place->bytes - header.e_shoff) / sizeof(first) < count)
                return refuse(reader, DAMAGED);
        return 0;
}

/* The texts that are names of sections, ended by a NUL. */
static int find_names(struct reader *reader, Elf *elf, Elf_Data **ret_names)
{
        GElf_Shdr header;
        Elf_Data *names;
        size_t index;

        if (elf_getshdrstrndx(elf, &index) || !gelf_getshdr(elf_getscn(elf, index), &header) ||
            header.sh_type != SHT_STRTAB)
                return refuse(reader, DAMAGED);
        if (header.sh_size > elf_names_bytes_max)
                return refuse(reader, "has names of sections longer than 16 MiB");
        names = elf_rawdata(elf_getscn(elf, index), NULL);
        if (!names || !names->d_buf || !names->d_size ||
            ((const char *)names->d_buf)[names->d_size - 1])
                return refuse(reader, DAMAGED);
        *ret_names = names;
        return 0;
}

static bool begins(const char *text, const char *with)
{
        return strncmp(text, with, strlen(with)) == 0;
}

static int read_section(struct reader *reader, Elf_Scn *section, const Elf_Data *names,
                        bool *has_lto, bool *has_content)
{
        GElf_Shdr header;
        const char *name;

        if (!gelf_getshdr(section, &header) || header.sh_name >= names->d_size)
                return refuse(reader, DAMAGED);
        name = (const char *)names->d_buf + header.sh_name;
        *has_lto |= begins(name, ".gnu.lto_");
        *has_content |= header.sh_flags & SHF_ALLOC && header.sh_size &&
                        (header.sh_type == SHT_PROGBITS || header.sh_type == SHT_NOBITS);
        if (strcmp(name, RECORDS_NAME) == 0)
                return take_section(reader, section, &header);
        if (begins(name, RECORDS_PREFIX))
                return refuse(reader, "carries probes of another version of Tocsin");
        return 0;
}

static int read_sections(struct reader *reader, Elf *elf)
{
        Elf_Data *names = NULL;
        Elf_Scn *section = NULL;
        bool has_lto = false;
        bool has_content = false; /* as have objects that can be linked either way */
        size_t count = 0;
        int error;

        if (elf_kind(elf) != ELF_K_ELF || elf_getshdrnum(elf, &count))
                return refuse(reader, DAMAGED);
        error = find_names(reader, elf, &names);
        while (!error && (section = elf_nextscn(elf, section))) {
                error = read_section(reader, section, names, &has_lto, &has_content);
                count--;
        }
        if (!error && count != 1) /* all but the first, which is none */
                error = refuse(reader, DAMAGED);
        reader->found.awaits_link |= has_lto && !has_content;
        return error;
}

/* What begins there, if it is an object; other things have no probes. `header_offset` is where the
 * archive, if it is one, has its header for it. */
static int read_object(struct reader *reader, const struct extent *place, uint64_t header_offset)
{
        Elf *elf BASE_SCOPE(end_elf) = NULL;
        unsigned char magic[SELFMAG];
        int error;

        if (place->bytes < sizeof(magic))
                return 0;
        error = read_at(reader, place->offset, magic, sizeof(magic));
        if (error)
                return error;
        if (memcmp(magic, bitcode_magic, sizeof(magic)) == 0) {
                reader->found.awaits_link = true;
                return 0;
        }
        if (memcmp(magic, ELFMAG, sizeof(magic)) != 0)
                return 0;
        error = check_header(reader, place);
        if (error)
                return error;
        if (reader->archive && elf_rand(reader->archive, header_offset) != header_offset)
                return refuse(reader, DAMAGED);
        elf = elf_begin(reader->fd, ELF_C_READ, reader->archive);
        return elf ? read_sections(reader, elf) : refuse(reader, DAMAGED);
}

/* ---- Archives ------------------------------------------------------------- */

/* A number in decimal digits, then spaces. */
static int parse_size(struct reader *reader, const char *field, size_t field_bytes,
                      uint64_t *ret_bytes)
{
        uint64_t bytes = 0;
        size_t i = 0;

        for (; i < field_bytes && field[i] >= '0' && field[i] <= '9'; i++)
                bytes = bytes * 10 + (uint64_t)(field[i] - '0'); /* ten digits fit */
        if (!i)
                return refuse(reader, DAMAGED);
        for (; i < field_bytes; i++)
                if (field[i] != ' ')
                        return refuse(reader, DAMAGED);
        *ret_bytes = bytes;
        return 0;
}

static int read_member(struct reader *reader, uint64_t header_offset, uint64_t *ret_next)
{
        struct extent place = { .offset = header_offset + sizeof(struct ar_hdr) };
        struct ar_hdr header;
        int error = read_at(reader, header_offset, &header, sizeof(header));

        if (!error && memcmp(header.ar_fmag, ARFMAG, sizeof(header.ar_fmag)) != 0)
                error = refuse(reader, DAMAGED);
        if (!error)
                error = parse_size(reader, header.ar_size, sizeof(header.ar_size), &place.bytes);
        if (error)
                return error;
        if (place.bytes > reader->bytes - place.offset)
                return refuse(reader, DAMAGED);
        *ret_next = place.offset + place.bytes + place.bytes % 2;
        return read_object(reader, &place, header_offset);
}

static int read_archive(struct reader *reader)
{
        uint64_t offset = SARMAG;
        uint64_t count = 0;

        reader->archive = elf_begin(reader->fd, ELF_C_READ, NULL);
        if (elf_kind(reader->archive) != ELF_K_AR)
                return refuse(reader, DAMAGED);
        while (offset < reader->bytes) {
                int error = count++ < elf_member_max
                                    ? read_member(reader, offset, &offset)
                                    : refuse(reader, "has more than 65536 members");

                if (error)
                        return error;
        }
        return 0;
}

/* ---- Files ---------------------------------------------------------------- */

static int read_file(struct reader *reader)
{
        const struct extent all = { .offset = 0, .bytes = reader->bytes };
        char magic[SARMAG] = "";
        int error;

        if (!all.bytes)
                return refuse(reader, "is empty");
        error = read_at(reader, 0, magic, all.bytes < SARMAG ? all.bytes : SARMAG);
        if (error)
                return error;
        if (memcmp(magic, thin_magic, SARMAG) == 0)
                return refuse(reader, "is a thin archive; give the objects it points to");
        if (memcmp(magic, ARMAG, SARMAG) == 0)
                return read_archive(reader);
        if (memcmp(magic, ELFMAG, SELFMAG) == 0 ||
            memcmp(magic, bitcode_magic, sizeof(bitcode_magic)) == 0)
                return read_object(reader, &all, 0);
        return refuse(reader, "is neither an ELF file nor an archive of them");
}

static int open_file(struct reader *reader, const char *path)
{
        struct stat status;

        reader->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (reader->fd < 0 || fstat(reader->fd, &status))
                return error_last();
        if (S_ISDIR(status.st_mode))
                return -EISDIR;
        if (!S_ISREG(status.st_mode))
                return refuse(reader, "is not a regular file");
        reader->bytes = (uint64_t)status.st_size;
        (void)elf_version(EV_CURRENT); /* cannot fail: the version that we were compiled with */
        return 0;
}

static void close_reader(struct reader *reader)
{
        end_elf(&reader->archive);
        close_fd(&reader->fd);
        elf_records_fini(&reader->found);
}

static int compare_records(const void *left, const void *right)
{
        return memcmp(left, right, sizeof(struct toc_record));
}

/* g++ emits a record for each instance of a template or inline function that has a site. */
static void drop_copies(struct elf_records *found)
{
        size_t kept = 0;

        if (!found->count)
                return;
        qsort(found->records, found->count, sizeof(*found->records), compare_records);
        for (size_t i = 1; i < found->count; i++)
                if (compare_records(&found->records[i], &found->records[kept]) != 0)
                        found->records[++kept] = found->records[i];
        found->count = kept + 1;
}

int elf_read_records(const char *path, struct elf_records *ret_records, const char **ret_why)
{
        struct reader reader BASE_SCOPE(close_reader) = { .fd = -1, .found = ELF_RECORDS_NULL };
        int outcome = open_file(&reader, path);

        if (!outcome)
                outcome = read_file(&reader);
        if (outcome == ELF_UNREADABLE)
                *ret_why = reader.why;
        if (outcome)
                return outcome;
        drop_copies(&reader.found);
        *ret_records = reader.found;
        reader.found = (struct elf_records)ELF_RECORDS_NULL;
        return 0;
}

void elf_records_fini(struct elf_records *records)
{
        free(records->records);
        free(records->refused);
        *records = (struct elf_records)ELF_RECORDS_NULL;
}
