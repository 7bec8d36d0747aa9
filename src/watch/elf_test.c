/* SPDX-License-Identifier: Apache-2.0 */
/* Builds small ELF files and archives byte by byte, shows each limit and each kind of damage, and
 * then damages them at random: whatever is in a file, reading it ends with an answer. What linkers
 * really write is the matter of tests/rules. */
#include "watch/elf.h"
#include "base/text.h"

#include <ar.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { image_bytes_max = 64 << 20, section_max = 8, fuzz_rounds = 20000 };

static const char damaged[] = "is damaged or cut off";

/* ---- Building -------------------------------------------------------------- */

struct section {
        const char *name;
        uint32_t type;
        const void *bytes;
        size_t size;
};

static struct toc_record good_record(const char *name)
{
        struct toc_record record = {
                .version = 1,
                .kind = toc_kind_counter,
                .line = 7,
                .module = "lru",
                .help = "Entries pushed out",
                .file = "lru.c",
                .rule[0] = { .limit = 1000,
                             .clear_at = TOC_NO_CLEAR_LEVEL_,
                             .signal = toc_signal_per_minute,
                             .op = TOC_ABOVE_,
                             .severity = TOC_WARN,
                             .meaning = "working set outgrew the cache" },
        };

        (void)snprintf(record.name, sizeof(record.name), "%s", name);
        return record;
}

static Elf64_Ehdr elf_header(void)
{
        Elf64_Ehdr header = {
                .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                             EV_CURRENT },
                .e_type = ET_REL,
                .e_machine = EM_X86_64,
                .e_version = EV_CURRENT,
                .e_ehsize = sizeof(Elf64_Ehdr),
                .e_shentsize = sizeof(Elf64_Shdr),
                .e_shstrndx = 1,
        };

        return header;
}

/* Header, names, contents, and the table of sections at the end: a prefix never has it. */
static void append_elf(struct text *image, const struct section *sections, size_t count)
{
        Elf64_Shdr headers[2 + section_max] = { { 0 } };
        struct text names BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        Elf64_Ehdr header = elf_header();
        size_t start = image->length;

        text_append_bytes(&names, "\0.shstrtab", sizeof("\0.shstrtab"));
        text_append_bytes(image, &header, sizeof(header));
        for (size_t i = 0; i < count; i++) {
                headers[2 + i] = (Elf64_Shdr){
                        .sh_name = (Elf64_Word)names.length,
                        .sh_type = sections[i].type,
                        .sh_offset = image->length - start,
                        .sh_size = sections[i].size,
                        .sh_addralign = 8,
                };
                text_append_bytes(&names, sections[i].name, strlen(sections[i].name) + 1);
                if (sections[i].type != SHT_NOBITS)
                        text_append_bytes(image, sections[i].bytes, sections[i].size);
        }
        headers[1] = (Elf64_Shdr){ .sh_name = 1,
                                   .sh_type = SHT_STRTAB,
                                   .sh_offset = image->length - start,
                                   .sh_size = names.length,
                                   .sh_addralign = 1 };
        text_append_bytes(image, names.bytes, names.length);
        text_append_bytes(image, "\0\0\0\0\0\0\0", 8 - (image->length - start) % 8);
        header.e_shoff = image->length - start;
        header.e_shnum = (Elf64_Half)(2 + count);
        text_append_bytes(image, headers, (2 + count) * sizeof(headers[0]));
        memcpy(image->bytes + start, &header, sizeof(header));
        assert_int_equal(image->error, 0);
}

static void append_records(struct text *image, const char *section, size_t count)
{
        struct toc_record *records = calloc(count, sizeof(*records));
        struct section one = { section, SHT_PROGBITS, records, count * sizeof(*records) };

        assert_non_null(records);
        for (size_t i = 0; i < count; i++) {
                records[i] = good_record("evictions");
                records[i].line = (uint32_t)i;
        }
        append_elf(image, &one, 1);
        free(records);
}

static void append_member(struct text *archive, const char *name, const void *bytes, size_t size)
{
        if (!archive->length)
                text_append(archive, ARMAG);
        text_printf(archive, "%-16s%-12d%-6d%-6d%-8o%-10zu%s", name, 0, 0, 0, 0644, size, ARFMAG);
        text_append_bytes(archive, bytes, size);
        text_append(archive, size % 2 ? "\n" : "");
        assert_int_equal(archive->error, 0);
}

/* ---- Reading --------------------------------------------------------------- */

/* The descriptor of a file in memory, and its path. */
static int make_file(const void *bytes, size_t size, char path[static 64])
{
        int fd = memfd_create("elf_test", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, bytes, size, 0), (ssize_t)size);
        (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
        return fd;
}

static int read_bytes(const void *bytes, size_t size, struct elf_records *ret_records,
                      const char **ret_why)
{
        char path[64];
        int fd = make_file(bytes, size, path);
        int outcome = elf_read_records(path, ret_records, ret_why);

        assert_int_equal(close(fd), 0);
        return outcome;
}

static void assert_refused(const struct text *image, const char *expected)
{
        struct elf_records found = ELF_RECORDS_NULL;
        const char *why = "nothing";

        assert_int_equal(read_bytes(image->bytes, image->length, &found, &why), ELF_UNREADABLE);
        assert_string_equal(why, expected);
        assert_null(found.records);
        assert_null(found.refused);
}

static void assert_count(const struct text *image, size_t count)
{
        struct elf_records found BASE_SCOPE(elf_records_fini) = ELF_RECORDS_NULL;
        const char *why = NULL;

        assert_int_equal(read_bytes(image->bytes, image->length, &found, &why), 0);
        assert_int_equal(found.count, count);
        assert_int_equal(found.refused_count, 0);
}

static Elf64_Ehdr *header_of(struct text *image)
{
        return (Elf64_Ehdr *)(void *)image->bytes;
}

static Elf64_Shdr *section_of(struct text *image, size_t index)
{
        return (Elf64_Shdr *)(void *)(image->bytes + header_of(image)->e_shoff) + index;
}

/* ---- Tests ----------------------------------------------------------------- */

static void nothing_can_be_released_twice(void **state)
{
        struct elf_records found = ELF_RECORDS_NULL;

        (void)state;
        elf_records_fini(&found);
        elf_records_fini(&found);
}

static void every_section_of_that_name_is_read(void **state)
{
        /* One of them twice, as g++ writes the site of a template. */
        const struct toc_record records[] = { good_record("first"), good_record("second"),
                                              good_record("third"), good_record("second") };
        const struct section sections[] = {
                { "toc_records_1", SHT_PROGBITS, &records[0], sizeof(records[0]) },
                { ".text", SHT_PROGBITS, "code", 4 },
                { "toc_records_1", SHT_PROGBITS, "", 0 },
                { "toc_records_1", SHT_PROGBITS, &records[1], 3 * sizeof(records[0]) },
                { "not_toc_records_1", SHT_PROGBITS, "other", 5 },
        };
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct elf_records found BASE_SCOPE(elf_records_fini) = ELF_RECORDS_NULL;
        const char *why = NULL;

        (void)state;
        append_elf(&image, sections, BASE_COUNT(sections));
        assert_int_equal(read_bytes(image.bytes, image.length, &found, &why), 0);
        assert_int_equal(found.count, 3);
        assert_memory_equal(found.records, records, 3 * sizeof(records[0]));
        assert_int_equal(found.refused_count, 0);
        assert_false(found.awaits_link);
}

static void no_probes_is_an_answer(void **state)
{
        const struct section sections[] = { { ".text", SHT_PROGBITS, "code", 4 } };
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct elf_records found BASE_SCOPE(elf_records_fini) = ELF_RECORDS_NULL;
        const char *why = NULL;

        (void)state;
        append_elf(&image, sections, 1);
        assert_count(&image, 0);
        assert_int_equal(elf_read_records("/proc/self/exe", &found, &why), 0);
        assert_int_equal(found.count, 0);
}

static void other_machines_are_read_if_records_lie_the_same(void **state)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);

        (void)state;
        append_records(&image, "toc_records_1", 2);
        header_of(&image)->e_machine = EM_AARCH64;
        assert_count(&image, 2);
        header_of(&image)->e_ident[EI_DATA] = ELFDATA2MSB;
        assert_refused(&image, "is for a machine of 32 bits or big-endian, where no probes can be");
        header_of(&image)->e_ident[EI_DATA] = ELFDATA2LSB;
        header_of(&image)->e_ident[EI_CLASS] = ELFCLASS32;
        assert_refused(&image, "is for a machine of 32 bits or big-endian, where no probes can be");
        header_of(&image)->e_ident[EI_CLASS] = 3;
        assert_refused(&image, damaged);
}

static void bad_records_are_named_and_the_others_kept(void **state)
{
        struct toc_record records[] = { good_record("first"), good_record("second"),
                                        good_record("third"), good_record("fourth") };
        const struct section one = { "toc_records_1", SHT_PROGBITS, records, sizeof(records) };
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct elf_records found BASE_SCOPE(elf_records_fini) = ELF_RECORDS_NULL;
        const char *why = NULL;

        (void)state;
        records[1].version = 2;
        memset(records[3].name, 'x', sizeof(records[3].name));
        append_elf(&image, &one, 1);
        assert_int_equal(read_bytes(image.bytes, image.length, &found, &why), 0);
        assert_int_equal(found.count, 2);
        assert_string_equal(found.records[1].name, "third");
        assert_int_equal(found.refused_count, 2);
        assert_int_equal(found.refused[0].number, 2);
        assert_string_equal(found.refused[0].name, "second");
        assert_string_equal(found.refused[0].why, "the record is not of version 1");
        assert_int_equal(found.refused[1].number, 4);
        assert_int_equal(strlen(found.refused[1].name), sizeof(records[3].name));
}

static void sections_that_cannot_be_records_are_refused(void **state)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);

        (void)state;
        append_records(&image, "toc_records_1", 2);
        section_of(&image, 2)->sh_size -= 8;
        assert_refused(&image, "has a section toc_records_1 that is no whole number of records");
        section_of(&image, 2)->sh_size += 8;
        section_of(&image, 2)->sh_type = SHT_NOBITS;
        assert_refused(&image, "holds debug information only; give the program itself");
        section_of(&image, 2)->sh_type = SHT_PROGBITS;
        section_of(&image, 2)->sh_offset = image.length;
        assert_refused(&image, damaged);
        text_clear(&image);
        append_records(&image, "toc_records_2", 1);
        assert_refused(&image, "carries probes of another version of Tocsin");
}

static void objects_for_link_time_optimisation_are_told(void **state)
{
        const struct section sections[] = { { ".gnu.lto_.opts", SHT_PROGBITS, "opts", 4 } };
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct elf_records found BASE_SCOPE(elf_records_fini) = ELF_RECORDS_NULL;
        const char *why = NULL;

        (void)state;
        append_elf(&image, sections, 1);
        assert_int_equal(read_bytes(image.bytes, image.length, &found, &why), 0);
        assert_true(found.awaits_link);
        elf_records_fini(&found);
        assert_int_equal(read_bytes("BC\xc0\xde....", 8, &found, &why), 0);
        assert_true(found.awaits_link);
}

static void records_are_limited(void **state)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);

        (void)state;
        append_records(&image, "toc_records_1", elf_record_max);
        assert_count(&image, elf_record_max);
        text_clear(&image);
        append_records(&image, "toc_records_1", elf_record_max + 1);
        assert_refused(&image, "carries more than 65536 probes");
}

static void sections_are_limited(void **state)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        size_t table;

        (void)state;
        append_records(&image, "toc_records_1", 1);
        /* More sections than the header's field can say: the first section does. */
        table = header_of(&image)->e_shoff;
        header_of(&image)->e_shnum = 0;
        section_of(&image, 0)->sh_size = 3;
        assert_count(&image, 1);
        section_of(&image, 0)->sh_size = elf_section_max + 1;
        assert_refused(&image, "has more than 262144 sections");
        section_of(&image, 0)->sh_size = UINT64_MAX / sizeof(Elf64_Shdr);
        assert_refused(&image, "has more than 262144 sections");
        section_of(&image, 0)->sh_size = elf_section_max;
        assert_refused(&image, damaged);
        while (image.length < table + elf_section_max * sizeof(Elf64_Shdr))
                text_append_bytes(&image, &(Elf64_Shdr){ 0 }, sizeof(Elf64_Shdr));
        assert_count(&image, 1);
}

static void headers_are_believed_only_as_far_as_the_file_goes(void **state)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct text broken BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);

        (void)state;
        append_records(&image, "toc_records_1", 1);
        for (int i = 0; i < 8; i++) {
                Elf64_Ehdr *header;
                Elf64_Shdr *sections;

                text_clear(&broken);
                text_append_bytes(&broken, image.bytes, image.length);
                header = header_of(&broken);
                sections = section_of(&broken, 0);
                header->e_shoff = i == 0 ? UINT64_MAX - 8 : header->e_shoff;
                header->e_shentsize = i == 1 ? 8 : header->e_shentsize;
                header->e_shnum = i == 2 ? 4 : header->e_shnum;
                header->e_shstrndx = i == 3 ? 2 : i == 4 ? 77 : header->e_shstrndx;
                sections[1].sh_size = i == 5 ? 0 : i == 6 ? 5 : sections[1].sh_size;
                sections[2].sh_name = i == 7 ? 4000 : sections[2].sh_name;
                assert_refused(&broken, damaged);
        }
        header_of(&image)->e_shoff = 0;
        assert_refused(&image, "has no section headers, so that nobody can say whether it carries "
                               "probes");
}

static void names_of_sections_are_limited(void **state)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);

        (void)state;
        append_records(&image, "toc_records_1", 1);
        section_of(&image, 1)->sh_size = elf_names_bytes_max;
        assert_refused(&image, damaged);
        section_of(&image, 1)->sh_size = elf_names_bytes_max + 1;
        assert_refused(&image, "has names of sections longer than 16 MiB");
}

static void no_prefix_of_a_file_passes_for_it(void **state)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct text archive BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct elf_records found BASE_SCOPE(elf_records_fini) = ELF_RECORDS_NULL;
        const char *why = NULL;

        (void)state;
        append_records(&image, "toc_records_1", 1);
        for (size_t length = 0; length < image.length; length++)
                assert_int_equal(read_bytes(image.bytes, length, &found, &why), ELF_UNREADABLE);
        append_member(&archive, "one.o/", image.bytes, image.length);
        for (size_t length = SARMAG + 1; length < archive.length; length++)
                assert_int_equal(read_bytes(archive.bytes, length, &found, &why), ELF_UNREADABLE);
}

static void archives_are_read_member_by_member(void **state)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct text archive BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);

        (void)state;
        append_records(&image, "toc_records_1", 2);
        append_member(&archive, "/", "\0\0\0\0", 4);
        append_member(&archive, "//", "a_name_that_is_too_long.o/\n", 27);
        append_member(&archive, "/0", image.bytes, image.length);
        append_member(&archive, "note.txt/", "odd", 3);
        append_member(&archive, "empty/", "", 0);
        text_clear(&image);
        append_records(&image, "toc_records_1", 3); /* two of them as before */
        append_member(&archive, "two.o/", image.bytes, image.length);
        assert_count(&archive, 3);
        /* One that is damaged makes the whole answer doubtful. */
        append_member(&archive, "bad.o/", image.bytes, image.length - 64);
        assert_refused(&archive, damaged);
}

static void archives_that_cannot_be_walked_are_refused(void **state)
{
        struct text archive BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct ar_hdr *header;

        (void)state;
        append_member(&archive, "note.txt/", "even", 4);
        header = (struct ar_hdr *)(void *)(archive.bytes + SARMAG);
        assert_count(&archive, 0);
        memcpy(header->ar_size, "5         ", sizeof(header->ar_size));
        assert_refused(&archive, damaged);
        memcpy(header->ar_size, "9999999999", sizeof(header->ar_size));
        assert_refused(&archive, damaged);
        memcpy(header->ar_size, "4 4       ", sizeof(header->ar_size));
        assert_refused(&archive, damaged);
        memcpy(header->ar_size, "-4        ", sizeof(header->ar_size));
        assert_refused(&archive, damaged);
        memcpy(header->ar_size, "4         ", sizeof(header->ar_size));
        header->ar_fmag[0] = 0;
        assert_refused(&archive, damaged);
        memcpy(archive.bytes, "!<thin>\n", SARMAG);
        assert_refused(&archive, "is a thin archive; give the objects it points to");
}

static void members_are_limited(void **state)
{
        struct text archive BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);

        (void)state;
        for (int i = 0; i < elf_member_max; i++)
                append_member(&archive, "empty/", "", 0);
        assert_count(&archive, 0);
        append_member(&archive, "empty/", "", 0);
        assert_refused(&archive, "has more than 65536 members");
}

static void what_is_no_file_is_refused_at_once(void **state)
{
        char path[] = "/tmp/elf_test_XXXXXX";
        struct elf_records found = ELF_RECORDS_NULL;
        const char *why = NULL;

        (void)state;
        assert_non_null(mkdtemp(path));
        assert_int_equal(elf_read_records(path, &found, &why), -EISDIR);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(elf_read_records(path, &found, &why), -ENOENT);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(elf_read_records(path, &found, &why), ELF_UNREADABLE);
        assert_string_equal(why, "is not a regular file");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(elf_read_records("/dev/null", &found, &why), ELF_UNREADABLE);
        assert_string_equal(why, "is not a regular file");
        assert_int_equal(read_bytes("", 0, &found, &why), ELF_UNREADABLE);
        assert_string_equal(why, "is empty");
        assert_int_equal(read_bytes("#!/bin/sh\n", 10, &found, &why), ELF_UNREADABLE);
        assert_string_equal(why, "is neither an ELF file nor an archive of them");
        assert_int_equal(read_bytes("\177E", 2, &found, &why), ELF_UNREADABLE);
        assert_string_equal(why, "is neither an ELF file nor an archive of them");
}

/* A file as large as can be costs no memory: only its headers are read. */
static void huge_files_cost_nothing(void **state)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct elf_records found BASE_SCOPE(elf_records_fini) = ELF_RECORDS_NULL;
        const char *why = NULL;
        char path[64];
        int fd;

        (void)state;
        append_records(&image, "toc_records_1", 1);
        fd = make_file(image.bytes, image.length, path);
        assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
        assert_int_equal(elf_read_records(path, &found, &why), 0);
        assert_int_equal(found.count, 1);
        elf_records_fini(&found);
        section_of(&image, 2)->sh_size = (uint64_t)1 << 39;
        assert_int_equal(pwrite(fd, image.bytes, image.length, 0), (ssize_t)image.length);
        assert_int_equal(elf_read_records(path, &found, &why), ELF_UNREADABLE);
        assert_string_equal(why, "carries more than 65536 probes");
        assert_int_equal(close(fd), 0);
}

static uint32_t next_random(uint64_t *seed)
{
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(*seed >> 33);
}

/* Damages a copy at up to eight places, mostly where the headers are. */
static void damage(struct text *image, uint64_t *seed)
{
        static const unsigned char favourites[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
        size_t tail = image->length < 512 ? image->length : 512;

        for (uint32_t left = 1 + next_random(seed) % 8; left; left--) {
                uint32_t r = next_random(seed);
                size_t at = next_random(seed) % image->length;

                if (r % 4 == 0)
                        at = at % 64;
                else if (r % 4 == 1)
                        at = image->length - 1 - at % tail;
                if (r % 8 < 4)
                        image->bytes[at] = (char)(image->bytes[at] ^ (1 << (r >> 8) % 8));
                else
                        image->bytes[at] = (char)favourites[(r >> 8) % sizeof(favourites)];
        }
}

static void fuzz(const struct text *original, uint64_t seed)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        uint64_t first_seed = seed;

        for (int round = 0; round < fuzz_rounds; round++) {
                struct elf_records found BASE_SCOPE(elf_records_fini) = ELF_RECORDS_NULL;
                const char *why = NULL;
                int outcome;

                text_clear(&image);
                text_append_bytes(&image, original->bytes, original->length);
                damage(&image, &seed);
                outcome = read_bytes(image.bytes, image.length, &found, &why);
                if (outcome && (outcome != ELF_UNREADABLE || !why))
                        fail_msg("seed %llu, round %d: %d", (unsigned long long)first_seed, round,
                                 outcome);
                assert_true(found.count + found.refused_count <= 8);
        }
}

static void damaged_files_are_survived(void **state)
{
        struct text image BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);
        struct text archive BASE_SCOPE(text_fini) = TEXT_INIT(image_bytes_max);

        (void)state;
        append_records(&image, "toc_records_1", 2);
        fuzz(&image, 1);
        append_member(&archive, "/", "\0\0\0\1\0\0\0\x64sym", 11);
        append_member(&archive, "//", "a_name_that_is_too_long.o/\n", 27);
        append_member(&archive, "/0", image.bytes, image.length);
        append_member(&archive, "two.o/", image.bytes, image.length);
        fuzz(&archive, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_can_be_released_twice),
                cmocka_unit_test(every_section_of_that_name_is_read),
                cmocka_unit_test(no_probes_is_an_answer),
                cmocka_unit_test(other_machines_are_read_if_records_lie_the_same),
                cmocka_unit_test(bad_records_are_named_and_the_others_kept),
                cmocka_unit_test(sections_that_cannot_be_records_are_refused),
                cmocka_unit_test(objects_for_link_time_optimisation_are_told),
                cmocka_unit_test(records_are_limited),
                cmocka_unit_test(sections_are_limited),
                cmocka_unit_test(headers_are_believed_only_as_far_as_the_file_goes),
                cmocka_unit_test(names_of_sections_are_limited),
                cmocka_unit_test(no_prefix_of_a_file_passes_for_it),
                cmocka_unit_test(archives_are_read_member_by_member),
                cmocka_unit_test(archives_that_cannot_be_walked_are_refused),
                cmocka_unit_test(members_are_limited),
                cmocka_unit_test(what_is_no_file_is_refused_at_once),
                cmocka_unit_test(huge_files_cost_nothing),
                cmocka_unit_test(damaged_files_are_survived),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
