/* SPDX-License-Identifier: Apache-2.0 */
/* Two processes that count at once, names that are none, and one run more than is listed. */
#include "forge/catalogue.h"
#include "forge/ledger_fixture.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int enter_it(void **state)
{
        const struct place *place;

        if (enter(state))
                return -1;
        place = *state;
        return fchdir(place->fd);
}

static int leave_it(void **state)
{
        return chdir("/") ? -1 : leave(state);
}

static void make_run(const char *folder, int64_t seconds)
{
        const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
        char name[200];

        (void)snprintf(name, sizeof(name), "%s/ledger.jsonl", folder);
        assert_true(mkdir(folder, 0700) == 0 || errno == EEXIST);
        assert_int_equal(file_replace(AT_FDCWD, name, "", 0, 0600), 0);
        assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

static const char *find(const char *module, const char *word)
{
        static char found[4096];
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(4095);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        int outcome = catalogue_find("out", module, word, &path, &why);

        if (outcome == CATALOGUE_NONE) {
                assert_int_equal(path.length, 0);
                assert_true(why.length > 0);
                return "none";
        }
        assert_int_equal(outcome, 0);
        (void)snprintf(found, sizeof(found), "%s", text_view(&path));
        return found;
}

static const char *make(const char *out, const char *module)
{
        static char made[4096];
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(4095);

        assert_int_equal(catalogue_make(out, module, &path), 0);
        (void)snprintf(made, sizeof(made), "%s", text_view(&path));
        return made;
}

static void test_numbers_go_up(void **state)
{
        struct stat is;

        (void)state;
        assert_string_equal(make("out", "lru"), "out/lru/1");
        assert_string_equal(make("out", "lru"), "out/lru/2");
        assert_string_equal(make("out", "utf8"), "out/utf8/1");
        assert_int_equal(mkdir("out/lru/9", 0700), 0);
        assert_string_equal(make("out", "lru"), "out/lru/10");
        assert_int_equal(mkdir("out/lru/011", 0700), 0); /* no number of ours */
        assert_int_equal(mkdir("out/lru/12x", 0700), 0);
        assert_string_equal(make("out/", "lru"), "out//lru/11");
        assert_int_equal(rmdir("out/lru/1"), 0); /* a gap is not filled */
        assert_string_equal(make("out", "lru"), "out/lru/12");
        assert_string_equal(make("a/b/c", "x"), "a/b/c/x/1");
        assert_int_equal(stat("a/b/c/x/1", &is), 0);
        assert_int_equal(is.st_mode & 07777, 0700);
        assert_int_equal(stat("a", &is), 0);
        assert_int_equal(is.st_mode & 07777, 0700);
}

static void test_what_cannot_be_made(void **state)
{
        static const char *const wrong[] = { "", ".", "..", "../x", "a/b", "/", ".hidden" };
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(4095);

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(wrong); i++)
                assert_int_equal(catalogue_make("out", wrong[i], &path), -EINVAL);
        assert_int_equal(catalogue_make("", "lru", &path), -EINVAL);
        assert_int_equal(access("out", F_OK), -1);
        assert_int_equal(file_replace(AT_FDCWD, "file", "", 0, 0600), 0);
        assert_int_equal(catalogue_make("file", "lru", &path), -ENOTDIR);
        assert_int_equal(mkdir("out", 0700), 0);
        assert_int_equal(mkdir("elsewhere", 0700), 0);
        assert_int_equal(symlink("../elsewhere", "out/lru"), 0);
        assert_true(catalogue_make("out", "lru", &path) < 0);
        assert_int_equal(mkdir("out/full", 0700), 0);
        assert_int_equal(mkdir("out/full/999999998", 0700), 0);
        assert_string_equal(make("out", "full"), "out/full/999999999");
        assert_int_equal(catalogue_make("out", "full", &path), -ERANGE);
}

static void test_two_at_once_get_two_folders(void **state)
{
        enum { processes = 4, each = 20 };
        uint64_t count = 0;
        char name[40];

        (void)state;
        for (int i = 0; i < processes; i++) {
                if (fork())
                        continue;
                for (int j = 0; j < each; j++) {
                        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(100);

                        if (catalogue_make("out", "lru", &path))
                                _exit(1);
                        (void)snprintf(name, sizeof(name), "%s/mine", text_view(&path));
                        if (mkdir(name, 0700)) /* somebody else has it too */
                                _exit(1);
                }
                _exit(0);
        }
        for (int i = 0; i < processes; i++) {
                int status = 1;

                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
        }
        do
                (void)snprintf(name, sizeof(name), "out/lru/%u/mine", (unsigned)++count);
        while (access(name, F_OK) == 0);
        assert_int_equal(count - 1, processes * each);
}

static void test_what_a_person_writes(void **state)
{
        (void)state;
        assert_string_equal(find(NULL, "last"), "none");
        assert_int_equal(mkdir("out", 0700), 0);
        assert_string_equal(find("lru", "last"), "none");
        assert_int_equal(mkdir("out/lru", 0700), 0);
        assert_int_equal(mkdir("out/utf8", 0700), 0);
        make_run("out/lru/2", 3000);
        make_run("out/lru/10", 1000);
        make_run("out/utf8/1", 2000);
        assert_int_equal(mkdir("out/lru/11", 0700), 0); /* without a ledger */
        assert_string_equal(find("lru", "last"), "out/lru/10");
        assert_string_equal(find("utf8", "last"), "out/utf8/1");
        assert_string_equal(find("none", "last"), "none");
        assert_string_equal(find(NULL, "last"), "out/lru/2"); /* changed last */
        assert_string_equal(find("lru", "2"), "out/lru/2");
        assert_string_equal(find("lru", "3"), "none");
        assert_string_equal(find("lru", "02"), "none");
        assert_string_equal(find(NULL, "2"), "none");
        assert_string_equal(find(NULL, "lru/2"), "out/lru/2");
        assert_string_equal(find(NULL, "lru/11"), "none");
        assert_string_equal(find(NULL, "../lru/2"), "none");
        assert_string_equal(find(NULL, "out/lru/2"), "out/lru/2");
        assert_string_equal(find("utf8", "out/lru/2/"), "out/lru/2/");
        make_run("lost", 1);
        assert_string_equal(find("lru", "lost"), "lost");
        assert_string_equal(find(NULL, ""), "none");
}

static void test_the_list_is_sorted(void **state)
{
        static const char *const sorted[] = { "out/A/1", "out/lru/2", "out/lru/10", "out/utf8/1" };
        BASE_SCOPE(catalogue_fini) struct catalogue catalogue = { 0 };

        (void)state;
        assert_int_equal(catalogue_list("out", &catalogue), 0);
        assert_int_equal(catalogue.count, 0);
        assert_int_equal(mkdir("out", 0700), 0);
        assert_int_equal(mkdir("out/A", 0700), 0);
        assert_int_equal(mkdir("out/lru", 0700), 0);
        assert_int_equal(mkdir("out/utf8", 0700), 0);
        assert_int_equal(mkdir("out/.hidden", 0700), 0);
        make_run("out/lru/10", 7);
        make_run("out/utf8/1", 7);
        make_run("out/lru/2", 7);
        make_run("out/A/1", 7);
        make_run("out/.hidden/1", 7);
        make_run("out/lru/x", 7);
        assert_int_equal(symlink("lru", "out/link"), 0);
        assert_int_equal(file_replace(AT_FDCWD, "out/file", "", 0, 0600), 0);
        assert_int_equal(mkdir("out/lru/3", 0700), 0);
        assert_int_equal(symlink("/etc/passwd", "out/lru/3/ledger.jsonl"), 0);
        assert_int_equal(catalogue_list("out", &catalogue), 0);
        assert_int_equal(catalogue.count, BASE_COUNT(sorted));
        for (size_t i = 0; i < BASE_COUNT(sorted); i++)
                assert_string_equal(catalogue.runs[i].path, sorted[i]);
        assert_string_equal(catalogue.runs[1].module, "lru");
        assert_int_equal(catalogue.runs[1].number, 2);
        assert_int_equal(catalogue.runs[1].changed_ns, UINT64_C(7000000000));
        assert_false(catalogue.has_more);
        assert_int_equal(catalogue_list("out/file", &(struct catalogue){ 0 }), -ENOTDIR);
}

static void test_as_many_as_are_listed_and_one_beyond(void **state)
{
        BASE_SCOPE(catalogue_fini) struct catalogue catalogue = { 0 };
        char name[40];

        (void)state;
        assert_int_equal(mkdir("out", 0700), 0);
        assert_int_equal(mkdir("out/m", 0700), 0);
        for (int i = 1; i <= catalogue_runs_max; i++) {
                (void)snprintf(name, sizeof(name), "out/m/%d", i);
                assert_int_equal(mkdir(name, 0700), 0);
                (void)snprintf(name, sizeof(name), "out/m/%d/ledger.jsonl", i);
                assert_int_equal(mknod(name, S_IFREG | 0600, 0), 0);
        }
        assert_int_equal(catalogue_list("out", &catalogue), 0);
        assert_int_equal(catalogue.count, catalogue_runs_max);
        assert_false(catalogue.has_more);
        catalogue_fini(&catalogue);
        make_run("out/m/10001", 1);
        assert_int_equal(catalogue_list("out", &catalogue), 0);
        assert_int_equal(catalogue.count, catalogue_runs_max);
        assert_true(catalogue.has_more);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_numbers_go_up, enter_it, leave_it),
                cmocka_unit_test_setup_teardown(test_what_cannot_be_made, enter_it, leave_it),
                cmocka_unit_test_setup_teardown(test_two_at_once_get_two_folders, enter_it,
                                                leave_it),
                cmocka_unit_test_setup_teardown(test_what_a_person_writes, enter_it, leave_it),
                cmocka_unit_test_setup_teardown(test_the_list_is_sorted, enter_it, leave_it),
                cmocka_unit_test_setup_teardown(test_as_many_as_are_listed_and_one_beyond, enter_it,
                                                leave_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
