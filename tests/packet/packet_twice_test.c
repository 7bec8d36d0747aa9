/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same failure, judged twice, gives the same packet: addresses, process numbers, folders and
 * times of real tools are all different the second time.
 *
 * usage: packet_twice_test TOCSIN BOX_CONTRACT
 */
#include "base/child.h"
#include "base/file.h"
#include "forge/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { path_max = 4096 };

static const char mark[] = "fedcba9876543210";
static const char *program, *box;
static char place[] = "/tmp/tocsin-twice-XXXXXX";

/* One mistake each, of which the tools tell with addresses. */
static const struct {
        const char *name;
        const char *was; /* in candidates/reference/box.c */
        const char *becomes;
        const char *stage;
        const char *key;  /* begins so: which case shows it depends on the seed */
        const char *says; /* in the packet */
} mistakes[] = {
        { "leaks", "        free(box);\n", "        (void)box;\n", "unit", "unit.leak ",
          "in box_new, box.c:18  `return calloc(1, sizeof(struct box));`\n" },
        { "reads_beyond", "return box->sum;", "return (box + 1)->sum;", "unit", "unit.check adds",
          "in box_sum, box.c:38  `return (box + 1)->sum;`\n" },
        { "adds_wrongly", "box->sum += value;", "box->sum += value + 1;", "unit", "unit.check ",
          "at cases/box.c:14  `CHECK_EQ(box_sum(box), value);`\n" },
        { "warns", "return box->sum;", "int sum = box->sum; return sum;", "build", "build.warning",
          "int sum = box->sum; return sum;" },
        { "never_rings", "per_minute, >, 3,", "per_minute, >, 30000,", "observe",
          "observe.alarm-silent overflow", "overflows per_minute > 30000 for 0 s, warn" },
};

static int setup(void **state)
{
        (void)state;
        return mkdtemp(place) ? 0 : -1;
}

static int teardown(void **state)
{
        (void)state;
        return file_remove_tree(AT_FDCWD, place);
}

static void make_candidate(size_t mistake, const char *folder)
{
        BASE_SCOPE(text_fini) struct text source = TEXT_INIT(1 << 20);
        BASE_SCOPE(text_fini) struct text spoilt = TEXT_INIT(1 << 20);
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_max);
        const char *at;

        text_printf(&path, "%s/candidates/reference/box.c", box);
        assert_int_equal(file_read(AT_FDCWD, text_view(&path), &source), 0);
        at = strstr(text_view(&source), mistakes[mistake].was);
        assert_non_null(at);
        text_append_bytes(&spoilt, text_view(&source), (size_t)(at - text_view(&source)));
        text_append(&spoilt, mistakes[mistake].becomes);
        text_append(&spoilt, at + strlen(mistakes[mistake].was));
        assert_int_equal(mkdir(folder, 0700), 0);
        text_clear(&path);
        text_printf(&path, "%s/box.c", folder);
        assert_int_equal(
                file_replace(AT_FDCWD, text_view(&path), text_view(&spoilt), spoilt.length, 0600),
                0);
}

/* Each round knows of the other only what a fresh clone would: nothing. */
static void use_cache(size_t round)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_max);

        text_printf(&path, "%s/cache-%zu", place, round);
        assert_int_equal(setenv("XDG_CACHE_HOME", text_view(&path), 1), 0);
}

static void judge(const char *folder, const char *report)
{
        BASE_SCOPE(text_fini) struct text said = TEXT_INIT(1 << 20);
        const char *const argv[] = { program, "gate", box, folder, "--report", report, NULL };
        const struct child_request request = { .argv = argv,
                                               .output = &said,
                                               .time_max_ns = 300 * CLOCK_S_NS };
        struct child_result result;

        assert_int_equal(child_run(&request, &result), 0);
        if (result.end != CHILD_EXITED || result.code != 1)
                fail_msg("not rejected: %s", text_view(&said));
}

static void read_packet(const char *folder, const char *report, struct packet *packet)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(4096);
        struct contract contract;
        struct candidate candidate;

        assert_int_equal(contract_load(box, &contract, &why), 0);
        assert_int_equal(candidate_load(&contract, folder, &candidate), 0);
        if (packet_read(report, &contract, &candidate, mark, packet, &why))
                fail_msg("%s", text_view(&why));
        candidate_fini(&candidate);
        contract_fini(&contract);
}

static void judge_twice(size_t mistake)
{
        BASE_SCOPE(text_fini) struct text folder = TEXT_INIT(path_max);
        BASE_SCOPE(packet_fini) struct packet first = { .keys = NULL };
        BASE_SCOPE(packet_fini) struct packet second = { .keys = NULL };
        struct packet *packets[] = { &first, &second };

        text_printf(&folder, "%s/%s", place, mistakes[mistake].name);
        make_candidate(mistake, text_view(&folder));
        for (size_t i = 0; i < 2; i++) {
                BASE_SCOPE(text_fini) struct text report = TEXT_INIT(path_max);

                text_printf(&report, "%s/%s-%zu", place, mistakes[mistake].name, i);
                use_cache(i);
                judge(text_view(&folder), text_view(&report));
                read_packet(text_view(&folder), text_view(&report), packets[i]);
        }
        assert_int_equal(first.verdict, PACKET_REJECTED);
        assert_string_equal(first.stage, mistakes[mistake].stage);
        assert_memory_equal(json_string_value(json_array_get(first.keys, 0)), mistakes[mistake].key,
                            strlen(mistakes[mistake].key));
        if (!strstr(text_view(&first.text), mistakes[mistake].says))
                fail_msg("no '%s' in:\n%s", mistakes[mistake].says, text_view(&first.text));
        assert_string_equal(text_view(&first.text), text_view(&second.text));
        assert_string_equal(text_view(&first.headline), text_view(&second.headline));
        assert_string_equal(first.signature, second.signature);
        assert_true(json_equal(first.keys, second.keys));
}

static void test_the_same_failure_gives_the_same_packet(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(mistakes); i++)
                judge_twice(i);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_same_failure_gives_the_same_packet),
        };

        if (argc != 3)
                return 2;
        program = argv[1];
        box = argv[2];
        return cmocka_run_group_tests(tests, setup, teardown);
}
