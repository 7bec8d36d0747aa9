/* SPDX-License-Identifier: Apache-2.0 */
/* Hands in each kind of folder that must not be judged, and one that must. */
#include "gate/candidate.h"
#include "base/file.h"
#include "gate/digest.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char folder[64];
static int folder_fd = -1;

static char first_name[] = "b.c", second_name[] = "a.h";
static char *supplied[] = { first_name, second_name };
static const struct contract contract = { .supplies = { .items = supplied, .count = 2 } };

static void write_bytes(const char *name, const void *bytes, size_t length)
{
        assert_int_equal(file_replace(folder_fd, name, bytes, length, 0644), 0);
}

static void write_file(const char *name, const char *content)
{
        write_bytes(name, content, strlen(content));
}

static int begin(void **state)
{
        (void)state;
        (void)snprintf(folder, sizeof(folder), "/tmp/tocsin-candidate-XXXXXX");
        if (!mkdtemp(folder))
                return -1;
        folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        write_file("b.c", "int b;\n");
        write_file("a.h", "int a;\n");
        return 0;
}

static int end(void **state)
{
        (void)state;
        (void)close(folder_fd);
        return file_remove_tree(AT_FDCWD, folder);
}

/* Exactly one fault, of that rule and file. */
static void check_fault(const char *rule, const char *file)
{
        struct candidate candidate;

        assert_int_equal(candidate_load(&contract, folder, &candidate), 0);
        assert_int_equal(candidate.fault_count, 1);
        assert_string_equal(candidate.faults[0].rule, rule);
        assert_string_equal(candidate.faults[0].file, file);
        assert_true(candidate.faults[0].message[0]);
        candidate_fini(&candidate);
}

static void a_sound_folder_is_taken_in_the_contracts_order(void **state)
{
        struct candidate candidate;
        char hex[digest_hex_size];

        (void)state;
        assert_int_equal(candidate_load(&contract, folder, &candidate), 0);
        assert_int_equal(candidate.fault_count, 0);
        assert_int_equal(candidate.file_count, 2);
        assert_string_equal(candidate.files[0].name, "b.c");
        assert_string_equal(candidate.files[0].bytes, "int b;\n");
        assert_int_equal(candidate.files[0].length, 7);
        assert_int_equal(digest_of("int b;\n", 7, hex), 0);
        assert_string_equal(candidate.files[0].sha256, hex);
        assert_string_equal(candidate.files[1].name, "a.h");
        assert_string_equal(candidate.name, strrchr(folder, '/') + 1);
        assert_string_equal(candidate.path, folder);
        assert_int_equal(strlen(candidate.sha256), 64);
        candidate_fini(&candidate);
        candidate_fini(&candidate);
}

static void the_name_is_that_of_the_folder(void **state)
{
        struct candidate candidate;
        char path[128];

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/.//", folder);
        assert_int_equal(candidate_load(&contract, path, &candidate), 0);
        assert_string_equal(candidate.name, strrchr(folder, '/') + 1);
        candidate_fini(&candidate);
}

static void a_missing_file(void **state)
{
        (void)state;
        assert_int_equal(unlinkat(folder_fd, "a.h", 0), 0);
        check_fault("interface.missing-file", "a.h");
}

/* To a file that lies outside. */
static void make_hard_link(void)
{
        char other[sizeof(folder) + 8];
        int fd;

        (void)snprintf(other, sizeof(other), "%s.other", folder);
        fd = open(other, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(linkat(AT_FDCWD, other, folder_fd, "a.h", 0), 0);
        assert_int_equal(close(fd), 0);
}

static void remove_hard_link(void)
{
        char other[sizeof(folder) + 8];

        (void)snprintf(other, sizeof(other), "%s.other", folder);
        assert_int_equal(unlink(other), 0);
}

static void links_of_both_kinds(void **state)
{
        (void)state;
        assert_int_equal(unlinkat(folder_fd, "a.h", 0), 0);
        assert_int_equal(symlinkat("/etc/passwd", folder_fd, "a.h"), 0);
        check_fault("interface.linked-file", "a.h");
        assert_int_equal(unlinkat(folder_fd, "a.h", 0), 0);
        assert_int_equal(symlinkat("b.c", folder_fd, "a.h"), 0);
        check_fault("interface.linked-file", "a.h");
        assert_int_equal(unlinkat(folder_fd, "a.h", 0), 0);
        assert_int_equal(symlinkat("nowhere", folder_fd, "a.h"), 0);
        check_fault("interface.linked-file", "a.h");
        assert_int_equal(unlinkat(folder_fd, "a.h", 0), 0);
        make_hard_link();
        check_fault("interface.linked-file", "a.h");
        remove_hard_link();
}

static void what_is_no_file_never_blocks(void **state)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void)state;
        assert_int_equal(unlinkat(folder_fd, "a.h", 0), 0);
        assert_int_equal(mkfifoat(folder_fd, "a.h", 0644), 0);
        check_fault("interface.not-a-file", "a.h");
        assert_int_equal(unlinkat(folder_fd, "a.h", 0), 0);
        assert_int_equal(mkdirat(folder_fd, "a.h", 0755), 0);
        check_fault("interface.not-a-file", "a.h");
        assert_int_equal(unlinkat(folder_fd, "a.h", AT_REMOVEDIR), 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/a.h", folder);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        check_fault("interface.not-a-file", "a.h");
        assert_int_equal(close(fd), 0);
}

static void sizes_at_the_limit_and_beyond(void **state)
{
        struct text big BASE_SCOPE(text_fini) = TEXT_INIT(candidate_file_bytes_max + 1);
        struct candidate candidate;

        (void)state;
        while (big.length < candidate_file_bytes_max)
                text_append(&big, "0123456789abcde\n");
        write_file("a.h", text_view(&big));
        assert_int_equal(candidate_load(&contract, folder, &candidate), 0);
        assert_int_equal(candidate.fault_count, 0);
        assert_int_equal(candidate.files[1].length, candidate_file_bytes_max);
        candidate_fini(&candidate);
        text_append(&big, "x");
        write_file("a.h", text_view(&big));
        check_fault("interface.too-large", "a.h");
}

static void what_is_no_text(void **state)
{
        (void)state;
        write_bytes("a.h", "int\0a;", 6);
        check_fault("interface.not-text", "a.h");
        write_file("a.h", "// caf\xe9\n");
        check_fault("interface.not-text", "a.h");
        write_file("a.h", "// overlong \xc0\xaf\n");
        check_fault("interface.not-text", "a.h");
}

static void an_empty_file_is_a_file(void **state)
{
        struct candidate candidate;

        (void)state;
        write_file("a.h", "");
        assert_int_equal(candidate_load(&contract, folder, &candidate), 0);
        assert_int_equal(candidate.fault_count, 0);
        assert_string_equal(candidate.files[1].bytes, "");
        candidate_fini(&candidate);
}

static void whatever_else_lies_there(void **state)
{
        (void)state;
        write_file(".hidden", "x");
        check_fault("interface.extra-file", ".hidden");
        assert_int_equal(unlinkat(folder_fd, ".hidden", 0), 0);
        assert_int_equal(mkdirat(folder_fd, ".git", 0755), 0);
        check_fault("interface.extra-file", ".git");
        assert_int_equal(unlinkat(folder_fd, ".git", AT_REMOVEDIR), 0);
        assert_int_equal(symlinkat("nowhere", folder_fd, "link"), 0);
        check_fault("interface.extra-file", "link");
}

static void foreign_names_are_escaped_in_messages(void **state)
{
        struct candidate candidate;

        (void)state;
        write_file("\x1b[31m\n", "x");
        assert_int_equal(candidate_load(&contract, folder, &candidate), 0);
        assert_int_equal(candidate.fault_count, 1);
        assert_null(strchr(candidate.faults[0].message, '\x1b'));
        assert_null(strchr(candidate.faults[0].message, '\n'));
        candidate_fini(&candidate);
}

static void many_files_are_sorted_and_cut(void **state)
{
        struct candidate candidate;
        char name[32];

        (void)state;
        for (int i = 49; i >= 0; i--) {
                (void)snprintf(name, sizeof(name), "more%02d", i);
                write_file(name, "x");
        }
        assert_int_equal(candidate_load(&contract, folder, &candidate), 0);
        assert_int_equal(candidate.fault_count, 21);
        assert_string_equal(candidate.faults[0].file, "more00");
        assert_string_equal(candidate.faults[19].file, "more19");
        assert_non_null(strstr(candidate.faults[20].message, "30 more files"));
        candidate_fini(&candidate);
}

static void faults_of_several_files_come_in_order(void **state)
{
        struct candidate candidate;

        (void)state;
        assert_int_equal(unlinkat(folder_fd, "a.h", 0), 0);
        write_file("b.c", "\xff");
        write_file("0", "x");
        assert_int_equal(candidate_load(&contract, folder, &candidate), 0);
        assert_int_equal(candidate.fault_count, 3);
        assert_string_equal(candidate.faults[0].rule, "interface.not-text");
        assert_string_equal(candidate.faults[1].rule, "interface.missing-file");
        assert_string_equal(candidate.faults[2].rule, "interface.extra-file");
        candidate_fini(&candidate);
}

static void folders_that_cannot_be_read(void **state)
{
        struct candidate candidate;
        char path[128];

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/none", folder);
        assert_int_equal(candidate_load(&contract, path, &candidate), -ENOENT);
        (void)snprintf(path, sizeof(path), "%s/b.c", folder);
        assert_int_equal(candidate_load(&contract, path, &candidate), -ENOTDIR);
}

static void our_own_bytes_make_the_same_candidate(void **state)
{
        struct text first BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct text second BASE_SCOPE(text_fini) = TEXT_INIT(100);
        const struct text *const bytes[] = { &first, &second };
        const char *const names[] = { "b.c", "a.h" };
        struct candidate made, taken;

        (void)state;
        text_append(&first, "int b;\n");
        text_append(&second, "int a;\n");
        assert_int_equal(candidate_make("stub", names, bytes, 2, &made), 0);
        assert_int_equal(candidate_load(&contract, folder, &taken), 0);
        assert_string_equal(made.sha256, taken.sha256);
        assert_string_equal(made.name, "stub");
        candidate_fini(&made);
        candidate_fini(&taken);
        write_file("a.h", "int c;\n");
        assert_int_equal(candidate_load(&contract, folder, &taken), 0);
        assert_int_equal(candidate_make("stub", names, bytes, 2, &made), 0);
        assert_string_not_equal(made.sha256, taken.sha256);
        candidate_fini(&made);
        candidate_fini(&taken);
}

/* A result that is kept for one folder must not be taken for the other. */
static void what_else_lies_there_is_part_of_the_digest(void **state)
{
        struct candidate clean, littered;

        (void)state;
        write_file("a.h", "int a;\n");
        write_file("b.c", "int b;\n");
        assert_int_equal(candidate_load(&contract, folder, &clean), 0);
        write_file("more.c", "int more;\n");
        assert_int_equal(candidate_load(&contract, folder, &littered), 0);
        assert_string_not_equal(clean.sha256, littered.sha256);
        candidate_fini(&clean);
        candidate_fini(&littered);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_A_FOLDER(a_sound_folder_is_taken_in_the_contracts_order),
                IN_A_FOLDER(the_name_is_that_of_the_folder),
                IN_A_FOLDER(a_missing_file),
                IN_A_FOLDER(links_of_both_kinds),
                IN_A_FOLDER(what_is_no_file_never_blocks),
                IN_A_FOLDER(sizes_at_the_limit_and_beyond),
                IN_A_FOLDER(what_is_no_text),
                IN_A_FOLDER(an_empty_file_is_a_file),
                IN_A_FOLDER(whatever_else_lies_there),
                IN_A_FOLDER(foreign_names_are_escaped_in_messages),
                IN_A_FOLDER(many_files_are_sorted_and_cut),
                IN_A_FOLDER(faults_of_several_files_come_in_order),
                IN_A_FOLDER(folders_that_cannot_be_read),
                IN_A_FOLDER(our_own_bytes_make_the_same_candidate),
                IN_A_FOLDER(what_else_lies_there_is_part_of_the_digest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
