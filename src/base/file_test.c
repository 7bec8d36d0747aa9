/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the limits, and that nothing but our own regular files is read, replaced or removed. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* An empty directory for each test; its descriptor is what paths are relative to. */
struct place {
        char path[64];
        int fd;
};

static int enter(void **state)
{
        static struct place place;

        (void)snprintf(place.path, sizeof(place.path), "/tmp/tocsin-file-test-XXXXXX");
        if (!mkdtemp(place.path))
                return -1;
        place.fd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = &place;
        return place.fd < 0 ? -1 : 0;
}

static int leave(void **state)
{
        struct place *place = *state;

        (void)close(place->fd);
        return file_remove_tree(AT_FDCWD, place->path);
}

static void write_file(const struct place *place, const char *name, const char *content)
{
        assert_int_equal(file_replace(place->fd, name, content, strlen(content), 0644), 0);
}

static bool exists(const struct place *place, const char *name)
{
        return faccessat(place->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int count_entries(const struct place *place, const char *name)
{
        DIR *dir = fdopendir(openat(place->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        int count = -2; /* "." and ".." */

        if (!dir)
                return -1;
        while (readdir(dir))
                count++;
        (void)closedir(dir);
        return count;
}

/* What lies below is opened; what leads out, by a link or by dots, is not. */
static void beneath_is_beneath(void **state)
{
        static const char *const outside[] = { "link", "folder/../../", "/etc/passwd", "../x" };
        const struct place *place = *state;
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(100);
        int fd = -1;

        write_file(place, "file", "inside");
        assert_int_equal(mkdirat(place->fd, "folder", 0700), 0);
        write_file(place, "folder/file", "deeper");
        assert_int_equal(symlinkat("file", place->fd, "link"), 0);
        assert_int_equal(file_open_beneath(place->fd, "folder/../folder/file", &fd), 0);
        assert_int_equal(file_read_open(fd, &text), 0);
        assert_string_equal(text_view(&text), "deeper");
        (void)close(fd);
        fd = -1;
        for (size_t i = 0; i < BASE_COUNT(outside); i++)
                assert_true(file_open_beneath(place->fd, outside[i], &fd) < 0);
        assert_int_equal(file_open_beneath(place->fd, "link", &fd), -ELOOP);
        assert_int_equal(file_open_beneath(place->fd, "../x", &fd), -EXDEV);
        assert_int_equal(fd, -1);
}

static void read_limit_is_exact(void **state)
{
        const struct place *place = *state;
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(5);

        write_file(place, "five", "12345");
        write_file(place, "six", "123456");
        assert_int_equal(file_read(place->fd, "five", &text), 0);
        assert_string_equal(text_view(&text), "12345");
        text_clear(&text);
        assert_int_equal(file_read(place->fd, "six", &text), -EFBIG);
        assert_string_equal(text_view(&text), "");
        assert_int_equal(text.error, 0);
}

static void read_appends_and_restores_on_error(void **state)
{
        const struct place *place = *state;
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(8);

        write_file(place, "a", "abc");
        write_file(place, "long", "123456789");
        text_append(&text, "<");
        assert_int_equal(file_read(place->fd, "a", &text), 0);
        assert_string_equal(text_view(&text), "<abc");
        assert_int_equal(file_read(place->fd, "long", &text), -EFBIG);
        assert_string_equal(text_view(&text), "<abc");
        assert_int_equal(text.length, 4);
        assert_int_equal(text.error, 0);
}

static void read_takes_files_longer_than_a_chunk(void **state)
{
        enum { length = 100001 };
        const struct place *place = *state;
        struct text from BASE_SCOPE(text_fini) = TEXT_INIT(length);
        struct text into BASE_SCOPE(text_fini) = TEXT_INIT(length);

        for (int i = 0; i < length; i++)
                text_append_bytes(&from, &"0123456789"[i % 10], 1);
        assert_int_equal(file_replace(place->fd, "long", from.bytes, from.length, 0600), 0);
        assert_int_equal(file_read(place->fd, "long", &into), 0);
        assert_int_equal(into.length, length);
        assert_memory_equal(into.bytes, from.bytes, length);
}

static void read_takes_proc_files(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(4096);

        (void)state;
        assert_int_equal(file_read(AT_FDCWD, "/proc/self/stat", &text), 0);
        assert_true(text.length > 10);
}

static void read_refuses_what_is_no_file(void **state)
{
        const struct place *place = *state;
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(100);

        assert_int_equal(mkfifoat(place->fd, "pipe", 0600), 0);
        assert_int_equal(file_read(place->fd, "missing", &text), -ENOENT);
        assert_int_equal(file_read(place->fd, ".", &text), -EISDIR);
        assert_int_equal(file_read(place->fd, "pipe", &text), -EINVAL);
        assert_int_equal(file_read(AT_FDCWD, "/dev/zero", &text), -EINVAL);
        assert_int_equal(text.length, 0);
}

static void replace_leaves_nothing_else_behind(void **state)
{
        const struct place *place = *state;
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(100);

        write_file(place, "a", "old");
        write_file(place, "a", "new");
        assert_int_equal(file_read(place->fd, "a", &text), 0);
        assert_string_equal(text_view(&text), "new");
        assert_int_equal(count_entries(place, "."), 1);
}

static void replace_respects_mode_and_umask(void **state)
{
        const struct place *place = *state;
        struct stat status;
        mode_t kept = umask(027);

        assert_int_equal(file_replace(place->fd, "a", "x", 1, 0666), 0);
        (void)umask(kept);
        assert_int_equal(fstatat(place->fd, "a", &status, 0), 0);
        assert_int_equal(status.st_mode & 0777, 0640);
}

static void replace_swaps_the_file_and_does_not_overwrite_it(void **state)
{
        const struct place *place = *state;
        char byte = 0;
        int reader;

        write_file(place, "a", "o");
        reader = openat(place->fd, "a", O_RDONLY | O_CLOEXEC);
        assert_true(reader >= 0);
        write_file(place, "a", "n");
        assert_int_equal(read(reader, &byte, 1), 1);
        assert_int_equal(byte, 'o');
        assert_int_equal(close(reader), 0);
}

static void replace_refuses_what_is_no_file(void **state)
{
        const struct place *place = *state;

        write_file(place, "target", "kept");
        assert_int_equal(symlinkat("target", place->fd, "link"), 0);
        assert_int_equal(mkdirat(place->fd, "dir", 0700), 0);
        assert_int_equal(file_replace(place->fd, "link", "x", 1, 0600), -EINVAL);
        assert_int_equal(file_replace(place->fd, "dir", "x", 1, 0600), -EINVAL);
        assert_int_equal(file_replace(place->fd, "dir/", "x", 1, 0600), -EINVAL);
        assert_int_equal(file_replace(place->fd, "", "x", 1, 0600), -EINVAL);
        assert_int_equal(file_replace(AT_FDCWD, "/dev/null", "x", 1, 0600), -EINVAL);
        assert_int_equal(file_replace(place->fd, "missing/a", "x", 1, 0600), -ENOENT);
}

static void replace_reports_a_full_disk_and_keeps_the_old_file(void **state)
{
        const struct place *place = *state;
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(100);
        static char big[200000];
        int failed, left;

        assert_int_equal(mkdirat(place->fd, "small", 0700), 0);
        if (fchdir(place->fd) || mount("tmpfs", "small", "tmpfs", 0, "size=64k"))
                skip(); /* not allowed to mount here */
        write_file(place, "small/a", "old");
        failed = file_replace(place->fd, "small/a", big, sizeof(big), 0600);
        left = count_entries(place, "small");
        assert_int_equal(file_read(place->fd, "small/a", &text), 0);
        /* Left before anything is asserted, so that a failure does not leave the mount behind. */
        assert_int_equal(unlinkat(place->fd, "small/a", 0), 0);
        assert_int_equal(umount2("small", MNT_DETACH), 0);
        assert_int_equal(failed, -ENOSPC);
        assert_int_equal(left, 1);
        assert_string_equal(text_view(&text), "old");
}

static void remove_takes_a_whole_tree(void **state)
{
        const struct place *place = *state;

        assert_int_equal(mkdirat(place->fd, "tree", 0700), 0);
        assert_int_equal(mkdirat(place->fd, "tree/a", 0700), 0);
        assert_int_equal(mkdirat(place->fd, "tree/a/b", 0700), 0);
        write_file(place, "tree/a/b/file", "x");
        write_file(place, "tree/.hidden", "x");
        assert_int_equal(mkfifoat(place->fd, "tree/pipe", 0600), 0);
        assert_int_equal(file_remove_tree(place->fd, "tree"), 0);
        assert_false(exists(place, "tree"));
}

static void remove_follows_no_link(void **state)
{
        const struct place *place = *state;

        assert_int_equal(mkdirat(place->fd, "precious", 0700), 0);
        write_file(place, "precious/file", "x");
        assert_int_equal(mkdirat(place->fd, "tree", 0700), 0);
        assert_int_equal(symlinkat("../precious", place->fd, "tree/link"), 0);
        assert_int_equal(symlinkat("precious", place->fd, "link"), 0);
        assert_int_equal(file_remove_tree(place->fd, "tree"), 0);
        assert_int_equal(file_remove_tree(place->fd, "link"), -ENOTDIR);
        assert_true(exists(place, "precious/file"));
}

static void remove_refuses_what_is_no_name(void **state)
{
        const struct place *place = *state;

        write_file(place, "file", "x");
        assert_int_equal(mkdirat(place->fd, "dir", 0700), 0);
        assert_int_equal(file_remove_tree(place->fd, "."), -EINVAL);
        assert_int_equal(file_remove_tree(place->fd, ".."), -EINVAL);
        assert_int_equal(file_remove_tree(place->fd, "dir/.."), -EINVAL);
        assert_int_equal(file_remove_tree(place->fd, "dir/"), -EINVAL);
        assert_int_equal(file_remove_tree(place->fd, "/"), -EINVAL);
        assert_int_equal(file_remove_tree(place->fd, ""), -EINVAL);
        assert_int_equal(file_remove_tree(place->fd, "missing"), -ENOENT);
        assert_int_equal(file_remove_tree(place->fd, "file"), -ENOTDIR);
        assert_true(exists(place, "file"));
}

/* tree/d/d/... with so many directories below the top; leaves their bottom in place. */
static void dig(const struct place *place, int depth)
{
        int at = openat(place->fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(at >= 0);
        for (int i = 0; i < depth; i++) {
                int next;

                assert_int_equal(mkdirat(at, "d", 0700), 0);
                next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                assert_true(next >= 0);
                assert_int_equal(close(at), 0);
                at = next;
        }
        assert_int_equal(close(at), 0);
}

static void remove_depth_is_bounded(void **state)
{
        const struct place *place = *state;

        /* The top counts as the first level. */
        assert_int_equal(mkdirat(place->fd, "tree", 0700), 0);
        dig(place, file_depth_max - 1);
        assert_int_equal(file_remove_tree(place->fd, "tree"), 0);

        assert_int_equal(mkdirat(place->fd, "tree", 0700), 0);
        dig(place, file_depth_max);
        assert_int_equal(file_remove_tree(place->fd, "tree"), -EOVERFLOW);
        /* Mended by hand, one level further down. */
        assert_int_equal(file_remove_tree(place->fd, "tree/d/d"), 0);
}

static void remove_enters_no_mount(void **state)
{
        const struct place *place = *state;
        int failed;

        assert_int_equal(mkdirat(place->fd, "precious", 0700), 0);
        write_file(place, "precious/file", "x");
        assert_int_equal(mkdirat(place->fd, "tree", 0700), 0);
        assert_int_equal(mkdirat(place->fd, "tree/mounted", 0700), 0);
        /* A bind mount: the same device, the same files. */
        if (fchdir(place->fd) || mount("precious", "tree/mounted", NULL, MS_BIND, NULL))
                skip(); /* not allowed to mount here */
        failed = file_remove_tree(place->fd, "tree");
        assert_int_equal(umount2("tree/mounted", MNT_DETACH), 0);
        assert_int_equal(failed, -EXDEV);
        assert_true(exists(place, "precious/file"));
}

static void remove_leaves_what_others_own(void **state)
{
        const struct place *place = *state;

        if (geteuid() != 0)
                skip(); /* cannot give a directory away */
        assert_int_equal(mkdirat(place->fd, "theirs", 0700), 0);
        assert_int_equal(fchownat(place->fd, "theirs", 12345, 12345, 0), 0);
        assert_int_equal(file_remove_tree(place->fd, "theirs"), -EPERM);
        assert_true(exists(place, "theirs"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(beneath_is_beneath, enter, leave),
                cmocka_unit_test_setup_teardown(read_limit_is_exact, enter, leave),
                cmocka_unit_test_setup_teardown(read_appends_and_restores_on_error, enter, leave),
                cmocka_unit_test_setup_teardown(read_takes_files_longer_than_a_chunk, enter, leave),
                cmocka_unit_test_setup_teardown(read_takes_proc_files, enter, leave),
                cmocka_unit_test_setup_teardown(read_refuses_what_is_no_file, enter, leave),
                cmocka_unit_test_setup_teardown(replace_leaves_nothing_else_behind, enter, leave),
                cmocka_unit_test_setup_teardown(replace_respects_mode_and_umask, enter, leave),
                cmocka_unit_test_setup_teardown(replace_swaps_the_file_and_does_not_overwrite_it,
                                                enter, leave),
                cmocka_unit_test_setup_teardown(replace_refuses_what_is_no_file, enter, leave),
                cmocka_unit_test_setup_teardown(replace_reports_a_full_disk_and_keeps_the_old_file,
                                                enter, leave),
                cmocka_unit_test_setup_teardown(remove_takes_a_whole_tree, enter, leave),
                cmocka_unit_test_setup_teardown(remove_follows_no_link, enter, leave),
                cmocka_unit_test_setup_teardown(remove_refuses_what_is_no_name, enter, leave),
                cmocka_unit_test_setup_teardown(remove_depth_is_bounded, enter, leave),
                cmocka_unit_test_setup_teardown(remove_enters_no_mount, enter, leave),
                cmocka_unit_test_setup_teardown(remove_leaves_what_others_own, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
