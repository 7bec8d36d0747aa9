/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The templates that come with tocsin and those of somebody else; what is refused; that the same
 * state gives the same bytes.
 */
#include "forge/prompt.h"
#include "base/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const names[] = { "system.md", "contract.md", "write.md", "diagnose.md",
                                     "repair.md" };

struct fixture {
        struct contract contract;
        struct candidate candidate;
        char folder[32]; /* of templates */
};

static const char tricky[] = "/* ``` @header@ */\nint x;";

static int setup(void **state)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(4096);
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(1000);
        const struct text *files[] = { &bytes };
        const char *file_names[] = { "lru.c" };
        struct fixture *fixture = calloc(1, sizeof(*fixture));

        assert_non_null(fixture);
        assert_int_equal(contract_load(GATE_SOURCE_ROOT "/modules/lru", &fixture->contract, &why),
                         0);
        text_append(&bytes, tricky);
        assert_int_equal(candidate_make("x", file_names, files, 1, &fixture->candidate), 0);
        memcpy(fixture->folder, "/tmp/tocsin-prompt-XXXXXX", 26);
        assert_non_null(mkdtemp(fixture->folder));
        *state = fixture;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *fixture = *state;

        assert_int_equal(file_remove_tree(AT_FDCWD, fixture->folder), 0);
        contract_fini(&fixture->contract);
        candidate_fini(&fixture->candidate);
        free(fixture);
        return 0;
}

/* All five, each holding its own name but for the one given. */
static void write_templates(const struct fixture *fixture, const char *name, const char *bytes)
{
        for (size_t i = 0; i < BASE_COUNT(names); i++) {
                BASE_SCOPE(text_fini) struct text path = TEXT_INIT(256);
                const char *put = name && strcmp(name, names[i]) == 0 ? bytes : names[i];

                text_printf(&path, "%s/%s", fixture->folder, names[i]);
                assert_int_equal(file_replace(AT_FDCWD, text_view(&path), put, strlen(put), 0600),
                                 0);
        }
}

static struct prompt_kit *load(const struct contract *contract, const char *folder, bool shows)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(4096);
        const struct prompt_options options = { .folder = folder, .shows_cases = shows };
        struct prompt_kit *kit = NULL;

        if (prompt_kit_load(contract, &options, &kit, &why))
                fail_msg("%s", text_view(&why));
        return kit;
}

static void make(const struct prompt_kit *kit, enum prompt_stage stage,
                 const struct prompt_parts *parts, struct prompt *ret_prompt)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(4096);

        if (prompt_make(kit, stage, parts, ret_prompt, &why))
                fail_msg("%s", text_view(&why));
}

static void has(const struct text *text, const char *part)
{
        if (!strstr(text_view(text), part))
                fail_msg("no '%s' in:\n%s", part, text_view(text));
}

static void has_not(const struct text *text, const char *part)
{
        if (strstr(text_view(text), part))
                fail_msg("'%s' is in:\n%s", part, text_view(text));
}

static void test_what_is_told_of_a_contract(void **state)
{
        const struct fixture *fixture = *state;
        BASE_SCOPE(prompt_kit_free) struct prompt_kit *kit = load(&fixture->contract, NULL, false);
        const struct prompt_parts parts = { .earlier = NULL };
        BASE_SCOPE(prompt_fini) struct prompt prompt = { .stable_length = 0 };

        make(kit, PROMPT_WRITE, &parts, &prompt);
        has(&prompt.system, "and no others: lru.c. ");
        has(&prompt.system, "CONTRACT-CONFLICT: <place> vs <place>\n");
        has(&prompt.user, "# Contract: lru\n\nFixed-capacity least-recently-used cache\n");
        has(&prompt.user,
            "```c\n/* SPDX-License-Identifier: Apache-2.0 */\n/*\n * lru.h - a cache");
        has(&prompt.user, "\n\"lru.h\", <assert.h>, <errno.h>, ");
        has(&prompt.user, "\n- heap: malloc calloc realloc reallocarray free aligned_alloc ");
        has(&prompt.user, " mempcpy ");
        has_not(&prompt.user, "__mempcpy");
        has(&prompt.user, "\n- assert: assert\n");
        has(&prompt.user, "One object may be used by any number of threads");
        has(&prompt.user, "- lru_get: constant in count, at most 900 instructions and 0 "
                          "allocations a call\n");
        has(&prompt.user, "- lru_put: constant in collisions, at most 1500 instructions a call\n"
                          "- lru_put: constant in churn, live memory constant in churn, at most "
                          "1500 instructions a call\n");
        has(&prompt.user, "- lru: at most 144 live bytes an entry\n- lru: at most 65536 live bytes "
                          "at the peak\n- all probes together: at most 6 percent more "
                          "instructions than the same code without them\n\n## Cases");
        has(&prompt.user, "They are not shown. They draw their values from a seed");
        has(&prompt.user, "known beforehand.\n\n# Probes: how a module is heard\n");
        has_not(&prompt.user, "BENCH(");
        assert_true(prompt.stable_length > 0 && prompt.stable_length < prompt.user.length);
        assert_int_equal(prompt.user.bytes[prompt.stable_length - 1], '\n');
        assert_memory_equal(prompt.user.bytes + prompt.stable_length, "# Your task\n", 12);
}

static void test_cases_are_shown_if_asked_for(void **state)
{
        const struct fixture *fixture = *state;
        BASE_SCOPE(prompt_kit_free) struct prompt_kit *kit = load(&fixture->contract, NULL, true);
        const struct prompt_parts parts = { .earlier = NULL };
        BASE_SCOPE(prompt_fini) struct prompt prompt = { .stable_length = 0 };

        make(kit, PROMPT_WRITE, &parts, &prompt);
        has_not(&prompt.user, "They are not shown.");
        has(&prompt.user, "BENCH(get, count, 1000, 2000, 4000, 8000)");
        has(&prompt.user, "\ncases/heard.c:\n```c\n");
}

static void test_what_stands_left_of_the_bar_is_always_the_same(void **state)
{
        const struct fixture *fixture = *state;
        struct prompt prompts[PROMPT_STAGE_COUNT];

        for (size_t i = 0; i < PROMPT_STAGE_COUNT; i++) {
                BASE_SCOPE(prompt_kit_free)
                struct prompt_kit *kit = load(&fixture->contract, NULL, false);
                const struct prompt_parts parts = {
                        .candidate = i == PROMPT_WRITE ? NULL : &fixture->candidate,
                        .packet = "=== data 1 ===\n=== end 1 ===\n",
                        .diagnosis = "because",
                };

                make(kit, (enum prompt_stage)i, &parts, &prompts[i]);
                assert_string_equal(prompt_stage_name((enum prompt_stage)i), i == 0   ? "write"
                                                                             : i == 1 ? "diagnose"
                                                                                      : "repair");
        }
        for (size_t i = 1; i < PROMPT_STAGE_COUNT; i++) {
                assert_string_equal(text_view(&prompts[0].system), text_view(&prompts[i].system));
                assert_int_equal(prompts[0].stable_length, prompts[i].stable_length);
                assert_memory_equal(prompts[0].user.bytes, prompts[i].user.bytes,
                                    prompts[0].stable_length);
        }
        for (size_t i = 0; i < PROMPT_STAGE_COUNT; i++)
                prompt_fini(&prompts[i]);
}

static void test_what_stands_right_of_it(void **state)
{
        const struct fixture *fixture = *state;
        BASE_SCOPE(prompt_kit_free) struct prompt_kit *kit = load(&fixture->contract, NULL, false);
        const struct prompt_parts bare = { .candidate = &fixture->candidate, .packet = "P\n" };
        const struct prompt_parts full = { .candidate = &fixture->candidate,
                                           .packet = "P\n",
                                           .diagnosis = "One\n# Two @x@" };
        const struct prompt_parts again = { .earlier = "unit.leak put\nbench.growth" };
        BASE_SCOPE(prompt_fini) struct prompt without = { .stable_length = 0 };
        BASE_SCOPE(prompt_fini) struct prompt with = { .stable_length = 0 };
        BASE_SCOPE(prompt_fini) struct prompt write = { .stable_length = 0 };

        make(kit, PROMPT_REPAIR, &bare, &without);
        has(&without.user, "FILE: lru.c\n````c\n/* ``` @header@ */\nint x;\n````\n");
        has(&without.user, "\nP\n\n# Your task\n");
        has_not(&without.user, "# A diagnosis");
        make(kit, PROMPT_REPAIR, &full, &with);
        has(&with.user, "# A diagnosis\n\nSomebody who has read the same made it. It may be wrong: "
                        "check it against the code.\n\n> One\n> # Two @x@\n\n# Your task\n");
        make(kit, PROMPT_WRITE, &again, &write);
        has(&write.user, "happen:\n\n- unit.leak put\n- bench.growth\n\nBefore the files");
}

static void test_the_digest_covers_templates_and_contract(void **state)
{
        const struct fixture *fixture = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(4096);
        BASE_SCOPE(prompt_kit_free) struct prompt_kit *first = NULL;
        struct contract box;

        write_templates(fixture, NULL, NULL);
        first = load(&fixture->contract, fixture->folder, false);
        assert_int_equal(strlen(prompt_kit_sha256(first)), 64);
        for (size_t i = 0; i < BASE_COUNT(names); i++) {
                BASE_SCOPE(prompt_kit_free) struct prompt_kit *kit = NULL;

                write_templates(fixture, names[i], "other");
                kit = load(&fixture->contract, fixture->folder, false);
                assert_string_not_equal(prompt_kit_sha256(first), prompt_kit_sha256(kit));
        }
        write_templates(fixture, NULL, NULL);
        assert_int_equal(contract_load(GATE_SOURCE_ROOT "/tests/gate/fixtures/box", &box, &why), 0);
        for (int i = 0; i < 3; i++) {
                BASE_SCOPE(prompt_kit_free)
                struct prompt_kit *kit =
                        load(i == 1 ? &box : &fixture->contract, fixture->folder, i == 2);

                if (i == 0)
                        assert_string_equal(prompt_kit_sha256(first), prompt_kit_sha256(kit));
                else
                        assert_string_not_equal(prompt_kit_sha256(first), prompt_kit_sha256(kit));
        }
        contract_fini(&box);
}

/* path: of what is said; the folder stands before it. */
static void refuses(const struct fixture *fixture, const char *name, const char *bytes,
                    const char *said)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(8192);
        BASE_SCOPE(text_fini) struct text expected = TEXT_INIT(8192);
        const struct prompt_options options = { .folder = fixture->folder };
        struct prompt_kit *kit = NULL;

        write_templates(fixture, name, bytes);
        assert_int_equal(prompt_kit_load(&fixture->contract, &options, &kit, &why), PROMPT_WRONG);
        assert_null(kit);
        text_printf(&expected, "%s/%s%s", fixture->folder, name, said);
        assert_string_equal(text_view(&why), text_view(&expected));
}

#define LEFT                                                                           \
        "names are module, summary, header_name, header, files, includes, functions, " \
        "threads, standard, budgets, cases, instrumenting"

static void test_slips_are_told_when_the_kit_is_loaded(void **state)
{
        const struct fixture *fixture = *state;

        refuses(fixture, "system.md", "@packet@", ":1: there is no name @packet@; " LEFT);
        refuses(fixture, "contract.md", "\n@candidate@", ":2: there is no name @candidate@; " LEFT);
        refuses(fixture, "write.md", "@foo@", ":1: there is no name @foo@; " LEFT ", earlier");
        refuses(fixture, "write.md", "@candidate@",
                ":1: there is no @candidate@ in this prompt; leave it out");
        refuses(fixture, "diagnose.md", "@diagnosis@",
                ":1: there is no @diagnosis@ in this prompt; leave it out");
        refuses(fixture, "repair.md", "@earlier@",
                ":1: there is no @earlier@ in this prompt; leave it out");
        refuses(fixture, "repair.md", "\xff",
                ": it holds a NUL byte or is not UTF-8; save it as "
                "text");
}

static void test_templates_that_are_not_there(void **state)
{
        const struct fixture *fixture = *state;
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(4096);
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(4096);
        const struct prompt_options options = { .folder = fixture->folder };
        const struct prompt_options nowhere = { .folder = "/nowhere/to\x1b" };
        struct prompt_kit *kit = NULL;

        write_templates(fixture, NULL, NULL);
        text_printf(&path, "%s/repair.md", fixture->folder);
        assert_int_equal(unlink(text_view(&path)), 0);
        assert_int_equal(prompt_kit_load(&fixture->contract, &options, &kit, &why), PROMPT_WRONG);
        has(&why, "/repair.md: No such file or directory; see prompts/README.md");
        assert_int_equal(mkdir(text_view(&path), 0700), 0);
        assert_int_equal(prompt_kit_load(&fixture->contract, &options, &kit, &why), PROMPT_WRONG);
        assert_int_equal(rmdir(text_view(&path)), 0);
        assert_int_equal(prompt_kit_load(&fixture->contract, &nowhere, &kit, &why), PROMPT_WRONG);
        has(&why, "/nowhere/to\\x1b: No such file or directory");
}

static void test_what_is_too_large_is_refused(void **state)
{
        const struct fixture *fixture = *state;
        BASE_SCOPE(text_fini) struct text packet = TEXT_INIT(prompt_bytes_max);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(4096);
        BASE_SCOPE(prompt_kit_free) struct prompt_kit *kit = NULL;
        struct prompt_parts parts = { .candidate = &fixture->candidate };
        BASE_SCOPE(prompt_fini) struct prompt prompt = { .stable_length = 0 };

        write_templates(fixture, "repair.md", "@packet@");
        kit = load(&fixture->contract, fixture->folder, false);
        /* "contract.md", a newline, and the rest. */
        for (size_t i = 0; i < prompt_bytes_max - 12; i++)
                text_append(&packet, "x");
        parts.packet = text_view(&packet);
        make(kit, PROMPT_REPAIR, &parts, &prompt);
        assert_int_equal(prompt.user.length, prompt_bytes_max);
        prompt_fini(&prompt);
        text_append(&packet, "x");
        parts.packet = text_view(&packet);
        assert_int_equal(prompt_make(kit, PROMPT_REPAIR, &parts, &prompt, &why), PROMPT_WRONG);
        has(&why, "/repair.md: the prompt has more than 1048576 bytes; ");
}

static void test_a_contract_without_probes(void **state)
{
        const struct fixture *fixture = *state;
        struct contract bare = fixture->contract;
        BASE_SCOPE(prompt_kit_free) struct prompt_kit *kit = NULL;
        const struct prompt_parts parts = { .earlier = NULL };
        BASE_SCOPE(prompt_fini) struct prompt prompt = { .stable_length = 0 };

        bare.headers.count--; /* tocsin.h is the last */
        bare.symbols.count = 0;
        bare.budget_count = 0;
        bare.threads = CONTRACT_THREADS_NONE;
        kit = load(&bare, NULL, false);
        make(kit, PROMPT_WRITE, &parts, &prompt);
        has(&prompt.user,
            "\n# Probes\n\nThis contract has none: tocsin.h is not among its headers.");
        has_not(&prompt.user, "# Probes: how");
        has(&prompt.user, "are free.\n\n- none\n");
        has(&prompt.user, "\n- none is stated\n");
        has(&prompt.user, "used by one thread and starts none");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_told_of_a_contract),
                cmocka_unit_test(test_cases_are_shown_if_asked_for),
                cmocka_unit_test(test_what_stands_left_of_the_bar_is_always_the_same),
                cmocka_unit_test(test_what_stands_right_of_it),
                cmocka_unit_test(test_the_digest_covers_templates_and_contract),
                cmocka_unit_test(test_slips_are_told_when_the_kit_is_loaded),
                cmocka_unit_test(test_templates_that_are_not_there),
                cmocka_unit_test(test_what_is_too_large_is_refused),
                cmocka_unit_test(test_a_contract_without_probes),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
